// Text. Input: a byte of options, and text.
//
// UTF-8 and UTF-16LE turn into each other and back to the same bytes, and are refused where a
// decoder written here refuses them; OEM text comes back; capitals stay capitals, and LM hashes are
// made of them; what is shown to people is UTF-8 without control characters; names import as they
// are displayed; patterns match as a plain recursion says; one bit of difference, or one byte more,
// is seen in bytes that are secret.
#include <algorithm>

#include "mech/base/text.h"
#include "mech/config/glob.h"
#include "mech/crypto/derive.h"
#include "mech/names/name.h"
#include "test/fuzz/fuzz.h"

namespace gssntlm::fuzz {
namespace {

// RFC 3629, by ranges of its table.
bool is_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return at(i) >= low && at(i) <= high;
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned c = at(i);
    if (c < 0x80) {
      i += 1;
    } else if (c >= 0xC2 && c <= 0xDF && tail(i + 1)) {
      i += 2;
    } else if (c >= 0xE0 && c <= 0xEF &&
               tail(i + 1, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF) && tail(i + 2)) {
      i += 3;
    } else if (c >= 0xF0 && c <= 0xF4 &&
               tail(i + 1, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF) && tail(i + 2) &&
               tail(i + 3)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

bool is_utf16(ByteView text) {
  if (text.size() % 2 != 0) {
    return false;
  }
  bool high = false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned kind = text[i + 1] & 0xFC;
    if ((kind == 0xDC) != high) {
      return false;
    }
    high = kind == 0xD8;
  }
  return !high;
}

void check_shown(const std::string& shown, std::size_t limit) {
  GSSNTLM_HOLDS(is_utf8(shown));
  GSSNTLM_HOLDS(shown.size() <= limit * 6 + 3 + 4);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto c = static_cast<unsigned char>(shown[i]);
    GSSNTLM_HOLDS(c >= 0x20 && c != 0x7F);
    GSSNTLM_HOLDS(c != 0xC2 || static_cast<unsigned char>(shown[i + 1]) >= 0xA0);
  }
}

void check_utf8(std::string_view text) {
  const Result<Bytes> wide = utf16le_from_utf8(text);
  GSSNTLM_HOLDS(wide.ok() == is_utf8(text));
  check_shown(printable_utf8(text), 256);
  check_shown(printable_utf8(text, 5), 5);
  if (!wide) {
    return;
  }
  GSSNTLM_HOLDS(is_utf16(*wide));
  const Result<std::string> back = utf8_from_utf16le(*wide);
  GSSNTLM_HOLDS(back && *back == text);
}

void check_utf16(ByteView text) {
  const Result<std::string> narrow = utf8_from_utf16le(text);
  GSSNTLM_HOLDS(narrow.ok() == is_utf16(text));
  check_shown(printable_utf16le(text), 256);
  check_shown(printable_utf16le(text, 5), 5);
  if (narrow) {
    const Result<Bytes> back = utf16le_from_utf8(*narrow);
    GSSNTLM_HOLDS(back && same_bytes(*back, text));
  }
  Bytes upper(text.begin(), text.end());
  upcase_utf16le(upper);
  GSSNTLM_HOLDS(equal_ignoring_case(text, upper) == (text.size() % 2 == 0));
  Bytes twice = upper;
  upcase_utf16le(twice);
  GSSNTLM_HOLDS(twice == upper);
  GSSNTLM_HOLDS(is_clean_name(text) == is_clean_name(upper));
}

void check_oem(ByteView text, CodePage page) {
  const Result<Bytes> wide = utf16le_from_oem(text, page);
  if (wide) {
    const Result<Bytes> back = oem_from_utf16le(*wide, page);
    GSSNTLM_HOLDS(back && same_bytes(*back, text));
  }
  const ByteView even = text.first(text.size() / 2 * 2);
  const Result<Bytes> oem = oem_from_utf16le(even, page);
  if (oem) {
    const Result<Bytes> back = utf16le_from_oem(*oem, page);
    GSSNTLM_HOLDS(back && same_bytes(*back, even));
  }
}

// There is one of passwords of at most 14 bytes, whose case does not count.
void check_lm_hash(ByteView password, CodePage page) {
  const ByteView even = password.first(password.size() / 2 * 2);
  Bytes upper(even.begin(), even.end());
  upcase_utf16le(upper);
  const Result<Bytes> oem = oem_from_utf16le(upper, page);
  const std::optional<LmHash> hash = lm_hash_of_password(even, page);
  GSSNTLM_HOLDS(hash.has_value() == (oem && oem->size() <= 14));
  if (hash) {
    const std::optional<LmHash> same = lm_hash_of_password(upper, page);
    GSSNTLM_HOLDS(same && same_bytes(hash->view(), same->view()));
    GSSNTLM_HOLDS(same_bytes(hash->view(), derive_lm_hash(*oem).view()));
  }
}

void check_comparison(ByteView bytes, std::size_t at) {
  Bytes other(bytes.begin(), bytes.end());
  GSSNTLM_HOLDS(verify_equal(bytes, other));
  other.push_back(0);
  GSSNTLM_HOLDS(!verify_equal(bytes, other) && !verify_equal(other, bytes));
  other.pop_back();
  if (!other.empty()) {
    other[at % other.size()] ^= static_cast<std::uint8_t>(1u << at % 8);
    GSSNTLM_HOLDS(!verify_equal(bytes, other));
  }
}

void check_hex(std::string_view text) {
  const Result<Bytes> bytes = bytes_from_hex(text);
  const bool digits = text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  GSSNTLM_HOLDS(bytes.ok() == (digits && text.size() % 2 == 0));
  GSSNTLM_HOLDS(!bytes || bytes->size() == text.size() / 2);
}

void check_name(const Result<Ref<const Name>>& name) {
  if (!name) {
    return;
  }
  const Name& n = **name;
  const Result<Bytes> user = utf16le_from_utf8(n.user_part());
  const Result<Bytes> domain = utf16le_from_utf8(n.domain_part());
  GSSNTLM_HOLDS(user && domain && is_clean_name(*user) && is_clean_name(*domain));
  GSSNTLM_HOLDS(n.equals(n));
  const Result<Ref<const Name>> again =
      n.kind() == NameKind::kUser ? Name::user(n.display()) : Name::service(n.display());
  GSSNTLM_HOLDS(again && (*again)->equals(n));
  GSSNTLM_HOLDS(n.wide_target_spn().ok());
  GSSNTLM_HOLDS(*n.wide_target_spn() == *utf16le_from_utf8(n.target_spn()));
  check_shown(printable_account(n.user_part(), n.domain_part()), 600);
  Serializer out;
  n.save(out);
  Deserializer in(out.view());
  const Result<Ref<const Name>> loaded = Name::load(in);
  GSSNTLM_HOLDS(loaded && in.finished() && (*loaded)->equals(n));
}

// Units in capitals, and no case folding left to do.
bool plain_match(ByteView pattern, ByteView text) {
  if (pattern.empty()) {
    return text.empty();
  }
  const std::uint16_t first = load_le16(pattern.data());
  if (first == '*') {
    return plain_match(pattern.subspan(2), text) ||
           (!text.empty() && plain_match(pattern, text.subspan(2)));
  }
  return !text.empty() && (first == '?' || first == load_le16(text.data())) &&
         plain_match(pattern.subspan(2), text.subspan(2));
}

void check_pattern(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kMostStars = 4;
  (void)matches_any_target({std::string(pattern)}, text);
  (void)matches_exactly({std::string(pattern)}, {text, pattern});
  (void)matches_any_spelling({std::string(pattern)}, {text, {}, text, text},
                             {{"NET", "net.example"}});
  GSSNTLM_HOLDS(pattern_weight(pattern) <= pattern.size());
  Result<Bytes> wide_pattern = utf16le_from_utf8(pattern);
  Result<Bytes> wide_text = utf16le_from_utf8(text);
  const auto stars = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
  if (!wide_pattern || !wide_text) {
    GSSNTLM_HOLDS(!matches_pattern(pattern, text));
  } else if (stars <= kMostStars && text.size() < 40) {
    upcase_utf16le(*wide_pattern);
    upcase_utf16le(*wide_text);
    GSSNTLM_HOLDS(matches_pattern(pattern, text) == plain_match(*wide_pattern, *wide_text));
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr CodePage kPages[] = {CodePage::k437, CodePage::k850, CodePage::k1252};
  Input in({data, size});
  const std::uint8_t options = in.u8();
  const ByteView bytes = in.rest();
  const std::string_view text = as_text(bytes);
  check_utf8(text);
  check_utf16(bytes);
  check_oem(bytes, kPages[options % 3]);
  check_lm_hash(bytes, kPages[options % 3]);
  check_comparison(bytes, options);
  check_hex(text);
  check_name(Name::user(text));
  check_name(Name::service(text));
  const std::size_t middle = std::min<std::size_t>(options >> 2, text.size());
  check_pattern(text.substr(0, middle), text.substr(middle));
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  constexpr std::string_view kPieces[] = {
      "*",   "?",   "\\", "@", "/", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xE2\x80\xAE", "\xED\xA0\x80",
      "DOM", "user"};
  Chance chance(seed);
  Bytes text(data, data + size);
  mutate_text(text, max, kPieces, chance);
  return give_back(text, data, max);
}
