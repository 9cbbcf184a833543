#include "mech/names/computed_attributes.h"

#include <algorithm>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

// A fact of another type needs a text of its own: none is converted to one of these.
template <typename T>
std::string text_of(const T& value) = delete;

std::string text_of(const Bytes& wide) {
  Result<std::string> text = utf8_from_utf16le(wide);
  return text ? *std::move(text) : std::string();
}

std::string text_of(ResponseKind kind) {
  return std::string(kind_name(kind));
}

std::string text_of(bool truth) {
  return truth ? "1" : "0";
}

std::string text_of(unsigned number) {
  return std::to_string(number);
}

constexpr ComputedAttribute kComputed[] = {
    {kLocalLoginAttribute, AttributeBasis::kHost, true, nullptr},
    {GSS_NTLM_ATTR_USER, AttributeBasis::kParts, true,
     [](const Name& name) { return name.user_part(); }},
    {GSS_NTLM_ATTR_DOMAIN, AttributeBasis::kParts, true,
     [](const Name& name) { return name.domain_part(); }},
#define X(attribute, type, member, source)                                                         \
  {GSS_NTLM_ATTR_##attribute, AttributeBasis::kLogin, FactSource::source == FactSource::kAcceptor, \
   [](const Name& name) { return text_of(name.facts()->member); }},
#include "mech/protocol/login_facts.inc"
#undef X
};

}  // namespace

std::span<const ComputedAttribute> computed_attributes() noexcept {
  return kComputed;
}

const ComputedAttribute* computed_attribute(std::string_view name) noexcept {
  const auto* found = std::find_if(std::begin(kComputed), std::end(kComputed),
                                   [name](const ComputedAttribute& a) { return a.name == name; });
  return found != std::end(kComputed) ? found : nullptr;
}

}  // namespace gssntlm
