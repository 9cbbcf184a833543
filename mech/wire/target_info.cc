#include "mech/wire/target_info.h"

#include <algorithm>
#include <array>

namespace gssntlm {
namespace {

bool has_valid_size(AvPair pair) noexcept {
  switch (pair.id) {
    case AvId::kNbComputerName:
    case AvId::kNbDomainName:
    case AvId::kDnsComputerName:
    case AvId::kDnsDomainName:
    case AvId::kDnsTreeName:
    case AvId::kTargetName:
      return pair.value.size() % 2 == 0;
    case AvId::kFlags:
      return pair.value.size() == 4;
    case AvId::kTimestamp:
      return pair.value.size() == 8;
    case AvId::kSingleHost:
      return pair.value.size() >= kSingleHostSize;
    case AvId::kChannelBindings:
      return pair.value.size() == 16;
    default:
      return true;
  }
}

// Stores a pair once; false when it was there already.
template <typename T>
bool store_once(std::optional<T>& slot, T value) noexcept {
  if (slot.has_value()) {
    return false;
  }
  slot = value;
  return true;
}

bool store_pair(TargetInfo& info, AvPair pair) noexcept {
  switch (pair.id) {
    case AvId::kNbComputerName:
      return store_once(info.nb_computer, pair.value);
    case AvId::kNbDomainName:
      return store_once(info.nb_domain, pair.value);
    case AvId::kDnsComputerName:
      return store_once(info.dns_computer, pair.value);
    case AvId::kDnsDomainName:
      return store_once(info.dns_domain, pair.value);
    case AvId::kDnsTreeName:
      return store_once(info.dns_tree, pair.value);
    case AvId::kFlags:
      return store_once(info.flags, load_le32(pair.value.data()));
    case AvId::kTimestamp:
      return store_once(info.timestamp, load_le64(pair.value.data()));
    case AvId::kSingleHost:
      return store_once(info.single_host, pair.value);
    case AvId::kTargetName:
      return store_once(info.target_name, pair.value);
    case AvId::kChannelBindings:
      return store_once(info.channel_bindings, pair.value);
    default:
      return true;
  }
}

}  // namespace

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
    if (!has_valid_size(*pair) || !store_pair(info, *pair)) {
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
