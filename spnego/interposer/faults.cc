#include "spnego/interposer/faults.h"

namespace gssntlm::interposer {

std::string_view fault_text(std::uint32_t minor) noexcept {
  const auto code = [](Fault fault) constexpr {
    return static_cast<std::uint32_t>(fault);
  };
  switch (minor) {
    case code(fault_of(TokenFault::kNotSpnego)):
      return "the peer's token is not SPNEGO; check that both ends use Negotiate";
    case code(fault_of(TokenFault::kMalformed)):
      return "the peer's SPNEGO token is malformed: an element is missing, cut short or of "
             "indefinite length; it was truncated in transit or forged";
    case code(fault_of(TokenFault::kFieldType)):
      return "a field of the peer's SPNEGO token has the wrong type; it was damaged in transit or "
             "forged";
    case code(fault_of(TokenFault::kFieldOrder)):
      return "a field of the peer's SPNEGO token is repeated, out of order or unknown; it was "
             "damaged in transit or forged";
    case code(fault_of(TokenFault::kTrailing)):
      return "bytes follow the peer's SPNEGO token; it was damaged in transit or forged";
    case code(fault_of(TokenFault::kTooManyMechs)):
      return "the peer's SPNEGO token lists more than 64 mechanisms; no real peer does";
    case code(Fault::kNoMechTypes):
      return "the peer's SPNEGO token lists no mechanisms (RFC 4178 4.2.1)";
    case code(Fault::kNoToken):
      return "the peer sent no SPNEGO token where the exchange needs one";
    case code(Fault::kForeignContext):
      return "the context was started before gss_ntlm_spnego.so was loaded; start it again";
    case code(Fault::kNoMemory):
      return "memory is exhausted";
    case code(Fault::kBadName):
      return "the exported name carries an object identifier that is private to "
             "gss_ntlm_spnego.so; "
             "export the name again";
    case code(Fault::kBadExport):
      return "the exported token is not one of SPNEGO; export it again";
    default:
      return {};
  }
}

}  // namespace gssntlm::interposer
