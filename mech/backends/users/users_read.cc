#include "mech/backends/users/users_read.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "mech/base/text.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::size_t kFirstRoom = std::size_t{64} << 10;

Error too_large(const std::string& path, std::size_t most) {
  return users_file_error(
      Minor::kUsersFileOpen, path,
      "it is larger than " + std::to_string(most >> 20) + " MiB, the most that is read; split it");
}

// Wipes what it leaves behind.
void grow(SecretBytes& text, std::size_t size) {
  SecretBytes larger{Bytes(size)};
  std::copy_n(text.view().begin(), std::min(text.bytes().size(), size), larger.bytes().begin());
  text = std::move(larger);
}

// All of the file, behind which there may be zeros: `size` bytes count.
Result<SecretBytes> read_bounded(int fd, const std::string& path, std::size_t most,
                                 std::size_t& size) {
  SecretBytes text{Bytes(kFirstRoom)};
  size = 0;
  while (true) {
    const std::optional<std::size_t> got = read_all(fd, text.bytes().subspan(size));
    if (!got) {
      return users_file_errno(path, "cannot read it");
    }
    size += *got;
    if (size > most) {
      return too_large(path, most);
    }
    if (size < text.bytes().size()) {
      return text;
    }
    grow(text, std::min(2 * size, most + 1));
  }
}

Status check_source(const TrustedPlace& place, const OpenedFile& opened, const std::string& path) {
  const struct stat& st = opened.st;
  if (!is_trusted(st.st_uid)) {
    return users_file_error(Minor::kUsersFileMode, path,
                            "it belongs to " + owner_text(st.st_uid) +
                                ", who could change it meanwhile; run this as that user, or chown "
                                "it to root");
  }
  if ((st.st_mode & 022) != 0) {
    char text[64];
    std::snprintf(text, sizeof text, "mode %04o lets others change it; chmod go-w it",
                  static_cast<unsigned>(st.st_mode & 07777));
    return users_file_error(Minor::kUsersFileMode, path, text);
  }
  return check_only_name(place, opened.file, path);
}

}  // namespace

Result<OpenedFile> open_users_file(const TrustedPlace& place, const std::string& path,
                                   bool may_miss) {
  OpenedFile opened;
  opened.file = open_to_read_in(place.directory.get(), place.name.c_str());
  if (!opened.exists()) {
    return may_miss && errno == ENOENT
               ? Result<OpenedFile>(std::move(opened))
               : Result<OpenedFile>(users_file_errno(path, "cannot open it"));
  }
  if (::fstat(opened.file.get(), &opened.st) != 0) {
    return users_file_errno(path, "cannot examine it");
  }
  if (!S_ISREG(opened.st.st_mode)) {
    return users_file_error(Minor::kUsersFileMode, path, "not a regular file");
  }
  return opened;
}

Result<UsersText> read_users_text(const OpenedFile& opened, const std::string& path,
                                  std::size_t most) {
  // Without reading that much of a file that says so itself.
  if (opened.st.st_size > static_cast<off_t>(most)) {
    return too_large(path, most);
  }
  std::size_t size = 0;
  const Result<SecretBytes> text = read_bounded(opened.file.get(), path, most, size);
  if (!text) {
    return text.error();
  }
  // What an edit would then make of it is half a file.
  if (size < static_cast<std::size_t>(opened.st.st_size)) {
    return users_file_error(Minor::kUsersFileOpen, path,
                            "it was cut short while it was read; try again");
  }
  return UsersText::parse(as_text(text->view().first(size)), path);
}

Result<UsersText> read_users_text(const std::string& path) {
  const Result<TrustedPlace> place = resolve_trusted_place(path, PlaceUse::kRead);
  if (!place) {
    return place.error();
  }
  const Result<OpenedFile> opened = open_users_file(*place, path, false);
  if (!opened) {
    return opened.error();
  }
  if (Status s = check_source(*place, *opened, path); !s) {
    return s.error();
  }
  return read_users_text(*opened, path);
}

}  // namespace gssntlm
