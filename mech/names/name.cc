#include "mech/names/name.h"

#include <algorithm>
#include <utility>

#include "mech/base/text.h"
#include "mech/names/computed_attributes.h"

namespace gssntlm {
namespace {

constexpr std::string_view kAnonymousText = "ANONYMOUS LOGON";

// The domain of `.\user`.
constexpr std::string_view kThisHost = ".";

using Parts = Name::Parts;

Status check_text(std::string_view text) {
  if (text.size() > Name::kMaxSize) {
    return Error{Major::kBadName, Minor::kTooLong};
  }
  if (text.empty()) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  // A fast path: most names are plain, and callers import the target for every handshake.
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return {};
  }
  const Result<Bytes> wide = utf16le_from_utf8(text);
  if (!wide) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  return is_clean_name(*wide) ? Status() : Status(Error{Major::kBadName, Minor::kBadName});
}

// Takes the backslash out of `\@`; nothing when there is none.
std::optional<Parts> split_escaped_upn(std::string_view text) {
  const std::size_t at = text.find("\\@");
  if (at == std::string_view::npos || at == 0) {
    return std::nullopt;
  }
  return Parts{std::string(text.substr(0, at)).append(text.substr(at + 1)), {}};
}

Parts split_user(std::string_view text) {
  if (std::optional<Parts> upn = split_escaped_upn(text)) {
    return *std::move(upn);
  }
  if (const std::size_t slash = text.find('\\'); slash != std::string_view::npos) {
    const std::string_view domain = text.substr(0, slash);
    return {std::string(text.substr(slash + 1)),
            domain == kThisHost ? std::string() : std::string(domain)};
  }
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos && at != 0 && at + 1 != text.size() &&
      text.substr(at + 1) != kThisHost) {
    return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
  }
  return {std::string(text), {}};
}

// The parts of `DOM\user` where the text is also what is displayed, as it is for most names.
struct PlainParts {
  std::string_view user;
  std::string_view domain;
};
std::optional<PlainParts> split_plain_user(std::string_view text) noexcept {
  const std::size_t slash = text.find('\\');
  if (slash == std::string_view::npos || slash == 0) {
    return std::nullopt;
  }
  const PlainParts parts{text.substr(slash + 1), text.substr(0, slash)};
  const bool plain = !parts.user.empty() && parts.user.front() != '@' &&
                     parts.user.find('\\') == std::string_view::npos && parts.domain != kThisHost;
  return plain ? std::optional(parts) : std::nullopt;
}

// A UPN without its backslash would be read as a user of a domain, and `DOM\@user` as the UPN
// DOM@user.
std::string join_user(const std::string& user, const std::string& domain) {
  const bool upn = domain.empty() && split_user(user).first != user;
  if (domain.empty() && !upn) {
    return user;
  }
  const bool suffix = !upn && user.starts_with('@');
  std::string name;
  name.reserve(domain.size() + 1 + user.size());
  name.append(suffix ? user : domain).push_back(suffix ? '@' : '\\');
  return name.append(suffix ? domain : user);
}

// What principal() reads as these parts, for most of them.
std::string join_principal(const Parts& parts) {
  std::string text = parts.second.empty() ? parts.first : parts.first + "@" + parts.second;
  const Parts split = split_user(text);
  const bool same = split.first == parts.first && split.second == parts.second;
  return same ? text : join_user(parts.first, parts.second);
}

// The service of `svc/host` and `svc/host@REALM`; empty where there is none. NTLM has no use for
// the realm, and no account's name has a slash.
std::string_view service_of_principal(std::string_view text) noexcept {
  const std::string_view name = text.substr(0, text.rfind('@'));
  const std::size_t slash = name.find('/');
  const bool has_service = slash != std::string_view::npos && slash != 0;
  return has_service && text.find('\\') == std::string_view::npos ? name : std::string_view();
}

// The same of a text without a type, which may be `svc@host` too.
std::string_view service_of_untyped(std::string_view text) noexcept {
  if (const std::string_view service = service_of_principal(text); !service.empty()) {
    return service;
  }
  const std::size_t at = text.find('@');
  const bool has_both = at != std::string_view::npos && at != 0 && at + 1 != text.size();
  return has_both && text.find('\\') == std::string_view::npos ? text : std::string_view();
}

bool equal_text(std::string_view a, std::string_view b) {
  const Result<Bytes> wide_a = utf16le_from_utf8(a);
  const Result<Bytes> wide_b = utf16le_from_utf8(b);
  return wide_a && wide_b && equal_ignoring_case(*wide_a, *wide_b);
}

// What is not UTF-8 equals nothing, and keeps its bytes.
std::string upper_case(const std::string& text) {
  Result<Bytes> wide = utf16le_from_utf8(text);
  if (!wide) {
    return text;
  }
  upcase_utf16le(*wide);
  Result<std::string> upper = utf8_from_utf16le(*wide);
  return upper ? *std::move(upper) : text;
}

Ref<const Name> service_or_none(std::string_view text) {
  Result<Ref<const Name>> service = Name::service(text);
  return service ? *std::move(service) : Ref<const Name>();
}

std::string domain_or_none(std::string domain) {
  return domain == kThisHost ? std::string() : std::move(domain);
}

}  // namespace

std::string printable_account(std::string_view user, std::string_view domain) {
  const std::string name = printable_utf8(user);
  return domain.empty() ? name : printable_utf8(domain).append("\\").append(name);
}

Result<Ref<const Name>> Name::user(std::string_view text) {
  const std::string_view target = service_of_principal(text);
  return parsed_user(text, target.empty() ? Ref<const Name>() : service_or_none(target));
}

