#include "mech/backends/users/users_file.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include <unistd.h>

#include "mech/backends/users/turn.h"
#include "mech/backends/users/users_choice.h"
#include "mech/backends/users/users_proof.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/fork_mutex.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxChoices = 8;

// For all files. Never held while one is read.
ForkMutex g_mutex;
using Lock = std::lock_guard<ForkMutex>;

// In milliseconds; goes on while the machine is suspended.
std::uint64_t time_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return 1000 * static_cast<std::uint64_t>(t.tv_sec) +
         static_cast<std::uint64_t>(t.tv_nsec) / 1'000'000;
}

// The file as it is now, as far as it counts.
struct Content {
  std::shared_ptr<const UsersTable> table;  // nullptr: no account, or the caller needs none
  FileIdentity of;
  std::shared_ptr<const UsersFault> fault;  // the file that is there does not count, or none is
  bool missing = false;
  std::uint64_t seconds_left = 0;           // of `table`, beside a fault
  uid_t reader = 0;                         // who read it; see check_for_caller()
  std::shared_ptr<const UsersTable> spent;  // released without the lock
  Readers readers = Readers::kFew;          // who may read the file
};

void trace_fault(const Content& now, const Runtime& env) {
  if (!now.fault || !env.tracing()) {
    return;
  }
  env.trace("accounts: " + now.fault->text +
            (now.missing ? "; it holds no account"
             : now.table ? "; its last good content stays valid for " +
                               std::to_string(now.seconds_left) + " s (users_file_grace)"
                         : "; no account is accepted until that is repaired"));
}

// What another user of this process read is the caller's to use if the file is his to read.
Status check_for_caller(const std::string& path, const Content& now) {
  if (!now.fault && now.reader == ::geteuid()) {
    return {};
  }
  const std::optional<UsersFault> fault =
      now.fault ? std::optional(*now.fault) : check_users_file(path, now.of, now.readers);
  return fault ? Status(error_of(*fault)) : Status();
}

// Whether the file decides about the account: it is there, usable or not, or what is in the file is
// not known, and the account sources behind it must not be asked instead.
bool decides(const Content& now, ByteView user, ByteView domain) {
  const bool unreadable = now.fault && !now.missing && !now.table;
  return unreadable || (now.table && now.table->find(user, domain));
}

// The filter has said itself what it does not admit.
void trace_rejection(const std::optional<UserEntry>& entry, bool admitted, const Policy& policy,
                     const Runtime& env) {
  if (!entry) {
    env.trace("accounts: no such user in the users file");
  } else if (admitted) {
    const std::string_view why = why_unusable(*entry, policy);
    env.trace(why.empty() ? "accounts: wrong password" : why);
  }
}

}  // namespace

struct UsersFile::State {
  std::shared_ptr<const UsersTable> table;  // the last good content, if it is kept
  FileIdentity good;                        // of that content
  std::uint64_t good_at = 0;                // when the file last was as that content
  std::uint64_t read_again = 0;             // when it may have changed without a sign; 0: never
  uid_t good_for = 0;                       // the effective uid that read it
  std::vector<UsersChoice> choices;         // from that content
  std::shared_ptr<const UsersFault> fault;  // of what is there now; nullptr: none
  bool missing = false;
  FileIdentity rejected;  // what `fault` is about
  uid_t rejected_for = 0;

  bool keeps_table = false;
  std::uint64_t grace = kDefaultGrace;
  std::optional<CodePage> lm_page;
  Readers readers = Readers::kFew;
  std::optional<NtHash> unknown;  // see hash_of_unknown()
  std::atomic<std::uint32_t> reader{0};

  bool notice(UsersFileLook& look);
  void take(UsersLoad& load, std::optional<CodePage> page, Readers checked_for);
  void set_fault(UsersFault why, const FileIdentity& file);
  [[nodiscard]] bool is_due() const noexcept { return read_again != 0 && time_now() >= read_again; }
  [[nodiscard]] std::uint64_t seconds_left() const noexcept;
  [[nodiscard]] Content content();
  [[nodiscard]] const UsersChoice* find_choice(ByteView user, ByteView domain) const noexcept;

  // These take the lock; those above need it.
  template <typename Ready>
  Content catch_up(const std::string& path, Ready ready);
  [[nodiscard]] std::optional<NtHash> hash_of_unknown(const Runtime& env);
  [[nodiscard]] Result<Logon> verify(const Content& now, const LogonRequest& request,
                                     const Policy& policy, const Runtime& env);
  [[nodiscard]] Content whole(const std::string& path) {
    return catch_up(path, [&] { return table != nullptr; });
  }
};

