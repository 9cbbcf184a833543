// Files, libraries and users of this host.
#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mech/os/file.h"
#include "mech/os/host_user.h"
#include "mech/os/library.h"
#include "test/support/catch.h"

namespace gssntlm {
namespace {

TEST_CASE("os: a file is read to its end, in as many pieces as it comes", "[os]") {
  // Each read of such a socket returns one packet.
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  for (const char* piece : {"four", "more", "left"}) {
    REQUIRE(write_all(to.get(), as_bytes(piece)));
  }
  std::array<std::uint8_t, 8> buffer{};
  CHECK(read_all(from.get(), buffer) == 8);
  CHECK(as_text(buffer) == "fourmore");
  to = Descriptor(-1);
  CHECK(read_all(from.get(), buffer) == 4);
  CHECK(as_text(buffer) == "leftmore");
  CHECK(read_all(from.get(), buffer) == 0);
  CHECK(read_all(from.get(), {}) == 0);
}

TEST_CASE("os: a file is opened without waiting, and not for other programs", "[os]") {
  std::array<std::uint8_t, 8> buffer{};
  const Descriptor directory = open_to_read("/");
  REQUIRE(directory.get() >= 0);
  CHECK((::fcntl(directory.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(directory.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(open_to_read_in(directory.get(), "proc").get() >= 0);
  CHECK(open_to_read_in(open_to_read("/proc").get(), "self").get() < 0);
  CHECK(errno == ELOOP);
  CHECK_FALSE(read_all(directory.get(), buffer));
  CHECK(errno == EISDIR);
  CHECK(open_to_read("/nonexistent/file").get() < 0);
  CHECK(errno == ENOENT);
}

TEST_CASE("os: a user is found by name and by number", "[os]") {
  const auto root = host_user_with(0);
  REQUIRE((root && *root));
  CHECK((*root)->uid == 0);
  const auto same = host_user_called((*root)->name);
  REQUIRE((same && *same));
  CHECK((*same)->uid == 0);
  for (const char* missing : {"no-user-of-this-name", ""}) {
    const auto none = host_user_called(missing);
    REQUIRE(none);
    CHECK_FALSE(*none);
  }
}

TEST_CASE("os: a library, or a function of it, may be missing", "[os]") {
  std::size_t (*length)(const char*) = nullptr;
  const Library c("libc.so.6");
  REQUIRE(c.take("strlen", length));
  CHECK(length("four") == 4);
  CHECK_FALSE(c.take("no_function_of_this_name", length));
  CHECK(length == nullptr);
  CHECK_FALSE(Library("libno-library-of-this-name.so.0").take("strlen", length));
}

}  // namespace
}  // namespace gssntlm
