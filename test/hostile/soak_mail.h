// Messages of test/hostile/soak.cc, in each form that GSSAPI has for them.
#pragma once

#include <string>

#include "test/support/gss.h"

namespace gssntlm::test {

enum class Form { kWrap, kMic, kIov, kStream, kIovToUnwrap, kAead, kMicIov };
inline constexpr std::size_t kForms = 7;

inline constexpr std::size_t kSignature = 16;

/// A message on its way.
struct Packet {
  Form form = Form::kWrap;
  std::string plain;  ///< as the sender had it
  std::string token;  ///< signature and message, or signature alone
  std::string aside;  ///< signed beside it: associated data, or the message of a MIC

  [[nodiscard]] bool is_mic() const { return form == Form::kMic || form == Form::kMicIov; }
};

/// The form and the aside are the packet's.
[[nodiscard]] Outcome send(End& from, Packet& packet, bool seal);
/// `text` is what arrived. `packet` stays as it is. Throws when a message that was refused in place
/// was changed.
[[nodiscard]] Outcome receive(End& to, const Packet& packet, std::string& text);

}  // namespace gssntlm::test
