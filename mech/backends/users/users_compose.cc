#include "mech/backends/users/users_compose.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "mech/base/bytes.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

constexpr std::string_view kNoHash = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";

void append_hex(Bytes& to, ByteView bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const std::uint8_t b : bytes) {
    to.push_back(static_cast<std::uint8_t>(kDigits[b >> 4]));
    to.push_back(static_cast<std::uint8_t>(kDigits[b & 15]));
  }
}

}  // namespace

std::string with_flags(std::string_view flags, std::string_view dropped, std::string_view added) {
  constexpr std::size_t kPlaces = 11;
  std::string inner;
  for (const char c : flags) {
    if (c != '[' && c != ']' && c != ' ' && dropped.find(c) == std::string_view::npos) {
      inner.push_back(c);
    }
  }
  inner.append(added);
  inner.resize(std::max(inner.size(), kPlaces), ' ');
  return "[" + inner + "]";
}

std::string new_flags() {
  return with_flags({}, {}, "U");
}

SecretBytes compose(const NewLine& l, const NtHash* hash) {
  Bytes line;
  // Growing would leave a copy of the hash behind.
  line.reserve(l.user.size() + l.domain.size() + l.uid.size() + l.flags.size() + 128);
  const auto add = [&](std::string_view text) { append(line, as_bytes(text)); };
  add(l.domain);
  add(l.domain.empty() ? "" : "\\");
  add(l.user);
  add(":");
  add(l.uid);
  add(":");
  add(kNoHash);
  add(":");
  if (hash != nullptr) {
    append_hex(line, hash->view());
  } else {
    add(kNoHash);
  }
  char changed[24];
  std::snprintf(changed, sizeof changed,
                ":LCT-%08lX:", static_cast<unsigned long>(::time(nullptr)));
  add(":");
  add(l.flags);
  add(changed);
  return SecretBytes(std::move(line));
}

SecretBytes with_new_flags(const SecretBytes& line, const UsersLine& l, std::string_view flags) {
  const std::string_view text = as_text(line.view());
  const auto at = static_cast<std::size_t>(l.flags.data() - text.data());
  Bytes changed;
  changed.reserve(text.size() + flags.size());
  append(changed, as_bytes(text.substr(0, at)));
  append(changed, as_bytes(flags));
  append(changed, as_bytes(text.substr(at + l.flags.size())));
  return SecretBytes(std::move(changed));
}

bool has_place_in_form(std::string_view user, std::string_view domain) {
  constexpr std::string_view kSeparators = ":\\";
  const std::string_view first = domain.empty() ? user : domain;
  return !user.empty() && users_name(user) && users_name(domain) &&
         user.find_first_of(kSeparators) == std::string_view::npos &&
         domain.find_first_of(kSeparators) == std::string_view::npos && first.front() != '#';
}

}  // namespace gssntlm
