// What comes in from outside: exported contexts, credentials and names, through the real mechglue.
// Input: a byte that says what, and the token's body, which gets its frame and checksum here.
//
// What is taken, is refused with one byte more, and exports to the same bytes (contexts,
// credentials), or to a name that is equal and exports to the same ever after. An established
// context is taken once, and each export names it differently. An honest token with up to four
// bytes in a row changed, frame and checksum as they were, is refused. Whatever was taken answers
// every question.
#include <algorithm>

#include "test/fuzz/glue.h"
#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

std::string be32(std::size_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(value >> shift);
  }
  return out;
}

std::string mech() {
  return std::string(static_cast<const char*>(test::kNtlm.elements), test::kNtlm.length);
}

std::string framed(const std::string& magic, ByteView body) {
  std::string token = magic + '\1' + text_of(body);
  const std::uint32_t crc = plain_crc32(view_of(token));
  for (int shift = 0; shift < 32; shift += 8) {
    token += static_cast<char>(crc >> shift);
  }
  return token;
}

// In the body of a context: the role, whether it is established, flags, the identifier.
constexpr std::size_t kEstablished = 1;
constexpr std::size_t kIdentifier = 1 + 1 + 4;
constexpr std::size_t kIdentifierSize = 8;

bool is_established(ByteView body) {
  return body.size() >= kIdentifier + kIdentifierSize && body[kEstablished] == 1;
}

// As the mechglue frames what mechanisms export, and as if exported just now.
std::string context_token(ByteView body) {
  const std::string token = be32(mech().size()) + mech() + framed("ntlm-ctx", body);
  return is_established(body) ? exported_again(token) : begun_now(token);
}

// What is in a context's token between magic and version, and the checksum.
std::string body_of(const std::string& token) {
  const std::size_t frame = 4 + mech().size() + 8 + 1;
  return token.substr(frame, token.size() - frame - 4);
}

std::string without_identifier(const std::string& token) {
  std::string body = body_of(token);
  return is_established(view_of(body)) ? body.erase(kIdentifier, kIdentifierSize) : body;
}
std::string credential_token(ByteView body) {
  const std::string inner = framed("ntlm-crd", body);
  return be32(mech().size()) + mech() + be32(inner.size()) + inner;
}
std::string name_token(char kind, ByteView body) {
  return std::string("\x04") + kind + '\0' + static_cast<char>(mech().size() + 2) + '\x06' +
         static_cast<char>(mech().size()) + mech() + be32(body.size()) + text_of(body);
}

// What has been taken at least once. Formats change, and a corpus that is refused tests little.
struct Taken {
  bool established = false;
  bool half_open = false;
  bool credential = false;
  bool name = false;
};
Taken g_taken;

using test::buffer_of;
using test::take;

void use_context(test::End& end) {
  ask_everything(end.context);
  std::string token;
  std::string message;
  if (test::wrap(end, "a message", token).ok()) {
    GSSNTLM_HOLDS(token.size() >= 16);
  }
  (void)test::unwrap(end, std::string(40, '\1'), message);
  (void)test::verify_mic(end, "a message", std::string(16, '\1'));
  test::Exchange x;
  (void)test::accept_step(x, end, "no token");
}

// What is taken, is taken because of all its bytes.
Bytes longer(ByteView body) {
  Bytes out(body.begin(), body.end());
  out.push_back(0);
  return out;
}

void check_context(ByteView body) {
  const std::string token = context_token(body);
  OM_uint32 minor = 0;
  test::End end;
  gss_buffer_desc in = buffer_of(token);
  if (GSS_ERROR(gss_import_sec_context(&minor, &in, &end.context))) {
    GSSNTLM_HOLDS(end.context == GSS_C_NO_CONTEXT);
    return;
  }
  (is_established(body) ? g_taken.established : g_taken.half_open) = true;
  test::End with_more;
  std::string more = context_token(longer(body));
  gss_buffer_desc longer_in = buffer_of(more);
  GSSNTLM_HOLDS(GSS_ERROR(gss_import_sec_context(&minor, &longer_in, &with_more.context)));
  test::End twice;
  GSSNTLM_HOLDS(GSS_ERROR(gss_import_sec_context(&minor, &in, &twice.context)) ==
                (is_established(body) ? GSS_S_FAILURE : GSS_S_COMPLETE));
  test::End used;
  const std::string other = context_token(body);
  gss_buffer_desc again = buffer_of(other);
  GSSNTLM_HOLDS(gss_import_sec_context(&minor, &again, &used.context) == GSS_S_COMPLETE);
  use_context(used);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  GSSNTLM_HOLDS(gss_export_sec_context(&minor, &end.context, &out) == GSS_S_COMPLETE);
  GSSNTLM_HOLDS(without_identifier(take(out)) == without_identifier(token));
}

