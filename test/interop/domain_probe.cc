// Logs in to itself through the mechglue and says what came of it, for domain.sh.
//
//   domain_probe login USER PASSWORD [spnego] [bindings] [tamper] [moved]
//                                         PASSWORD "-": the default credential
//   domain_probe pause USER PASSWORD      waits for a line of input between CHALLENGE and the rest
//   domain_probe fork USER PASSWORD       logs in, then beside four children that do so too
//   domain_probe load THREADS COUNT USER:PASSWORD...       COUNT logins, the users in turn
//
// Lines "key value": result, side, text, source, keys, wrap, bound, local, milliseconds, attributes
// by their names; carried-sids is that of a name that was exported and imported.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

// Of AUTHENTICATE [MS-NLMP] 2.2.1.3.
constexpr std::size_t kMicOffset = 72;

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string attribute(const NameHandle& of, const char* name) {
  gss_buffer_desc wanted{std::strlen(name), const_cast<char*>(name)};
  gss_buffer_desc value{};
  gss_buffer_desc display{};
  int authenticated = 0;
  int complete = 0;
  int more = -1;
  OM_uint32 minor = 0;
  if (GSS_ERROR(gss_get_name_attribute(&minor, of.get(), &wanted, &authenticated, &complete, &value,
                                       &display, &more))) {
    return {};
  }
  std::string text(static_cast<const char*>(value.value), value.length);
  gss_release_buffer(&minor, &value);
  gss_release_buffer(&minor, &display);
  return text;
}

std::string local_name(const End& end) {
  OM_uint32 minor = 0;
  gss_buffer_desc name{};
  if (GSS_ERROR(gss_localname(&minor, end.source.get(), &kNtlm, &name))) {
    return {};
  }
  std::string text(static_cast<const char*>(name.value), name.length);
  gss_release_buffer(&minor, &name);
  return text;
}

// What another process makes of the name.
NameHandle carried_over(const NameHandle& name) {
  OM_uint32 minor = 0;
  gss_buffer_desc token{};
  NameHandle copy;
  if (!GSS_ERROR(gss_export_name_composite(&minor, name.get(), &token))) {
    gss_import_name(&minor, &token, GSS_C_NT_COMPOSITE_EXPORT, copy.out());
    gss_release_buffer(&minor, &token);
  }
  return copy;
}

bool wraps(End& from, End& to, const std::string& text) {
  std::string token;
  std::string back;
  return wrap(from, text, token).ok() && unwrap(to, token, back).ok() && back == text;
}

// Exports and imports a context, unfinished or open; prints its size and how long both took.
void move(End& end, const char* what) {
  const Clock::time_point start = Clock::now();
  OM_uint32 minor = 0;
  gss_buffer_desc token{};
  const bool out = !GSS_ERROR(gss_export_sec_context(&minor, &end.context, &token));
  const std::size_t size = token.length;
  const bool moved = out && !GSS_ERROR(gss_import_sec_context(&minor, &token, &end.context));
  gss_release_buffer(&minor, &token);
  if (moved && end.last.major == GSS_S_COMPLETE) {
    gss_inquire_context(&minor, end.context, end.source.out(), nullptr, nullptr, nullptr, nullptr,
                        nullptr, nullptr);
  }
  std::printf("moved-%s %s %zu bytes %.3f ms\n", what, moved ? "ok" : "failed", size,
              milliseconds_since(start));
}

void print_failure(const char* side, const Outcome& outcome) {
  std::printf("result fail\nside %s\nmajor %x\nminor %x\ntext %s\n", side, outcome.major,
              outcome.minor, outcome.text().c_str());
}

