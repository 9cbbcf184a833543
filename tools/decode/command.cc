// decode: explains tokens.
#include <algorithm>
#include <cstdio>

#include "mech/backends/users/users_file.h"
#include "mech/base/text.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/decode/capture.h"
#include "tools/decode/capture_file.h"
#include "tools/decode/input.h"
#include "tools/decode/output.h"
#include "tools/decode/page_file.h"
#include "tools/decode/search.h"

namespace gssntlm::tools {
namespace {

struct DecodeOptions {
  std::vector<std::string> inputs;
  std::string users;
  std::string bindings;
  std::string html;
  bool password_stdin = false;
  bool json = false;
  bool bytes = false;
};

// Complains of what it cannot show, and returns nothing if that is all.
std::vector<Conversation> search(const Input& input) {
  std::vector<Conversation> found;
  std::string reason = no_token_in(input);
  if (is_capture(as_bytes(input.text))) {
    CaptureContent content = read_capture(as_bytes(input.text));
    for (const std::string& note : content.notes) {
      complain(input.name + ": " + note);
    }
    found = std::move(content.conversations);
    reason += ", a capture of " + std::to_string(content.packets) + " packets and " +
              std::to_string(content.connections) + " connections";
  } else {
    found.push_back(find_tokens(input.text));
    if (!found.back().all) {
      complain(input.name + ": more tokens than are shown; only the first are");
    }
  }
  std::erase_if(found, [](const Conversation& c) { return c.tokens.empty(); });
  if (found.empty()) {
    complain(reason);
  }
  return found;
}

std::optional<std::vector<Exchange>> read_exchanges(const DecodeOptions& o) {
  std::vector<Conversation> conversations;
  const std::vector<std::string> standard = {"-"};
  for (const std::string& argument : o.inputs.empty() ? standard : o.inputs) {
    const std::optional<Input> input = read_input(argument);
    std::vector<Conversation> found = input ? search(*input) : std::vector<Conversation>();
    if (found.empty()) {
      return std::nullopt;
    }
    std::move(found.begin(), found.end(), std::back_inserter(conversations));
  }
  return examine(std::move(conversations));
}

// Those of all entries of the account, the newest first; none: something was complained about.
std::vector<NtHash> hashes_from_users(const std::string& path, const Token& authenticate) {
  const auto table = load_users_table(path);
  if (!table) {
    complain(table.error());
    return {};
  }
  const AuthenticateMessage& m = *authenticate.authenticate;
  const Result<Bytes> user = utf16le_from_utf8(name_text(authenticate, m.user));
  const Result<Bytes> domain = utf16le_from_utf8(name_text(authenticate, m.domain));
  std::optional<UserEntry> entry = user && domain ? (*table)->find(*user, *domain) : std::nullopt;
  const std::string who = printable_utf8(name_text(authenticate, m.user)) + " of domain \"" +
                          printable_utf8(name_text(authenticate, m.domain)) + "\"";
  if (!entry || !entry->nt_hash) {
    complain(printable_utf8(path) + (entry ? ": no NT hash of " : ": no account ") + who);
    return {};
  }
  if (entry->disabled) {
    complain(printable_utf8(path) + ": the account is disabled: " + who);
  }
  std::vector<NtHash> hashes;
  hashes.push_back(std::move(*entry->nt_hash));
  while (entry->next != 0) {
    entry = (*table)->entry(entry->next);
    if (entry->nt_hash && !entry->disabled) {
      hashes.push_back(std::move(*entry->nt_hash));
    }
  }
  return hashes;
}

bool proves_password(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
    return f.part == "password" && f.verdict == Verdict::kGood;
  });
}

