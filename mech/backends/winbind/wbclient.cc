#include "mech/backends/winbind/wbclient.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

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

template <typename Function>
bool take(void* library, const char* name, Function& to) noexcept {
  to = reinterpret_cast<Function>(::dlsym(library, name));
  return to != nullptr;
}

std::optional<Wbclient> open_wbclient() noexcept {
  // Stays: threads may be in it.
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  Wbclient w;
  const bool complete =
      library != nullptr && take(library, "wbcCtxCreate", w.ctx_create) &&
      take(library, "wbcCtxFree", w.ctx_free) && take(library, "wbcFreeMemory", w.free_memory) &&
      take(library, "wbcErrorString", w.error_string) && take(library, "wbcCtxPing", w.ping) &&
      take(library, "wbcCtxPingDc2", w.ping_dc) &&
      take(library, "wbcCtxAuthenticateUserEx", w.authenticate) &&
      take(library, "wbcCtxCredentialCache", w.credential_cache) &&
      take(library, "wbcCtxInterfaceDetails", w.interface_details) &&
      take(library, "wbcCtxLookupDomainControllerEx", w.lookup_dc) &&
      take(library, "wbcCtxLookupName", w.lookup_name) &&
      take(library, "wbcCtxGetpwsid", w.getpwsid) &&
      take(library, "wbcStringToSid", w.string_to_sid);
  return complete ? std::optional<Wbclient>(w) : std::nullopt;
}

const Wbclient* wbclient() noexcept {
  static const std::optional<Wbclient> instance = open_wbclient();
  return instance ? &*instance : nullptr;
}

// ---- the threads

struct Question {
  explicit Question(std::shared_ptr<WinbindTask> t) : task(std::move(t)) {}
  std::shared_ptr<WinbindTask> task;
  std::condition_variable answered;
  bool over = false;
  bool failed = false;
};

// The threads of one process. A child of fork() makes a pool of its own and leaves this one alone:
// its threads are not there, and its mutex may be locked for good.
class Pool {
 public:
  /// Throws std::bad_alloc.
  explicit Pool(const Wbclient& api) : api_(api), process_(::getpid()) {}

  [[nodiscard]] bool is_ours() const noexcept { return process_ == ::getpid(); }

  WinbindCall ask(std::shared_ptr<WinbindTask> task, std::chrono::milliseconds bound,
                  bool optional) {
    const Clock::time_point deadline = Clock::now() + bound;
    auto question = std::make_shared<Question>(std::move(task));
    std::unique_lock<std::mutex> lock(mutex_);
    if (optional && is_slow()) {
      return WinbindCall::kTimedOut;
    }
    waiting_.push_back(question);
    if (waiting_.size() > resting_ && !start_thread() && threads_ == 0) {
      waiting_.pop_back();
      return WinbindCall::kFailed;
    }
    work_.notify_one();
    if (!question->answered.wait_until(lock, deadline, [&] { return question->over; })) {
      std::erase(waiting_, question);
      return WinbindCall::kTimedOut;
    }
    return question->failed ? WinbindCall::kFailed : WinbindCall::kDone;
  }

  // In a child: closes the parent's connections that nobody was using when it forked.
  void drop_connections() noexcept {
    for (Seat& seat : seats_) {
      if (wbcContext* context = seat.resting.exchange(nullptr)) {
        api_.ctx_free(context);
      }
    }
  }

 private:
  // A thread's place. `resting` is its connection while it waits for work.
  struct Seat {
    bool taken = false;
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

  bool start_thread() noexcept {
    Seat* free_seat = nullptr;
    for (Seat& seat : seats_) {
      if (!seat.taken) {
        free_seat = &seat;
        break;
      }
    }
    auto* start = free_seat != nullptr ? new (std::nothrow) Start{this, free_seat} : nullptr;
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
      if (waiting_.empty() && !rest(seat, context, lock)) {
        break;
      }
      if (!connected) {
        pass_gate(lock);
      }
      if (!waiting_.empty()) {
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

  // Few connect at a time, and one more each time that those before it take long.
  void pass_gate(std::unique_lock<std::mutex>& lock) {
    while (!waiting_.empty() && connecting_ >= kMaxConnecting &&
           Clock::now() < last_connecting_ + kGateOpensAfter) {
      gate_.wait_until(lock, last_connecting_ + kGateOpensAfter);
    }
  }

  // The connection is made, by libwbclient, for the first question.
  void answer(Seat& seat, wbcContext*& context, bool& connected,
              std::unique_lock<std::mutex>& lock) {
    const std::shared_ptr<Question> question = std::move(waiting_.front());
    waiting_.pop_front();
    seat.busy_since = Clock::now();
    if (!connected) {
      ++connecting_;
      last_connecting_ = *seat.busy_since;
    }
    lock.unlock();
    const bool ran = run(*question->task, context);
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
  bool rest(Seat& seat, wbcContext* context, std::unique_lock<std::mutex>& lock) {
    ++resting_;
    seat.resting.store(context);
    const bool work = work_.wait_for(lock, kRestBeforeExit, [&] { return !waiting_.empty(); });
    seat.resting.store(nullptr);
    --resting_;
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
  const pid_t process_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable gate_;
  std::size_t connecting_ = 0;
  Clock::time_point last_connecting_;
  std::deque<std::shared_ptr<Question>> waiting_;
  std::size_t threads_ = 0;
  std::size_t resting_ = 0;
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
