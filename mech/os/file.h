// Files: an owned descriptor, and what tells one version of a file from another.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "mech/base/bytes.h"

namespace gssntlm {

/// Owns a file descriptor; closes it.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// The descriptor, which the caller closes.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// Changes whenever a file is written, replaced, or changes its mode; but see may_hide_change().
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  timespec modified{};
  timespec changed{};

  static FileIdentity of(const struct stat& st) noexcept {
    return {st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
  }
  [[nodiscard]] bool operator==(const FileIdentity& o) const noexcept {
    const auto same = [](const timespec& a, const timespec& b) {
      return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
    };
    return device == o.device && inode == o.inode && size == o.size && same(modified, o.modified) &&
           same(changed, o.changed);
  }
};

/// Whether the file changed so lately that one more change may leave the same identity: file
/// systems count time in ticks of a few milliseconds (kernels before 6.13), some in seconds.
[[nodiscard]] bool may_hide_change(const FileIdentity& file) noexcept;
/// After which a file of which that was true is to be read again, in milliseconds.
inline constexpr std::uint64_t kChangesShow = 2000;

/// Opens a file for reading, as one that a child of exec() does not have. Never waits for a FIFO,
/// which its type gives away. Without a descriptor, and errno, on failure.
[[nodiscard]] Descriptor open_to_read(const char* path) noexcept;
/// The same in an opened directory. A symbolic link is not followed: ELOOP.
[[nodiscard]] Descriptor open_to_read_in(int directory, const char* name) noexcept;

/// Reads until `to` is full or the file ends, repeating short and interrupted reads. The number of
/// bytes; nullopt, with errno, on failure.
[[nodiscard]] std::optional<std::size_t> read_all(int fd, MutableBytes to) noexcept;

/// Writes all of `bytes`, repeating short and interrupted writes; false, with errno, on failure.
[[nodiscard]] bool write_all(int fd, ByteView bytes) noexcept;

/// Appends `text`, in one write, to the file, FIFO or terminal at `path`, which is made with mode
/// 0600 if missing. Opened for each call, so that no descriptor stays open for a daemon to close or
/// a child to inherit. What cannot be written at once is lost: the call never waits for a
/// reader, and does not end the process when there is none. 0, or the errno of what failed.
int append_text(const char* path, std::string_view text) noexcept;

/// Whether append_text() could open its file now, without creating it: 0, or the errno. Throws
/// std::bad_alloc.
[[nodiscard]] int check_append(const char* path);

}  // namespace gssntlm
