// What is encoded decodes to the same value, whatever the value: messages, the VERSION in them
// [MS-NLMP] 2.2.2.10, pairs.
#include <rapidcheck.h>

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "mech/wire/target_info.h"
#include "test/support/catch.h"

namespace gssntlm {
namespace {

Bytes some_bytes(std::size_t unit = 1) {
  const auto count = *rc::gen::inRange<std::size_t>(0, 300);
  return *rc::gen::container<Bytes>(count / unit * unit, rc::gen::arbitrary<std::uint8_t>());
}

std::optional<Version> some_version() {
  if (!*rc::gen::arbitrary<bool>()) {
    return std::nullopt;
  }
  Version v;
  v.major = *rc::gen::arbitrary<std::uint8_t>();
  v.minor = *rc::gen::arbitrary<std::uint8_t>();
  v.build = *rc::gen::arbitrary<std::uint16_t>();
  v.reserved = *rc::gen::arbitrary<std::array<std::uint8_t, 3>>();
  v.revision = *rc::gen::arbitrary<std::uint8_t>();
  return v;
}

// All 32 bits, with the one that says whether Version is there as it is.
Flags some_flags(bool version) {
  const Flags flags = *rc::gen::arbitrary<Flags>();
  return version ? flags | flag::kVersion : flags & ~flag::kVersion;
}

void expect_same(ByteView got, ByteView wanted) {
  RC_ASSERT(same_bytes(got, wanted));
}

TEST_CASE("round trip: NEGOTIATE", "[wire]") {
  CHECK(rc::check([] {
    const Bytes domain = some_bytes();
    const Bytes workstation = some_bytes();
    NegotiateMessage m;
    m.version = some_version();
    m.flags = some_flags(m.version.has_value()) | flag::kOemDomainSupplied |
              flag::kOemWorkstationSupplied;
    m.domain = domain;
    m.workstation = workstation;
    const Result<Buffer> token = encode_negotiate(m);
    RC_ASSERT(token.ok());
    const Result<NegotiateMessage> back = decode_negotiate(token->view());
    RC_ASSERT(back.ok());
    RC_ASSERT(back->flags == m.flags);
    RC_ASSERT(back->version == m.version);
    expect_same(back->domain, domain);
    expect_same(back->workstation, workstation);
  }));
}

Bytes some_pairs() {
  Bytes list;
  const auto count = *rc::gen::inRange(0, 8);
  for (int i = 0; i < count; ++i) {
    const auto id = *rc::gen::inRange<std::uint16_t>(11, 0xFFFF);
    append_av_pair(list, static_cast<AvId>(id), some_bytes());
  }
  append_av_pair(list, AvId::kEol, {});
  return list;
}

TEST_CASE("round trip: CHALLENGE", "[wire]") {
  CHECK(rc::check([] {
    const Bytes name = some_bytes(2);
    const Bytes info = some_pairs();
    ChallengeMessage m;
    m.version = some_version();
    m.flags = some_flags(m.version.has_value());
    m.server_challenge = *rc::gen::arbitrary<std::array<std::uint8_t, 8>>();
    m.target_name = name;
    m.target_info = info;
    const Result<Buffer> token = encode_challenge(m);
    RC_ASSERT(token.ok());
    const Result<ChallengeMessage> back = decode_challenge(token->view());
    RC_ASSERT(back.ok());
    RC_ASSERT(back->flags == m.flags);
    RC_ASSERT(back->server_challenge == m.server_challenge);
    RC_ASSERT(back->version == m.version);
    expect_same(back->target_name, name);
    expect_same(back->target_info, info);
  }));
}

TEST_CASE("round trip: AUTHENTICATE", "[wire]") {
  CHECK(rc::check([] {
    const Bytes domain = some_bytes(2);
    const Bytes user = some_bytes(2);
    const Bytes workstation = some_bytes(2);
    const Bytes key = some_bytes();
    const Bytes lm(*rc::gen::element<std::size_t>(0, 1, 24), 7);
    Bytes nt(*rc::gen::element<std::size_t>(0, 24, 44), 7);
    if (nt.size() == 44) {
      nt[16] = nt[17] = 1;
      append(nt, some_pairs());
    }
    AuthenticateFields f;
    f.version = some_version();
    f.mic = *rc::gen::arbitrary<bool>();
    f.flags = some_flags(f.version.has_value());
    f.lm_response = lm;
    f.nt_response = nt;
    f.domain = domain;
    f.user = user;
    f.workstation = workstation;
    f.session_key = key;
    const Result<Buffer> token = encode_authenticate(f);
    RC_ASSERT(token.ok());
    const Result<AuthenticateMessage> back = decode_authenticate(token->view());
    RC_ASSERT(back.ok());
    RC_ASSERT(back->flags == f.flags);
    RC_ASSERT(back->version == f.version);
    expect_same(back->lm_response, lm);
    expect_same(back->nt_response, nt);
    expect_same(back->domain, domain);
    expect_same(back->user, user);
    expect_same(back->workstation, workstation);
    expect_same(back->session_key, key);
    RC_ASSERT(back->v2.has_value() == (nt.size() > 24));
  }));
}

TEST_CASE("round trip: AV pairs come back in order, unknown ones too", "[wire]") {
  CHECK(rc::check([] {
    std::vector<std::pair<std::uint16_t, Bytes>> pairs;
    Bytes list;
    const auto count = *rc::gen::inRange(0, 20);
    for (int i = 0; i < count; ++i) {
      pairs.emplace_back(*rc::gen::inRange<std::uint16_t>(1, 0xFFFF), some_bytes());
      append_av_pair(list, static_cast<AvId>(pairs.back().first), pairs.back().second);
    }
    append_av_pair(list, AvId::kEol, {});
    AvReader reader(list);
    for (const auto& [id, value] : pairs) {
      const std::optional<AvPair> pair = reader.next();
      RC_ASSERT(pair.has_value());
      RC_ASSERT(static_cast<std::uint16_t>(pair->id) == id);
      expect_same(pair->value, value);
    }
    RC_ASSERT(!reader.next().has_value());
    RC_ASSERT(reader.finished());
    RC_ASSERT(reader.position() == list.size());
  }));
}

TEST_CASE("round trip: single host data", "[wire]") {
  CHECK(rc::check([] {
    SingleHost host;
    host.custom_data = *rc::gen::arbitrary<std::array<std::uint8_t, 8>>();
    host.machine_id = *rc::gen::arbitrary<std::array<std::uint8_t, 32>>();
    const auto value = encode_single_host(host);
    const Result<SingleHost> back = decode_single_host(value);
    RC_ASSERT(back.ok());
    RC_ASSERT(back->custom_data == host.custom_data);
    RC_ASSERT(back->machine_id == host.machine_id);
  }));
}

TEST_CASE("no bytes make a decoder read outside of them", "[wire]") {
  CHECK(rc::check([] {
    Bytes token = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0, 0, 0, 0, 0};
    token[8] = *rc::gen::inRange<std::uint8_t>(0, 5);
    append(token, some_bytes());
    for (std::size_t at = 12; at + 8 <= std::min<std::size_t>(token.size(), 64); at += 4) {
      if (*rc::gen::arbitrary<bool>()) {
        store_le32(&token[at], *rc::gen::inRange(std::uint32_t{0}, std::uint32_t{120}));
      }
    }
    const Buffer exact = Buffer::copy_of(token);
    const auto inside = [&](ByteView v) {
      return v.empty() || (v.data() >= exact.view().data() &&
                           v.data() + v.size() <= exact.view().data() + exact.size());
    };
    if (const auto m = decode_negotiate(exact.view())) {
      RC_ASSERT(inside(m->domain) && inside(m->workstation));
    }
    if (const auto m = decode_challenge(exact.view())) {
      RC_ASSERT(inside(m->target_name) && inside(m->target_info));
    }
    if (const auto m = decode_authenticate(exact.view(), *rc::gen::arbitrary<bool>())) {
      RC_ASSERT(inside(m->lm_response) && inside(m->nt_response) && inside(m->session_key) &&
                inside(m->user) && inside(m->domain) && inside(m->workstation));
      RC_ASSERT(!m->mic_at || *m->mic_at + 16 <= exact.size());
    }
  }));
}

}  // namespace
}  // namespace gssntlm
