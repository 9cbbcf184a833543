// A token decoded for people: fields with their offsets, meanings and oddities.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "spnego/token.h"

namespace gssntlm::tools {

/// Some bytes of the token and what they say. `value` is escaped for people.
struct Field {
  std::size_t offset = 0;  ///< in the whole token
  std::size_t size = 0;
  std::string name;
  std::string value;
  std::string meaning;  ///< may be empty
  unsigned depth = 0;   ///< 1: part of the field before it, and so on
};

struct Fault {
  std::string text;
  std::size_t offset = 0;
};

/// One token. Holds its bytes; the decoded messages view them.
struct Token {
  explicit Token(Bytes bytes) : raw(std::move(bytes)) {}
  Token(Token&&) noexcept = default;
  Token(const Token&) = delete;

  Bytes raw;
  std::optional<SpnegoToken> spnego;
  ByteView ntlm;         ///< the NTLM message in it; empty: none
  Bytes repaired;        ///< of a malformed message: a copy whose fields are those that can be read
  std::string wrapping;  ///< "SPNEGO", "CredSSP TSRequest", ...: what wraps the message
  std::optional<MessageType> type;
  std::optional<NegotiateMessage> negotiate;
  std::optional<ChallengeMessage> challenge;
  std::optional<AuthenticateMessage> authenticate;
  bool oem = false;  ///< names are OEM text, read as CP1252
  std::vector<Field> fields;
  std::vector<std::string> oddities;    ///< what is weak or unusual about it
  std::optional<Fault> fault;           ///< it is malformed; the message is what could be read
  std::vector<std::string> unreadable;  ///< JSON names of fields of such a message
  std::optional<bool> from_server;      ///< if it is known, as in a capture
  std::size_t packet = 0;               ///< of a capture, in which it ends; 0: none
  std::string answer;                   ///< what the server said with it or, at last, to it
};

/// Decodes `raw`. `before`, if there is one, is the token before it in the exchange: after an
/// OEM CHALLENGE names are OEM whatever flags say. Total: any bytes give a Token.
[[nodiscard]] Token examine(Bytes raw, const Token* before);

/// "NEGOTIATE", ..., or what there is without a message: "SPNEGO alone", "LDAP bindResponse",
/// "unknown".
[[nodiscard]] std::string label_text(const Token& token);
/// `40 bytes`, or `40 bytes in SPNEGO (74 bytes)`.
[[nodiscard]] std::string size_text(const Token& token);
/// Whether the server sent it, as far as that is known or the token shows.
[[nodiscard]] bool is_from_server(const Token& token) noexcept;
/// Sets the fault, or adds an oddity if there is one already.
void add_fault(Token& token, std::string text, std::size_t offset);
/// "NEGOTIATE", "CHALLENGE", "AUTHENTICATE"; "" without an NTLM message.
[[nodiscard]] std::string_view type_name(const Token& token) noexcept;
/// `MsvAvNbComputerName`, ...; "" for unknown pairs.
[[nodiscard]] std::string_view av_name(AvId id) noexcept;
/// Whether a pair's value is UTF-16LE text.
[[nodiscard]] bool is_text_pair(AvId id) noexcept;
/// A pair's value in words: text, time, flags, or hexadecimal digits. Not escaped.
[[nodiscard]] std::string av_value(const AvPair& pair);
/// A name of the message as UTF-8, not escaped; what cannot be converted is escaped.
[[nodiscard]] std::string name_text(const Token& token, ByteView name);
/// `2023-11-14T22:13:20.1234567Z` of a FILETIME.
[[nodiscard]] std::string filetime_text(std::uint64_t filetime);
/// `0x` and eight digits.
[[nodiscard]] std::string flags_text(Flags flags);
/// All bits by name, unknown ones as `0x...`.
[[nodiscard]] std::vector<std::string> flag_names(Flags flags);

}  // namespace gssntlm::tools
