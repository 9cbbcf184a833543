#include "mech/log/audit.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <filesystem>

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "mech/base/text.h"
#include "mech/log/describe.h"
#include "mech/log/process_runtime.h"
#include "mech/wire/authenticate.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace gssntlm;

namespace {

Ref<const Settings> tracing_to(const std::string& path, unsigned level) {
  auto* s = new Settings;
  s->trace_file = path;
  s->trace_level = level;
  return Ref<const Settings>::adopt(s);
}

// AUTHENTICATE of a user whose name would break a log that does not escape.
Buffer nasty_authenticate() {
  Result<Bytes> user = utf16le_from_utf8("a\"\nAUDIT ok\\");
  Result<Bytes> domain = utf16le_from_utf8("DOM");
  const Bytes response(24, 0x5A);
  AuthenticateFields fields;
  fields.flags = flag::kUnicode | flag::kNtlm;
  fields.user = *user;
  fields.domain = *domain;
  fields.nt_response = response;
  Result<Buffer> token = encode_authenticate(fields);
  REQUIRE(token.ok());
  return std::move(*token);
}

void* convert_times(void* stop) {
  for (time_t t = 0; !*static_cast<const std::atomic<bool>*>(stop); ++t) {
    tm utc;
    ::gmtime_r(&t, &utc);
  }
  return nullptr;
}

}  // namespace

