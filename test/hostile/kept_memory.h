// Memory that is freed and keeps its content, for tests that search it for secrets.
#pragma once

namespace gssntlm::test {

/// While it lasts, what is freed in this process stays as it is: the next owner of that memory
/// might overwrite what was not wiped. One at a time.
class KeepFreed {
 public:
  KeepFreed() noexcept;
  KeepFreed(const KeepFreed&) = delete;
  KeepFreed& operator=(const KeepFreed&) = delete;
  ~KeepFreed();
};

}  // namespace gssntlm::test
