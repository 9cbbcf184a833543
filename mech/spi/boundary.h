// The C boundary, written once: headers, guard, handles, out-parameters.
#pragma once

// gssapi.h closes its own extern "C" too early.
extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include <pthread.h>

#include "mech/base/bytes.h"
#include "mech/base/scrub.h"
#include "mech/base/status.h"
#include "mech/base/tag.h"
#include "mech/names/name.h"
#include "mech/os/error_detail.h"
#include "mech/protocol/replay.h"

namespace gssntlm::spi {

/// The supplementary bits (RFC 2744 3.9.1) that go with `minor`; 0 for most.
[[nodiscard]] constexpr OM_uint32 supplementary_of(Minor minor) noexcept {
  switch (minor) {
    case Minor::kDuplicateToken:
      return GSS_S_DUPLICATE_TOKEN;
    case Minor::kOldToken:
      return GSS_S_OLD_TOKEN;
    case Minor::kGapToken:
      return GSS_S_GAP_TOKEN;
    default:
      return 0;
  }
}

/// A status with supplementary bits (RFC 2744 3.9.1), or an error.
struct Answer {
  OM_uint32 major = GSS_S_COMPLETE;
  Minor minor = Minor::kNone;

  Answer() noexcept = default;
  Answer(Error e) noexcept  // NOLINT: an Error is an Answer
      : major(static_cast<OM_uint32>(e.major) | supplementary_of(e.minor)), minor(e.minor) {}
  Answer(const Status& s) noexcept  // NOLINT: a Status is an Answer
      : Answer(s ? Answer() : Answer(s.error())) {}
  /// The answer to a message that was opened: a duplicate or old one is said to be so.
  Answer(Arrival arrival) noexcept  // NOLINT: an Arrival is an Answer
      : minor(arrival == Arrival::kDuplicate  ? Minor::kDuplicateToken
              : arrival == Arrival::kOldToken ? Minor::kOldToken
                                              : Minor::kNone) {
    major = supplementary_of(minor);
  }
  [[nodiscard]] static Answer continue_needed() noexcept {
    Answer a;
    a.major = GSS_S_CONTINUE_NEEDED;
    return a;
  }
};

inline constexpr Error kBadArgument{Major::kFailure, Minor::kBadArgument};
inline constexpr Error kBadHandle{Major::kNoContext, Minor::kBadArgument};

/// A thread cancelled under a catch (...) would take the process down.
class CancellationHold {
 public:
  CancellationHold() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  CancellationHold(const CancellationHold&) = delete;
  CancellationHold& operator=(const CancellationHold&) = delete;
  ~CancellationHold() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = 0;
};

/// Runs the body of an exported function: no exception leaves it, `minor` is written on every path.
/// A call that succeeds leaves the detail of the thread's last error alone, because the mechglue
/// makes such calls between a failure and gss_display_status; one that fails replaces it.
/// This one is for functions that release an object.
template <typename Body>
OM_uint32 guard_release(OM_uint32* minor, Body&& body) noexcept {
  Answer answer;
  try {
    answer = body();
  } catch (const std::bad_alloc&) {
    answer = Error{Major::kFailure, Minor::kNoMemory};
  } catch (...) {
    answer = Error{Major::kFailure, Minor::kInternal};
  }
  const auto code = static_cast<std::uint32_t>(answer.minor);
  if (GSS_ERROR(answer.major)) {
    report_failure(code);
  } else {
    forget_detail();
  }
  if (minor != nullptr) {
    *minor = code;
  }
  return answer.major;
}
/// The same for bodies where no thread is ever cancelled, because they neither read, nor write, nor
/// wait: those that protect messages, and the shortest of those for names. (The exported functions
/// cannot be declared noexcept themselves: gssapi.h has declared them.)
template <typename Body>
OM_uint32 guard_brief(OM_uint32* minor, Body&& body) noexcept {
  const OM_uint32 major = guard_release(minor, std::forward<Body>(body));
  clear_registers();
  return major;
}
/// The same for any body.
template <typename Body>
OM_uint32 guard(OM_uint32* minor, Body&& body) noexcept {
  const CancellationHold hold;
  return guard_brief(minor, std::forward<Body>(body));
}
/// The same for a body that, where `secret`, handles passwords, hashes or session keys: neither the
/// stack that it used nor a register that it need not keep holds one afterwards. `Stack` bytes are
/// cleared.
template <std::size_t Stack, typename Body>
OM_uint32 guard_secret(OM_uint32* minor, bool secret, Body&& body) noexcept {
  // Not inlined: what it leaves is then below this frame.
  const auto call = [&]() __attribute__((noinline)) {
    return guard(minor, body);
  };
  const OM_uint32 major = call();
  if (secret) {
    clear_stack<Stack>();
  }
  return major;
}

/// Writes through an optional out-parameter.
template <typename T, typename U>
void store(T* out, U value) noexcept {
  if (out != nullptr) {
    *out = value;
  }
}

/// The bytes of a buffer; empty for GSS_C_NO_BUFFER.
[[nodiscard]] inline ByteView view_of(const gss_buffer_desc_struct* buffer) noexcept {
  if (buffer == nullptr || buffer->value == nullptr) {
    return {};
  }
  return {static_cast<const std::uint8_t*>(buffer->value), buffer->length};
}

/// The text of a buffer. Programs pass strings with their terminator counted: one NUL at the end is
/// no part of a name or password.
[[nodiscard]] inline std::string_view text_of(const gss_buffer_desc_struct* buffer) noexcept {
  std::string_view text = as_text(view_of(buffer));
  if (text.ends_with('\0')) {
    text.remove_suffix(1);
  }
  return text;
}

/// A length without bytes behind it.
[[nodiscard]] inline bool is_broken(const gss_buffer_desc_struct* buffer) noexcept {
  return buffer != nullptr && buffer->value == nullptr && buffer->length != 0;
}

inline void clear(gss_buffer_t buffer) noexcept {
  if (buffer != nullptr) {
    buffer->length = 0;
    buffer->value = nullptr;
  }
}

/// Gives `bytes` to the caller, who frees them with gss_release_buffer.
inline void give(gss_buffer_t to, Buffer bytes) noexcept {
  to->length = bytes.size();
  to->value = bytes.release();
}
/// Gives `text` with a NUL behind it that is not counted: programs print such texts with "%s".
inline void give(gss_buffer_t to, std::string_view text) {
  clear(to);
  if (text.empty()) {
    return;
  }
  Buffer bytes(text.size() + 1);
  std::memcpy(bytes.data(), text.data(), text.size());
  bytes.data()[text.size()] = 0;
  to->length = text.size();
  to->value = bytes.release();
}

[[nodiscard]] bool same_oid(const gss_OID_desc* a, const gss_OID_desc* b) noexcept;
/// The mechanism, in static storage.
[[nodiscard]] gss_OID mechanism_oid() noexcept;
/// A mechanism argument: ours, or left out.
[[nodiscard]] inline bool is_ours(const gss_OID_desc* mech) noexcept {
  return mech == nullptr || same_oid(mech, mechanism_oid());
}

/// The error for a handle behind which there is no object of ours: it is missing, or another
/// mechanism's (the mechglue chooses the mechanism of a call by the caller's OID, not by the
/// object), or was deleted. NO_CONTEXT; NO_CRED when missing, else `major`; BAD_NAME.
[[nodiscard]] Error reject_context(gss_ctx_id_t handle) noexcept;
[[nodiscard]] Error reject_credential(gss_cred_id_t handle,
                                      Major major = Major::kDefectiveCredential) noexcept;
[[nodiscard]] Error reject_name(gss_name_t handle) noexcept;

/// The object behind a gss_name_t. Names are shared and never change; a handle may come to hold
/// another one, with other attributes.
struct NameBox : Tagged<0xE96B7A33> {
  explicit NameBox(Ref<const Name> n) noexcept : name(std::move(n)) {}
  Ref<const Name> name;
};
/// The box behind a handle; nullptr for GSS_C_NO_NAME and what is not ours.
[[nodiscard]] inline NameBox* box_of(gss_name_t handle) noexcept {
  return handle != GSS_C_NO_NAME && NameBox::marks(handle) ? reinterpret_cast<NameBox*>(handle)
                                                           : nullptr;
}
/// The name behind a handle; nullptr for GSS_C_NO_NAME and what is not ours.
[[nodiscard]] inline const Name* name_of(gss_name_t handle) noexcept {
  const NameBox* box = box_of(handle);
  return box != nullptr ? box->name.get() : nullptr;
}
/// A handle is given that is not one of ours, where none is needed.
[[nodiscard]] inline bool is_foreign(gss_name_t handle) noexcept {
  return handle != GSS_C_NO_NAME && box_of(handle) == nullptr;
}
[[nodiscard]] inline Ref<const Name> shared_name_of(gss_name_t handle) noexcept {
  return Ref<const Name>::share(name_of(handle));
}
/// A new handle. Throws std::bad_alloc.
[[nodiscard]] inline gss_name_t handle_of(Ref<const Name> name) {
  return reinterpret_cast<gss_name_t>(new NameBox(std::move(name)));
}

/// A handle for a caller who wants a name, made before anything is given to him: what can fail has
/// failed by then.
class NameOutput {
 public:
  /// Throws std::bad_alloc.
  explicit NameOutput(gss_name_t* to, Ref<const Name> name = {})
      : to_(to), box_(to != nullptr ? new NameBox(std::move(name)) : nullptr) {}
  void give() noexcept {
    if (to_ != nullptr) {
      *to_ = reinterpret_cast<gss_name_t>(box_.release());
    }
  }
  void give(Ref<const Name> name) noexcept {
    if (to_ != nullptr) {
      box_->name = std::move(name);
      give();
    }
  }

 private:
  gss_name_t* to_;
  std::unique_ptr<NameBox> box_;
};

}  // namespace gssntlm::spi
