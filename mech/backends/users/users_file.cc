#include "mech/backends/users/users_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"

namespace gssntlm {
namespace {

constexpr std::size_t kReadSize = std::size_t{256} << 10;
constexpr std::size_t kMaxLine = std::size_t{256} << 10;

Error open_error(const std::string& path, const char* what) {
  return error_with_detail(Major::kNoCred, Minor::kUsersFileOpen,
                           "users file " + printable_utf8(path) + ": " + what);
}

Status check_mode(const std::string& path, const struct stat& st) {
  char text[160];
  if (!S_ISREG(st.st_mode)) {
    return error_with_detail(Major::kNoCred, Minor::kUsersFileMode,
                             "users file " + printable_utf8(path) + ": not a regular file");
  }
  if ((st.st_mode & 077) != 0) {
    std::snprintf(text, sizeof text, ": mode %04o lets others read or change it; chmod 600 it",
                  static_cast<unsigned>(st.st_mode & 07777));
    return error_with_detail(Major::kNoCred, Minor::kUsersFileMode,
                             "users file " + printable_utf8(path) + text);
  }
  if (st.st_uid != 0 && st.st_uid != ::geteuid()) {
    std::snprintf(text, sizeof text, ": it belongs to user %u, not to root or user %u; chown it",
                  static_cast<unsigned>(st.st_uid), static_cast<unsigned>(::geteuid()));
    return error_with_detail(Major::kNoCred, Minor::kUsersFileMode,
                             "users file " + printable_utf8(path) + text);
  }
  return {};
}

// Cuts a stream of bytes into lines and feeds them to a table.
class LineFeeder {
 public:
  explicit LineFeeder(UsersTable& table) noexcept : table_(table) {}
  LineFeeder(const LineFeeder&) = delete;
  LineFeeder& operator=(const LineFeeder&) = delete;
  ~LineFeeder() { wipe_held(); }

  Status feed(std::string_view chunk) {
    while (!chunk.empty()) {
      const std::size_t end = chunk.find('\n');
      const std::string_view piece = chunk.substr(0, end);
      if (held_.size() + piece.size() > kMaxLine) {
        ++line_;
        return Error{Major::kNoCred, Minor::kUsersFileLine};
      }
      // Growing would leave a copy of the secret behind.
      held_.reserve(kMaxLine);
      if (end == std::string_view::npos) {
        held_.append(piece);
        return {};
      }
      if (Status s = held_.empty() ? add(piece) : add(held_.append(piece)); !s) {
        return s;
      }
      wipe_held();
      chunk.remove_prefix(end + 1);
    }
    return {};
  }
  Status finish() { return held_.empty() ? Status() : add(held_); }
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

 private:
  Status add(std::string_view line) {
    ++line_;
    return table_.add_line(line);
  }
  void wipe_held() noexcept {
    wipe({reinterpret_cast<std::uint8_t*>(held_.data()), held_.size()});
    held_.clear();
  }

  UsersTable& table_;
  std::string held_;
  std::size_t line_ = 0;
};

Error line_error(const std::string& path, std::size_t line) {
  return error_with_detail(Major::kNoCred, Minor::kUsersFileLine,
                           "users file " + printable_utf8(path) + " line " + std::to_string(line));
}

// `size` is what the file had when it was looked at: less is a file that somebody is writing.
Status read_lines(int fd, const std::string& path, off_t size, UsersTable& table) {
  SecretBytes buffer{Bytes(kReadSize)};
  LineFeeder feeder(table);
  off_t have = 0;
  while (true) {
    const ssize_t got = ::read(fd, buffer.bytes().data(), buffer.bytes().size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return open_error(path, std::strerror(errno));
    }
    if (got == 0 && have < size) {
      return open_error(path, "it was cut short while it was read; replace it with rename");
    }
    have += got;
    const Status s = got == 0
                         ? feeder.finish()
                         : feeder.feed(as_text(buffer.view().first(static_cast<std::size_t>(got))));
    if (!s) {
      return line_error(path, feeder.line());
    }
    if (got == 0) {
      return {};
    }
  }
}

struct Loaded {
  std::shared_ptr<const UsersTable> table;
  FileIdentity identity;
};

Result<Loaded> load(const std::string& path, std::optional<CodePage> lm_page) {
  // O_NONBLOCK: a FIFO must not block; it is refused by its type.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat st;
  if (file.get() < 0 || ::fstat(file.get(), &st) != 0) {
    return open_error(path, std::strerror(errno));
  }
  if (Status s = check_mode(path, st); !s) {
    return s.error();
  }
  auto table = std::make_shared<UsersTable>(lm_page);
  if (Status s = read_lines(file.get(), path, st.st_size, *table); !s) {
    return s.error();
  }
  table->build_index();
  return Loaded{std::move(table), FileIdentity::of(st)};
}

// The filter has said itself what it does not admit.
void trace_rejection(const std::optional<UserEntry>& entry, bool admitted, const Runtime& env) {
  if (!entry) {
    env.trace("accounts: no such user in the users file");
  } else if (admitted) {
    env.trace(entry->disabled   ? "accounts: the account is disabled"
              : !entry->nt_hash ? "accounts: the account has no hash"
                                : "accounts: wrong password");
  }
}

}  // namespace

struct UsersFile::State {
  std::mutex mutex;
  Loaded loaded;
  std::optional<CodePage> lm_page;
  std::optional<NtHash> stand_in;
};

UsersFile::UsersFile(std::string path)
    : path_(std::move(path)), state_(std::make_unique<State>()) {}
UsersFile::~UsersFile() = default;

Result<UsersFile*> UsersFile::open(const std::string& path, std::optional<CodePage> lm_page) {
  // Never destroyed: a thread may still be in a call when the process ends.
  static auto& mutex = *new std::mutex;
  static auto& files = *new std::map<std::string, UsersFile*>;
  UsersFile* file = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    UsersFile*& slot = files[path];
    if (slot == nullptr) {
      slot = new UsersFile(path);
    }
    file = slot;
  }
  file->want_lm_hashes(lm_page);
  if (Status s = file->refresh(); !s) {
    return s.error();
  }
  return file;
}