Result<Ref<const Name>> Name::untyped(std::string_view text) {
  const std::string_view target = service_of_untyped(text);
  return parsed_user(text, target.empty() ? Ref<const Name>() : service_or_none(target));
}

Result<Ref<const Name>> Name::parsed_user(std::string_view text, Ref<const Name> target) {
  if (Status s = check_text(text); !s) {
    return s.error();
  }
  if (const std::optional<PlainParts> plain = split_plain_user(text)) {
    auto* name = new Name(NameKind::kUser, plain->user, plain->domain, text);
    name->target_ = std::move(target);
    return Ref<const Name>::adopt(name);
  }
  Parts parts = split_user(text);
  // A second backslash would make another user of what is displayed.
  if (parts.first.empty() || parts.first.find('\\') != std::string::npos) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  std::string display = join_user(parts.first, parts.second);
  auto* name = new Name(NameKind::kUser, std::move(parts.first), std::move(parts.second),
                        std::move(display));
  name->target_ = std::move(target);
  name->upn_ = !name->second_.empty() && text.find('\\') == std::string_view::npos;
  return Ref<const Name>::adopt(name);
}

Ref<const Name> Name::user(std::string user, std::string domain) {
  domain = domain_or_none(std::move(domain));
  std::string display = join_user(user, domain);
  return Ref<const Name>::adopt(
      new Name(NameKind::kUser, std::move(user), std::move(domain), std::move(display)));
}

Ref<const Name> Name::authenticated(std::string user, std::string domain,
                                    std::vector<LogonAttribute> attributes, LoginFacts facts) {
  domain = domain_or_none(std::move(domain));
  std::string display = join_user(user, domain);
  auto* name = new Name(NameKind::kUser, std::move(user), std::move(domain), std::move(display));
  name->attributes_ = std::move(attributes);
  name->facts_ = std::move(facts);
  name->proven_ = true;
  return Ref<const Name>::adopt(name);
}

std::vector<LogonAttribute> Name::attributes() const {
  std::vector<LogonAttribute> all = attributes_;
  if (!facts_) {
    return all;
  }
  for (const ComputedAttribute& row : computed_attributes()) {
    if (row.basis != AttributeBasis::kHost) {
      all.push_back({std::string(row.name), row.value(*this), row.authenticated});
    }
  }
  return all;
}

Result<Ref<const Name>> Name::service(std::string_view text) {
  if (Status s = check_text(text); !s) {
    return s.error();
  }
  const std::size_t at = text.find_first_of("@/");
  const std::string_view service = text.substr(0, at);
  const std::string_view host =
      at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  if (service.empty()) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  auto* name = new Name(NameKind::kService, service, host, host.empty() ? service : text);
  auto owner = Ref<const Name>::adopt(name);
  if (!host.empty()) {
    name->display_[at] = '@';
  }
  return owner;
}

Ref<const Name> Name::anonymous() {
  return Ref<const Name>::adopt(
      new Name(NameKind::kAnonymous, std::string(), std::string(), kAnonymousText));
}

std::string Name::target_spn() const {
  if (kind_ == NameKind::kService && !second_.empty()) {
    return first_ + "/" + second_;
  }
  return kind_ == NameKind::kAnonymous ? std::string() : display_;
}

Result<Ref<const Name>> Name::principal(std::string_view text) {
  const std::string_view name = text.substr(0, text.rfind('@'));
  if (std::count(name.begin(), name.end(), '/') == 1) {
    return service(name);
  }
  Result<Ref<const Name>> account = user(text);
  if (!account) {
    return account;
  }
  auto* principal =
      new Name(NameKind::kPrincipal, (*account)->first_, (*account)->second_, std::string(text));
  principal->target_ = (*account)->target_;
  principal->upn_ = (*account)->upn_;
  return Ref<const Name>::adopt(principal);
}

Result<Ref<const Name>> Name::of_parts(NameKind kind, std::string first, std::string second) {
  const Error bad{Major::kBadName, Minor::kImport};
  if (kind == NameKind::kAnonymous) {
    return first.empty() && second.empty() ? anonymous() : Result<Ref<const Name>>(bad);
  }
  if (kind == NameKind::kUser) {
    return first.empty() ? Result<Ref<const Name>>(bad) : user(std::move(first), std::move(second));
  }
  const bool is_service = kind == NameKind::kService;
  if (!is_service && kind != NameKind::kPrincipal) {
    return bad;
  }
  Result<Ref<const Name>> name = is_service ? service(second.empty() ? first : first + "@" + second)
                                            : principal(join_principal({first, second}));
  // Parts that would be split again are those of another name.
  const bool same =
      name && (*name)->kind_ == kind && (*name)->first_ == first && (*name)->second_ == second;
  return same ? std::move(name) : bad;
}

bool Name::is_computed(std::string_view attribute) noexcept {
  return computed_attribute(attribute) != nullptr;
}

Result<Bytes> Name::wide_target_spn() const {
  if (kind_ == NameKind::kAnonymous) {
    return Bytes();
  }
  // display_ is svc@host, and no service has an @.
  Result<Bytes> wide = utf16le_from_utf8(display_);
  if (wide && kind_ == NameKind::kService && !second_.empty()) {
    for (std::size_t i = 0; i < wide->size(); i += 2) {
      if ((*wide)[i] == '@' && (*wide)[i + 1] == 0) {
        (*wide)[i] = '/';
        break;
      }
    }
  }
  return wide;
}

bool Name::equals(const Name& other) const {
  if (kind_ == NameKind::kAnonymous || kind_ != other.kind_) {
    return false;
  }
  return equal_text(first_, other.first_) && equal_text(second_, other.second_);
}

Name::Parts Name::canonical() const {
  return {upper_case(first_), upper_case(second_)};
}

}  // namespace gssntlm
