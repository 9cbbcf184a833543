// Who may read and change a users file: each layout that is accepted, beside the nearest exposure
// that is rejected. What needs several users runs as root alone.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <thread>
#include <vector>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mech/backends/users/users_file.h"
#include "mech/backends/users/users_load.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace gssntlm;

namespace {

constexpr uid_t kService = 12345;
constexpr uid_t kOther = 12346;
constexpr const char* kLine = "DOM:alice:pw\n";

bool is_root() {
  if (::geteuid() != 0) {
    std::printf("not root: nothing was tried\n");
  }
  return ::geteuid() == 0;
}

// An access control list as the kernel takes it: tag, permissions, number.
struct Entry {
  unsigned tag;
  unsigned permissions;
  std::uint32_t id = 0xFFFFFFFF;
};
constexpr unsigned kUser = 2;
constexpr unsigned kGroup = 8;

// The three entries of the mode, those of `more`, and a mask that takes nothing from them.
bool set_acl(const std::string& path, unsigned owner, unsigned group,
             const std::vector<Entry>& more) {
  std::vector<Entry> entries = {{0x01, owner}};
  unsigned mask = group;
  for (const unsigned tag : {kUser, 0x04u, kGroup}) {
    if (tag == 0x04) {
      entries.push_back({0x04, group});
    }
    for (const Entry& entry : more) {
      if (entry.tag == tag) {
        entries.push_back(entry);
        mask |= entry.permissions;
      }
    }
  }
  entries.push_back({0x10, mask});
  entries.push_back({0x20, 0});
  Bytes bytes(4 + 8 * entries.size());
  store_le32(bytes.data(), 2);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    store_le16(&bytes[4 + 8 * i], static_cast<std::uint16_t>(entries[i].tag));
    store_le16(&bytes[6 + 8 * i], static_cast<std::uint16_t>(entries[i].permissions));
    store_le32(&bytes[8 + 8 * i], entries[i].id);
  }
  return ::setxattr(path.c_str(), "system.posix_acl_access", bytes.data(), bytes.size(), 0) == 0;
}

// What a process of `reader` makes of the file: the fault's text, or "".
std::string fault_for(uid_t reader, const std::string& path) {
  REQUIRE(::seteuid(reader) == 0);
  const UsersLoad load = load_users(path, std::nullopt);
  REQUIRE(::seteuid(0) == 0);
  return load.fault ? load.fault->text : std::string();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct Cell {
  const char* what;
  uid_t owner;
  mode_t mode;
  uid_t reader;
  const char* wrong;  // part of the text; nullptr: accepted
  std::vector<Entry> acl = {};
};

const std::vector<Cell>& cells() {
  static const std::vector<Cell> all = {
      {"root's own", 0, 0600, 0, nullptr},
      {"root's own, read only", 0, 0400, 0, nullptr},
      {"root, its group reads", 0, 0640, 0, nullptr},
      {"root:service, for the service", 0, 0640, kService, nullptr},
      {"Kubernetes secret with fsGroup", 0, 0440, kService, nullptr},
      {"root, others read", 0, 0644, kService, "mode 0644 lets others"},
      {"root, others read, read only", 0, 0444, kService, "chmod 640 it"},
      {"root, others read, for root", 0, 0604, 0, "mode 0604 lets others"},
      {"root, its group changes", 0, 0660, kService, "mode 0660 lets its group"},
      {"root, its group changes, for root", 0, 0620, 0, "mode 0620 lets its group"},
      {"root, others change", 0, 0642, kService, "mode 0642 lets others"},
      {"root, others execute", 0, 0641, kService, "mode 0641 lets others"},
      {"the service's own", kService, 0600, kService, nullptr},
      {"Podman secret with uid and mode", kService, 0400, kService, nullptr},
      {"the service's own, its group reads", kService, 0640, kService, "chmod 600 it"},
      {"the service's own, its group reads, read only", kService, 0440, kService, "lets its group"},
      {"the service's own, others read", kService, 0604, kService, "a file of user 12345"},
      {"the service's own, its group changes", kService, 0620, kService, "mode 0620"},
      {"the service's, for root", kService, 0600, 0, "run this as that user"},
      {"root's own, for the service", 0, 0600, kService, "Permission denied"},
      {"another user's, readable", kOther, 0644, kService, "belongs to user 12346"},
      {"another user's, for root", kOther, 0600, 0, "belongs to user 12346"},
      {"systemd credential", 0, 0400, kService, nullptr, {{kUser, 4, kService}}},
      {"systemd credential, for root", 0, 0400, 0, "user 12345 read", {{kUser, 4, kService}}},
      {"credential of another unit too",
       0,
       0400,
       kService,
       "lets user 12346 read it",
       {{kUser, 4, kService}, {kUser, 4, kOther}}},
      {"credential that the unit may change",
       0,
       0600,
       kService,
       "lets user 12345 change it",
       {{kUser, 6, kService}}},
      {"list with another group",
       0,
       0400,
       kService,
       "setfacl -x g:777",
       {{kUser, 4, kService}, {kGroup, 4, 777}}},
      {"list that gives nothing", 0, 0440, kService, nullptr, {{kUser, 0, kOther}}},
      {"list that lets root read", kService, 0400, kService, nullptr, {{kUser, 4, 0}}},
      {"the service's, another user reads",
       kService,
       0600,
       kService,
       "setfacl -x u:12346",
       {{kUser, 4, kOther}}},
  };
  return all;
}

}  // namespace