// nullopt: something was complained about.
std::optional<std::vector<Finding>> judge(const DecodeOptions& o,
                                          const std::vector<Exchange>& exchanges) {
  const std::optional<Messages> e = last_checkable(exchanges);
  if (!e) {
    complain(why_not_checkable(exchanges));
    return std::nullopt;
  }
  std::optional<Bytes> bindings;
  if (!o.bindings.empty()) {
    Result<Bytes> bytes = bytes_from_hex(o.bindings);
    if (!bytes || bytes->size() != 16) {
      complain("--bindings takes the hash of the channel bindings, 32 hexadecimal digits");
      return std::nullopt;
    }
    bindings = std::move(*bytes);
  }
  std::vector<NtHash> hashes;
  if (!o.password_stdin) {
    hashes = hashes_from_users(o.users, *e->authenticate);
  } else if (const std::optional<SecretBytes> password = read_password({}, true)) {
    hashes.push_back(hash_password(*password));
  }
  std::optional<std::vector<Finding>> findings;
  for (const NtHash& hash : hashes) {
    std::vector<Finding> of_hash =
        diagnose(e->negotiate, *e->challenge, *e->authenticate, hash, bindings);
    const bool proven = proves_password(of_hash);
    if (proven || !findings) {
      findings = std::move(of_hash);
    }
    if (proven) {
      break;
    }
  }
  return findings;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void show_text(const DecodeOptions& o, const std::vector<Exchange>& exchanges) {
  const TextStyle style{wants_colour(), o.bytes};
  std::size_t number = 0;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    const Exchange& e = exchanges[i];
    if (exchanges.size() > 1 || !e.connection.empty()) {
      print((i == 0 ? "" : "\n") + render_text(e, i + 1, style));
    }
    for (const Token& token : e.tokens) {
      print((number == 0 ? "" : "\n") + render_text(token, number + 1, style));
      ++number;
    }
  }
}

void show_json(const std::vector<Exchange>& exchanges) {
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    for (const Token& token : exchanges[i].tokens) {
      print(render_json(token, exchanges[i], i + 1) + "\n");
    }
  }
}

void show(const DecodeOptions& o, const std::vector<Exchange>& exchanges,
          const std::vector<Finding>& findings) {
  if (o.json) {
    show_json(exchanges);
    print(findings.empty() ? "" : render_json(findings) + "\n");
    return;
  }
  show_text(o, exchanges);
  print(findings.empty() ? "" : "\n" + render_text(findings, {wants_colour(), o.bytes}));
}

bool is_faulty(const Exchange& e) {
  return std::any_of(e.tokens.begin(), e.tokens.end(), [](const Token& t) { return t.fault; });
}

int run_decode(const DecodeOptions& o) {
  if (o.password_stdin &&
      (o.inputs.empty() || std::count(o.inputs.begin(), o.inputs.end(), "-") > 0)) {
    complain("--password-stdin takes standard input; give the tokens as files or arguments");
    return kBadUsage;
  }
  const std::optional<std::vector<Exchange>> exchanges = read_exchanges(o);
  if (!exchanges) {
    return kFailed;
  }
  std::vector<Finding> findings;
  int status = kDone;
  if (o.password_stdin || !o.users.empty()) {
    std::optional<std::vector<Finding>> judged = judge(o, *exchanges);
    status = judged ? kDone : kFailed;
    findings = judged ? std::move(*judged) : findings;
  }
  if (o.html.empty()) {
    show(o, *exchanges, findings);
  } else if (o.html == "-") {
    print(render_html(*exchanges, findings));
  } else if (write_page(o.html, render_html(*exchanges, findings)) != kDone) {
    return kFailed;
  }
  const bool faulty = std::any_of(exchanges->begin(), exchanges->end(), is_faulty);
  const bool bad = std::any_of(findings.begin(), findings.end(),
                               [](const Finding& f) { return f.verdict == Verdict::kBad; });
  return faulty || bad ? kFailed : status;
}

}  // namespace

void add_decode_command(Command program, int& status) {
  auto o = std::make_shared<DecodeOptions>();
  Command command = program.add_command("decode", "Explain NTLM and SPNEGO tokens");
  command.add_option("input", o->inputs,
                     "Tokens (hexadecimal, base64, headers, dumps) or files that contain some, "
                     "captures (pcap, pcapng) and logs of curl -v for instance; - or nothing: "
                     "standard input");
  command.add_flag("--json", o->json, "One JSON object a token, one a line");
  command.add_flag("--bytes", o->bytes, "With offsets and bytes");
  command.add_option("--html", o->html,
                     "Write one page that shows the exchange to this file, which only its "
                     "owner can read, or to standard output (-)");
  Option users = command.add_option(
      "--users", o->users, "Find out what fails, with the account's hash from this users file");
  command
      .add_flag("--password-stdin", o->password_stdin,
                "Find out what fails, with the password from standard input")
      .excludes(users);
  command.add_option("--bindings", o->bindings,
                     "The hash of the channel's bindings, to compare (32 hexadecimal digits)");
  command.footer(
      "Exit status 1 if a token is malformed or a check fails.\n"
      "Example: curl -v --negotiate -u : URL 2>&1 | gss-ntlm decode");
  command.callback([o, &status] { status = run_decode(*o); });
}

}  // namespace gssntlm::tools
