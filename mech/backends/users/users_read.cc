#include "mech/backends/users/users_read.h"

#include <cerrno>
#include <cstdio>

#include "mech/backends/users/users_lines.h"
#include "mech/os/error_detail.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

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

Result<OpenedFile> open_trusted_users_file(const std::string& path) {
  const Result<TrustedPlace> place = resolve_trusted_place(path, PlaceUse::kRead);
  if (!place) {
    return place.error();
  }
  Result<OpenedFile> opened = open_users_file(*place, path, false);
  if (!opened) {
    return opened;
  }
  if (Status s = check_source(*place, *opened, path); !s) {
    return s.error();
  }
  return opened;
}

Result<UsersText> read_users_text(const OpenedFile& opened, const std::string& path,
                                  std::size_t most) {
  UsersText users;
  const std::optional<UsersFault> fault =
      read_users_lines({opened.file.get(), opened.st.st_size, most}, path,
                       [&](std::string_view line) { return users.add_line(line); });
  if (fault) {
    return error_with_detail(Major::kFailure, fault->minor, fault->text);
  }
  return users;
}

Result<UsersText> read_users_text(const std::string& path) {
  const Result<OpenedFile> opened = open_trusted_users_file(path);
  if (!opened) {
    return opened.error();
  }
  return read_users_text(*opened, path);
}

}  // namespace gssntlm
