#include "tools/decode/capture_file.h"

#include <algorithm>

namespace gssntlm::tools {
namespace {

constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kModified = 0xA1B2CD34;  // with 8 more bytes for each packet
constexpr std::size_t kClassicHeader = 24;

constexpr std::uint32_t kSection = 0x0A0D0D0A;
constexpr std::uint32_t kOrder = 0x1A2B3C4D;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::size_t kLeastBlock = 12;

std::uint32_t swapped(std::uint32_t v) noexcept {
  return v >> 24 | (v >> 8 & 0xFF00) | (v << 8 & 0xFF0000) | v << 24;
}

bool is_classic(std::uint32_t magic) noexcept {
  return magic == kMicroseconds || magic == kNanoseconds || magic == kModified;
}

}  // namespace

bool is_capture(ByteView file) noexcept {
  if (file.size() < 4) {
    return false;
  }
  const std::uint32_t magic = load_le32(file.data());
  return magic == kSection || is_classic(magic) || is_classic(swapped(magic));
}

CaptureReader::CaptureReader(ByteView file) : file_(file) {
  if (!is_capture(file)) {
    (void)stop("is not one");
    return;
  }
  const std::uint32_t magic = load_le32(file.data());
  blocks_ = magic == kSection;
  if (blocks_) {
    return;
  }
  big_ = !is_classic(magic);
  if (file.size() < kClassicHeader) {
    (void)stop("ends inside its header");
    return;
  }
  header_ = u32(0) == kModified ? 24 : 16;
  link_ = u32(20) & 0xFFFF;
  at_ = kClassicHeader;
}

std::uint16_t CaptureReader::u16(std::size_t at) const noexcept {
  const std::uint16_t v = load_le16(&file_[at]);
  return big_ ? static_cast<std::uint16_t>(v >> 8 | v << 8) : v;
}

std::uint32_t CaptureReader::u32(std::size_t at) const noexcept {
  const std::uint32_t v = load_le32(&file_[at]);
  return big_ ? swapped(v) : v;
}

std::optional<Packet> CaptureReader::next() {
  if (!problem_.empty() || at_ >= file_.size()) {
    return std::nullopt;
  }
  return blocks_ ? next_block() : next_classic();
}

std::nullopt_t CaptureReader::stop(const char* what) {
  problem_ = "the capture " + std::string(what) + " after packet " + std::to_string(count_);
  return std::nullopt;
}

// `size` bytes at `at`, or what there is of them.
Packet CaptureReader::packet(std::uint32_t link, std::size_t at, std::uint32_t size,
                             std::uint32_t sent) {
  const std::size_t there = std::min<std::size_t>(size, file_.size() - std::min(at, file_.size()));
  return {++count_, link, file_.subspan(std::min(at, file_.size()), there), std::max(size, sent)};
}

std::optional<Packet> CaptureReader::next_classic() {
  if (!fits(file_.size(), at_, header_)) {
    return stop("was cut");
  }
  const std::uint32_t size = u32(at_ + 8);
  const std::uint32_t sent = u32(at_ + 12);
  const std::size_t from = at_ + header_;
  Packet p = packet(link_, from, size, sent);
  if (p.bytes.size() < size) {
    (void)stop("was cut");
  }
  at_ = from + p.bytes.size();
  return p;
}

// Byte order and interfaces are those of a section.
bool CaptureReader::begin_section() {
  if (!fits(file_.size(), at_, 16)) {
    return false;
  }
  const std::uint32_t order = load_le32(&file_[at_ + 8]);
  big_ = order != kOrder;
  interfaces_.clear();
  return order == kOrder || order == swapped(kOrder);
}

std::optional<Packet> CaptureReader::next_block() {
  while (at_ < file_.size()) {
    if (!fits(file_.size(), at_, kLeastBlock)) {
      return stop("was cut");
    }
    if (load_le32(&file_[at_]) == kSection && !begin_section()) {
      return stop("has a malformed section");
    }
    const std::uint32_t type = u32(at_);
    const std::size_t size = u32(at_ + 4);
    if (size < kLeastBlock || size % 4 != 0) {
      return stop("has a block of an impossible length");
    }
    const bool whole = fits(file_.size(), at_, size);
    std::optional<Packet> p = packet_of_block(type, std::min(size, file_.size() - at_));
    at_ += std::min(size, file_.size() - at_);
    if (!whole) {
      (void)stop("was cut");
    }
    if (p || !whole) {
      return p;
    }
  }
  return std::nullopt;
}

// `size`: how much of the block there is.
std::optional<Packet> CaptureReader::packet_of_block(std::uint32_t type, std::size_t size) {
  constexpr std::size_t kBody = 8;
  constexpr std::size_t kEnd = 4;
  const std::size_t body = at_ + kBody;
  const auto link_of = [&](std::size_t i) {
    return i < interfaces_.size() ? interfaces_[i] : 0xFFFFFFFF;
  };
  if (type == kInterface && size >= kBody + 8) {
    interfaces_.push_back(u16(body));
  } else if ((type == kEnhancedPacket || type == kObsoletePacket) && size >= kBody + 20) {
    const std::size_t interface = type == kEnhancedPacket ? u32(body) : u16(body);
    const std::size_t most = size - kBody - 20;
    const auto captured = static_cast<std::uint32_t>(std::min<std::size_t>(u32(body + 12), most));
    return packet(link_of(interface), body + 20, captured, u32(body + 16));
  } else if (type == kSimplePacket && size >= kBody + 4 + kEnd) {
    const std::uint32_t sent = u32(body);
    const std::size_t most = size - kBody - 4 - kEnd;
    return packet(link_of(0), body + 4,
                  static_cast<std::uint32_t>(std::min<std::size_t>(sent, most)), sent);
  }
  return std::nullopt;
}

}  // namespace gssntlm::tools
