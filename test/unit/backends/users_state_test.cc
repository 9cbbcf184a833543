// The users editor as a state machine: any sequence of commands leaves the file as a model says,
// and its owner, group, mode, attributes and link as they were.
#include <rapidcheck.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mech/backends/users/users_edit.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "support/catch.h"
#include "support/scratch.h"
#include "support/users_text.h"

using namespace gssntlm;

namespace {

const std::string kNone(32, 'X');

NtHash hash_of(const std::string& password) {
  return derive_nt_hash(*utf16le_from_utf8(password));
}

std::string hex_of(const std::string& password) {
  const NtHash hash = hash_of(password);
  std::string hex;
  for (const std::uint8_t b : hash.view()) {
    hex.push_back("0123456789ABCDEF"[b >> 4]);
    hex.push_back("0123456789ABCDEF"[b & 15]);
  }
  return hex;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// An entry as it is in a file; in clear text `secret` is the password, else the hash.
struct Entry {
  std::string user;
  std::string domain;
  bool clear = false;
  std::string secret;
  std::string flags;

  [[nodiscard]] bool is(const std::string& u, const std::string& d) const {
    return lower(user) == lower(u) && lower(domain) == lower(d);
  }
  [[nodiscard]] bool flagged(char c) const { return flags.find(c) != std::string::npos; }
  void drop(char c) { flags.erase(std::remove(flags.begin(), flags.end(), c), flags.end()); }
  void hash() {
    secret = clear ? hex_of(secret) : secret;
    flags = clear ? "U" : flags;
    clear = false;
  }
  bool operator==(const Entry& o) const {
    return user == o.user && domain == o.domain && clear == o.clear && secret == o.secret &&
           flags == o.flags;
  }
};

void showValue(const Entry& e, std::ostream& out) {
  out << e.domain << "\\" << e.user << (e.clear ? " clear " : " ") << e.secret << "[" << e.flags
      << "]";
}

using Model = std::vector<Entry>;

std::string file_of(const Model& model) {
  std::string text = "# comment\n";
  for (const Entry& e : model) {
    if (e.clear) {
      text += e.domain + ":" + e.user + ":" + e.secret + "\n";
    } else {
      text += (e.domain.empty() ? "" : e.domain + "\\") + e.user + ":7:" + kNone + ":" + e.secret +
              ":[" + e.flags + "]:LCT-0:\n";
    }
  }
  return text;
}

// Reads a file without the code that is tested.
Model model_of(const std::string& text) {
  Model model;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, ':');) {
      fields.push_back(field);
    }
    if (fields.size() == 3) {
      model.push_back({fields[1], fields[0], true, fields[2], ""});
    } else if (fields.size() > 3) {
      const std::size_t slash = fields[0].find('\\');
      Entry e{fields[0].substr(slash + 1),
              slash == std::string::npos ? "" : fields[0].substr(0, slash), false, fields[3],
              fields[4].substr(1, fields[4].size() - 2)};
      e.drop(' ');
      model.push_back(std::move(e));
    }
  }
  return model;
}

std::string any_of(const std::vector<std::string>& choices) {
  return *rc::gen::elementOf(choices);
}

Entry any_entry() {
  Entry e;
  e.user = any_of({"bob", "BOB", "zoe", "ann"});
  e.domain = any_of({"", "CORP", "corp"});
  e.clear = *rc::gen::arbitrary<bool>();
  const std::string password = any_of({"one", "two", "three"});
  e.secret = e.clear ? password : any_of({hex_of(password), hex_of(password), kNone});
  e.flags = e.clear ? "" : any_of({"U", "U", "DU", "LU", "NU", "DLU", "UX"});
  return e;
}

Model any_model() {
  Model model;
  for (int n = *rc::gen::inRange(0, 6); n > 0; --n) {
    model.push_back(any_entry());
  }
  return model;
}

// ---- what each command does to the model; false: it fails, and nothing changes

std::vector<Entry*> entries_of(Model& model, const Entry& name) {
  std::vector<Entry*> found;
  for (Entry& e : model) {
    if (e.is(name.user, name.domain)) {
      found.push_back(&e);
    }
  }
  return found;
}

bool model_remove(Model& model, const Entry& name) {
  return std::erase_if(model, [&](const Entry& e) { return e.is(name.user, name.domain); }) != 0;
}

void model_password(Model& model, const Entry& name, const std::string& password) {
  const std::vector<Entry*> found = entries_of(model, name);
  if (found.empty()) {
    model.push_back({name.user, name.domain, false, hex_of(password), "U"});
    return;
  }
  Entry kept = *found.front();
  kept.hash();
  kept.secret = hex_of(password);
  kept.drop('N');
  const auto at = found.front() - model.data();
  model[static_cast<std::size_t>(at)].user = "\n";
  model_remove(model, name);
  std::replace_if(
      model.begin(), model.end(), [](const Entry& e) { return e.user == "\n"; }, kept);
}