void print_success(End& initiator, End& acceptor) {
  const std::string key = session_key(initiator);
  std::printf("result ok\nsource %s\n", acceptor.source.display().c_str());
  std::printf("keys %s\n", !key.empty() && key == session_key(acceptor) ? "equal" : "differ");
  std::printf("wrap %s\n", wraps(initiator, acceptor, "there") && wraps(acceptor, initiator, "back")
                               ? "both"
                               : "broken");
  std::printf("bound %s\n", (acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG) != 0 ? "yes" : "no");
  std::printf("local %s\n", local_name(acceptor).c_str());
  std::printf("carried-sids %s\n",
              attribute(carried_over(acceptor.source), "urn:gssntlmssp:sids").c_str());
  for (const char* name :
       {"urn:gssntlmssp:sids", "urn:gss-ntlm:user-sid", "urn:gss-ntlm:primary-group-sid",
        "urn:gss-ntlm:account-name", "urn:gss-ntlm:display-name",
        "urn:gss-ntlm:user-principal-name", "urn:gss-ntlm:logon-domain", "urn:gss-ntlm:dns-domain",
        "urn:gss-ntlm:logon-server", "urn:gss-ntlm:password-last-set",
        "urn:gss-ntlm:password-can-change", "urn:gss-ntlm:password-must-change"}) {
    std::printf("%s %s\n", name, attribute(acceptor.source, name).c_str());
  }
}

// The initiator's credential; the default one for "-".
bool prepare(const std::string& user, const std::string& password, Exchange& x, CredHandle& cred) {
  if (password == "-") {
    if (user == "-") {
      return true;
    }
    const Outcome got = acquire_from(GSS_C_INITIATE, x.mech, user, {}, cred);
    if (!got.ok()) {
      print_failure("acquire", got);
      return false;
    }
  } else if (const Outcome got = acquire_password(user, password, x.mech, cred); !got.ok()) {
    print_failure("acquire", got);
    return false;
  }
  x.initiator_cred = cred.get();
  return true;
}

int login(const std::vector<std::string>& arguments, bool pause) {
  Exchange x;
  CredHandle cred;
  CredHandle accept;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "spnego") {
      x.mech = &kSpnego;
    } else if (arguments[i] == "bindings") {
      x.initiator_bindings = x.acceptor_bindings = "tls-server-end-point:probe";
    } else if (arguments[i] == "otherbindings") {
      x.initiator_bindings = "tls-server-end-point:other";
      x.acceptor_bindings = "tls-server-end-point:probe";
    }
  }
  if (!prepare(arguments[0], arguments[1], x, cred)) {
    return 0;
  }
  const Clock::time_point acquiring = Clock::now();
  if (const Outcome got = acquire(GSS_C_ACCEPT, x.mech, accept); !got.ok()) {
    print_failure("acceptor", got);
    return 0;
  }
  const double acquired = milliseconds_since(acquiring);
  x.acceptor_cred = accept.get();
  const auto asked_for = [&](const char* word) {
    return std::find(arguments.begin() + 2, arguments.end(), word) != arguments.end();
  };
  const bool tamper = asked_for("tamper");
  const bool moved = asked_for("moved");
  End initiator;
  End acceptor;
  std::string token;
  double last = 0;
  while (true) {
    token = init_step(x, initiator, token);
    if (!initiator.last.ok()) {
      print_failure("initiator", initiator.last);
      break;
    }
    if (token.empty() && acceptor.last.major == GSS_S_COMPLETE) {
      print_success(initiator, acceptor);
      break;
    }
    if (pause && acceptor.context != GSS_C_NO_CONTEXT) {
      std::printf("challenge made\n");
      std::fflush(stdout);
      std::string line;
      std::getline(std::cin, line);
    }
    if (tamper && acceptor.context != GSS_C_NO_CONTEXT) {
      token.at(kMicOffset) = static_cast<char>(token.at(kMicOffset) ^ 1);
    }
    const Clock::time_point start = Clock::now();
    token = accept_step(x, acceptor, token);
    last = milliseconds_since(start);
    if (!acceptor.last.ok()) {
      print_failure("acceptor", acceptor.last);
      break;
    }
    if (moved) {
      move(acceptor, acceptor.last.major == GSS_S_COMPLETE ? "open" : "unfinished");
    }
    if (initiator.last.major == GSS_S_COMPLETE && acceptor.last.major == GSS_S_COMPLETE) {
      print_success(initiator, acceptor);
      break;
    }
  }
  std::printf("acquire-milliseconds %.1f\nmilliseconds %.0f\n", acquired, last);
  return 0;
}

