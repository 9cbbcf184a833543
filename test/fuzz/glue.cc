#include "test/fuzz/glue.h"

#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

std::string users() {
  return "DOM:user:" + std::string(kGluePassword) + "\n";
}

// Handshakes of the corpora were exported on other machines.
std::string section_of(const std::string& policy) {
  return "[policy]\nfarm = " + std::string(kFarm) + "\n" + policy;
}

// The mechglue's length and OID, in front of ours.
const std::size_t kFrame = 4 + test::kNtlm.length;

void repair_checksum(std::string& token) {
  const std::size_t end = token.size() - 4;
  auto* bytes = reinterpret_cast<std::uint8_t*>(token.data());
  store_le32(bytes + end, plain_crc32({bytes + kFrame, end - kFrame}));
}

}  // namespace

Stage::Stage(const std::string& policy) : workshop_(users(), section_of(policy)) {}

void Stage::set_policy(const std::string& policy) {
  const std::string text = "[accounts]\ninitiator = users_file\n" + section_of(policy);
  const std::string path = workshop_.write("settings" + std::to_string(++files_), text);
  ::setenv("GSS_NTLM_SETTINGS", path.c_str(), 1);
}

test::CredHandle login(const std::string& password, gss_OID mech) {
  test::CredHandle cred;
  if (!test::acquire_password("DOM\\user", password, mech, cred).ok()) {
    throw std::runtime_error("no credential: is GSS_MECH_CONFIG set?");
  }
  return cred;
}

std::string text_of(ByteView bytes) {
  return std::string(as_text(bytes));
}

ByteView view_of(const std::string& text) {
  return as_bytes(text);
}

std::string exported_again(std::string token) {
  static std::uint64_t exports = 0;
  // Behind the frame: magic, version, role, whether it is established, flags.
  auto* bytes = reinterpret_cast<std::uint8_t*>(token.data());
  store_le64(bytes + kFrame + 8 + 1 + 1 + 1 + 4, ++exports);
  repair_checksum(token);
  return token;
}

std::string begun_now(std::string token) {
  const std::string name(kFarm);
  const auto half = [&](const std::string& label) {
    const std::string text = label + name;
    const Sixteen digest = plain_md5(Bytes(text.begin(), text.end()));
    return std::string(digest.begin(), digest.end());
  };
  const std::size_t farm = token.find(half("farm 1") + half("farm 2"));
  constexpr std::size_t kTimes = 32;
  if (farm != std::string::npos && farm + kTimes + 2 * 8 + 4 <= token.size()) {
    auto* times = reinterpret_cast<std::uint8_t*>(token.data()) + farm + kTimes;
    const auto now = static_cast<std::uint64_t>(::time(nullptr));
    store_le64(times, now);
    store_le64(times + 8, now + 60);
    repair_checksum(token);
  }
  return token;
}

void ask_everything(gss_ctx_id_t context) {
  if (context == GSS_C_NO_CONTEXT) {
    return;
  }
  OM_uint32 minor = 0;
  OM_uint32 value = 0;
  gss_name_t source = GSS_C_NO_NAME;
  gss_name_t target = GSS_C_NO_NAME;
  gss_OID mech = GSS_C_NO_OID;
  int local = 0;
  int open = 0;
  (void)gss_inquire_context(&minor, context, &source, &target, &value, &mech, &value, &local,
                            &open);
  (void)gss_release_name(&minor, &source);
  (void)gss_release_name(&minor, &target);
  (void)gss_context_time(&minor, context, &value);
  (void)gss_wrap_size_limit(&minor, context, 1, GSS_C_QOP_DEFAULT, 1000, &value);
  // libgssapi 1.20 itself falls over this one for a SPNEGO context that is not open.
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  if (open != 0) {
    (void)gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set);
  }
  (void)gss_release_buffer_set(&minor, &set);
}

}  // namespace gssntlm::fuzz
