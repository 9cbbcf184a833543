// winbind: whether accounts of a domain can log in to this machine.
#include <cstdio>

#include "mech/backends/winbind/winbind_check.h"
#include "mech/config/settings.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace gssntlm::tools {
namespace {

int check() {
  const Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    return complain(settings.error());
  }
  const WinbindCheck check = check_winbind(**settings);
  std::fputs(describe(check).c_str(), stdout);
  return check.good() ? kDone : kFailed;
}

}  // namespace

void add_winbind_command(Command program, int& status) {
  Command command = program.add_command(
      "winbind", "Show winbind's state, and whether it can verify logons for this user");
  command.footer("Example: runuser -u www-data -- gss-ntlm winbind");
  command.callback([&status] { status = check(); });
}

}  // namespace gssntlm::tools
