// How the double of libwbclient answers.
#pragma once

namespace gssntlm::test {

enum class Mood : int {
  kWell,      ///< the account `dora` with the password `Passw0rd`
  kGone,      ///< there is no winbindd
  kRefusing,  ///< logons are refused
  kSilent,    ///< success, without anything to read
  kNulls,     ///< success, with NULL for all texts and lists
};

}  // namespace gssntlm::test
