// Exported handshakes and the clocks: how long a token is good, whatever is set meanwhile.
#include <ctime>
#include <optional>

#include <sys/syscall.h>
#include <unistd.h>

#include "test/spi/halfway.h"

namespace {

// How far the clocks of this process are ahead.
std::int64_t g_wall = 0;
std::int64_t g_machine = 0;

}  // namespace

// Stands in the place of the C library's, for the module too.
extern "C" int clock_gettime(clockid_t clock, timespec* t) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, t));
  t->tv_sec += static_cast<time_t>(clock == CLOCK_REALTIME   ? g_wall
                                   : clock == CLOCK_BOOTTIME ? g_machine
                                                             : 0);
  return result;
}

namespace gssntlm::test {
namespace {

constexpr const char* kFarm = "farm = web\n";
constexpr const char* kMachine = "";

// Settings of the policy, replaced while the process runs.
class Policy {
 public:
  explicit Policy(const std::string& policy) { set(policy); }
  void set(const std::string& policy) { workshop_.emplace(kUsers, "[policy]\n" + policy); }

 private:
  std::optional<Workshop> workshop_;
};

// Time goes on, for this process alone.
void pass(std::int64_t seconds) {
  g_wall += seconds;
  g_machine += seconds;
}

Outcome import_and_complete(const Halfway& h, const std::string& token) {
  End end;
  const Outcome o = import_context(end, token);
  return o.ok() ? h.complete(end) : o;
}

bool is_expired(const Outcome& o) {
  return o.major == GSS_S_CONTEXT_EXPIRED && o.minor == GSS_NTLM_S_EXPIRED;
}

TEST_CASE("clock: a handshake is imported within its age, in a farm by clocks that differ as much",
          "[spi][export]") {
  for (const std::string farm : {kMachine, kFarm}) {
    const Policy policy(farm + "max_handshake_age = 2m\n");
    for (const Halfway::Role role : kRoles) {
      for (const int seconds : {-130, -110, 110, 130}) {
        CAPTURE(farm, role, seconds);
        Halfway h(role);
        const std::string token = export_halfway(h);
        pass(seconds);
        End end;
        const Outcome o = import_context(end, token);
        CHECK(o.ok() == (std::abs(seconds) < 120));
        CHECK((o.ok() || is_expired(o)));
        CHECK((seconds != -130 || o.text().find("ahead") != std::string::npos));
        CHECK((seconds != 130 || o.text().find("longer ago") != std::string::npos));
        pass(-seconds);
      }
    }
  }
}

TEST_CASE("clock: a handshake that grows too old before it is completed is rejected",
          "[spi][export]") {
  for (const std::string farm : {kMachine, kFarm}) {
    const Policy policy(farm + "max_handshake_age = 1m\n");
    for (const Halfway::Role role : kRoles) {
      CAPTURE(farm, role);
      Halfway h(role);
      End end;
      REQUIRE(import_context(end, export_halfway(h)).ok());
      pass(70);
      const Outcome late = h.complete(end);
      CHECK(is_expired(late));
      CHECK(late.text().find("max_handshake_age") != std::string::npos);
    }
  }
}

TEST_CASE("clock: what was exported is good for as long as was set then, and less if less is now",
          "[spi][export]") {
  for (const std::string farm : {kMachine, kFarm}) {
    for (const Halfway::Role role : kRoles) {
      CAPTURE(farm, role);
      Policy policy(farm + "max_handshake_age = 1m\n");
      Halfway h(role);
      const std::string token = export_halfway(h);
      pass(70);
      policy.set(farm + "max_handshake_age = 1d\n");
      End late;
      CHECK(is_expired(import_context(late, token)));
      Halfway other(role);
      const std::string longer = export_halfway(other);
      pass(70);
      policy.set(farm + "max_handshake_age = 1m\n");
      CHECK(is_expired(import_and_complete(other, longer)));
      policy.set(farm + "max_handshake_age = 1d\n");
      CHECK(import_and_complete(other, longer).ok());
    }
  }
}

TEST_CASE("clock: a handshake that moves on expires when its first export does", "[spi][export]") {
  for (const std::string farm : {kMachine, kFarm}) {
    const Policy policy(farm + "max_handshake_age = 1m\n");
    for (const Halfway::Role role : kRoles) {
      CAPTURE(farm, role);
      Halfway h(role);
      std::string token = export_halfway(h);
      End end;
      REQUIRE(import_context(end, token).ok());
      pass(40);
      REQUIRE(export_context(end, token).ok());
      pass(40);
      CHECK(is_expired(import_and_complete(h, token)));
    }
  }
}

TEST_CASE("clock: a completed handshake is not revived by a longer age", "[spi][export]") {
  for (const std::string farm : {kMachine, kFarm}) {
    for (const Halfway::Role role : kRoles) {
      CAPTURE(farm, role);
      Policy policy(farm + "max_handshake_age = 1d\n");
      Halfway h(role);
      const std::string token = export_halfway(h);
      // The importing process completes it under a short age, and others after it.
      policy.set(farm + "max_handshake_age = 1m\n");
      REQUIRE(import_and_complete(h, token).ok());
      pass(600);
      policy.set(farm + "max_handshake_age = 1d\n");
      const Outcome again = import_and_complete(h, token);
      CHECK(again.minor == GSS_NTLM_S_BAD_STATE);
    }
  }
}

TEST_CASE("clock: a completed handshake is not revived by a clock that is set back",
          "[spi][export]") {
  for (const std::string farm : {kMachine, kFarm}) {
    for (const Halfway::Role role : kRoles) {
      CAPTURE(farm, role);
      const Policy policy(farm);
      Halfway h(role);
      const std::string token = export_halfway(h);
      REQUIRE(import_and_complete(h, token).ok());
      pass(2 * 24 * 60 * 60);
      Halfway other(role);
      REQUIRE(import_and_complete(other, export_halfway(other)).ok());
      CHECK(is_expired(import_and_complete(h, token)));
      g_wall -= 2 * 24 * 60 * 60;
      const Outcome revived = import_and_complete(h, token);
      CHECK(is_expired(revived));
      // The machine's clock, which cannot be set, serves where hosts need not share one.
      Halfway later(role);
      const Outcome o = import_and_complete(later, export_halfway(later));
      CHECK(o.ok() == farm.empty());
      CHECK((o.ok() || (is_expired(o) && o.text().find("set back") != std::string::npos)));
      g_wall += 2 * 24 * 60 * 60;
    }
  }
}

TEST_CASE("clock: a token with times that no export gives is rejected", "[spi][export]") {
  const Policy policy("max_handshake_age = 1d\n");
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    const std::size_t at = find_times(token, 24 * 60 * 60);
    const std::uint64_t begins = number_at(token, at);
    for (const std::uint64_t ends :
         {begins, begins - 1, begins + 24 * 60 * 60 + 1, ~std::uint64_t{0}, std::uint64_t{0}}) {
      std::string bent = token;
      set_number(bent, at + 8, ends);
      repair_checksum(bent);
      End end;
      CHECK(import_context(end, bent).major == GSS_S_DEFECTIVE_TOKEN);
    }
  }
}

}  // namespace
}  // namespace gssntlm::test
