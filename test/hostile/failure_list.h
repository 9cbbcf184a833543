// A list of buffers for the functions of IOV kind.
#pragma once

#include <string>

#include "test/hostile/direct.h"

namespace gssntlm::test::failure {

/// Many buffers: the module has room for sixteen without asking for memory.
struct List {
  static constexpr int kParts = 20;
  std::string text = std::string(kParts, 'x');
  gss_iov_buffer_desc iov[kParts + 1]{};
  OM_uint32 first;

  explicit List(OM_uint32 type) : first(type) {
    iov[0].type = type;
    for (int i = 0; i < kParts; ++i) {
      iov[i + 1].type = GSS_IOV_BUFFER_TYPE_DATA;
      iov[i + 1].buffer = {1, &text[static_cast<std::size_t>(i)]};
    }
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    OM_uint32 minor = 0;
    gss_release_iov_buffer(&minor, iov, 1);
  }
  [[nodiscard]] bool untouched() const {
    return text == std::string(kParts, 'x') && iov[0].type == first &&
           iov[0].buffer.value == nullptr;
  }
};

}  // namespace gssntlm::test::failure