// The sockets of this process, by inode.
std::set<std::string> sockets() {
  std::set<std::string> found;
  DIR* directory = ::opendir("/proc/self/fd");
  while (const dirent* entry = directory != nullptr ? ::readdir(directory) : nullptr) {
    char target[64] = {};
    const std::string path = std::string("/proc/self/fd/") + entry->d_name;
    if (::readlink(path.c_str(), target, sizeof target - 1) > 0 &&
        std::strncmp(target, "socket:", 7) == 0) {
      found.insert(target);
    }
  }
  if (directory != nullptr) {
    ::closedir(directory);
  }
  return found;
}

bool logs_in(const std::string& user, const std::string& password) {
  Exchange x;
  CredHandle cred;
  End initiator;
  End acceptor;
  if (!acquire_password(user, password, x.mech, cred).ok()) {
    return false;
  }
  x.initiator_cred = cred.get();
  return run(x, initiator, acceptor) && session_key(initiator) == session_key(acceptor);
}

// 0: all logins succeeded, over connections of its own.
int child_of(const std::set<std::string>& parent, const std::string& user,
             const std::string& password) {
  for (int i = 0; i < 10; ++i) {
    if (!logs_in(user, password)) {
      return 1;
    }
  }
  const std::set<std::string> own = sockets();
  const bool shares = std::any_of(own.begin(), own.end(), [&](const std::string& socket) {
    return parent.find(socket) != parent.end();
  });
  return own.empty() || shares ? 2 : 0;
}

int login_forked(const std::string& user, const std::string& password) {
  bool parent_ok = logs_in(user, password);
  // The question about the forest, whose answer no caller awaits, may take a while.
  ::sleep(3);
  const std::set<std::string> before = sockets();
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(child_of(before, user, password));
    }
    children.push_back(child);
  }
  for (int i = 0; i < 10; ++i) {
    parent_ok = logs_in(user, password) && parent_ok;
  }
  std::printf("parent %s\n", parent_ok && !before.empty() ? "ok" : "failed");
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    std::printf("child %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return 0;
}

struct Account {
  std::string user;
  std::string password;
};

int load(std::vector<std::string> arguments) {
  const std::size_t threads = std::strtoul(arguments[0].c_str(), nullptr, 10);
  const std::size_t count = std::strtoul(arguments[1].c_str(), nullptr, 10);
  std::vector<Account> accounts;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::size_t colon = arguments[i].find(':');
    accounts.push_back({arguments[i].substr(0, colon), arguments[i].substr(colon + 1)});
  }
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> lost{0};
  std::atomic<std::size_t> mixed{0};
  std::mutex mutex;
  std::vector<double> times;
  const auto work = [&] {
    while (true) {
      const std::size_t number = next.fetch_add(1);
      if (number >= count) {
        return;
      }
      const Account& account = accounts[number % accounts.size()];
      Exchange x;
      CredHandle cred;
      End initiator;
      End acceptor;
      const Clock::time_point start = Clock::now();
      if (!acquire_password(account.user, account.password, x.mech, cred).ok()) {
        ++lost;
        continue;
      }
      x.initiator_cred = cred.get();
      if (!run(x, initiator, acceptor)) {
        ++lost;
        continue;
      }
      const double took = milliseconds_since(start);
      if (acceptor.source.display() != account.user ||
          session_key(initiator) != session_key(acceptor)) {
        ++mixed;
      }
      const std::lock_guard<std::mutex> lock(mutex);
      times.push_back(took);
    }
  };
  const Clock::time_point start = Clock::now();
  std::vector<std::thread> pool;
  for (std::size_t i = 0; i < threads; ++i) {
    pool.emplace_back(work);
  }
  for (std::thread& t : pool) {
    t.join();
  }
  const double all = milliseconds_since(start);
  std::sort(times.begin(), times.end());
  std::printf("done %zu\nlost %zu\nmixed %zu\nmilliseconds %.0f\n", times.size(), lost.load(),
              mixed.load(), all);
  if (!times.empty()) {
    std::printf("median %.1f\nslowest %.1f\n", times[times.size() / 2], times.back());
  }
  return 0;
}

}  // namespace
}  // namespace gssntlm::test

int main(int argc, char** argv) {
  using namespace gssntlm::test;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3) {
    std::fprintf(stderr, "usage: domain_probe login|pause|fork|load ARGUMENTS\n");
    return 2;
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "load") {
    return load(rest);
  }
  return arguments[0] == "fork" ? login_forked(rest[0], rest[1])
                                : login(rest, arguments[0] == "pause");
}
