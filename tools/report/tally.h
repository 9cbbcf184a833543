// What a report counts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tools/report/record.h"

namespace gssntlm::tools {

struct Count {
  std::uint64_t good = 0;  ///< accepted or sent
  std::uint64_t bad = 0;   ///< rejected
  [[nodiscard]] std::uint64_t all() const noexcept { return good + bad; }
};

/// Counts by name. Names beyond kMost, which a client can invent, are counted together.
class Counts {
 public:
  static constexpr std::size_t kMost = 20'000;

  /// Throws std::bad_alloc.
  void add(std::string_view name, bool good);
  /// All, the most frequent first. Throws std::bad_alloc.
  [[nodiscard]] std::vector<std::pair<std::string, Count>> sorted() const;
  [[nodiscard]] std::size_t size() const noexcept { return counts_.size(); }
  /// Those of names beyond the limit.
  [[nodiscard]] const Count& others() const noexcept { return others_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, Count, Hash, std::equal_to<>> counts_;
  Count others_;
};

/// What the records are counted by.
enum class By { kUser, kClient, kTarget, kVersion, kReason, kOutcome, kProcess };
inline constexpr std::size_t kDimensions = 7;
struct Dimension {
  By by;
  std::string_view key;    ///< in JSON
  std::string_view title;  ///< for people
};
[[nodiscard]] const std::array<Dimension, kDimensions>& dimensions() noexcept;

/// What could be rejected from tomorrow, and the logins of today that this would break.
inline constexpr std::size_t kPlans = 5;
struct Plan {
  std::string_view key;    ///< in JSON
  std::string_view title;  ///< what would be rejected
  std::string_view how;    ///< the setting that does it
  bool (*breaks)(const AuditEntry& entry);
};
[[nodiscard]] const std::array<Plan, kPlans>& plans() noexcept;

struct Tally {
  std::uint64_t records = 0;
  std::uint64_t others = 0;  ///< lines that are no records
  std::string first;         ///< times
  std::string last;
  std::array<Counts, kDimensions> by;
  std::array<Counts, kPlans> broken;  ///< by client, or target of an initiator

  /// Throws std::bad_alloc.
  void add(const AuditEntry& entry);
  [[nodiscard]] const Counts& of(By dimension) const noexcept {
    return by[static_cast<std::size_t>(dimension)];
  }
};

}  // namespace gssntlm::tools
