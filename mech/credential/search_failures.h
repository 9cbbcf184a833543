// What a search for a credential tells that finds none.
#pragma once

#include <string>
#include <string_view>

#include "mech/credential/credential.h"

namespace gssntlm {

/// The failures of the sources that one search asks. The most telling one is reported: a source
/// that cannot be used says more than one that lacks the account. All others are traced.
class SearchFailures {
 public:
  explicit SearchFailures(const Settings& settings) noexcept : settings_(settings) {}

  /// `error` is the last one of this thread, whose detail it has. Throws std::bad_alloc.
  void add(const Backend& source, Error error);
  /// Another source has the account: what was wrong before is traced. Throws std::bad_alloc.
  void overcome() const;
  /// The most telling one, with its detail: NO_CRED kNoInitiatorCred if there is none.
  [[nodiscard]] Error report() const noexcept;

 private:
  void trace(const Backend& source, Error error, std::string_view detail) const;

  const Settings& settings_;
  const Backend* source_ = nullptr;  // of the most telling one
  Error error_{Major::kNoCred, Minor::kNoInitiatorCred};
  std::string detail_;
  int weight_ = 0;
};

/// Traces that an initiator has no credential for `name` (may be nullptr: the default account) to
/// log in to `target` (empty: not known), or that an acceptor knows no accounts. Throws
/// std::bad_alloc.
void trace_no_login(const Settings& settings, const Name* name, std::string_view target,
                    Error error);
void trace_no_accounts(const Settings& settings, Error error);

}  // namespace gssntlm
