#include "mech/backends/users/trusted_path.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>

#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr int kMaxLinks = 40;
constexpr int kOnlyLook = O_PATH | O_NOFOLLOW | O_CLOEXEC;

// Longer than that of any kernel, by which file systems count time.
constexpr std::chrono::milliseconds kClockTick{20};

constexpr const char* kOtherNames =
    " is a hard link in a directory where others can create some, so that it may be another file "
    "than meant; name the file by its path elsewhere, or copy it";

Error place_error(const std::string& kind, Minor minor, const std::string& path,
                  const std::string& what) {
  return error_with_detail(Major::kFailure, minor, kind + " " + printable_utf8(path) + ": " + what);
}

class Walk {
 public:
  Walk(const std::string& path, PlaceUse use, const char* kind)
      : path_(path), kind_(kind), rest_(path), here_(start()), use_(use) {}

  Result<TrustedPlace> run() {
    if (Status s = check_here(); !s) {
      return s.error();
    }
    while (true) {
      const std::string name = take_component();
      if (name.empty()) {
        return error(Minor::kUsersFileOpen, "it names a directory, not a file");
      }
      const Result<Step> step = take_step(name);
      if (!step) {
        return step.error();
      }
      if (*step == Step::kArrived) {
        return arrive(name);
      }
    }
  }

 private:
  enum class Step { kOn, kArrived };

  Error error(Minor minor, const std::string& what) const {
    return place_error(kind_, minor, path_, what);
  }
  Error failed_call(const std::string& what) const {
    const char* text = std::strerror(errno);
    return error(Minor::kUsersFileOpen, what + ": " + text);
  }

  Descriptor start() const {
    return Descriptor(::open(rest_.starts_with('/') ? "/" : ".", kOnlyLook | O_DIRECTORY));
  }

  // Empty at the end of the path.
  std::string take_component() {
    rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
    std::string name = rest_.substr(0, rest_.find('/'));
    rest_.erase(0, name.size());
    return name;
  }

  Result<Step> take_step(const std::string& name) {
    const bool last = rest_.empty();
    Descriptor next(::openat(here_.get(), name.c_str(), kOnlyLook));
    if (next.get() < 0) {
      if (errno == ENOENT && last && !link_names_file_) {
        return Step::kArrived;
      }
      const char* what =
          link_names_file_ ? "cannot open what its symbolic link names, " : "cannot open ";
      return failed_call(what + printable_utf8(name));
    }
    struct stat st;
    if (::fstat(next.get(), &st) != 0) {
      return failed_call("cannot examine " + printable_utf8(name));
    }
    if (S_ISLNK(st.st_mode)) {
      return follow(next, st, name);
    }
    // A name with a slash behind it is a directory's.
    if (last && !S_ISDIR(st.st_mode)) {
      return Step::kArrived;
    }
    here_ = std::move(next);
    return step_into(name);
  }

  Result<Step> step_into(const std::string& name) {
    part_ = name;
    if (Status s = check_here(); !s) {
      return s.error();
    }
    return Step::kOn;
  }

  Result<Step> follow(const Descriptor& link, const struct stat& st, const std::string& name) {
    if (!is_trusted(st.st_uid)) {
      return foreign(name, "symbolic link", st.st_uid);
    }
    if (shared_ && !is_only_name(here_.get(), name, st)) {
      return error(Minor::kUsersFileMode,
                   "the symbolic link " + printable_utf8(name) + kOtherNames);
    }
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size() || ++links_ > kMaxLinks) {
      errno = size < 0 ? errno : ELOOP;
      return failed_call("cannot follow the symbolic link " + printable_utf8(name));
    }
    link_names_file_ = link_names_file_ || rest_.empty();
    rest_ = std::string(target.data(), static_cast<std::size_t>(size)).append(rest_);
    if (rest_.starts_with('/')) {
      here_ = start();
      return step_into("/");
    }
    return Step::kOn;
  }

  Status check_here() {
    struct stat st;
    if (here_.get() < 0 || ::fstat(here_.get(), &st) != 0) {
      return failed_call("cannot open the directory " + printable_utf8(part_));
    }
    if (!S_ISDIR(st.st_mode)) {
      errno = ENOTDIR;
      return failed_call("cannot pass through " + printable_utf8(part_));
    }
    if (!is_trusted(st.st_uid)) {
      return foreign(part_, "directory", st.st_uid);
    }
    mode_ = st.st_mode & 07777;
    shared_ = (mode_ & 022) != 0;
    return shared_ && (mode_ & S_ISVTX) == 0 ? open_to_others("can replace the file; chmod go-w it")
                                             : Status();
  }

  Error open_to_others(const char* danger) const {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(mode_));
    return error(Minor::kUsersFileMode, "the directory " + printable_utf8(part_) + " has mode " +
                                            mode + ", so others " + danger);
  }

  Error foreign(const std::string& name, const std::string& kind, uid_t owner) const {
    return error(Minor::kUsersFileMode,
                 "the " + kind + " " + printable_utf8(name) + " belongs to " + owner_text(owner) +
                     ", who could put another file there; run this as that user, or "
                     "chown it to root");
  }

  // What O_PATH opened can be passed through, not read.
  Result<TrustedPlace> arrive(const std::string& name) const {
    if (shared_ && use_ == PlaceUse::kEdit) {
      return open_to_others(
          "can create the lock file that an edit needs; keep the users file in a directory that "
          "only its owner can write to");
    }
    Descriptor readable(::openat(here_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (readable.get() < 0) {
      return failed_call("cannot read its directory");
    }
    return TrustedPlace{std::move(readable), name, shared_};
  }

  const std::string& path_;
  const char* const kind_;
  std::string rest_;
  std::string part_ = rest_.starts_with('/') ? "/" : ".";
  Descriptor here_;
  const PlaceUse use_;
  mode_t mode_ = 0;
  bool shared_ = false;
  int links_ = 0;
  bool link_names_file_ = false;
};

}  // namespace

Error users_file_error(Minor minor, const std::string& path, const std::string& what) {
  return place_error(kUsersFile, minor, path, what);
}

Error users_file_errno(const std::string& path, const std::string& what) {
  const char* text = std::strerror(errno);
  return users_file_error(Minor::kUsersFileOpen, path, what + ": " + text);
}

bool is_only_name(int directory, const std::string& name, const struct stat& st) noexcept {
  std::this_thread::sleep_for(kClockTick);
  struct stat now;
  return ::fstatat(directory, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_nlink == 1 &&
         FileIdentity::of(now) == FileIdentity::of(st);
}

Status check_only_name(const TrustedPlace& place, const Descriptor& file, const std::string& path) {
  struct stat st;
  if (!place.shared || file.get() < 0) {
    return {};
  }
  if (::fstat(file.get(), &st) != 0) {
    return users_file_errno(path, "cannot examine it");
  }
  return is_only_name(place.directory.get(), place.name, st)
             ? Status()
             : Status(users_file_error(Minor::kUsersFileMode, path,
                                       std::string("it").append(kOtherNames)));
}

Result<TrustedPlace> resolve_trusted_place(const std::string& path, PlaceUse use,
                                           const char* kind) {
  return Walk(path, use, kind).run();
}

}  // namespace gssntlm
