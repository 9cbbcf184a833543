// The framing of RFC 2743 3.1, which Java puts around the messages of every mechanism.
#pragma once

#include "mech/spi/boundary.h"

namespace gssntlm::spi {

/// A token, and the NTLM message in it.
struct Incoming {
  ByteView message;     ///< the token itself, unless it is framed
  bool framed = false;  ///< for NTLM
  [[nodiscard]] bool empty() const noexcept { return message.empty() && !framed; }
};

/// Removes the framing of `token`, if there is one. A token that begins like a framed one and is
/// none of NTLM's is its own message, which every step rejects with DEFECTIVE_TOKEN kNotNtlm; the
/// detail of that error then says what is wrong with the framing. Throws std::bad_alloc.
[[nodiscard]] Incoming remove_framing(ByteView token);

/// Frames an answer like the token that it answers. Memory is obtained before the step is taken,
/// which nothing undoes.
class AnswerFraming {
 public:
  /// Throws std::bad_alloc if `framed`.
  explicit AnswerFraming(bool framed);
  void give(gss_buffer_t to, Buffer message) noexcept;

 private:
  Buffer room_;
};

}  // namespace gssntlm::spi
