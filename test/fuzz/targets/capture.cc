// What `gss-ntlm decode` reads of captured packets. Input: a file in one of the formats of
// captures.
//
// Tokens lie within the bounds of what is kept; the packets that they end in are packets of the
// file, in order; each side's tokens are decoded to text without control characters and to JSON.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "test/fuzz/choices.h"
#include "tools/decode/capture.h"
#include "tools/decode/capture_file.h"
#include "tools/decode/output.h"

namespace gssntlm::fuzz {
namespace {

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  });
}

void check_packets(ByteView file, const tools::CaptureContent& content) {
  tools::CaptureReader reader(file);
  std::size_t count = 0;
  while (const std::optional<tools::Packet> packet = reader.next()) {
    GSSNTLM_HOLDS(packet->number == ++count && packet->bytes.size() <= packet->sent);
    GSSNTLM_HOLDS(packet->bytes.empty() ||
                  (packet->bytes.data() >= file.data() &&
                   packet->bytes.data() + packet->bytes.size() <= file.data() + file.size()));
  }
  GSSNTLM_HOLDS(count == content.packets && is_plain(reader.problem()));
}

void check_conversation(const tools::Conversation& conversation, std::size_t packets) {
  GSSNTLM_HOLDS(!conversation.connection.empty() && is_plain(conversation.connection));
  std::size_t before = 1;
  for (const tools::FoundToken& token : conversation.tokens) {
    GSSNTLM_HOLDS(token.packet >= before && token.packet <= packets && token.from_server);
    before = token.packet;
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView file(data, size);
  if (!tools::is_capture(file)) {
    return 0;
  }
  tools::CaptureContent content = tools::read_capture(file);
  check_packets(file, content);
  GSSNTLM_HOLDS(content.conversations.size() <= content.connections);
  for (const tools::Conversation& c : content.conversations) {
    check_conversation(c, content.packets);
  }
  const std::vector<tools::Exchange> exchanges = tools::examine(std::move(content.conversations));
  for (const tools::Exchange& exchange : exchanges) {
    for (const tools::Token& token : exchange.tokens) {
      GSSNTLM_HOLDS(is_plain(tools::render_text(token, 1, {false, true})));
      GSSNTLM_HOLDS(nlohmann::json::accept(tools::render_json(token, exchange, 1)));
    }
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Bytes input(data, data + size);
  mutate_bytes(input, max, chance);
  return give_back(input, data, max);
}
