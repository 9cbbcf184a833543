#include "mech/backends/users/users_load.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <unistd.h>

#include "mech/backends/users/trusted_path.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::size_t kReadSize = std::size_t{256} << 10;
constexpr std::size_t kMaxLine = std::size_t{256} << 10;

using Faulty = std::optional<UsersFault>;

UsersFault open_fault(const std::string& path, const char* what) {
  return {Minor::kUsersFileOpen, "users file " + printable_utf8(path) + ": " + what, false};
}

UsersFault mode_fault(const std::string& path, const std::string& what) {
  return {Minor::kUsersFileMode, "users file " + printable_utf8(path) + what, true};
}

Faulty check_mode(const std::string& path, const struct stat& st) {
  char text[160];
  if (!S_ISREG(st.st_mode)) {
    return mode_fault(path, ": not a regular file");
  }
  if ((st.st_mode & 077) != 0) {
    std::snprintf(text, sizeof text, ": mode %04o lets others read or change it; chmod 600 it",
                  static_cast<unsigned>(st.st_mode & 07777));
    return mode_fault(path, text);
  }
  if (!is_trusted(st.st_uid)) {
    return mode_fault(path, ": it belongs to " + owner_text(st.st_uid) + ", not to root or user " +
                                std::to_string(::geteuid()) + "; chown it");
  }
  return std::nullopt;
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

UsersFault line_fault(const std::string& path, std::size_t line) {
  return {Minor::kUsersFileLine,
          "users file " + printable_utf8(path) + " line " + std::to_string(line), true};
}

// `size` is what the file had when it was opened: less is a file that is being written.
Faulty read_lines(int fd, const std::string& path, off_t size, UsersTable& table) {
  SecretBytes buffer{Bytes(kReadSize)};
  LineFeeder feeder(table);
  off_t total = 0;
  for (bool ended = false; !ended;) {
    const std::optional<std::size_t> got = read_all(fd, buffer.bytes());
    if (!got) {
      return open_fault(path, std::strerror(errno));
    }
    total += static_cast<off_t>(*got);
    ended = *got < kReadSize;
    Status s = feeder.feed(as_text(buffer.view().first(*got)));
    if (s && ended && total < size) {
      return open_fault(path, "it was cut short while it was read; replace it with rename");
    }
    if (s && ended) {
      s = feeder.finish();
    }
    if (!s) {
      return line_fault(path, feeder.line());
    }
  }
  return std::nullopt;
}

// Not read yet.
UsersLoad open_file(const Descriptor& file, const std::string& path) {
  UsersLoad load;
  struct stat st;
  if (file.get() < 0 || ::fstat(file.get(), &st) != 0) {
    load.fault = open_fault(path, std::strerror(errno));
    return load;
  }
  load.identity = FileIdentity::of(st);
  load.fault = check_mode(path, st);
  return load;
}

UsersLoad load_opened(const Descriptor& file, const std::string& path,
                      std::optional<CodePage> lm_page) {
  UsersLoad load = open_file(file, path);
  if (load.fault) {
    return load;
  }
  auto table = std::make_shared<UsersTable>(lm_page);
  load.fault = read_lines(file.get(), path, load.identity.size, *table);
  if (!load.fault) {
    table->build_index();
    load.table = std::move(table);
  }
  return load;
}

}  // namespace

Error error_of(const UsersFault& fault) noexcept {
  return error_with_detail(Major::kNoCred, fault.minor, fault.text);
}

UsersFileLook look_at_users_file(const std::string& path) {
  UsersFileLook look;
  struct stat st;
  if (::stat(path.c_str(), &st) == 0) {
    look.identity = FileIdentity::of(st);
  } else {
    look.missing = errno == ENOENT || errno == ENOTDIR;
    look.fault = open_fault(path, std::strerror(errno));
  }
  return look;
}

std::optional<UsersFault> check_users_file(const std::string& path, const FileIdentity& identity) {
  const UsersLoad load = open_file(open_to_read(path.c_str()), path);
  return load.fault || load.identity == identity
             ? load.fault
             : open_fault(path, "it was replaced meanwhile; try again");
}

UsersLoad load_users(const std::string& path, std::optional<CodePage> lm_page) {
  return load_opened(open_to_read(path.c_str()), path, lm_page);
}

Result<std::shared_ptr<const UsersTable>> load_users_table(const std::string& path) {
  const Result<TrustedPlace> place = resolve_trusted_place(path, PlaceUse::kRead);
  if (!place) {
    return place.error();
  }
  const Descriptor file = open_to_read_in(place->directory.get(), place->name.c_str());
  if (Status s = check_only_name(*place, file, path); !s) {
    return s.error();
  }
  UsersLoad load = load_opened(file, path, std::nullopt);
  if (load.fault) {
    return error_of(*load.fault);
  }
  return std::move(load.table);
}

}  // namespace gssntlm
