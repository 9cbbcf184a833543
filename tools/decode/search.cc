#include "tools/decode/search.h"

#include <algorithm>
#include <utility>

#include "tools/decode/dump.h"
#include "tools/decode/encodings.h"
#include "tools/decode/words.h"
#include "tools/decode/wrapping.h"

namespace gssntlm::tools {
namespace {

// "NTLMSSP\0" in the two encodings; the last character of base64 holds bits of the next byte.
constexpr std::string_view kSignatureHex = "4e544c4d53535000";
constexpr std::string_view kSignatureBase64 = "TlRMTVNTUA";

std::string_view first_line(std::string_view text) noexcept {
  return text.substr(0, text.find('\n'));
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return lower(c); });
  return text;
}

// Nothing but separators of hexadecimal digits.
bool is_separated(std::string_view rest) noexcept {
  return trim(rest).find_first_not_of(":-") == std::string_view::npos;
}

// Digits that an input line holds from some character on.
struct Piece {
  std::string digits;
  Encoding encoding = Encoding::kHex;
  bool whole_line = false;
};

// `/* Packet 4 */` in arrays of C.
std::string without_comments(std::string_view line) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t start = line.find("/*", at);
    const std::size_t end = start == std::string_view::npos ? start : line.find("*/", start + 2);
    out.append(line.substr(at, end == std::string_view::npos ? end : start - at));
    at = end == std::string_view::npos ? line.size() : end + 2;
  }
  return out;
}

// The digits of a line that holds nothing else, or nothing.
std::string digits_of_line(const std::string& plain, Encoding encoding) {
  const std::string_view line = trim(plain);
  if (encoding == Encoding::kHex) {
    HexRun run = read_hex_run(line);
    return is_separated(line.substr(run.length)) ? std::move(run.digits) : std::string();
  }
  return std::all_of(line.begin(), line.end(), is_base64) ? std::string(line) : std::string();
}

class TextSearch {
 public:
  TextSearch(std::string_view text, Budget& budget) : rest_(text), found_(budget) {}

  Conversation run() {
    while (!rest_.empty() && !found_.is_full()) {
      if (std::optional<Dump> dump = read_dump(rest_)) {
        rest_.remove_prefix(dump->length);
        take_bytes(std::move(dump->bytes));
      } else {
        search_line(take_line());
      }
    }
    return found_.finish();
  }

 private:
  std::string_view take_line() {
    const std::string_view line = first_line(rest_);
    rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
    return line;
  }

  void take_bytes(Bytes bytes) {
    const std::vector<Extent> extents = find_extents(bytes);
    if (extents.size() <= 1 && starts_token(bytes)) {
      found_.add_token(std::move(bytes));
      return;
    }
    for (const Extent& e : extents) {
      const ByteView part = ByteView(bytes).subspan(e.offset, e.size);
      found_.add_token(Bytes(part.begin(), part.end()));
    }
  }

  void search_line(std::string_view line) {
    if (const std::string status = http_status(line); !status.empty()) {
      found_.add_status(status);
    }
    const std::string plain = without_comments(line);
    const std::string_view text(plain);
    std::size_t hex_end = 0;  // no run before it holds a token
    for (std::size_t at = 0; at < text.size();) {
      if (at >= hex_end && (is_hex(text[at]) || text[at] == '\\')) {
        const HexRun run = read_hex_run(text.substr(at));
        hex_end = at + run.length;
        at = take_hex(text, at, run) ? hex_end : at;
      }
      at += at < text.size() && is_base64(text[at]) ? take_word(text, at) : 1;
    }
  }

  bool take_hex(std::string_view line, std::size_t at, const HexRun& run) {
    if (run.digits.size() < kMinEncoded) {
      return false;
    }
    const std::string digits = lower(run.digits);
    // An offset or a label may be in front of the first message.
    std::size_t from = 0;
    if (!begins_token(digits, Encoding::kHex)) {
      from = digits.find(kSignatureHex);
      while (from != std::string::npos && from % 2 != 0) {
        from = digits.find(kSignatureHex, from + 1);
      }
    }
    if (from == std::string::npos) {
      return false;
    }
    const bool whole = from == 0 && at == line.size() - trim_front(line).size() &&
                       is_separated(line.substr(at + run.length));
    const std::vector<std::size_t> ends = ends_of_tokens(line.substr(at, run.length), digits, from);
    for (const std::size_t end : ends) {
      take({digits.substr(from, end - from), Encoding::kHex, whole && ends.size() == 1},
           end == digits.size());
      from = end;
    }
    return true;
  }

  // Where tokens end in the digits of `text`: where another group begins a message, behind `from`.
  static std::vector<std::size_t> ends_of_tokens(std::string_view text, const std::string& digits,
                                                 std::size_t from) {
    std::vector<std::size_t> ends;
    std::size_t seen = 0;
    for (std::size_t at = 0; at < text.size();) {
      if (!is_hex(text[at]) || text.substr(at).starts_with("0x")) {
        at += is_hex(text[at]) ? 2 : 1;
        continue;
      }
      const std::string_view rest = text.substr(at);
      const std::size_t size = static_cast<std::size_t>(
          std::find_if_not(rest.begin(), rest.end(), is_hex) - rest.begin());
      if (seen > from && size >= kSignatureHex.size() &&
          digits.compare(seen, kSignatureHex.size(), kSignatureHex) == 0) {
        ends.push_back(seen);
      }
      seen += size;
      at += size;
    }
    ends.push_back(digits.size());
    return ends;
  }

