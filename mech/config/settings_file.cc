#include "mech/config/settings_file.h"

#include <cerrno>
#include <cstring>

#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;

Error file_error(std::string_view path, std::string_view what) {
  return error_with_detail(Major::kFailure, Minor::kBadSetting,
                           "settings file " + printable_utf8(path) + ": " + std::string(what));
}

Status check_file(const std::string& path, const struct stat& st) {
  if (!S_ISREG(st.st_mode)) {
    return file_error(path, "not a regular file");
  }
  if ((st.st_mode & 022) != 0) {
    return file_error(path, "others may change it; chmod go-w it");
  }
  if (!is_trusted(st.st_uid)) {
    return file_error(path, "it belongs neither to root nor to this process' user; chown it");
  }
  return st.st_size > static_cast<off_t>(kMaxFileSize) ? Status(file_error(path, "over 1 MiB"))
                                                       : Status();
}

}  // namespace

Result<std::string> read_settings_file(const std::string& path, SettingsSource& source) {
  const Descriptor file = open_to_read(path.c_str());
  struct stat st;
  if (file.get() < 0 || ::fstat(file.get(), &st) != 0) {
    return file_error(path, std::strerror(errno));
  }
  if (Status s = check_file(path, st); !s) {
    source = {FileIdentity::of(st), st.st_uid};
    return s.error();
  }
  std::string text(static_cast<std::size_t>(st.st_size), '\0');
  const std::optional<std::size_t> have =
      read_all(file.get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!have) {
    return file_error(path, std::strerror(errno));
  }
  if (*have < text.size()) {
    return file_error(path, "it was cut short while it was read; replace it with rename");
  }
  source = {FileIdentity::of(st), st.st_uid};
  return text;
}

}  // namespace gssntlm
