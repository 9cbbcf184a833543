// The settings file on disk: opened once, checked and read.
#pragma once

#include <string>

#include "mech/base/status.h"
#include "mech/os/file.h"

namespace gssntlm {

/// The file that settings are from, as it was when it was opened.
struct SettingsSource {
  FileIdentity identity;
  uid_t owner = 0;
};

/// The contents of a settings file, which belongs to root or this process' user (is_trusted(),
/// owner.h), to whom alone it is writable, and has at most 1 MiB. Error: kBadSetting; the detail
/// names the file. `source` has an identity unless an error may be gone the next time. Throws
/// std::bad_alloc.
[[nodiscard]] Result<std::string> read_settings_file(const std::string& path,
                                                     SettingsSource& source);

}  // namespace gssntlm
