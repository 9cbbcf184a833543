#include "mech/os/library.h"

#include <dlfcn.h>

namespace gssntlm {

Library::Library(const char* name) noexcept
    : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {}

void* Library::find(const char* name) const noexcept {
  return handle_ != nullptr ? ::dlsym(handle_, name) : nullptr;
}

}  // namespace gssntlm
