// Tokens as they were found, before they are decoded.
#pragma once

#include <string>
#include <vector>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

/// Status lines between two tokens.
struct Statuses {
  std::string first;
  std::string last;

  void add(const std::string& status) {
    first = first.empty() ? status : first;
    last = status;
  }
};

struct FoundToken {
  Bytes bytes;
  std::string damage;  ///< what is wrong with the text that it was in; empty: nothing
  Statuses before;     ///< what came between the token before it and this one
};

/// What was found in one text or in one connection.
struct Conversation {
  std::string connection;  ///< `10.0.0.1:1024 to 10.0.0.2:445`; empty outside of captures
  std::vector<FoundToken> tokens;
  Statuses after;   ///< what came behind the last token
  bool all = true;  ///< false: there were more tokens than are kept
};

/// Bounds of what is kept, and so of the memory that decoding and showing it takes.
inline constexpr std::size_t kMostTokens = 10000;
inline constexpr std::size_t kMostTokenBytes = std::size_t{4} << 20;

/// Collects a conversation within those bounds.
class Collector {
 public:
  void add_status(const std::string& status) { pending_.add(status); }
  void add_token(Bytes bytes, std::string damage = {}) {
    size_ += bytes.size();
    if (kept_.tokens.size() == kMostTokens || size_ > kMostTokenBytes) {
      kept_.all = false;
      return;
    }
    kept_.tokens.push_back({std::move(bytes), std::move(damage), std::move(pending_)});
    pending_ = {};
  }
  [[nodiscard]] bool is_full() const noexcept { return !kept_.all; }
  [[nodiscard]] Conversation finish() {
    kept_.after = std::move(pending_);
    return std::move(kept_);
  }

 private:
  Conversation kept_;
  Statuses pending_;
  std::size_t size_ = 0;
};

}  // namespace gssntlm::tools
