#include "tools/decode/wrapping.h"

#include <algorithm>
#include <array>

#include "mech/wire/types.h"
#include "spnego/token.h"

namespace gssntlm::tools {
namespace {

// No wrapping has more elements beside each other.
constexpr std::size_t kMostParts = 8;

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kBindRequest = 0x60;
constexpr std::uint8_t kBindResponse = 0x61;
constexpr std::uint8_t kSasl = 0xA3;
constexpr std::uint8_t kServerCredentials = 0x87;
// [MS-ADTS] 5.1.1.1.3: choices of Microsoft's bind.
constexpr std::uint8_t kSicilyDiscovery = 0x89;
constexpr std::uint8_t kSicilyResponse = 0x8B;

constexpr std::uint8_t context(unsigned number) noexcept {
  return static_cast<std::uint8_t>(der_tag::kContext + number);
}

std::uint32_t number_of(ByteView content) noexcept {
  std::uint32_t value = 0;
  for (const std::uint8_t b : content) {
    value = value << 8 | b;
  }
  return value;
}

std::optional<Wrapping> unwrap_framing(ByteView token) {
  DerReader outer(token);
  DerReader in = outer.enter(der_tag::kFraming);
  const DerElement oid = in.next(der_tag::kOid);
  if (!in.ok() || !same_bytes(oid.content, kNtlmOid)) {
    return std::nullopt;
  }
  const auto inner = token.subspan(static_cast<std::size_t>(in.where() - token.data()));
  return Wrapping{"RFC 2743 framing", {{oid.whole, "mechanism", oid_text(oid.content)}}, inner, ""};
}

// The first of the tokens in negoTokens; there is never another one.
ByteView nego_token(DerReader& fields) noexcept {
  DerReader tokens = fields.enter(context(1));
  DerReader list = tokens.enter(der_tag::kSequence);
  DerReader item = list.enter(der_tag::kSequence);
  return item.only(context(0), der_tag::kOctetString).content;
}

std::optional<Wrapping> unwrap_ts_request(ByteView token) {
  constexpr std::array<const char*, 4> kLater = {"authInfo", "pubKeyAuth", "errorCode",
                                                 "clientNonce"};
  DerReader outer(token);
  DerReader in = outer.enter(der_tag::kSequence);
  const DerElement version = in.only(context(0), kInteger);
  if (!in.ok()) {
    return std::nullopt;
  }
  Wrapping w{"CredSSP TSRequest",
             {{version.whole, "version", std::to_string(number_of(version.content))}},
             {},
             ""};
  if (in.is_next(context(1))) {
    w.inner = nego_token(in);
  }
  for (std::size_t i = 0; i < kMostParts && in.ok() && !in.at_end(); ++i) {
    const unsigned number = in.next_tag() - der_tag::kContext;
    const DerElement part = in.next(in.next_tag());
    if (number >= 2 && number < 2 + kLater.size()) {
      w.parts.push_back(
          {part.whole, kLater[number - 2], std::to_string(part.content.size()) + " bytes"});
    }
  }
  return w;
}

std::string ldap_result(std::uint32_t code) {
  struct Known {
    std::uint32_t code;
    const char* name;
  };
  constexpr Known kKnown[] = {{0, "success"},
                              {1, "operationsError"},
                              {7, "authMethodNotSupported"},
                              {8, "strongerAuthRequired"},
                              {14, "saslBindInProgress"},
                              {48, "inappropriateAuthentication"},
                              {49, "invalidCredentials"},
                              {53, "unwillingToPerform"}};
  for (const Known& k : kKnown) {
    if (k.code == code) {
      return "LDAP " + std::string(k.name) + " (" + std::to_string(code) + ")";
    }
  }
  return "LDAP result " + std::to_string(code);
}

std::optional<Wrapping> unwrap_bind_request(DerReader& message, Wrapping w) {
  DerReader bind = message.enter(kBindRequest);
  (void)bind.next(kInteger);
  const DerElement name = bind.next(der_tag::kOctetString);
  const std::uint8_t choice = bind.next_tag();
  if (choice == kSasl) {
    DerReader sasl = bind.enter(kSasl);
    const DerElement mechanism = sasl.next(der_tag::kOctetString);
    w.parts.push_back({mechanism.content, "mechanism", std::string(as_text(mechanism.content))});
    w.inner =
        sasl.is_next(der_tag::kOctetString) ? sasl.next(der_tag::kOctetString).content : ByteView();
  } else if (choice >= kSicilyDiscovery && choice <= kSicilyResponse) {
    w.inner = bind.next(choice).content;
    w.parts.push_back({name.content, "mechanism", "Sicily"});
  } else {
    return std::nullopt;
  }
  w.name = "LDAP bindRequest";
  return bind.ok() ? std::optional(std::move(w)) : std::nullopt;
}

std::optional<Wrapping> unwrap_bind_response(DerReader& message, Wrapping w) {
  DerReader bind = message.enter(kBindResponse);
  const DerElement code = bind.next(der_tag::kEnumerated);
  const DerElement matched = bind.next(der_tag::kOctetString);
  const DerElement text = bind.next(der_tag::kOctetString);
  if (!bind.ok() || code.content.empty() || code.content.size() > 4) {
    return std::nullopt;
  }
  w.name = "LDAP bindResponse";
  w.result = ldap_result(number_of(code.content));
  w.parts.push_back({code.whole, "resultCode", w.result});
  if (!text.content.empty()) {
    w.parts.push_back({text.whole, "diagnosticMessage", std::string(as_text(text.content))});
  }
  // Sicily's CHALLENGE comes as the name of an entry.
  w.inner = starts_ntlm(matched.content) ? matched.content : ByteView();
  for (std::size_t i = 0; i < kMostParts && bind.ok() && !bind.at_end(); ++i) {
    const bool credentials = bind.is_next(kServerCredentials);
    const DerElement part = bind.next(bind.next_tag());
    w.inner = credentials ? part.content : w.inner;
  }
  return w;
}

std::optional<Wrapping> unwrap_ldap(ByteView token) {
  DerReader outer(token);
  DerReader in = outer.enter(der_tag::kSequence);
  const DerElement id = in.next(kInteger);
  if (!in.ok() || id.content.empty() || id.content.size() > 4) {
    return std::nullopt;
  }
  Wrapping w;
  w.parts.push_back({id.whole, "messageID", std::to_string(number_of(id.content))});
  if (in.is_next(kBindRequest)) {
    return unwrap_bind_request(in, std::move(w));
  }
  if (in.is_next(kBindResponse)) {
    return unwrap_bind_response(in, std::move(w));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Wrapping> unwrap(ByteView token) {
  DerReader reader(token);
  std::optional<Wrapping> w;
  switch (reader.next_tag()) {
    case der_tag::kFraming:
      w = unwrap_framing(token);
      return w ? std::move(w) : unwrap_bind_request(reader, {});
    case kBindResponse:
      return unwrap_bind_response(reader, {});
    case der_tag::kSequence:
      w = unwrap_ts_request(token);
      return w ? std::move(w) : unwrap_ldap(token);
    case context(1): {
      const ByteView inner = nego_token(reader);
      return inner.empty() ? std::nullopt
                           : std::optional(Wrapping{"CredSSP negoTokens", {}, inner, ""});
    }
    default:
      return std::nullopt;
  }
}

}  // namespace gssntlm::tools
