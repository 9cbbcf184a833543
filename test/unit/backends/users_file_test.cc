// A users file on disk: who may own and read it, and what happens while it is in use.
#include "mech/backends/users/users_file.h"

#include <atomic>
#include <iostream>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "mech/os/error_detail.h"
#include "test/support/catch.h"
#include "test/support/handshake.h"
#include "test/support/scratch.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr const char* kEmptyNt = "31D6CFE0D16AE931B73C59D7E0C089C0";
constexpr const char* kEmptyLm = "AAD3B435B51404EEAAD3B435B51404EE";

std::string detail_of(Minor minor) {
  return std::string(last_detail(static_cast<std::uint32_t>(minor)));
}

bool mentions(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// Refused with NO_CRED and `minor`, and a detail that holds the path and `words`.
void check_refused(const std::string& path, Minor minor, const std::string& words) {
  forget_detail();
  const Result<UsersFile*> file = UsersFile::open(path);
  CAPTURE(path, words);
  REQUIRE_FALSE(file);
  CHECK(file.error().major == Major::kNoCred);
  CHECK(file.error().minor == minor);
  const std::string detail = detail_of(minor);
  CAPTURE(detail);
  CHECK(mentions(detail, path));
  CHECK(mentions(detail, words));
  CHECK_FALSE(load_users_table(path));
}

// The verdict of an acceptor that asks `file` about a client of `account`.
Result<AcceptedLogon> log_in(const UsersFile& file, const Account& account,
                             FixedEnvironment* env = nullptr) {
  Scene scene;
  Answer answer = scene.answer();
  answer.account = account;
  const Sent sent = scene.encode(answer);
  return scene.acceptor.authenticate(sent.token, nullptr, file, env != nullptr ? *env : scene.env);
}

// What `file` says of a client that sent no response.
Verdict verdict_of(const UsersFile& file, const char* user, const char* domain) {
  const FixedEnvironment env;
  const Bytes wide_user = wide(user);
  const Bytes wide_domain = wide(domain);
  LogonRequest request;
  request.user = wide_user;
  request.domain = wide_domain;
  Verdict verdict{};
  CHECK_FALSE(file.logon(request, {}, env, verdict));
  return verdict;
}

UsersFile* opened(const std::string& path) {
  const Result<UsersFile*> file = UsersFile::open(path);
  REQUIRE(file);
  return *file;
}

TEST_CASE("users file: accounts of both forms log in", "[users]") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write(
      "users",
      "# accounts\r\nDOMAIN:clear:Pass:word\r\n\r\n"
      "DOMAIN\\hashed:1:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A4F49C406510BDCAB6824EE7C30FD852:[U]:\r\n"
      ":upn@realm.example:Password");
  const UsersFile& file = *opened(path);
  const Result<AcceptedLogon> clear = log_in(file, {"CLEAR", "domain", "Pass:word"});
  REQUIRE(clear);
  CHECK(narrow(clear->user) == "clear");
  CHECK(narrow(clear->domain) == "DOMAIN");
  CHECK(log_in(file, {"hashed", "DOMAIN", "Password"}));
  CHECK(log_in(file, {"upn@realm.example", "", "Password"}));
}

