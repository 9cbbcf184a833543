// Each decision of mic_policy.h, for everything that it depends on.
#include "mech/protocol/mic_policy.h"

#include "test/support/catch.h"

namespace gssntlm {
namespace {

unsigned g_asked = 0;

bool carries() noexcept {
  ++g_asked;
  return true;
}

bool drops() noexcept {
  ++g_asked;
  return false;
}

TEST_CASE("MIC policy: inside SPNEGO a MIC is withheld as the setting says", "[mic]") {
  struct Row {
    SpnegoMic setting;
    bool with_carrier;
    bool with_dropper;
    unsigned asked;
  };
  for (const Row& row : {Row{SpnegoMic::kAuto, false, true, 2},
                         {SpnegoMic::kAlways, false, false, 0},
                         {SpnegoMic::kNever, true, true, 0}}) {
    CAPTURE(static_cast<int>(row.setting));
    g_asked = 0;
    CHECK(withholds_mic(row.setting, LayerAbove::kSpnego, carries) == row.with_carrier);
    CHECK(withholds_mic(row.setting, LayerAbove::kSpnego, drops) == row.with_dropper);
    CHECK(g_asked == row.asked);
  }
}

TEST_CASE("MIC policy: raw NTLM has its MIC, and no one looks at SPNEGO", "[mic]") {
  g_asked = 0;
  for (const SpnegoMic setting : {SpnegoMic::kAuto, SpnegoMic::kAlways, SpnegoMic::kNever}) {
    CHECK_FALSE(withholds_mic(setting, LayerAbove::kApplication, drops));
  }
  CHECK(g_asked == 0);
}

TEST_CASE("MIC policy: one is sent where it can be announced", "[mic]") {
  const Bytes info(4);
  Policy policy;
  CHECK(sends_mic(policy, info));
  CHECK_FALSE(sends_mic(policy, {}));
  policy.send_mic = false;
  CHECK_FALSE(sends_mic(policy, info));
  CHECK_FALSE(sends_mic(policy, {}));
}

TEST_CASE("MIC policy: the machine is named under a MIC only", "[mic]") {
  for (const bool wanted : {false, true}) {
    Policy policy;
    policy.send_single_host = wanted;
    CHECK(sends_single_host(policy, true) == wanted);
    CHECK_FALSE(sends_single_host(policy, false));
  }
}

TEST_CASE("MIC policy: an announced MIC is verified whatever policy says", "[mic]") {
  AuthenticateMessage with;
  with.mic_at = kMicOffset;
  const AuthenticateMessage without;
  Policy policy;
  CHECK(mic_demand(policy, with) == MicDemand::kVerify);
  CHECK(mic_demand(policy, without) == MicDemand::kNone);
  policy.require_mic = true;
  CHECK(mic_demand(policy, with) == MicDemand::kVerify);
  CHECK(mic_demand(policy, without) == MicDemand::kMissing);
}

TEST_CASE("MIC policy: bindings and target are evidence under a MIC only", "[mic]") {
  for (const bool v2 : {false, true}) {
    for (const bool mic : {false, true}) {
      AuthenticateMessage message;
      if (v2) {
        message.v2.emplace();
      }
      if (mic) {
        message.mic_at = kMicOffset;
      }
      CAPTURE(v2, mic);
      CHECK(proves_pairs(message) == (v2 && mic));
    }
  }
}

TEST_CASE("MIC policy: a mechListMIC is required after a MIC only", "[mic]") {
  CHECK(requires_mech_list_mic(true));
  CHECK_FALSE(requires_mech_list_mic(false));
}

}  // namespace
}  // namespace gssntlm
