// A process that has not used the module yet.
#include <cstdio>
#include <functional>

#include "test/hostile/failure_operations.h"
#include "test/support/forks.h"

namespace gssntlm::test::failure {
namespace {

bool first_use(const failing::Plan& plan, int& seen) {
  // A step is one call; the plan goes through all of them.
  failing::Plan rest = plan;
  seen = 0;
  bool refused = false;
  const auto step = [&](const std::function<OM_uint32(OM_uint32*)>& call) {
    OM_uint32 minor = 0;
    failing::arm(rest);
    const OM_uint32 major = call(&minor);
    const int calls = failing::disarm();
    seen += calls;
    rest.at -= calls;
    if (GSS_ERROR(major)) {
      refused = true;
      return major == GSS_S_FAILURE && minor == GSS_NTLM_S_NO_MEMORY;
    }
    return true;
  };
  Cred initiate;
  Cred accept;
  std::string text = "HTTP@server.example";
  gss_buffer_desc value = view(text);
  Name target;
  bool good = step([&](OM_uint32* minor) {
    return spi().import_name(minor, &value, GSS_C_NT_HOSTBASED_SERVICE, &target);
  });
  good = good && (refused || step([&](OM_uint32* minor) {
                    return spi().acquire_cred(minor, nullptr, 0, nullptr, GSS_C_INITIATE, &initiate,
                                              nullptr, nullptr);
                  }));
  good = good && (refused || step([&](OM_uint32* minor) {
                    return spi().acquire_cred(minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &accept,
                                              nullptr, nullptr);
                  }));
  std::string token;
  Context i;
  Context a;
  for (int leg = 0; leg < 4 && good && !refused; ++leg) {
    Buffer out;
    gss_buffer_desc in = view(token);
    good = step([&](OM_uint32* minor) {
      return leg % 2 == 0 ? spi().init_sec_context(minor, initiate, &i, target, &g_mech, kProtected,
                                                   0, nullptr, &in, nullptr, &out, nullptr, nullptr)
                          : spi().accept_sec_context(minor, &a, accept, &in, nullptr, nullptr,
                                                     nullptr, &out, nullptr, nullptr, nullptr);
    });
    token = out.text();
  }
  return good && (refused || (is_open(i) && carries(i, a)));
}

}  // namespace

// In a child for each point: what is kept from then on begins there.
long first_uses(Sweep& sweep, Tally& tally) {
  long points = 0;
  for (const bool on : {false, true}) {
    bool reached = true;
    for (int at = 1; reached; ++at) {
      const int left = in_child([&] {
        int seen = 0;
        const bool good = first_use({Call::kAllocation, at, ENOMEM, on, false}, seen);
        int ignored = 0;
        const bool later = first_use({}, ignored);
        return !good ? 2 : !later ? 3 : seen >= at ? 0 : 1;
      });
      reached = left == 0;
      points += reached ? 1 : 0;
      if (left != 0 && left != 1) {
        std::printf("  first use, allocation %d%s fails: status %d\n", at,
                    on ? " and all after it" : "", left);
        ++tally.failed;
      }
    }
  }
  sweep.close("first use");
  return points;
}

}  // namespace gssntlm::test::failure
