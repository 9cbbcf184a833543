#include "mech/os/host_user.h"

#include <cerrno>
#include <new>
#include <vector>

#include <pwd.h>

namespace gssntlm {
namespace {

// `ask` is getpwnam_r or getpwuid_r with its key.
template <typename Ask>
std::optional<HostUser> look_up(Ask ask) {
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
    if (error != 0 || found == nullptr) {
      return std::nullopt;
    }
    return HostUser{entry.pw_name, entry.pw_uid};
  }
  return std::nullopt;
}

}  // namespace

std::optional<HostUser> host_user_called(const std::string& name) {
  return look_up([&](passwd* entry, char* text, std::size_t size, passwd** found) {
    return ::getpwnam_r(name.c_str(), entry, text, size, found);
  });
}

std::optional<HostUser> host_user_with(uid_t uid) {
  return look_up([&](passwd* entry, char* text, std::size_t size, passwd** found) {
    return ::getpwuid_r(uid, entry, text, size, found);
  });
}

}  // namespace gssntlm
