// What the calls that protect messages share: state checks, and the choice whether to seal.
#pragma once

#include "mech/spi/context.h"

namespace gssntlm::spi {

/// The context behind a handle, if it is open. Errors: NO_CONTEXT kBadArgument, kIncomplete.
[[nodiscard]] Result<Context*> open_context(gss_ctx_id_t handle) noexcept;

/// The same for a call that sends. Further errors: kForked in a child of the process that opened
/// it, for two processes must not send with one key stream.
[[nodiscard]] Result<Context*> sending_context(gss_ctx_id_t handle) noexcept;
/// Whether that context signs or seals. Further error: kNoProtection.
[[nodiscard]] Status check_protects(gss_ctx_id_t handle) noexcept;

/// Whether a message wrapped with `conf_req` is sealed.
[[nodiscard]] bool seals(Context& context, int conf_req) noexcept;

/// Opens a wrapped message. Parts with an `out` are those that may be sealed; when the message
/// turns out to be signed only, they are handed through. `parts` are altered. The signature may lie
/// inside a part. On error parts in place hold what they held, and no other output may be handed
/// out.
[[nodiscard]] Result<Arrival> open_wrapped(Context& context, std::span<MessagePart> parts,
                                           SignatureView signature, bool& sealed);

}  // namespace gssntlm::spi
