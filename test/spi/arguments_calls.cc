// Every function of the module, by subject: test/spi/arguments_test.cc calls them as no program
// should.
#include "test/spi/arguments_room.h"

namespace gssntlm::test {
namespace {

using R = Room&;
using C = gss_ctx_id_t*;
using P = Pointers&;

const Call kCredentials[] = {
    {"gss_acquire_cred", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_acquire_cred)(p(0, &r.minor), p(1, r.user), 0, p(2, &r.mechs), GSS_C_INITIATE,
                                    p(3, &r.made), p(4, &r.sets[0]), p(5, &r.numbers[0]));
     }},
    {"gss_acquire_cred_from", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_acquire_cred_from)(p(0, &r.minor), p(1, r.user), 0, p(2, &r.mechs),
                                         GSS_C_INITIATE, p(3, &r.keys), p(4, &r.made),
                                         p(5, &r.sets[0]), p(6, &r.numbers[0]));
     },
     true},
    {"gssspi_acquire_cred_with_password", Needs::kNothing,
     [](R r, C, P p) {
       return function<decltype(gss_acquire_cred_with_password)>(
           "gssspi_acquire_cred_with_password")(p(0, &r.minor), p(1, r.user), p(2, &r.password), 0,
                                                p(3, &r.mechs), GSS_C_INITIATE, p(4, &r.made),
                                                p(5, &r.sets[0]), p(6, &r.numbers[0]));
     }},
    {"gss_release_cred", Needs::kNothing,
     [](R r, C, P p) { return SPI(gss_release_cred)(p(0, &r.minor), p(1, &r.cred)); }},
    {"gss_inquire_cred", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_cred)(p(0, &r.minor), p(1, r.cred), p(2, &r.names[0]),
                                    p(3, &r.numbers[0]), p(4, &r.ints[0]), p(5, &r.sets[0]));
     }},
    {"gss_inquire_cred_by_mech", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_cred_by_mech)(p(0, &r.minor), p(1, r.cred), p(2, &kNtlm),
                                            p(3, &r.names[0]), p(4, &r.numbers[0]),
                                            p(5, &r.numbers[1]), p(6, &r.ints[0]));
     }},
    {"gss_inquire_cred_by_oid", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_cred_by_oid)(p(0, &r.minor), p(1, r.cred), p(2, &r.flags_option),
                                           p(3, &r.buffers));
     },
     true},
    {"gssspi_set_cred_option", Needs::kNothing,
     [](R r, C, P p) {
       return function<SetCredOption>("gssspi_set_cred_option")(
           p(0, &r.minor), p(1, &r.cred), p(2, &r.flags_option), p(3, &r.empty));
     }},
    {"gss_store_cred", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_store_cred)(p(0, &r.minor), p(1, r.cred), GSS_C_INITIATE, p(2, &kNtlm), 1, 0,
                                  p(3, &r.sets[0]), p(4, &r.ints[0]));
     },
     true},
    {"gss_store_cred_into", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_store_cred_into)(p(0, &r.minor), p(1, r.cred), GSS_C_INITIATE, p(2, &kNtlm),
                                       1, 0, p(3, &r.keys), p(4, &r.sets[0]), p(5, &r.ints[0]));
     }},
    {"gss_export_cred", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_export_cred)(p(0, &r.minor), p(1, r.cred), p(2, &r.out[0]));
     }},
    {"gss_import_cred", Needs::kNothing,
     [](R r, C, P p) {
       SPI(gss_export_cred)(&r.minor, r.cred, &r.sealed);
       return SPI(gss_import_cred)(p(0, &r.minor), p(1, &r.sealed), p(2, &r.made));
     }},
};

