#include "spnego/interposer/incoming.h"

#include <cstdlib>
#include <cstring>

#include "spnego/interposer/probe.h"

namespace gssntlm::interposer {
namespace {

constexpr std::string_view kNtlmSignature("NTLMSSP\0", 8);
constexpr std::uint8_t kKerberosRequest = 0x6E;  // AP-REQ, RFC 4120 5.5.1
constexpr std::uint8_t kWrongTag = 0xA4;

// As the mechglue tells them apart (g_glue.c).
bool is_raw(ByteView token) noexcept {
  return as_text(token).starts_with(kNtlmSignature) || token[0] == kKerberosRequest;
}

}  // namespace

Incoming::Incoming(const gss_buffer_desc_struct* token, Role role) noexcept
    : buffer_(token != nullptr ? *token : gss_buffer_desc GSS_C_EMPTY_BUFFER) {
  const ByteView view = view_of(token);
  if (view.empty()) {
    fault_ = Fault::kNoToken;
    return;
  }
  if (is_raw(view)) {
    return;
  }
  TokenProblem problem;
  const std::optional<SpnegoToken> read = read_token(view, &problem);
  if (!read) {
    fault_ = fault_of(problem.fault);
  } else if (read->kind == SpnegoToken::Kind::kInit) {
    // krb5 1.20.1 reads beyond the end for the list that is not there.
    if (role == Role::kAcceptor && read->mech_list.empty()) {
      fault_ = Fault::kNoMechTypes;
    }
  } else if (!read->mic_field.empty() && library_reads_wrong_tag()) {
    retag(static_cast<std::size_t>(read->mic_field.data() - view.data()));
  }
}

Incoming::~Incoming() {
  std::free(copy_);
}

void Incoming::retag(std::size_t at) noexcept {
  copy_ = std::malloc(buffer_.length);
  if (copy_ == nullptr) {
    fault_ = Fault::kNoMemory;
    return;
  }
  std::memcpy(copy_, buffer_.value, buffer_.length);
  buffer_.value = copy_;
  static_cast<std::uint8_t*>(copy_)[at] = kWrongTag;
}

}  // namespace gssntlm::interposer
