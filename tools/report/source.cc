#include "tools/report/source.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/os/file.h"
#include "tools/console.h"

namespace gssntlm::tools {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;
constexpr std::size_t kMaxLine = std::size_t{1} << 16;

bool complain_about(const std::string& file, const std::string& what) {
  complain(printable_utf8(file) + ": " + what);
  return false;
}

// gzip, which reads `from`; its output is in `output`.
class Unpacker {
 public:
  explicit Unpacker(int from) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return;
    }
    output_ = Descriptor(ends[0]);
    const Descriptor input(ends[1]);
    posix_spawn_file_actions_t actions;
    if (::posix_spawn_file_actions_init(&actions) != 0) {
      return;
    }
    ::posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::array<char, 5> name{"gzip"};
    std::array<char, 4> option{"-dc"};
    std::array<char*, 3> arguments{name.data(), option.data(), nullptr};
    if (::posix_spawnp(&child_, name.data(), &actions, nullptr, arguments.data(), ::environ) != 0) {
      child_ = -1;
    }
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() { (void)finish(); }

  [[nodiscard]] bool runs() const noexcept { return child_ > 0; }
  [[nodiscard]] int output() const noexcept { return output_.get(); }
  // Whether it unpacked all.
  [[nodiscard]] bool finish() noexcept {
    output_ = Descriptor(-1);
    int status = -1;
    if (child_ > 0) {
      while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
      }
      child_ = -1;
    }
    return status == 0;
  }

 private:
  Descriptor output_{-1};
  pid_t child_ = -1;
};

// Cuts what is read into lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& take) : take_(take) {}

  void add(std::string_view piece) {
    while (true) {
      const std::size_t end = piece.find('\n');
      if (end == std::string_view::npos) {
        keep(piece);
        return;
      }
      give(piece.substr(0, end));
      piece.remove_prefix(end + 1);
    }
  }
  void finish() {
    if (!begun_.empty() || too_long_) {
      give({});
    }
  }

 private:
  void keep(std::string_view piece) {
    too_long_ = too_long_ || begun_.size() + piece.size() > kMaxLine;
    if (!too_long_) {
      begun_.append(piece);
    }
  }
  void give(std::string_view rest) {
    if (begun_.empty() && !too_long_ && rest.size() <= kMaxLine) {
      take_(rest);
      return;
    }
    keep(rest);
    take_(too_long_ ? std::string_view() : std::string_view(begun_));
    begun_.clear();
    too_long_ = false;
  }

  const std::function<void(std::string_view)>& take_;
  std::string begun_;
  bool too_long_ = false;
};

// `measured` says how far the file itself was read, if that is known.
bool read_lines(int fd, int measured, Lines& lines,
                const std::function<void(std::uint64_t)>& progress) {
  std::string piece(kPiece, '\0');
  off_t before = 0;
  while (true) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return got == 0;
    }
    lines.add(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    const off_t now = ::lseek(measured, 0, SEEK_CUR);
    if (now > before) {
      progress(static_cast<std::uint64_t>(now - before));
      before = now;
    }
  }
}

bool is_packed(int fd) noexcept {
  std::array<unsigned char, 2> magic{};
  return ::pread(fd, magic.data(), magic.size(), 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
}

bool read_packed(const std::string& file, int fd, Lines& lines,
                 const std::function<void(std::uint64_t)>& progress) {
  Unpacker gzip(fd);
  if (!gzip.runs()) {
    return complain_about(file, "gzip cannot be run; unpack the file first");
  }
  const bool read = read_lines(gzip.output(), fd, lines, progress);
  if (!gzip.finish() || !read) {
    return complain_about(file, "gzip cannot unpack it");
  }
  return true;
}

}  // namespace

bool for_each_line(const std::string& file, const std::function<void(std::string_view)>& take,
                   const std::function<void(std::uint64_t)>& progress) {
  Lines lines(take);
  const bool standard = file == "-";
  const Descriptor opened(standard ? -1 : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const int fd = standard ? STDIN_FILENO : opened.get();
  struct stat st {};
  if (fd < 0 || ::fstat(fd, &st) != 0) {
    const std::string why = std::strerror(errno);
    return complain_about(file, "cannot be read: " + why);
  }
  if (!standard && !S_ISREG(st.st_mode)) {
    return complain_about(file, "not a regular file; give audit files, or - for standard input");
  }
  bool done = false;
  if (is_packed(fd)) {
    done = read_packed(file, fd, lines, progress);
  } else {
    done = read_lines(fd, fd, lines, progress) || complain_about(file, std::strerror(errno));
  }
  lines.finish();
  return done;
}

std::uint64_t total_size(const std::vector<std::string>& files) noexcept {
  std::uint64_t size = 0;
  for (const std::string& file : files) {
    struct stat st {};
    if (file == "-" || ::stat(file.c_str(), &st) != 0) {
      return 0;
    }
    size += static_cast<std::uint64_t>(st.st_size);
  }
  return size;
}

}  // namespace gssntlm::tools
