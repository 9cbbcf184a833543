// How the double of libwbclient answers.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <sys/types.h>

namespace gssntlm::test {

enum class Mood : int {
  kWell,      ///< the account `dora`, or `dora@realm.example` without a domain, with `Passw0rd`
  kGone,      ///< there is no winbindd
  kRefusing,  ///< logons are rejected
  kSilent,    ///< success, without anything to read
  kNulls,     ///< success, with NULL for all texts and lists
};

/// What it answers beside its mood, and what it was asked. Given by the function double_state.
struct DoubleState {
  Mood mood = Mood::kWell;
  // of a logon
  std::uint32_t user_flags = 0;
  bool gives_key = true;
  bool gives_sid = true;
  // of the host's users
  std::string known_sid;   ///< the SID whose user is here; empty: none is
  std::string known_name;  ///< DOM\user, by name
  std::string host_user;   ///< what the user is called here
  uid_t host_uid = 0;
  // what was asked
  std::atomic<int> logons{0};
  std::string logon_name;  ///< DOM\user of the last one
  std::string cache_name;  ///< the same of the password that was last asked for
  std::atomic<int> connections{0};
  std::atomic<uid_t> connected_as{
      0};  ///< the effective user who made the last question's connection
};

}  // namespace gssntlm::test
