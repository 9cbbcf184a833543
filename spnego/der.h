// DER [X.690]: elements with one-byte tags and definite lengths. The only reader and writer of it.
#pragma once

#include <array>
#include <cstdint>

#include "mech/base/bytes.h"

namespace gssntlm {

/// Tags of SPNEGO and of RFC 2743 3.1, identifier octets as they are sent.
namespace der_tag {
inline constexpr std::uint8_t kBitString = 0x03;
inline constexpr std::uint8_t kOctetString = 0x04;
inline constexpr std::uint8_t kOid = 0x06;
inline constexpr std::uint8_t kEnumerated = 0x0A;
inline constexpr std::uint8_t kGeneralString = 0x1B;
inline constexpr std::uint8_t kSequence = 0x30;
inline constexpr std::uint8_t kFraming = 0x60;
/// Context-specific, constructed: [0], and [1] to [30] by addition.
inline constexpr std::uint8_t kContext = 0xA0;
}  // namespace der_tag

/// Views of one element, in the bytes that were read. No `whole`: none was read.
struct DerElement {
  ByteView content;
  ByteView whole;
};

/// Reads elements one after the other. The first failure latches: later reads yield nothing, and
/// `where()` stays. Lengths have at most four octets and may be longer than needed, because Windows
/// and Java send such; indefinite ones (BER) are rejected. Never allocates.
class DerReader {
 public:
  explicit DerReader(ByteView in) noexcept : in_(in) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return in_.empty(); }
  /// Where the next element starts, or the one that failed.
  [[nodiscard]] const std::uint8_t* where() const noexcept { return in_.data(); }
  /// The next element is one of tag `tag`.
  [[nodiscard]] bool is_next(std::uint8_t tag) const noexcept {
    return ok_ && !in_.empty() && in_[0] == tag;
  }
  /// The next tag; 0 at the end and after a failure.
  [[nodiscard]] std::uint8_t next_tag() const noexcept {
    return ok_ && !in_.empty() ? in_[0] : std::uint8_t{0};
  }

  /// The next element, which must have the tag `tag`.
  DerElement next(std::uint8_t tag) noexcept;
  /// A reader of what is inside the next element, which must have the tag `tag`. It has failed if
  /// this one has; its own failures are this one's after absorb().
  DerReader enter(std::uint8_t tag) noexcept;
  /// Takes over a failure of `inner`; bytes that `inner` has not read are one.
  void absorb(const DerReader& inner) noexcept;
  /// The element of tag `type` that is all of the next element, which has the tag `outer`.
  DerElement only(std::uint8_t outer, std::uint8_t type) noexcept;
  void fail() noexcept { ok_ = false; }

 private:
  ByteView in_;
  bool ok_ = true;
};

/// Tag and shortest length in front of the content of an element.
struct DerHead {
  std::array<std::uint8_t, 6> octets{};
  std::size_t size = 0;
};

/// The head of an element with `content` bytes of content, less than 4 GiB.
[[nodiscard]] inline DerHead der_head(std::uint8_t tag, std::size_t content) noexcept {
  DerHead head;
  const auto put = [&head](std::size_t octet) noexcept {
    head.octets[head.size++] = static_cast<std::uint8_t>(octet);
  };
  put(tag);
  if (content >= 0x80) {
    unsigned octets = 1;
    while (octets < sizeof(std::uint32_t) && content >> (8 * octets) != 0) {
      ++octets;
    }
    put(0x80 + octets);
    for (unsigned i = octets; i > 1; --i) {
      put(content >> (8 * (i - 1)));
    }
  }
  put(content);
  return head;
}

/// Appends an element with the shortest length. `content` is less than 4 GiB. Throws
/// std::bad_alloc.
inline void append_der(Bytes& to, std::uint8_t tag, ByteView content) {
  const DerHead head = der_head(tag, content.size());
  to.insert(to.end(), head.octets.begin(), head.octets.begin() + head.size);
  to.insert(to.end(), content.begin(), content.end());
}

/// One element with the shortest length. Throws std::bad_alloc.
[[nodiscard]] inline Bytes der(std::uint8_t tag, ByteView content) {
  Bytes out;
  append_der(out, tag, content);
  return out;
}

}  // namespace gssntlm
