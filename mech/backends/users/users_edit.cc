#include "mech/backends/users/users_edit.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"

namespace gssntlm {
namespace {

constexpr std::string_view kTemporaryMark = ".gss-ntlm.";

Error file_error(const std::string& path, std::string_view what) {
  return error_with_detail(Major::kFailure, Minor::kUsersFileOpen,
                           "users file " + printable_utf8(path) + ": " + std::string(what));
}

Error system_error(const std::string& path, std::string_view doing) {
  return file_error(path, std::string(doing) + ": " + std::strerror(errno));
}

Result<SecretBytes> read_all(int fd, const std::string& path) {
  struct stat st;
  if (::fstat(fd, &st) != 0) {
    return system_error(path, "cannot look at it");
  }
  if (!S_ISREG(st.st_mode)) {
    return file_error(path, "not a regular file");
  }
  // In one piece, so that growing leaves no copies behind.
  SecretBytes text{Bytes(static_cast<std::size_t>(st.st_size))};
  MutableBytes rest = text.bytes();
  while (!rest.empty()) {
    const ssize_t got = ::read(fd, rest.data(), rest.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return system_error(path, "cannot read it");
    }
    // What an edit would then make of it is half a file.
    if (got == 0) {
      return file_error(path, "it was cut short while it was read; try again");
    }
    rest = rest.subspan(static_cast<std::size_t>(got));
  }
  return text;
}

struct Place {
  std::string folder;
  std::string name;
  [[nodiscard]] std::string path() const { return folder + "/" + name; }
};

// Where the file really is, so that a link stays a link.
Place place_of(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  // Taken for a file that is not there yet, a link would be replaced.
  if (!real && errno == ENOMEM) {
    throw std::bad_alloc();
  }
  const std::string whole = real ? real.get() : path;
  const std::size_t slash = whole.rfind('/');
  if (slash == std::string::npos) {
    return {".", whole};
  }
  return {slash == 0 ? "/" : whole.substr(0, slash), whole.substr(slash + 1)};
}

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

// What an editor that was killed left behind. The lock is held: nobody is at work on them.
void remove_leftovers(const Place& place) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(place.folder.c_str()));
  const std::string prefix = "." + place.name + std::string(kTemporaryMark);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string name(entry->d_name);
    if (name.starts_with(prefix)) {
      ::unlink((place.folder + "/" + name).c_str());
    }
  }
}

bool lock(int folder) noexcept {
  int done = 0;
  do {
    done = ::flock(folder, LOCK_EX);
  } while (done != 0 && errno == EINTR);
  return done == 0;
}

bool take_owner(int fd, const struct stat& old) noexcept {
  struct stat fresh;
  if (::fstat(fd, &fresh) != 0) {
    return false;
  }
  const bool same = fresh.st_uid == old.st_uid && fresh.st_gid == old.st_gid;
  return (same || ::fchown(fd, old.st_uid, old.st_gid) == 0) &&
         ::fchmod(fd, old.st_mode & 07777) == 0;
}

Status replace_file(const Place& place, int folder, const struct stat* old, ByteView contents) {
  const std::string path = place.path();
  std::string temporary = place.folder + "/." + place.name + std::string(kTemporaryMark) + "XXXXXX";
  const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) {
    return system_error(path, "cannot write beside it");
  }
  std::string_view doing = "cannot keep its owner and mode";
  bool done = old == nullptr || take_owner(fd.get(), *old);
  if (done) {
    doing = "cannot write its new contents";
    done = write_all(fd.get(), contents) && ::fsync(fd.get()) == 0;
  }
  if (done) {
    doing = "cannot take its place";
    done = ::rename(temporary.c_str(), path.c_str()) == 0;
  }
  if (!done) {
    // First of all: it holds hashes.
    const int error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    return system_error(path, doing);
  }
  // The new file is in place; a folder that cannot be synced may lose it to a power cut alone.
  ::fsync(folder);
  return {};
}

}  // namespace

Result<UsersText> read_users_text(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) {
    return system_error(path, "cannot open it");
  }
  const Result<SecretBytes> text = read_all(fd.get(), path);
  if (!text) {
    return text.error();
  }
  return UsersText::parse(as_text(text->view()), path);
}

Status edit_users_file(const std::string& path, bool create,
                       const std::function<Status(UsersText&)>& change) {
  const Place place = place_of(path);
  // The folder is what is locked: the file itself is another one after each edit.
  const Descriptor folder(::open(place.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || !lock(folder.get())) {
    return system_error(path, "cannot lock its folder");
  }
  struct stat old;
  const bool exists = ::stat(place.path().c_str(), &old) == 0;
  if (!exists && (errno != ENOENT || !create)) {
    return system_error(path, "cannot open it");
  }
  Result<UsersText> users = exists ? read_users_text(place.path()) : UsersText();
  if (!users) {
    return users.error();
  }
  if (Status s = change(*users); !s) {
    return s;
  }
  remove_leftovers(place);
  const SecretBytes text = users->text();
  return replace_file(place, folder.get(), exists ? &old : nullptr, text.view());
}

}  // namespace gssntlm
