#include "mech/backends/users/trusted_path.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>

#include "mech/base/text.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

constexpr int kMaxLinks = 40;
constexpr int kOnlyLook = O_PATH | O_NOFOLLOW | O_CLOEXEC;

class Walk {
 public:
  explicit Walk(const std::string& path) : path_(path), rest_(path), here_(start()) {}

  Result<TrustedPlace> run() {
    if (Status s = check_here(); !s) {
      return s.error();
    }
    while (true) {
      const std::string name = take_component();
      if (name.empty()) {
        return users_file_error(Minor::kUsersFileOpen, path_, "it names a directory, not a file");
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
      const char* kind =
          link_names_file_ ? "cannot open what its symbolic link names, " : "cannot open ";
      return users_file_errno(path_, kind + printable_utf8(name));
    }
    struct stat st;
    if (::fstat(next.get(), &st) != 0) {
      return users_file_errno(path_, "cannot examine " + printable_utf8(name));
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
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size() || ++links_ > kMaxLinks) {
      errno = size < 0 ? errno : ELOOP;
      return users_file_errno(path_, "cannot follow the symbolic link " + printable_utf8(name));
    }
    link_names_file_ = link_names_file_ || rest_.empty();
    rest_ = std::string(target.data(), static_cast<std::size_t>(size)).append(rest_);
    if (rest_.starts_with('/')) {
      here_ = start();
      return step_into("/");
    }
    return Step::kOn;
  }

  static bool is_trusted(uid_t owner) noexcept { return owner == 0 || owner == ::geteuid(); }

  Status check_here() const {
    struct stat st;
    if (here_.get() < 0 || ::fstat(here_.get(), &st) != 0) {
      return users_file_errno(path_, "cannot open the directory " + printable_utf8(part_));
    }
    if (!S_ISDIR(st.st_mode)) {
      errno = ENOTDIR;
      return users_file_errno(path_, "cannot pass through " + printable_utf8(part_));
    }
    if (!is_trusted(st.st_uid)) {
      return foreign(part_, "directory", st.st_uid);
    }
    const mode_t others = ::geteuid() == 0 ? 022 : 02;
    if ((st.st_mode & others) != 0 && (st.st_mode & S_ISVTX) == 0) {
      char text[96];
      std::snprintf(text, sizeof text,
                    " has mode %04o, so others can replace the file; chmod go-w it",
                    static_cast<unsigned>(st.st_mode & 07777));
      return users_file_error(Minor::kUsersFileMode, path_,
                              "the directory " + printable_utf8(part_) + text);
    }
    return {};
  }

  Error foreign(const std::string& name, const std::string& kind, uid_t owner) const {
    const std::string user = "user " + std::to_string(owner);
    return users_file_error(Minor::kUsersFileMode, path_,
                            "the " + kind + " " + printable_utf8(name) + " belongs to " + user +
                                ", who could lead the change to another file; run this as " + user +
                                ", or chown it to root");
  }

  // What O_PATH opened can be passed through, not read.
  Result<TrustedPlace> arrive(const std::string& name) const {
    Descriptor readable(::openat(here_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (readable.get() < 0) {
      return users_file_errno(path_, "cannot read its directory");
    }
    return TrustedPlace{std::move(readable), name};
  }

  const std::string& path_;
  std::string rest_;
  std::string part_ = rest_.starts_with('/') ? "/" : ".";
  Descriptor here_;
  int links_ = 0;
  bool link_names_file_ = false;
};

}  // namespace

Error users_file_error(Minor minor, const std::string& path, const std::string& what) {
  return error_with_detail(Major::kFailure, minor,
                           "users file " + printable_utf8(path) + ": " + what);
}

Error users_file_errno(const std::string& path, const std::string& what) {
  const char* text = std::strerror(errno);
  return users_file_error(Minor::kUsersFileOpen, path, what + ": " + text);
}

Result<TrustedPlace> resolve_trusted_place(const std::string& path) {
  return Walk(path).run();
}

}  // namespace gssntlm