TEST_CASE("users file: a UPN logs in whole and split, and travels whole where one says so",
          "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file =
      *opened(scratch.write("users", ":upn@realm:1\nREALM:parts:2\nany:3:" + std::string(32, 'X') +
                                         ":A4F49C406510BDCAB6824EE7C30FD852:[U]:\n.:here:4\n"));
  struct Row {
    Account sent;
    const char* account;  // as its entry has it
  };
  for (const Row& row :
       {Row{{"upn@realm", "", "1"}, "upn@realm"}, Row{{"upn", "realm", "1"}, "upn@realm"},
        Row{{"parts@realm", "", "2"}, "parts"}, Row{{"parts", "REALM", "2"}, "parts"},
        Row{{"any@realm", "", "Password"}, "any"}, Row{{"here", ".", "4"}, "here"},
        Row{{"parts", ".", "2"}, "parts"}}) {
    CAPTURE(row.sent.user, row.sent.domain);
    const Result<AcceptedLogon> logon = log_in(file, row.sent);
    REQUIRE(logon);
    CHECK(narrow(logon->user) == row.account);
    CHECK_FALSE(log_in(file, {row.sent.user, row.sent.domain, "wrong"}));
  }
  const auto sends = [&](const char* user, const char* domain, const char* sent_user,
                         const char* sent_domain) {
    CAPTURE(user, domain);
    const Result<Ref<const Identity>> identity = file.identity(wide(user), wide(domain));
    REQUIRE(identity);
    CHECK(narrow((*identity)->user()) == sent_user);
    CHECK(narrow((*identity)->domain()) == sent_domain);
  };
  sends("upn@realm", "", "upn@realm", "");
  sends("upn", "realm", "upn@realm", "");
  sends("parts@realm", "", "parts@realm", "");
  sends("parts", "realm", "parts", "REALM");
  sends("any@realm", "", "any@realm", "");
  sends("any", "realm", "any", "realm");
  sends("here", "", "here", "");
}

TEST_CASE("users file: wrong, unknown, disabled and hashless are one refusal", "[users]") {
  const ScratchDirectory scratch;
  const std::string none(32, 'X');
  const std::string nt = "A4F49C406510BDCAB6824EE7C30FD852";
  const std::string path = scratch.write(
      "users", "DOMAIN:user:Password\noff:1:" + none + ":" + nt + ":[D]:\nfree:1:" + none + ":" +
                   nt + ":[N]:\nbare:1:" + none + ":" + none + ":[U]:\n");
  const UsersFile& file = *opened(path);
  REQUIRE(log_in(file, {"user", "DOMAIN", "Password"}));
  struct Row {
    Account account;
    const char* traced;
  };
  for (const Row& row :
       {Row{{"user", "DOMAIN", "password"}, "wrong password"},
        Row{{"user", "OTHER", "Password"}, "no such user"},
        Row{{"stranger", "DOMAIN", "Password"}, "no such user"},
        Row{{"stranger", "DOMAIN", ""}, "no such user"}, Row{{"off", "", "Password"}, "disabled"},
        Row{{"free", "", "Password"}, "disabled"}, Row{{"bare", "", "Password"}, "no hash"},
        Row{{"bare", "", ""}, "no hash"}}) {
    FixedEnvironment env;
    const Result<AcceptedLogon> refused = log_in(file, row.account, &env);
    CAPTURE(row.account.user, row.account.password);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().major == Major::kFailure);
    CHECK(refused.error().minor == Minor::kLogonFailure);
    CHECK(env.traced(row.traced));
  }
}

// The attributes of a logon, as "name=value,".
std::string attributes_of(const AcceptedLogon& logon) {
  std::string all;
  for (const LogonAttribute& a : logon.attributes) {
    all += a.name + "=" + a.value + ",";
  }
  return all;
}

TEST_CASE("users file: each password of an account logs in, and which one is told", "[users]") {
  const ScratchDirectory scratch;
  const std::string hashed = ":1:" + std::string(32, 'X') + ":A4F49C406510BDCAB6824EE7C30FD852:";
  const UsersFile& file = *opened(scratch.write(
      "users", "CORP:both:new\nCORP:one:1\nCORP:BOTH:old\nCORP\\both" + hashed +
                   "[DU]:\nCORP:both:oldest\nCORP\\off" + hashed +
                   "[DU]:\nCORP:off:old\nCORP:blank:\nCORP:blank:old\nOTHER:both:theirs\n"));
  struct Row {
    const char* user;
    const char* password;
    const char* entry;  // nullptr: rejected; "": the only one
  };
  for (const Row& row :
       {Row{"both", "new", "1"}, Row{"both", "old", "2"}, Row{"Both", "oldest", "4"},
        Row{"both", "Password", nullptr}, Row{"both", "theirs", nullptr}, Row{"both", "", nullptr},
        Row{"one", "1", ""}, Row{"one", "old", nullptr}, Row{"off", "old", nullptr},
        Row{"off", "Password", nullptr}, Row{"blank", "old", nullptr},
        Row{"unknown", "old", nullptr}}) {
    CAPTURE(row.user, row.password);
    FixedEnvironment env;
    const Result<AcceptedLogon> logon = log_in(file, {row.user, "CORP", row.password}, &env);
    REQUIRE(logon.ok() == (row.entry != nullptr));
    if (!logon) {
      CHECK(logon.error().minor == Minor::kLogonFailure);
      continue;
    }
    const std::string entry = row.entry;
    CHECK(attributes_of(*logon) ==
          (entry.empty() ? "" : "urn:gss-ntlm:users-file-entry=" + entry + ","));
    CHECK(env.traced("the password of entry " + entry) == !entry.empty());
    // The account's own spelling is that of its first entry.
    CHECK(narrow(logon->user) == (entry.empty() ? "one" : "both"));
  }
}

