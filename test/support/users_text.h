// A users file from a text.
#pragma once

#include "mech/backends/users/users_text.h"

namespace gssntlm::test {

/// The lines of `text`. Error: as UsersText::add_line().
inline Result<UsersText> users_text(std::string_view text) {
  UsersText users;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (Status s = users.add_line(text.substr(0, end)); !s) {
      return s.error();
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return users;
}

}  // namespace gssntlm::test
