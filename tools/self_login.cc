#include "tools/self_login.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/backends/users/trusted_path.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "mech/wire/authenticate.h"
#include "spnego/token.h"

namespace gssntlm::tools {
namespace {

constexpr const char* kVariable = "GSS_NTLM_SETTINGS";
constexpr std::array kFiles = {"users", "settings"};

gss_OID_desc g_ntlm = {GSS_NTLM_MECH_OID_LENGTH, const_cast<char*>(GSS_NTLM_MECH_OID_BYTES)};
gss_OID_desc g_spnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

gss_buffer_desc buffer_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string take(gss_buffer_desc& buffer) {
  std::string text(static_cast<const char*>(buffer.value), buffer.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &buffer);
  return text;
}

std::string status_text(OM_uint32 code, int type) {
  OM_uint32 minor = 0;
  OM_uint32 context = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  if (GSS_ERROR(gss_display_status(&minor, code, type, &g_ntlm, &context, &text))) {
    return "status " + std::to_string(code);
  }
  return take(text);
}

std::string what_failed(const char* what, OM_uint32 major, OM_uint32 minor) {
  // The particulars are the call's until the next one.
  const std::string why = minor != 0 ? ": " + status_text(minor, GSS_C_MECH_CODE) : "";
  return std::string(what) + ": " + status_text(major, GSS_C_GSS_CODE) + why;
}

struct Side {
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  bool done = false;

  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side() {
    OM_uint32 minor = 0;
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credential);
  }
};

class Exchange {
 public:
  explicit Exchange(bool spnego) : mech_(spnego ? &g_spnego : &g_ntlm), spnego_(spnego) {
    OM_uint32 minor = 0;
    gss_buffer_desc text = buffer_of("host@localhost");
    gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &target_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    OM_uint32 minor = 0;
    gss_release_name(&minor, &target_);
  }

  [[nodiscard]] bool acquire(const std::string& password, const std::string& users) {
    gss_buffer_desc text = buffer_of("DOCTOR\\doctor");
    OM_uint32 minor = 0;
    gss_name_t name = GSS_C_NO_NAME;
    gss_import_name(&minor, &text, GSS_C_NT_USER_NAME, &name);
    const bool done = acquire(initiator_, GSS_C_INITIATE, name, GSS_NTLM_CS_PASSWORD, password) &&
                      acquire(acceptor_, GSS_C_ACCEPT, GSS_C_NO_NAME, GSS_NTLM_CS_KEYFILE, users);
    gss_release_name(&minor, &name);
    return done;
  }

  // Both sides in turn, until both are established.
  [[nodiscard]] bool establish() {
    std::string token;
    for (int leg = 0; leg < 8 && !(initiator_.done && acceptor_.done); ++leg) {
      if (!(leg % 2 == 0 ? initiate(token) : accept(token))) {
        return false;
      }
    }
    if (!initiator_.done || !acceptor_.done) {
      outcome_.problem = "the exchange does not complete";
    }
    return outcome_.problem.empty();
  }

  // The initiator's answer to a reply that is `token`.
  [[nodiscard]] std::string reply_with(std::string_view token) {
    std::string reply;
    if (initiate(reply)) {
      reply = token;
      (void)initiate(reply);
    }
    return outcome_.problem;
  }

  void protect() {
    OM_uint32 minor = 0;
    gss_buffer_desc message = buffer_of("a message");
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    int sealed = 0;
    OM_uint32 major =
        gss_wrap(&minor, initiator_.context, 1, GSS_C_QOP_DEFAULT, &message, &sealed, &token);
    if (!GSS_ERROR(major)) {
      major = gss_unwrap(&minor, acceptor_.context, &token, &out, nullptr, nullptr);
    }
    if (GSS_ERROR(major)) {
      outcome_.problem = what_failed("a sealed message", major, minor);
    }
    gss_release_buffer(&minor, &token);
    outcome_.protects = !GSS_ERROR(major) && sealed != 0 && take(out) == "a message";
    gss_release_buffer(&minor, &out);
  }

  [[nodiscard]] const LoginOutcome& outcome() const noexcept { return outcome_; }

