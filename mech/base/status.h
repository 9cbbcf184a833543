// Outcomes as values: Error, Status, Result<T>.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace gssntlm {

/// Routine errors of RFC 2744 3.9.1, with gssapi.h's values (checked in mech/spi).
enum class Major : std::uint32_t {
  kComplete = 0,
  kBadMech = 1u << 16,
  kBadName = 2u << 16,
  kBadNameType = 3u << 16,
  kBadBindings = 4u << 16,
  kBadStatus = 5u << 16,
  kBadSig = 6u << 16,
  kNoCred = 7u << 16,
  kNoContext = 8u << 16,
  kDefectiveToken = 9u << 16,
  kDefectiveCredential = 10u << 16,
  kCredentialsExpired = 11u << 16,
  kContextExpired = 12u << 16,
  kFailure = 13u << 16,
  kBadQop = 14u << 16,
  kUnauthorized = 15u << 16,
  kUnavailable = 16u << 16,
  kDuplicateElement = 17u << 16,
  kNameNotMn = 18u << 16,
};

/// GSS_NTLM_S_BASE of the public header.
inline constexpr std::uint32_t kMinorBase = 0x4E540000;

/// The minor codes, from minor_codes.inc.
enum class Minor : std::uint32_t {
  kNone = 0,
#define X(name, id, number, text) id = kMinorBase + (number),
#include "mech/base/minor_codes.inc"
#undef X
};

/// What is wrong and what to do, for people. Unknown codes have a text too.
[[nodiscard]] std::string_view minor_text(std::uint32_t minor) noexcept;

/// Why something failed.
struct Error {
  Major major = Major::kFailure;
  Minor minor = Minor::kInternal;
};

[[nodiscard]] constexpr Error defective(Minor minor) noexcept {
  return {Major::kDefectiveToken, minor};
}
[[nodiscard]] constexpr Error failure(Minor minor) noexcept {
  return {Major::kFailure, minor};
}

/// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(Error error) noexcept : error_(error), ok_(false) {}  // NOLINT: an Error is a Status

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }
  /// Only when not ok().
  [[nodiscard]] Error error() const noexcept { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

/// A T, or an Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}    // NOLINT: a T is a Result
  Result(Error error) noexcept : error_(error) {}  // NOLINT: an Error is a Result

  [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  /// Only when not ok().
  [[nodiscard]] Error error() const noexcept { return error_; }
  /// Only when ok().
  [[nodiscard]] T& operator*() noexcept { return *value_; }
  [[nodiscard]] const T& operator*() const noexcept { return *value_; }
  [[nodiscard]] T* operator->() noexcept { return &*value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &*value_; }

 private:
  std::optional<T> value_;
  Error error_;
};

}  // namespace gssntlm
