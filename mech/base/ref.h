// Shared ownership of immutable objects through one allocation and one raw pointer.
#pragma once

#include <atomic>
#include <utility>

namespace gssntlm {

/// Base of objects that Ref counts. Starts at one owner.
class RefCounted {
 public:
  void retain() const noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  /// True if the caller was the last owner and must delete the object.
  [[nodiscard]] bool release() const noexcept {
    return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

 protected:
  RefCounted() noexcept = default;
  RefCounted(const RefCounted&) noexcept {}  // a copy has its own single owner
  RefCounted& operator=(const RefCounted&) = delete;
  ~RefCounted() = default;

 private:
  mutable std::atomic<unsigned> owners_{1};
};

/// An owner of a T, which derives from RefCounted.
template <typename T>
class Ref {
 public:
  Ref() noexcept = default;
  /// Takes over the one reference that `p` was created with, or that detach() gave.
  [[nodiscard]] static Ref adopt(T* p) noexcept {
    Ref r;
    r.p_ = p;
    return r;
  }
  /// A further owner of `p`, which may be nullptr.
  [[nodiscard]] static Ref share(T* p) noexcept {
    if (p != nullptr) {
      p->retain();
    }
    return adopt(p);
  }
  Ref(const Ref& other) noexcept : p_(other.p_) {
    if (p_ != nullptr) {
      p_->retain();
    }
  }
  Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~Ref() {
    if (p_ != nullptr && p_->release()) {
      delete p_;
    }
  }

  [[nodiscard]] T* get() const noexcept { return p_; }
  /// Transfers the reference to a C handle; adopt() takes it back.
  [[nodiscard]] T* detach() noexcept { return std::exchange(p_, nullptr); }
  T& operator*() const noexcept { return *p_; }
  T* operator->() const noexcept { return p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }

 private:
  T* p_ = nullptr;
};

}  // namespace gssntlm
