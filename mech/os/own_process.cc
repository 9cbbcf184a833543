#include "mech/os/own_process.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "mech/base/bytes.h"
#include "mech/os/file.h"

namespace gssntlm {
namespace {

std::string_view take_until(char end, std::string_view& text) noexcept {
  const std::string_view piece = text.substr(0, text.find(end));
  text.remove_prefix(std::min(piece.size() + 1, text.size()));
  return piece;
}

}  // namespace

std::string own_executable() {
  std::array<char, 4096> path;
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string unit_in(std::string_view cgroups) {
  std::string_view unit;
  while (!cgroups.empty()) {
    std::string_view path = take_until('\n', cgroups);
    while (!path.empty()) {
      const std::string_view name = take_until('/', path);
      if (name.ends_with(".service") || name.ends_with(".scope")) {
        unit = name;
      }
    }
  }
  return std::string(unit);
}

std::string own_unit() {
  const Descriptor file = open_to_read("/proc/self/cgroup");
  std::array<std::uint8_t, 4096> bytes;
  const std::optional<std::size_t> size =
      file.get() >= 0 ? read_all(file.get(), bytes) : std::nullopt;
  return unit_in(as_text(ByteView(bytes).first(size.value_or(0))));
}

}  // namespace gssntlm
