#include "mech/backends/winbind/wbclient.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include "mech/os/library.h"
#include "mech/os/process.h"

namespace gssntlm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLibrary = "libwbclient.so.0";

// winbindd serves 200 clients by default, of all processes of the machine.
constexpr std::size_t kMaxThreads = 64;
constexpr std::size_t kStackSize = std::size_t{512} << 10;
constexpr std::chrono::seconds kRestBeforeExit{15};
constexpr std::chrono::seconds kSlow{2};

// winbindd's queue of new connections is short, and libwbclient sleeps for seconds when it is full.
constexpr std::size_t kMaxConnecting = 2;
constexpr std::chrono::milliseconds kGateOpensAfter{100};

// ---- the library

std::optional<Wbclient> open_wbclient() noexcept {
  const Library library(kLibrary);
  Wbclient w;
  const bool complete =
      library.take("wbcCtxCreate", w.ctx_create) && library.take("wbcCtxFree", w.ctx_free) &&
      library.take("wbcFreeMemory", w.free_memory) &&
      library.take("wbcErrorString", w.error_string) && library.take("wbcCtxPing", w.ping) &&
      library.take("wbcCtxPingDc2", w.ping_dc) &&
      library.take("wbcCtxAuthenticateUserEx", w.authenticate) &&
      library.take("wbcCtxCredentialCache", w.credential_cache) &&
      library.take("wbcCtxInterfaceDetails", w.interface_details) &&
      library.take("wbcCtxLookupDomainControllerEx", w.lookup_dc) &&
      library.take("wbcCtxLookupName", w.lookup_name) &&
      library.take("wbcCtxGetpwsid", w.getpwsid) && library.take("wbcStringToSid", w.string_to_sid);
  return complete ? std::optional<Wbclient>(w) : std::nullopt;
}

const Wbclient* wbclient() noexcept {
  static const std::optional<Wbclient> instance = open_wbclient();
  return instance ? &*instance : nullptr;
}

// ---- the threads

// Who a thread is to winbind, and to the file system that its pipes are in.
struct Caller {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;

  /// Throws std::bad_alloc.
  static Caller of_this_thread() {
    Caller caller{::geteuid(), ::getegid(), {}};
    int count = ::getgroups(0, nullptr);
    while (count > 0) {
      caller.groups.resize(static_cast<std::size_t>(count));
      const int got = ::getgroups(count, caller.groups.data());
      if (got >= 0) {
        caller.groups.resize(static_cast<std::size_t>(got));
        break;
      }
      count = ::getgroups(0, nullptr);
    }
    return caller;
  }
  friend bool operator==(const Caller&, const Caller&) = default;
};

struct Question {
  Question(std::shared_ptr<WinbindTask> t, Caller c) : task(std::move(t)), caller(std::move(c)) {}
  std::shared_ptr<WinbindTask> task;
  const Caller caller;
  std::condition_variable answered;
  bool over = false;
  bool failed = false;
};

// The threads of one process. A child of fork() makes a pool of its own and leaves this one alone:
// its threads are not there, and its mutex may be locked for good.
class Pool {
 public:
  /// Throws std::bad_alloc.
  explicit Pool(const Wbclient& api) : api_(api), process_(process_generation()) {}

  [[nodiscard]] bool is_ours() const noexcept { return process_ == process_generation(); }

  WinbindCall ask(std::shared_ptr<WinbindTask> task, std::chrono::milliseconds bound,
                  bool optional) {
    const Clock::time_point deadline = Clock::now() + bound;
    auto question = std::make_shared<Question>(std::move(task), Caller::of_this_thread());
    std::unique_lock<std::mutex> lock(mutex_);
    if (optional && is_slow()) {
      return WinbindCall::kTimedOut;
    }
    waiting_.push_back(question);
    if (waiting_for(question->caller) > resting_for(question->caller) && !start_thread() &&
        threads_ == 0) {
      waiting_.pop_back();
      return WinbindCall::kFailed;
    }
    // All: the one that is woken may be another user's.
    work_.notify_all();
    if (!question->answered.wait_until(lock, deadline, [&] { return question->over; })) {
      std::erase(waiting_, question);
      return WinbindCall::kTimedOut;
    }
    return question->failed ? WinbindCall::kFailed : WinbindCall::kDone;
  }

  // In a child: closes the parent's connections that were not in use when it forked.
  void drop_connections() noexcept {
    for (Seat& seat : seats_) {
      if (wbcContext* context = seat.resting.exchange(nullptr)) {
        api_.ctx_free(context);
      }
    }
  }

 private:
  // A thread's place. `resting` is its connection while it waits for work; `caller` made it.
  struct Seat {
    bool taken = false;
    bool rests = false;
    Caller caller;
    std::optional<Clock::time_point> busy_since;
    std::atomic<wbcContext*> resting{nullptr};
  };
  struct Start {
    Pool* pool;
    Seat* seat;
  };

  bool is_slow() const noexcept {
    const Clock::time_point now = Clock::now();
    for (const Seat& seat : seats_) {
      if (seat.busy_since && now - *seat.busy_since > kSlow) {
        return true;
      }
    }
    return false;
  }

