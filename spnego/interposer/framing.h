// What the mechglue puts before exported contexts and credentials: the size and the bytes of the
// mechanism's object identifier, and before a credential its size too; big-endian, four bytes each.
#pragma once

#include "spnego/interposer/interposer.h"

namespace gssntlm::interposer {

/// Removes it from what MIT's own functions exported, in place: the mechglue above will add its
/// own. `sized`: a credential. Releases `token` on failure.
[[nodiscard]] OM_uint32 strip_mech(OM_uint32* minor, gss_buffer_t token, bool sized) noexcept;

/// `token` with the special object identifier before it.
class FramedToken {
 public:
  FramedToken(ByteView token, bool sized) noexcept;
  FramedToken(const FramedToken&) = delete;
  FramedToken& operator=(const FramedToken&) = delete;
  ~FramedToken();

  /// GSS_C_NO_BUFFER: there was no memory.
  [[nodiscard]] gss_buffer_t buffer() noexcept {
    return buffer_.value != nullptr ? &buffer_ : GSS_C_NO_BUFFER;
  }

 private:
  gss_buffer_desc buffer_ = GSS_C_EMPTY_BUFFER;
};

}  // namespace gssntlm::interposer
