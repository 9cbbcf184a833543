#include "test/support/gss.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"

namespace gssntlm::test {
namespace {

struct Bindings {
  explicit Bindings(const std::optional<std::string>& data) {
    if (data) {
      value.application_data = buffer_of(*data);
      pointer = &value;
    }
  }
  gss_channel_bindings_struct value{};
  gss_channel_bindings_t pointer = GSS_C_NO_CHANNEL_BINDINGS;
};

}  // namespace

gss_OID_desc kNtlm = {GSS_NTLM_MECH_OID_LENGTH, const_cast<char*>(GSS_NTLM_MECH_OID_BYTES)};
gss_OID_desc kSpnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

gss_OID_desc kSessionKeyOid = {11,
                               const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05")};

gss_buffer_desc buffer_of(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string take(gss_buffer_desc& buffer) {
  std::string text(static_cast<const char*>(buffer.value), buffer.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &buffer);
  return text;
}

std::string Outcome::text() const {
  OM_uint32 ignored = 0;
  OM_uint32 more = 0;
  gss_buffer_desc b = GSS_C_EMPTY_BUFFER;
  if (GSS_ERROR(gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &kNtlm, &more, &b))) {
    return {};
  }
  return take(b);
}

NameHandle::NameHandle(const std::string& text, gss_OID type) {
  OM_uint32 minor = 0;
  gss_buffer_desc b = buffer_of(text);
  if (GSS_ERROR(gss_import_name(&minor, &b, type, &name_))) {
    throw std::runtime_error("cannot import " + text);
  }
}

NameHandle::~NameHandle() {
  OM_uint32 minor = 0;
  gss_release_name(&minor, &name_);
}

std::string NameHandle::display() const {
  OM_uint32 minor = 0;
  gss_buffer_desc b = GSS_C_EMPTY_BUFFER;
  if (name_ == GSS_C_NO_NAME || GSS_ERROR(gss_display_name(&minor, name_, &b, nullptr))) {
    return {};
  }
  return take(b);
}

CredHandle::~CredHandle() {
  OM_uint32 minor = 0;
  gss_release_cred(&minor, &cred_);
}

End::~End() {
  OM_uint32 minor = 0;
  gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
}

std::string init_step(const Exchange& x, End& end, const std::string& input) {
  NameHandle target(x.target, GSS_C_NT_HOSTBASED_SERVICE);
  Bindings bindings(x.initiator_bindings);
  gss_buffer_desc in = buffer_of(input);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  end.last.major =
      gss_init_sec_context(&end.last.minor, x.initiator_cred, &end.context, target.get(), x.mech,
                           x.flags, 0, bindings.pointer, &in, nullptr, &out, &end.flags, nullptr);
  return take(out);
}

std::string accept_step(const Exchange& x, End& end, const std::string& input) {
  Bindings bindings(x.acceptor_bindings);
  gss_buffer_desc in = buffer_of(input);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  end.source = NameHandle();
  end.last.major =
      gss_accept_sec_context(&end.last.minor, &end.context, x.acceptor_cred, &in, bindings.pointer,
                             end.source.out(), nullptr, &out, &end.flags, nullptr, nullptr);
  return take(out);
}

bool run(const Exchange& x, End& initiator, End& acceptor) {
  std::string token;
  bool init_done = false;
  bool accept_done = false;
  for (int leg = 0; leg < 6 && !(init_done && accept_done); ++leg) {
    if (!init_done) {
      token = init_step(x, initiator, token);
      if (!initiator.last.ok()) {
        return false;
      }
      init_done = initiator.last.major == GSS_S_COMPLETE;
    }
    if (!accept_done && !token.empty()) {
      token = accept_step(x, acceptor, token);
      if (!acceptor.last.ok()) {
        return false;
      }
      accept_done = acceptor.last.major == GSS_S_COMPLETE;
    }
  }
  return init_done && accept_done;
}

bool has_mic(const End& acceptor) {
  gss_buffer_desc name = {sizeof GSS_NTLM_ATTR_MIC - 1, const_cast<char*>(GSS_NTLM_ATTR_MIC)};
  gss_buffer_desc value = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  int authenticated = 0;
  int complete = 0;
  int more = -1;
  const OM_uint32 major = gss_get_name_attribute(&minor, acceptor.source.get(), &name,
                                                 &authenticated, &complete, &value, nullptr, &more);
  return take(value) == "1" && major == GSS_S_COMPLETE;
}

bool carries_mic(const Exchange& x) {
  End initiator;
  End acceptor;
  return run(x, initiator, acceptor) && has_mic(acceptor);
}

Outcome acquire_password(const std::string& user, const std::string& password, gss_OID mech,
                         CredHandle& cred) {
  NameHandle name(user, GSS_C_NT_USER_NAME);
  gss_buffer_desc pw = buffer_of(password);
  gss_OID_set_desc mechs = {1, mech};
  Outcome o;
  o.major = gss_acquire_cred_with_password(&o.minor, name.get(), &pw, 0, &mechs, GSS_C_INITIATE,
                                           cred.out(), nullptr, nullptr);
  return o;
}

Outcome acquire(gss_cred_usage_t usage, gss_OID mech, CredHandle& cred) {
  gss_OID_set_desc mechs = {1, mech};
  Outcome o;
  o.major =
      gss_acquire_cred(&o.minor, GSS_C_NO_NAME, 0, &mechs, usage, cred.out(), nullptr, nullptr);
  return o;
}

Outcome acquire_from(gss_cred_usage_t usage, gss_OID mech, const std::string& user,
                     std::initializer_list<std::pair<const char*, std::string>> store,
                     CredHandle& cred) {
  NameHandle name;
  if (!user.empty()) {
    name = NameHandle(user, GSS_C_NT_USER_NAME);
  }
  std::vector<gss_key_value_element_desc> elements;
  for (const auto& [key, value] : store) {
    elements.push_back({key, value.c_str()});
  }
  gss_key_value_set_desc set = {static_cast<OM_uint32>(elements.size()), elements.data()};
  gss_OID_set_desc mechs = {1, mech};
  Outcome o;
  o.major = gss_acquire_cred_from(&o.minor, name.get(), 0, &mechs, usage, &set, cred.out(), nullptr,
                                  nullptr);
  return o;
}

Outcome wrap(End& end, const std::string& message, std::string& token, int conf) {
  gss_buffer_desc in = buffer_of(message);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  Outcome o;
  o.major = gss_wrap(&o.minor, end.context, conf, GSS_C_QOP_DEFAULT, &in, nullptr, &out);
  token = take(out);
  return o;
}

Outcome unwrap(End& end, const std::string& token, std::string& message) {
  gss_buffer_desc in = buffer_of(token);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  Outcome o;
  o.major = gss_unwrap(&o.minor, end.context, &in, &out, nullptr, nullptr);
  message = take(out);
  return o;
}

Outcome get_mic(End& end, const std::string& message, std::string& token) {
  gss_buffer_desc in = buffer_of(message);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  Outcome o;
  o.major = gss_get_mic(&o.minor, end.context, GSS_C_QOP_DEFAULT, &in, &out);
  token = take(out);
  return o;
}

Outcome verify_mic(End& end, const std::string& message, const std::string& token) {
  gss_buffer_desc in = buffer_of(message);
  gss_buffer_desc mic = buffer_of(token);
  Outcome o;
  o.major = gss_verify_mic(&o.minor, end.context, &in, &mic, nullptr);
  return o;
}

Outcome export_context(End& end, std::string& token) {
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  Outcome o;
  o.major = gss_export_sec_context(&o.minor, &end.context, &out);
  token = take(out);
  return o;
}

Outcome import_context(End& end, const std::string& token) {
  gss_buffer_desc in = buffer_of(token);
  Outcome o;
  o.major = gss_import_sec_context(&o.minor, &in, &end.context);
  return o;
}

std::string session_key(const End& end) {
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  OM_uint32 minor = 0;
  std::string key;
  if (gss_inquire_sec_context_by_oid(&minor, end.context, &kSessionKeyOid, &set) == 0) {
    key.assign(static_cast<const char*>(set->elements[0].value), set->elements[0].length);
  }
  gss_release_buffer_set(&minor, &set);
  return key;
}

namespace {

// The first account of a users file that has several; empty for one account, or none.
std::string default_account(const std::string& users) {
  std::istringstream lines(users);
  std::string line;
  std::string first;
  int count = 0;
  while (std::getline(lines, line)) {
    if (!line.empty() && line.front() != '#' && ++count == 1) {
      const std::size_t colon = line.find(':');
      first = line.substr(0, colon) + "\\" +
              line.substr(colon + 1, line.find(':', colon + 1) - colon - 1);
    }
  }
  return count > 1 ? first : std::string();
}

}  // namespace

Workshop::Workshop(const std::string& users, const std::string& settings) {
  std::string pattern = std::filesystem::temp_directory_path() / "gss-ntlm-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("no temporary directory");
  }
  directory_ = pattern;
  ::setenv("NTLM_USER_FILE", write("users", users).c_str(), 1);
  if (const std::string account = default_account(users); !account.empty()) {
    ::setenv("NTLMUSER", account.c_str(), 1);
  }
  // Logins in a keyring of the user that runs the tests take no part. Both ends are in one process.
  const std::string file =
      "[policy]\nrefuse_reflection = no\n[accounts]\ninitiator = users_file\n" + settings;
  ::setenv("GSS_NTLM_SETTINGS", write("settings", file).c_str(), 1);
}

Workshop::~Workshop() {
  ::unsetenv("NTLM_USER_FILE");
  ::unsetenv("NTLMUSER");
  ::unsetenv("GSS_NTLM_SETTINGS");
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Workshop::write(const std::string& name, const std::string& text, unsigned mode) const {
  const std::string where = path(name);
  std::ofstream(where, std::ios::binary | std::ios::trunc) << text;
  ::chmod(where.c_str(), static_cast<mode_t>(mode));
  return where;
}

}  // namespace gssntlm::test
