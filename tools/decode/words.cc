#include "tools/decode/words.h"

#include <algorithm>

#include "spnego/token.h"
#include "tools/decode/wrapping.h"

namespace gssntlm::tools {
namespace {

constexpr std::string_view kAround = " \t\r\n\"',;\\{}[]()";

}  // namespace

std::string_view trim_front(std::string_view line) noexcept {
  return line.substr(std::min(line.find_first_not_of(kAround), line.size()));
}

std::string_view trim(std::string_view line) noexcept {
  line = trim_front(line);
  return line.substr(0, line.find_last_not_of(kAround) + 1);
}

bool is_token(ByteView bytes) {
  if (!starts_token(bytes)) {
    return false;
  }
  const bool bare = bytes[0] == der_tag::kContext || bytes[0] == der_tag::kContext + 1;
  if (!bare || as_text(bytes).find(std::string_view("NTLMSSP\0", 8)) != std::string_view::npos) {
    return true;
  }
  const std::optional<SpnegoToken> n = read_token(bytes);
  return n && (n->kind == SpnegoToken::Kind::kInit || n->token || n->mic || n->state);
}

bool begins_token(std::string_view digits, Encoding encoding) {
  return starts_token(decode_digits(digits.substr(0, kHeadDigits), encoding).bytes) &&
         is_token(decode_digits(digits, encoding).bytes);
}

std::string http_status(std::string_view line) {
  constexpr std::size_t kMostShown = 80;
  const std::size_t from = line.find_first_not_of("<> \t*");
  line = trim(line.substr(std::min(from, line.size())));
  const std::size_t code = line.find(' ');
  const bool is = line.starts_with("HTTP/") && code < 9 && fits(line.size(), code, 4) &&
                  line[code + 1] >= '2' && line[code + 1] <= '5';
  return is ? std::string(line.substr(0, kMostShown)) : std::string();
}

std::size_t base64_word(std::string_view text) noexcept {
  std::size_t size = 1;
  while (size < text.size() && is_base64(text[size]) &&
         (text[size - 1] != '=' || text[size] == '=')) {
    ++size;
  }
  return size;
}

}  // namespace gssntlm::tools
