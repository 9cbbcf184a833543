#include "mech/backends/winbind/nt_status.h"

#include <algorithm>
#include <array>

namespace gssntlm {
namespace {

struct Entry {
  std::uint32_t status;
  StatusMeaning meaning;
};

// In the order of the codes: meaning_of() searches by halves.
constexpr std::array kMeanings = {
    Entry{0xC0000022, {Verdict::kUnreachable, "winbind does not let this process check passwords"}},
    Entry{0xC000005E, {Verdict::kUnreachable, "no domain controller can be reached"}},
    Entry{0xC0000064, {Verdict::kUnknown, "no such user"}},
    Entry{0xC000006A, {Verdict::kRefused, "wrong password"}},
    Entry{0xC000006D, {Verdict::kRefused, "wrong user name or password"}},
    Entry{0xC000006E, {Verdict::kRefused, "the account is restricted"}},
    Entry{0xC000006F, {Verdict::kRefused, "outside the account's logon hours"}},
    Entry{0xC0000070, {Verdict::kRefused, "the account may not log in from this workstation"}},
    Entry{0xC0000071, {Verdict::kRefused, "the password has expired"}},
    Entry{0xC0000072, {Verdict::kRefused, "the account is disabled"}},
    Entry{0xC000009A, {Verdict::kUnreachable, "the domain controller is out of resources"}},
    Entry{0xC00000B5, {Verdict::kUnreachable, "the domain controller did not answer in time"}},
    Entry{0xC00000BE, {Verdict::kUnreachable, "no way to the domain controller"}},
    Entry{0xC00000C4, {Verdict::kUnreachable, "the network did not answer as expected"}},
    Entry{0xC00000DF, {Verdict::kUnknown, "no such domain"}},
    Entry{0xC000010B, {Verdict::kRefused, "this type of logon is not allowed"}},
    Entry{0xC0000133, {Verdict::kUnreachable, "this machine's clock is not the domain's"}},
    Entry{0xC000015B, {Verdict::kRefused, "the account may not log in over the network here"}},
    Entry{0xC000018A, {Verdict::kUnreachable, "this machine has lost its own password"}},
    Entry{0xC000018B, {Verdict::kUnreachable, "the domain has no account for this machine"}},
    Entry{0xC000018C, {Verdict::kUnreachable, "the trust between the domains is broken"}},
    Entry{0xC000018D,
          {Verdict::kUnreachable, "the trust between this machine and its domain is broken"}},
    Entry{0xC0000192, {Verdict::kUnreachable, "the domain's logon service is not running"}},
    Entry{0xC0000193, {Verdict::kRefused, "the account has expired"}},
    Entry{0xC0000199, {Verdict::kRefused, "the account is that of a domain, which may not log in"}},
    Entry{0xC000020C, {Verdict::kUnreachable, "the connection to the domain controller broke"}},
    Entry{0xC000020D, {Verdict::kUnreachable, "the connection to the domain controller was reset"}},
    Entry{0xC0000224, {Verdict::kRefused, "the password must be changed first"}},
    Entry{0xC0000233, {Verdict::kUnreachable, "no controller of the domain was found"}},
    Entry{0xC0000234, {Verdict::kRefused, "the account is locked after too many wrong passwords"}},
    Entry{0xC0000236, {Verdict::kUnreachable, "the domain controller refuses connections"}},
    Entry{0xC000023C, {Verdict::kUnreachable, "no way to the domain controller's network"}},
    Entry{0xC000023D, {Verdict::kUnreachable, "no way to the domain controller"}},
    Entry{0xC0000241,
          {Verdict::kUnreachable, "the connection to the domain controller was aborted"}},
    Entry{0xC00002EA, {Verdict::kUnreachable, "the domain controller cannot decide now"}},
    Entry{0xC0000413, {Verdict::kRefused, "the account may not log in to this machine"}},
    Entry{0xC0000418, {Verdict::kRefused, "the domain blocks NTLM"}},
};

constexpr bool are_in_order() noexcept {
  for (std::size_t i = 1; i < kMeanings.size(); ++i) {
    if (kMeanings[i - 1].status >= kMeanings[i].status) {
      return false;
    }
  }
  return true;
}
static_assert(are_in_order());

}  // namespace

StatusMeaning meaning_of(std::uint32_t nt_status) noexcept {
  const auto* it =
      std::lower_bound(kMeanings.begin(), kMeanings.end(), nt_status,
                       [](const Entry& e, std::uint32_t status) { return e.status < status; });
  return it != kMeanings.end() && it->status == nt_status ? it->meaning : StatusMeaning{};
}

}  // namespace gssntlm
