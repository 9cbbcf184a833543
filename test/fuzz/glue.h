// What the targets that go through the real mechglue share: accounts and settings on disk, once.
#pragma once

#include "test/fuzz/fuzz.h"
#include "test/support/gss.h"

namespace gssntlm::fuzz {

inline constexpr std::string_view kGluePassword = "secret";
/// [policy] farm of every Stage: what another machine exported is taken.
inline constexpr std::string_view kFarm = "fuzz";

/// Users file and settings of this process, which go with it. `policy` is that of the settings
/// file.
class Stage {
 public:
  explicit Stage(const std::string& policy);
  /// Other settings from now on.
  void set_policy(const std::string& policy);

 private:
  test::Workshop workshop_;
  unsigned files_ = 0;
};

/// A credential that logs in as user@DOM with the password.
[[nodiscard]] test::CredHandle login(const std::string& password, gss_OID mech);

[[nodiscard]] std::string text_of(ByteView bytes);
[[nodiscard]] ByteView view_of(const std::string& text);

/// The token of an established context as a further export would name it. A name is imported once.
[[nodiscard]] std::string exported_again(std::string token);

/// The token of a handshake of this farm as if it had begun just now; any other is left as it is.
[[nodiscard]] std::string begun_now(std::string token);

/// Every call that a context in any state must answer.
void ask_everything(gss_ctx_id_t context);

}  // namespace gssntlm::fuzz
