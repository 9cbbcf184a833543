// settings: what is in force, the example file, and the settings' sections of the manual page.
#include <cstdio>

#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/config/settings_origin.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/json_output.h"

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

// Calls `section` before the first key of each section, and `entry` for each key with its default.
template <typename Section, typename Entry>
void for_each_key(Section&& section, Entry&& entry) {
  const Settings defaults;
  std::string_view current;
  for (const SettingKey& key : setting_keys()) {
    if (key.section != current) {
      section(key.section, current.empty());
      current = key.section;
    }
    entry(key, key.get(defaults));
  }
}

int print_example() {
  std::puts(
      "# Settings of the NTLM mechanism for GSSAPI, for the file\n"
      "# /etc/gss/ntlm-settings.conf. Each is shown with its default; remove the # in\n"
      "# front of one to change it. A mistake makes every login fail with an error\n"
      "# that names file and line; gss-ntlm doctor reports it too. See gss-ntlm(5).\n"
      "#\n"
      "# A list continues on the next line if that line is indented. A line has at\n"
      "# most 197 bytes.");
  for_each_key([](std::string_view name,
                  bool) { std::printf("\n[%.*s]\n", static_cast<int>(name.size()), name.data()); },
               [](const SettingKey& key, const std::string& value) {
                 std::puts("");
                 print_comment(key.about);
                 print_comment("Write " + key.form() + ".");
                 std::printf("#%.*s =%s%s\n", static_cast<int>(key.name.size()), key.name.data(),
                             value.empty() ? "" : " ", value.c_str());
               });
  return kDone;
}

// Text for mdoc(7): a sentence a line, and no backslash that would be a command.
void print_mdoc(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      out.append("\\e");
    } else if (text.substr(i, 2) == ". ") {
      out.append(".\n");
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  std::puts(out.c_str());
}

int print_manual() {
  for_each_key(
      [](std::string_view name, bool first) {
        std::printf("%s.Ss Section [%.*s]\n.Bl -tag -width Ds\n", first ? "" : ".El\n",
                    static_cast<int>(name.size()), name.data());
      },
      [](const SettingKey& key, const std::string& value) {
        std::printf(".It Li %.*s\n", static_cast<int>(key.name.size()), key.name.data());
        print_mdoc(key.about);
        print_mdoc("Write " + key.form() + ".");
        print_mdoc("Default: " + (value.empty() ? "empty" : value) + ".");
      });
  std::puts(".El");
  return kDone;
}

// `text` as it can be pasted into the file: a long list goes on in indented lines.
std::string broken_list(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = text.find(", ");
    const std::string_view item = text.substr(0, end == std::string_view::npos ? end : end + 2);
    if (column != 0 && column + item.size() > kWidth) {
      out.erase(out.size() - 1);
      out.append("\n  ");
      column = 0;
    }
    out.append(item);
    column += item.size();
    text.remove_prefix(item.size());
  }
  return out;
}

struct SettingsOptions {
  bool example = false;
  bool changed = false;
  bool manual = false;
  bool origin = false;
  bool json = false;
};

// A setting in force.
struct Row {
  const SettingKey& key;
  std::string value;
  std::string origin;
};

void print_rows(const std::vector<Row>& rows, bool with_origin) {
  for (const Row& row : rows) {
    const SettingKey& key = row.key;
    if (with_origin) {
      std::printf("# %s\n", terminal_text(row.origin).c_str());
    }
    std::printf("%.*s.%.*s = %s\n", static_cast<int>(key.section.size()), key.section.data(),
                static_cast<int>(key.name.size()), key.name.data(),
                terminal_text(key.list ? broken_list(row.value) : row.value).c_str());
  }
}

void print_rows_json(const std::vector<Row>& rows, const Settings& settings) {
  const Settings defaults;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    list.push_back({{"section", row.key.section},
                    {"name", row.key.name},
                    {"value", row.value},
                    {"changed", row.value != row.key.get(defaults)},
                    {"origin", row.origin}});
  }
  nlohmann::ordered_json all = {{"file", nullptr}, {"settings", list}};
  if (!settings.source.empty()) {
    all["file"] = settings.source;
  }
  print_json(all);
}

int print_settings(const SettingsOptions& o) {
  const Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    return complain(settings.error());
  }
  const Result<std::vector<std::string>> origins = setting_origins(**settings);
  if (!origins) {
    return complain(origins.error());
  }
  const Settings defaults;
  const auto keys = setting_keys();
  std::vector<Row> rows;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::string value = keys[i].get(**settings);
    if (!o.changed || value != keys[i].get(defaults)) {
      rows.push_back({keys[i], std::move(value), (*origins)[i]});
    }
  }
  if (o.json) {
    print_rows_json(rows, **settings);
  } else {
    print_rows(rows, o.origin);
  }
  return kDone;
}

}  // namespace

void add_settings_command(Command program, int& status) {
  auto o = std::make_shared<SettingsOptions>();
  Command command = program.add_command(
      "settings", "Print the settings in force, from file, environment and system");
  command.add_flag("--changed", o->changed, "Only those that differ from their defaults");
  command.add_flag("--origin", o->origin,
                   "With where each is from: file and line, variable, host name or default");
  command.add_flag("--json", o->json, "One JSON object, with where each is from");
  command.add_flag("--example", o->example, "The commented example file instead");
  command.add_flag("--manual", o->manual,
                   "The settings' sections of gss-ntlm(5), as mdoc, instead");
  command.footer("Example: gss-ntlm settings --changed");
  command.callback([o, &status] {
    status = o->example ? print_example() : o->manual ? print_manual() : print_settings(*o);
  });
}

}  // namespace gssntlm::tools
