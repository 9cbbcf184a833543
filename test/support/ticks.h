// Changes of a file that leave no sign, because its file system counts time in ticks.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mech/os/file.h"
#include "test/support/forks.h"

namespace gssntlm::test {

inline FileIdentity identity_of(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? FileIdentity::of(st) : FileIdentity();
}

/// In its place: a text of the size that the file has changes nothing else than its times.
inline bool overwrite(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return write_all(file.get(), as_bytes(text));
}

/// A file system that counts time in ticks, as all do before Linux 6.13; for root alone.
inline bool mount_ticking(const char* directory) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", "", MS_REC | MS_PRIVATE, "") == 0 &&
         ::mount("none", directory, "ramfs", 0, "") == 0;
}

/// In a child: `use` sees `path`, in an empty directory, with `first`, which `second`, of the same
/// size, replaces within one tick; then, when that is to be noticed, `after`. Whether all were
/// true, or nothing could be tried.
template <typename Use, typename After>
bool notices(const std::string& path, const char* first, const char* second, Use use, After after) {
  return holds_in_child([&] {
    if (!mount_ticking(path.substr(0, path.rfind('/')).c_str())) {
      std::printf("no file system that counts time in ticks: nothing was tried\n");
      return true;
    }
    bool good = true;
    bool hidden = false;
    for (int i = 0; i < 500 && good && !hidden; ++i) {
      good = overwrite(path, first);
      const FileIdentity seen = identity_of(path);
      good = good && use(path) && overwrite(path, second);
      hidden = seen == identity_of(path);
    }
    good = good && hidden;
    ::usleep(1000 * (kChangesShow + 100));
    return good && after(path);
  });
}

}  // namespace gssntlm::test
