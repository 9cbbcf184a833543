#include "tools/decode/capture_layers.h"

#include <algorithm>

#include <arpa/inet.h>

namespace gssntlm::tools {
namespace {

// LINKTYPE_ numbers.
constexpr std::uint32_t kLoopback = 0;
constexpr std::uint32_t kEthernet = 1;
constexpr std::uint32_t kPpp = 9;
constexpr std::uint32_t kRaw = 101;
constexpr std::uint32_t kOpenLoopback = 108;
constexpr std::uint32_t kCooked = 113;
constexpr std::uint32_t kRaw4 = 228;
constexpr std::uint32_t kRaw6 = 229;
constexpr std::uint32_t kCooked2 = 276;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kMostHeaders = 8;

std::uint16_t big16(ByteView b, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]);
}

std::uint32_t big32(ByteView b, std::size_t at) noexcept {
  return std::uint32_t{big16(b, at)} << 16 | big16(b, at + 2);
}

ByteView behind(ByteView b, std::size_t size) noexcept {
  return b.subspan(std::min(size, b.size()));
}

// What an EtherType announces, through VLAN tags and PPPoE.
ByteView behind_tags(ByteView rest, std::uint16_t type) noexcept {
  for (std::size_t i = 0; i < kMostHeaders; ++i) {
    const bool tag = type == 0x8100 || type == 0x88A8 || type == 0x9100;
    if (tag && rest.size() >= 4) {
      type = big16(rest, 2);
      rest = behind(rest, 4);
    } else if (type == 0x8864) {
      return behind(rest, 8);
    } else {
      break;
    }
  }
  return type == 0x0800 || type == 0x86DD ? rest : ByteView();
}

// nullopt: a link type that is not supported.
std::optional<ByteView> internet_layer(const Packet& p) noexcept {
  const ByteView b = p.bytes;
  switch (p.link) {
    case kEthernet:
      return b.size() >= 14 ? behind_tags(behind(b, 14), big16(b, 12)) : ByteView();
    case kCooked:
      return b.size() >= 16 ? behind_tags(behind(b, 16), big16(b, 14)) : ByteView();
    case kCooked2:
      return b.size() >= 20 ? behind_tags(behind(b, 20), big16(b, 0)) : ByteView();
    case kLoopback:
    case kOpenLoopback:
      return behind(b, 4);
    case kPpp:
      return behind(b, b.size() >= 2 && b[0] == 0xFF ? 4 : 2);
    case 12:
    case 14:
    case kRaw:
    case kRaw4:
    case kRaw6:
      return b;
    default:
      return std::nullopt;
  }
}

// What IP carries.
struct Datagram {
  std::uint8_t protocol = 0;
  ByteView bytes;
  bool fragment = false;
};

bool read_ipv4(ByteView b, Segment& s, Datagram& d) noexcept {
  const std::size_t header = b.empty() ? 0 : std::size_t{b[0] & 0xFu} * 4;
  if (header < 20 || b.size() < header) {
    return false;
  }
  // Zero where the network card was to cut the packet into segments.
  const std::size_t total = big16(b, 2);
  d.bytes = b.subspan(header);
  if (total != 0) {
    d.bytes = d.bytes.first(std::min(d.bytes.size(), std::max(total, header) - header));
  }
  d.protocol = b[9];
  d.fragment = (big16(b, 6) & 0x3FFF) != 0;
  for (const auto& [endpoint, at] : {std::pair(&s.from, 12), std::pair(&s.to, 16)}) {
    endpoint->address[10] = endpoint->address[11] = 0xFF;
    std::copy_n(b.begin() + at, 4, endpoint->address.begin() + 12);
  }
  return true;
}

bool read_ipv6(ByteView b, Segment& s, Datagram& d) noexcept {
  if (b.size() < 40) {
    return false;
  }
  std::copy_n(b.begin() + 8, 16, s.from.address.begin());
  std::copy_n(b.begin() + 24, 16, s.to.address.begin());
  const std::size_t size = big16(b, 4);
  d.protocol = b[6];
  d.bytes = b.subspan(40);
  d.bytes = size != 0 ? d.bytes.first(std::min(d.bytes.size(), size)) : d.bytes;
  for (std::size_t i = 0; i < kMostHeaders && d.bytes.size() >= 8; ++i) {
    const bool options = d.protocol == 0 || d.protocol == 43 || d.protocol == 60;
    const bool fragment = d.protocol == 44;
    const bool authentication = d.protocol == 51;
    if (!options && !fragment && !authentication) {
      break;
    }
    d.fragment = d.fragment || (fragment && (big16(d.bytes, 2) & 0xFFF9) != 0);
    const std::size_t length = d.bytes[1];
    d.protocol = d.bytes[0];
    d.bytes = behind(d.bytes, fragment ? 8 : authentication ? (length + 2) * 4 : (length + 1) * 8);
  }
  return true;
}

bool read_tcp(ByteView b, Segment& s) noexcept {
  constexpr std::uint8_t kSyn = 0x02;
  constexpr std::uint8_t kAck = 0x10;
  const std::size_t header = b.size() >= 20 ? std::size_t{b[12]} / 16 * 4 : 0;
  if (header < 20) {
    return false;
  }
  s.from.port = big16(b, 0);
  s.to.port = big16(b, 2);
  s.sequence = big32(b, 4);
  s.syn = (b[13] & kSyn) != 0;
  s.opens = s.syn && (b[13] & kAck) == 0;
  s.payload = behind(b, header);
  return true;
}

bool read_udp(ByteView b, Segment& s) noexcept {
  if (b.size() < 8) {
    return false;
  }
  s.tcp = false;
  s.from.port = big16(b, 0);
  s.to.port = big16(b, 2);
  const std::size_t size = std::max<std::size_t>(big16(b, 4), 8) - 8;
  s.payload = b.subspan(8, std::min(size, b.size() - 8));
  return true;
}

}  // namespace

std::string endpoint_text(const Endpoint& e) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool mapped = std::all_of(e.address.begin(), e.address.begin() + 10,
                                  [](std::uint8_t b) { return b == 0; }) &&
                      e.address[10] == 0xFF && e.address[11] == 0xFF;
  const void* const address = mapped ? &e.address[12] : &e.address[0];
  (void)::inet_ntop(mapped ? AF_INET : AF_INET6, address, text.data(), text.size());
  const std::string host(text.data());
  return (mapped ? host : "[" + host + "]") + ":" + std::to_string(e.port);
}

std::optional<Segment> segment_of(const Packet& packet, Skipped& skipped) {
  const std::optional<ByteView> internet = internet_layer(packet);
  if (!internet) {
    ++skipped.link;
    skipped.link_type = packet.link;
    return std::nullopt;
  }
  Segment s;
  Datagram d;
  const unsigned version = internet->empty() ? 0 : (*internet)[0] >> 4;
  const bool read = version == 4   ? read_ipv4(*internet, s, d)
                    : version == 6 ? read_ipv6(*internet, s, d)
                                   : false;
  if (!read || (d.protocol != kTcp && d.protocol != kUdp)) {
    return std::nullopt;
  }
  if (d.fragment) {
    ++skipped.fragments;
    return std::nullopt;
  }
  skipped.cut += packet.sent > packet.bytes.size() ? 1 : 0;
  const bool whole = d.protocol == kTcp ? read_tcp(d.bytes, s) : read_udp(d.bytes, s);
  return whole ? std::optional(s) : std::nullopt;
}

}  // namespace gssntlm::tools
