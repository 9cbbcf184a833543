// What belongs to the mechanism itself: its identifiers, texts and options.
#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

const Operation kMechanism[] = {
    {"gss_display_status",
     [](Trial& t) {
       Buffer text;
       OM_uint32 more = 0;
       t.call([&](OM_uint32* minor) {
         return spi().display_status(minor, GSS_NTLM_S_LOGON_FAILURE, GSS_C_MECH_CODE, &g_mech,
                                     &more, &text);
       });
       t.expect_empty(text);
     }},
    {"gss_indicate_mechs",
     [](Trial& t) {
       OidSet mechs;
       t.call([&](OM_uint32* minor) { return spi().indicate_mechs(minor, &mechs); });
       t.expect_none(mechs.get());
     }},
    {"gss_inquire_names_for_mech",
     [](Trial& t) {
       OidSet types;
       t.call(
           [&](OM_uint32* minor) { return spi().inquire_names_for_mech(minor, &g_mech, &types); });
       t.expect_none(types.get());
     }},
    {"gss_inquire_attrs_for_mech",
     [](Trial& t) {
       OidSet attributes;
       OidSet known;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_attrs_for_mech(minor, &g_mech, &attributes, &known);
       });
       t.expect_none(attributes.get());
       t.expect_none(known.get());
     }},
    {"gss_inquire_saslname_for_mech",
     [](Trial& t) {
       Buffer sasl;
       Buffer name;
       Buffer description;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_saslname_for_mech(minor, &g_mech, &sasl, &name, &description);
       });
       t.expect_empty(sasl);
       t.expect_empty(name);
       t.expect_empty(description);
     }},
    {"gss_inquire_mech_for_saslname",
     [](Trial& t) {
       std::string text = "GS2-NTLM";
       gss_buffer_desc name = view(text);
       gss_OID mech = GSS_C_NO_OID;
       t.call(
           [&](OM_uint32* minor) { return spi().inquire_mech_for_saslname(minor, &name, &mech); });
     }},
    {"gss_internal_release_oid",
     [](Trial& t) {
       gss_OID mech = GSS_C_NO_OID;
       OM_uint32 ignored = 0;
       std::string text = "GS2-NTLM";
       gss_buffer_desc name = view(text);
       spi().inquire_mech_for_saslname(&ignored, &name, &mech);
       t.call([&](OM_uint32* minor) { return spi().internal_release_oid(minor, &mech); });
       t.expect(mech == GSS_C_NO_OID, "it is not recognised");
     }},
    {"gss_process_context_token",
     [](Trial& t) {
       std::string text = "token";
       gss_buffer_desc token = view(text);
       t.call([&](OM_uint32* minor) {
         const OM_uint32 major =
             spi().process_context_token(minor, shared_pair().initiator, &token);
         return major == GSS_S_DEFECTIVE_TOKEN ? GSS_S_COMPLETE : GSS_S_FAILURE;
       });
     }},
    {"gssspi_mech_invoke",
     [](Trial& t) {
       gss_OID_desc oid = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_DEBUG_OID_BYTES)};
       // Another path each time, of a few: each is kept for good.
       static int count = 0;
       std::string path = "/nonexistent/a-trace-that-is-nowhere-" + std::to_string(++count % 3);
       gss_buffer_desc value = view(path);
       t.call([&](OM_uint32* minor) { return spi().mech_invoke(minor, &g_mech, &oid, &value); });
       value = {0, nullptr};
       OM_uint32 minor = 0;
       spi().mech_invoke(&minor, &g_mech, &oid, &value);
     }},
};

}  // namespace

std::span<const Operation> mechanism_operations() {
  return kMechanism;
}

}  // namespace gssntlm::test::failure
