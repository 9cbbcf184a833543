// Names: users, host-based services, the anonymous name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/archive.h"
#include "mech/base/ref.h"
#include "mech/base/status.h"
#include "mech/protocol/login_facts.h"
#include "mech/protocol/logon.h"

namespace gssntlm {

/// `DOM\user`, or `user` without a domain, escaped for people (printable_utf8). Throws
/// std::bad_alloc.
[[nodiscard]] std::string printable_account(std::string_view user, std::string_view domain);

enum class NameKind : std::uint8_t {
  kUser = 1,
  kService = 2,
  kAnonymous = 3,
  /// A user of Kerberos. It selects the account of its parts where a credential is acquired, and
  /// equals none.
  kPrincipal = 4
};

/// The attribute that names the account of this system (GSS_C_ATTR_LOCAL_LOGIN_USER). It is
/// computed when it is asked for, and no name holds it.
inline constexpr std::string_view kLocalLoginAttribute = "local-login-user";

/// Immutable; shared by contexts, credentials and handles.
class Name : public RefCounted {
 public:
  /// Maximum length of a name in bytes.
  static constexpr std::size_t kMaxSize = 32767;

  /// A user name: `DOM\user`, `user`, `.\user` (this host: domain empty), `user@dom` (split, but
  /// sent whole: is_upn()), `\user@dom` and `user\@dom` (UPN: domain empty, the user keeps its
  /// realm). Errors: kBadName (empty, control characters, a backslash in the user), kTooLong,
  /// kBadText.
  [[nodiscard]] static Result<Ref<const Name>> user(std::string_view text);
  /// A name without a type: a user, which as_target() reads as `svc@host` or `svc/host@REALM`.
  [[nodiscard]] static Result<Ref<const Name>> untyped(std::string_view text);
  /// A user whose parts are known. `domain` may be empty.
  [[nodiscard]] static Ref<const Name> user(std::string user, std::string domain);
  /// A user whom a logon just verified, with what the account source and the exchange reported. The
  /// only way to a proven name. Throws std::bad_alloc.
  [[nodiscard]] static Ref<const Name> authenticated(std::string user, std::string domain,
                                                     std::vector<LogonAttribute> attributes,
                                                     LoginFacts facts);
  /// A host-based service: `svc@host`, `svc/host` or `svc`. Errors as user().
  [[nodiscard]] static Result<Ref<const Name>> service(std::string_view text);
  /// A name of Kerberos: `user@REALM`, or `svc/host@REALM`, a service whose realm NTLM has no use
  /// for. Errors as user().
  [[nodiscard]] static Result<Ref<const Name>> principal(std::string_view text);
  /// A name whose parts were saved; parts that no name of `kind` has are an error. Errors:
  /// kBadName, kTooLong, kBadText. Throws std::bad_alloc.
  [[nodiscard]] static Result<Ref<const Name>> of_parts(NameKind kind, std::string first,
                                                        std::string second);
  [[nodiscard]] static Ref<const Name> anonymous();

  /// Whether applications and tokens have no say in an attribute, because this mechanism computes
  /// it (computed_attributes.h).
  [[nodiscard]] static bool is_computed(std::string_view attribute) noexcept;

  [[nodiscard]] NameKind kind() const noexcept { return kind_; }
  /// Whether the parts are those of an account.
  [[nodiscard]] bool names_user() const noexcept {
    return kind_ == NameKind::kUser || kind_ == NameKind::kPrincipal;
  }
  [[nodiscard]] const std::string& user_part() const noexcept { return first_; }
  [[nodiscard]] const std::string& domain_part() const noexcept { return second_; }
  /// Whether it was written as `user@dom`: it travels like that, with an empty domain, although its
  /// parts are those of `dom\user`, and its equals [MS-NLMP] 3.1.5.1.2. Not kept by save().
  [[nodiscard]] bool is_upn() const noexcept { return upn_; }
  /// `DOM\user`, `user`, `\user@realm` for a UPN, `@user@dom`, `svc@host`, a principal's text or
  /// the anonymous text. Importing this text, as a name of its kind, yields an equal name.
  [[nodiscard]] const std::string& display() const noexcept { return display_; }
  /// What the name stands for as the target of an initiator, or as the name of an acceptor: of a
  /// text that was imported as a user's and has the form of a service's, the service, else itself.
  [[nodiscard]] const Name& as_target() const noexcept { return target_ ? *target_ : *this; }
  /// How an initiator names this target: `svc/host`, or the text of a user name as it was given.
  [[nodiscard]] std::string target_spn() const;
  /// The same in UTF-16LE. Error: kBadText, for a name that was not imported. Throws
  /// std::bad_alloc.
  [[nodiscard]] Result<Bytes> wide_target_spn() const;
  /// All attributes of the name, with those of its logon. Computed by each call, since few callers
  /// ask. Throws std::bad_alloc.
  [[nodiscard]] std::vector<LogonAttribute> attributes() const;
  /// Whether nothing is known of it but its text.
  [[nodiscard]] bool is_bare() const noexcept { return attributes_.empty() && !facts_; }
  /// Whether a logon in this process proved it. Only such a name stands for a user of this system:
  /// neither an import, nor an attribute, nor a token that was loaded makes one.
  [[nodiscard]] bool is_proven() const noexcept { return proven_; }
  /// nullptr for a name that did not log in here.
  [[nodiscard]] const LoginFacts* facts() const noexcept { return facts_ ? &*facts_ : nullptr; }

  /// A copy with these attributes and no others, as proven as this one. Throws std::bad_alloc.
  [[nodiscard]] Ref<const Name> with(std::vector<LogonAttribute> attributes) const;
  /// A copy that is not proven, and whose attributes are not authenticated. Throws std::bad_alloc.
  [[nodiscard]] Ref<const Name> unproven() const;

  /// The parts in the one spelling that all equal names have: in NTLM's upper case. Throws
  /// std::bad_alloc.
  struct Parts {
    std::string first;
    std::string second;
  };
  [[nodiscard]] Parts canonical() const;

  /// For export. Throws std::bad_alloc.
  void save(Serializer& out) const;
  /// Never proven; the caller decides whether to believe that attributes are authenticated. Error:
  /// BAD_NAME kImport for what save() cannot have written: an attribute twice, `local-login-user`,
  /// a user who is not the name's. Throws std::bad_alloc.
  [[nodiscard]] static Result<Ref<const Name>> load(Deserializer& in);
  /// The same for a saved unproven(): an authenticated attribute is an error too.
  [[nodiscard]] static Result<Ref<const Name>> load_unproven(Deserializer& in);

  /// The same kind and both parts, by NTLM's case rules. A UPN (domain empty) is another account
  /// than the user of a domain of that name. Anonymous equals nothing.
  [[nodiscard]] bool equals(const Name& other) const;

 private:
  Name(const Name&) = default;
  // From strings, or views of them.
  template <typename First, typename Second, typename Display>
  Name(NameKind kind, First&& first, Second&& second, Display&& display)
      : kind_(kind),
        first_(std::forward<First>(first)),
        second_(std::forward<Second>(second)),
        display_(std::forward<Display>(display)) {}
  static Result<Ref<const Name>> parsed_user(std::string_view text, Ref<const Name> target);

  NameKind kind_;
  std::string first_;   // user or service
  std::string second_;  // domain or host
  std::string display_;
  Ref<const Name> target_;  // as_target(), where that is another one
  std::vector<LogonAttribute> attributes_;
  std::optional<LoginFacts> facts_;
  bool proven_ = false;
  bool upn_ = false;
};

}  // namespace gssntlm
