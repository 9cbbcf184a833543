#include "tools/decode/input.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "mech/base/text.h"
#include "mech/os/file.h"
#include "tools/console.h"

namespace gssntlm::tools {
namespace {

constexpr std::size_t kMaxInput = std::size_t{64} << 20;
constexpr std::size_t kMaxPath = 4096;

std::nullopt_t complain_about(const Input& input, const std::string& what) {
  complain(input.name + ": " + what);
  return std::nullopt;
}

std::optional<Input> read_from(int fd, Input input) {
  std::string buffer(65536, '\0');
  while (true) {
    const std::optional<std::size_t> size =
        read_all(fd, MutableBytes(reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size()));
    if (!size) {
      return complain_about(input, std::string("cannot be read: ") + std::strerror(errno));
    }
    input.text.append(buffer, 0, *size);
    if (input.text.size() > kMaxInput) {
      return complain_about(input,
                            "longer than 64 MiB; of a capture, filter the connections first");
    }
    if (*size < buffer.size()) {
      return input;
    }
  }
}

}  // namespace

std::optional<Input> read_input(const std::string& argument) {
  Input input{{}, printable_utf8(argument, 40), true};
  if (argument == "-") {
    input.name = "standard input";
    return read_from(STDIN_FILENO, std::move(input));
  }
  const bool can_be_path = !argument.empty() && argument.size() < kMaxPath;
  const Descriptor file = can_be_path ? open_to_read(argument.c_str()) : Descriptor(-1);
  const int error = file.get() < 0 && can_be_path ? errno : ENOENT;
  struct stat st;
  if (file.get() >= 0) {
    if (::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode)) {
      return complain_about(input,
                            "not a regular file; to decode what it yields, pass it as standard "
                            "input (gss-ntlm decode < FILE)");
    }
    return read_from(file.get(), std::move(input));
  }
  if (::lstat(can_be_path ? argument.c_str() : "", &st) == 0) {
    return complain_about(input, std::string("cannot be opened: ") + std::strerror(error));
  }
  input.text = argument;
  input.is_file = false;
  return input;
}

std::string no_token_in(const Input& input) {
  if (input.is_file && input.text.starts_with("\x1F\x8B")) {
    return input.name + ": compressed; decompress it first (zcat FILE | gss-ntlm decode)";
  }
  if (input.is_file) {
    return input.name + ": no NTLM or SPNEGO token in it";
  }
  return input.name + ": no such file, and no NTLM or SPNEGO token";
}

}  // namespace gssntlm::tools
