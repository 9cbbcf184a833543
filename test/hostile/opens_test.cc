// Every descriptor of the module is closed when its process becomes another program: a thread may
// start one at any moment.
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "test/hostile/own_open.h"
#include "test/support/gss.h"

using namespace gssntlm::test;

namespace {

struct Opened {
  std::string path;
  int flags;
};

std::vector<Opened>* g_opened = nullptr;

}  // namespace

void gssntlm::test::before_open(const char* path, int flags) {
  if (g_opened != nullptr) {
    g_opened->push_back({path, flags});
  }
}

int main() {
  std::vector<Opened> opened;
  const Workshop workshop("CORP:alice:Passw0rd\n");
  const std::string trace = workshop.path("trace");
  const std::string audit = workshop.path("audit");
  const std::string settings =
      workshop.write("settings",
                     "[accounts]\ninitiator = users_file\n[policy]\nrefuse_reflection = no\n"
                     "send_single_host = yes\n[trace]\nfile = " +
                         trace + "\n[audit]\nlog = file\nfile = " + audit + "\n");
  g_opened = &opened;
  bool open = false;
  {
    End initiator;
    End acceptor;
    // Exported half-way, a context says which machine it is of.
    End first;
    End half_way;
    accept_step(Exchange(), half_way, init_step(Exchange(), first, {}));
    OM_uint32 minor = 0;
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    gss_export_sec_context(&minor, &half_way.context, &token);
    gss_release_buffer(&minor, &token);
    open = run(Exchange(), initiator, acceptor);
    if (!open) {
      std::printf("FAIL the handshake: %s, %s\n", initiator.last.text().c_str(),
                  acceptor.last.text().c_str());
    }
  }
  g_opened = nullptr;
  int wrong = open ? 0 : 1;
  for (const std::string& wanted : {workshop.path("users"), settings, trace, audit,
                                    std::string("/proc/sys/kernel/random/boot_id")}) {
    bool seen = false;
    bool kept = false;
    for (const Opened& o : opened) {
      seen = seen || o.path == wanted;
      kept = kept || (o.path == wanted && (o.flags & O_CLOEXEC) == 0);
    }
    const bool good = seen && !kept;
    wrong += good ? 0 : 1;
    std::printf("%s %s is %s\n", good ? "PASS" : "FAIL", wanted.c_str(),
                !seen  ? "never opened"
                : kept ? "open in other programs"
                       : "no other program's");
  }
  return wrong == 0 ? 0 : 1;
}
