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
  CLI::App app(
      "NTLM for GSSAPI programs: log in, manage users files, explain tokens, find out what "
      "is wrong.",
      "gss-ntlm");
  app.set_version_flag("--version", "gss-ntlm " GSS_NTLM_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer(
      "Each command has a --help of its own. Manual: gss-ntlm(1).\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage.");
  int status = kDone;
  add_login_commands(app, status);
  add_user_commands(app, status);
  add_decode_command(app, status);
  add_doctor_command(app, status);
  add_settings_command(app, status);
  add_winbind_command(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool asked = e.get_exit_code() == 0;  // --help, --version
    app.exit(e);
    return asked ? kDone : kBadUsage;
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
