// The Runtime of a running process: the system's clock, randomness and the trace file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "mech/base/runtime.h"
#include "mech/config/settings.h"

namespace gssntlm {

/// One per context. Each event goes to the trace file as one line, written at once, with time,
/// process, context and role; the last one is remembered for the audit record.
class ProcessRuntime : public Runtime {
 public:
  /// `role` is "initiator" or "acceptor", a literal. Throws std::bad_alloc.
  ProcessRuntime(Ref<const Settings> settings, const char* role);

  [[nodiscard]] std::uint64_t now() const noexcept override;
  [[nodiscard]] bool random(MutableBytes out) const noexcept override;
  /// From the kernel's identifier of this boot.
  [[nodiscard]] std::array<std::uint8_t, 32> machine_id() const noexcept override;
  [[nodiscard]] bool tracing() const noexcept override;
  void trace(std::string_view event) const noexcept override;
  /// The reason becomes the detail of error_with_detail().
  void explain(Minor minor, std::string_view reason) const noexcept override;

  /// A message that was `verb` ("sent", "received"), decoded, at trace level 2. No response, key or
  /// hash is shown.
  void trace_message(std::string_view verb, ByteView token) const;

  /// Who logs in, from or to where: printed behind each event from now on, but not kept for the
  /// audit, which has fields for it. Empty: nothing is printed.
  void set_parties(std::string parties) noexcept { parties_ = std::move(parties); }
  /// Whether events are written to a file; tracing() is true where there is only an audit, too.
  [[nodiscard]] bool writes_trace() const noexcept;

  /// How many events there have been.
  [[nodiscard]] std::uint32_t events() const noexcept { return events_; }
  /// The last event, cut at 255 bytes; empty when no audit is asked for.
  [[nodiscard]] std::string_view last_event() const noexcept {
    return last_ ? std::string_view(*last_) : std::string_view();
  }

 private:
  Ref<const Settings> settings_;
  const char* role_;
  std::uint32_t number_;  // of the context in this process
  mutable std::uint32_t events_ = 0;
  std::string parties_;
  std::unique_ptr<std::string> last_;  // there if and only if an audit is asked for
};

/// Traces why load_settings() failed, where the environment or the settings that cannot be used
/// say. Throws std::bad_alloc.
void trace_failed_settings(Error error);
/// load_settings(), whose failure is traced. Throws std::bad_alloc.
[[nodiscard]] inline Result<Ref<const Settings>> load_settings_or_trace() {
  Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    trace_failed_settings(settings.error());
  }
  return settings;
}

/// An event outside of any context, e.g. which credential was chosen and why.
void trace_event(const Settings& settings, std::string_view event) noexcept;
/// Whether trace_event() and contexts with these settings write anywhere.
[[nodiscard]] bool is_tracing(const Settings& settings) noexcept;

/// Sends the traces of this process, from now on, to `path`; an empty path turns them off.
/// Overrides environment and settings. Each distinct path stays allocated for the life of the
/// process, because other threads may still read it. Throws std::bad_alloc.
void set_trace_file(std::string_view path);

}  // namespace gssntlm
