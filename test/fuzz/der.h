// DER as a tree, for mutators: whatever is changed, the lengths fit again.
#pragma once

#include <functional>

#include "test/fuzz/fuzz.h"

namespace gssntlm::fuzz {

/// An element; `children` instead of `content` where the tag says so and the content is elements.
struct DerNode {
  std::uint8_t tag = 0;
  Bytes content;
  std::vector<DerNode> children;
};

/// The elements in `der`; what does not parse becomes the content of an element of its own.
[[nodiscard]] std::vector<DerNode> parse_der(ByteView der, unsigned depth = 0);
/// With the shortest lengths.
[[nodiscard]] Bytes encode_der(const std::vector<DerNode>& nodes);

/// Some element's tag or content changed, or an element put in, taken out or doubled. A content
/// that is an NTLM message is changed as such.
void mutate_der(Bytes& der, Chance& chance);

/// Applies `change` to the NTLM message inside, or to all of `token` where there is none.
void change_inner(Bytes& token, const std::function<void(Bytes&)>& change);
/// The NTLM message inside; empty: none.
[[nodiscard]] Bytes inner_message(ByteView token);

}  // namespace gssntlm::fuzz