const Call kContexts[] = {
    {"gss_init_sec_context", Needs::kHandshake,
     [](R r, C, P p) {
       return SPI(gss_init_sec_context)(p(0, &r.minor), p(1, r.cred), p(2, &r.context),
                                        p(3, r.target), p(4, &kNtlm), 0, 0, p(5, &r.bindings),
                                        p(6, &r.empty), p(7, &r.oid), p(8, &r.out[0]),
                                        p(9, &r.numbers[0]), p(10, &r.numbers[1]));
     }},
    {"gss_accept_sec_context", Needs::kHandshake,
     [](R r, C, P p) {
       r.initiate();
       return SPI(gss_accept_sec_context)(p(0, &r.minor), p(1, &r.context), p(2, r.cred),
                                          p(3, &r.token), p(4, &r.bindings), p(5, &r.names[0]),
                                          p(6, &r.oid), p(7, &r.out[0]), p(8, &r.numbers[0]),
                                          p(9, &r.numbers[1]), p(10, &r.made));
     }},
    {"gss_delete_sec_context", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_delete_sec_context)(p(0, &r.minor), p(1, c), p(2, &r.out[0]));
     },
     false, true},
    {"gss_context_time", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_context_time)(p(0, &r.minor), p(1, *c), p(2, &r.numbers[0]));
     }},
    {"gss_process_context_token", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_process_context_token)(p(0, &r.minor), p(1, *c), p(2, &r.text));
     },
     true},
    {"gss_complete_auth_token", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_complete_auth_token)(p(0, &r.minor), p(1, *c), p(2, &r.text));
     }},
    {"gss_export_sec_context", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_export_sec_context)(p(0, &r.minor), p(1, c), p(2, &r.out[0]));
     },
     false, true},
    {"gss_import_sec_context", Needs::kNothing,
     [](R r, C, P p) {
       r.begin();
       SPI(gss_export_sec_context)(&r.minor, &r.initiator, &r.sealed);
       return SPI(gss_import_sec_context)(p(0, &r.minor), p(1, &r.sealed), p(2, &r.context));
     }},
    {"gss_inquire_context", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_inquire_context)(p(0, &r.minor), p(1, *c), p(2, &r.names[0]),
                                       p(3, &r.names[1]), p(4, &r.numbers[0]), p(5, &r.oid),
                                       p(6, &r.numbers[1]), p(7, &r.ints[0]), p(8, &r.ints[1]));
     }},
    {"gss_inquire_sec_context_by_oid", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_inquire_sec_context_by_oid)(p(0, &r.minor), p(1, *c), p(2, &r.number),
                                                  p(3, &r.buffers));
     }},
    {"gss_set_sec_context_option", Needs::kContext,
     [](R r, C c, P p) {
       return SPI(gss_set_sec_context_option)(p(0, &r.minor), p(1, c), p(2, &r.debug),
                                              p(3, &r.empty));
     },
     true},
};

const Call kMessages[] = {
    {"gss_get_mic", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_get_mic)(p(0, &r.minor), p(1, *c), 0, p(2, &r.text), p(3, &r.out[0]));
     }},
    {"gss_verify_mic", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_verify_mic)(p(0, &r.minor), p(1, *c), p(2, &r.text), p(3, &r.signature),
                                  p(4, &r.numbers[0]));
     },
     false, false, &Room::prepare_signature},
    {"gss_wrap", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_wrap)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.text), p(3, &r.ints[0]),
                            p(4, &r.out[0]));
     }},
    {"gss_unwrap", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_unwrap)(p(0, &r.minor), p(1, *c), p(2, &r.sealed), p(3, &r.out[0]),
                              p(4, &r.ints[0]), p(5, &r.numbers[0]));
     },
     false, false, &Room::prepare_messages},
    {"gss_wrap_aead", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_wrap_aead)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.password), p(3, &r.text),
                                 p(4, &r.ints[0]), p(5, &r.out[0]));
     }},
    {"gss_unwrap_aead", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_unwrap_aead)(p(0, &r.minor), p(1, *c), p(2, &r.sealed), p(3, &r.empty),
                                   p(4, &r.out[0]), p(5, &r.ints[0]), p(6, &r.numbers[0]));
     },
     false, false, &Room::prepare_messages},
    {"gss_wrap_size_limit", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_wrap_size_limit)(p(0, &r.minor), p(1, *c), 1, 0, 100, p(2, &r.numbers[0]));
     }},
    {"gss_wrap_iov", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_wrap_iov)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.ints[0]), p(3, r.iov), 2);
     }},
    {"gss_wrap_iov_length", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_wrap_iov_length)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.ints[0]),
                                       p(3, r.iov), 2);
     }},
    {"gss_unwrap_iov", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_unwrap_iov)(p(0, &r.minor), p(1, *c), p(2, &r.ints[0]), p(3, &r.numbers[0]),
                                  p(4, r.iov), 2);
     },
     true},
    {"gss_get_mic_iov", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_get_mic_iov)(p(0, &r.minor), p(1, *c), 0, p(2, r.mic_iov), 2);
     }},
    {"gss_get_mic_iov_length", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_get_mic_iov_length)(p(0, &r.minor), p(1, *c), 0, p(2, r.mic_iov), 2);
     }},
    {"gss_verify_mic_iov", Needs::kMessages,
     [](R r, C c, P p) {
       return SPI(gss_verify_mic_iov)(p(0, &r.minor), p(1, *c), p(2, &r.numbers[0]),
                                      p(3, r.mic_iov), 2);
     },
     true},
};

