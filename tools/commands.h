// The commands of the program; each adds itself to the command line.
#pragma once

#include "tools/command_line.h"

namespace gssntlm::tools {

/// Each adds its subcommands to `program`, with callbacks that leave the exit status in `status`.
void add_login_commands(Command program, int& status);
void add_user_commands(Command program, int& status);
void add_decode_command(Command program, int& status);
void add_doctor_command(Command program, int& status);
void add_report_command(Command program, int& status);
void add_settings_command(Command program, int& status);
void add_winbind_command(Command program, int& status);

}  // namespace gssntlm::tools
