// Outcomes as values: Error, Status, Result<T>.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"

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

/// The minor codes of gssapi_ntlm.h.
enum class Minor : std::uint32_t {
  kNone = 0,
  kNotNtlm = GSS_NTLM_S_NOT_NTLM,
  kTruncated = GSS_NTLM_S_TRUNCATED,
  kFieldOutOfBounds = GSS_NTLM_S_FIELD_OUT_OF_BOUNDS,
  kWrongMessage = GSS_NTLM_S_WRONG_MESSAGE,
  kCharset = GSS_NTLM_S_CHARSET,
  kBadString = GSS_NTLM_S_BAD_STRING,
  kBadAvPairs = GSS_NTLM_S_BAD_AV_PAIRS,
  kBadResponse = GSS_NTLM_S_BAD_RESPONSE,
  kTooLong = GSS_NTLM_S_TOO_LONG,
  kBadState = GSS_NTLM_S_BAD_STATE,
  kIncomplete = GSS_NTLM_S_INCOMPLETE,
  kBadName = GSS_NTLM_S_BAD_NAME,
  kNameType = GSS_NTLM_S_NAME_TYPE,
  kBadArgument = GSS_NTLM_S_BAD_ARGUMENT,
  kBadText = GSS_NTLM_S_BAD_TEXT,
  kNoInitiatorCred = GSS_NTLM_S_NO_INITIATOR_CRED,
  kNoAcceptorCred = GSS_NTLM_S_NO_ACCEPTOR_CRED,
  kUsersFileOpen = GSS_NTLM_S_USERS_FILE_OPEN,
  kUsersFileMode = GSS_NTLM_S_USERS_FILE_MODE,
  kUsersFileLine = GSS_NTLM_S_USERS_FILE_LINE,
  kNotSupported = GSS_NTLM_S_NOT_SUPPORTED,
  kNotAvailable = GSS_NTLM_S_NOT_AVAILABLE,
  kBadCredential = GSS_NTLM_S_BAD_CREDENTIAL,
  kBadSetting = GSS_NTLM_S_BAD_SETTING,
  kLogonFailure = GSS_NTLM_S_LOGON_FAILURE,
  kBindings = GSS_NTLM_S_BINDINGS,
  kPolicyVersion = GSS_NTLM_S_POLICY_VERSION,
  kPolicyFlags = GSS_NTLM_S_POLICY_FLAGS,
  kPolicyKeyLength = GSS_NTLM_S_POLICY_KEY_LENGTH,
  kPolicyBlocked = GSS_NTLM_S_POLICY_BLOCKED,
  kDowngrade = GSS_NTLM_S_DOWNGRADE,
  kTargetInfo = GSS_NTLM_S_TARGET_INFO,
  kBadSignature = GSS_NTLM_S_BAD_SIGNATURE,
  kSequence = GSS_NTLM_S_SEQUENCE,
  kSequenceEnd = GSS_NTLM_S_SEQUENCE_END,
  kShortSignature = GSS_NTLM_S_SHORT_SIGNATURE,
  kBadQop = GSS_NTLM_S_BAD_QOP,
  kNoProtection = GSS_NTLM_S_NO_PROTECTION,
  kNoMemory = GSS_NTLM_S_NO_MEMORY,
  kNoRandom = GSS_NTLM_S_NO_RANDOM,
  kInternal = GSS_NTLM_S_INTERNAL,
  kAnonymous = GSS_NTLM_S_ANONYMOUS,
  kExpired = GSS_NTLM_S_EXPIRED,
  kBadOption = GSS_NTLM_S_BAD_OPTION,
  kBadIov = GSS_NTLM_S_BAD_IOV,
  kImport = GSS_NTLM_S_IMPORT,
  kForked = GSS_NTLM_S_FORKED,
  kUnencodable = GSS_NTLM_S_UNENCODABLE,
  kDuplicateToken = GSS_NTLM_S_DUPLICATE_TOKEN,
  kOldToken = GSS_NTLM_S_OLD_TOKEN,
  kGapToken = GSS_NTLM_S_GAP_TOKEN,
  kKeyring = GSS_NTLM_S_KEYRING,
  kDomain = GSS_NTLM_S_DOMAIN,
  kNoLocalUser = GSS_NTLM_S_NO_LOCAL_USER,
  kAttribute = GSS_NTLM_S_ATTRIBUTE,
};

/// What is wrong and what to do, for a person. Total: unknown codes have a text too.
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