TEST_CASE("users file access: each accepted layout beside what stays rejected") {
  if (!is_root()) {
    return;
  }
  const ScratchDirectory scratch;
  REQUIRE(::chmod(scratch.path(".").c_str(), 0755) == 0);
  for (const Cell& cell : cells()) {
    INFO(cell.what);
    const std::string path = scratch.write("users", kLine);
    REQUIRE(::chmod(path.c_str(), cell.mode) == 0);
    const unsigned group = static_cast<unsigned>(cell.mode) >> 3 & 7;
    if (!cell.acl.empty() && !set_acl(path, cell.mode >> 6 & 7, group, cell.acl)) {
      std::printf("no access control lists here: %s was not tried\n", cell.what);
      continue;
    }
    REQUIRE(::chown(path.c_str(), cell.owner, kService) == 0);
    REQUIRE(::setegid(kService) == 0);
    const std::string fault = fault_for(cell.reader, path);
    REQUIRE(::setegid(0) == 0);
    std::printf("%-48s user %-5u mode %04o for user %-5u %s\n", cell.what, cell.owner, cell.mode,
                cell.reader, fault.empty() ? "accepted" : "rejected");
    INFO(fault);
    CHECK(fault.empty() == (cell.wrong == nullptr));
    CHECK((cell.wrong == nullptr || has(fault, cell.wrong)));
    CHECK((fault.empty() || has(fault, path)));
    REQUIRE(::unlink(path.c_str()) == 0);
  }
}

TEST_CASE("users file access: a directory in which others replace files") {
  const ScratchDirectory scratch;
  REQUIRE(::mkdir(scratch.path("open").c_str(), 0700) == 0);
  const std::string path = scratch.write("open/users", kLine);
  REQUIRE(::symlink(path.c_str(), scratch.path("link").c_str()) == 0);
  for (const std::string& name : {path, scratch.path("link")}) {
    for (const mode_t mode : {0777u, 0707u, 0703u}) {
      REQUIRE(::chmod(scratch.path("open").c_str(), mode) == 0);
      const UsersLoad load = load_users(name, std::nullopt);
      REQUIRE(load.fault);
      CHECK(has(load.fault->text, scratch.path("open") + " lets others replace it; chmod o-w"));
      CHECK_FALSE(load.fault->lasting);
    }
    for (const mode_t mode : {0700u, 0755u, 01777u, 0770u}) {
      REQUIRE(::chmod(scratch.path("open").c_str(), mode) == 0);
      CHECK_FALSE(load_users(name, std::nullopt).fault);
    }
  }
}

// A directory on a tmpfs; none where there is no such file system at the usual place.
class TmpfsDirectory {
 public:
  TmpfsDirectory() {
    struct statfs fs {};
    if (::statfs("/dev/shm", &fs) != 0 || fs.f_type != TMPFS_MAGIC || ::mkdtemp(text_) == nullptr) {
      text_[0] = '\0';
    }
  }
  TmpfsDirectory(const TmpfsDirectory&) = delete;
  TmpfsDirectory& operator=(const TmpfsDirectory&) = delete;
  ~TmpfsDirectory() {
    ::unlink((path() + "/users").c_str());
    ::rmdir(text_);
  }
  [[nodiscard]] std::string path() const { return text_; }

 private:
  char text_[40] = "/dev/shm/gss-ntlm-test.XXXXXX";
};

