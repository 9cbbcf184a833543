#include "test/unit/vectors/json.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm::test {
namespace {

constexpr std::size_t kEscapeSize = 6;  // \uXXXX
constexpr char kMark = '\x01';

// 'h' or 'l' if a high or low surrogate is escaped at `at`, else 0.
char surrogate_at(const std::string& text, std::size_t at) {
  if (at + kEscapeSize > text.size() || text[at] != '\\' || text[at + 1] != 'u') {
    return 0;
  }
  const unsigned long unit = std::stoul(text.substr(at + 2, 4), nullptr, 16);
  return unit >= 0xD800 && unit < 0xDC00 ? 'h' : unit >= 0xDC00 && unit < 0xE000 ? 'l' : '\0';
}

}  // namespace

Json load_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  const std::string raw{std::istreambuf_iterator<char>(file), {}};
  std::string text;
  for (std::size_t at = 0; at < raw.size();) {
    const char kind = raw[at] == '\\' ? surrogate_at(raw, at) : '\0';
    if (kind == 'h' && surrogate_at(raw, at + kEscapeSize) == 'l') {
      text.append(raw, at, 2 * kEscapeSize);
      at += 2 * kEscapeSize;
    } else if (kind != 0) {
      text.append("\\u0001").append(raw, at + 2, 4);
      at += kEscapeSize;
    } else {
      const std::size_t size = raw[at] == '\\' ? 2 : 1;
      text.append(raw, at, size);
      at += size;
    }
  }
  return Json::parse(text);
}

Bytes utf16(const std::string& text) {
  Bytes out;
  std::size_t at = 0;
  for (std::size_t mark; (mark = text.find(kMark, at)) != std::string::npos; at = mark + 5) {
    append(out, wide(text.substr(at, mark - at)));
    const auto unit = unhex<2>(text.substr(mark + 1, 4));
    append(out, std::array<std::uint8_t, 2>{unit[1], unit[0]});
  }
  append(out, wide(text.substr(at)));
  return out;
}

}  // namespace gssntlm::test
