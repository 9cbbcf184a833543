// What the mechanism says of itself: RFC 2744 5.18, 5.24, 5.14; RFC 5587; RFC 5801.
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/spi/context.h"
#include "mech/spi/oids.h"
#include "mech/spi/sets.h"

namespace gssntlm::spi {
namespace {

#define X(name, id, number, text) static_assert(GSS_NTLM_S_##name == kMinorBase + (number));
#include "mech/base/minor_codes.inc"
#undef X

constexpr std::string_view kSaslName = "GS2-NTLM";
constexpr std::string_view kMechName = "NTLM";
constexpr std::string_view kDescription = "NT LAN Manager authentication";

// A text for a caller who wants it, copied before anything is given to him.
class TextOutput {
 public:
  TextOutput(gss_buffer_t to, std::string_view text) : to_(to) {
    if (to != nullptr) {
      spi::give(&copy_, text);
    }
  }
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;
  ~TextOutput() { std::free(copy_.value); }
  void give() noexcept {
    if (to_ != nullptr) {
      *to_ = std::exchange(copy_, gss_buffer_desc{0, nullptr});
    }
  }

 private:
  gss_buffer_t to_;
  gss_buffer_desc copy_{0, nullptr};
};

// The code's own text, and the detail of the thread's last failed call.
std::string status_text(OM_uint32 code) {
  std::string text(minor_text(code));
  const std::string_view detail = reported_detail(code);
  if (!detail.empty()) {
    text.append(" (").append(detail).append(")");
  }
  return text;
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_display_status(OM_uint32* minor, OM_uint32 status, int type, gss_OID mech,
                             OM_uint32* message_context, gss_buffer_t text) {
  // Not under guard(): its own failure would replace the detail that is asked for.
  const CancellationHold hold;
  Answer answer;
  clear(text);
  try {
    if (text == nullptr || (message_context != nullptr && *message_context != 0)) {
      answer = kBadArgument;
    } else if (!is_ours(mech)) {
      answer = Error{Major::kBadMech, Minor::kBadArgument};
    } else if (type != GSS_C_MECH_CODE) {
      answer = Error{Major::kBadStatus, Minor::kBadArgument};
    } else {
      give(text, status_text(status));
    }
  } catch (...) {
    answer = failure(Minor::kNoMemory);
  }
  store(minor, static_cast<OM_uint32>(answer.minor));
  return answer.major;
}

OM_uint32 gss_indicate_mechs(OM_uint32* minor, gss_OID_set* mechs) {
  return guard(minor, [&]() -> Answer {
    store(mechs, GSS_C_NO_OID_SET);
    return give_oids(mechs, std::array<gss_const_OID, 1>{mechanism_oid()});
  });
}

OM_uint32 gss_inquire_names_for_mech(OM_uint32* minor, gss_OID mech, gss_OID_set* types) {
  return guard(minor, [&]() -> Answer {
    store(types, GSS_C_NO_OID_SET);
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    return give_oids(types, std::array<gss_const_OID, 5>{
                                GSS_C_NT_USER_NAME, GSS_C_NT_HOSTBASED_SERVICE, GSS_C_NT_ANONYMOUS,
                                GSS_C_NT_EXPORT_NAME, GSS_C_NT_COMPOSITE_EXPORT});
  });
}

OM_uint32 gss_inquire_attrs_for_mech(OM_uint32* minor, gss_const_OID mech, gss_OID_set* attrs,
                                     gss_OID_set* known) {
  return guard(minor, [&]() -> Answer {
    store(attrs, GSS_C_NO_OID_SET);
    // Left empty, the mechglue answers with all attributes it knows.
    store(known, GSS_C_NO_OID_SET);
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    return give_oids(attrs, std::array<gss_const_OID, 12>{
                                GSS_C_MA_MECH_CONCRETE, GSS_C_MA_AUTH_INIT, GSS_C_MA_AUTH_INIT_INIT,
                                GSS_C_MA_AUTH_INIT_ANON, GSS_C_MA_INTEG_PROT, GSS_C_MA_CONF_PROT,
                                GSS_C_MA_MIC, GSS_C_MA_WRAP, GSS_C_MA_REPLAY_DET, GSS_C_MA_OOS_DET,
                                GSS_C_MA_CBINDINGS, GSS_C_MA_CTX_TRANS});
  });
}

OM_uint32 gss_inquire_saslname_for_mech(OM_uint32* minor, const gss_OID mech,
                                        gss_buffer_t sasl_name, gss_buffer_t mech_name,
                                        gss_buffer_t description) {
  return guard(minor, [&]() -> Answer {
    clear(sasl_name);
    clear(mech_name);
    clear(description);
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    TextOutput sasl(sasl_name, kSaslName);
    TextOutput name(mech_name, kMechName);
    TextOutput about(description, kDescription);
    sasl.give();
    name.give();
    about.give();
    return {};
  });
}

OM_uint32 gss_inquire_mech_for_saslname(OM_uint32* minor, const gss_buffer_t sasl_name,
                                        gss_OID* mech) {
  return guard(minor, [&]() -> Answer {
    store(mech, GSS_C_NO_OID);
    if (text_of(sasl_name) != kSaslName) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    store(mech, mechanism_oid());
    return {};
  });
}

OM_uint32 gssspi_mech_invoke(OM_uint32* minor, const gss_OID mech, const gss_OID object,
                             gss_buffer_t value) {
  return guard(minor, [&]() -> Answer {
    if (object == GSS_C_NO_OID || is_broken(value)) {
      return kBadArgument;
    }
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    if (!same_oid(object, &kTraceOid)) {
      return Error{Major::kUnavailable, Minor::kNotSupported};
    }
    const std::string_view path = text_of(value);
    if (path.find('\0') != std::string_view::npos) {
      return failure(Minor::kBadOption);
    }
    set_trace_file(path);
    return {};
  });
}

// Called under the mechglue's lock: no gss_* call in here.
OM_uint32 gss_internal_release_oid(OM_uint32* minor, gss_OID* oid) {
  store(minor, OM_uint32{0});
  if (oid != nullptr && is_static_oid(*oid)) {
    *oid = GSS_C_NO_OID;
    return GSS_S_COMPLETE;
  }
  return GSS_S_CONTINUE_NEEDED;
}

}  // extern "C"
