// What `gss-ntlm decode` does with its input. Input: what a person may give it: a token,
// hexadecimal digits, base64, headers, a log.
//
// Whatever is found is taken apart and shown: as text without control characters, as one line of
// JSON that parses, as a page into which nothing of the input gets but as text. Fields lie inside
// the token. A token given in another form is found again.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "mech/crypto/derive.h"
#include "test/fuzz/der.h"
#include "test/support/text.h"
#include "tools/decode/encodings.h"
#include "tools/decode/output.h"
#include "tools/decode/search.h"

namespace gssntlm::fuzz {
namespace {

using tools::Token;

constexpr std::string_view kSignature("NTLMSSP\0", 8);

void check_text(std::string_view text) {
  GSSNTLM_HOLDS(std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  }));
}

void check_json(const std::string& line) {
  GSSNTLM_HOLDS(line.find('\n') == std::string::npos);
  GSSNTLM_HOLDS(nlohmann::json::accept(line));
}

// Each `<` begins one of the elements that pages are made of.
void check_html(std::string_view page) {
  constexpr std::string_view kElements[] = {"!DOCTYPE", "a",     "b",    "body",  "div", "h1",
                                            "h2",       "head",  "html", "meta",  "p",   "span",
                                            "style",    "table", "td",   "title", "tr"};
  for (std::size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at + 1)) {
    std::string_view name = page.substr(at + 1);
    name.remove_prefix(name.starts_with('/') ? 1 : 0);
    name = name.substr(0, name.find_first_of(" >"));
    GSSNTLM_HOLDS(std::find(std::begin(kElements), std::end(kElements), name) !=
                  std::end(kElements));
  }
}

void check_token(const Token& token, const tools::Exchange& exchange) {
  for (const tools::Field& field : token.fields) {
    GSSNTLM_HOLDS(fits(token.raw.size(), field.offset, field.size));
    check_text(field.value);
    check_text(field.meaning);
  }
  GSSNTLM_HOLDS(!token.fault || token.fault->offset <= token.raw.size());
  for (const tools::TextStyle style : {tools::TextStyle{false, false}, {false, true}}) {
    check_text(tools::render_text(token, 1, style));
  }
  (void)tools::render_text(token, 1, {true, true});
  check_json(tools::render_json(token, exchange, 1));
}

void check_findings(const std::vector<tools::Finding>& findings) {
  check_text(tools::render_text(findings, {false, false}));
  check_json(tools::render_json(findings));
}

std::vector<tools::Finding> diagnose_last(const std::vector<tools::Exchange>& exchanges) {
  const std::optional<tools::Messages> m = tools::last_checkable(exchanges);
  if (!m) {
    check_text(tools::why_not_checkable(exchanges));
    return {};
  }
  const std::vector<tools::Finding> findings =
      tools::diagnose(m->negotiate, *m->challenge, *m->authenticate,
                      derive_nt_hash(test::wide("Password")), Bytes(16));
  check_findings(findings);
  return findings;
}

std::string base64(ByteView bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

std::string hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

// In each form in which it may stand somewhere.
void check_forms(ByteView token) {
  const auto finds = [&](const std::string& text) {
    const tools::Conversation found = tools::find_tokens(text);
    return found.tokens.size() == 1 && same_bytes(found.tokens[0].bytes, token);
  };
  GSSNTLM_HOLDS(finds(hex(token)));
  GSSNTLM_HOLDS(finds(base64(token)));
  GSSNTLM_HOLDS(finds("> Authorization: Negotiate " + base64(token) + "\r\n> Accept: */*\r\n"));
  GSSNTLM_HOLDS(same_bytes(tools::bytes_from_base64(base64(token)), token));
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  std::vector<tools::Conversation> found;
  found.push_back(tools::find_tokens(as_text(input)));
  found[0].tokens.resize(std::min<std::size_t>(found[0].tokens.size(), 8));
  const std::vector<tools::Exchange> exchanges = tools::examine(std::move(found));
  for (const tools::Exchange& exchange : exchanges) {
    check_text(tools::render_text(exchange, 1, {false, false}));
    for (const Token& token : exchange.tokens) {
      check_token(token, exchange);
    }
  }
  check_html(tools::render_html(exchanges, diagnose_last(exchanges)));
  check_token(tools::examine(Bytes(input.begin(), input.end()), nullptr), {});
  if (as_text(input).starts_with(kSignature) && size >= 12) {
    check_forms(input);
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Bytes input(data, data + size);
  std::vector<Bytes> tokens;
  for (tools::FoundToken& found : tools::find_tokens(as_text(input)).tokens) {
    tokens.push_back(std::move(found.bytes));
  }
  if (tokens.empty() || chance.one_in(4)) {
    mutate_bytes(input, max, chance);
    return give_back(input, data, max);
  }
  // The tokens changed as such, and in a form of their own again.
  Bytes& chosen = tokens[chance.below(tokens.size())];
  if (as_text(chosen).starts_with(kSignature)) {
    mutate_message(chosen, chance);
  } else {
    mutate_der(chosen, chance);
  }
  if (chance.one_in(4)) {
    return give_back(chosen, data, max);
  }
  std::string text;
  for (const Bytes& token : tokens) {
    text.append(chance.one_in(4) ? "NTLM " : "Negotiate ").append(base64(token)).append("\n");
  }
  return give_back(Bytes(text.begin(), text.end()), data, max);
}
