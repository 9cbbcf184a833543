// RFC 2744 5.21 and the options that SPNEGO, SASL and SMB layers ask for by object identifier.
#include <array>
#include <cstring>
#include <utility>

#include "mech/spi/context.h"
#include "mech/spi/oids.h"
#include "mech/spi/sets.h"

namespace gssntlm::spi {
namespace {

// [MS-SPNG] 3.3.5.1: asked of a context in any state, and of none.
Answer give_require_mic(Context* context, gss_buffer_set_t* set) {
  const std::array<std::uint8_t, 1> answer = {context != nullptr && context->answer_spnego()};
  return give_set(set, {answer});
}

// Cyrus SASL counts sealing with 128-bit RC4 as 64 bits of strength, and signing as 1.
Answer give_ssf(Context& context, gss_buffer_set_t* set) {
  const Flags flags = context.session().flags();
  const unsigned bits = key_bits(flags);
  const unsigned sealed = bits == 128 ? 64 : bits;
  const unsigned ssf = has(flags, flag::kSeal) ? sealed : has(flags, flag::kSign) ? 1 : 0;
  const std::array<std::uint8_t, 4> big_endian = {0, 0, 0, static_cast<std::uint8_t>(ssf)};
  return give_set(set, {big_endian});
}

Answer give_session_key(Context& context, gss_buffer_set_t* set) {
  const auto* type = static_cast<const std::uint8_t*>(kSessionKeyTypeOid.elements);
  return give_set(set, {context.session().key().view(), {type, kSessionKeyTypeOid.length}});
}

bool gives_secret(const gss_OID_desc* oid) noexcept {
  return oid != GSS_C_NO_OID && same_oid(oid, &kSessionKeyOid);
}

Answer inquire_by_oid(Context* context, gss_OID oid, gss_buffer_set_t* set) {
  if (same_oid(oid, &kRequireMicOid)) {
    return give_require_mic(context, set);
  }
  if (context == nullptr) {
    return kBadHandle;
  }
  const bool key = gives_secret(oid);
  if (!key && !same_oid(oid, &kSsfOid)) {
    return Error{Major::kUnavailable, Minor::kNotSupported};
  }
  if (!context->is_open()) {
    return Error{Major::kUnavailable, Minor::kNotAvailable};
  }
  return key ? give_session_key(*context, set) : give_ssf(*context, set);
}

// Connection-oriented contexts count for themselves.
Answer set_sequence(Context& context, ByteView value) {
  std::uint32_t number = 0;
  if (!context.is_open() || value.size() != sizeof number) {
    return failure(Minor::kBadOption);
  }
  std::memcpy(&number, value.data(), sizeof number);
  return context.session().set_sequence(number) ? Answer() : Answer(failure(Minor::kBadOption));
}

Answer reset_crypto(Context& context, ByteView value) {
  std::uint32_t receiving = 0;
  if (value.size() != sizeof receiving) {
    return failure(Minor::kBadOption);
  }
  std::memcpy(&receiving, value.data(), sizeof receiving);
  if (receiving > 1) {
    return failure(Minor::kBadOption);
  }
  // Before there are keys there is nothing to reset, which is not an error: callers probe for it.
  if (context.is_open()) {
    context.session().reset_stream(receiving == 1);
  }
  return {};
}

// An acceptor knows its client only by a logon that succeeded.
bool known_source(const Context& context) noexcept {
  return context.source() && (context.is_open() || context.is_initiator());
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_inquire_context(OM_uint32* minor, gss_ctx_id_t handle, gss_name_t* source,
                              gss_name_t* target, OM_uint32* lifetime, gss_OID* mech,
                              OM_uint32* flags, int* locally_initiated, int* open) {
  return guard(minor, [&]() -> Answer {
    store(source, GSS_C_NO_NAME);
    store(target, GSS_C_NO_NAME);
    store(mech, mechanism_oid());
    store(lifetime, OM_uint32{0});
    store(flags, OM_uint32{0});
    store(locally_initiated, 0);
    store(open, 0);
    const Context* found = context_of(handle);
    if (found == nullptr) {
      return reject_context(handle);
    }
    const Context& context = *found;
    // Java requires the acceptor's name after every step.
    NameOutput from(known_source(context) ? source : nullptr, context.source());
    NameOutput to(context.target() ? target : nullptr, context.target());
    from.give();
    to.give();
    if (context.is_open()) {
      store(open, 1);
      store(lifetime, OM_uint32{GSS_C_INDEFINITE});
    }
    store(locally_initiated, context.is_initiator() ? 1 : 0);
    store(flags, context.gss_flags());
    return {};
  });
}

OM_uint32 gss_inquire_sec_context_by_oid(OM_uint32* minor, const gss_ctx_id_t context,
                                         const gss_OID oid, gss_buffer_set_t* set) {
  return guard_secret<kCredentialStack>(minor, gives_secret(oid), [&]() -> Answer {
    store(set, GSS_C_NO_BUFFER_SET);
    if (set == nullptr || oid == GSS_C_NO_OID) {
      return kBadArgument;
    }
    Context* found = context_of(context);
    if (context != GSS_C_NO_CONTEXT && found == nullptr) {
      return reject_context(context);
    }
    return inquire_by_oid(found, oid, set);
  });
}

OM_uint32 gss_set_sec_context_option(OM_uint32* minor, gss_ctx_id_t* context, const gss_OID oid,
                                     const gss_buffer_t value) {
  return guard(minor, [&]() -> Answer {
    if (context == nullptr || oid == GSS_C_NO_OID || is_broken(value)) {
      return kBadArgument;
    }
    Context* found = context_of(*context);
    if (found == nullptr) {
      return reject_context(*context);
    }
    if (same_oid(oid, &kResetCryptoOid)) {
      return reset_crypto(*found, view_of(value));
    }
    if (same_oid(oid, &kSetSequenceOid)) {
      return set_sequence(*found, view_of(value));
    }
    return Error{Major::kUnavailable, Minor::kNotSupported};
  });
}

}  // extern "C"
