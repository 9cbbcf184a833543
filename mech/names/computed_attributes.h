// The attributes of a name that this mechanism computes: applications and tokens have no say in
// them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "mech/names/name.h"

namespace gssntlm {

/// What an attribute is computed from.
enum class AttributeBasis {
  kHost,   ///< the users of this host, by each call: no name holds it
  kParts,  ///< the name's parts, which a saved name states as well
  kLogin,  ///< what the logon showed (login_facts.inc)
};

struct ComputedAttribute {
  std::string_view name;
  AttributeBasis basis;
  bool authenticated;
  /// Of a name with facts(), for kParts of any name. nullptr for kHost. Throws std::bad_alloc.
  std::string (*value)(const Name& name);
};

/// All of them, in the order in which names list them.
[[nodiscard]] std::span<const ComputedAttribute> computed_attributes() noexcept;

/// nullptr: the attribute is not computed.
[[nodiscard]] const ComputedAttribute* computed_attribute(std::string_view name) noexcept;

}  // namespace gssntlm
