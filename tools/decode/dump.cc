#include "tools/decode/dump.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "mech/wire/types.h"
#include "tools/decode/encodings.h"

namespace gssntlm::tools {
namespace {

constexpr std::size_t kMostBytesOfLine = 256;

struct DumpLine {
  std::uint64_t offset = 0;
  Bytes bytes;  // what may be bytes; a line's text may look like some more
};

std::string_view first_line(std::string_view text) noexcept {
  return text.substr(0, text.find('\n'));
}

std::string_view without_blanks_before(std::string_view text) noexcept {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::size_t count_digits(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_hex) -
                                  text.begin());
}

int digit_value(char c) noexcept {
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

// The bytes up to the text column: a bar, or a gap that is not the one behind eight bytes.
Bytes bytes_of_line(std::string_view rest) {
  Bytes bytes;
  while (bytes.size() < kMostBytesOfLine) {
    const std::size_t gap = std::min(rest.find_first_not_of(' '), rest.size());
    rest.remove_prefix(gap);
    const std::size_t digits = count_digits(rest);
    const bool bounded = rest.size() == digits || rest[digits] == ' ' || rest[digits] == '\r';
    if (digits == 0 || digits % 2 != 0 || digits > 32 || !bounded) {
      break;
    }
    if (gap > 1 && !bytes.empty() && (gap > 2 || bytes.size() != 8 || digits != 2)) {
      break;
    }
    for (std::size_t i = 0; i < digits; i += 2) {
      bytes.push_back(
          static_cast<std::uint8_t>(digit_value(rest[i]) << 4 | digit_value(rest[i + 1])));
    }
    rest.remove_prefix(digits);
  }
  return bytes;
}

// nullopt: the line has no offset.
std::optional<DumpLine> read_line(std::string_view line) {
  line = without_blanks_before(line);
  line.remove_prefix(line.starts_with("0x") ? 2 : 0);
  const std::size_t digits = count_digits(line);
  if (digits < 4 || digits > 16) {
    return std::nullopt;
  }
  DumpLine out;
  (void)std::from_chars(line.data(), line.data() + digits, out.offset, 16);
  line.remove_prefix(digits);
  line.remove_prefix(line.starts_with(':') ? 1 : 0);
  if (!line.empty() && !is_blank(line[0])) {
    return std::nullopt;
  }
  out.bytes = bytes_of_line(without_blanks_before(line));
  return out;
}

// Lines with the same bytes as the one before are shown as one with a star.
void repeat_line(Bytes& bytes, std::size_t row, std::uint64_t until) {
  if (row == 0 || bytes.size() < row || until > kMaxTokenSize) {
    return;
  }
  while (bytes.size() < until) {
    bytes.push_back(bytes[bytes.size() - row]);
  }
}

class DumpReader {
 public:
  explicit DumpReader(std::string_view text) : text_(text) {}

  std::optional<Dump> run() {
    std::optional<DumpLine> line = take_line();
    if (!line || line->bytes.empty()) {
      return std::nullopt;
    }
    const std::uint64_t start = line->offset;
    while (line && !line->bytes.empty()) {
      const std::size_t taken = at_;
      const bool star = skip_star();
      std::optional<DumpLine> next = take_line();
      const bool follows = next && next->offset > line->offset;
      if (!follows && line->offset == start && start != 0) {
        return std::nullopt;
      }
      add(*line, follows ? next->offset - line->offset : kMostBytesOfLine, star);
      if (star && follows) {
        repeat_line(dump_.bytes, row_, next->offset - start);
      }
      dump_.length = follows ? at_ : taken;
      line = follows ? std::move(next) : std::nullopt;
    }
    return std::move(dump_);
  }

 private:
  std::optional<DumpLine> take_line() {
    const std::string_view line = first_line(text_.substr(at_));
    std::optional<DumpLine> read = at_ < text_.size() ? read_line(line) : std::nullopt;
    at_ = std::min(at_ + line.size() + 1, text_.size());
    return read;
  }
  bool skip_star() {
    const std::string_view line = first_line(text_.substr(at_));
    const bool star = line == "*" || line == "*\r";
    at_ = star ? std::min(at_ + line.size() + 1, text_.size()) : at_;
    return star;
  }
  // `most`: how far the next line is away, of which a star hides some.
  void add(const DumpLine& line, std::uint64_t most, bool star) {
    std::size_t count = line.bytes.size();
    if (!star) {
      count = std::min<std::uint64_t>(count, most);
    }
    // The last line is no longer than the others.
    count = row_ != 0 ? std::min(count, row_) : count;
    row_ = std::max(row_, count);
    dump_.bytes.insert(dump_.bytes.end(), line.bytes.begin(),
                       line.bytes.begin() + static_cast<std::ptrdiff_t>(count));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t row_ = 0;
  Dump dump_;
};

// How many characters separate two groups; 0: there is no other group.
std::size_t separator(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && (is_blank(text[at]) || text[at] == ',' || text[at] == ':' ||
                              text[at] == ';' || text[at] == '-')) {
    ++at;
  }
  return at;
}

std::size_t prefix(std::string_view text) noexcept {
  return text.starts_with("0x") || text.starts_with("0X") || text.starts_with("\\x") ? 2 : 0;
}

}  // namespace

std::optional<Dump> read_dump(std::string_view text) {
  return DumpReader(text).run();
}

HexRun read_hex_run(std::string_view text) {
  HexRun run;
  std::size_t at = 0;
  while (true) {
    const std::size_t start = at + prefix(text.substr(at));
    const std::size_t digits = count_digits(text.substr(start));
    const std::size_t end = start + digits;
    if (digits < 2 || (end < text.size() && is_base64(text[end]) && text[end] != '-')) {
      break;
    }
    run.digits.append(text.substr(start, digits));
    run.length = end;
    at = end + separator(text.substr(end));
    if (digits % 2 != 0 || (at == end && prefix(text.substr(at)) == 0)) {
      break;
    }
  }
  return run;
}

}  // namespace gssntlm::tools