TEST_CASE("users file: an initiator has the first password of an account", "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file = *opened(scratch.write("users", "CORP:both:new\nCORP:both:old\n"));
  for (const char* user : {"", "both"}) {
    CAPTURE(user);
    const Result<Ref<const Identity>> identity = file.identity(wide(user), {});
    REQUIRE(identity);
    CHECK(narrow((*identity)->user()) == "both");
    CHECK(same_bytes((*identity)->nt_hash().view(), derive_nt_hash(wide("new")).view()));
  }
}

TEST_CASE("users file: a fifth entry of an account is named with its line", "[users]") {
  const ScratchDirectory scratch;
  const std::string four = "D:u:1\nD:u:2\n# D:u:x\nD:U:3\nd:u:4\n";
  check_refused(scratch.write("five", four + "E:u:1\nD:u:5\n"), Minor::kUsersFileLine, "line 7");
  CHECK(UsersFile::open(scratch.write("four", four + "E:u:1\n")));
}

TEST_CASE("users file: an empty password logs in where a setting says so only", "[users]") {
  const ScratchDirectory scratch;
  const std::string none(32, 'X');
  const UsersFile& file = *opened(scratch.write(
      "users", "CORP:svc:\r\nCORP\\hash:1:" + none + ":" + kEmptyNt +
                   ":[U]:\nCORP\\both:1:" + kEmptyLm + ":" + kEmptyNt + ":[U]:\nguest:1:" + none +
                   ":" + kEmptyNt + ":[U]:\nCORP\\off:1:" + none + ":" + kEmptyNt + ":[DU]:\n"));
  for (const bool allowed : {false, true}) {
    for (const char* user : {"svc", "hash", "both", "guest", "off"}) {
      CAPTURE(allowed, user);
      Policy policy;
      policy.allow_empty_passwords = allowed;
      Scene scene(policy);
      Answer answer = scene.answer();
      answer.account = {user, "CORP", ""};
      const Result<AcceptedLogon> logon =
          scene.acceptor.authenticate(scene.encode(answer).token, nullptr, file, scene.env);
      const bool usable = allowed && std::string(user) != "off";
      REQUIRE(logon.ok() == usable);
      if (!usable) {
        CHECK(logon.error().major == Major::kFailure);
        CHECK(logon.error().minor == Minor::kLogonFailure);
        CHECK(scene.env.traced(std::string(user) == "off" ? "disabled" : "allow_empty_passwords"));
      }
    }
  }
}

TEST_CASE("users file: an unknown user does not log in with the stand-in hash", "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file = *opened(scratch.write("users", "DOMAIN:user:Password\n"));
  Scene scene;
  const Bytes user = wide("stranger");
  Answer answer = scene.answer();
  answer.account = {"stranger", "DOMAIN", ""};
  // What a client makes whose NT hash is sixteen zeros.
  Sent sent = scene.encode(answer);
  const ResponseKey key = derive_response_key(NtHash(), user, wide("DOMAIN"));
  const std::size_t nt_size = load_le16(&sent.token[20]);
  const V2Proof proof = compute_v2_proof(
      key, *reinterpret_cast<const Nonce*>(&scene.challenge[24]),
      ByteView(sent.token).subspan(sent.nt_at + kNtProofSize, nt_size - kNtProofSize));
  std::copy(proof.nt_proof.begin(), proof.nt_proof.end(),
            sent.token.begin() + static_cast<std::ptrdiff_t>(sent.nt_at));
  const Result<AcceptedLogon> refused =
      scene.acceptor.authenticate(sent.token, nullptr, file, scene.env);
  REQUIRE_FALSE(refused);
  CHECK(scene.env.traced("no such user"));
}

