// settings: what is in force, and the example file.
#include <cstdio>

#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace gssntlm::tools {
namespace {

constexpr std::size_t kWidth = 78;

// A comment, broken at blanks.
void print_comment(std::string_view text) {
  std::string line = "#";
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.size() + 1 + word.size() > kWidth) {
      std::puts(line.c_str());
      line = "#";
    }
    line.append(" ").append(word);
  }
  std::puts(line.c_str());
}

int print_example() {
  std::puts(
      "# Settings of the NTLM mechanism for GSSAPI, to be put at\n"
      "# /etc/gss/ntlm-settings.conf. Each is shown at its default: remove the # in\n"
      "# front of one to change it. A mistake is an error of every login that names\n"
      "# file and line; gss-ntlm doctor finds it too. Manual: gss-ntlm(5).\n"
      "#\n"
      "# A list may go on in the next line if that is indented. Lines are at most\n"
      "# 197 bytes.");
  const Settings defaults;
  std::string_view section;
  for (const SettingKey& key : setting_keys()) {
    if (key.section != section) {
      section = key.section;
      std::printf("\n[%.*s]\n", static_cast<int>(section.size()), section.data());
    }
    std::puts("");
    print_comment(key.about);
    print_comment("Write " + std::string(key.form) + ".");
    const std::string value = key.get(defaults);
    std::printf("#%.*s =%s%s\n", static_cast<int>(key.name.size()), key.name.data(),
                value.empty() ? "" : " ", value.c_str());
  }
  return kDone;
}

int print_settings(bool changed_only) {
  const Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    return complain(settings.error());
  }
  const Settings defaults;
  for (const SettingKey& key : setting_keys()) {
    const std::string value = key.get(**settings);
    if (!changed_only || value != key.get(defaults)) {
      std::printf("%.*s.%.*s = %s\n", static_cast<int>(key.section.size()), key.section.data(),
                  static_cast<int>(key.name.size()), key.name.data(),
                  printable_utf8(value).c_str());
    }
  }
  return kDone;
}

}  // namespace

void add_settings_command(Command program, int& status) {
  struct Options {
    bool example = false;
    bool changed = false;
  };
  auto o = std::make_shared<Options>();
  Command command = program.add_command(
      "settings", "Show the settings in force, from file, environment and system");
  command.add_flag("--changed", o->changed, "Only those that differ from their defaults");
  command.add_flag("--example", o->example, "The commented example file instead");
  command.footer("Example: gss-ntlm settings --changed");
  command.callback(
      [o, &status] { status = o->example ? print_example() : print_settings(o->changed); });
}

}  // namespace gssntlm::tools