const Call kMechanism[] = {
    {"gss_display_status", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_display_status)(p(0, &r.minor), GSS_NTLM_S_NOT_NTLM, GSS_C_MECH_CODE,
                                      p(1, &kNtlm), p(2, &r.numbers[0]), p(3, &r.out[0]));
     }},
    {"gss_indicate_mechs", Needs::kNothing,
     [](R r, C, P p) { return SPI(gss_indicate_mechs)(p(0, &r.minor), p(1, &r.sets[0])); }},
    {"gss_inquire_names_for_mech", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_names_for_mech)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.sets[0]));
     }},
    {"gss_inquire_attrs_for_mech", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_attrs_for_mech)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.sets[0]),
                                              p(3, &r.sets[1]));
     }},
    {"gss_inquire_saslname_for_mech", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_saslname_for_mech)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.out[0]),
                                                 p(3, &r.out[1]), p(4, &r.out[2]));
     }},
    {"gss_inquire_mech_for_saslname", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_mech_for_saslname)(p(0, &r.minor), p(1, &r.sasl), p(2, &r.oid));
     },
     true},
    {"gssspi_mech_invoke", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gssspi_mech_invoke)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.debug), p(3, &r.empty));
     }},
    {"gss_internal_release_oid", Needs::kNothing,
     [](R r, C, P p) {
       return function<ReleaseOid>("gss_internal_release_oid")(p(0, &r.minor), p(1, &r.oid));
     },
     true},
};

const Call kNames[] = {
    {"gss_import_name", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_import_name)(p(0, &r.minor), p(1, &r.text), p(2, GSS_C_NT_USER_NAME),
                                   p(3, &r.names[0]));
     }},
    {"gss_release_name", Needs::kNothing,
     [](R r, C, P p) { return SPI(gss_release_name)(p(0, &r.minor), p(1, &r.user)); }},
    {"gss_duplicate_name", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_duplicate_name)(p(0, &r.minor), p(1, r.user), p(2, &r.names[0]));
     }},
    {"gss_display_name", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_display_name)(p(0, &r.minor), p(1, r.user), p(2, &r.out[0]), p(3, &r.oid));
     }},
    {"gss_compare_name", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_compare_name)(p(0, &r.minor), p(1, r.user), p(2, r.target), p(3, &r.ints[0]));
     }},
    {"gss_export_name", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_export_name)(p(0, &r.minor), p(1, r.user), p(2, &r.out[0]));
     }},
    {"gss_export_name_composite", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_export_name_composite)(p(0, &r.minor), p(1, r.user), p(2, &r.out[0]));
     }},
    {"gss_inquire_name", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_inquire_name)(p(0, &r.minor), p(1, r.user), p(2, &r.ints[0]), p(3, &r.oid),
                                    p(4, &r.buffers));
     }},
    {"gss_get_name_attribute", Needs::kNothing,
     [](R r, C, P p) {
       SPI(gss_set_name_attribute)(&r.minor, r.user, 1, &r.attribute, &r.text);
       return SPI(gss_get_name_attribute)(p(0, &r.minor), p(1, r.user), p(2, &r.attribute),
                                          p(3, &r.ints[0]), p(4, &r.ints[1]), p(5, &r.out[0]),
                                          p(6, &r.out[1]), p(7, &r.ints[2]));
     }},
    {"gss_set_name_attribute", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_set_name_attribute)(p(0, &r.minor), p(1, r.user), 1, p(2, &r.attribute),
                                          p(3, &r.text));
     }},
    {"gss_delete_name_attribute", Needs::kNothing,
     [](R r, C, P p) {
       SPI(gss_set_name_attribute)(&r.minor, r.user, 1, &r.attribute, &r.text);
       return SPI(gss_delete_name_attribute)(p(0, &r.minor), p(1, r.user), p(2, &r.attribute));
     }},
    {"gss_display_name_ext", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_display_name_ext)(p(0, &r.minor), p(1, r.user), p(2, GSS_C_NT_USER_NAME),
                                        p(3, &r.out[0]));
     }},
    {"gss_localname", Needs::kNothing,
     [](R r, C, P p) {
       return SPI(gss_localname)(p(0, &r.minor), p(1, r.root), p(2, &kNtlm), p(3, &r.out[0]));
     },
     true},
    {"gssspi_authorize_localname", Needs::kNothing,
     [](R r, C, P p) {
       return function<Authorize>("gssspi_authorize_localname")(
           p(0, &r.minor), p(1, r.root), p(2, &r.root_text), p(3, GSS_C_NT_USER_NAME));
     },
     true},
};

}  // namespace

std::vector<Call> calls() {
  std::vector<Call> all;
  const auto add = [&](const auto& list) {
    all.insert(all.end(), std::begin(list), std::end(list));
  };
  add(kCredentials);
  add(kContexts);
  add(kMessages);
  add(kMechanism);
  add(kNames);
  return all;
}

}  // namespace gssntlm::test