TEST_CASE("users file: a bad line is named with its file and number", "[users]") {
  const ScratchDirectory scratch;
  const std::string good = "DOMAIN:user:Password\n";
  check_refused(scratch.write("first", "nonsense\n" + good), Minor::kUsersFileLine, "line 1");
  check_refused(scratch.write("third", good + "# comment\nDOMAIN:user\n" + good),
                Minor::kUsersFileLine, "line 3");
  check_refused(scratch.write("last", good + good + "DOMAIN::x"), Minor::kUsersFileLine, "line 3");
  check_refused(scratch.write("utf8", good + "DOMAIN:\xff:x\n"), Minor::kUsersFileLine, "line 2");
  check_refused(scratch.write("nul", good + std::string("DOM\0AIN:user:x\n", 15)),
                Minor::kUsersFileLine, "line 2");
  check_refused(scratch.write("long", good + "DOMAIN:user:" + std::string(300'000, 'x') + "\n"),
                Minor::kUsersFileLine, "line 2");
  check_refused(scratch.write("endless", good + std::string(1'000'000, 'x')), Minor::kUsersFileLine,
                "line 2");
}

TEST_CASE("users file: lines are whole wherever a read ends", "[users]") {
  const ScratchDirectory scratch;
  std::string text;
  for (int i = 0; i < 50'000; ++i) {  // more than four reads
    text += "DOMAIN:user" + std::to_string(i) + ":Password\n";
  }
  REQUIRE(text.size() > 4 * (std::size_t{256} << 10));
  const auto table = load_users_table(scratch.write("users", text));
  REQUIRE(table);
  CHECK((*table)->size() == 50'000);
  CHECK((*table)->find(wide("user49999"), {}));
}

TEST_CASE("users file: one that others may read or change is refused", "[users]") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "DOMAIN:user:Password\n");
  // What a file of root may show to its group is in users_access_test.cc.
  for (const mode_t mode : {0644u, 0604u, 0660u, 0620u, 0602u, 0610u, 0601u, 0777u}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    char text[8];
    std::snprintf(text, sizeof text, "%04o", mode);
    check_refused(path, Minor::kUsersFileMode, text);
    check_refused(path, Minor::kUsersFileMode, "chmod 6");
  }
  for (const mode_t mode : {0600u, 0400u, 0700u}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    CHECK(UsersFile::open(path));
  }
}

TEST_CASE("users file: a foreign owner is refused", "[users]") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "DOMAIN:user:Password\n");
  if (::chown(path.c_str(), 12345, static_cast<gid_t>(-1)) != 0) {
    std::cout << "users file: foreign owner skipped: only root can make one\n";
    return;
  }
  check_refused(path, Minor::kUsersFileMode, "12345");
  check_refused(path, Minor::kUsersFileMode, "run this as that user");
}

TEST_CASE("users file: a link to a good file is followed, to a bad one refused", "[users]") {
  const ScratchDirectory scratch;
  const std::string target = scratch.write("target", "DOMAIN:user:Password\n");
  const std::string link = scratch.path("link");
  REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
  CHECK(UsersFile::open(link));
  REQUIRE(::chmod(target.c_str(), 0644) == 0);
  check_refused(link, Minor::kUsersFileMode, "0644");
  const std::string nowhere = scratch.path("nowhere");
  REQUIRE(::symlink("/nonexistent/users", nowhere.c_str()) == 0);
  check_refused(nowhere, Minor::kUsersFileOpen, "No such file");
}

