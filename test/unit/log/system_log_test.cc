#include "mech/os/system_log.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mech/os/file.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace gssntlm;

namespace {

// A log's daemon that listens.
class Log {
 public:
  explicit Log(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
  }
  std::string receive() const {
    std::array<char, 4096> text;
    const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  Descriptor socket_;
};

}  // namespace

TEST_CASE("a record reaches the system's log with priority, name and process") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path("log");
  const Log log(path);
  CHECK(check_log(path.c_str()) == 0);
  CHECK(send_to_log("{\"a\":1} %s", path.c_str()) == 0);
  CHECK(log.receive() == "<85>gss-ntlm[" + std::to_string(::getpid()) + "]: {\"a\":1} %s");
  CHECK(log.receive().empty());
}

TEST_CASE("a system's log that is absent or behind is reported in bounded time") {
  const ScratchDirectory scratch;
  const std::string missing = scratch.path("missing");
  CHECK(send_to_log("x", missing.c_str()) == ENOENT);
  CHECK(check_log(missing.c_str()) == ENOENT);
  CHECK(check_log(std::string(200, 'x').c_str()) == ENAMETOOLONG);
  const std::string path = scratch.path("log");
  {
    const Log log(path);
    const auto begun = std::chrono::steady_clock::now();
    int error = 0;
    for (unsigned i = 0; i < 100000 && error == 0; ++i) {
      error = send_to_log("x", path.c_str());
    }
    CHECK(error == EAGAIN);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(60));
  }
  CHECK(send_to_log("x", path.c_str()) == ECONNREFUSED);
}
