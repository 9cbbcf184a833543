// gss-ntlm: logins, users files, tokens and the state of NTLM on this machine.
#include <cstdio>
#include <exception>
#include <new>

#include <unistd.h>

#include "tools/commands.h"
#include "tools/console.h"

using namespace gssntlm::tools;

namespace {

int run(int argc, char** argv) {
  CommandLine line("gss-ntlm",
                   "NTLM for GSSAPI programs: log in, manage users files, explain tokens, find out "
                   "what is wrong.",
                   "gss-ntlm " GSS_NTLM_VERSION);
  Command program = line.program();
  program.require_command();
  program.footer(
      "Each command has a --help of its own. Manual: gss-ntlm(1).\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage.");
  int status = kDone;
  add_login_commands(program, status);
  add_user_commands(program, status);
  add_decode_command(program, status);
  add_doctor_command(program, status);
  add_report_command(program, status);
  add_settings_command(program, status);
  add_winbind_command(program, status);
  if (const std::optional<int> ended = line.parse(argc, argv)) {
    return *ended;
  }
  return std::fflush(stdout) == 0 ? status : complain("standard output cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  // Where memory ends while it is given back, in libraries that need some for that.
  std::set_terminate([] {
    complain("out of memory");
    ::_exit(kFailed);
  });
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    return complain("out of memory");
  } catch (const std::exception& e) {
    return complain(e.what());
  }
}