// Who needs no LM hashes is not bothered by them, so they stay once they were asked for.
void UsersFile::want_lm_hashes(std::optional<CodePage> page) noexcept {
  if (!page) {
    return;
  }
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->lm_page != page) {
    state_->lm_page = page;
    state_->loaded.identity = FileIdentity();
  }
}

// Takes a changed file over. An error is the file's: what was loaded stays.
Status UsersFile::refresh() const {
  struct stat st;
  if (::stat(path_.c_str(), &st) != 0) {
    return open_error(path_, std::strerror(errno));
  }
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->loaded.table && state_->loaded.identity == FileIdentity::of(st)) {
    return {};
  }
  Result<Loaded> fresh = load(path_, state_->lm_page);
  if (!fresh) {
    return fresh.error();
  }
  state_->loaded = std::move(*fresh);
  return {};
}

std::shared_ptr<const UsersTable> UsersFile::table() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->loaded.table;
}

// Random, and kept: a client that guessed a fixed one would match it, and be answered sooner.
std::optional<NtHash> UsersFile::stand_in(const Runtime& env) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->stand_in) {
    NtHash fresh;
    if (!env.random(fresh.bytes())) {
      return std::nullopt;
    }
    state_->stand_in = std::move(fresh);
  }
  return state_->stand_in->clone();
}

Result<Logon> UsersFile::logon(const LogonRequest& request, const Policy& policy,
                               const Runtime& env) const {
  if (!refresh()) {
    env.trace("accounts: the users file is gone or refused; the entries read before still count");
  }
  const std::shared_ptr<const UsersTable> users = table();
  const std::optional<UserEntry> entry =
      users ? users->find(request.user, request.domain) : std::nullopt;
  const std::optional<NtHash> nobody = stand_in(env);
  if (!nobody) {
    return failure(Minor::kNoRandom);
  }
  const bool admitted = request.filter == nullptr ||
                        request.filter->admits(entry ? entry->user : request.user,
                                               entry ? entry->domain : request.domain, env);
  const bool usable = entry && entry->nt_hash && !entry->disabled && admitted;
  // Nothing matches the stand-in, so that every rejection costs what a wrong password costs: all
  // spellings of the domain are tried, whatever the password is.
  const std::optional<Proof> proof =
      verify_response(request, usable ? *entry->nt_hash : *nobody,
                      usable && entry->lm_hash ? &*entry->lm_hash : nullptr, policy);
  if (!usable || !proof) {
    trace_rejection(entry, admitted, env);
    return failure(Minor::kLogonFailure);
  }
  Logon logon;
  logon.user.assign(entry->user.begin(), entry->user.end());
  logon.domain.assign(entry->domain.begin(), entry->domain.end());
  logon.kind = proof->kind;
  logon.base = proof->base.clone();
  if (entry->lm_hash) {
    logon.lm_hash = entry->lm_hash->clone();
  }
  return logon;
}

bool UsersFile::knows(ByteView user, ByteView domain) const {
  (void)refresh();
  const std::shared_ptr<const UsersTable> users = table();
  return users && users->find(user, domain).has_value();
}

Result<Ref<const Identity>> UsersFile::identity(ByteView user, ByteView domain) const {
  const std::shared_ptr<const UsersTable> users = table();
  std::optional<UserEntry> entry = user.empty() ? users->first() : users->find(user, domain);
  if (!entry || !entry->nt_hash) {
    const std::string who = user.empty() ? "no account" : "no account " + printable_utf16le(user);
    return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred,
                             "users file " + printable_utf8(path_) + ": " + who);
  }
  std::optional<LmHash> lm;
  if (entry->lm_hash) {
    lm = entry->lm_hash->clone();
  }
  const ByteView own_domain = entry->domain.empty() ? domain : entry->domain;
  return Ref<const Identity>::adopt(new Identity(Bytes(entry->user.begin(), entry->user.end()),
                                                 Bytes(own_domain.begin(), own_domain.end()),
                                                 entry->nt_hash->clone(), std::move(lm)));
}

Result<std::shared_ptr<const UsersTable>> load_users_table(const std::string& path) {
  Result<Loaded> loaded = load(path, std::nullopt);
  if (!loaded) {
    return loaded.error();
  }
  return std::move(loaded->table);
}

}  // namespace gssntlm