void UsersFile::State::set_fault(UsersFault why, const FileIdentity& file) {
  fault = std::make_shared<const UsersFault>(std::move(why));
  missing = false;
  rejected = file;
  rejected_for = ::geteuid();
}

// Whether the file need not be read to know what is in it.
bool UsersFile::State::notice(UsersFileLook& look) {
  if (look.missing) {
    if (!missing) {
      fault = std::make_shared<const UsersFault>(std::move(*look.fault));
      missing = true;
      good = FileIdentity();
      choices.clear();
    }
    return true;
  }
  if (look.fault) {
    set_fault(std::move(*look.fault), FileIdentity());
    return true;
  }
  if (look.identity == good) {
    good_at = time_now();
    fault.reset();
    missing = false;
    return true;
  }
  return fault && fault->lasting && look.identity == rejected && rejected_for == ::geteuid() &&
         !is_due();
}

void UsersFile::State::take(UsersLoad& load, std::optional<CodePage> page, Readers checked_for) {
  const bool unread = load.fault && load.fault->minor == Minor::kUsersFileOpen;
  const bool hiding = unread ? read_again != 0 : may_hide_change(load.identity);
  read_again = hiding ? time_now() + kChangesShow : 0;
  if (load.fault) {
    // Its content changed without a sign.
    if (load.identity == good && load.fault->minor == Minor::kUsersFileLine) {
      good = FileIdentity();
    }
    set_fault(std::move(*load.fault), load.identity);
    return;
  }
  // What was asked for meanwhile needs another reading.
  good = page == lm_page && checked_for == readers ? load.identity : FileIdentity();
  good_at = time_now();
  good_for = ::geteuid();
  choices.clear();
  fault.reset();
  missing = false;
  // What was there before goes with `load`, without the lock.
  if (keeps_table) {
    std::swap(table, load.table);
  }
}

std::uint64_t UsersFile::State::seconds_left() const noexcept {
  const std::uint64_t end = good_at + 1000 * grace;
  const std::uint64_t now = time_now();
  return now < end ? (end - now + 999) / 1000 : 0;
}

Content UsersFile::State::content() {
  Content now{table, good, fault, missing, 0, good_for, nullptr, readers};
  if (!fault) {
    return now;
  }
  now.seconds_left = missing ? 0 : seconds_left();
  if (now.seconds_left == 0) {
    now.table.reset();
    now.spent = std::exchange(table, nullptr);
  }
  return now;
}

const UsersChoice* UsersFile::State::find_choice(ByteView user, ByteView domain) const noexcept {
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const UsersChoice& c) {
    return same_bytes(c.user, user) && same_bytes(c.domain, domain);
  });
  return found == choices.end() ? nullptr : &*found;
}

// Reads the file if it changed, or if `ready`, under the lock, says that what is kept of it does
// not suffice.
template <typename Ready>
Content UsersFile::State::catch_up(const std::string& path, Ready ready) {
  while (true) {
    UsersFileLook look = look_at_users_file(path);
    std::optional<CodePage> page;
    Readers allowed{};
    bool again = false;
    {
      const Lock lock(g_mutex);
      if (notice(look) && (fault || ready())) {
        again = !fault && is_due();
        if (!again) {
          return content();
        }
      }
      page = lm_page;
      allowed = readers;
    }
    const Turn turn(reader);
    if (!turn.taken()) {
      continue;
    }
    UsersLoad load = load_users(path, page, allowed);
    if (load.fault && load.identity == FileIdentity()) {
      load.identity = look.identity;
    }
    const std::shared_ptr<const UsersTable> fresh = load.table;
    const Lock lock(g_mutex);
    take(load, page, allowed);
    // What is kept counts after all if this user can no longer read the file.
    if (again) {
      continue;
    }
    Content now = content();
    now.table = fresh ? fresh : std::move(now.table);
    return now;
  }
}

// What the response of an unknown user is compared with; nullopt without randomness. Random, and
// kept: a client that guessed a fixed one would match it, and be answered sooner.
std::optional<NtHash> UsersFile::State::hash_of_unknown(const Runtime& env) {
  {
    const Lock lock(g_mutex);
    if (unknown) {
      return unknown->clone();
    }
  }
  NtHash fresh;
  if (!env.random(fresh.bytes())) {
    return std::nullopt;
  }
  const Lock lock(g_mutex);
  if (!unknown) {
    unknown = std::move(fresh);
  }
  return unknown->clone();
}

UsersFile::UsersFile(std::string path)
    : path_(std::move(path)), state_(std::make_unique<State>()) {}
