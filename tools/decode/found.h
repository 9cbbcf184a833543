// Tokens as they were found, before they are decoded.
#pragma once

#include <optional>
#include <string>
#include <utility>
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
  std::string damage;               ///< what is wrong with the text that it was in; empty: nothing
  Statuses before;                  ///< what came between the token before it and this one
  std::optional<bool> from_server;  ///< if it is known
  std::size_t packet = 0;           ///< of a capture, in which it ends; 0: none
};

/// What was found in one text or in one connection.
struct Conversation {
  std::string connection;  ///< `10.0.0.1:1024 to 10.0.0.2:445`; empty outside of captures
  std::vector<FoundToken> tokens;
  Statuses after;   ///< what came behind the last token
  bool all = true;  ///< false: there were more tokens than are kept
};

/// Bounds of what is kept, and so of the memory that decoding and showing it takes.
struct Budget {
  std::size_t tokens = 10000;
  std::size_t bytes = std::size_t{4} << 20;

  /// Whether a token of `size` bytes is within what is left, of which it is taken then.
  [[nodiscard]] bool take(std::size_t size) noexcept {
    const bool fits = tokens != 0 && size <= bytes;
    tokens -= fits ? 1 : 0;
    bytes -= fits ? size : 0;
    return fits;
  }
};

/// Collects a conversation within a budget.
class Collector {
 public:
  explicit Collector(Budget& budget) : budget_(budget) {}

  void add_status(const std::string& status) { pending_.add(status); }
  void add_token(FoundToken token) {
    if (!kept_.all || !budget_.take(token.bytes.size())) {
      kept_.all = false;
      return;
    }
    token.before = std::exchange(pending_, {});
    kept_.tokens.push_back(std::move(token));
  }
  void add_token(Bytes bytes, std::string damage = {}) {
    add_token(FoundToken{std::move(bytes), std::move(damage), {}, {}, 0});
  }
  [[nodiscard]] bool is_full() const noexcept { return !kept_.all; }
  [[nodiscard]] Conversation finish() {
    kept_.after = std::move(pending_);
    return std::move(kept_);
  }

 private:
  Budget& budget_;
  Conversation kept_;
  Statuses pending_;
};

}  // namespace gssntlm::tools
