#include "mech/os/system_log.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "mech/os/file.h"

namespace gssntlm {
namespace {

// Facility 10, severity 5 (RFC 3164 4.1.1).
constexpr std::string_view kPriority = "<85>";

Descriptor open_socket() noexcept {
  return Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

int connect_to(const Descriptor& socket, const char* path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) {
    return ENAMETOOLONG;
  }
  std::strcpy(address.sun_path, path);
  constexpr timeval kPatience{0, 250000};
  const bool connected =
      socket.get() >= 0 &&
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) == 0 &&
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return connected ? 0 : errno;
}

}  // namespace

int send_to_log(std::string_view text, const char* path) {
  std::string message(kPriority);
  message.append("gss-ntlm[").append(std::to_string(::getpid())).append("]: ").append(text);
  const Descriptor socket = open_socket();
  if (const int error = connect_to(socket, path); error != 0) {
    return error;
  }
  return ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0 ? 0 : errno;
}

int check_log(const char* path) noexcept {
  return connect_to(open_socket(), path);
}

}  // namespace gssntlm
