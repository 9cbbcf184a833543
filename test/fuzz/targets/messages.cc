// Decoders of the three messages and of AV pairs. Input: a byte whose lowest bit says that OEM
// names were agreed, and whose next that zeros follow beyond all measure, and a token.
//
// What decodes, encodes; that decodes to the same value, and encodes to the same bytes again. (The
// first encoding may differ: a token may lay its payload in any order, with gaps, overlaps and
// without Version.) A list of AV pairs encodes to the very bytes it was.
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/fuzz/fuzz.h"

namespace gssntlm::fuzz {
namespace {

bool inside(ByteView outer, ByteView inner) {
  return inner.empty() || (inner.data() >= outer.data() &&
                           inner.data() + inner.size() <= outer.data() + outer.size());
}

// A message that claims a Version without having room for it gets one of zeros.
std::optional<Version> version_to_send(Flags flags, const std::optional<Version>& version) {
  return has(flags, flag::kVersion) && !version ? Version{} : version;
}

void check_same(const std::optional<ByteView>& a, const std::optional<ByteView>& b) {
  GSSNTLM_HOLDS(a.has_value() == b.has_value());
  GSSNTLM_HOLDS(!a || same_bytes(*a, *b));
}

void check_same_info(const TargetInfo& a, const TargetInfo& b) {
  check_same(a.nb_computer, b.nb_computer);
  check_same(a.nb_domain, b.nb_domain);
  check_same(a.dns_computer, b.dns_computer);
  check_same(a.dns_domain, b.dns_domain);
  check_same(a.dns_tree, b.dns_tree);
  check_same(a.single_host, b.single_host);
  check_same(a.target_name, b.target_name);
  check_same(a.channel_bindings, b.channel_bindings);
  GSSNTLM_HOLDS(a.flags == b.flags && a.timestamp == b.timestamp && a.size == b.size);
}

void check_single_host(const TargetInfo& info) {
  if (!info.single_host) {
    return;
  }
  const Result<SingleHost> host = decode_single_host(*info.single_host);
  GSSNTLM_HOLDS(host.ok());
  const auto value = encode_single_host(*host);
  GSSNTLM_HOLDS(same_bytes(ByteView(value).subspan(8), info.single_host->subspan(8, 40)));
}

void check_pairs(ByteView list) {
  const Result<TargetInfo> info = decode_target_info(list);
  if (!info) {
    return;
  }
  GSSNTLM_HOLDS(info->size <= list.size());
  Bytes again;
  AvReader pairs(list);
  while (const std::optional<AvPair> pair = pairs.next()) {
    GSSNTLM_HOLDS(inside(list, pair->value));
    append_av_pair(again, pair->id, pair->value);
  }
  append_av_pair(again, AvId::kEol, {});
  GSSNTLM_HOLDS(pairs.finished() && pairs.position() == info->size && !pairs.next());
  GSSNTLM_HOLDS(same_bytes(again, list.first(info->size)));
  const Result<TargetInfo> back = decode_target_info(again);
  GSSNTLM_HOLDS(back.ok());
  check_same_info(*info, *back);
  check_single_host(*info);
}

void check_negotiate(ByteView token) {
  const Result<NegotiateMessage> m = decode_negotiate(token);
  if (!m) {
    return;
  }
  GSSNTLM_HOLDS(inside(token, m->domain) && inside(token, m->workstation));
  (void)check_charset(m->flags);
  NegotiateMessage sent = *m;
  sent.version = version_to_send(m->flags, m->version);
  const Result<Buffer> again = encode_negotiate(sent);
  if (!again) {
    GSSNTLM_HOLDS(40 + m->domain.size() + m->workstation.size() > kMaxTokenSize);
    return;
  }
  const Result<NegotiateMessage> back = decode_negotiate(again->view());
  GSSNTLM_HOLDS(back.ok());
  GSSNTLM_HOLDS(back->flags == m->flags && back->version == sent.version);
  GSSNTLM_HOLDS(same_bytes(back->domain, m->domain));
  GSSNTLM_HOLDS(same_bytes(back->workstation, m->workstation));
  const Result<Buffer> third = encode_negotiate(*back);
  GSSNTLM_HOLDS(third && same_bytes(third->view(), again->view()));
}

void check_challenge(ByteView token) {
  const Result<ChallengeMessage> m = decode_challenge(token);
  if (!m) {
    return;
  }
  GSSNTLM_HOLDS(inside(token, m->target_name) && inside(token, m->target_info));
  const Result<Buffer> again = encode_challenge(*m);
  if (!again) {
    GSSNTLM_HOLDS(56 + m->target_name.size() + m->target_info.size() > kMaxTokenSize);
    return;
  }
  const Result<ChallengeMessage> back = decode_challenge(again->view());
  GSSNTLM_HOLDS(back.ok());
  GSSNTLM_HOLDS(back->flags == m->flags && back->server_challenge == m->server_challenge);
  GSSNTLM_HOLDS(!m->version || back->version == m->version);
  GSSNTLM_HOLDS(same_bytes(back->target_name, m->target_name));
  GSSNTLM_HOLDS(same_bytes(back->target_info, m->target_info));
  const Result<Buffer> third = encode_challenge(*back);
  GSSNTLM_HOLDS(third && (!m->version || same_bytes(third->view(), again->view())));
}

AuthenticateFields fields_of(const AuthenticateMessage& m) {
  AuthenticateFields fields;
  fields.flags = m.flags;
  fields.lm_response = m.lm_response;
  fields.nt_response = m.nt_response;
  fields.domain = m.domain;
  fields.user = m.user;
  fields.workstation = m.workstation;
  fields.session_key = m.session_key;
  fields.version = version_to_send(m.flags, m.version);
  fields.mic = m.mic_at.has_value();
  return fields;
}

void check_v2(const V2ClientChallenge& a, const V2ClientChallenge& b) {
  GSSNTLM_HOLDS(a.timestamp == b.timestamp && a.client_challenge == b.client_challenge);
  GSSNTLM_HOLDS(same_bytes(a.av_pairs, b.av_pairs));
  check_same_info(a.target_info, b.target_info);
}

void check_authenticate(ByteView token, bool oem) {
  const Result<AuthenticateMessage> m = decode_authenticate(token, oem);
  if (!m) {
    return;
  }
  for (const ByteView part :
       {m->lm_response, m->nt_response, m->domain, m->user, m->workstation, m->session_key}) {
    GSSNTLM_HOLDS(inside(token, part));
  }
  GSSNTLM_HOLDS(!m->mic_at || fits(token.size(), *m->mic_at, kMicSize));
  GSSNTLM_HOLDS(!m->v2 || inside(token, m->v2->av_pairs));
  const AuthenticateFields fields = fields_of(*m);
  const Result<Buffer> again = encode_authenticate(fields);
  if (!again) {
    return;
  }
  const Result<AuthenticateMessage> back = decode_authenticate(again->view(), oem);
  GSSNTLM_HOLDS(back.ok() && back->has_flags);
  GSSNTLM_HOLDS(back->flags == m->flags && back->mic_at.has_value() == m->mic_at.has_value());
  GSSNTLM_HOLDS(!m->version || back->version == m->version);
  GSSNTLM_HOLDS(same_bytes(back->lm_response, m->lm_response));
  GSSNTLM_HOLDS(same_bytes(back->nt_response, m->nt_response));
  GSSNTLM_HOLDS(same_bytes(back->domain, m->domain) && same_bytes(back->user, m->user));
  GSSNTLM_HOLDS(same_bytes(back->workstation, m->workstation));
  GSSNTLM_HOLDS(same_bytes(back->session_key, m->session_key));
  GSSNTLM_HOLDS(back->is_anonymous() == m->is_anonymous());
  GSSNTLM_HOLDS(back->v2.has_value() == m->v2.has_value());
  if (m->v2) {
    check_v2(*m->v2, *back->v2);
  }
  const Result<Buffer> third = encode_authenticate(fields_of(*back));
  GSSNTLM_HOLDS(third && same_bytes(third->view(), again->view()));
}

// No token is as long as this one.
void check_endless(ByteView token) {
  Bytes endless(token.begin(), token.end());
  endless.resize(kMaxTokenSize + 1 + token.size());
  const Result<MessageType> type = peek_type(endless);
  GSSNTLM_HOLDS(!type && type.error().minor == Minor::kTooLong);
  GSSNTLM_HOLDS(!decode_negotiate(endless) && !decode_challenge(endless));
  GSSNTLM_HOLDS(!decode_authenticate(endless));
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in({data, size});
  const std::uint8_t options = in.u8();
  const bool oem = (options & 1) != 0;
  const ByteView token = in.rest();
  if ((options & 2) != 0) {
    check_endless(token);
    return 0;
  }
  const Result<MessageType> type = peek_type(token);
  check_negotiate(token);
  check_challenge(token);
  check_authenticate(token, oem);
  GSSNTLM_HOLDS(type.ok() || !(decode_negotiate(token) || decode_challenge(token) ||
                               decode_authenticate(token, oem)));
  check_pairs(token);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  return mutate_token_behind_options(data, size, max, seed);
}
