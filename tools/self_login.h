// A login of this process to itself through GSSAPI, with the calls that two programs would make.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mech/base/status.h"

namespace gssntlm::tools {

struct LoginOutcome {
  std::string problem;         ///< empty: both sides were established
  bool protects = false;       ///< a sealed message came through
  bool mech_list_mic = false;  ///< SPNEGO: both sides proved the list of mechanisms
  bool has_mic = false;        ///< AUTHENTICATE carried a MIC
};

/// A private temporary directory, removed with the files in it on destruction.
class TemporaryDirectory {
 public:
  /// Throws std::bad_alloc.
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  /// Why it could not be made; empty when it was. Another user who can exchange it, in a directory
  /// of his that TMPDIR names, could have any file called like those in it removed.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  std::string problem_;
};

/// A throw-away account in a temporary directory. Throws std::bad_alloc.
class SelfLogin {
 public:
  SelfLogin();
  SelfLogin(const SelfLogin&) = delete;
  SelfLogin& operator=(const SelfLogin&) = delete;
  ~SelfLogin();

  /// Why there is no such directory; empty when there is one.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  /// The policy in force, without lists of users and targets, other accounts or an audit; the
  /// environment overrides it as usual. `spnego_mic` replaces that setting.
  [[nodiscard]] LoginOutcome run(bool spnego, std::optional<std::string_view> spnego_mic);

  /// An initiator's error for `token` as the acceptor's first SPNEGO reply, in a child process;
  /// empty when the initiator accepts it. nullopt when a signal ended the child. `problem()` or a
  /// text that starts with it when the exchange failed before that step.
  [[nodiscard]] std::optional<std::string> answer_to(std::string_view token);

 private:
  [[nodiscard]] std::string try_token(std::string_view token);
  [[nodiscard]] bool write(const std::string& name, const std::string& text);
  [[nodiscard]] bool write_settings(std::optional<std::string_view> spnego_mic);

  std::optional<std::string> settings_before_;
  TemporaryDirectory directory_;
  std::string problem_;
  std::string password_;
};

}  // namespace gssntlm::tools