 private:
  bool acquire(Side& side, gss_cred_usage_t usage, gss_name_t name, const char* key,
               const std::string& value) {
    gss_key_value_element_desc element = {key, value.c_str()};
    gss_key_value_set_desc store = {1, &element};
    gss_OID_set_desc mechs = {1, mech_};
    gss_OID_set_desc ntlm = {1, &g_ntlm};
    OM_uint32 minor = 0;
    OM_uint32 major = gss_acquire_cred_from(&minor, name, 0, &mechs, usage, &store,
                                            &side.credential, nullptr, nullptr);
    if (!GSS_ERROR(major) && spnego_) {
      major = gss_set_neg_mechs(&minor, side.credential, &ntlm);
    }
    if (GSS_ERROR(major)) {
      outcome_.problem = what_failed(
          usage == GSS_C_ACCEPT ? "acceptor's credential" : "initiator's credential", major, minor);
    }
    return !GSS_ERROR(major);
  }

  bool initiate(std::string& token) {
    OM_uint32 minor = 0;
    gss_buffer_desc in = buffer_of(token);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major =
        gss_init_sec_context(&minor, initiator_.credential, &initiator_.context, target_, mech_,
                             GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG, 0, GSS_C_NO_CHANNEL_BINDINGS, &in,
                             nullptr, &out, nullptr, nullptr);
    return finish_leg(initiator_, "initiator", major, minor, out, token);
  }

  bool accept(std::string& token) {
    OM_uint32 minor = 0;
    gss_buffer_desc in = buffer_of(token);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major = gss_accept_sec_context(&minor, &acceptor_.context, acceptor_.credential,
                                                   &in, GSS_C_NO_CHANNEL_BINDINGS, nullptr, nullptr,
                                                   &out, nullptr, nullptr, nullptr);
    return finish_leg(acceptor_, "acceptor", major, minor, out, token);
  }

  bool finish_leg(Side& side, const char* role, OM_uint32 major, OM_uint32 minor,
                  gss_buffer_desc& out, std::string& token) {
    token = take(out);
    if (GSS_ERROR(major)) {
      outcome_.problem = what_failed(role, major, minor);
      return false;
    }
    side.done = major == GSS_S_COMPLETE;
    look_at(token, &side == &acceptor_);
    return true;
  }

  void look_at(const std::string& token, bool from_acceptor) {
    ByteView message = bytes_of(token);
    if (spnego_) {
      const std::optional<SpnegoToken> negotiation = read_token(message);
      if (!negotiation) {
        return;
      }
      outcome_.mech_list_mic = outcome_.mech_list_mic || (from_acceptor && negotiation->mic);
      message = negotiation->token.value_or(ByteView());
    }
    const Result<AuthenticateMessage> authenticate = decode_authenticate(message);
    if (authenticate) {
      outcome_.has_mic = authenticate->mic_at.has_value();
    }
  }

  static ByteView bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  gss_OID mech_;
  bool spnego_;
  gss_name_t target_ = GSS_C_NO_NAME;
  Side initiator_;
  Side acceptor_;
  LoginOutcome outcome_;
};

// Keys about which accounts may log in and which sources are used. They do not apply to doctor's
// login of its own account.
bool is_left_out(const SettingKey& key) {
  return key.list || key.section == "accounts" || key.section == "audit" ||
         key.name == "target_check" || key.name == "audit_only" || key.name == "refuse_reflection";
}

std::string settings_text(const Settings& settings, std::optional<std::string_view> spnego_mic) {
  Settings given;
  given.policy = settings.policy;
  given.spnego_mic = settings.spnego_mic;
  given.names = settings.given_names;
  given.trace_file = settings.trace_file;
  given.trace_level = settings.trace_level;
  const Settings defaults;
  std::string text;
  std::string_view section;
  for (const SettingKey& key : setting_keys()) {
    std::string value = key.get(given);
    if (key.name == "spnego_mic" && spnego_mic) {
      value = *spnego_mic;
    }
    if (is_left_out(key) || value == key.get(defaults)) {
      continue;
    }
    if (section != key.section) {
      section = key.section;
      text.append("[").append(section).append("]\n");
    }
    text.append(key.name).append(" = ").append(value).append("\n");
  }
  return text;
}

std::optional<std::string> settings_file() {
  const char* path = std::getenv(kVariable);
  return path != nullptr ? std::optional<std::string>(path) : std::nullopt;
}

std::string random_text() {
  std::array<std::uint8_t, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return {};
  }
  return hex_text(bytes);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  const char* top = ::secure_getenv("TMPDIR");
  path_ = std::string(top != nullptr && *top == '/' ? top : "/tmp") + "/gss-ntlm.XXXXXX";
  const Result<TrustedPlace> place = resolve_trusted_place(path_, PlaceUse::kRead);
  if (!place) {
    problem_ = last_detail(static_cast<std::uint32_t>(place.error().minor));
    problem_.append("; or set TMPDIR to a directory of your own");
  } else if (::mkdtemp(path_.data()) == nullptr) {
    problem_ = path_ + ": " + std::strerror(errno);
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!problem_.empty()) {
    return;
  }
  // There may be no memory and no descriptor left.
  for (const char* name : kFiles) {
    char file[PATH_MAX];
    std::snprintf(file, sizeof file, "%s/%s", path_.c_str(), name);
    ::unlink(file);
  }
  ::rmdir(path_.c_str());
}

