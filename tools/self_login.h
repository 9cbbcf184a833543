// A login of this process at itself through GSSAPI, as any two programs would make it.
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

/// A folder of this program alone, which goes with the files in it, whatever happens meanwhile.
class Folder {
 public:
  /// Throws std::bad_alloc.
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  /// False, with errno, when it could not be made.
  [[nodiscard]] bool made() const noexcept { return made_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  bool made_ = false;
};

/// A throw-away account in a folder of its own, which goes with it. Throws std::bad_alloc.
class SelfLogin {
 public:
  SelfLogin();
  SelfLogin(const SelfLogin&) = delete;
  SelfLogin& operator=(const SelfLogin&) = delete;
  ~SelfLogin();

  /// Why there is no such folder; empty when there is one.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  /// The policy in force, without lists of users and targets, other accounts or an audit; the
  /// environment goes before it as ever. `spnego_mic` replaces that setting.
  [[nodiscard]] LoginOutcome run(bool spnego, std::optional<std::string_view> spnego_mic);

  /// What an initiator of SPNEGO says of `token` as the acceptor's first reply, in a child process;
  /// empty when it takes it. Nothing when the child ended by a signal. `problem()` or a text that
  /// starts with it when the exchange did not come that far.
  [[nodiscard]] std::optional<std::string> answer_to(std::string_view token);

 private:
  [[nodiscard]] std::string try_token(std::string_view token);
  [[nodiscard]] bool write(const std::string& name, const std::string& text);
  [[nodiscard]] bool write_settings(std::optional<std::string_view> spnego_mic);

  std::optional<std::string> settings_before_;
  Folder folder_;
  std::string problem_;
  std::string password_;
};

}  // namespace gssntlm::tools
