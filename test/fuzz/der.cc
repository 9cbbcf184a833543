#include "test/fuzz/der.h"

namespace gssntlm::fuzz {
namespace {

constexpr unsigned kDeepest = 8;
constexpr std::string_view kSignature("NTLMSSP\0", 8);

bool is_constructed(std::uint8_t tag) noexcept {
  return (tag & 0x20) != 0;
}

// The head's and the content's size of the first element; false when it is not whole.
bool measure(ByteView der, std::size_t& head, std::size_t& size) noexcept {
  if (der.size() < 2) {
    return false;
  }
  head = 2;
  size = der[1];
  if (size >= 0x80) {
    const std::size_t count = size & 0x7F;
    if (count == 0 || count > 4 || der.size() < 2 + count) {
      return false;
    }
    size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      size = size << 8 | der[2 + i];
    }
    head += count;
  }
  return fits(der.size(), head, size);
}

void append_length(Bytes& out, std::size_t size) {
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else if (size < 0x100) {
    out.insert(out.end(), {0x81, static_cast<std::uint8_t>(size)});
  } else {
    out.insert(out.end(),
               {0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  }
}

DerNode* find_inner(std::vector<DerNode>& nodes) {
  for (DerNode& node : nodes) {
    if (as_text(node.content).starts_with(kSignature)) {
      return &node;
    }
    if (DerNode* inner = find_inner(node.children)) {
      return inner;
    }
  }
  return nullptr;
}

void mutate_nodes(std::vector<DerNode>& nodes, Chance& chance, unsigned depth) {
  constexpr std::uint8_t kTags[] = {0x60, 0x30, 0xA0, 0xA1, 0xA2, 0xA3,
                                    0xA4, 0x03, 0x04, 0x06, 0x0A, 0x1B};
  const std::size_t chosen = chance.below(nodes.size() + 1);
  if (chosen == nodes.size()) {
    nodes.push_back({kTags[chance.below(std::size(kTags))], Bytes(chance.below(3)), {}});
    return;
  }
  DerNode& node = nodes[chosen];
  if (!node.children.empty() && !chance.one_in(3) && depth < kDeepest) {
    mutate_nodes(node.children, chance, depth + 1);
    return;
  }
  switch (chance.below(5)) {
    case 0:
      node.tag = kTags[chance.below(std::size(kTags))];
      break;
    case 1:
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(chosen));
      break;
    case 2: {
      DerNode copy = node;
      nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(chosen), std::move(copy));
      break;
    }
    case 3:
      std::swap(node, nodes[chance.below(nodes.size())]);
      break;
    default:
      if (node.children.empty()) {
        mutate_message(node.content, chance);
      } else {
        mutate_nodes(node.children, chance, depth + 1);
      }
  }
}

}  // namespace

std::vector<DerNode> parse_der(ByteView der, unsigned depth) {
  std::vector<DerNode> nodes;
  while (!der.empty()) {
    std::size_t head = 0;
    std::size_t size = 0;
    if (!measure(der, head, size)) {
      return {DerNode{0x04, Bytes(der.begin(), der.end()), {}}};
    }
    const ByteView content = der.subspan(head, size);
    DerNode node{der[0], {}, {}};
    if (is_constructed(node.tag) && depth < kDeepest) {
      node.children = parse_der(content, depth + 1);
    } else {
      node.content.assign(content.begin(), content.end());
    }
    nodes.push_back(std::move(node));
    der = der.subspan(head + size);
  }
  return nodes;
}

Bytes encode_der(const std::vector<DerNode>& nodes) {
  Bytes out;
  for (const DerNode& node : nodes) {
    const Bytes content = node.children.empty() ? node.content : encode_der(node.children);
    out.push_back(node.tag);
    append_length(out, content.size());
    append(out, content);
  }
  return out;
}

void mutate_der(Bytes& der, Chance& chance) {
  if (chance.one_in(4)) {
    mutate_bytes(der, 4096, chance);
    return;
  }
  std::vector<DerNode> nodes = parse_der(der);
  mutate_nodes(nodes, chance, 0);
  der = encode_der(nodes);
}

void change_inner(Bytes& token, const std::function<void(Bytes&)>& change) {
  std::vector<DerNode> nodes = parse_der(token);
  DerNode* inner = as_text(token).starts_with(kSignature) ? nullptr : find_inner(nodes);
  if (inner == nullptr) {
    change(token);
    return;
  }
  change(inner->content);
  token = encode_der(nodes);
}

Bytes inner_message(ByteView token) {
  Bytes copy(token.begin(), token.end());
  Bytes inner;
  change_inner(copy, [&](Bytes& message) { inner = message; });
  return as_text(inner).starts_with(kSignature) ? inner : Bytes();
}

}  // namespace gssntlm::fuzz
