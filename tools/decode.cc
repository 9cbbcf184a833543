// decode: explains tokens.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>

#include "mech/backends/users/users_file.h"
#include "mech/base/text.h"
#include "mech/os/file.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/decode_output.h"
#include "tools/tokens.h"

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

constexpr std::size_t kMaxInput = std::size_t{64} << 20;

std::optional<std::string> read_stream(std::istream& in) {
  std::string text;
  char buffer[65536];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxInput) {
      complain("the input is longer than 64 MiB");
      return std::nullopt;
    }
  }
  return text;
}

// An argument is a file when there is one of that name, else the token itself.
std::optional<std::string> read_input(const std::string& input) {
  if (input == "-") {
    return read_stream(std::cin);
  }
  struct stat st;
  if (input.size() < 4096 && ::stat(input.c_str(), &st) == 0) {
    std::ifstream file(input, std::ios::binary);
    if (!file || S_ISDIR(st.st_mode)) {
      complain(printable_utf8(input) + ": cannot be read");
      return std::nullopt;
    }
    return read_stream(file);
  }
  return input;
}

std::optional<std::vector<Token>> read_tokens(const DecodeOptions& o) {
  std::vector<Token> tokens;
  const std::vector<std::string> standard = {"-"};
  const auto& inputs = o.inputs.empty() ? standard : o.inputs;
  for (const std::string& input : inputs) {
    const std::optional<std::string> text = read_input(input);
    if (!text) {
      return std::nullopt;
    }
    const std::size_t before = tokens.size();
    for (Bytes& raw : find_tokens(*text)) {
      Token token = examine(std::move(raw), tokens.empty() ? nullptr : &tokens.back());
      tokens.push_back(std::move(token));
    }
    if (tokens.size() == before) {
      complain(printable_utf8(input, 40) + ": no NTLM or SPNEGO token in it, and no such file");
      return std::nullopt;
    }
  }
  return tokens;
}

// The last AUTHENTICATE with the two messages before it.
struct Exchange {
  const Token* negotiate = nullptr;
  const Token* challenge = nullptr;
  const Token* authenticate = nullptr;
};

Exchange find_exchange(const std::vector<Token>& tokens) {
  Exchange last;
  Exchange current;
  for (const Token& t : tokens) {
    if (t.negotiate) {
      current = {&t, nullptr, nullptr};
    } else if (t.challenge && current.negotiate != nullptr) {
      current.challenge = &t;
    } else if (t.authenticate && current.challenge != nullptr) {
      current.authenticate = &t;
      last = current;
    }
  }
  return last;
}

std::optional<NtHash> hash_from_users(const std::string& path, const Token& authenticate) {
  const auto table = load_users_table(path);
  if (!table) {
    complain(table.error());
    return std::nullopt;
  }
  const AuthenticateMessage& m = *authenticate.authenticate;
  const Result<Bytes> user = utf16le_from_utf8(name_text(authenticate, m.user));
  const Result<Bytes> domain = utf16le_from_utf8(name_text(authenticate, m.domain));
  const std::optional<UserEntry> entry =
      user && domain ? (*table)->find(*user, *domain) : std::nullopt;
  const std::string who = printable_utf8(name_text(authenticate, m.user)) + " of domain \"" +
                          printable_utf8(name_text(authenticate, m.domain)) + "\"";
  if (!entry || !entry->nt_hash) {
    complain(printable_utf8(path) + (entry ? ": no NT hash of " : ": no account ") + who);
    return std::nullopt;
  }
  if (entry->disabled) {
    complain(printable_utf8(path) + ": the account is disabled: " + who);
  }
  return entry->nt_hash->clone();
}

// nullopt: something was complained about.
std::optional<std::vector<Finding>> judge(const DecodeOptions& o,
                                          const std::vector<Token>& tokens) {
  const Exchange e = find_exchange(tokens);
  if (e.authenticate == nullptr) {
    complain("NEGOTIATE, CHALLENGE and AUTHENTICATE are needed, in this order, to say what fails");
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
  std::optional<NtHash> hash;
  if (o.password_stdin) {
    if (const std::optional<SecretBytes> password = read_password({}, true)) {
      hash = hash_password(*password);
    }
  } else {
    hash = hash_from_users(o.users, *e.authenticate);
  }
  if (!hash) {
    return std::nullopt;
  }
  return diagnose(*e.negotiate, *e.challenge, *e.authenticate, *hash, bindings);
}

int complain_errno(const std::string& path, const char* what) {
  const std::string text = std::strerror(errno);
  return complain(printable_utf8(path) + ": " + what + ": " + text);
}

// A new file in the place of the old one, so that no process that has that open reads the
// responses, from which passwords can be guessed; and no link is followed.
int write_page(const std::string& path, const std::string& page) {
  struct stat st;
  if (::lstat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    return complain(printable_utf8(path) +
                    ": not a regular file; give another name, or - for standard output");
  }
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) {
    return complain_errno(path, "cannot be written");
  }
  if (write_all(file.get(), as_bytes(page)) && ::rename(temporary.c_str(), path.c_str()) == 0) {
    return kDone;
  }
  const int status = complain_errno(path, "cannot be written");
  ::unlink(temporary.c_str());
  return status;
}

void show(const DecodeOptions& o, const std::vector<Token>& tokens,
          const std::vector<Finding>& findings) {
  const TextStyle style{wants_colour(), o.bytes};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string text = o.json ? render_json(tokens[i]) + "\n"
                                    : (i == 0 ? "" : "\n") + render_text(tokens[i], i + 1, style);
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  if (!findings.empty()) {
    const std::string text =
        o.json ? render_json(findings) + "\n" : "\n" + render_text(findings, style);
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

int run_decode(const DecodeOptions& o) {
  if (o.password_stdin &&
      (o.inputs.empty() || std::count(o.inputs.begin(), o.inputs.end(), "-") > 0)) {
    complain("--password-stdin takes standard input; give the tokens as files or arguments");
    return kBadUsage;
  }
  const std::optional<std::vector<Token>> tokens = read_tokens(o);
  if (!tokens) {
    return kFailed;
  }
  std::vector<Finding> findings;
  if (o.password_stdin || !o.users.empty()) {
    std::optional<std::vector<Finding>> judged = judge(o, *tokens);
    if (!judged) {
      return kFailed;
    }
    findings = std::move(*judged);
  }
  if (!o.html.empty()) {
    const std::string page = render_html(*tokens, findings);
    if (o.html == "-") {
      std::fwrite(page.data(), 1, page.size(), stdout);
    } else if (write_page(o.html, page) != kDone) {
      return kFailed;
    }
  } else {
    show(o, *tokens, findings);
  }
  const bool faulty =
      std::any_of(tokens->begin(), tokens->end(), [](const Token& t) { return t.fault; });
  const bool bad =
      std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return !f.good; });
  return faulty || bad ? kFailed : kDone;
}

}  // namespace

void add_decode_command(Command program, int& status) {
  auto o = std::make_shared<DecodeOptions>();
  Command command = program.add_command("decode", "Explain NTLM and SPNEGO tokens");
  command.add_option("input", o->inputs,
                     "Tokens (hexadecimal, base64, headers) or files that contain some, curl -v "
                     "logs too; - or nothing: standard input");
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
