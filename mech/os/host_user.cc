#include "mech/os/host_user.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include <pwd.h>

#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

using Found = std::optional<HostUser>;

// Of the errors of getpwnam_r(3); its others mean that there is no such user.
bool cannot_tell(int error) noexcept {
  return error == EIO || error == EMFILE || error == ENFILE;
}

// `ask` is getpwnam_r or getpwuid_r with its key.
template <typename Ask>
Result<Found> look_up(Ask ask) {
  constexpr std::size_t kMaxText = std::size_t{1} << 20;
  for (std::vector<char> text(1024); text.size() <= kMaxText; text.resize(4 * text.size())) {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ask(&entry, text.data(), text.size(), &found);
    if (error == ERANGE || error == EINTR) {
      continue;
    }
    if (error == ENOMEM) {
      throw std::bad_alloc();
    }
    if (cannot_tell(error)) {
      return error_with_detail(
          Major::kUnavailable, Minor::kNoLocalUser,
          std::string("the user database cannot be read: ") + std::strerror(error));
    }
    if (error != 0 || found == nullptr) {
      return Found();
    }
    return Found(HostUser{entry.pw_name, entry.pw_uid});
  }
  return Found();
}

}  // namespace

Result<std::optional<HostUser>> host_user_called(const std::string& name) {
  return look_up([&](passwd* entry, char* text, std::size_t size, passwd** found) {
    return ::getpwnam_r(name.c_str(), entry, text, size, found);
  });
}

Result<std::optional<HostUser>> host_user_with(uid_t uid) {
  return look_up([&](passwd* entry, char* text, std::size_t size, passwd** found) {
    return ::getpwuid_r(uid, entry, text, size, found);
  });
}

}  // namespace gssntlm
