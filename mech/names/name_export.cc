// Names saved and loaded, with their attributes.
#include <algorithm>
#include <utility>

#include "mech/base/text.h"
#include "mech/names/computed_attributes.h"
#include "mech/names/name.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxAttributes = 1024;
constexpr std::size_t kMaxValue = std::size_t{1} << 20;

// A part of a name may be empty, and never holds what no name holds.
std::string load_part(Deserializer& in) {
  std::string part = in.text(Name::kMaxSize);
  const Result<Bytes> wide = utf16le_from_utf8(part);
  if (!wide || !is_clean_name(*wide)) {
    in.reject();
  }
  return part;
}

std::vector<LogonAttribute> load_attributes(Deserializer& in) {
  std::vector<LogonAttribute> attributes;
  const std::size_t count = in.u16();
  if (count > kMaxAttributes) {
    in.reject();
  }
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    LogonAttribute attribute;
    attribute.name = in.text(Name::kMaxSize);
    attribute.value = in.text(kMaxValue);
    attribute.authenticated = in.flag();
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

// Whether `name` can have been saved with this attribute: of those that are computed, with what the
// name itself says, and as authenticated as they ever are.
bool is_sound(const LogonAttribute& attribute, const Name& name) {
  const ComputedAttribute* computed = computed_attribute(attribute.name);
  if (computed == nullptr) {
    return true;
  }
  if (computed->basis == AttributeBasis::kHost ||
      (attribute.authenticated && !computed->authenticated)) {
    return false;
  }
  return computed->basis != AttributeBasis::kParts || attribute.value == computed->value(name);
}

// What save() writes: no attribute twice.
bool are_sound(const std::vector<LogonAttribute>& attributes, const Name& name) {
  std::vector<std::string_view> names;
  for (const LogonAttribute& attribute : attributes) {
    names.push_back(attribute.name);
    if (!is_sound(attribute, name)) {
      return false;
    }
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

}  // namespace

void Name::save(Serializer& out) const {
  out.u8(static_cast<std::uint8_t>(kind_));
  out.text(first_);
  out.text(second_);
  const std::vector<LogonAttribute> all = attributes();
  out.u16(static_cast<std::uint16_t>(all.size()));
  for (const LogonAttribute& attribute : all) {
    out.text(attribute.name);
    out.text(attribute.value);
    out.flag(attribute.authenticated);
  }
}

Result<Ref<const Name>> Name::load_unproven(Deserializer& in) {
  Result<Ref<const Name>> name = load(in);
  const bool claims = name && std::any_of((*name)->attributes_.begin(), (*name)->attributes_.end(),
                                          [](const LogonAttribute& a) { return a.authenticated; });
  return claims ? Error{Major::kBadName, Minor::kImport} : std::move(name);
}

Result<Ref<const Name>> Name::load(Deserializer& in) {
  const Error bad{Major::kBadName, Minor::kImport};
  const auto kind = static_cast<NameKind>(in.u8());
  std::string first = load_part(in);
  std::string second = load_part(in);
  std::vector<LogonAttribute> attributes = load_attributes(in);
  if (!in.ok()) {
    return bad;
  }
  const Result<Ref<const Name>> name = of_parts(kind, std::move(first), std::move(second));
  if (!name || !are_sound(attributes, **name)) {
    return bad;
  }
  return (*name)->with(std::move(attributes));
}

Ref<const Name> Name::with(std::vector<LogonAttribute> attributes) const {
  auto* copy = new Name(*this);
  copy->attributes_ = std::move(attributes);
  copy->facts_.reset();
  return Ref<const Name>::adopt(copy);
}

Ref<const Name> Name::unproven() const {
  std::vector<LogonAttribute> claimed = attributes();
  for (LogonAttribute& attribute : claimed) {
    attribute.authenticated = false;
  }
  auto* copy = new Name(*this);
  copy->attributes_ = std::move(claimed);
  copy->facts_.reset();
  copy->proven_ = false;
  return Ref<const Name>::adopt(copy);
}

}  // namespace gssntlm