TEST_CASE("users file: what is no file is refused at once", "[users]") {
  const ScratchDirectory scratch;
  const std::string fifo = scratch.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  check_refused(fifo, Minor::kUsersFileMode, "regular file");
  const std::string directory = scratch.path("directory");
  REQUIRE(::mkdir(directory.c_str(), 0700) == 0);
  check_refused(directory, Minor::kUsersFileMode, "regular file");
  check_refused("/dev/null", Minor::kUsersFileMode, "regular file");
  check_refused(scratch.path("absent"), Minor::kUsersFileOpen, "No such file");
  check_refused(scratch.path("absent/users"), Minor::kUsersFileOpen, "No such file");
}

TEST_CASE("users file: an empty one holds no accounts", "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file = *opened(scratch.write("users", ""));
  const Result<Ref<const Identity>> identity = file.identity({}, {});
  REQUIRE_FALSE(identity);
  CHECK(identity.error().major == Major::kNoCred);
  CHECK(identity.error().minor == Minor::kNoInitiatorCred);
  CHECK_FALSE(log_in(file, {}));
}

TEST_CASE("users file: an initiator gets the account it asked for, or the only one", "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file =
      *opened(scratch.write("users", "ONE:first:1\nTWO:second:2\n:anywhere:3\n"));
  const auto name = [&](const char* user, const char* domain) {
    const Result<Ref<const Identity>> identity = file.identity(wide(user), wide(domain));
    return identity ? narrow((*identity)->domain()) + "\\" + narrow((*identity)->user())
                    : std::string("stranger");
  };
  CHECK(name("", "") == "stranger");
  const std::string why = detail_of(Minor::kNoInitiatorCred);
  CAPTURE(why);
  CHECK(mentions(why, "3 accounts and none is selected"));
  CHECK(mentions(why, "NTLMUSER"));
  CHECK(mentions(why, "initiator_users_file"));
  CHECK(name("FIRST", "") == "ONE\\first");
  CHECK(name("SECOND", "") == "TWO\\second");
  CHECK(name("second", "one") == "stranger");
  CHECK(name("anywhere", "OWN") == "OWN\\anywhere");
  CHECK(name("third", "") == "stranger");
  CHECK(mentions(detail_of(Minor::kNoInitiatorCred), "third"));
}

TEST_CASE("users file: an initiator follows the file, without keeping it", "[users]") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "ONE:first:1\n");
  const UsersFile* file = UsersFile::at(path);
  const auto first = file->identity({}, {});
  REQUIRE(first);
  // The same entry serves again.
  CHECK(file->identity({}, {})->get() == first->get());
  scratch.write("users", "TWO:second:22\n");
  const auto second = file->identity({}, {});
  REQUIRE(second);
  CHECK(narrow((*second)->user()) == "second");
  scratch.write("users", "TWO:second:22\nTWO:third:3\n");
  CHECK_FALSE(file->identity({}, {}));
  CHECK_FALSE(file->identity({}, {}));
  CHECK(mentions(detail_of(Minor::kNoInitiatorCred), "2 accounts"));
  scratch.write("users", "TWO:second:22\nnonsense\n");
  CHECK_FALSE(file->identity(wide("second"), {}));
  CHECK(mentions(detail_of(Minor::kUsersFileLine), "line 2"));
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK_FALSE(file->identity(wide("second"), {}));
  CHECK(mentions(detail_of(Minor::kUsersFileOpen), "No such file"));
  // An acceptor of the same process needs all of them.
  scratch.write("users", "TWO:second:22\nTWO:third:3\n");
  REQUIRE(file->identity(wide("second"), {}));
  CHECK(log_in(*opened(path), {"third", "TWO", "3"}));
  CHECK(file->identity(wide("third"), {}));
}

// Puts a new file in the place of the old one, as an editor does.
void replace(const ScratchDirectory& scratch, const std::string& text) {
  const std::string fresh = scratch.write("fresh", text);
  REQUIRE(::rename(fresh.c_str(), scratch.path("users").c_str()) == 0);
}

