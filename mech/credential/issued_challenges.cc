#include "mech/credential/issued_challenges.h"

#include <array>
#include <atomic>

#include "mech/wire/challenge.h"

namespace gssntlm {
namespace {

// Challenges are random, so their low bits spread them; a newer one takes an older one's place.
std::array<std::atomic<std::uint64_t>, 4096> g_issued;

constexpr std::uint64_t kNone = 0;

std::uint64_t nonce_of(ByteView token) noexcept {
  const auto challenge = peek_server_challenge(token);
  return challenge ? load_le64(challenge->data()) : kNone;
}

std::atomic<std::uint64_t>& slot_of(std::uint64_t nonce) noexcept {
  return g_issued[static_cast<std::size_t>(nonce % g_issued.size())];
}

}  // namespace

void remember_issued(ByteView challenge) noexcept {
  const std::uint64_t nonce = nonce_of(challenge);
  slot_of(nonce).store(nonce, std::memory_order_relaxed);
}

bool was_issued_here(ByteView challenge) noexcept {
  const std::uint64_t nonce = nonce_of(challenge);
  return nonce != kNone && slot_of(nonce).load(std::memory_order_relaxed) == nonce;
}

}  // namespace gssntlm