bool model_enable(Model& model, const Entry& name, bool enabled) {
  Model changed = model;
  const std::vector<Entry*> found = entries_of(changed, name);
  for (Entry* e : found) {
    e->hash();
    e->drop('D');
    if (enabled) {
      e->drop('L');
    } else {
      e->flags.push_back('D');
    }
    if (enabled && (e->flagged('N') || e->secret == kNone)) {
      return false;
    }
  }
  model = changed;
  return !found.empty();
}

void model_import(Model& model, const Model& other) {
  for (Entry e : other) {
    if (entries_of(model, e).empty()) {
      e.hash();
      model.push_back(std::move(e));
    }
  }
}

struct Scene {
  ScratchDirectory scratch;
  EditOptions options;
  std::string path;  // what is given to the editor
  Model model = any_model();

  Scene() {
    const std::string real = scratch.write("real", file_of(model));
    path = real;
    if (*rc::gen::arbitrary<bool>()) {
      path = scratch.path("link");
      RC_ASSERT(::symlink("real", path.c_str()) == 0);
    }
    ::setxattr(real.c_str(), "user.note", "kept", 4, 0);
    mode_t mode = *rc::gen::element<mode_t>(0600, 0400);
    if (::geteuid() == 0) {
      const auto owner = *rc::gen::element<uid_t>(0, 12345);
      options.owner = FileOwner{owner, 0};
      RC_ASSERT(::chown(real.c_str(), owner, *rc::gen::element<gid_t>(0, 4321)) == 0);
      mode |= owner == 0 ? *rc::gen::element<mode_t>(0, 040) : 0;
    }
    RC_ASSERT(::chmod(real.c_str(), mode) == 0);
    before = attributes();
  }

  [[nodiscard]] std::string attributes() const {
    struct stat st {};
    RC_ASSERT(::lstat(scratch.path("real").c_str(), &st) == 0);
    struct stat given {};
    RC_ASSERT(::lstat(path.c_str(), &given) == 0);
    char note[8] = "none";
    ::getxattr(scratch.path("real").c_str(), "user.note", note, sizeof note);
    std::ostringstream text;
    text << st.st_uid << ' ' << st.st_gid << ' ' << std::oct << st.st_mode << ' '
         << S_ISLNK(given.st_mode) << ' ' << note;
    const auto files =
        std::filesystem::directory_iterator(std::filesystem::path(path).parent_path());
    text << ' ' << std::distance(begin(files), end(files));
    return text.str();
  }

  // Runs a command on the file, and checks it against what the model says now.
  void run(bool succeeds, const std::function<bool(UsersText&)>& change) {
    const Result<Edited> edited = edit_users_file(path, options, [&](UsersText& users) -> Status {
      return change(users) ? Status() : Status(Error{Major::kFailure, Minor::kBadCredential});
    });
    RC_ASSERT(edited.ok() == succeeds);
    RC_ASSERT(model_of(scratch.read("real")) == model);
    RC_ASSERT(scratch.read("real").starts_with("# comment\n"));
    RC_ASSERT(attributes() == before);
  }

  std::string before;
};

void add_or_passwd(Scene& scene, const Entry& name, bool must_exist) {
  const std::string password = any_of({"new", "newer"});
  const bool right = entries_of(scene.model, name).empty() != must_exist;
  if (right) {
    model_password(scene.model, name, password);
  }
  scene.run(right, [&](UsersText& users) {
    return users.has(name.user, name.domain) == must_exist &&
           users.set_hash(name.user, name.domain, hash_of(password)).ok();
  });
}

void enable(Scene& scene, const Entry& name, bool enabled) {
  const bool right = model_enable(scene.model, name, enabled);
  scene.run(right, [&](UsersText& users) {
    return users.enable(name.user, name.domain, enabled) == UsersText::Enabling::kDone;
  });
}

void import(Scene& scene) {
  const Model other = any_model();
  model_import(scene.model, other);
  const Result<UsersText> from = test::users_text(file_of(other));
  scene.run(true, [&](UsersText& users) { return users.take_over(*from).size() == other.size(); });
}

void import_in_place(Scene& scene) {
  std::for_each(scene.model.begin(), scene.model.end(), [](Entry& e) { e.hash(); });
  scene.run(true, [](UsersText& users) {
    users.hash_clear_entries();
    return true;
  });
}

void run_any_command(Scene& scene) {
  const Entry name = any_entry();
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return add_or_passwd(scene, name, false);
    case 1:
      return add_or_passwd(scene, name, true);
    case 2:
      return enable(scene, name, true);
    case 3:
      return enable(scene, name, false);
    case 4:
      return import(scene);
    case 5:
      return import_in_place(scene);
    default: {
      const bool right = model_remove(scene.model, name);
      return scene.run(right,
                       [&](UsersText& users) { return users.remove(name.user, name.domain) != 0; });
    }
  }
}

}  // namespace

TEST_CASE("any sequence of commands leaves a users file as its model says") {
  CHECK(rc::check([] {
    Scene scene;
    for (int n = *rc::gen::inRange(1, 12); n > 0; --n) {
      run_any_command(scene);
    }
  }));
}
