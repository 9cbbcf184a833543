#include "mech/backends/users/users_lines.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "mech/base/secret.h"
#include "mech/base/text.h"
#include "mech/os/file.h"

namespace gssntlm {
namespace {

constexpr std::size_t kReadSize = std::size_t{256} << 10;
constexpr std::size_t kMaxLine = std::size_t{256} << 10;

// Cuts a stream of bytes into lines.
class LineFeeder {
 public:
  explicit LineFeeder(const std::function<Status(std::string_view)>& take) noexcept : take_(take) {}
  LineFeeder(const LineFeeder&) = delete;
  LineFeeder& operator=(const LineFeeder&) = delete;
  ~LineFeeder() { wipe_held(); }

  Status feed(std::string_view chunk) {
    while (!chunk.empty()) {
      const std::size_t end = chunk.find('\n');
      const std::string_view piece = chunk.substr(0, end);
      if (held_.size() + piece.size() > kMaxLine) {
        ++line_;
        return failure(Minor::kUsersFileLine);
      }
      // Growing would leave a copy of the secret behind.
      held_.reserve(kMaxLine);
      if (end == std::string_view::npos) {
        held_.append(piece);
        return {};
      }
      if (Status s = held_.empty() ? add(piece) : add(held_.append(piece)); !s) {
        return s;
      }
      wipe_held();
      chunk.remove_prefix(end + 1);
    }
    return {};
  }
  Status finish() { return held_.empty() ? Status() : add(held_); }
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

 private:
  Status add(std::string_view line) {
    ++line_;
    return take_(line);
  }
  void wipe_held() noexcept {
    wipe({reinterpret_cast<std::uint8_t*>(held_.data()), held_.size()});
    held_.clear();
  }

  const std::function<Status(std::string_view)>& take_;
  std::string held_;
  std::size_t line_ = 0;
};

UsersFault line_fault(const std::string& path, std::size_t line) {
  return {Minor::kUsersFileLine,
          "users file " + printable_utf8(path) + " line " + std::to_string(line), true};
}

UsersFault too_large(const std::string& path, std::uint64_t most) {
  return users_open_fault(path, "it is larger than " + std::to_string(most >> 20) +
                                    " MiB, the most that is read; split it");
}

}  // namespace

UsersFault users_open_fault(const std::string& path, std::string_view what) {
  return {Minor::kUsersFileOpen, "users file " + printable_utf8(path) + ": " + std::string(what),
          false};
}

std::optional<UsersFault> read_users_lines(const UsersSource& source, const std::string& path,
                                           const std::function<Status(std::string_view)>& take) {
  // Without reading that much of a file that says so itself.
  if (std::cmp_greater(source.size, source.most)) {
    return too_large(path, source.most);
  }
  SecretBytes buffer{Bytes(kReadSize)};
  LineFeeder feeder(take);
  std::uint64_t total = 0;
  for (bool ended = false; !ended;) {
    const std::optional<std::size_t> got = read_all(source.fd, buffer.bytes());
    if (!got) {
      return users_open_fault(path, std::strerror(errno));
    }
    total += *got;
    if (total > source.most) {
      return too_large(path, source.most);
    }
    ended = *got < kReadSize;
    Status s = feeder.feed(as_text(buffer.view().first(*got)));
    if (s && ended && std::cmp_less(total, source.size)) {
      return users_open_fault(path, "it was cut short while it was read; replace it with rename");
    }
    if (s && ended) {
      s = feeder.finish();
    }
    if (!s) {
      return line_fault(path, feeder.line());
    }
  }
  return std::nullopt;
}

}  // namespace gssntlm