TEST_CASE("an audit line is one line of JSON whatever the peer calls itself") {
  const Buffer token = nasty_authenticate();
  AuditRecord record;
  record.authenticate = token.view();
  record.reason = "acceptor: rejected, \"why\"\x01";
  const std::string line =
      audit_line(record, kFiletimeUnixEpoch + 1'700'000'000 * kFiletimePerSecond);
  CHECK(line.find('\n') == std::string::npos);
  const nlohmann::json j = nlohmann::json::parse(line);
  CHECK(j["time"] == "2023-11-14T22:13:20.000000Z");
  CHECK(j["role"] == "acceptor");
  CHECK(j["schema"] == kAuditSchema);
  CHECK(j["pid"] == ::getpid());
  CHECK(j["process"] == std::filesystem::read_symlink("/proc/self/exe").string());
  // As the peer said it: escaped once.
  CHECK(j["user"] == "a\"\nAUDIT ok\\");
  CHECK(line.find(R"("user":"a\"\u000aAUDIT ok\\")") != std::string::npos);
  CHECK(j["domain"] == "DOM");
  CHECK(j["version"] == "NTLMv1");
  CHECK(j["flags"] == "0x00000201");
  CHECK(j["mic"] == false);
  CHECK(j["bindings"] == "none");
  CHECK(j["result"] == "rejected");
  CHECK(j["reason"] == "acceptor: rejected, \"why\"\x01");
}

TEST_CASE("an audit line of an initiator says sent, for its server alone knows the outcome") {
  const Buffer token = nasty_authenticate();
  AuditRecord record;
  record.authenticate = token.view();
  record.accepted = true;
  record.account = "CORP\\alice";
  record.key_bits = 128;
  record.would_reject = {"deny_users has user alice", "target_names lacks \"x\""};
  for (const bool initiator : {false, true}) {
    record.initiator = initiator;
    record.spnego = initiator;
    const std::string line = audit_line(record, 0);
    const nlohmann::json j = nlohmann::json::parse(line);
    CAPTURE(line);
    CHECK(j["result"] == (initiator ? "sent" : "accepted"));
    CHECK(line.find(R"("account":"CORP\\alice")") != std::string::npos);
    CHECK(j["key_bits"] == 128);
    CHECK(j.contains("spnego") == initiator);
    CHECK(j["would_reject"] == record.would_reject);
  }
}

TEST_CASE("an audit line escapes what would not be seen, and cuts names between characters") {
  CHECK(json_text("a\x7f\xe2\x80\xae\xf0\x9f\x98\x80\xc3\xa9") ==
        "\"a\\u007f\\u202e\xf0\x9f\x98\x80\xc3\xa9\"");
  CHECK(json_text("a\xff\n") == "\"a?\\u000a\"");
  AuditRecord record;
  record.initiator = true;
  const std::string target = std::string(255, 'x') + "\xc3\xa9" + "y";
  record.target = target;
  const nlohmann::json j = nlohmann::json::parse(audit_line(record, 0));
  CHECK(j["target"] == std::string(255, 'x') + "...");
}

TEST_CASE("the audit goes on in a new file when the old one was renamed") {
  const ScratchDirectory scratch;
  Settings s;
  s.audit = AuditSink::kFile;
  s.audit_file = scratch.path("audit.log");
  CHECK_FALSE(write_audit(s, AuditRecord()));
  std::filesystem::rename(s.audit_file, scratch.path("audit.log.1"));
  CHECK_FALSE(check_audit(s));
  CHECK_FALSE(write_audit(s, AuditRecord()));
  CHECK_FALSE(write_audit(s, AuditRecord()));
  const auto lines = [&](const char* name) {
    const std::string text = scratch.read(name);
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines("audit.log.1") == 1);
  CHECK(lines("audit.log") == 2);
}

TEST_CASE("an audit line without a message still tells role, target and result") {
  AuditRecord record;
  record.initiator = true;
  record.target = "HTTP@www";
  const nlohmann::json j = nlohmann::json::parse(audit_line(record, 0));
  CHECK(j["target"] == "HTTP@www");
  CHECK(j["result"] == "rejected");
}

TEST_CASE("audit records are appended to the file that settings name") {
  const ScratchDirectory scratch;
  Settings s;
  s.audit_file = scratch.path("audit.log");
  AuditRecord record;
  CHECK_FALSE(write_audit(s, record));
  CHECK(scratch.read("audit.log").empty());
  s.audit = AuditSink::kFile;
  CHECK_FALSE(write_audit(s, record));
  CHECK_FALSE(write_audit(s, record));
  const std::string text = scratch.read("audit.log");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("an audit file that cannot be written is reported, by name and reason") {
  const ScratchDirectory scratch;
  Settings s;
  s.audit = AuditSink::kFile;
  const struct {
    std::string file;
    const char* reason;
  } cases[] = {{scratch.path("missing/audit.log"), "No such file or directory"},
               {scratch.path(""), "Is a directory"},
               {"", "No such file or directory"}};
  for (const auto& c : cases) {
    CAPTURE(c.file);
    s.audit_file = c.file;
    for (const std::optional<std::string>& problem :
         {check_audit(s), write_audit(s, AuditRecord())}) {
      REQUIRE(problem);
      CHECK(problem->find(c.file) != std::string::npos);
      CHECK(problem->find(c.reason) != std::string::npos);
    }
  }
  s.audit_file = "/dev/full";
  CHECK(write_audit(s, AuditRecord()).value_or("").find("No space left") != std::string::npos);
}

TEST_CASE("an audit file is checked without being created") {
  const ScratchDirectory scratch;
  Settings s;
  s.audit = AuditSink::kFile;
  s.audit_file = scratch.path("audit.log");
  CHECK_FALSE(check_audit(s));
  CHECK(::access(s.audit_file.c_str(), F_OK) != 0);
  CHECK_FALSE(write_audit(s, AuditRecord()));
  CHECK_FALSE(check_audit(s));
}

// The C library's conversions hold a lock, and a child has a copy of it as it was at the fork.
TEST_CASE("a child that was forked while another thread converted a time can trace and audit") {
  const ScratchDirectory scratch;
  Settings settings;
  settings.trace_file = scratch.path("trace");
  settings.audit = AuditSink::kFile;
  settings.audit_file = scratch.path("audit");
  std::atomic<bool> stop = false;
  // A std::thread has an object on the heap, which memcheck would find lost in every child.
  pthread_t host;
  REQUIRE(::pthread_create(&host, nullptr, convert_times, &stop) == 0);
  unsigned good = 0;
  constexpr unsigned kForks = 200;
  for (unsigned i = 0; i < kForks && good == i; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      trace_event(settings, "event");
      ::_exit(write_audit(settings, AuditRecord()) ? 1 : 0);
    }
    int status = -1;
    good += ::waitpid(child, &status, 0) == child && status == 0 ? 1 : 0;
  }
  stop = true;
  ::pthread_join(host, nullptr);
  CHECK(good == kForks);
}

TEST_CASE("a trace event is one line with context and role") {
  const ScratchDirectory scratch;
  const Ref<const Settings> settings = tracing_to(scratch.path("trace"), 1);
  const ProcessRuntime first(settings, "acceptor");
  const ProcessRuntime second(settings, "initiator");
  first.trace("accounts: wrong\npassword");
  second.trace("initiator: NEGOTIATE made");
  const Buffer token = nasty_authenticate();
  first.trace_message("received", token.view());
  const std::string text = scratch.read("trace");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find("acceptor: accounts: wrong?password\n") != std::string::npos);
  CHECK(text.find(" initiator: NEGOTIATE made\n") != std::string::npos);
  CHECK(text.find("AUTHENTICATE") == std::string::npos);
}

TEST_CASE("trace level 2 shows messages, names escaped and no response in it") {
  const ScratchDirectory scratch;
  const ProcessRuntime env(tracing_to(scratch.path("trace"), 2), "acceptor");
  const Buffer token = nasty_authenticate();
  env.trace_message("received", token.view());
  const std::string text = scratch.read("trace");
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find("received AUTHENTICATE of") != std::string::npos);
  CHECK(text.find("user \"a\"\\x0aAUDIT ok") != std::string::npos);
  CHECK(text.find("NT response of 24 bytes") != std::string::npos);
  CHECK(text.find("5a5a") == std::string::npos);
  CHECK(text.find("ZZZZ") == std::string::npos);
}