UsersFile::~UsersFile() = default;

UsersFile* UsersFile::at(std::string_view path, std::optional<CodePage> lm_page, Readers readers) {
  // Never destroyed: a thread may still be in a call when the process ends.
  static auto& files = *new std::map<std::string, UsersFile*, std::less<>>;
  const Lock lock(g_mutex);
  auto found = files.find(path);
  if (found == files.end()) {
    found = files.emplace(path, nullptr).first;
  }
  UsersFile*& slot = found->second;
  if (slot == nullptr) {
    slot = new UsersFile(std::string(path));
  }
  // LM hashes do no harm where they are not needed, so they stay once they were asked for.
  State& state = *slot->state_;
  if (lm_page && state.lm_page != lm_page) {
    state.lm_page = lm_page;
    state.good = FileIdentity();
  }
  if (state.readers != readers) {
    state.readers = readers;
    state.good = FileIdentity();
    state.rejected = FileIdentity();
  }
  return slot;
}

Result<UsersFile*> UsersFile::open(const std::string& path, std::optional<CodePage> lm_page,
                                   std::uint64_t grace, Readers readers) {
  UsersFile* file = at(path, lm_page, readers);
  {
    const Lock lock(g_mutex);
    file->state_->keeps_table = true;
  }
  const Content now = file->state_->whole(path);
  if (Status s = check_for_caller(path, now); !s) {
    return s.error();
  }
  const Lock lock(g_mutex);
  file->state_->grace = grace;
  return file;
}

Result<Logon> UsersFile::State::verify(const Content& now, const LogonRequest& request,
                                       const Policy& policy, const Runtime& env) {
  trace_fault(now, env);
  const std::optional<NtHash> stand_in = hash_of_unknown(env);
  if (!stand_in) {
    return failure(Minor::kNoRandom);
  }
  std::optional<UserEntry> entry =
      now.table ? now.table->find(request.user, request.domain) : std::nullopt;
  const bool admitted = request.filter == nullptr ||
                        request.filter->admits(entry ? entry->user : request.user,
                                               entry ? entry->domain : request.domain, env);
  const bool usable = entry && why_unusable(*entry, policy).empty() && admitted;
  std::optional<ProvenEntry> proven =
      prove_entry({now.table.get(), usable ? &*entry : nullptr, *stand_in}, request, policy);
  if (!proven) {
    trace_rejection(entry, admitted, policy, env);
    return failure(Minor::kLogonFailure);
  }
  Logon logon;
  logon.user.assign(entry->user.begin(), entry->user.end());
  logon.domain.assign(entry->domain.begin(), entry->domain.end());
  logon.kind = proven->proof.kind;
  logon.base = std::move(proven->proof.base);
  logon.lm_hash = std::move(proven->lm_hash);
  if (entry->next != 0) {
    report_entry(proven->number, logon, env);
  }
  return logon;
}

Result<Logon> UsersFile::logon(const LogonRequest& request, const Policy& policy,
                               const Runtime& env) const {
  return state_->verify(state_->whole(path_), request, policy, env);
}

Result<Logon> UsersFile::logon(const LogonRequest& request, const Policy& policy,
                               const Runtime& env, Verdict& verdict) const {
  const Content now = state_->whole(path_);
  if (!decides(now, request.user, request.domain)) {
    verdict = Verdict::kUnknown;
    return failure(Minor::kLogonFailure);
  }
  verdict = Verdict::kRefused;
  return state_->verify(now, request, policy, env);
}

Result<Ref<const Identity>> UsersFile::identity(ByteView user, ByteView domain) const {
  std::optional<UsersChoice> choice;
  const Content now = state_->catch_up(path_, [&] {
    choice.reset();
    const UsersChoice* known = state_->find_choice(user, domain);
    if (known != nullptr) {
      choice = UsersChoice{{}, {}, known->identity, known->why};
    }
    return known != nullptr || state_->table != nullptr;
  });
  if (Status s = check_for_caller(path_, now); !s) {
    return s.error();
  }
  if (!choice) {
    choice = choose_account(*now.table, user, domain);
    const Lock lock(g_mutex);
    if (state_->good == now.of) {
      if (state_->choices.size() >= kMaxChoices) {
        state_->choices.erase(state_->choices.begin());
      }
      state_->choices.push_back(*choice);
    }
  }
  if (!choice->identity) {
    return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred,
                             "users file " + printable_utf8(path_) + ": " + choice->why);
  }
  return std::move(choice->identity);
}

}  // namespace gssntlm
