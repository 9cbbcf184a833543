#include "tools/console.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/crypto/derive.h"
#include "mech/crypto/hash_text.h"
#include "mech/names/name.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"

namespace gssntlm::tools {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

// Echo off while it lives. A signal that would end the program interrupts the reading instead, so
// that the echo comes back; stopping the program waits.
class Silence {
 public:
  explicit Silence(int fd) noexcept : fd_(fd) {
    g_interrupted = 0;
    struct sigaction note {};
    note.sa_handler = [](int) { g_interrupted = 1; };
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &note, &actions_[i]);
    }
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    ::sigprocmask(SIG_BLOCK, &stop, &signals_);
    silent_ = ::tcgetattr(fd, &before_) == 0;
    if (silent_) {
      termios quiet = before_;
      quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      quiet.c_lflag |= ECHONL | ICANON;
      silent_ = ::tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
    }
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (silent_) {
      ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &actions_[i], nullptr);
    }
    ::sigprocmask(SIG_SETMASK, &signals_, nullptr);
  }
  [[nodiscard]] bool silent() const noexcept { return silent_; }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

  int fd_;
  termios before_{};
  std::array<struct sigaction, kSignals.size()> actions_{};
  sigset_t signals_{};
  bool silent_ = false;
};

enum class Read { kLine, kEnd, kInterrupted, kTooLong, kFailed };

// One line byte by byte: nothing of a secret is left in a buffer of the C library.
Read read_line(int fd, Bytes& line, bool& ended) {
  line.reserve(kMaxPassword + 1);
  while (true) {
    std::uint8_t byte = 0;
    const ssize_t got = ::read(fd, &byte, 1);
    if (got < 0 && errno == EINTR) {
      if (g_interrupted != 0) {
        return Read::kInterrupted;
      }
      continue;
    }
    // What came so far is not the password.
    if (got < 0) {
      return Read::kFailed;
    }
    if (got == 0) {
      return line.empty() ? Read::kEnd : Read::kLine;
    }
    if (byte == '\n') {
      ended = true;
      return Read::kLine;
    }
    if (line.size() == kMaxPassword) {
      return Read::kTooLong;
    }
    line.push_back(byte);
  }
}

bool is_usable_password(const SecretBytes& password) {
  const std::string_view text = as_text(password.view());
  if (text.find('\0') != std::string_view::npos) {
    complain("the password has a NUL byte, which no keyboard types");
    return false;
  }
  Result<Bytes> wide = utf16le_from_utf8(text);
  if (!wide) {
    complain("the password is not UTF-8; check the terminal's character set");
    return false;
  }
  wipe(*wide);
  return true;
}

std::optional<SecretBytes> take_line(int fd) {
  SecretBytes password;
  Bytes line;
  bool ended = false;
  const Read outcome = read_line(fd, line, ended);
  const int error = errno;
  // The end of a line of Windows, in a file or a pipe.
  if (ended && fd == STDIN_FILENO && !line.empty() && line.back() == '\r') {
    line.pop_back();
  }
  password = SecretBytes(std::move(line));
  switch (outcome) {
    case Read::kLine:
      break;
    case Read::kEnd:
      complain("the input ended before the password");
      return std::nullopt;
    case Read::kInterrupted:
      complain("interrupted");
      return std::nullopt;
    case Read::kFailed:
      complain("the password cannot be read: " + std::string(std::strerror(error)));
      return std::nullopt;
    case Read::kTooLong:
      complain("the password is longer than " + std::to_string(kMaxPassword) + " bytes");
      return std::nullopt;
  }
  if (!is_usable_password(password)) {
    return std::nullopt;
  }
  return password;
}

}  // namespace

int complain(std::string_view text) {
  std::fprintf(stderr, "gss-ntlm: %s\n", terminal_text(text).c_str());
  return kFailed;
}

int complain(Error error) {
  return complain(error_text(error));
}

std::optional<SecretBytes> read_password(const std::string& prompt, bool from_stdin) {
  if (from_stdin) {
    return take_line(STDIN_FILENO);
  }
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (terminal.get() < 0) {
    complain("there is no terminal to read the password from; use --stdin");
    return std::nullopt;
  }
  const Silence silence(terminal.get());
  if (!silence.silent()) {
    complain("the terminal's echo cannot be turned off; use --stdin");
    return std::nullopt;
  }
  [[maybe_unused]] const ssize_t asked = ::write(terminal.get(), prompt.data(), prompt.size());
  return take_line(terminal.get());
}

std::optional<SecretBytes> read_new_password(const std::string& prompt, bool from_stdin) {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    std::optional<SecretBytes> password = read_password(prompt + ": ", from_stdin);
    if (!password || from_stdin) {
      return password;
    }
    const std::optional<SecretBytes> again = read_password(prompt + " (again): ", false);
    if (!again || same_bytes(password->view(), again->view())) {
      return again ? std::move(password) : std::nullopt;
    }
    complain(i + 1 < kTries ? "the two passwords differ; type them again"
                            : "the two passwords differ; nothing was changed");
  }
  return std::nullopt;
}

NtHash hash_password(const SecretBytes& password) {
  Result<Bytes> wide = utf16le_from_utf8(as_text(password.view()));
  NtHash hash = derive_nt_hash(wide ? ByteView(*wide) : ByteView());
  if (wide) {
    wipe(*wide);
  }
  return hash;
}

std::optional<NtHash> nt_hash_option(std::string_view digits) {
  Result<PasswordHashes> hashes = hashes_from_text(digits);
  std::optional<NtHash> hash;
  if (hashes) {
    hash = std::move(hashes->nt);
  }
  if (!hash) {
    complain("--nt-hash takes 32 hexadecimal digits, or a pair lm:nt of such hashes");
  } else if (is_of_empty_password(*hash)) {
    complain(
        "--nt-hash is the hash of the empty password, which is not allowed; nothing was changed");
    hash.reset();
  }
  return hash;
}

std::optional<Account> parse_account(const std::string& text) {
  const Result<Ref<const Name>> name = Name::user(text);
  if (!name) {
    complain("account " + printable_utf8(text, 64) +
             ": write DOMAIN\\user, user@domain, or user alone");
    return std::nullopt;
  }
  return Account{(*name)->user_part(), (*name)->domain_part(), (*name)->is_upn()};
}

std::optional<std::uint64_t> parse_time(std::string_view text) {
  // The form of the settings, and its bounds.
  Settings settings;
  for (const SettingKey& key : setting_keys()) {
    if (key.name == "max_clock_skew" && key.set(settings, text)) {
      return settings.policy.max_skew_seconds;
    }
  }
  return std::nullopt;
}

std::string time_left(std::uint64_t seconds) {
  const auto pair = [](std::uint64_t big, const char* big_unit, std::uint64_t small,
                       const char* small_unit) {
    std::string text = std::to_string(big).append(big_unit);
    return small == 0 ? text : text.append(" ").append(std::to_string(small)).append(small_unit);
  };
  if (seconds >= 86400) {
    return pair(seconds / 86400, " d", seconds % 86400 / 3600, " h");
  }
  if (seconds >= 3600) {
    return pair(seconds / 3600, " h", seconds % 3600 / 60, " min");
  }
  return seconds >= 60 ? pair(seconds / 60, " min", seconds % 60, " s")
                       : std::to_string(seconds) + " s";
}

bool wants_colour() {
  const char* terminal = std::getenv("TERM");
  const char* refused = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && terminal != nullptr &&
         std::strcmp(terminal, "dumb") != 0 && (refused == nullptr || *refused == '\0');
}

}  // namespace gssntlm::tools
