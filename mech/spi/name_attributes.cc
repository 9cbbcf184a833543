// RFC 6680, gssapi_ext.h: what is known of a name, and who it is on this system.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/credential/local_user.h"
#include "mech/log/process_runtime.h"
#include "mech/spi/boundary.h"
#include "mech/spi/oids.h"
#include "mech/spi/sets.h"

namespace gssntlm::spi {
namespace {

constexpr Error kNoAttribute{Major::kUnavailable, Minor::kAttribute};
constexpr std::size_t kMaxAttributes = 256;
constexpr std::size_t kMaxAttributeName = 1024;
constexpr std::size_t kMaxValue = std::size_t{1} << 20;

using Attributes = std::vector<LogonAttribute>;

template <typename List>
auto find_attribute(List& attributes, std::string_view name) {
  return std::find_if(attributes.begin(), attributes.end(),
                      [name](const LogonAttribute& a) { return a.name == name; });
}

Result<std::string> local_user_of(const Name& name) {
  const Result<Ref<const Settings>> settings = load_settings_or_trace();
  return settings ? local_user(name, **settings) : Result<std::string>(settings.error());
}

Answer inquire(const Name& name, gss_buffer_set_t* attrs) {
  const Attributes attributes = name.attributes();
  std::vector<ByteView> names;
  for (const LogonAttribute& attribute : attributes) {
    names.push_back(as_bytes(attribute.name));
  }
  if (name.is_proven() && local_user_of(name)) {
    names.push_back(as_bytes(kLocalLoginAttribute));
  }
  return names.empty() ? Answer() : give_set(attrs, names);
}

struct AttributeOutputs {
  int* authenticated;
  int* complete;
  gss_buffer_t value;
  gss_buffer_t display_value;
};

Answer give_attribute(const AttributeOutputs& out, std::string_view value, bool authenticated) {
  Buffer copy = Buffer::copy_of(as_bytes(value));
  if (out.display_value != nullptr) {
    give(out.display_value, value);
  }
  if (out.value != nullptr) {
    give(out.value, std::move(copy));
  }
  store(out.authenticated, authenticated ? 1 : 0);
  store(out.complete, 1);
  return {};
}

Answer get_local_login(const Name& name, const AttributeOutputs& out) {
  const Result<std::string> user = local_user_of(name);
  return user ? give_attribute(out, *user, true)
              : Answer(Error{Major::kUnauthorized, user.error().minor});
}

Answer get(const Name& name, std::string_view attribute, const AttributeOutputs& out) {
  // First: nothing that a name holds may stand for it.
  if (attribute == kLocalLoginAttribute) {
    return get_local_login(name, out);
  }
  const Attributes attributes = name.attributes();
  const auto found = find_attribute(attributes, attribute);
  return found != attributes.end() ? give_attribute(out, found->value, found->authenticated)
                                   : Answer(kNoAttribute);
}

// After any other error the mechglue's gss_authorize_localname compares names instead, for those of
// SPNEGO: an account called root would then be the user root.
OM_uint32 reject_local_login(gss_buffer_t attribute, OM_uint32 major) noexcept {
  const bool failed = major == GSS_S_FAILURE && as_text(view_of(attribute)) == kLocalLoginAttribute;
  return failed ? GSS_S_UNAUTHORIZED : major;
}

Answer set(NameBox& box, std::string_view attribute, std::string_view value) {
  Attributes attributes = box.name->attributes();
  const auto found = find_attribute(attributes, attribute);
  if (Name::is_computed(attribute) || (found != attributes.end() && found->authenticated)) {
    return Error{Major::kUnauthorized, Minor::kAttribute};
  }
  if (attribute.empty() || attribute.size() > kMaxAttributeName || value.size() > kMaxValue ||
      attributes.size() >= kMaxAttributes) {
    return failure(Minor::kTooLong);
  }
  if (found != attributes.end()) {
    found->value = value;
  } else {
    attributes.push_back({std::string(attribute), std::string(value), false});
  }
  box.name = box.name->with(std::move(attributes));
  return {};
}

Answer remove(NameBox& box, std::string_view attribute) {
  Attributes attributes = box.name->attributes();
  const auto found = find_attribute(attributes, attribute);
  if (Name::is_computed(attribute) || (found != attributes.end() && found->authenticated)) {
    return Error{Major::kUnauthorized, Minor::kAttribute};
  }
  if (found == attributes.end()) {
    return kNoAttribute;
  }
  attributes.erase(found);
  box.name = box.name->with(std::move(attributes));
  return {};
}

// The account that a name of this system, in one of its forms, is of.
Result<std::string> account_named(gss_const_buffer_t buffer, const gss_OID_desc* type) {
  const ByteView value = view_of(buffer);
  const std::string_view text = text_of(buffer);
  if (type == GSS_C_NO_OID || same_oid(type, GSS_C_NT_USER_NAME)) {
    return std::string(text);
  }
  if (same_oid(type, GSS_C_NT_MACHINE_UID_NAME) && value.size() == sizeof(uid_t)) {
    uid_t uid = 0;
    std::memcpy(&uid, value.data(), sizeof uid);
    return user_of_uid(uid);
  }
  if (same_oid(type, GSS_C_NT_STRING_UID_NAME)) {
    const std::optional<uid_t> uid = uid_from_text(text);
    return uid ? user_of_uid(*uid) : Result<std::string>(Error{Major::kBadName, Minor::kBadName});
  }
  return Error{Major::kBadNameType, Minor::kNameType};
}

Answer authorize(const Name& name, gss_const_buffer_t user, const gss_OID_desc* type) {
  const Result<std::string> wanted = account_named(user, type);
  const Result<std::string> mine = local_user_of(name);
  if (!wanted || !mine || *wanted != *mine) {
    return Error{Major::kUnauthorized, Minor::kNoLocalUser};
  }
  return {};
}

Answer display_as(const Name& name, const gss_OID_desc* type, gss_buffer_t text) {
  if (same_oid(type, type_of(name.kind()))) {
    give(text, name.display());
    return {};
  }
  const bool number = same_oid(type, GSS_C_NT_MACHINE_UID_NAME);
  if (!number && !same_oid(type, GSS_C_NT_STRING_UID_NAME)) {
    return Error{Major::kBadNameType, Minor::kNameType};
  }
  const Result<std::string> user = local_user_of(name);
  const Result<uid_t> uid = user ? uid_of_user(*user) : Result<uid_t>(user.error());
  if (!uid) {
    return Error{Major::kUnavailable, Minor::kNoLocalUser};
  }
  if (number) {
    give(text, Buffer::copy_of({reinterpret_cast<const std::uint8_t*>(&*uid), sizeof *uid}));
  } else {
    give(text, std::to_string(*uid));
  }
  return {};
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_inquire_name(OM_uint32* minor, gss_name_t name, int* is_mechanism_name, gss_OID* mech,
                           gss_buffer_set_t* attributes) {
  return guard(minor, [&]() -> Answer {
    store(is_mechanism_name, 0);
    store(mech, GSS_C_NO_OID);
    store(attributes, GSS_C_NO_BUFFER_SET);
    const Name* found = name_of(name);
    if (found == nullptr) {
      return reject_name(name);
    }
    store(is_mechanism_name, 1);
    store(mech, mechanism_oid());
    return attributes != nullptr ? inquire(*found, attributes) : Answer();
  });
}

OM_uint32 gss_get_name_attribute(OM_uint32* minor, gss_name_t name, gss_buffer_t attribute,
                                 int* authenticated, int* complete, gss_buffer_t value,
                                 gss_buffer_t display_value, int* more) {
  const OM_uint32 major = guard(minor, [&]() -> Answer {
    clear(value);
    clear(display_value);
    store(authenticated, 0);
    store(complete, 0);
    // On an error too: the mechglue asks again while there is more.
    store(more, 0);
    const Name* found = name_of(name);
    if (found == nullptr) {
      return reject_name(name);
    }
    if (attribute == nullptr || is_broken(attribute)) {
      return kBadArgument;
    }
    return get(*found, as_text(view_of(attribute)),
               {authenticated, complete, value, display_value});
  });
  return reject_local_login(attribute, major);
}

OM_uint32 gss_set_name_attribute(OM_uint32* minor, gss_name_t name, int, gss_buffer_t attribute,
                                 gss_buffer_t value) {
  return guard(minor, [&]() -> Answer {
    NameBox* box = box_of(name);
    if (box == nullptr) {
      return reject_name(name);
    }
    if (attribute == nullptr || is_broken(attribute) || value == nullptr || is_broken(value)) {
      return kBadArgument;
    }
    return set(*box, as_text(view_of(attribute)), as_text(view_of(value)));
  });
}

OM_uint32 gss_delete_name_attribute(OM_uint32* minor, gss_name_t name, gss_buffer_t attribute) {
  return guard(minor, [&]() -> Answer {
    NameBox* box = box_of(name);
    if (box == nullptr) {
      return reject_name(name);
    }
    if (attribute == nullptr || is_broken(attribute)) {
      return kBadArgument;
    }
    return remove(*box, as_text(view_of(attribute)));
  });
}

OM_uint32 gss_display_name_ext(OM_uint32* minor, gss_name_t name, gss_OID type, gss_buffer_t text) {
  return guard(minor, [&]() -> Answer {
    clear(text);
    const Name* found = name_of(name);
    if (found == nullptr) {
      return reject_name(name);
    }
    if (type == GSS_C_NO_OID || text == nullptr) {
      return kBadArgument;
    }
    return display_as(*found, type, text);
  });
}

OM_uint32 gss_localname(OM_uint32* minor, const gss_name_t name, gss_const_OID mech,
                        gss_buffer_t user) {
  return guard(minor, [&]() -> Answer {
    clear(user);
    const Name* found = name_of(name);
    if (found == nullptr) {
      return reject_name(name);
    }
    if (user == nullptr) {
      return kBadArgument;
    }
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    const Result<std::string> mine = local_user_of(*found);
    if (!mine) {
      return mine.error();
    }
    give(user, *mine);
    return {};
  });
}

OM_uint32 gssspi_authorize_localname(OM_uint32* minor, const gss_name_t name,
                                     gss_const_buffer_t user, gss_const_OID type) {
  return guard(minor, [&]() -> Answer {
    const Name* found = name_of(name);
    if (found == nullptr) {
      return reject_name(name);
    }
    if (user == nullptr || is_broken(user)) {
      return kBadArgument;
    }
    return authorize(*found, user, type);
  });
}

}  // extern "C"
