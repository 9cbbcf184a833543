#include "tools/decode/capture_streams.h"

#include <algorithm>

namespace gssntlm::tools {

std::size_t Chunk::packet_at(std::size_t offset) const noexcept {
  const auto after = std::upper_bound(marks.begin(), marks.end(), offset,
                                      [](std::size_t at, const Mark& m) { return at < m.offset; });
  return after == marks.begin() ? 0 : std::prev(after)->packet;
}

void Direction::add(const Segment& s, std::size_t packet) {
  if (!s.tcp) {
    // One byte apart, so that no datagram continues another.
    const std::int64_t offset = last_.value_or(0);
    pieces_.push_back({offset, packet, s.payload});
    last_ = offset + static_cast<std::int64_t>(s.payload.size()) + 1;
    return;
  }
  // Sequence numbers wrap; each is near the one before it.
  const std::int64_t before = last_.value_or(s.sequence);
  const auto step = static_cast<std::int32_t>(s.sequence - static_cast<std::uint32_t>(before));
  first_ = last_ ? first_ : s.sequence;
  last_ = before + step;
  if (!s.payload.empty()) {
    pieces_.push_back({*last_ + (s.syn ? 1 : 0), packet, s.payload});
  }
}

bool Direction::may_begin_with(std::uint32_t sequence) const noexcept {
  constexpr std::uint32_t kMostReordered = 1u << 16;
  return !last_ || first_ - sequence <= kMostReordered;
}

std::vector<Chunk> Direction::assemble() const {
  std::vector<Piece> sorted = pieces_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Piece& x, const Piece& y) { return x.offset < y.offset; });
  std::vector<Chunk> chunks;
  std::int64_t end = 0;
  for (const Piece& p : sorted) {
    if (chunks.empty() || p.offset > end) {
      chunks.emplace_back();
      end = p.offset;
    }
    const auto known = static_cast<std::uint64_t>(end - p.offset);
    if (known >= p.bytes.size()) {
      continue;
    }
    const ByteView fresh = p.bytes.subspan(known);
    Chunk& chunk = chunks.back();
    chunk.marks.push_back({chunk.bytes.size(), p.packet});
    chunk.bytes.insert(chunk.bytes.end(), fresh.begin(), fresh.end());
    end += static_cast<std::int64_t>(fresh.size());
  }
  return chunks;
}

// A SYN that is neither a copy of the first nor came late begins another connection of the same
// ports.
bool Connections::begins_another(const Connection& c, const Segment& s, bool from_a) noexcept {
  const bool opened = c.opened_by_a || c.opened_by_b;
  return s.opens &&
         (opened ? c.opening != s.sequence : !c.sent[from_a ? 0 : 1].may_begin_with(s.sequence));
}

Connection* Connections::find(const Key& key, const Segment& s, bool from_a) {
  const auto known = current_.find(key);
  const bool again = known != current_.end() && begins_another(all_[known->second], s, from_a);
  if (known != current_.end() && !again) {
    return &all_[known->second];
  }
  if (all_.size() == kMostConnections) {
    full_ = true;
    return nullptr;
  }
  current_[key] = all_.size();
  all_.push_back({key.a, key.b, false, false, 0, {}});
  return &all_.back();
}

void Connections::add(const Segment& s, std::size_t packet) {
  const bool from_a = s.from < s.to;
  const Key key{from_a ? s.from : s.to, from_a ? s.to : s.from, s.tcp};
  Connection* const c = find(key, s, from_a);
  if (c == nullptr) {
    return;
  }
  if (s.opens) {
    c->opening = s.sequence;
    (from_a ? c->opened_by_a : c->opened_by_b) = true;
  }
  c->sent[from_a ? 0 : 1].add(s, packet);
}

}  // namespace gssntlm::tools
