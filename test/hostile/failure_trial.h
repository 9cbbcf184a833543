// Tries one call again and again, with another failure each time, and checks the result.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/direct.h"
#include "test/hostile/failing.h"

namespace gssntlm::test {

/// Cases that went wrong, and what was tried.
struct Tally {
  long allocations = 0;
  long system_calls = 0;
  int passed = 0;
  int failed = 0;
};

/// One attempt at an operation: the call that is tried goes through call(), and what is wrong
/// afterwards through expect().
class Trial {
 public:
  explicit Trial(const failing::Plan& plan) noexcept : plan_(plan) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  /// Runs `body`, a call into the module, with the plan in force.
  template <typename Body>
  OM_uint32 call(Body body) {
    minor = 0xDEAD;
    failing::arm(plan_);
    major = body(&minor);
    seen = failing::disarm();
    expect(failing::inheritable() == 0, "a child would inherit a descriptor");
    return major;
  }
  [[nodiscard]] bool ok() const noexcept { return !GSS_ERROR(major); }
  /// Calls that undo others fail as well.
  [[nodiscard]] bool nothing_undone() const noexcept { return plan_.on; }
  /// What was made to fail, if the call got so far.
  [[nodiscard]] failing::Call failing() const noexcept {
    return plan_.at != 0 && seen >= plan_.at ? plan_.call : failing::Call::kNone;
  }

  void expect(bool truth, const char* what) {
    if (!truth) {
      problems.emplace_back(what);
    }
  }
  /// After a failure an output holds nothing.
  void expect_empty(const gss_buffer_desc& buffer) {
    expect(ok() || (buffer.length == 0 && buffer.value == nullptr), "an output buffer is filled");
  }
  template <typename Handle>
  void expect_none(const Handle& handle) {
    expect(ok() || handle == nullptr, "an output handle is set");
  }

  OM_uint32 major = GSS_S_COMPLETE;
  OM_uint32 minor = 0;
  int seen = 0;
  std::vector<std::string> problems;

 private:
  failing::Plan plan_;
};

struct Operation {
  const char* name;  ///< the entry point, and behind a colon what is special
  void (*body)(Trial&);
  /// It may do without the memory that was refused, and succeed all the same.
  bool does_without = false;
};

/// What must come of a failure.
enum class Verdict { kMustFail, kMayFail, kMustSucceed };

struct Failure {
  const char* name;
  failing::Call call;
  int error;
  Verdict verdict;
  std::initializer_list<OM_uint32> minors;  ///< of which one is given when it fails
  bool others = false;                      ///< in other threads as well
};

class Sweep {
 public:
  explicit Sweep(Tally& tally) noexcept : tally_(tally) {}

  /// Every allocation of `operation` fails: alone, and with all after it.
  void allocations(const Operation& operation, bool others = false) {
    const Verdict verdict = operation.does_without ? Verdict::kMayFail : Verdict::kMustFail;
    const Failure failure{"allocation", failing::Call::kAllocation, ENOMEM,
                          verdict,      {GSS_NTLM_S_NO_MEMORY},     others};
    tally_.allocations += all(operation, failure, false);
    tally_.allocations += all(operation, failure, true);
  }

  void system_calls(const Operation& operation, const Failure& failure) {
    tally_.system_calls += all(operation, failure, false);
    if (failure.verdict != Verdict::kMustSucceed) {
      tally_.system_calls += all(operation, failure, true);
    }
  }

  /// Notes a case.
  void close(const std::string& name) {
    if (problems_ == 0) {
      ++tally_.passed;
    } else {
      ++tally_.failed;
      std::printf("FAIL %s: %d problems\n", name.c_str(), problems_);
    }
    problems_ = 0;
  }

 private:
  // How many points there were.
  long all(const Operation& operation, const Failure& failure, bool on) {
    // What is kept from one call to the next is there.
    attempt(operation, {});
    attempt(operation, {});
    long before = failing::live();
    long points = 0;
    for (int at = 1;; ++at) {
      const Trial* trial =
          attempt(operation, {failure.call, at, failure.error, on, failure.others});
      const bool reached = trial->seen >= at;
      if (reached) {
        ++points;
        judge(*trial, operation, failure, at, on);
      }
      attempt(operation, {});
      if (!reached) {
        return points;
      }
      if (const long lost = lost_again(operation, failure, at, on, before); lost > 0) {
        problem(operation, failure, at, on, std::to_string(lost) + " pieces of memory lost");
      }
    }
  }

  // What is lost is lost each time; what a library has opened meanwhile it keeps.
  long lost_again(const Operation& operation, const Failure& failure, int at, bool on,
                  long& before) {
    long lost = failing::live() - before;
    for (int again = 0; again < 2 && lost != 0; ++again) {
      before = failing::live();
      attempt(operation, {failure.call, at, failure.error, on, failure.others});
      attempt(operation, {});
      lost = failing::live() - before;
    }
    return lost;
  }

  const Trial* attempt(const Operation& operation, const failing::Plan& plan) {
    trial_.~Trial();
    new (&trial_) Trial(plan);
    operation.body(trial_);
    if (plan.call == failing::Call::kNone) {
      if (!trial_.ok()) {
        report(std::string(operation.name) + " without a failure: status " + status(trial_));
      }
      for (const std::string& text : trial_.problems) {
        report(std::string(operation.name) + " without a failure: " + text);
      }
    }
    return &trial_;
  }

  void judge(const Trial& trial, const Operation& operation, const Failure& failure, int at,
             bool on) {
    for (const std::string& text : trial.problems) {
      problem(operation, failure, at, on, text);
    }
    if (trial.ok()) {
      if (failure.verdict == Verdict::kMustFail) {
        problem(operation, failure, at, on, "succeeded");
      }
      return;
    }
    if (failure.verdict == Verdict::kMustSucceed) {
      problem(operation, failure, at, on, "status " + status(trial));
      return;
    }
    const bool known = std::find(failure.minors.begin(), failure.minors.end(), trial.minor) !=
                       failure.minors.end();
    const bool memory = failure.call != failing::Call::kAllocation || trial.major == GSS_S_FAILURE;
    if (!known || !memory) {
      problem(operation, failure, at, on, "status " + status(trial));
    }
  }

  static std::string status(const Trial& trial) {
    char text[40];
    std::snprintf(text, sizeof text, "%#x %#x", trial.major, trial.minor);
    return text;
  }

  void problem(const Operation& operation, const Failure& failure, int at, bool on,
               const std::string& text) {
    report(std::string(operation.name) + ", " + failure.name + " " + std::to_string(at) +
           (on ? " and all after it" : "") + " fails: " + text);
  }

  void report(const std::string& text) {
    constexpr int kShown = 10;
    if (++problems_ <= kShown) {
      std::printf("  %s\n", text.c_str());
    }
  }

  Tally& tally_;
  int problems_ = 0;
  Trial trial_{failing::Plan{}};
};

}  // namespace gssntlm::test
