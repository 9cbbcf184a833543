#include "mech/spi/protection.h"

#include <algorithm>
#include <array>

namespace gssntlm::spi {
namespace {

constexpr std::size_t kMaxGuessedParts = 8;
constexpr std::size_t kMinGuessedSize = 256;

// Whether the message is signed only, which costs no key stream to be taken back if it is not. Not
// worth it for short messages; and an empty one, which is both, counts as sealed.
bool opens_as_plain(Session& session, std::span<const MessagePart> parts, SignatureView signature) {
  std::array<MessagePart, kMaxGuessedParts> plain;
  std::size_t sealed = 0;
  if (parts.size() > plain.size() || session.is_connectionless()) {
    return false;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    sealed += parts[i].out != nullptr ? parts[i].size : 0;
    plain[i] = parts[i];
    plain[i].out = nullptr;
  }
  return sealed >= kMinGuessedSize &&
         session.open(std::span(plain).first(parts.size()), signature).ok();
}

void make_plain(std::span<MessagePart> parts) noexcept {
  for (MessagePart& part : parts) {
    if (part.out != nullptr && part.out != part.in) {
      std::copy_n(part.in, part.size, part.out);
      part.in = part.out;
    }
    part.out = nullptr;
  }
}

}  // namespace

Result<Context*> open_context(gss_ctx_id_t handle) noexcept {
  Context* context = context_of(handle);
  if (context == nullptr) {
    return reject_context(handle);
  }
  if (!context->is_open()) {
    return Error{Major::kNoContext, Minor::kIncomplete};
  }
  return context;
}

Result<Context*> sending_context(gss_ctx_id_t handle) noexcept {
  Result<Context*> context = open_context(handle);
  if (context && (*context)->is_inherited()) {
    return failure(Minor::kForked);
  }
  return context;
}

Status check_protects(gss_ctx_id_t handle) noexcept {
  const Result<Context*> context = sending_context(handle);
  if (!context) {
    return context.error();
  }
  if (!(*context)->session().protects()) {
    return Error{Major::kUnavailable, Minor::kNoProtection};
  }
  return {};
}

// A wrap token does not say whether it is sealed. Where the receiver may know better, conf_req
// decides; else both ends decide alike, by what was agreed (docs/decisions/0010).
bool seals(Context& context, int conf_req) noexcept {
  if (context.distinguishes_wrap_modes()) {
    return conf_req != 0;
  }
  Session& session = context.session();
  return session.seals() || (context.seals_when_signing() && session.can_seal());
}

Result<Arrival> open_wrapped(Context& context, std::span<MessagePart> parts,
                             SignatureView signature, bool& sealed) {
  Signature copy;
  std::copy(signature.begin(), signature.end(), copy.begin());
  Session& session = context.session();
  const bool either = context.distinguishes_wrap_modes();
  sealed = either || seals(context, 1);
  if (either && context.expects_plain() && opens_as_plain(session, parts, copy)) {
    sealed = false;
    make_plain(parts);
    return Arrival::kExpected;
  }
  if (sealed) {
    const Result<Arrival> arrival = session.open(parts, copy);
    if (arrival) {
      context.expect_plain(false);
    }
    if (arrival || !either || arrival.error().minor != Minor::kBadSignature) {
      return arrival;
    }
    sealed = false;
  }
  make_plain(parts);
  const Result<Arrival> arrival = session.open(parts, copy);
  if (arrival) {
    context.expect_plain(either);
  }
  return arrival;
}

}  // namespace gssntlm::spi
