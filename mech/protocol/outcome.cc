#include "mech/protocol/outcome.h"

namespace gssntlm {
namespace {

void append_key_weaknesses(std::vector<std::string_view>& list, Flags flags) {
  if (!has(flags, flag::kEss)) {
    list.emplace_back("no extended session security");
    if (has(flags, flag::kLmKey)) {
      list.emplace_back("LM session key");
    } else if (has(flags, flag::kNonNtSessionKey)) {
      list.emplace_back("session key from the LM hash");
    }
  }
  if (const unsigned bits = key_bits(flags); bits < 128) {
    list.emplace_back(bits == 56 ? "56-bit session key" : "40-bit session key");
  }
}

}  // namespace

std::string_view kind_name(ResponseKind kind) noexcept {
  switch (kind) {
    case ResponseKind::kAnonymous:
      return "anonymous";
    case ResponseKind::kLm:
      return "LM";
    case ResponseKind::kNtlmV1:
      return "NTLMv1";
    case ResponseKind::kNtlmV1Ess:
      return "NTLMv1 with extended session security";
    case ResponseKind::kLmV2:
      return "LMv2";
    case ResponseKind::kNtlmV2:
      return "NTLMv2";
    case ResponseKind::kNone:
      break;
  }
  return "none";
}

std::vector<std::string_view> weaknesses_of(const Outcome& outcome, bool dummy_signatures) {
  std::vector<std::string_view> list;
  if (outcome.kind != ResponseKind::kNtlmV2) {
    list.push_back(kind_name(outcome.kind));
  }
  if (outcome.protects()) {
    append_key_weaknesses(list, outcome.flags);
  } else if (dummy_signatures && has(outcome.flags, flag::kAlwaysSign)) {
    list.emplace_back("constant signatures, which prove nothing");
  }
  if (outcome.kind == ResponseKind::kNtlmV2 && !outcome.mic) {
    list.emplace_back("no MIC: the three messages may have been changed in transit");
  }
  if (has(outcome.flags, flag::kOem)) {
    list.emplace_back("names in an OEM code page");
  }
  return list;
}

}  // namespace gssntlm