SelfLogin::SelfLogin()
    : settings_before_(settings_file()), problem_(directory_.problem()), password_(random_text()) {
  if (problem_.empty() &&
      (password_.empty() || !write("users", "DOCTOR:doctor:" + password_ + "\n"))) {
    problem_ = directory_.path() + ": " + std::strerror(errno);
  }
}

SelfLogin::~SelfLogin() {
  if (settings_before_) {
    ::setenv(kVariable, settings_before_->c_str(), 1);
  } else {
    ::unsetenv(kVariable);
  }
}

bool SelfLogin::write(const std::string& name, const std::string& text) {
  const std::string path = directory_.path() + "/" + name;
  ::unlink(path.c_str());
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return file.get() >= 0 && write_all(file.get(), as_bytes(text));
}

bool SelfLogin::write_settings(std::optional<std::string_view> spnego_mic) {
  if (settings_before_) {
    ::setenv(kVariable, settings_before_->c_str(), 1);
  } else {
    ::unsetenv(kVariable);
  }
  const Result<Ref<const Settings>> settings = load_settings();
  return settings && write("settings", settings_text(**settings, spnego_mic)) &&
         ::setenv(kVariable, (directory_.path() + "/settings").c_str(), 1) == 0;
}

std::string SelfLogin::try_token(std::string_view token) {
  Exchange exchange(true);
  return exchange.acquire(password_, directory_.path() + "/users") ? exchange.reply_with(token)
                                                                   : exchange.outcome().problem;
}

std::optional<std::string> SelfLogin::answer_to(std::string_view token) {
  if (!problem_.empty() || !write_settings(std::nullopt)) {
    return problem_;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::string("pipe: ") + std::strerror(errno);
  }
  const Descriptor from(ends[0]);
  std::optional<Descriptor> to(std::in_place, ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
    const std::string answer = try_token(token);
    (void)write_all(to->get(), as_bytes(answer));
    ::_exit(0);
  }
  to.reset();
  std::string answer;
  std::array<char, 512> part{};
  for (ssize_t size = 0; (size = ::read(from.get(), part.data(), part.size())) > 0;) {
    answer.append(part.data(), static_cast<std::size_t>(size));
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    return std::string("fork: ") + std::strerror(errno);
  }
  return WIFSIGNALED(status) ? std::nullopt : std::optional(answer);
}

LoginOutcome SelfLogin::run(bool spnego, std::optional<std::string_view> spnego_mic) {
  if (!problem_.empty() || !write_settings(spnego_mic)) {
    LoginOutcome none;
    none.problem =
        problem_.empty() ? "no settings can be written to " + directory_.path() : problem_;
    return none;
  }
  Exchange exchange(spnego);
  if (exchange.acquire(password_, directory_.path() + "/users") && exchange.establish()) {
    exchange.protect();
  }
  return exchange.outcome();
}

}  // namespace gssntlm::tools