void check_credential(ByteView body) {
  const std::string token = credential_token(body);
  OM_uint32 minor = 0;
  test::CredHandle cred;
  gss_buffer_desc in = buffer_of(token);
  if (GSS_ERROR(gss_import_cred(&minor, &in, cred.out()))) {
    GSSNTLM_HOLDS(cred.get() == GSS_C_NO_CREDENTIAL);
    return;
  }
  g_taken.credential = true;
  test::CredHandle with_more;
  std::string more = credential_token(longer(body));
  gss_buffer_desc longer_in = buffer_of(more);
  GSSNTLM_HOLDS(GSS_ERROR(gss_import_cred(&minor, &longer_in, with_more.out())));
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  GSSNTLM_HOLDS(gss_export_cred(&minor, cred.get(), &out) == GSS_S_COMPLETE);
  GSSNTLM_HOLDS(take(out) == token);
  test::NameHandle name;
  OM_uint32 lifetime = 0;
  gss_cred_usage_t usage = 0;
  (void)gss_inquire_cred(&minor, cred.get(), name.out(), &lifetime, &usage, nullptr);
  test::Exchange x;
  x.initiator_cred = x.acceptor_cred = cred.get();
  test::End initiator;
  test::End acceptor;
  (void)test::run(x, initiator, acceptor);
}

std::string export_name(const test::NameHandle& name, bool composite) {
  OM_uint32 minor = 0;
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  const OM_uint32 major = composite ? gss_export_name_composite(&minor, name.get(), &out)
                                    : gss_export_name(&minor, name.get(), &out);
  return GSS_ERROR(major) ? std::string() : take(out);
}

bool equal_names(const test::NameHandle& a, const test::NameHandle& b) {
  OM_uint32 minor = 0;
  int equal = 0;
  return gss_compare_name(&minor, a.get(), b.get(), &equal) == GSS_S_COMPLETE && equal != 0;
}

bool import_name(const std::string& text, gss_OID type, test::NameHandle& name) {
  OM_uint32 minor = 0;
  gss_buffer_desc in = buffer_of(text);
  return !GSS_ERROR(gss_import_name(&minor, &in, type, name.out()));
}

void ask_name(const test::NameHandle& name) {
  OM_uint32 minor = 0;
  int is_mechanism_name = 0;
  gss_buffer_set_t attributes = GSS_C_NO_BUFFER_SET;
  (void)gss_inquire_name(&minor, name.get(), &is_mechanism_name, nullptr, &attributes);
  for (std::size_t i = 0; attributes != GSS_C_NO_BUFFER_SET && i < attributes->count; ++i) {
    int authenticated = 0;
    int complete = 0;
    int more = -1;
    gss_buffer_desc value = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc shown = GSS_C_EMPTY_BUFFER;
    (void)gss_get_name_attribute(&minor, name.get(), &attributes->elements[i], &authenticated,
                                 &complete, &value, &shown, &more);
    GSSNTLM_HOLDS(authenticated == 0);
    (void)gss_release_buffer(&minor, &value);
    (void)gss_release_buffer(&minor, &shown);
  }
  (void)gss_release_buffer_set(&minor, &attributes);
}

void check_name(const std::string& token, gss_OID type, bool composite) {
  test::NameHandle any;
  if (!import_name(token, type, any)) {
    return;
  }
  OM_uint32 minor = 0;
  test::NameHandle name;
  if (GSS_ERROR(gss_canonicalize_name(&minor, any.get(), &test::kNtlm, name.out()))) {
    return;
  }
  g_taken.name = g_taken.name || type == GSS_C_NT_COMPOSITE_EXPORT;
  ask_name(name);
  const std::string first = export_name(name, composite);
  GSSNTLM_HOLDS(!first.empty());
  test::NameHandle back;
  const gss_OID exported = composite ? GSS_C_NT_COMPOSITE_EXPORT : GSS_C_NT_EXPORT_NAME;
  GSSNTLM_HOLDS(import_name(first, exported, back));
  const bool anonymous = name.display().find("ANONYMOUS") != std::string::npos;
  GSSNTLM_HOLDS(anonymous || equal_names(name, back));
  GSSNTLM_HOLDS(export_name(back, composite) == first);
}

