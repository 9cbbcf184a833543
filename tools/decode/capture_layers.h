// From a captured packet to what TCP or UDP carries in it.
#pragma once

#include <array>
#include <string>

#include "tools/decode/capture_file.h"

namespace gssntlm::tools {

/// An address, of IPv4 as IPv6 maps it, and a port.
struct Endpoint {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};
/// `10.0.0.1:445`, `[fe80::1]:445`.
[[nodiscard]] std::string endpoint_text(const Endpoint& endpoint);

struct Segment {
  Endpoint from;
  Endpoint to;
  bool tcp = true;
  bool opens = false;  ///< SYN without ACK
  bool syn = false;
  std::uint32_t sequence = 0;
  ByteView payload;
};

/// Packets that were not read, and why.
struct Skipped {
  std::size_t link = 0;  ///< of a link type that is not supported
  std::uint32_t link_type = 0;
  std::size_t fragments = 0;
  std::size_t cut = 0;  ///< longer than what was captured; what there is of them was read
};

/// The segment in `packet`; nullopt if there is none. Link types: Ethernet with VLAN tags and
/// PPPoE, raw IP, BSD loopback, Linux cooked (both versions), PPP.
[[nodiscard]] std::optional<Segment> segment_of(const Packet& packet, Skipped& skipped);

}  // namespace gssntlm::tools
