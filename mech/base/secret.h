// Secrets: wiped on destruction, copied only explicitly, compared only by verify_equal().
#pragma once

#include <array>
#include <cstring>

#include "mech/base/bytes.h"

namespace gssntlm {

/// Zeros `bytes`; the compiler cannot remove the stores.
inline void wipe(MutableBytes bytes) noexcept {
  if (bytes.data() != nullptr) {
    explicit_bzero(bytes.data(), bytes.size());
  }
}

/// The same for small arrays, inlined.
template <typename T, std::size_t N>
void wipe(std::array<T, N>& words) noexcept {
  words.fill(0);
  // The compiler must assume that this statement reads the zeros.
  asm volatile("" : : "r"(words.data()) : "memory");
}

/// N secret bytes. The tag makes secrets of different meaning distinct types. Moving wipes the
/// source; copying is spelled clone(). Compare with verify_equal (crypto/primitives.h) only.
template <typename Tag, std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() noexcept : bytes_{} {}
  explicit Secret(std::span<const std::uint8_t, N> bytes) noexcept {
    std::memcpy(bytes_.data(), bytes.data(), N);
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { clear(); }

  [[nodiscard]] Secret clone() const noexcept { return Secret(view()); }
  void clear() noexcept { wipe(bytes_); }

  [[nodiscard]] std::span<const std::uint8_t, N> view() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> bytes() noexcept { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_;
};

using NtHash = Secret<struct NtHashTag, 16>;            ///< NTOWFv1, password-equivalent
using LmHash = Secret<struct LmHashTag, 16>;            ///< LMOWFv1
using ResponseKey = Secret<struct ResponseKeyTag, 16>;  ///< NTOWFv2 = LMOWFv2
using SessionBaseKey = Secret<struct BaseKeyTag, 16>;   ///< [MS-NLMP] 3.3.1, 3.3.2
using KeyExchangeKey = Secret<struct KxKeyTag, 16>;     ///< [MS-NLMP] 3.4.5.1
using SessionKey = Secret<struct SessionKeyTag, 16>;    ///< ExportedSessionKey
using SigningKey = Secret<struct SigningKeyTag, 16>;    ///< [MS-NLMP] 3.4.5.2

/// Secret bytes of any length, e.g. a password; wiped on destruction.
class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  explicit SecretBytes(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit SecretBytes(Bytes&& bytes) noexcept : bytes_(std::move(bytes)) {}
  SecretBytes(SecretBytes&&) noexcept = default;
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe(bytes_);
      bytes_ = std::move(other.bytes_);
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(bytes_); }

  [[nodiscard]] ByteView view() const noexcept { return bytes_; }
  [[nodiscard]] MutableBytes bytes() noexcept { return bytes_; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

}  // namespace gssntlm
