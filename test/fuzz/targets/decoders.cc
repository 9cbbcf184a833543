// Decoders against a second one, which was written apart (reference.cc): the same tokens are taken,
// and the same is read in them. Input as for `messages`.
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

void same(const PlainMessage& plain, const char* name, ByteView ours) {
  GSSNTLM_HOLDS(same_bytes(plain.fields.at(name), ours));
}

void same_version(const PlainMessage& plain, const std::optional<Version>& ours) {
  const auto version = plain.fields.find("version");
  GSSNTLM_HOLDS((version != plain.fields.end()) == ours.has_value());
  if (ours) {
    const Bytes& bytes = version->second;
    const Version read{bytes[0],
                       bytes[1],
                       static_cast<std::uint16_t>(bytes[2] | bytes[3] << 8),
                       {bytes[4], bytes[5], bytes[6]},
                       bytes[7]};
    GSSNTLM_HOLDS(read == *ours);
  }
}

void same_pair(const PlainMessage& plain, const char* name, const std::optional<ByteView>& ours) {
  const auto pair = plain.fields.find(name);
  GSSNTLM_HOLDS((pair != plain.fields.end()) == ours.has_value());
  GSSNTLM_HOLDS(!ours || same_bytes(pair->second, *ours));
}

void compare_pairs(ByteView list) {
  const std::optional<PlainMessage> plain = plain_pairs(list);
  const Result<TargetInfo> ours = decode_target_info(list);
  GSSNTLM_HOLDS(plain.has_value() == ours.ok());
  if (!ours) {
    return;
  }
  GSSNTLM_HOLDS(plain->numbers.at("size") == ours->size);
  same_pair(*plain, "av1", ours->nb_computer);
  same_pair(*plain, "av2", ours->nb_domain);
  same_pair(*plain, "av3", ours->dns_computer);
  same_pair(*plain, "av4", ours->dns_domain);
  same_pair(*plain, "av5", ours->dns_tree);
  same_pair(*plain, "av8", ours->single_host);
  same_pair(*plain, "av9", ours->target_name);
  same_pair(*plain, "av10", ours->channel_bindings);
  std::array<std::uint8_t, 12> numbers{};
  store_le32(numbers.data(), ours->flags.value_or(0));
  store_le64(&numbers[4], ours->timestamp.value_or(0));
  const ByteView view(numbers);
  same_pair(*plain, "av6", ours->flags ? std::optional<ByteView>(view.first(4)) : std::nullopt);
  same_pair(*plain, "av7",
            ours->timestamp ? std::optional<ByteView>(view.subspan(4)) : std::nullopt);
}

void compare(const PlainMessage& plain, const NegotiateMessage& ours) {
  GSSNTLM_HOLDS(plain.numbers.at("flags") == ours.flags);
  same(plain, "domain", ours.domain);
  same(plain, "workstation", ours.workstation);
  same_version(plain, ours.version);
}

void compare(const PlainMessage& plain, const ChallengeMessage& ours) {
  GSSNTLM_HOLDS(plain.numbers.at("flags") == ours.flags);
  same(plain, "nonce", ours.server_challenge);
  same(plain, "name", ours.target_name);
  same(plain, "info", ours.target_info);
  same_version(plain, ours.version);
}

void compare(const PlainMessage& plain, const AuthenticateMessage& ours) {
  GSSNTLM_HOLDS(plain.numbers.at("flags") == ours.flags);
  GSSNTLM_HOLDS((plain.numbers.at("says flags") != 0) == ours.has_flags);
  same(plain, "lm", ours.lm_response);
  same(plain, "nt", ours.nt_response);
  same(plain, "domain", ours.domain);
  same(plain, "user", ours.user);
  same(plain, "workstation", ours.workstation);
  same(plain, "key", ours.session_key);
  same_version(plain, ours.version);
  const auto mic = plain.numbers.find("mic");
  GSSNTLM_HOLDS((mic != plain.numbers.end()) == ours.mic_at.has_value());
  GSSNTLM_HOLDS(!ours.mic_at || mic->second == *ours.mic_at);
  GSSNTLM_HOLDS((plain.fields.count("pairs") != 0) == ours.v2.has_value());
  if (ours.v2) {
    GSSNTLM_HOLDS(plain.numbers.at("time") == ours.v2->timestamp);
    same(plain, "client", ours.v2->client_challenge);
    same(plain, "pairs", ours.v2->av_pairs);
  }
}

template <typename Message>
void compare_as(unsigned type, const std::optional<PlainMessage>& plain,
                const Result<Message>& ours) {
  const bool taken = plain && plain->type == type;
  GSSNTLM_HOLDS(taken == ours.ok());
  if (taken) {
    compare(*plain, *ours);
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in({data, size});
  const bool oem = in.flag();
  const ByteView token = in.rest();
  const std::optional<PlainMessage> plain = plain_decode(token, oem);
  compare_as(1, plain, decode_negotiate(token));
  compare_as(2, plain, decode_challenge(token));
  compare_as(3, plain, decode_authenticate(token, oem));
  compare_pairs(token);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  return mutate_token_behind_options(data, size, max, seed);
}
