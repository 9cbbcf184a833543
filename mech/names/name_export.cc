// Names saved and loaded, with their attributes.
#include <utility>

#include "mech/base/text.h"
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

Result<Ref<const Name>> Name::load(Deserializer& in) {
  const Error bad{Major::kBadName, Minor::kImport};
  const auto kind = static_cast<NameKind>(in.u8());
  std::string first = load_part(in);
  std::string second = load_part(in);
  std::vector<LogonAttribute> attributes = load_attributes(in);
  if (!in.ok()) {
    return bad;
  }
  const bool nobody = first.empty() && second.empty();
  Result<Ref<const Name>> name = bad;
  if (kind == NameKind::kAnonymous && nobody) {
    name = anonymous();
  } else if (kind == NameKind::kService && !first.empty()) {
    name = service(second.empty() ? first : first + "@" + second);
    if (name && (*name)->user_part() != first) {
      name = bad;
    }
  } else if (kind == NameKind::kUser && !first.empty()) {
    name = user(std::move(first), std::move(second));
  }
  return name ? (*name)->with(std::move(attributes)) : name;
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