  std::size_t waiting_for(const Caller& caller) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        waiting_.begin(), waiting_.end(), [&](const auto& q) { return q->caller == caller; }));
  }

  std::size_t resting_for(const Caller& caller) const noexcept {
    return static_cast<std::size_t>(std::count_if(seats_.begin(), seats_.end(), [&](const Seat& s) {
      return s.rests && s.caller == caller;
    }));
  }

  // A thread is, to begin with, who started it.
  bool start_thread() noexcept {
    Seat* free_seat = nullptr;
    for (Seat& seat : seats_) {
      if (!seat.taken) {
        free_seat = &seat;
        break;
      }
    }
    if (free_seat == nullptr || !adopt_caller(*free_seat)) {
      return false;
    }
    auto* start = new (std::nothrow) Start{this, free_seat};
    if (start == nullptr) {
      return false;
    }
    if (!create_thread(start)) {
      delete start;
      return false;
    }
    free_seat->taken = true;
    ++threads_;
    return true;
  }

  // The host's signals are for the host's threads.
  static bool create_thread(Start* start) noexcept {
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) {
      return false;
    }
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    ::pthread_attr_setstacksize(&attributes, kStackSize);
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    const bool made = ::pthread_create(&thread, &attributes, &Pool::main, start) == 0;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    return made;
  }

  static void* main(void* argument) noexcept {
    const std::unique_ptr<Start> start(static_cast<Start*>(argument));
    ::pthread_setname_np(::pthread_self(), "gss-ntlm-wb");
    start->pool->serve(*start->seat);
    return nullptr;
  }

  void serve(Seat& seat) {
    wbcContext* context = api_.ctx_create();
    bool connected = false;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      if (!has_work(seat, context, connected) && !rest(seat, context, connected, lock)) {
        break;
      }
      if (!connected) {
        pass_gate(seat, lock);
      }
      if (has_work(seat, context, connected)) {
        answer(seat, context, connected, lock);
      }
    }
    seat.taken = false;
    --threads_;
    lock.unlock();
    if (context != nullptr) {
      api_.ctx_free(context);
    }
  }

  // Whether a question waits that this thread may ask. A connection that was opened as another
  // user, before the process changed its user, is closed first.
  bool has_work(Seat& seat, wbcContext*& context, bool& connected) noexcept {
    if (!is_still(seat.caller)) {
      if (context != nullptr) {
        api_.ctx_free(context);
      }
      context = nullptr;
      connected = false;
      if (!adopt_caller(seat)) {
        return false;
      }
    }
    return waiting_for(seat.caller) != 0;
  }

  static bool is_still(const Caller& caller) noexcept {
    try {
      return Caller::of_this_thread() == caller;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  static bool adopt_caller(Seat& seat) noexcept {
    try {
      seat.caller = Caller::of_this_thread();
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  // Few connect at a time, and one more each time that those before it take long.
  void pass_gate(const Seat& seat, std::unique_lock<std::mutex>& lock) {
    while (waiting_for(seat.caller) != 0 && connecting_ >= kMaxConnecting &&
           Clock::now() < last_connecting_ + kGateOpensAfter) {
      gate_.wait_until(lock, last_connecting_ + kGateOpensAfter);
    }
  }

  // The connection is made, by libwbclient, for the first question.
  void answer(Seat& seat, wbcContext*& context, bool& connected,
              std::unique_lock<std::mutex>& lock) {
    const auto place = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const auto& q) { return q->caller == seat.caller; });
    const std::shared_ptr<Question> question = std::move(*place);
    waiting_.erase(place);
    seat.busy_since = Clock::now();
    if (!connected) {
      ++connecting_;
      last_connecting_ = *seat.busy_since;
    }
    lock.unlock();
    // Who asked is not who would be answered, if the process has changed its user since.
    const bool ran = run(*question->task, context) && is_still(question->caller);
    lock.lock();
    if (!connected) {
      connected = true;
      --connecting_;
    }
    gate_.notify_all();
    seat.busy_since.reset();
    question->over = true;
    question->failed = !ran;
    question->answered.notify_all();
  }

  // False: there was nothing to do for long enough.
  bool rest(Seat& seat, wbcContext*& context, bool& connected, std::unique_lock<std::mutex>& lock) {
    const Clock::time_point until = Clock::now() + kRestBeforeExit;
    bool work = false;
    bool over = false;
    while (!work && !over) {
      seat.rests = true;
      seat.resting.store(context);
      over = work_.wait_until(lock, until) == std::cv_status::timeout;
      seat.resting.store(nullptr);
      seat.rests = false;
      work = has_work(seat, context, connected);
    }
    return work;
  }

  bool run(WinbindTask& task, wbcContext*& context) const noexcept {
    if (context == nullptr) {
      context = api_.ctx_create();
    }
    if (context == nullptr) {
      return false;
    }
    try {
      task.run(api_, context);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  const Wbclient& api_;
  const std::uint32_t process_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable gate_;
  std::size_t connecting_ = 0;
  Clock::time_point last_connecting_;
  std::deque<std::shared_ptr<Question>> waiting_;
  std::size_t threads_ = 0;
  std::array<Seat, kMaxThreads> seats_;
};

// Never destroyed: its threads may be at work when the process ends.
Pool& pool(const Wbclient& api) {
  static std::atomic<Pool*> instance{nullptr};
  Pool* current = instance.load();
  if (current != nullptr && current->is_ours()) {
    return *current;
  }
  auto fresh = std::make_unique<Pool>(api);
  if (instance.compare_exchange_strong(current, fresh.get())) {
    if (current != nullptr) {
      current->drop_connections();
    }
    return *fresh.release();
  }
  return *current;
}

}  // namespace

WinbindCall call_winbind(std::shared_ptr<WinbindTask> task, std::chrono::milliseconds bound,
                         bool optional) {
  const Wbclient* api = wbclient();
  if (api == nullptr) {
    return WinbindCall::kNoLibrary;
  }
  return pool(*api).ask(std::move(task), bound, optional);
}

}  // namespace gssntlm
