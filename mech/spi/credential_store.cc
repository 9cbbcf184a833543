// RFC 5588, gssapi_ext.h: credentials are kept, leave the process, and are asked for by OID.
#include <cstring>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/credential/store.h"
#include "mech/spi/context.h"
#include "mech/spi/oids.h"
#include "mech/spi/sets.h"
#include "mech/spi/token.h"

namespace gssntlm::spi {
namespace {

// Where a credential is kept: at most one of them.
struct Place {
  const char* key_file = nullptr;
  const char* keyring = nullptr;
};

// Keys of other mechanisms are passed to all and not looked at.
Place read_place(gss_const_key_value_set_t store) noexcept {
  Place place;
  for (OM_uint32 i = 0; store != nullptr && i < store->count; ++i) {
    const gss_key_value_element_desc& element = store->elements[i];
    if (element.key == nullptr || element.value == nullptr) {
      continue;
    }
    if (std::strcmp(element.key, GSS_NTLM_CS_KEYFILE) == 0) {
      place.key_file = element.value;
    } else if (std::strcmp(element.key, GSS_NTLM_CS_KEYRING) == 0) {
      place.keyring = element.value;
    }
  }
  return place;
}

// Without a store the session's keyring is the place; a store that names none of ours is for
// others.
Status keep(const Credential& credential, gss_const_key_value_set_t keys, bool overwrite) {
  const Place place = read_place(keys);
  if (keys != GSS_C_NO_CRED_STORE && place.key_file == nullptr && place.keyring == nullptr) {
    return error_with_detail(
        Major::kUnavailable, Minor::kNotAvailable,
        "the credential store names neither ntlmssp_keyfile nor ntlmssp_keyring");
  }
  if (place.key_file != nullptr && place.keyring != nullptr) {
    return error_with_detail(
        Major::kFailure, Minor::kBadArgument,
        "the credential store names both a users file and a keyring; give one");
  }
  if (place.key_file != nullptr) {
    return store_in_users_file(credential, place.key_file, overwrite);
  }
  KeyringChoice choice;
  if (place.keyring != nullptr) {
    Result<KeyringChoice> parsed = parse_keyring_choice(place.keyring);
    if (!parsed) {
      return parsed.error();
    }
    choice = std::move(*parsed);
  }
  return store_in_keyring(credential, choice, overwrite);
}

// Made before anything is kept: what can fail has failed by then.
struct OidSet {
  OidSet() = default;
  OidSet(const OidSet&) = delete;
  OidSet& operator=(const OidSet&) = delete;
  ~OidSet() {
    OM_uint32 ignored = 0;
    gss_release_oid_set(&ignored, &set);
  }
  gss_OID_set set = GSS_C_NO_OID_SET;
};

struct StoreCall {
  gss_cred_id_t credential;
  gss_cred_usage_t usage;
  gss_OID mech;
  OM_uint32 overwrite;
  gss_OID_set* mechs_stored;
  gss_cred_usage_t* usage_stored;
};

Answer store_credential(const StoreCall& call, gss_const_key_value_set_t keys) {
  store(call.mechs_stored, GSS_C_NO_OID_SET);
  if (call.usage != GSS_C_INITIATE && call.usage != GSS_C_BOTH && call.usage != GSS_C_ACCEPT) {
    return kBadArgument;
  }
  if (!is_ours(call.mech)) {
    return Error{Major::kBadMech, Minor::kBadArgument};
  }
  // What checks others' logins is kept elsewhere: there is nothing of it to store.
  if (call.credential == GSS_C_NO_CREDENTIAL || call.usage == GSS_C_ACCEPT) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Credential* found = credential_of(call.credential);
  if (found == nullptr) {
    return reject_credential(call.credential);
  }
  const Credential& credential = *found;
  if (credential.can_initiate() && credential.identity()->agent() != nullptr) {
    return error_with_detail(
        Major::kNoCred, Minor::kNoInitiatorCred,
        std::string(credential.source()->word()) +
            " keeps this account's password to itself; log in with gss-ntlm login");
  }
  OidSet stored;
  if (call.mechs_stored != nullptr) {
    if (const Answer a = give_mechs(&stored.set); GSS_ERROR(a.major)) {
      return a;
    }
  }
  if (Status s = keep(credential, keys, call.overwrite != 0); !s) {
    return s;
  }
  store(call.mechs_stored, std::exchange(stored.set, GSS_C_NO_OID_SET));
  store(call.usage_stored, gss_cred_usage_t{GSS_C_INITIATE});
  return {};
}

Answer inquire_option(const Credential& credential, gss_OID oid, gss_buffer_set_t* set) {
  const Credential::Options& options = credential.options();
  if (same_oid(oid, &kNoCiFlagsOid)) {
    const std::uint8_t answer = options.protection_only_if_asked ? 1 : 0;
    return give_set(set, {ByteView(&answer, 1)});
  }
  if (same_oid(oid, &kNegotiateFlagsOid)) {
    std::uint8_t answer[sizeof(Flags)] = {};
    if (!options.negotiate_flags) {
      return Error{Major::kUnavailable, Minor::kNotAvailable};
    }
    std::memcpy(answer, &*options.negotiate_flags, sizeof answer);
    return give_set(set, {ByteView(answer)});
  }
  return Error{Major::kUnavailable, Minor::kNotSupported};
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_store_cred(OM_uint32* minor, const gss_cred_id_t credential, gss_cred_usage_t usage,
                         const gss_OID mech, OM_uint32 overwrite, OM_uint32,
                         gss_OID_set* mechs_stored, gss_cred_usage_t* usage_stored) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    return store_credential({credential, usage, mech, overwrite, mechs_stored, usage_stored},
                            GSS_C_NO_CRED_STORE);
  });
}

