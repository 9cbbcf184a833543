// What the commands of `gss-ntlm user` share.
#pragma once

#include <optional>
#include <string>

#include "tools/console.h"

namespace gssntlm::tools {

struct UserOptions {
  std::string file;
  std::string account;
  std::string nt_hash;
  std::string from;
  std::string owner;
  bool from_stdin = false;
  bool keep_old = false;
  bool json = false;
};

/// --file, or that of acceptors in the settings and the environment. nullopt: something was
/// complained about. Throws std::bad_alloc.
[[nodiscard]] std::optional<std::string> file_of(const UserOptions& o);

/// The account, for a person. Throws std::bad_alloc.
[[nodiscard]] std::string shown(const Account& a);

/// list and check; their exit status. Throw std::bad_alloc.
[[nodiscard]] int run_user_list(const UserOptions& o);
[[nodiscard]] int run_user_check(const UserOptions& o);

}  // namespace gssntlm::tools
