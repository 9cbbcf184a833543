#include "mech/backends/users/file_replacement.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "mech/base/text.h"
#include "mech/os/random.h"

namespace gssntlm {
namespace {

constexpr std::size_t kDigits = 12;
constexpr const char* kAccessList = "system.posix_acl_access";

std::string prefix_of(const TrustedPlace& place) {
  return "." + place.name + ".gss-ntlm.";
}

// Empty without randomness.
std::string random_digits() {
  std::array<unsigned char, kDigits / 2> bytes{};
  if (!fill_random(bytes)) {
    return {};
  }
  return hex_text(bytes);
}

bool is_kept(std::string_view attribute) noexcept {
  return attribute == "security.selinux" || attribute == kAccessList ||
         attribute.starts_with("user.");
}

// File systems without extended attributes, or without this one.
bool has_none(int error) noexcept {
  return error == ENOTSUP || error == ENODATA || error == ENOSYS;
}

// Grows with what it asks for; nullopt with errno.
template <typename Ask>
std::optional<std::string> read_growing(Ask ask) {
  std::string text(256, '\0');
  while (true) {
    const ssize_t size = ask(text.data(), text.size());
    if (size >= 0) {
      text.resize(static_cast<std::size_t>(size));
      return text;
    }
    if (errno != ERANGE || text.size() > (std::size_t{1} << 20)) {
      return std::nullopt;
    }
    text.resize(4 * text.size());
  }
}

std::optional<std::string> value_of(int fd, const char* attribute) {
  return read_growing(
      [&](char* to, std::size_t size) { return ::fgetxattr(fd, attribute, to, size); });
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

mode_t narrowed_mode(mode_t mode, uid_t owner) noexcept {
  const mode_t most = owner == 0 ? 0640 : 0600;
  return (mode & 07777 & ~most) == 0 ? mode & most : mode & 0600;
}

Result<FileReplacement> FileReplacement::begin(const TrustedPlace& place, const std::string& path) {
  const std::string digits = random_digits();
  if (digits.empty()) {
    return failure(Minor::kNoRandom);
  }
  std::string name = prefix_of(place) + digits;
  Descriptor file(::openat(place.directory.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    return users_file_errno(path, "cannot write beside it");
  }
  FileReplacement fresh(place, path, std::move(name), std::move(file));
  // A directory's default list would admit more users as soon as the mode has a group.
  if (::fremovexattr(fresh.file_.get(), kAccessList) != 0 && !has_none(errno)) {
    return users_file_errno(path, "cannot remove the inherited access control list");
  }
  return fresh;
}

FileReplacement::FileReplacement(FileReplacement&& other) noexcept
    : place_(other.place_),
      path_(other.path_),
      name_(std::exchange(other.name_, {})),
      file_(std::move(other.file_)) {}

FileReplacement::~FileReplacement() {
  if (!name_.empty()) {
    ::unlinkat(place_->directory.get(), name_.c_str(), 0);
  }
}

Status FileReplacement::copy_attribute(int old, const char* name) {
  const std::optional<std::string> value = value_of(old, name);
  const bool kept = value && (value_of(file_.get(), name) == value ||
                              ::fsetxattr(file_.get(), name, value->data(), value->size(), 0) == 0);
  return kept ? Status()
              : Status(users_file_errno(
                    *path_, std::string("cannot keep its attribute ") + printable_utf8(name)));
}

Status FileReplacement::take_attributes(int old) {
  struct stat st;
  struct stat fresh;
  const bool known = ::fstat(old, &st) == 0 && ::fstat(file_.get(), &fresh) == 0;
  const bool same = known && fresh.st_uid == st.st_uid && fresh.st_gid == st.st_gid;
  if (!known || (!same && ::fchown(file_.get(), st.st_uid, st.st_gid) != 0)) {
    return users_file_errno(*path_, "cannot keep its owner and group");
  }
  const std::optional<std::string> names =
      read_growing([&](char* to, std::size_t size) { return ::flistxattr(old, to, size); });
  if (!names && !has_none(errno)) {
    return users_file_errno(*path_, "cannot read its attributes");
  }
  for (std::size_t at = 0; names && at < names->size(); at += std::strlen(&(*names)[at]) + 1) {
    if (!is_kept(&(*names)[at])) {
      continue;
    }
    if (Status s = copy_attribute(old, &(*names)[at]); !s) {
      return s;
    }
  }
  // Last: it narrows the access control list too.
  return ::fchmod(file_.get(), narrowed_mode(st.st_mode, st.st_uid)) == 0
             ? Status()
             : Status(users_file_errno(*path_, "cannot keep its mode"));
}

Status FileReplacement::give_to(uid_t owner, gid_t group) {
  return ::fchown(file_.get(), owner, group) == 0
             ? Status()
             : Status(users_file_errno(*path_, "cannot give it to its owner"));
}

Status FileReplacement::commit(ByteView contents, const std::optional<FileIdentity>& old) {
  if (!write_all(file_.get(), contents) || ::fsync(file_.get()) != 0) {
    return users_file_errno(*path_, "cannot write its new contents");
  }
  const int directory = place_->directory.get();
  struct stat now;
  const bool exists = ::fstatat(directory, place_->name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0;
  if (exists != old.has_value() || (exists && !(*old == FileIdentity::of(now)))) {
    return users_file_error(Minor::kUsersFileOpen, *path_,
                            "another program changed it meanwhile, so nothing was written; try "
                            "again");
  }
  if (::renameat(directory, name_.c_str(), directory, place_->name.c_str()) != 0) {
    return users_file_errno(*path_, "cannot take its place");
  }
  name_.clear();
  // The new file is in place; a directory that cannot be synced may lose it to a power cut alone.
  ::fsync(directory);
  return {};
}

void remove_leftovers(const TrustedPlace& place) {
  Descriptor again(::openat(place.directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDirectory> directory(again.get() < 0 ? nullptr
                                                                       : ::fdopendir(again.get()));
  if (!directory) {
    return;
  }
  (void)again.release();
  const std::string prefix = prefix_of(place);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    const bool ours =
        name.size() == prefix.size() + kDigits && name.starts_with(prefix) &&
        name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
    if (ours) {
      ::unlinkat(place.directory.get(), entry->d_name, 0);
    }
  }
}

}  // namespace gssntlm