  // How many characters were dealt with.
  std::size_t take_word(std::string_view line, std::size_t at) {
    const std::string_view rest = line.substr(at);
    const std::size_t size = base64_word(rest);
    std::string_view word = rest.substr(0, size);
    if (word.size() < kMinEncoded) {
      return size;
    }
    const bool last = trim(rest.substr(size)).empty();
    const std::size_t inside = word.find(kSignatureBase64);
    const bool token = begins_token(word, Encoding::kBase64);
    if (!token && inside != std::string_view::npos) {
      word.remove_prefix(inside);
    }
    if (token || inside != std::string_view::npos || (last && follows_scheme(line.substr(0, at)))) {
      take({std::string(word), Encoding::kBase64, word.size() == trim(line).size()}, last);
    }
    return size;
  }

  // The text before the word is that of a header, or of a scheme alone.
  static bool follows_scheme(std::string_view before) {
    const std::string text = lower(std::string(trim(before)));
    const std::size_t word = text.find_last_of(" \t:");
    const std::string scheme = word == std::string::npos ? text : text.substr(word + 1);
    if ((scheme != "negotiate" && scheme != "ntlm") || !before.ends_with(' ')) {
      return false;
    }
    const std::string name(trim(text.substr(0, text.size() - scheme.size())));
    return name.empty() || name.ends_with(':') || name == ">" || name == "<";
  }

  // Digits that end their line go on in the next ones if those hold nothing else.
  void take(Piece piece, bool may_continue) {
    const std::size_t width = piece.digits.size();
    while (may_continue && !piece.digits.ends_with('=') &&
           piece.digits.size() < 2 * Budget().bytes) {
      const std::size_t blanks = is_incomplete(piece) ? count_blanks() : 0;
      const std::string line = without_comments(first_line(rest_.substr(blanks)));
      const std::string more = digits_of_line(line, piece.encoding);
      if (more.empty() || begins_token(more, piece.encoding) || !goes_on(piece, more, width)) {
        break;
      }
      rest_.remove_prefix(blanks);
      piece.digits += more;
      // Only the last line may be narrower than the first.
      piece.whole_line = piece.whole_line && more.size() >= width;
      take_line();
    }
    Decoded decoded = decode_digits(piece.digits, piece.encoding);
    found_.add_token(std::move(decoded.bytes), std::move(decoded.damage));
  }

  // Up to the next line that is not empty, after the first if the rest begins with an empty one.
  [[nodiscard]] std::size_t count_blanks() const noexcept {
    const std::size_t text = rest_.find_first_not_of(" \t\r\n");
    const std::size_t end = rest_.substr(0, text).rfind('\n');
    return end == std::string_view::npos ? 0 : end + 1;
  }

  static bool is_incomplete(const Piece& piece) {
    const std::string_view head = std::string_view(piece.digits).substr(0, kHeadDigits);
    const std::size_t have =
        piece.encoding == Encoding::kHex ? piece.digits.size() / 2 : piece.digits.size() * 3 / 4;
    return have < claimed_size(decode_digits(head, piece.encoding).bytes);
  }

  static bool goes_on(const Piece& piece, const std::string& more, std::size_t width) {
    if (is_incomplete(piece)) {
      return true;
    }
    const std::size_t size = piece.digits.size() + more.size();
    const bool fills = piece.encoding == Encoding::kHex || size % 4 == 0 || more.ends_with('=');
    return piece.whole_line && more.size() <= width && fills;
  }

  std::string_view rest_;
  Collector found_;
};

std::string without_blanks(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return !is_blank(c) && c != ':'; });
  return out;
}

// All of the input is one encoded token, whatever its lines are.
Conversation join(std::string_view input, Budget& budget) {
  Collector found(budget);
  const std::string digits = without_blanks(input);
  const bool hex = !digits.empty() && std::all_of(digits.begin(), digits.end(), is_hex);
  const bool base64 = std::all_of(digits.begin(), digits.end(), is_base64);
  const bool word = trim(input).find_first_of(" \t\r\n") == std::string_view::npos;
  if (hex && (word ? digits.size() >= 4 : begins_token(digits, Encoding::kHex))) {
    Decoded decoded = decode_digits(digits, Encoding::kHex);
    found.add_token(std::move(decoded.bytes), std::move(decoded.damage));
  } else if (base64 && digits.size() >= kMinEncoded && begins_token(digits, Encoding::kBase64)) {
    Decoded decoded = decode_digits(digits, Encoding::kBase64);
    found.add_token(std::move(decoded.bytes), std::move(decoded.damage));
  }
  return found.finish();
}

Conversation find_in_binary(ByteView bytes, Budget& budget) {
  Collector found(budget);
  const std::vector<Extent> extents = find_extents(bytes);
  if (extents.size() <= 1 && bytes.size() <= Budget().bytes && is_token(bytes)) {
    found.add_token(Bytes(bytes.begin(), bytes.end()));
    return found.finish();
  }
  for (const Extent& e : extents) {
    const ByteView part = bytes.subspan(e.offset, e.size);
    found.add_token(Bytes(part.begin(), part.end()));
  }
  return found.finish();
}

bool is_binary(std::string_view input) {
  return starts_token(as_bytes(input)) || input.find('\0') != std::string_view::npos;
}

}  // namespace

Conversation find_tokens(std::string_view input) {
  Budget budget;
  const std::string text = without_byte_order_mark(input);
  if (is_binary(text)) {
    Conversation found = find_in_binary(as_bytes(text), budget);
    if (!found.tokens.empty()) {
      return found;
    }
  }
  Conversation found = TextSearch(text, budget).run();
  return found.tokens.empty() ? join(text, budget) : std::move(found);
}

}  // namespace gssntlm::tools