TEST_CASE("a trace that cannot be written harms nothing") {
  const ProcessRuntime env(tracing_to("/nowhere/at/all", 2), "acceptor");
  env.trace("an event");
  CHECK(env.events() == 1);
}

TEST_CASE("the last event is kept for an audit, and only for one") {
  auto* s = new Settings;
  s->audit = AuditSink::kFile;
  const ProcessRuntime env(Ref<const Settings>::adopt(s), "acceptor");
  CHECK(env.tracing());
  env.trace(std::string(1000, 'x'));
  CHECK(env.last_event() == std::string(255, 'x'));
  const ProcessRuntime quiet(Ref<const Settings>::adopt(new Settings), "acceptor");
  CHECK_FALSE(quiet.tracing());
  quiet.trace("an event");
  CHECK(quiet.last_event().empty());
}

TEST_CASE("messages that are malformed are described as such") {
  CHECK(describe_message({}).find("0 bytes") != std::string::npos);
  const Bytes junk(40, 0x41);
  CHECK(describe_message(junk).find("not an NTLM message") != std::string::npos);
}

TEST_CASE("files of trace and audit are created for their owner alone") {
  const ScratchDirectory scratch;
  Settings settings;
  settings.trace_file = scratch.path("trace");
  settings.audit = AuditSink::kFile;
  settings.audit_file = scratch.path("audit");
  const mode_t mask = ::umask(0);
  trace_event(settings, "event");
  CHECK_FALSE(write_audit(settings, AuditRecord()));
  ::umask(mask);
  for (const std::string& path : {settings.trace_file, settings.audit_file}) {
    CAPTURE(path);
    struct stat st;
    REQUIRE(::stat(path.c_str(), &st) == 0);
    CHECK((st.st_mode & 07777) == 0600);
  }
}
