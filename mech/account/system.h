// The Environment of a running process: the system's clock, randomness and the trace file.
#pragma once

#include "mech/base/environment.h"

namespace gssntlm {

/// One per context. The trace goes to the file named by GSS_NTLM_TRACE or GSSNTLMSSP_DEBUG (read
/// with secure_getenv) when the context began; each event is one line, written at once, with time,
/// process and context.
class SystemEnvironment : public Environment {
 public:
  /// `context` tells lines of one context from another's.
  explicit SystemEnvironment(const void* context) noexcept;

  [[nodiscard]] std::uint64_t now() const noexcept override;
  [[nodiscard]] bool random(MutableBytes out) const noexcept override;
  [[nodiscard]] bool tracing() const noexcept override { return trace_file_ != nullptr; }
  void trace(std::string_view event) const noexcept override;

 private:
  const void* context_;
  const char* trace_file_;  // in the environment, which a process does not take back
};

}  // namespace gssntlm
