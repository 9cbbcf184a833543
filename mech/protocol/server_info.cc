#include "mech/protocol/server_info.h"

#include <array>

namespace gssntlm {
namespace {

void append_name(Bytes& list, AvId id, ByteView name) {
  if (!name.empty()) {
    append_av_pair(list, id, name);
  }
}

bool echoes(const std::optional<ByteView>& sent, const std::optional<ByteView>& back,
            bool required) noexcept {
  if (!back) {
    return !(required && sent);
  }
  return sent && same_bytes(*sent, *back);
}

}  // namespace

// The time always: it makes clients send a MIC, and 2.2.2.1 demands it although 3.2.5.1.1 forgets
// it. MsvAvFlags never: with an empty one Windows clients send a MIC that does not verify. In
// Windows' order, domain before computer.
Bytes compose_target_info(const HostNames& names, std::uint64_t now) {
  Bytes list;
  list.reserve(28 + names.nb_domain.size() + names.nb_computer.size() + names.dns_domain.size() +
               names.dns_computer.size() + names.dns_tree.size() + 12);
  std::array<std::uint8_t, 8> time;
  store_le64(time.data(), now);
  append_av_pair(list, AvId::kNbDomainName, names.nb_domain);
  append_av_pair(list, AvId::kNbComputerName, names.nb_computer);
  append_name(list, AvId::kDnsDomainName, names.dns_domain);
  append_name(list, AvId::kDnsComputerName, names.dns_computer);
  append_name(list, AvId::kDnsTreeName, names.dns_tree);
  append_av_pair(list, AvId::kTimestamp, time);
  append_av_pair(list, AvId::kEol, {});
  return list;
}

bool answers_target_info(const TargetInfo& sent, const TargetInfo& back) noexcept {
  return echoes(sent.nb_computer, back.nb_computer, true) &&
         echoes(sent.nb_domain, back.nb_domain, true) &&
         echoes(sent.dns_computer, back.dns_computer, false) &&
         echoes(sent.dns_domain, back.dns_domain, false) &&
         echoes(sent.dns_tree, back.dns_tree, false) &&
         (!back.timestamp || back.timestamp == sent.timestamp);
}

}  // namespace gssntlm
