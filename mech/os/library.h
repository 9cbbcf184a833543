// Libraries that the module uses where they are installed, and is not linked with.
#pragma once

namespace gssntlm {

/// A library that is loaded at run time. It is never closed: threads may be in it.
class Library {
 public:
  explicit Library(const char* name) noexcept;

  /// Sets `to` to the function called `name`. False, and nullptr, if the library or the function is
  /// missing.
  template <typename Function>
  [[nodiscard]] bool take(const char* name, Function& to) const noexcept {
    to = reinterpret_cast<Function>(find(name));
    return to != nullptr;
  }

 private:
  [[nodiscard]] void* find(const char* name) const noexcept;

  void* handle_;
};

}  // namespace gssntlm
