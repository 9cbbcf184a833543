// The commands of the program; each adds itself to the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace gssntlm::tools {

/// Each adds its subcommands to `app`, with callbacks that leave the exit status in `status`.
void add_login_commands(CLI::App& app, int& status);
void add_user_commands(CLI::App& app, int& status);
void add_decode_command(CLI::App& app, int& status);
void add_doctor_command(CLI::App& app, int& status);
void add_settings_command(CLI::App& app, int& status);
void add_winbind_command(CLI::App& app, int& status);

}  // namespace gssntlm::tools