OM_uint32 gss_store_cred_into(OM_uint32* minor, gss_cred_id_t credential, gss_cred_usage_t usage,
                              gss_OID mech, OM_uint32 overwrite, OM_uint32,
                              gss_const_key_value_set_t keys, gss_OID_set* mechs_stored,
                              gss_cred_usage_t* usage_stored) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    return store_credential({credential, usage, mech, overwrite, mechs_stored, usage_stored}, keys);
  });
}

OM_uint32 gss_export_cred(OM_uint32* minor, gss_cred_id_t credential, gss_buffer_t token) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    clear(token);
    if (token == nullptr) {
      return kBadArgument;
    }
    const Credential* found = credential_of(credential);
    if (found == nullptr) {
      return reject_credential(credential);
    }
    Serializer out;
    found->save(out);
    give(token, frame_token(TokenKind::kCredential, out));
    return {};
  });
}

OM_uint32 gss_import_cred(OM_uint32* minor, gss_buffer_t token, gss_cred_id_t* credential) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    store(credential, GSS_C_NO_CREDENTIAL);
    if (credential == nullptr || token == nullptr || is_broken(token)) {
      return kBadArgument;
    }
    const Result<ByteView> body = unframe_token(TokenKind::kCredential, view_of(token));
    if (!body) {
      return body.error();
    }
    Deserializer in(*body);
    Result<Ref<const Credential>> loaded = Credential::load(in);
    if (!loaded) {
      return loaded.error();
    }
    *credential = handle_of(std::move(*loaded));
    return {};
  });
}

OM_uint32 gss_inquire_cred_by_oid(OM_uint32* minor, const gss_cred_id_t credential,
                                  const gss_OID oid, gss_buffer_set_t* set) {
  return guard(minor, [&]() -> Answer {
    store(set, GSS_C_NO_BUFFER_SET);
    if (set == nullptr || oid == GSS_C_NO_OID) {
      return kBadArgument;
    }
    const Credential* found = credential_of(credential);
    return found != nullptr ? inquire_option(*found, oid, set)
                            : Answer(reject_credential(credential));
  });
}

}  // extern "C"
