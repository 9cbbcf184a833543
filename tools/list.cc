// list: klist for NTLM.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "mech/base/text.h"
#include "mech/config/glob.h"
#include "mech/names/name.h"
#include "tools/console.h"
#include "tools/json_output.h"
#include "tools/keyrings.h"

namespace gssntlm::tools {
namespace {

struct ListOptions {
  std::string target;
  bool json = false;
};

struct Row {
  Login login;
  const char* state;          // a word for programs
  std::uint64_t expires = 0;  // Unix time; 0: with its keyring
  bool used = false;          // for the target
};

Row row_of(const Login& login, const std::optional<Login>& best) {
  const Result<LoginSecret> secret = read_login(login);
  Row row{login, "valid", 0, best && best->key == login.key};
  if (secret) {
    row.expires = secret->expires;
  } else {
    row.state = secret.error().minor == Minor::kExpired ? "expired" : "unreadable";
  }
  return row;
}

std::string left_of(const Row& row) {
  const auto now = static_cast<std::uint64_t>(::time(nullptr));
  return row.state != std::string_view("valid")
             ? (row.state == std::string_view("expired") ? "expired" : "cannot be read")
         : row.expires == 0 ? "as its keyring"
                            : time_left(row.expires > now ? row.expires - now : 0);
}

void show_json(const std::vector<Row>& rows, bool with_target) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json j;
    j["user"] = row.login.user;
    j["domain"] = row.login.domain;
    j["for"] = row.login.pattern;
    j["keyring"] = keyring_name(row.login.keyring);
    j["state"] = row.state;
    j["expires"] =
        row.expires == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(row.expires);
    if (with_target) {
      j["used"] = row.used;
    }
    all.push_back(std::move(j));
  }
  print_json(all);
}

void show_table(const std::vector<Row>& rows, bool with_target) {
  using Cells = std::array<std::string, 5>;
  std::vector<Cells> table = {{"Account", "For", "Keyring", "Time left", "Used"}};
  for (const Row& row : rows) {
    table.push_back(
        {printable_account(row.login.user, row.login.domain), printable_utf8(row.login.pattern),
         std::string(keyring_name(row.login.keyring)), left_of(row), row.used ? "*" : ""});
  }
  const std::size_t columns = with_target ? 5 : 4;
  std::array<std::size_t, 5> widths{};
  for (const Cells& cells : table) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], cells[i].size());
    }
  }
  for (const Cells& cells : table) {
    std::string line;
    for (std::size_t i = 0; i < columns; ++i) {
      line.append(i == 0 ? "" : "  ").append(cells[i]);
      line.append(widths[i] - cells[i].size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

// The kernel does not tell which login an expired key was.
void say_expired(std::size_t count) {
  if (count != 0) {
    complain(std::to_string(count) + (count == 1 ? " login has" : " logins have") +
             " expired; store it again with gss-ntlm login");
  }
}

int run_list(const ListOptions& o) {
  const Result<std::vector<Login>> logins = list_logins(all_keyrings());
  if (!logins) {
    return complain(logins.error());
  }
  say_expired(expired_logins(all_keyrings()));
  const std::string target = target_of_url(o.target);
  std::optional<Login> best;
  if (!target.empty()) {
    LoginQuery query;
    query.target = target;
    Result<std::optional<Login>> found = find_login(query);
    if (found) {
      best = std::move(*found);
    }
  }
  std::vector<Row> rows;
  for (const Login& login : *logins) {
    rows.push_back(row_of(login, best));
  }
  if (o.json) {
    show_json(rows, !target.empty());
  } else if (!rows.empty()) {
    show_table(rows, !target.empty());
  }
  if (rows.empty()) {
    std::fputs("There are no logins. Store one: gss-ntlm login 'DOMAIN\\user'\n", stderr);
    return kFailed;
  }
  return target.empty() || best ? kDone
                                : complain("no login is stored for " + printable_utf8(target));
}

}  // namespace

const std::vector<KeyringKind>& all_keyrings() {
  static const std::vector<KeyringKind> kinds = {KeyringKind::kSession, KeyringKind::kUser,
                                                 KeyringKind::kPersistent};
  return kinds;
}

std::string target_of_url(std::string_view text) {
  struct Scheme {
    std::string_view prefix;
    std::string_view service;
  };
  constexpr std::array<Scheme, 4> kSchemes = {
      {{"https://", "HTTP@"}, {"http://", "HTTP@"}, {"ldaps://", "LDAP@"}, {"ldap://", "LDAP@"}}};
  for (const Scheme& scheme : kSchemes) {
    if (!matches_pattern(std::string(scheme.prefix) + "*", text)) {
      continue;
    }
    std::string_view host = text.substr(scheme.prefix.size());
    host = host.substr(0, host.find_first_of("/?#"));
    host.remove_prefix(host.rfind('@') + 1);
    const std::size_t end = host.starts_with('[') ? host.find(']') : std::string_view::npos;
    host = end != std::string_view::npos ? host.substr(0, end + 1) : host.substr(0, host.find(':'));
    return host.empty() ? std::string(text) : std::string(scheme.service).append(host);
  }
  return std::string(text);
}

void add_list_command(Command program, int& status) {
  auto o = std::make_shared<ListOptions>();
  Command list = program.add_command("list", "List stored logins; exit status 1 if there are none");
  list.add_option("--target", o->target,
                  "Mark the login that a program would use for this target or URL");
  list.add_flag("--json", o->json, "Print one JSON array");
  list.footer("Example: gss-ntlm list --target HTTP@www.corp.example");
  list.callback([o, &status] { status = run_list(*o); });
}

}  // namespace gssntlm::tools