TEST_CASE("users file: a new one counts at once, a bad one not at all", "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file = *opened(scratch.write("users", "DOMAIN:User:one\n"));
  CHECK(log_in(file, {"User", "DOMAIN", "one"}));
  replace(scratch, "DOMAIN:User:two\n");
  CHECK_FALSE(log_in(file, {"User", "DOMAIN", "one"}));
  CHECK(log_in(file, {"User", "DOMAIN", "two"}));

  replace(scratch, "DOMAIN:User:three\nnonsense\n");
  FixedEnvironment env;
  CHECK(log_in(file, {"User", "DOMAIN", "two"}, &env));
  CHECK(env.traced("line 2"));
  CHECK(env.traced("(users_file_grace)"));
  CHECK_FALSE(log_in(file, {"User", "DOMAIN", "three"}));

  replace(scratch, "DOMAIN:User:four\n");
  REQUIRE(::chmod(scratch.path("users").c_str(), 0644) == 0);
  CHECK(log_in(file, {"User", "DOMAIN", "two"}));
  CHECK_FALSE(log_in(file, {"User", "DOMAIN", "four"}));
  REQUIRE(::chmod(scratch.path("users").c_str(), 0600) == 0);
  CHECK(log_in(file, {"User", "DOMAIN", "four"}));

  REQUIRE(::unlink(scratch.path("users").c_str()) == 0);
  FixedEnvironment gone;
  CHECK_FALSE(log_in(file, {"User", "DOMAIN", "four"}, &gone));
  CHECK(gone.traced("it holds no account"));
  CHECK(verdict_of(file, "User", "DOMAIN") == Verdict::kUnknown);
  CHECK_FALSE(UsersFile::open(scratch.path("users")));
  replace(scratch, "DOMAIN:User:five\n");
  CHECK(log_in(file, {"User", "DOMAIN", "five"}));
}

TEST_CASE("users file: a bad one leaves the last good content valid for a bounded time",
          "[users]") {
  const ScratchDirectory scratch;
  const Account account{"User", "DOMAIN", "one"};
  const std::string path = scratch.write("users", "DOMAIN:User:one\n");
  for (const std::uint64_t grace : {0u, 1u}) {
    CAPTURE(grace);
    replace(scratch, "DOMAIN:User:one\n");
    const Result<UsersFile*> file = UsersFile::open(path, std::nullopt, grace);
    REQUIRE(file);
    CHECK(log_in(**file, account));
    replace(scratch, "nonsense\n");
    if (grace > 0) {
      CHECK(log_in(**file, account));
      ::sleep(static_cast<unsigned>(grace) + 1);
    }
    FixedEnvironment env;
    CHECK_FALSE(log_in(**file, account, &env));
    CHECK(env.traced("line 1"));
    CHECK(env.traced("no account is accepted"));
    // What comes behind it in the order of sources is not asked in its place.
    CHECK(verdict_of(**file, "other", "DOMAIN") == Verdict::kRefused);
    // The content is gone, not only its validity.
    REQUIRE(UsersFile::open(path, std::nullopt, 1000).error().minor == Minor::kUsersFileLine);
    CHECK_FALSE(log_in(**file, account));
    replace(scratch, "DOMAIN:User:one\n");
    CHECK(log_in(**file, account));
  }
}

TEST_CASE("users file: one path is one instance", "[users]") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "DOMAIN:User:one\n");
  CHECK(opened(path) == opened(path));
  CHECK(opened(path)->path() == path);
}

TEST_CASE("users file: logins see the old file or the new one while it is replaced", "[users]") {
  const ScratchDirectory scratch;
  const UsersFile& file = *opened(scratch.write("users", "DOMAIN:User:even\n"));
  std::atomic<bool> done{false};
  std::atomic<int> neither{0};
  const auto login = [&] {
    while (!done) {
      // One of the two holds at each moment; both may fail only if the file changed in between.
      bool any = false;
      for (int i = 0; i < 50 && !any; ++i) {
        any = log_in(file, {"User", "DOMAIN", "even"}) || log_in(file, {"User", "DOMAIN", "odd"});
      }
      neither += any ? 0 : 1;
    }
  };
  std::thread one(login);
  std::thread two(login);
  for (int i = 0; i < 200; ++i) {
    replace(scratch, i % 2 == 0 ? "DOMAIN:User:odd\n" : "DOMAIN:User:even\n");
  }
  done = true;
  one.join();
  two.join();
  CHECK(neither == 0);
}

}  // namespace
}  // namespace gssntlm
