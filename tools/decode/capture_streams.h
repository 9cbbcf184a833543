// TCP reassembly, and the datagrams of UDP, for each connection of a capture.
#pragma once

#include <map>
#include <vector>

#include "tools/decode/capture_layers.h"

namespace gssntlm::tools {

/// Bytes that one side sent without a gap, and in which packets they came.
struct Chunk {
  struct Mark {
    std::size_t offset;  ///< in `bytes`, of the first byte of the packet
    std::size_t packet;
  };
  Bytes bytes;
  std::vector<Mark> marks;

  /// Number of the packet that the byte at `offset` came in.
  [[nodiscard]] std::size_t packet_at(std::size_t offset) const noexcept;
};

/// What one side sent.
class Direction {
 public:
  void add(const Segment& segment, std::size_t packet);
  /// In order, each byte once: of bytes that were sent twice those of the segment that begins
  /// first, and of two such those that came first.
  [[nodiscard]] std::vector<Chunk> assemble() const;
  /// Whether a SYN with this number fits before what came first.
  [[nodiscard]] bool may_begin_with(std::uint32_t sequence) const noexcept;

 private:
  struct Piece {
    std::int64_t offset;
    std::size_t packet;
    ByteView bytes;
  };
  std::vector<Piece> pieces_;
  std::optional<std::int64_t> last_;  // what the next sequence number is near to
  std::uint32_t first_ = 0;
};

struct Connection {
  Endpoint a;
  Endpoint b;
  bool opened_by_a = false;
  bool opened_by_b = false;
  std::uint32_t opening = 0;      ///< sequence number of the SYN that opened it
  std::array<Direction, 2> sent;  ///< by a, by b
};

class Connections {
 public:
  void add(const Segment& segment, std::size_t packet);
  /// In the order of their first packet.
  [[nodiscard]] const std::vector<Connection>& all() const noexcept { return all_; }
  /// There were more than are kept.
  [[nodiscard]] bool is_full() const noexcept { return full_; }

 private:
  struct Key {
    Endpoint a;
    Endpoint b;
    bool tcp;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  [[nodiscard]] static bool begins_another(const Connection& c, const Segment& segment,
                                           bool from_a) noexcept;
  [[nodiscard]] Connection* find(const Key& key, const Segment& segment, bool from_a);

  std::map<Key, std::size_t> current_;
  std::vector<Connection> all_;
  bool full_ = false;
};

/// Bound of the memory that connections take.
inline constexpr std::size_t kMostConnections = std::size_t{1} << 17;

}  // namespace gssntlm::tools
