// gss_mech_interposer: what the mechglue calls, under the lock of its list, each time that it
// updates the list until it has an answer. Only helpers of OID sets may be called here.
#include <algorithm>
#include <array>
#include <iterator>

#include <dlfcn.h>

#include "spnego/interposer/interposer.h"
#include "spnego/interposer/process_age.h"
#include "spnego/token.h"

namespace gssntlm::interposer {
namespace {

constexpr std::size_t kLongestPrefix = 64;

enum class Decision { kNone, kAccept, kDecline };

// Written once, under the mechglue's lock, before the mechglue can call another function here.
struct Registration {
  Decision decision = Decision::kNone;
  std::size_t prefix = 0;
  std::array<std::uint8_t, kLongestPrefix + std::size(kSpnegoOid)> bytes{};
  gss_OID_desc special{};
  gss_OID_set_desc set{};
};
Registration g_registration;

// Decided once for the life of the process, because a later answer could be another one: a
// credential made in between would then select nothing, and the default one be used in its place.
Decision decide() noexcept {
  Dl_info self{};
  if (::dladdr(&g_registration, &self) == 0 || self.dli_fname == nullptr) {
    return Decision::kDecline;
  }
  return is_younger_than(self.dli_fname) ? Decision::kAccept : Decision::kDecline;
}

ByteView registered_prefix() noexcept {
  return ByteView(g_registration.bytes).first(g_registration.prefix);
}

bool is_registered(ByteView prefix) noexcept {
  Registration& r = g_registration;
  if (r.prefix != 0) {
    return std::ranges::equal(prefix, registered_prefix());
  }
  if (prefix.empty() || prefix.size() > kLongestPrefix) {
    return false;
  }
  auto* end = std::ranges::copy(prefix, r.bytes.data()).out;
  end = std::ranges::copy(kSpnegoOid, end).out;
  r.prefix = prefix.size();
  r.special = {static_cast<OM_uint32>(end - r.bytes.data()), r.bytes.data()};
  r.set = {1, &r.special};
  return true;
}

gss_OID_set interpose(const gss_OID_desc* prefix) noexcept {
  Registration& r = g_registration;
  if (r.decision == Decision::kNone) {
    r.decision = decide();
  }
  if (r.decision != Decision::kAccept || prefix == nullptr ||
      !is_registered({static_cast<const std::uint8_t*>(prefix->elements), prefix->length})) {
    return GSS_C_NO_OID_SET;
  }
  gss_OID_desc spnego = {std::size(kSpnegoOid), const_cast<std::uint8_t*>(kSpnegoOid)};
  OM_uint32 minor = 0;
  gss_OID_set set = GSS_C_NO_OID_SET;
  if (GSS_ERROR(gss_create_empty_oid_set(&minor, &set)) ||
      GSS_ERROR(gss_add_oid_set_member(&minor, &spnego, &set))) {
    gss_release_oid_set(&minor, &set);
    return GSS_C_NO_OID_SET;
  }
  return set;
}

}  // namespace

gss_OID special_oid() noexcept {
  return &g_registration.special;
}

gss_OID_set special_set() noexcept {
  return &g_registration.set;
}

bool has_prefix(ByteView oid) noexcept {
  const ByteView prefix = registered_prefix();
  return oid.size() >= prefix.size() && std::ranges::equal(oid.first(prefix.size()), prefix);
}

}  // namespace gssntlm::interposer

extern "C" gss_OID_set gss_mech_interposer(gss_OID prefix) {
  return gssntlm::interposer::interpose(prefix);
}
