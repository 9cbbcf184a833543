// A peer's token on its way to MIT's SPNEGO.
#pragma once

#include <optional>

#include "spnego/interposer/faults.h"
#include "spnego/interposer/interposer.h"

namespace gssntlm::interposer {

enum class Role { kInitiator, kAcceptor };

/// Checks a token and corrects it. A raw NTLM or Kerberos token is left to MIT's SPNEGO. The
/// token of a library that reads the wrong tag is a copy; otherwise nothing is copied.
class Incoming {
 public:
  Incoming(const gss_buffer_desc_struct* token, Role role) noexcept;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming();

  /// What is wrong with it, if something is.
  [[nodiscard]] std::optional<Fault> fault() const noexcept { return fault_; }
  /// Only without a fault().
  [[nodiscard]] gss_buffer_t buffer() noexcept { return &buffer_; }

 private:
  void retag(std::size_t at) noexcept;

  gss_buffer_desc buffer_;
  void* copy_ = nullptr;
  std::optional<Fault> fault_;
};

}  // namespace gssntlm::interposer
