#include "mech/wire/target_info.h"

#include <algorithm>
#include <array>

namespace gssntlm {
namespace {

bool has_valid_size(AvKind kind, std::size_t size) noexcept {
  switch (kind) {
    case AvKind::kText:
      return size % 2 == 0;
    case AvKind::kFlags:
      return size == 4;
    case AvKind::kTime:
      return size == 8;
    case AvKind::kSingleHost:
      return size >= kSingleHostSize;
    case AvKind::kHash:
      return size == 16;
    case AvKind::kUnknown:
      return true;
  }
  return false;
}

template <AvKind kKind>
auto value_of(ByteView bytes) noexcept {
  if constexpr (kKind == AvKind::kFlags) {
    return load_le32(bytes.data());
  } else if constexpr (kKind == AvKind::kTime) {
    return load_le64(bytes.data());
  } else {
    return bytes;
  }
}

// Stores a pair of the right size once; false otherwise.
template <AvKind kKind, typename T>
bool store_once(std::optional<T>& slot, ByteView value) noexcept {
  if (slot.has_value() || !has_valid_size(kKind, value.size())) {
    return false;
  }
  slot = value_of<kKind>(value);
  return true;
}

bool repeats_bindings(const TargetInfo& info, AvPair pair) noexcept {
  return pair.id == AvId::kChannelBindings && info.channel_bindings &&
         !is_zero(*info.channel_bindings) && !info.repeats_bindings &&
         has_valid_size(AvKind::kHash, pair.value.size()) && is_zero(pair.value);
}

bool store_pair(TargetInfo& info, AvPair pair) noexcept {
  if (repeats_bindings(info, pair)) {
    info.repeats_bindings = true;
    return true;
  }
  switch (pair.id) {
#define X(id, number, name, kind, sender, member) \
  case AvId::id:                                  \
    return store_once<AvKind::kind>(info.member, pair.value);
#include "mech/wire/av_pairs.inc"
#undef X
    default:
      return true;
  }
}

}  // namespace

AvRow av_row(AvId id) noexcept {
  switch (id) {
#define X(id, number, name, kind, sender, member) \
  case AvId::id:                                  \
    return {name, AvKind::kind, AvSender::sender};
#include "mech/wire/av_pairs.inc"
#undef X
    default:
      return {};
  }
}

std::optional<AvPair> AvReader::next() noexcept {
  if (finished_) {
    return std::nullopt;
  }
  AvPair pair;
  pair.id = static_cast<AvId>(in_.u16());
  const std::uint16_t length = in_.u16();
  pair.value = in_.take(length);
  if (!in_.ok()) {
    return std::nullopt;
  }
  if (pair.id == AvId::kEol) {
    finished_ = length == 0;
    return std::nullopt;
  }
  return pair;
}

Result<TargetInfo> decode_target_info(ByteView list) noexcept {
  TargetInfo info;
  AvReader pairs(list);
  while (const std::optional<AvPair> pair = pairs.next()) {
    if (!store_pair(info, *pair)) {
      return defective(Minor::kBadAvPairs);
    }
  }
  if (!pairs.finished()) {
    return defective(Minor::kBadAvPairs);
  }
  info.size = pairs.position();
  return info;
}

std::array<std::uint8_t, kSingleHostSize> encode_single_host(const SingleHost& host) noexcept {
  std::array<std::uint8_t, kSingleHostSize> out{};
  store_le32(out.data(), kSingleHostSize);
  std::copy(host.custom_data.begin(), host.custom_data.end(), out.begin() + 8);
  std::copy(host.machine_id.begin(), host.machine_id.end(), out.begin() + 16);
  return out;
}

Result<SingleHost> decode_single_host(ByteView value) noexcept {
  SingleHost host;
  Reader in(value);
  in.skip(8);
  in.copy(host.custom_data);
  in.copy(host.machine_id);
  if (!in.ok()) {
    return defective(Minor::kBadAvPairs);
  }
  return host;
}

void append_av_pair(Bytes& list, AvId id, ByteView value) {
  std::array<std::uint8_t, 4> head;
  store_le16(head.data(), static_cast<std::uint16_t>(id));
  store_le16(head.data() + 2, static_cast<std::uint16_t>(value.size()));
  append(list, head);
  append(list, value);
}

}  // namespace gssntlm
