// Every function of the module, called as no program should: pointers that are NULL, one at a time
// and two at a time, contexts that are not open, and handles of another mechanism. The module is
// asked directly, because the mechglue would catch much of it.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "test/spi/arguments_room.h"
#include "test/support/catch.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:secret\n";

bool opens_before(const Call& call) {
  return call.needs == Needs::kContext || call.needs == Needs::kMessages;
}

// gss_store_cred keeps in the session's keyring: one that goes with this process.
void leave_keyrings_alone() {
  constexpr long kJoinSessionKeyring = 1;
  ::syscall(SYS_keyctl, kJoinSessionKeyring, nullptr);
}

// The context of the call: the one that reads what prepare() has sent, or any.
gss_ctx_id_t* asked(const Call& call, Room& room) {
  return call.prepare != nullptr ? &room.acceptor : &room.initiator;
}

// Runs a call with those pointers NULL, and checks whether all is well; gives how many it has.
unsigned attempt(const Call& call, const Workshop& workshop, std::uint64_t mask) {
  CAPTURE(call.name, mask);
  Room room(workshop);
  if (opens_before(call)) {
    room.begin();
  }
  if (call.prepare != nullptr) {
    (room.*call.prepare)();
  }
  Pointers pointers(mask);
  const OM_uint32 major = call.run(room, asked(call, room), pointers);
  if (mask == kNone && !call.may_fail) {
    CHECK(!GSS_ERROR(major));
  }
  if (GSS_ERROR(major)) {
    CHECK(room.handed_nothing_out());
  }
  if (opens_before(call) && (!call.takes_away || GSS_ERROR(major))) {
    const bool sent = call.needs == Needs::kMessages && !GSS_ERROR(major);
    CHECK((sent || room.works()));
  }
  return pointers.count();
}

// An object of which no more than the first word can be read: what follows it is no memory.
class ForeignObject {
 public:
  explicit ForeignObject(std::uint32_t first) {
    pages_ = static_cast<char*>(
        ::mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (pages_ == MAP_FAILED || ::mprotect(pages_ + size_, size_, PROT_NONE) != 0) {
      throw std::runtime_error("no memory");
    }
    std::memcpy(handle<char*>(), &first, sizeof first);
  }
  ForeignObject(const ForeignObject&) = delete;
  ForeignObject& operator=(const ForeignObject&) = delete;
  ~ForeignObject() { ::munmap(pages_, 2 * size_); }
  template <typename Handle>
  [[nodiscard]] Handle handle() const {
    return reinterpret_cast<Handle>(pages_ + size_ - sizeof(std::uint32_t));
  }

 private:
  std::size_t size_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  char* pages_;
};

// One member of the room is another mechanism's object while the call is made.
template <typename Handle>
OM_uint32 run_with_foreign(const Call& call, Room& room, Handle& member,
                           const ForeignObject& object, bool& handed) {
  const Handle own = std::exchange(member, object.handle<Handle>());
  Pointers pointers(object.handle<const void*>());
  gss_ctx_id_t* context = call.needs == Needs::kHandshake ? &room.context : asked(call, room);
  OM_uint32 major = GSS_S_COMPLETE;
  try {
    major = call.run(room, context, pointers);
  } catch (const std::runtime_error&) {
    // What comes before the call itself wants a handle of ours.
  }
  handed = pointers.handed();
  if (handed) {
    CAPTURE(call.name);
    CHECK(member == object.handle<Handle>());
    CHECK(room.handed_nothing_out());
  }
  member = own;
  return GSS_ROUTINE_ERROR(major);
}

// A context that waits for the peer, or has been refused; and how to end the exchange.
struct State {
  const char* name;
  unsigned steps;
  bool acceptor;
  bool fails;
};

void ask_unopened(const Call& call, const Workshop& workshop, const State& state) {
  CAPTURE(call.name, state.name);
  Room room(workshop);
  room.begin(state.steps);
  if (state.fails) {
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, &room.token);
    CHECK(GSS_ERROR(room.accept()));
  }
  Pointers pointers(kNone);
  const OM_uint32 major =
      call.run(room, state.acceptor ? &room.acceptor : &room.initiator, pointers);
  if (call.needs == Needs::kMessages) {
    CHECK(GSS_ROUTINE_ERROR(major) == GSS_S_NO_CONTEXT);
    CHECK(room.handed_nothing_out());
  }
  if (!state.fails && !call.takes_away) {
    for (unsigned i = state.steps; i < 4; ++i) {
      CHECK(!GSS_ERROR(i % 2 == 0 ? room.initiate() : room.accept()));
    }
    CHECK(room.works());
  }
}

}  // namespace

