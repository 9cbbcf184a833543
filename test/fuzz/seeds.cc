// Writes the inputs that fuzzing begins with: tokens of the published vectors, and of handshakes of
// our own with all kinds of options.
//
//   fuzz_seeds DIRECTORY NLMP.JSON     makes DIRECTORY/TARGET/*
//
// The contexts, credentials and names for `import` come through the mechglue: GSS_MECH_CONFIG names
// the module.
#include <cstdio>
#include <fstream>

#include "mech/config/settings.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "spnego/token.h"
#include "test/fuzz/choices.h"
#include "test/fuzz/der.h"
#include "test/fuzz/glue.h"
#include "test/fuzz/seeds.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm::fuzz {
namespace {

// ---- the published vectors

// Every hexadecimal text that is an NTLM message. (The file is not read as JSON: some of its texts
// are not Unicode.)
std::vector<Bytes> collect_tokens(std::string_view text) {
  constexpr std::string_view kSignature = "\"4e544c4d53535000";
  std::vector<Bytes> tokens;
  for (std::size_t at = text.find(kSignature); at != std::string_view::npos;
       at = text.find(kSignature, at)) {
    ++at;
    tokens.push_back(test::unhex(text.substr(at, text.find('"', at) - at)));
  }
  return tokens;
}

void add_vectors(Corpus& corpus, std::string_view text) {
  const std::vector<Bytes> tokens = collect_tokens(text);
  for (const Bytes& token : tokens) {
    for (const char* target : {"messages", "decoders"}) {
      corpus.add(target, with_front(0, token));
    }
    corpus.add("decode", token);
    if (token.size() > 12 && token[8] == 2) {
      for (const std::uint8_t who : Bytes{0, 1, 2, 3}) {
        Bytes options(10);
        options[9] = who;
        corpus.add("initiator", Chunks{options, token});
      }
    }
  }
}

// ---- handshakes of our own

// The same options as the target will read.
struct Options {
  Bytes initiator = Bytes(4);
  Bytes acceptor = Bytes(4);
  Bytes request = Bytes(5);
  std::uint8_t names = 0;
  bool anonymous = false;
  bool bindings = false;
};

std::vector<Options> all_options() {
  std::vector<Options> all(1);
  for (unsigned level = 0; level < 6; ++level) {
    for (const unsigned bits : {0u, 1u, 0x103u, 0x107u, 0x0A0u}) {
      for (unsigned keys = 0; keys < 3; ++keys) {
        for (const std::uint8_t request : Bytes{0, 2, 8, 16, 4}) {
          Options o;
          // Levels as choose_policy() counts them: both roles at `level`.
          const unsigned both = (level + 3) % 6 + 6 * ((level + 1) % 6);
          o.initiator = o.acceptor = policy_bytes(both, bits, keys);
          o.request[0] = request;
          all.push_back(o);
        }
      }
    }
  }
  Options domain;
  domain.names = 1;
  domain.bindings = true;
  all.push_back(domain);
  Options anonymous;
  anonymous.anonymous = true;
  anonymous.acceptor = policy_bytes(0, 0x20, 0);
  all.push_back(anonymous);
  Options custom;
  custom.request = {32, 0x36, 0x82, 0x08, 0x60};
  all.push_back(custom);
  return all;
}

void add_handshake(Corpus& corpus, const Options& options) {
  Bytes both = options.initiator;
  append(both, options.acceptor);
  append(both, options.request);
  both.push_back(options.names);
  both.push_back(
      static_cast<std::uint8_t>((options.anonymous ? 2 : 0) | (options.bindings ? 12 : 0)));
  Input in(both);
  test::DuelSetup setup;
  setup.initiator = choose_policy(in);
  setup.acceptor = choose_policy(in);
  setup.request = choose_request(in);
  setup.names = choose_names(in);
  setup.anonymous = options.anonymous;
  setup.initiator_bindings = setup.acceptor_bindings = options.bindings ? &kSomeBindings : nullptr;
  test::Duel duel(setup);
  // As the target's acceptor will draw its challenge.
  duel.server_env.next_random = Bytes{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  const bool open = duel.run() == test::Leg::kOpen;
  corpus.add("handshake", Chunks{both, {}, {}, {}});
  Bytes initiator = options.initiator;
  append(initiator, options.request);
  initiator.push_back(
      static_cast<std::uint8_t>((options.anonymous ? 1 : 0) | (options.bindings ? 4 : 0)));
  corpus.add("initiator", Chunks{initiator, duel.challenge_token});
  if (!setup.request.connectionless && !options.anonymous) {
    Bytes agent = initiator;
    agent.back() = static_cast<std::uint8_t>(agent.back() | 2);
    corpus.add("initiator", Chunks{agent, duel.challenge_token, {}});
  }
  Bytes acceptor = options.acceptor;
  acceptor.push_back(options.names);
  acceptor.push_back(static_cast<std::uint8_t>((setup.request.connectionless ? 1 : 0) |
                                               (options.bindings ? 2 : 0)));
  if (!duel.authenticate_token.empty()) {
    corpus.add("acceptor", Chunks{acceptor, duel.negotiate_token, duel.authenticate_token});
  }
  if (!open) {
    return;
  }
  for (const Bytes* token :
       {&duel.negotiate_token, &duel.challenge_token, &duel.authenticate_token}) {
    corpus.add("messages", with_front(1, *token));
    corpus.add("decoders", with_front(1, *token));
  }
}

// AUTHENTICATE as initiators of ours never send it: LM alone, no flags, no MIC, MIC without
// Version.
void add_foreign(Corpus& corpus) {
  const test::Scene scene;
  const test::Sent whole = scene.encode(scene.answer());
  const Bytes lenient = [] {
    Bytes options = policy_bytes(6, 0x2023, 2);  // all kinds of responses, any skew
    options.insert(options.end(), {0, 0});
    return options;
  }();
  const auto add = [&](const AuthenticateFields& fields) {
    const Result<Buffer> token = encode_authenticate(fields);
    const Bytes bytes(token->view().begin(), token->view().end());
    corpus.add("acceptor", Chunks{lenient, scene.negotiate, bytes});
    corpus.add("messages", with_front(0, bytes));
    corpus.add("decoders", with_front(0, bytes));
  };
  const Bytes user = test::wide("User");
  const Bytes domain = test::wide("DOMAIN");
  const Bytes lm = Bytes(24, 1);
  const Bytes key(16, 2);
  AuthenticateFields fields;
  fields.flags = test::kUsualOffer;
  fields.user = user;
  fields.domain = domain;
  fields.lm_response = lm;
  fields.session_key = key;
  add(fields);
  fields.nt_response = lm;
  add(fields);
  fields.flags &= ~(flag::kEss | flag::k128);
  add(fields);
  corpus.add("acceptor", Chunks{lenient, test::make_negotiate(fields.flags), [&] {
                                  const Result<Buffer> token = encode_authenticate(fields);
                                  return Bytes(token->view().begin(), token->view().end());
                                }()});
  // Windows 9x: behind the workstation nothing but payload.
  Bytes old(52);
  std::copy_n(whole.token.begin(), 12, old.begin());
  for (const auto& [at, bytes] :
       {std::pair<std::size_t, const Bytes*>{12, &lm}, {20, &lm}, {28, &domain}, {36, &user}}) {
    store_le16(&old[at], static_cast<std::uint16_t>(bytes->size()));
    store_le32(&old[at + 4], static_cast<std::uint32_t>(old.size()));
    append(old, *bytes);
  }
  corpus.add("acceptor", Chunks{lenient, test::make_negotiate(fields.flags), old});
  corpus.add("messages", with_front(0, old));
  corpus.add("decoders", with_front(0, old));
  // The MIC in Version's place.
  Bytes moved = whole.token;
  moved.erase(moved.begin() + 64, moved.begin() + 72);
  for (const unsigned at : {12u, 20u, 28u, 36u, 44u, 52u}) {
    store_le32(&moved[at + 4], load_le32(&moved[at + 4]) - 8);
  }
  corpus.add("messages", with_front(0, moved));
  corpus.add("decoders", with_front(0, moved));
  corpus.add("acceptor", Chunks{Bytes(6), scene.negotiate, moved});
  corpus.add("acceptor", Chunks{Bytes(6), scene.negotiate, whole.token, whole.token});
}

// ---- SPNEGO, what people decode, and text

DerNode node(std::uint8_t tag, std::vector<DerNode> children) {
  return {tag, {}, std::move(children)};
}
DerNode leaf(std::uint8_t tag, Bytes content) {
  return {tag, std::move(content), {}};
}

void add_spnego(Corpus& corpus, const Bytes& inner) {
  const Bytes oid(std::begin(kNtlmOid), std::end(kNtlmOid));
  const Bytes hint = {'n', 'o', 't'};
  const DerNode list = node(0xA0, {node(0x30, {leaf(0x06, oid), leaf(0x06, {0x2A, 0x86, 0x48})})});
  const DerNode flags = node(0xA1, {leaf(0x03, {1, 2})});
  const DerNode token = node(0xA2, {leaf(0x04, inner)});
  const DerNode mic = node(0xA3, {leaf(0x04, Bytes(16, 9))});
  const DerNode hints =
      node(0xA3, {node(0x30, {node(0xA0, {leaf(0x1B, hint)}), node(0xA1, {leaf(0x04, hint)})})});
  const DerNode late_mic = node(0xA4, {leaf(0x04, Bytes(16, 9))});
  const DerNode state = node(0xA0, {leaf(0x0A, {1})});
  const DerNode chosen = node(0xA1, {leaf(0x06, oid)});
  const std::vector<DerNode> bodies = {
      node(0xA0, {node(0x30, {list, token})}),
      node(0xA0, {node(0x30, {list, flags, token, mic})}),
      node(0xA0, {node(0x30, {list, hints, late_mic})}),
      node(0xA1, {node(0x30, {state, chosen, token})}),
      node(0xA1, {node(0x30, {state, mic})}),
      node(0xA1, {node(0x30, {token})}),
  };
  for (const DerNode& body : bodies) {
    const Bytes bare = encode_der({body});
    const Bytes framed =
        encode_der({node(0x60, {leaf(0x06, {0x2B, 0x06, 0x01, 0x05, 0x05, 0x02}), body})});
    for (const Bytes& whole : {bare, framed}) {
      corpus.add("spnego", whole);
      corpus.add("decode", whole);
      corpus.add("decode", "Negotiate: " + test::hex(whole) + "\n");
    }
  }
}

void add_texts(Corpus& corpus) {
  for (const std::string_view text :
       {"DOM\\user", "user@dom.example", "HTTP@www.corp.example", "\\user@realm", "*.corp.*?x*y",
        "Gr\xC3\xBC\xC3\x9F\x65", "\xF0\x9F\x98\x80", "0123456789abcdefABCDEF", "a\nb",
        "\xFF\xFE"}) {
    for (const std::uint8_t options : Bytes{0, 1, 2, 20, 41}) {
      corpus.add("text", with_front(options, as_bytes(text)));
    }
    corpus.add("text", with_front(2, test::wide("DOM\\user \u20ac")));
  }
  corpus.add("users_file",
             "# accounts\nDOM:user:password\n:any:pass:word\r\n"
             "DOM\\Bob:1001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[U   "
             "       ]:LCT-1:\n"
             "eve:1:00112233445566778899AABBCCDDEEFF:8846F7EAEE8FB117AD06BDD830B7586C:[DU         "
             "]:LCT-1:\n"
             "nn:2:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[N]:\n");
  corpus.add("users_file", "DOM:user:password\nDOM:USER:other\n:user:third\n\n");
  corpus.add("users_file", "no colon\n");
  std::string all;
  Settings settings;
  std::string section;
  for (const SettingKey& key : setting_keys()) {
    std::string line = "[" + std::string(key.section) + "]\n";
    line.append(key.name).append(" = ").append(key.get(settings)).append("\n");
    corpus.add("settings", line);
    if (section != key.section) {
      section = key.section;
      all.append("[").append(section).append("]\n");
    }
    all.append(key.name).append(" = ").append(key.get(settings)).append("\n");
  }
  corpus.add("settings", all);
  corpus.add("settings",
             "[policy]\n; a remark\nallow_targets = a,b,\n  *.c, HTTP/d\nsend_level = 0\n");
  corpus.add("settings", "[policy]\nsend_level = 6\n");
  corpus.add("settings", "[nothing]\nx\n");
}

// ---- sessions

void add_sessions(Corpus& corpus) {
  for (std::uint8_t which = 0; which < 12; ++which) {
    Bytes input(22);
    input[0] = which;
    input.push_back(7);
    for (const std::uint8_t step : Bytes{0, 4, 1, 6, 5, 8, 14, 0, 6, 4, 10, 2, 4, 12, 3, 5}) {
      const std::uint8_t parts[] = {step, 30, 0, 2, 1, 33, 0, 0};
      append(input, parts);
    }
    corpus.add("session", input);
    input[5] = 1;
    corpus.add("session", input);
  }
  for (const std::uint8_t piece : Bytes{0, 1, 2, 0x80, 0x81, 0x82}) {
    Bytes input(23, 5);
    for (const std::uint8_t size : Bytes{0, 64, 130, 200, 1}) {
      input.insert(input.end(), {piece, size, static_cast<std::uint8_t>(piece >> 7)});
    }
    corpus.add("sealing", input);
  }
  for (std::uint8_t which = 0; which < 4; ++which) {
    for (std::uint8_t form = 0; form < 8; ++form) {
      Bytes input = {which};
      for (const std::uint8_t step : Bytes{0, 6, 4, 1, 8, 5, 10, 11}) {
        const std::uint8_t arguments[] = {step, form, 20, 0, 5, 5, 1, 7};
        append(input, arguments);
      }
      corpus.add("protection", input);
    }
  }
}

// ---- through the mechglue

std::string export_context(test::End& end) {
  OM_uint32 minor = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  (void)gss_export_sec_context(&minor, &end.context, &token);
  std::string text(static_cast<const char*>(token.value), token.length);
  (void)gss_release_buffer(&minor, &token);
  return text;
}

// The module's own part of a token without magic, version and checksum.
Bytes body_of(const std::string& token, const std::string& magic) {
  const std::size_t at = token.find(magic) + magic.size() + 1;
  return Bytes(token.begin() + static_cast<std::ptrdiff_t>(at), token.end() - 4);
}

void add_contexts(Corpus& corpus) {
  const test::CredHandle cred = login(std::string(kGluePassword), &test::kNtlm);
  for (const OM_uint32 flags : {0u, unsigned{GSS_C_INTEG_FLAG}, unsigned{GSS_C_CONF_FLAG}}) {
    test::Exchange x;
    x.flags = flags;
    x.initiator_cred = cred.get();
    test::End initiator;
    test::End acceptor;
    const std::string negotiate = test::init_step(x, initiator, {});
    corpus.add("import", with_front(0, body_of(export_context(initiator), "ntlm-ctx")));
    test::End again;
    const std::string challenge = test::accept_step(x, again, test::init_step(x, initiator, {}));
    corpus.add("import", with_front(0, body_of(export_context(again), "ntlm-ctx")));
    test::End client;
    if (!test::run(x, client, acceptor)) {
      continue;
    }
    std::string token;
    std::string message;
    (void)test::wrap(client, "a message", token);
    (void)test::unwrap(acceptor, token, message);
    for (test::End* end : {&client, &acceptor}) {
      corpus.add("import", with_front(0, body_of(export_context(*end), "ntlm-ctx")));
    }
  }
  test::CredHandle accepting;
  (void)test::acquire(GSS_C_ACCEPT, &test::kNtlm, accepting);
  for (const test::CredHandle* which :
       std::initializer_list<const test::CredHandle*>{&cred, &accepting}) {
    OM_uint32 minor = 0;
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    (void)gss_export_cred(&minor, which->get(), &token);
    const std::string text(static_cast<const char*>(token.value), token.length);
    (void)gss_release_buffer(&minor, &token);
    corpus.add("import", with_front(1, body_of(text, "ntlm-crd")));
  }
}

void add_names(Corpus& corpus) {
  const auto part = [](std::string_view text) {
    Bytes out = {0, 0, 0, static_cast<std::uint8_t>(text.size())};
    append(out, as_bytes(text));
    return out;
  };
  for (const std::uint8_t kind : Bytes{1, 2, 3}) {
    Bytes body = {kind};
    append(body, part(kind == 3 ? "" : "user"));
    append(body, part(kind == 3 ? "" : "DOM"));
    corpus.add("import", with_front(2, body));
    Serializer saved;
    saved.u8(kind);
    saved.text(kind == 3 ? "" : "user");
    saved.text(kind == 3 ? "" : "DOM");
    saved.u16(1);
    saved.text("an attribute");
    saved.text("its value");
    saved.flag(true);
    corpus.add("import", with_front(3, Bytes(saved.view().begin(), saved.view().end())));
  }
  for (std::uint8_t type = 0; type < 8; ++type) {
    for (const std::string_view text : {"DOM\\user", "HTTP@host", "0"}) {
      corpus.add("import", with_front(static_cast<std::uint8_t>(4 + 6 * type), as_bytes(text)));
    }
  }
  for (const std::uint8_t at : Bytes{0, 9, 30}) {
    corpus.add("import", Bytes{5, 1, at, 0, 1, 2, 3, 4});
    corpus.add("import", Bytes{5, 0, at, 0, 1, 2, 3, 4});
  }
}

void add_exchanges(Corpus& corpus) {
  const test::Scene scene;
  const Bytes authenticate = scene.encode(scene.answer()).token;
  for (std::uint8_t bits = 0; bits < 32; ++bits) {
    for (const std::uint8_t flags : Bytes{0, 3, 0x82}) {
      corpus.add("exchange", Chunks{{bits, flags}});
    }
  }
  for (const std::uint8_t bits : Bytes{0, 1, 2, 3}) {
    corpus.add("exchange", Chunks{{bits, 3}, {0}, {0}, with_front(4, authenticate)});
    corpus.add("exchange", Chunks{{bits, 3}, {0}, {0}, with_front(3, authenticate)});
    corpus.add("exchange", Chunks{{bits, 3}, {0}, {0}, {2, 2, 80, 0, 1}});
    corpus.add("exchange", Chunks{{bits, 3}, {0}, {2, 2, 80, 0, 1}});
    corpus.add("exchange", Chunks{{bits, 3}, {1, 2, 12, 0, 1}});
    corpus.add("exchange", Chunks{{bits, 3}, {0}, {0}, {5, 1, 2, 3, 4}});
    corpus.add("exchange",
               Chunks{{bits, 3}, with_front(3, scene.negotiate), with_front(3, scene.challenge)});
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

int main(int argc, char** argv) {
  using namespace gssntlm;
  using namespace gssntlm::fuzz;
  if (argc != 3) {
    std::fputs("usage: fuzz_seeds DIRECTORY NLMP.JSON\n", stderr);
    return 2;
  }
  Corpus corpus(argv[1]);
  std::ifstream file(argv[2]);
  add_vectors(corpus, std::string(std::istreambuf_iterator<char>(file), {}));
  for (const Options& options : all_options()) {
    add_handshake(corpus, options);
  }
  add_foreign(corpus);
  add_challenges(corpus);
  add_answers(corpus);
  add_conversations(corpus);
  const test::Scene scene;
  add_spnego(corpus, scene.negotiate);
  add_spnego(corpus, scene.challenge);
  corpus.add("decode", "< WWW-Authenticate: NTLM " + test::hex(scene.challenge) + "\n" +
                           "> Authorization: Negotiate " +
                           test::hex(scene.encode(scene.answer()).token) + "\n");
  corpus.add("decode", test::hex(scene.negotiate) + "\n" + test::hex(scene.challenge) + "\n" +
                           test::hex(scene.encode(scene.answer()).token));
  add_texts(corpus);
  add_sessions(corpus);
  const Stage stage("min_key_bits = 40\n");
  add_contexts(corpus);
  add_names(corpus);
  add_exchanges(corpus);
  return 0;
}