std::string write_to(const std::string& directory, mode_t mode) {
  std::string path = directory + "/users";
  std::ofstream(path) << kLine;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

TEST_CASE("users file access: everyone may read it on a tmpfs where a setting says so") {
  const TmpfsDirectory tmpfs;
  const ScratchDirectory scratch;
  struct statfs fs {};
  REQUIRE(::statfs(scratch.path(".").c_str(), &fs) == 0);
  if (tmpfs.path().empty() || fs.f_type == TMPFS_MAGIC) {
    std::printf("a tmpfs and another file system are needed: nothing was tried\n");
    return;
  }
  const auto accepts = [](const std::string& path, Readers readers) {
    return !load_users(path, std::nullopt, readers).fault;
  };
  for (const mode_t mode : {0444u, 0644u, 0604u, 0404u}) {
    CAPTURE(mode);
    const std::string shared = write_to(tmpfs.path(), mode);
    CHECK(accepts(shared, Readers::kAllOnTmpfs));
    CHECK_FALSE(accepts(shared, Readers::kFew));
    CHECK_FALSE(accepts(write_to(scratch.path("."), mode), Readers::kAllOnTmpfs));
  }
  for (const mode_t mode : {0666u, 0646u, 0664u, 0445u, 0454u, 0442u}) {
    CAPTURE(mode);
    CHECK_FALSE(accepts(write_to(tmpfs.path(), mode), Readers::kAllOnTmpfs));
  }
  const std::string path = write_to(tmpfs.path(), 0444);
  REQUIRE(::chmod(tmpfs.path().c_str(), 0777) == 0);
  CHECK_FALSE(accepts(path, Readers::kAllOnTmpfs));
  REQUIRE(::chmod(tmpfs.path().c_str(), 0755) == 0);
  if (set_acl(path, 4, 4, {{kUser, 4, kOther}})) {
    CHECK_FALSE(accepts(path, Readers::kAllOnTmpfs));
  }
  if (is_root()) {
    const std::string foreign = write_to(tmpfs.path(), 0444);
    REQUIRE(::chown(foreign.c_str(), kOther, kOther) == 0);
    CHECK_FALSE(accepts(foreign, Readers::kAllOnTmpfs));
  }
}

TEST_CASE("users file access: a setting that is changed counts for a file that was read before") {
  const TmpfsDirectory tmpfs;
  if (tmpfs.path().empty()) {
    std::printf("there is no tmpfs: nothing was tried\n");
    return;
  }
  const std::string path = write_to(tmpfs.path(), 0444);
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(UsersFile::open(path));
    CHECK(UsersFile::open(path, std::nullopt, 0, Readers::kAllOnTmpfs));
  }
  CHECK_FALSE(UsersFile::open(path, std::nullopt, 0));
}

// As the kubelet replaces a secret: another directory behind `..data`, exchanged by rename.
TEST_CASE("users file access: a link that is exchanged under load always leads to a whole file") {
  const ScratchDirectory scratch;
  for (const char* name : {"..1", "..2", "..3"}) {
    REQUIRE(::mkdir(scratch.path(name).c_str(), 0755) == 0);
    const std::string path = scratch.write(std::string(name) + "/users", kLine);
    REQUIRE(::chmod(path.c_str(), name[2] == '3' ? 0644 : 0400) == 0);
  }
  const auto point_to = [&](const char* name) {
    return ::symlink(name, scratch.path("..tmp").c_str()) == 0 &&
           ::rename(scratch.path("..tmp").c_str(), scratch.path("..data").c_str()) == 0;
  };
  REQUIRE(point_to("..1"));
  REQUIRE(::symlink("..data/users", scratch.path("users").c_str()) == 0);
  std::atomic<bool> over = false;
  std::thread kubelet([&] {
    for (int i = 0; !over; ++i) {
      point_to(i % 2 == 0 ? "..1" : "..2");
    }
  });
  int whole = 0;
  constexpr int kLoads = 2000;
  for (int i = 0; i < kLoads; ++i) {
    const UsersLoad load = load_users(scratch.path("users"), std::nullopt);
    whole += !load.fault && load.table->size() == 1 ? 1 : 0;
  }
  over = true;
  kubelet.join();
  CHECK(whole == kLoads);
  REQUIRE(point_to("..3"));
  const UsersLoad exposed = load_users(scratch.path("users"), std::nullopt);
  REQUIRE(exposed.fault);
  CHECK(has(exposed.fault->text, "mode 0644"));
}
