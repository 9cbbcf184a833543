#include "test/hostile/soak_cast.h"

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "include/gssapi/gssapi_ntlm.h"

namespace gssntlm::test {
namespace {

struct User {
  const char* name;
  const char* password;
};
constexpr std::array<User, 3> kUsers = {{{"CORP\\alice", "Passw0rd-alice"},
                                         {"CORP\\bob", "b:o:b"},
                                         {"OTHER\\j\xc3\xbcrgen", "p\xc3\xa4sswort \xe2\x82\xac"}}};
constexpr const char* kUsersFile =
    "CORP:alice:Passw0rd-alice\n"
    "CORP:bob:b:o:b\n"
    "OTHER:j\xc3\xbcrgen:p\xc3\xa4sswort \xe2\x82\xac\n";

gss_OID_desc kNoCiFlags = {6, const_cast<char*>("\x2a\x85\x70\x2b\x0d\x1d")};

void need(bool truth, const char* what) {
  if (!truth) {
    throw std::runtime_error(what);
  }
}

// Into a token and out of it again.
void export_and_import(CredHandle& cred) {
  OM_uint32 minor = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  need(gss_export_cred(&minor, cred.get(), &token) == GSS_S_COMPLETE, "gss_export_cred");
  const OM_uint32 major = gss_import_cred(&minor, &token, cred.out());
  OM_uint32 ignored = 0;
  gss_release_buffer(&ignored, &token);
  need(major == GSS_S_COMPLETE, "gss_import_cred");
}

// SPNEGO would look for Kerberos first.
void offer_ntlm_alone(const CredHandle& cred, gss_OID mech) {
  OM_uint32 minor = 0;
  gss_OID_set_desc ntlm = {1, &kNtlm};
  need(mech == &kNtlm || gss_set_neg_mechs(&minor, cred.get(), &ntlm) == GSS_S_COMPLETE,
       "gss_set_neg_mechs");
}

}  // namespace

std::string Draw::bytes(std::size_t size) {
  std::string out(size, '\0');
  for (char& c : out) {
    c = static_cast<char>(below(256));
  }
  return out;
}

std::string Draw::message() {
  if (one_in(20)) {
    return {};
  }
  if (one_in(50)) {
    // Past what one machine word, one page or the longest name takes.
    return std::string(4096 + below(70000), static_cast<char>(below(256)));
  }
  return bytes(1 + below(300));
}

bool Script::is_welcome() const {
  if (secret != Secret::kRight && !anonymous) {
    return false;
  }
  if ((anonymous || old_response()) && !lenient) {
    return false;
  }
  if (binding == Binding::kDifferent) {
    return false;
  }
  // Old responses carry no bindings, and so go with none.
  return !old_response() || binding == Binding::kNone;
}

std::string Script::who() const {
  return anonymous ? "ANONYMOUS LOGON" : kUsers[user].name;
}

std::string Script::text() const {
  static constexpr std::array<const char*, 3> kWays = {"raw", "SPNEGO", "connectionless"};
  return std::string(kWays[static_cast<std::size_t>(way)]) + ", flags " + std::to_string(flags) +
         ", level " + std::to_string(level) + (lenient ? ", lenient acceptor" : "") +
         (anonymous ? ", anonymous" : "") + (unprotected ? ", unprotected" : "") +
         (fresh ? ", fresh credentials" : "") + ", secret " +
         std::to_string(static_cast<int>(secret)) + ", bindings " +
         std::to_string(static_cast<int>(binding)) + ", user " + std::to_string(user);
}

Script draw_script(Draw& draw) {
  static constexpr std::array<OM_uint32, 4> kFlags = {
      GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG,
      GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG, GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG,
      GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG | GSS_C_IDENTIFY_FLAG};
  Script s;
  s.way = static_cast<Way>(draw.below(3));
  s.flags = kFlags[draw.below(kFlags.size())];
  s.user = draw.below(kUsers.size());
  s.fresh = draw.one_in(16);
  s.lenient = draw.one_in(3);
  if (draw.one_in(20)) {
    s.secret = draw.one_in(2) ? Secret::kWrong : Secret::kNoSuchUser;
  }
  if (s.way == Way::kConnectionless) {
    // Without extended session security, at level 0, these are not sealed [MS-NLMP] 3.4.3.
    s.flags |= GSS_NTLM_DATAGRAM_FLAG;
    s.level = draw.one_in(5) ? static_cast<int>(1 + draw.below(5)) : 3;
  } else {
    s.level = draw.one_in(5) ? static_cast<int>(draw.below(6)) : 3;
    s.anonymous = draw.one_in(25);
    s.unprotected = !s.anonymous && draw.one_in(25);
  }
  if (s.anonymous) {
    s.flags = GSS_C_ANON_FLAG;
  } else {
    s.binding = draw.one_in(3) ? static_cast<Binding>(draw.below(5)) : Binding::kNone;
  }
  if (s.unprotected) {
    s.flags = 0;
  }
  return s;
}

Cast::Cast() : workshop_(kUsersFile) {
  static constexpr const char* kStrict =
      "[accounts]\ninitiator = users_file\n"
      "[policy]\nallow_connectionless = yes\nrefuse_reflection = no\n";
  workshop_.write("strict", kStrict);
  workshop_.write("lenient", std::string(kStrict) +
                                 "require_ess = no\nmin_key_bits = 40\nallow_anonymous = yes\n");
  // All of them now: what is made later would look like a leak.
  Script s;
  for (const Way way : {Way::kRaw, Way::kNegotiated}) {
    s.way = way;
    for (const bool yes : {false, true}) {
      s.lenient = yes;
      s.unprotected = yes;
      acceptor(s);
      for (s.level = 0; s.level < 6; ++s.level) {
        for (s.user = 0; s.user < kUsers.size(); ++s.user) {
          for (const Secret secret : {Secret::kRight, Secret::kWrong, Secret::kNoSuchUser}) {
            s.secret = secret;
            initiator(s);
          }
        }
      }
    }
  }
}

void Cast::move_in(House house, int level) const {
  const bool lenient = house == House::kLenient;
  ::setenv("GSS_NTLM_SETTINGS", workshop_.path(lenient ? "lenient" : "strict").c_str(), 1);
  if (level < 0) {
    ::unsetenv("LM_COMPAT_LEVEL");
  } else {
    ::setenv("LM_COMPAT_LEVEL", std::to_string(level).c_str(), 1);
  }
}

void Cast::negotiate_flags_for_session(const Script& script) const {
  move_in(script.level < 3 ? House::kLenient : House::kStrict, -1);
}

void Cast::login(const Script& script, CredHandle& cred) const {
  move_in(script.level < 3 ? House::kLenient : House::kStrict, script.level);
  const User& user = kUsers[script.user];
  const std::string name = script.secret == Secret::kNoSuchUser ? "CORP\\mallory" : user.name;
  const std::string password = script.secret == Secret::kRight ? user.password : "a guess";
  need(acquire_password(name, password, script.mech(), cred).ok(), "no login");
  if (script.fresh) {
    export_and_import(cred);
  }
  offer_ntlm_alone(cred, script.mech());
  if (script.unprotected) {
    gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    need(gss_set_cred_option(&minor, cred.handle(), &kNoCiFlags, &empty) == GSS_S_COMPLETE,
         "NO_CI_FLAGS");
  }
}

void Cast::accounts(const Script& script, CredHandle& cred) const {
  move_in(script.lenient ? House::kLenient : House::kStrict, script.lenient ? 0 : -1);
  need(acquire(GSS_C_ACCEPT, script.mech(), cred).ok(), "no accounts");
  offer_ntlm_alone(cred, script.mech());
}

CredHandle& Cast::initiator(const Script& s) {
  CredHandle& cred =
      initiators_[Key(s.way == Way::kNegotiated, s.level, s.secret, s.user, s.unprotected)];
  if (cred.get() == GSS_C_NO_CREDENTIAL) {
    login(s, cred);
  }
  return cred;
}

CredHandle& Cast::acceptor(const Script& s) {
  CredHandle& cred = acceptors_[{s.way == Way::kNegotiated, s.lenient}];
  if (cred.get() == GSS_C_NO_CREDENTIAL) {
    accounts(s, cred);
  }
  return cred;
}

void Cast::play(const Script& script, Exchange& x) {
  if (script.fresh) {
    login(script, fresh_initiator_);
    accounts(script, fresh_acceptor_);
  }
  x.mech = script.mech();
  x.flags = script.flags;
  x.initiator_cred = (script.fresh ? fresh_initiator_ : initiator(script)).get();
  x.acceptor_cred = (script.fresh ? fresh_acceptor_ : acceptor(script)).get();
  const Binding b = script.binding;
  if (b == Binding::kSame || b == Binding::kClientOnly || b == Binding::kDifferent) {
    x.initiator_bindings = "tls-server-end-point:one";
  }
  if (b == Binding::kSame || b == Binding::kServerOnly) {
    x.acceptor_bindings = "tls-server-end-point:one";
  } else if (b == Binding::kDifferent) {
    x.acceptor_bindings = "tls-server-end-point:two";
  }
}

}  // namespace gssntlm::test
