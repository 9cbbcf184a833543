#include "mech/base/status.h"

#include <algorithm>
#include <array>

namespace gssntlm {
namespace {

struct Entry {
  Minor code;
  std::string_view text;
};

// In the order of the codes: minor_text() searches by halves.
constexpr std::array kTexts = {
    Entry{Minor::kNone, "no NTLM error was recorded; see the major status"},
    Entry{Minor::kNotNtlm,
          "the token is not an NTLM message; check that both sides speak NTLM or SPNEGO"},
    Entry{Minor::kTruncated,
          "the NTLM message is shorter than its fixed part; it was cut on its way or forged"},
    Entry{Minor::kFieldOutOfBounds,
          "a field of the NTLM message points outside it; it was cut on its way or forged"},
    Entry{Minor::kWrongMessage,
          "this is not the NTLM message this step expects; start the exchange anew"},
    Entry{Minor::kCharset, "the peer offers neither Unicode nor OEM text; it does not speak NTLM"},
    Entry{Minor::kBadString,
          "a name in the NTLM message has an odd length, a NUL or control characters; log in with "
          "another spelling of the name"},
    Entry{Minor::kBadAvPairs,
          "the target information of the NTLM message is malformed; update or report the peer"},
    Entry{Minor::kBadResponse,
          "a response or key in the NTLM message has an impossible length; update or report the "
          "peer"},
    Entry{Minor::kTooLong,
          "the token or one of its fields is longer than NTLM accepts (64 KiB); use shorter names"},
    Entry{Minor::kBadState,
          "the NTLM context is already complete or has failed; delete it and start anew"},
    Entry{
        Minor::kIncomplete,
        "the NTLM context is not established yet; finish the exchange before protecting messages"},
    Entry{Minor::kBadName,
          "the name cannot be used with NTLM; write DOMAIN\\user, user@domain or service@host"},
    Entry{Minor::kNameType,
          "NTLM does not know this type of name; import it as a user name or host-based service"},
    Entry{Minor::kBadArgument,
          "an argument is missing or contradicts another; the calling program needs correcting"},
    Entry{Minor::kBadText, "the text is not valid UTF-8; convert it before it is handed in"},
    Entry{Minor::kNoInitiatorCred,
          "there is no NTLM account to log in with; run gss-ntlm login, set NTLM_USER_FILE to a "
          "users file that holds one, or give a user name and password"},
    Entry{Minor::kNoAcceptorCred,
          "there are no NTLM accounts to check users against; set NTLM_USER_FILE or the store key "
          "ntlmssp_keyfile to a users file"},
    Entry{Minor::kUsersFileOpen,
          "the NTLM users file cannot be read; check that its path is right and that this process "
          "may read it"},
    Entry{Minor::kUsersFileMode,
          "the NTLM users file is refused because others may read or change it; make this process' "
          "user or root its owner and run chmod 600 on it"},
    Entry{Minor::kUsersFileLine,
          "the NTLM users file has a bad line; write DOMAIN:USER:PASSWORD or the smbpasswd form"},
    Entry{Minor::kNotSupported,
          "NTLM does not support this operation; use another mechanism for it"},
    Entry{Minor::kNotAvailable,
          "the value is not available in this state; ask again when the context is established"},
    Entry{Minor::kBadCredential,
          "the NTLM credential cannot serve this call; acquire one with the right usage and name"},
    Entry{Minor::kBadSetting,
          "an NTLM setting cannot be understood; correct it (gss-ntlm(5) lists them)"},
    Entry{Minor::kLogonFailure,
          "the logon was refused: user name, password or message integrity is wrong; the trace "
          "(GSS_NTLM_TRACE) says which"},
    Entry{Minor::kBindings,
          "channel bindings are missing or those of another channel; check for a proxy that ends "
          "TLS between the two sides"},
    Entry{Minor::kPolicyVersion,
          "the NTLM version is refused by policy; only NTLMv2 is accepted unless LM_COMPAT_LEVEL "
          "says otherwise"},
    Entry{Minor::kPolicyFlags,
          "the peer does not offer protection that the caller or policy demands; update the peer"},
    Entry{Minor::kPolicyKeyLength,
          "the peer offers session keys shorter than policy demands (128 bits); update the peer"},
    Entry{Minor::kPolicyBlocked,
          "the NTLM policy of this host blocks this target or user; see the lists in its settings "
          "(gss-ntlm(5))"},
    Entry{Minor::kDowngrade,
          "the peer took back or added capabilities during the exchange, which may be an attack; "
          "look at what is between the two"},
    Entry{Minor::kTargetInfo,
          "the server sent no target information, which NTLMv2 needs; update the server"},
    Entry{Minor::kBadSignature,
          "the signature of the message does not verify; it was changed, replayed or belongs to "
          "another context"},
    Entry{Minor::kSequence,
          "the message does not carry the sequence number that the program named for it; name the "
          "one it was sent with"},
    Entry{Minor::kSequenceEnd,
          "the context has protected as many messages as it can; establish a new one"},
    Entry{Minor::kShortSignature,
          "the token is shorter than an NTLM signature (16 bytes); pass it whole"},
    Entry{Minor::kBadQop, "NTLM has only the default quality of protection; pass 0"},
    Entry{Minor::kNoProtection,
          "neither signing nor sealing was agreed, so messages cannot be protected; ask for "
          "integrity or confidentiality when the context is made"},
    Entry{Minor::kNoMemory, "memory is exhausted; free some and try again"},
    Entry{Minor::kNoRandom, "the system gave no random numbers; try again"},
    Entry{Minor::kInternal, "the NTLM mechanism found a defect in itself; please report it"},
    Entry{Minor::kAnonymous, "anonymous NTLM logons are refused by policy; log in with a name"},
    Entry{Minor::kExpired,
          "the NTLM context or credential has expired; make a new one (gss-ntlm login)"},
    Entry{Minor::kBadOption,
          "the option's value has the wrong size, or the context is not in a state for it; see "
          "gssapi_ntlm.h"},
    Entry{Minor::kBadIov,
          "the buffer list cannot be processed: it needs one HEADER of 16 bytes, and DATA"},
    Entry{Minor::kImport,
          "the exported NTLM token is damaged or of another version; export it again"},
    Entry{Minor::kForked,
          "the context was made by another process; a child must establish its own, or import an "
          "exported one"},
    Entry{Minor::kUnencodable,
          "a name has characters that the OEM code page lacks, and the peer has no Unicode; set "
          "code_page (gss-ntlm(5))"},
    Entry{Minor::kDuplicateToken,
          "the message was taken before: it was repeated on its way, or is replayed; drop it"},
    Entry{Minor::kOldToken,
          "the message is genuine but so old that it may have been taken before; drop it"},
    Entry{Minor::kGapToken,
          "the message came too early: those between the last one and it were lost or are late; "
          "wait for them, or go on without"},
    Entry{Minor::kKeyring,
          "the kernel keyring that holds NTLM logins cannot be used; run gss-ntlm doctor, or use a "
          "users file (NTLM_USER_FILE)"},
    Entry{Minor::kDomain,
          "the domain could not be asked, so the logon was neither right nor wrong; try again, and "
          "see gss-ntlm doctor if it stays so"},
    Entry{Minor::kNoLocalUser,
          "this system has no account for the NTLM user; make one, or log in to this host's own "
          "domain"},
    Entry{Minor::kAttribute,
          "the name has no such attribute, or it was learnt when the user logged in and cannot be "
          "changed"},
};

}  // namespace

std::string_view minor_text(std::uint32_t minor) noexcept {
  const auto* it = std::lower_bound(
      kTexts.begin(), kTexts.end(), minor,
      [](const Entry& e, std::uint32_t m) { return static_cast<std::uint32_t>(e.code) < m; });
  if (it == kTexts.end() || static_cast<std::uint32_t>(it->code) != minor) {
    return "unknown NTLM status code";
  }
  return it->text;
}

}  // namespace gssntlm
