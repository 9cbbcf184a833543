#include "tools/decode/page_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "mech/backends/users/trusted_path.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/owner.h"
#include "mech/os/random.h"
#include "tools/console.h"
#include "tools/decode/message.h"

namespace gssntlm::tools {
namespace {

constexpr int kCreate = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

int complain_about(const std::string& path, const std::string& what) {
  return complain(printable_utf8(path) + ": " + what);
}

int complain_errno(const std::string& path) {
  const std::string text = std::strerror(errno);
  return complain_about(path, "cannot be written: " + text);
}

// Whether what is there may be replaced.
bool is_replaceable(const struct stat& st, const std::string& path) {
  if (!S_ISREG(st.st_mode)) {
    complain_about(path, "not a regular file; give another name, or - for standard output");
    return false;
  }
  if (!is_own(st.st_uid)) {
    complain_about(path, "belongs to " + owner_text(st.st_uid) +
                             "; give another name, or - for standard output");
    return false;
  }
  return true;
}

std::string temporary_name(const std::string& name) {
  std::array<std::uint8_t, 8> bytes{};
  return fill_random(bytes) ? name + "." + hex_text(bytes) : std::string();
}

}  // namespace

int write_page(const std::string& path, std::string_view page) {
  struct stat st;
  if (::lstat(path.c_str(), &st) == 0 && !is_replaceable(st, path)) {
    return kFailed;
  }
  const Result<TrustedPlace> place = resolve_trusted_place(path, PlaceUse::kRead, "page");
  if (!place) {
    return complain(last_detail(static_cast<std::uint32_t>(place.error().minor)));
  }
  const int directory = place->directory.get();
  const char* const name = place->name.c_str();
  if (::fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_replaceable(st, path)) {
    return kFailed;
  }
  const std::string temporary = temporary_name(place->name);
  const Descriptor file(::openat(directory, temporary.c_str(), kCreate, 0600));
  if (temporary.empty() || file.get() < 0) {
    return complain_errno(path);
  }
  if (write_all(file.get(), as_bytes(page)) &&
      ::renameat(directory, temporary.c_str(), directory, name) == 0) {
    return kDone;
  }
  const int status = complain_errno(path);
  ::unlinkat(directory, temporary.c_str(), 0);
  return status;
}

}  // namespace gssntlm::tools