std::string honest_context() {
  const test::CredHandle cred = login(std::string(kGluePassword), &test::kNtlm);
  test::Exchange x;
  x.initiator_cred = cred.get();
  test::End initiator;
  test::End acceptor;
  GSSNTLM_HOLDS(test::run(x, initiator, acceptor));
  OM_uint32 minor = 0;
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  GSSNTLM_HOLDS(gss_export_sec_context(&minor, &acceptor.context, &out) == GSS_S_COMPLETE);
  return take(out);
}

std::string honest_credential() {
  const test::CredHandle cred = login(std::string(kGluePassword), &test::kNtlm);
  OM_uint32 minor = 0;
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  GSSNTLM_HOLDS(gss_export_cred(&minor, cred.get(), &out) == GSS_S_COMPLETE);
  return take(out);
}

// A burst of errors as long as the checksum.
void check_damage(Input& in) {
  static const std::string context = body_of(honest_context());
  static const std::string credential = honest_credential();
  const bool is_context = in.flag();
  const std::string honest = is_context ? context_token(view_of(context)) : credential;
  std::string token = honest;
  // Behind the frame of the mechglue, which has no checksum.
  const std::size_t frame = mech().size() + (is_context ? 4 : 8);
  const std::size_t at = frame + in.below(token.size() - frame - 3);
  const ByteView change = in.take(4);
  for (std::size_t i = 0; i < change.size(); ++i) {
    token[at + i] = static_cast<char>(token[at + i] ^ change[i]);
  }
  OM_uint32 minor = 0;
  gss_buffer_desc buffered = buffer_of(token);
  test::End end;
  test::CredHandle cred;
  const OM_uint32 major = is_context ? gss_import_sec_context(&minor, &buffered, &end.context)
                                     : gss_import_cred(&minor, &buffered, cred.out());
  GSSNTLM_HOLDS((token == honest) == !GSS_ERROR(major));
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stage stage(
      "min_key_bits = 40\nallow_anonymous = yes\nallow_connectionless = yes\n");
  const gss_OID kTypes[] = {GSS_C_NT_USER_NAME,        GSS_C_NT_HOSTBASED_SERVICE,
                            GSS_C_NT_MACHINE_UID_NAME, GSS_C_NT_STRING_UID_NAME,
                            GSS_C_NT_ANONYMOUS,        GSS_C_NO_OID,
                            GSS_C_NT_EXPORT_NAME,      GSS_C_NT_COMPOSITE_EXPORT};
  Input in({data, size});
  const std::uint8_t what = in.u8();
  switch (what % 6) {
    case 0:
      check_context(in.rest());
      break;
    case 1:
      check_credential(in.rest());
      break;
    case 2:
      check_name(name_token('\1', in.rest()), GSS_C_NT_EXPORT_NAME, false);
      break;
    case 3:
      check_name(name_token('\2', in.rest()), GSS_C_NT_COMPOSITE_EXPORT, true);
      break;
    case 4:
      check_name(text_of(in.rest()), kTypes[what / 6 % std::size(kTypes)], false);
      break;
    default:
      check_damage(in);
  }
  return 0;
}

extern "C" const char* corpus_lacks() {
  return !g_taken.established  ? "an established context"
         : !g_taken.half_open  ? "a handshake under way"
         : !g_taken.credential ? "a credential"
         : !g_taken.name       ? "a name with attributes"
                               : nullptr;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Bytes input(data, data + size);
  if (size > 6 && chance.one_in(3)) {
    // A length, or a number of four bytes, at the edge.
    constexpr std::array<std::uint32_t, 8> kEdges = {0, 1, 2, 8, 0xFF, 0x8000, 0xFFFF, 0xFFFFFFFF};
    const std::size_t at = 1 + chance.below(size - 5);
    const std::uint32_t value = kEdges[chance.below(kEdges.size())];
    store_le32(&input[at], chance.one_in(2) ? value : load_le32(&input[at]) + value);
  } else {
    mutate_bytes(input, max, chance);
  }
  return give_back(input, data, max);
}
