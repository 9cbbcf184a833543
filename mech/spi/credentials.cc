// RFC 2744 5.2, 5.28, 5.20, 5.22 and their extensions: credentials.
#include <cstring>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/spi/context.h"
#include "mech/spi/oids.h"
#include "mech/spi/sets.h"
#include "mech/spi/spnego_probe.h"

namespace gssntlm::spi {
namespace {

bool contains_ours(const gss_OID_set_desc* mechs) noexcept {
  if (mechs == nullptr || mechs->count == 0) {
    return true;
  }
  for (std::size_t i = 0; i < mechs->count; ++i) {
    if (same_oid(&mechs->elements[i], mechanism_oid())) {
      return true;
    }
  }
  return false;
}

std::optional<Usage> usage_of(gss_cred_usage_t usage) noexcept {
  switch (usage) {
    case GSS_C_BOTH:
      return Usage::kBoth;
    case GSS_C_INITIATE:
      return Usage::kInitiate;
    case GSS_C_ACCEPT:
      return Usage::kAccept;
    default:
      return std::nullopt;
  }
}

gss_cred_usage_t usage_of(Usage usage) noexcept {
  return usage == Usage::kBoth       ? GSS_C_BOTH
         : usage == Usage::kInitiate ? GSS_C_INITIATE
                                     : GSS_C_ACCEPT;
}

// Keys of other mechanisms are passed to all and not looked at.
void read_store(gss_const_key_value_set_t store, CredentialRequest& request) noexcept {
  if (store == GSS_C_NO_CRED_STORE) {
    return;
  }
  for (OM_uint32 i = 0; i < store->count; ++i) {
    const char* key = store->elements[i].key;
    const char* value = store->elements[i].value;
    if (key == nullptr || value == nullptr) {
      continue;
    }
    const std::string_view name(key);
    if (name == GSS_NTLM_CS_DOMAIN) {
      request.domain = value;
    } else if (name == GSS_NTLM_CS_NTHASH) {
      request.nt_hash = value;
    } else if (name == GSS_NTLM_CS_PASSWORD || name == GSS_NTLM_GENERIC_CS_PASSWORD) {
      request.password = value;
    } else if (name == GSS_NTLM_CS_PASSWORD_UTF16LE) {
      request.password_utf16le = value;
    } else if (name == GSS_NTLM_CS_KEYFILE) {
      request.key_file = value;
    } else if (name == GSS_NTLM_CS_ACCEPTOR_KEYFILE) {
      request.acceptor_key_file = value;
    } else if (name == GSS_NTLM_CS_INITIATOR_KEYFILE) {
      request.initiator_key_file = value;
    } else if (name == GSS_NTLM_CS_KEYRING) {
      request.keyring = value;
    }
  }
}

constexpr Error kExpiredCredential{Major::kCredentialsExpired, Minor::kExpired};

// Accounts to check others against do not expire.
OM_uint32 lifetime_of(const Credential& credential) noexcept {
  return credential.can_initiate() ? credential.lifetime() : OM_uint32{GSS_C_INDEFINITE};
}

struct AcquireOutputs {
  gss_cred_id_t* credential;
  gss_OID_set* mechs;
  OM_uint32* lifetime;
};

void clear(const AcquireOutputs& out) noexcept {
  store(out.credential, GSS_C_NO_CREDENTIAL);
  store(out.mechs, GSS_C_NO_OID_SET);
  store(out.lifetime, OM_uint32{0});
}

Answer acquire(CredentialRequest& request, gss_name_t name, gss_OID_set mechs,
               gss_cred_usage_t usage, const AcquireOutputs& out) {
  const std::optional<Usage> wanted = usage_of(usage);
  if (out.credential == nullptr || !wanted) {
    return kBadArgument;
  }
  if (!contains_ours(mechs)) {
    return Error{Major::kBadMech, Minor::kBadArgument};
  }
  if (is_foreign(name)) {
    return reject_name(name);
  }
  request.name = shared_name_of(name);
  request.usage = *wanted;
  Result<Ref<const Credential>> credential = probe_credential() != nullptr
                                                 ? Ref<const Credential>::share(probe_credential())
                                                 : Credential::acquire(request);
  if (!credential) {
    return credential.error();
  }
  if (const Answer a = give_mechs(out.mechs); GSS_ERROR(a.major)) {
    return a;
  }
  store(out.lifetime, lifetime_of(**credential));
  *out.credential = handle_of(std::move(*credential));
  return {};
}

Answer set_option(const Credential& credential, gss_cred_id_t* handle, gss_OID oid,
                  ByteView value) {
  Credential::Options options = credential.options();
  if (same_oid(oid, &kNoCiFlagsOid)) {
    options.protection_only_if_asked = true;
  } else if (same_oid(oid, &kNegotiateFlagsOid)) {
    options.negotiate_flags.reset();
    if (value.size() == sizeof(Flags)) {
      Flags flags = 0;
      std::memcpy(&flags, value.data(), sizeof flags);
      options.negotiate_flags = flags;
    } else if (!value.empty()) {
      return failure(Minor::kBadOption);
    }
  } else {
    return Error{Major::kUnavailable, Minor::kNotSupported};
  }
  Ref<const Credential> changed = credential.with(options);
  const auto old = Ref<const Credential>::adopt(&credential);
  *handle = handle_of(std::move(changed));
  return {};
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_acquire_cred_from(OM_uint32* minor, gss_name_t name, OM_uint32, gss_OID_set mechs,
                                gss_cred_usage_t usage, gss_const_key_value_set_t store_keys,
                                gss_cred_id_t* credential, gss_OID_set* actual_mechs,
                                OM_uint32* lifetime) {
  return guard_secret<kCredentialStack>(minor, true, [&]() -> Answer {
    const AcquireOutputs out{credential, actual_mechs, lifetime};
    clear(out);
    CredentialRequest request;
    read_store(store_keys, request);
    return acquire(request, name, mechs, usage, out);
  });
}

OM_uint32 gss_acquire_cred(OM_uint32* minor, gss_name_t name, OM_uint32, gss_OID_set mechs,
                           gss_cred_usage_t usage, gss_cred_id_t* credential,
                           gss_OID_set* actual_mechs, OM_uint32* lifetime) {
  return guard_secret<kCredentialStack>(minor, true, [&]() -> Answer {
    const AcquireOutputs out{credential, actual_mechs, lifetime};
    clear(out);
    CredentialRequest request;
    return acquire(request, name, mechs, usage, out);
  });
}

OM_uint32 gssspi_acquire_cred_with_password(OM_uint32* minor, const gss_name_t name,
                                            const gss_buffer_t password, OM_uint32,
                                            const gss_OID_set mechs, gss_cred_usage_t usage,
                                            gss_cred_id_t* credential, gss_OID_set* actual_mechs,
                                            OM_uint32* lifetime) {
  return guard_secret<kCredentialStack>(minor, true, [&]() -> Answer {
    const AcquireOutputs out{credential, actual_mechs, lifetime};
    clear(out);
    if (password == GSS_C_NO_BUFFER || is_broken(password)) {
      return kBadArgument;
    }
    CredentialRequest request;
    request.password = text_of(password);
    return acquire(request, name, mechs, usage, out);
  });
}

OM_uint32 gss_release_cred(OM_uint32* minor, gss_cred_id_t* credential) {
  const CancellationHold hold;
  return guard_release(minor, [&]() -> Answer {
    if (credential == nullptr || *credential == GSS_C_NO_CREDENTIAL) {
      return {};
    }
    const auto last = Ref<const Credential>::adopt(credential_of(*credential));
    if (!last) {
      return reject_credential(*credential, Major::kNoCred);
    }
    *credential = GSS_C_NO_CREDENTIAL;
    return {};
  });
}

OM_uint32 gss_inquire_cred(OM_uint32* minor, gss_cred_id_t handle, gss_name_t* name,
                           OM_uint32* lifetime, gss_cred_usage_t* usage, gss_OID_set* mechs) {
  // Without a handle a default credential is acquired.
  return guard_secret<kCredentialStack>(minor, handle == GSS_C_NO_CREDENTIAL, [&]() -> Answer {
    store(name, GSS_C_NO_NAME);
    store(lifetime, OM_uint32{0});
    store(mechs, GSS_C_NO_OID_SET);
    Result<Ref<const Credential>> credential = credential_or_default(handle, Usage::kBoth);
    if (!credential) {
      return credential.error();
    }
    if (lifetime_of(**credential) == 0) {
      return kExpiredCredential;
    }
    NameOutput named(name, (*credential)->name());
    if (const Answer a = give_mechs(mechs); GSS_ERROR(a.major)) {
      return a;
    }
    named.give();
    store(lifetime, lifetime_of(**credential));
    store(usage, usage_of((*credential)->usage()));
    return {};
  });
}

OM_uint32 gss_inquire_cred_by_mech(OM_uint32* minor, gss_cred_id_t handle, gss_OID mech,
                                   gss_name_t* name, OM_uint32* initiator_lifetime,
                                   OM_uint32* acceptor_lifetime, gss_cred_usage_t* usage) {
  // Without a handle a default credential is acquired.
  return guard_secret<kCredentialStack>(minor, handle == GSS_C_NO_CREDENTIAL, [&]() -> Answer {
    store(name, GSS_C_NO_NAME);
    store(initiator_lifetime, OM_uint32{0});
    store(acceptor_lifetime, OM_uint32{0});
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    Result<Ref<const Credential>> credential = credential_or_default(handle, Usage::kBoth);
    if (!credential) {
      return credential.error();
    }
    const Credential& c = **credential;
    if (lifetime_of(c) == 0) {
      return kExpiredCredential;
    }
    NameOutput(name, c.name()).give();
    store(initiator_lifetime, c.can_initiate() ? lifetime_of(c) : OM_uint32{0});
    store(acceptor_lifetime, c.can_accept() ? OM_uint32{GSS_C_INDEFINITE} : OM_uint32{0});
    store(usage, usage_of(c.usage()));
    return {};
  });
}

OM_uint32 gssspi_set_cred_option(OM_uint32* minor, gss_cred_id_t* credential, const gss_OID oid,
                                 const gss_buffer_t value) {
  return guard(minor, [&]() -> Answer {
    if (credential == nullptr || oid == GSS_C_NO_OID || is_broken(value)) {
      return kBadArgument;
    }
    if (*credential == GSS_C_NO_CREDENTIAL) {
      return Error{Major::kUnavailable, Minor::kBadArgument};
    }
    const Credential* found = credential_of(*credential);
    return found != nullptr ? set_option(*found, credential, oid, view_of(value))
                            : Answer(reject_credential(*credential));
  });
}

}  // extern "C"
