// Names: users, host-based services, nobody.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/archive.h"
#include "mech/base/ref.h"
#include "mech/base/status.h"
#include "mech/protocol/logon.h"

namespace gssntlm {

/// `DOM\user`, or `user` without a domain, escaped for people (printable_utf8). Throws
/// std::bad_alloc.
[[nodiscard]] std::string printable_account(std::string_view user, std::string_view domain);

enum class NameKind : std::uint8_t { kUser = 1, kService = 2, kAnonymous = 3 };

/// Immutable; shared by contexts, credentials and handles.
class Name : public RefCounted {
 public:
  /// No name longer than this (bytes) is taken.
  static constexpr std::size_t kMaxSize = 32767;

  /// A user name: `DOM\user`, `user`, `user@dom` (split), `\user@dom` and `user\@dom` (UPN: domain
  /// empty, the user keeps its realm). Errors: kBadName (empty, control characters), kTooLong,
  /// kBadText.
  [[nodiscard]] static Result<Ref<const Name>> user(std::string_view text);
  /// A user whose parts are known. `domain` may be empty.
  [[nodiscard]] static Ref<const Name> user(std::string user, std::string domain,
                                            std::vector<LogonAttribute> attributes);
  /// A host-based service: `svc@host`, `svc/host` or `svc`. Errors as user().
  [[nodiscard]] static Result<Ref<const Name>> service(std::string_view text);
  [[nodiscard]] static Ref<const Name> anonymous();

  [[nodiscard]] NameKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& user_part() const noexcept { return first_; }
  [[nodiscard]] const std::string& domain_part() const noexcept { return second_; }
  /// `DOM\user`, `user`, `svc@host` or the anonymous text; imports to an equal name.
  [[nodiscard]] const std::string& display() const noexcept { return display_; }
  /// How an initiator names this target: `svc/host`, or the text of a user name as it was given.
  [[nodiscard]] std::string target_spn() const;
  /// The same in UTF-16LE. Error: kBadText, for a name that was not imported. Throws
  /// std::bad_alloc.
  [[nodiscard]] Result<Bytes> wide_target_spn() const;
  [[nodiscard]] const std::vector<LogonAttribute>& attributes() const noexcept {
    return attributes_;
  }

  /// A copy with other attributes.
  [[nodiscard]] Ref<const Name> with(std::vector<LogonAttribute> attributes) const;

  /// For export. Throws std::bad_alloc.
  void save(Saver& out) const;
  /// Error: BAD_NAME kImport for what save() cannot have written. Throws std::bad_alloc.
  [[nodiscard]] static Result<Ref<const Name>> load(Loader& in);

  /// By NTLM's case rules; a UPN equals its split form. Anonymous equals nothing.
  [[nodiscard]] bool equals(const Name& other) const;

 private:
  Name(const Name&) = default;
  Name(NameKind kind, std::string first, std::string second, std::string display)
      : kind_(kind),
        first_(std::move(first)),
        second_(std::move(second)),
        display_(std::move(display)) {}

  NameKind kind_;
  std::string first_;   // user or service
  std::string second_;  // domain or host
  std::string display_;
  std::vector<LogonAttribute> attributes_;
};

}  // namespace gssntlm