TEST_CASE("arguments: any pointer may be NULL, alone or with another, and nothing is lost",
          "[spi][arguments]") {
  leave_keyrings_alone();
  const Workshop workshop(kUsers);
  for (const Call& call : calls()) {
    const unsigned count = attempt(call, workshop, kNone);
    REQUIRE(count > 0);
    for (unsigned i = 0; i < count; ++i) {
      for (unsigned j = i; j < count; ++j) {
        attempt(call, workshop, std::uint64_t{1} << i | std::uint64_t{1} << j);
      }
    }
    attempt(call, workshop, ~kNone);
  }
}

TEST_CASE("arguments: a context that is not open says so, and can still be opened",
          "[spi][arguments]") {
  const Workshop workshop(kUsers);
  const State states[] = {
      {"initiator that waits for CHALLENGE", 1, false, false},
      {"acceptor that waits for AUTHENTICATE", 2, true, false},
      {"acceptor that has refused", 2, true, true},
  };
  for (const State& state : states) {
    for (const Call& call : calls()) {
      if (opens_before(call)) {
        ask_unopened(call, workshop, state);
      }
    }
  }
}

TEST_CASE("arguments: a handle of another mechanism is rejected by its first word",
          "[spi][arguments]") {
  leave_keyrings_alone();
  const Workshop workshop(kUsers);
  // SPNEGO's contexts begin with the first of these.
  for (const std::uint32_t first : {0x00000FEDu, 0u, 0xFFFFFFFFu}) {
    const ForeignObject object(first);
    unsigned rejected[3] = {};
    for (const Call& call : calls()) {
      CAPTURE(call.name, first);
      bool handed = false;
      for (gss_name_t Room::*name : {&Room::user, &Room::target, &Room::root}) {
        Room room(workshop);
        const OM_uint32 major = run_with_foreign(call, room, room.*name, object, handed);
        rejected[0] += handed;
        CHECK((!handed || major == GSS_S_BAD_NAME));
      }
      {
        Room room(workshop);
        const OM_uint32 major = run_with_foreign(call, room, room.cred, object, handed);
        const bool credential = major == GSS_S_DEFECTIVE_CREDENTIAL || major == GSS_S_NO_CRED;
        rejected[1] += handed;
        CHECK((!handed || credential));
      }
      {
        Room room(workshop);
        if (opens_before(call)) {
          room.begin();
        }
        gss_ctx_id_t& context = call.needs == Needs::kHandshake ? room.context : *asked(call, room);
        const OM_uint32 major = run_with_foreign(call, room, context, object, handed);
        rejected[2] += handed;
        CHECK((!handed || major == GSS_S_NO_CONTEXT));
      }
    }
    CHECK(rejected[0] == 18);
    CHECK(rejected[1] == 10);
    CHECK(rejected[2] == 23);
  }
}

TEST_CASE("arguments: the list above has every function of the module", "[spi][arguments]") {
  std::vector<std::string> listed;
  for (const Call& call : calls()) {
    listed.emplace_back(call.name);
  }
  std::sort(listed.begin(), listed.end());
  std::ifstream map(std::getenv("EXPORTS_MAP"));
  std::vector<std::string> exported;
  for (std::string line; std::getline(map, line);) {
    const std::size_t begin = line.find("gss");
    if (begin != std::string::npos && line.back() == ';') {
      exported.push_back(line.substr(begin, line.size() - begin - 1));
    }
  }
  CHECK(listed == exported);
}

}  // namespace gssntlm::test
