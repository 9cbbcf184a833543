#include "mech/os/owner.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "mech/os/file.h"

namespace gssntlm {
namespace {

constexpr uid_t kUsualOverflow = 65534;
constexpr std::uint64_t kEveryUid = 0xFFFFFFFF;  // -1 is no uid

// The kernel accepts no map that is longer than a page.
using Page = std::array<char, 4097>;

// The whole of a small file; empty if it cannot be read, or is longer.
std::string_view read_page(const char* path, Page& page) noexcept {
  const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  std::size_t size = 0;
  while (size < page.size()) {
    const ssize_t got = ::read(file.get(), page.data() + size, page.size() - size);
    if (got == 0) {
      return {page.data(), size};
    }
    if (got < 0 && errno != EINTR) {
      break;
    }
    size += got < 0 ? 0 : static_cast<std::size_t>(got);
  }
  return {};
}

std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// Read once: only the machine's administrator changes it.
uid_t overflow_uid() noexcept {
  constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
  static std::atomic<std::uint64_t> kept{kUnknown};
  std::uint64_t uid = kept.load(std::memory_order_relaxed);
  if (uid == kUnknown) {
    Page page;
    std::string_view text = read_page("/proc/sys/kernel/overflowuid", page);
    uid = take_number(text).value_or(kUsualOverflow);
    kept.store(uid, std::memory_order_relaxed);
  }
  return static_cast<uid_t>(uid);
}

}  // namespace

bool is_ambiguous(uid_t uid) noexcept {
  if (uid != overflow_uid()) {
    return false;
  }
  Page page;
  return !maps_every_uid(read_page("/proc/thread-self/uid_map", page));
}

bool is_own(uid_t uid) noexcept {
  return uid == ::geteuid() && !is_ambiguous(uid);
}

bool is_trusted(uid_t uid) noexcept {
  return (uid == 0 || uid == ::geteuid()) && !is_ambiguous(uid);
}

std::string owner_text(uid_t uid) {
  std::string text = "user " + std::to_string(uid);
  if (is_ambiguous(uid)) {
    text.append(" (the number of all users that this user namespace does not map)");
  }
  return text;
}

bool maps_every_uid(std::string_view uid_map) noexcept {
  std::uint64_t mapped = 0;
  // Ranges do not overlap: the kernel sees to that.
  while (uid_map.find_first_not_of(" \n") != std::string_view::npos) {
    const std::optional<std::uint64_t> inside = take_number(uid_map);
    const std::optional<std::uint64_t> outside = take_number(uid_map);
    const std::optional<std::uint64_t> count = take_number(uid_map);
    if (!inside || !outside || !count || *count > kEveryUid - mapped) {
      return false;
    }
    mapped += *count;
  }
  return mapped == kEveryUid;
}

}  // namespace gssntlm
