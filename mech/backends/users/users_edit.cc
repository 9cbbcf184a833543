#include "mech/backends/users/users_edit.h"

#include "mech/backends/users/edit_lock.h"
#include "mech/backends/users/file_replacement.h"
#include "mech/backends/users/trusted_path.h"
#include "mech/backends/users/users_read.h"
#include "mech/base/text.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

Status check_owner(const std::string& path, uid_t owner, uid_t wanted) {
  if (is_ambiguous(owner)) {
    return users_file_error(
        Minor::kUsersFileMode, path,
        "it belongs to " + owner_text(owner) + "; run this where its owner has a number");
  }
  if (owner == wanted) {
    return {};
  }
  const std::string user = owner_text(owner);
  return users_file_error(Minor::kUsersFileMode, path,
                          "it belongs to " + user + ", not to user " + std::to_string(wanted) +
                              "; run this as " + user + ", or as root with --owner " +
                              std::to_string(owner));
}

Status replace_file(const TrustedPlace& place, const std::string& path, const OpenedFile& original,
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

mode_t narrowed_from(const OpenedFile& original) noexcept {
  const mode_t mode = original.st.st_mode & 07777;
  return narrowed_mode(mode, original.st.st_uid) == mode ? 0 : mode;
}

}  // namespace

Result<Edited> edit_users_file(const std::string& path, const EditOptions& options,
                               const std::function<Status(UsersText&)>& change) {
  const uid_t owner = options.owner ? options.owner->user : ::geteuid();
  const Result<TrustedPlace> place = resolve_trusted_place(path, PlaceUse::kEdit);
  if (!place) {
    return place.error();
  }
  const Result<EditLock> lock = EditLock::take(*place, path, options.patience);
  if (!lock) {
    return lock.error();
  }
  const Result<OpenedFile> original = open_users_file(*place, path, options.create);
  if (!original) {
    return original.error();
  }
  if (Status s = original->exists() ? check_owner(path, original->st.st_uid, owner) : Status();
      !s) {
    return s.error();
  }
  Result<UsersText> users = original->exists() ? read_users_text(*original, path) : UsersText();
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
  return Edited{narrowed_from(*original), original->exists() && original->st.st_nlink > 1};
}

}  // namespace gssntlm
