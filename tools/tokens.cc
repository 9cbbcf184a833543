#include "tools/tokens.h"

#include <algorithm>

#include "mech/base/text.h"
#include "spnego/token.h"

namespace gssntlm::tools {
namespace {

constexpr std::string_view kSignature("NTLMSSP\0", 8);
constexpr std::size_t kMinEncoded = 16;

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int base64_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool is_base64(char c) noexcept {
  return base64_value(c) >= 0 || c == '=';
}

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_ntlm(ByteView token) noexcept {
  return as_text(token).starts_with(kSignature);
}

bool carries_ntlm(ByteView token) {
  if (is_ntlm(token)) {
    return true;
  }
  const std::optional<SpnegoToken> n = read_token(token);
  return n && (n->kind == SpnegoToken::Kind::kInit || n->token || n->mic || n->state);
}

std::string without_blanks(std::string_view text, bool colons_too) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [&](char c) { return !is_blank(c) && !(colons_too && c == ':'); });
  return out;
}

Bytes decode_run(std::string_view run) {
  const bool hex = run.size() % 2 == 0 && std::all_of(run.begin(), run.end(), is_hex);
  if (hex) {
    Result<Bytes> bytes = bytes_from_hex(run);
    if (bytes && (carries_ntlm(*bytes) || bytes_from_base64(run).empty())) {
      return std::move(*bytes);
    }
  }
  return bytes_from_base64(run);
}

// All of the input is one encoded token, broken into lines perhaps.
Bytes decode_whole(std::string_view input) {
  const std::string hex = without_blanks(input, true);
  if (hex.size() >= 2 && hex.size() % 2 == 0 && std::all_of(hex.begin(), hex.end(), is_hex)) {
    Result<Bytes> bytes = bytes_from_hex(hex);
    if (bytes) {
      return std::move(*bytes);
    }
  }
  const std::string base64 = without_blanks(input, false);
  const bool clean =
      base64.size() >= kMinEncoded && std::all_of(base64.begin(), base64.end(), is_base64);
  return clean ? bytes_from_base64(base64) : Bytes();
}

bool ends_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) {
    return false;
  }
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  };
  const std::string_view tail = text.substr(text.size() - word.size());
  const bool at_start =
      text.size() == word.size() || base64_value(text[text.size() - word.size() - 1]) < 0;
  return at_start && std::equal(tail.begin(), tail.end(), word.begin(), same);
}

// The word before the run is an HTTP scheme that carries our tokens.
bool follows_scheme(std::string_view before) {
  const std::size_t end = before.find_last_not_of(" \t");
  if (end == std::string_view::npos || end + 1 == before.size()) {
    return false;
  }
  const std::string_view text = before.substr(0, end + 1);
  return ends_with_word(text, "negotiate") || ends_with_word(text, "ntlm");
}

}  // namespace

Bytes bytes_from_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') {
    text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) {
    return {};
  }
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) {
      return {};
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return out;
}

std::vector<Bytes> find_tokens(std::string_view input) {
  const ByteView raw = as_bytes(input);
  if (is_ntlm(raw) || (looks_like_spnego(raw) && read_token(raw))) {
    return {Bytes(raw.begin(), raw.end())};
  }
  if (Bytes whole = decode_whole(input); !whole.empty()) {
    return {std::move(whole)};
  }
  std::vector<Bytes> tokens;
  std::size_t at = 0;
  while (at < input.size()) {
    if (!is_base64(input[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < input.size() && is_base64(input[end])) {
      ++end;
    }
    const std::string_view run = input.substr(at, end - at);
    // A header may announce a scheme without a token: "NTLM" and then the next header's name.
    if (run.size() >= kMinEncoded) {
      Bytes token = decode_run(run);
      if (!token.empty() && (carries_ntlm(token) || follows_scheme(input.substr(0, at)))) {
        tokens.push_back(std::move(token));
      }
    }
    at = end;
  }
  return tokens;
}

}  // namespace gssntlm::tools
