// libwbclient: opened when first needed, called on threads of our own, so that a winbind that does
// not answer blocks no caller for longer than its timeout (docs/decisions/0012-winbind-calls.md).
#pragma once

#include <chrono>
#include <memory>

// Its header is C, and says so nowhere.
extern "C" {
#include <wbclient.h>
}

namespace gssntlm {

/// What is called of libwbclient.so.0.
struct Wbclient {
  decltype(&::wbcCtxCreate) ctx_create = nullptr;
  decltype(&::wbcCtxFree) ctx_free = nullptr;
  decltype(&::wbcFreeMemory) free_memory = nullptr;
  decltype(&::wbcErrorString) error_string = nullptr;
  decltype(&::wbcCtxPing) ping = nullptr;
  decltype(&::wbcCtxPingDc2) ping_dc = nullptr;
  decltype(&::wbcCtxAuthenticateUserEx) authenticate = nullptr;
  decltype(&::wbcCtxCredentialCache) credential_cache = nullptr;
  decltype(&::wbcCtxInterfaceDetails) interface_details = nullptr;
  decltype(&::wbcCtxLookupDomainControllerEx) lookup_dc = nullptr;
  decltype(&::wbcCtxLookupName) lookup_name = nullptr;
  decltype(&::wbcCtxGetpwsid) getpwsid = nullptr;
  decltype(&::wbcStringToSid) string_to_sid = nullptr;
};

/// Owns what libwbclient gave, whatever happens while it is read.
template <typename T>
class WbcMemory {
 public:
  explicit WbcMemory(const Wbclient& api) noexcept : api_(api) {}
  WbcMemory(const WbcMemory&) = delete;
  WbcMemory& operator=(const WbcMemory&) = delete;
  ~WbcMemory() {
    if (memory_ != nullptr) {
      api_.free_memory(memory_);
    }
  }
  /// For the call that gives it.
  [[nodiscard]] T** out() noexcept { return &memory_; }
  [[nodiscard]] T* get() const noexcept { return memory_; }
  T* operator->() const noexcept { return memory_; }
  explicit operator bool() const noexcept { return memory_ != nullptr; }

 private:
  const Wbclient& api_;
  T* memory_ = nullptr;
};

/// A question to winbind. It owns all that it needs: the caller may have returned when it
/// is answered.
class WinbindTask {
 public:
  WinbindTask() = default;
  WinbindTask(const WinbindTask&) = delete;
  WinbindTask& operator=(const WinbindTask&) = delete;
  virtual ~WinbindTask() = default;
  /// Called once, on a thread with signals blocked. `context` is that thread's own. May throw
  /// std::bad_alloc, which counts as no answer.
  virtual void run(const Wbclient& api, wbcContext* context) = 0;
};

enum class WinbindCall {
  kDone,       ///< run() came back
  kTimedOut,   ///< not in time; run() may still be under way; its outcome is dropped
  kNoLibrary,  ///< libwbclient.so.0 is not there, or too old
  kFailed,     ///< no thread or no memory to ask with, or the process changed its user meanwhile
};

/// Has `task` run, and waits for it for at most `bound`. winbind knows its clients by the user that
/// made the connection: the question goes through one that this thread's effective user and groups
/// made, and no other. An `optional` question is not asked at all
/// (kTimedOut) while another one has been waiting for an answer for two seconds. Throws
/// std::bad_alloc.
[[nodiscard]] WinbindCall call_winbind(std::shared_ptr<WinbindTask> task,
                                       std::chrono::milliseconds bound, bool optional = false);

}  // namespace gssntlm
