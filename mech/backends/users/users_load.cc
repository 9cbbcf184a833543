#include "mech/backends/users/users_load.h"

#include <cerrno>
#include <cstring>

#include "mech/backends/users/trusted_path.h"
#include "mech/backends/users/users_access.h"
#include "mech/base/scrub.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

using Faulty = std::optional<UsersFault>;

UsersFault mode_fault(const std::string& path, const std::string& what, bool lasting) {
  return {Minor::kUsersFileMode, "users file " + printable_utf8(path) + ": " + what, lasting};
}

Faulty check_access(const Descriptor& file, const std::string& path, const struct stat& st,
                    Readers readers) {
  if (!S_ISREG(st.st_mode)) {
    return mode_fault(path, "not a regular file", true);
  }
  if (const std::optional<std::string> exposure = exposure_of(file.get(), st, readers)) {
    return mode_fault(path, *exposure, true);
  }
  // The file does not show a change of its directory.
  const std::optional<std::string> exposure = exposure_of_directory(path);
  return exposure ? Faulty(mode_fault(path, *exposure, false)) : std::nullopt;
}

// Not read yet.
UsersLoad open_file(const Descriptor& file, const std::string& path, Readers readers) {
  UsersLoad load;
  struct stat st;
  if (file.get() < 0 || ::fstat(file.get(), &st) != 0) {
    load.fault = users_open_fault(path, std::strerror(errno));
    return load;
  }
  load.identity = FileIdentity::of(st);
  load.fault = check_access(file, path, st, readers);
  return load;
}

UsersLoad load_opened(const Descriptor& file, const std::string& path,
                      std::optional<CodePage> lm_page, Readers readers) {
  UsersLoad load = open_file(file, path, readers);
  if (load.fault) {
    return load;
  }
  auto table = std::make_shared<UsersTable>(lm_page);
  load.fault = read_users_lines({file.get(), load.identity.size}, path,
                                [&](std::string_view line) { return table->add_line(line); });
  if (!load.fault) {
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
    look.fault = users_open_fault(path, std::strerror(errno));
  }
  return look;
}

std::optional<UsersFault> check_users_file(const std::string& path, const FileIdentity& identity,
                                           Readers readers) {
  const UsersLoad load = open_file(open_to_read(path.c_str()), path, readers);
  return load.fault || load.identity == identity
             ? load.fault
             : users_open_fault(path, "it was replaced meanwhile; try again");
}

UsersLoad load_users(const std::string& path, std::optional<CodePage> lm_page, Readers readers) {
  return clearing_deep_stack(
      [&] { return load_opened(open_to_read(path.c_str()), path, lm_page, readers); });
}

Result<std::shared_ptr<const UsersTable>> load_users_table(const std::string& path,
                                                           Readers readers) {
  const Result<TrustedPlace> place = resolve_trusted_place(path, PlaceUse::kRead);
  if (!place) {
    return place.error();
  }
  const Descriptor file = open_to_read_in(place->directory.get(), place->name.c_str());
  if (Status s = check_only_name(*place, file, path); !s) {
    return s.error();
  }
  UsersLoad load = load_opened(file, path, std::nullopt, readers);
  if (load.fault) {
    return error_of(*load.fault);
  }
  return std::move(load.table);
}

}  // namespace gssntlm
