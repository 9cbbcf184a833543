#include "mech/os/own_process.h"

#include <filesystem>

#include "test/support/catch.h"

namespace gssntlm {
namespace {

TEST_CASE("own process: the executable is the program") {
  CHECK(own_executable() == std::filesystem::read_symlink("/proc/self/exe").string());
}

TEST_CASE("own process: the unit is the innermost service or scope") {
  CHECK(unit_in("0::/system.slice/apache2.service\n") == "apache2.service");
  CHECK(unit_in("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope") ==
        "app-x.scope");
  CHECK(unit_in("5:memory:/x\n1:name=systemd:/system.slice/slapd.service\n0::/\n") ==
        "slapd.service");
  CHECK(unit_in("0::/system.slice/cron.service/inner\n") == "cron.service");
  for (const char* none : {"", "\n", "0::/", "0::/user.slice", "0::/docker/0123.services\n"}) {
    CAPTURE(none);
    CHECK(unit_in(none).empty());
  }
}

}  // namespace
}  // namespace gssntlm
