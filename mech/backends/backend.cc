#include "mech/backends/backend.h"

#include "mech/backends/backends.h"

namespace gssntlm {
namespace {

template <typename Test>
const Backend* first_with(Test test) noexcept {
  for (const Backend* backend : backends()) {
    if (test(*backend)) {
      return backend;
    }
  }
  return nullptr;
}

template <typename Test>
std::vector<const Backend*> all_with(Test test) {
  std::vector<const Backend*> found;
  for (const Backend* backend : backends()) {
    if (test(*backend)) {
      found.push_back(backend);
    }
  }
  return found;
}

}  // namespace

const Backend* backend_called(std::string_view word) noexcept {
  return first_with([&](const Backend& backend) { return backend.word() == word; });
}

const Backend* backend_tagged(std::uint8_t tag) noexcept {
  return first_with([&](const Backend& backend) { return backend.tag() == tag; });
}

std::vector<const Backend*> backends_with_logins() {
  return all_with([](const Backend& backend) { return backend.has_logins(); });
}

std::vector<const Backend*> backends_with_accounts() {
  return all_with([](const Backend& backend) { return backend.has_accounts(); });
}

}  // namespace gssntlm
