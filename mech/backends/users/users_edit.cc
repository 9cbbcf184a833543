#include "mech/backends/users/users_edit.h"

#include <cerrno>

#include <fcntl.h>

#include "mech/backends/users/edit_lock.h"
#include "mech/backends/users/file_replacement.h"
#include "mech/backends/users/trusted_path.h"
#include "mech/base/text.h"
#include "mech/os/file.h"

namespace gssntlm {
namespace {

// A FIFO must not block; its type is an error.
constexpr int kRead = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

Result<SecretBytes> read_all(int fd, const std::string& path) {
  struct stat st;
  if (::fstat(fd, &st) != 0) {
    return users_file_errno(path, "cannot examine it");
  }
  if (!S_ISREG(st.st_mode)) {
    return users_file_error(Minor::kUsersFileMode, path, "not a regular file");
  }
  // In one piece, so that growing leaves no copies behind.
  SecretBytes text{Bytes(static_cast<std::size_t>(st.st_size))};
  MutableBytes rest = text.bytes();
  while (!rest.empty()) {
    const ssize_t got = ::read(fd, rest.data(), rest.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return users_file_errno(path, "cannot read it");
    }
    // What an edit would then make of it is half a file.
    if (got == 0) {
      return users_file_error(Minor::kUsersFileOpen, path,
                              "it was cut short while it was read; try again");
    }
    rest = rest.subspan(static_cast<std::size_t>(got));
  }
  return text;
}

// The file as it was when it was opened.
struct Original {
  Descriptor file{-1};
  struct stat st {};
  [[nodiscard]] bool exists() const noexcept { return file.get() >= 0; }
  [[nodiscard]] std::optional<FileIdentity> identity() const noexcept {
    return exists() ? std::optional(FileIdentity::of(st)) : std::nullopt;
  }
};

Status check_owner(const std::string& path, uid_t owner, uid_t wanted) {
  if (owner == wanted) {
    return {};
  }
  const std::string user = "user " + std::to_string(owner);
  return users_file_error(Minor::kUsersFileMode, path,
                          "it belongs to " + user + ", not to user " + std::to_string(wanted) +
                              "; run this as " + user + ", or as root with --owner " +
                              std::to_string(owner));
}

Result<Original> open_original(const TrustedPlace& place, const std::string& path, bool create,
                               uid_t owner) {
  Original original;
  original.file =
      Descriptor(::openat(place.directory.get(), place.name.c_str(), kRead | O_NOFOLLOW));
  if (!original.exists()) {
    return create && errno == ENOENT ? Result<Original>(std::move(original))
                                     : Result<Original>(users_file_errno(path, "cannot open it"));
  }
  if (::fstat(original.file.get(), &original.st) != 0) {
    return users_file_errno(path, "cannot examine it");
  }
  if (!S_ISREG(original.st.st_mode)) {
    return users_file_error(Minor::kUsersFileMode, path, "not a regular file");
  }
  if (Status s = check_owner(path, original.st.st_uid, owner); !s) {
    return s.error();
  }
  return original;
}

Result<UsersText> read_text(int fd, const std::string& path) {
  const Result<SecretBytes> text = read_all(fd, path);
  if (!text) {
    return text.error();
  }
  return UsersText::parse(as_text(text->view()), path);
}

Status replace_file(const TrustedPlace& place, const std::string& path, const Original& original,
                    const std::optional<FileOwner>& owner, ByteView contents) {
  Result<FileReplacement> fresh = FileReplacement::begin(place, path);
  if (!fresh) {
    return fresh.error();
  }
  Status owned;
  if (original.exists()) {
    owned = fresh->take_attributes(original.file.get());
  } else if (owner) {
    owned = fresh->give_to(owner->user, owner->group);
  }
  return owned ? fresh->commit(contents, original.identity()) : owned;
}

mode_t narrowed_from(const Original& original) noexcept {
  const mode_t mode = original.st.st_mode & 07777;
  return narrowed_mode(mode, original.st.st_uid) == mode ? 0 : mode;
}

}  // namespace

Result<UsersText> read_users_text(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), kRead));
  if (fd.get() < 0) {
    return users_file_errno(path, "cannot open it");
  }
  return read_text(fd.get(), path);
}

Result<Edited> edit_users_file(const std::string& path, const EditOptions& options,
                               const std::function<Status(UsersText&)>& change) {
  const uid_t owner = options.owner ? options.owner->user : ::geteuid();
  const Result<TrustedPlace> place = resolve_trusted_place(path);
  if (!place) {
    return place.error();
  }
  const Result<EditLock> lock = EditLock::take(*place, path, options.patience);
  if (!lock) {
    return lock.error();
  }
  const Result<Original> original = open_original(*place, path, options.create, owner);
  if (!original) {
    return original.error();
  }
  Result<UsersText> users =
      original->exists() ? read_text(original->file.get(), path) : UsersText();
  if (!users) {
    return users.error();
  }
  if (Status s = change(*users); !s) {
    return s.error();
  }
  remove_leftovers(*place);
  const SecretBytes text = users->text();
  if (Status s = replace_file(*place, path, *original, options.owner, text.view()); !s) {
    return s.error();
  }
  return Edited{narrowed_from(*original)};
}

}  // namespace gssntlm
