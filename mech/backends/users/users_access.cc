#include "mech/backends/users/users_access.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mech/base/bytes.h"
#include "mech/base/text.h"
#include "mech/os/file.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr unsigned kRead = 4;
constexpr unsigned kWrite = 2;

// linux/posix_acl_xattr.h, linux/posix_acl.h: a version, then entries of kEntrySize bytes.
constexpr std::uint32_t kAclVersion = 2;
constexpr std::size_t kHeaderSize = 4;
constexpr std::size_t kEntrySize = 8;
enum AclTag : unsigned {
  kOwner = 0x01,
  kUser = 0x02,
  kOwningGroup = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

struct AclEntry {
  unsigned tag;
  unsigned permissions;
  std::uint32_t id;
};

struct Acl {
  std::array<std::uint8_t, 4096> bytes;
  std::size_t size = 0;

  [[nodiscard]] std::size_t count() const noexcept { return (size - kHeaderSize) / kEntrySize; }
  [[nodiscard]] AclEntry entry(std::size_t i) const noexcept {
    const std::uint8_t* at = &bytes[kHeaderSize + i * kEntrySize];
    return {load_le16(at), load_le16(at + 2), load_le32(at + 4)};
  }
};

enum class AclState { kNone, kPresent, kUnknown };

AclState read_acl(int file, Acl& acl) noexcept {
  const ssize_t size =
      ::fgetxattr(file, "system.posix_acl_access", acl.bytes.data(), acl.bytes.size());
  if (size < 0) {
    return errno == ENODATA || errno == EOPNOTSUPP ? AclState::kNone : AclState::kUnknown;
  }
  acl.size = static_cast<std::size_t>(size);
  return acl.size >= kHeaderSize && load_le32(acl.bytes.data()) == kAclVersion &&
                 (acl.size - kHeaderSize) % kEntrySize == 0
             ? AclState::kPresent
             : AclState::kUnknown;
}

// The most that named users and groups, and the owning group, have.
unsigned mask_of(const Acl& acl) noexcept {
  for (std::size_t i = 0; i < acl.count(); ++i) {
    if (acl.entry(i).tag == kMask) {
      return acl.entry(i).permissions;
    }
  }
  return kRead | kWrite;
}

// What the rule for the owner is, and how the mode is brought into line with it.
std::string rule_for(uid_t owner) {
  return owner == 0
             ? "; a file of root may be readable for its group and for no other; chmod 640 it"
             : "; a file of user " + std::to_string(owner) +
                   " must be readable for that user alone; chmod 600 it";
}

std::optional<std::string> exposed_mode(const struct stat& st, unsigned group, unsigned other) {
  const unsigned allowed = st.st_uid == 0 ? kRead : 0;
  if (other == 0 && (group & ~allowed) == 0) {
    return std::nullopt;
  }
  char text[64];
  std::snprintf(text, sizeof text, "mode %04o lets %s read or change it",
                static_cast<unsigned>(st.st_mode & 07777), other != 0 ? "others" : "its group");
  return text + rule_for(st.st_uid);
}

// An entry of an access control list beyond those that the mode shows.
std::optional<std::string> exposed_entry(const AclEntry& entry, unsigned permissions) {
  const bool changes = (permissions & kWrite) != 0;
  const bool is_user = entry.tag == kUser;
  if ((permissions & (kRead | kWrite)) == 0 ||
      (is_user && !changes && is_trusted(static_cast<uid_t>(entry.id)))) {
    return std::nullopt;
  }
  const std::string id = std::to_string(entry.id);
  return std::string("its access control list lets ") + (is_user ? "user " : "group ") + id +
         (changes ? " change" : " read") + " it; setfacl -x " + (is_user ? "u:" : "g:") + id +
         " it";
}

// `open`: what everyone may do with it.
std::optional<std::string> exposed_acl(const struct stat& st, const Acl& acl, unsigned open) {
  const unsigned mask = mask_of(acl);
  unsigned group = 0;
  unsigned other = 0;
  for (std::size_t i = 0; i < acl.count(); ++i) {
    const AclEntry entry = acl.entry(i);
    if (entry.tag == kOwningGroup) {
      group = entry.permissions & mask;
    } else if (entry.tag == kOther) {
      other = entry.permissions;
    } else if (entry.tag != kOwner && entry.tag != kMask) {
      if (auto exposed = exposed_entry(entry, entry.permissions & mask)) {
        return exposed;
      }
    }
  }
  return exposed_mode(st, group & ~open, other & ~open);
}

// The user that alone may read by the list, beside the owner.
std::optional<uid_t> only_reader(const Acl& acl) noexcept {
  std::optional<uid_t> reader;
  for (std::size_t i = 0; i < acl.count(); ++i) {
    const AclEntry entry = acl.entry(i);
    const unsigned permissions = entry.permissions & mask_of(acl) & (kRead | kWrite);
    if (entry.tag == kOwner || entry.tag == kMask || permissions == 0) {
      continue;
    }
    if (entry.tag != kUser || permissions != kRead || reader) {
      return std::nullopt;
    }
    reader = static_cast<uid_t>(entry.id);
  }
  return reader;
}

// Root's own remedy is not to make the file root's: it belongs to the service that reads it.
std::string foreign(uid_t owner) {
  const uid_t self = ::geteuid();
  const std::string text = "it belongs to " + owner_text(owner) + ", not to root";
  return self == 0 ? text + "; run this as that user"
                   : text + " or user " + std::to_string(self) +
                         "; chown it to root and the group of that user, and chmod 640 it";
}

bool is_on_tmpfs(int file) noexcept {
  struct statfs fs;
  return ::fstatfs(file, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

}  // namespace

// Inlined, these would put what reads passwords deeper into the stack than it is cleared.
[[gnu::noinline]] std::optional<std::string> exposure_of(int file, const struct stat& st,
                                                         Readers readers) {
  if (!is_trusted(st.st_uid)) {
    return foreign(st.st_uid);
  }
  const auto mode = static_cast<unsigned>(st.st_mode);
  const unsigned open = readers == Readers::kAllOnTmpfs && is_on_tmpfs(file) ? kRead : 0;
  Acl acl;
  switch (read_acl(file, acl)) {
    case AclState::kUnknown:
      return "its access control list cannot be read; setfacl -b it";
    case AclState::kPresent:
      return exposed_acl(st, acl, open);
    case AclState::kNone:
      break;
  }
  return exposed_mode(st, mode >> 3 & 7 & ~open, mode & 7 & ~open);
}

std::optional<uid_t> meant_for_other(const std::string& path) noexcept {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) {
    return std::nullopt;
  }
  if (const bool trusted = is_trusted(st.st_uid); !trusted) {
    return is_ambiguous(st.st_uid) ? std::nullopt : std::optional(st.st_uid);
  }
  const Descriptor file = open_to_read(path.c_str());
  Acl acl;
  return st.st_uid == 0 && ::geteuid() == 0 && file.get() >= 0 &&
                 read_acl(file.get(), acl) == AclState::kPresent
             ? only_reader(acl)
             : std::nullopt;
}

[[gnu::noinline]] std::optional<std::string> exposure_of_directory(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real) {
    if (errno == ENOMEM) {
      throw std::bad_alloc();
    }
    return std::nullopt;
  }
  std::string directory(real.get());
  directory.erase(std::max<std::size_t>(directory.rfind('/'), 1));
  struct stat st;
  if (::stat(directory.c_str(), &st) != 0 || (st.st_mode & S_IWOTH) == 0 ||
      (st.st_mode & S_ISVTX) != 0) {
    return std::nullopt;
  }
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(st.st_mode & 07777));
  return "mode " + std::string(mode) + " of its directory " + printable_utf8(directory) +
         " lets others replace it; chmod o-w that";
}

}  // namespace gssntlm
