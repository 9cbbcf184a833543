#include "test/fuzz/glue.h"

#include <cstdlib>
#include <stdexcept>

#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

std::string users() {
  return "DOM:user:" + std::string(kGluePassword) + "\n";
}

}  // namespace

Stage::Stage(const std::string& policy) : workshop_(users(), "[policy]\n" + policy) {}

void Stage::set_policy(const std::string& policy) {
  const std::string text = "[accounts]\ninitiator = users_file\n[policy]\n" + policy;
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
  // Behind the mechglue's length and OID: magic, version, role, whether it is established, flags.
  const std::size_t begin = 4 + test::kNtlm.length;
  const std::size_t end = token.size() - 4;
  auto* bytes = reinterpret_cast<std::uint8_t*>(token.data());
  store_le64(bytes + begin + 8 + 1 + 1 + 1 + 4, ++exports);
  store_le32(bytes + end, plain_crc32({bytes + begin, end - begin}));
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
