// The table of account sources.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "mech/backends/backend.h"

namespace gssntlm {

/// One line each of backends.inc.
#define X(WORD, DIRECTORY) [[nodiscard]] const Backend& WORD##_backend() noexcept;
#include "mech/backends/backends.inc"
#undef X

/// All of them. A program that defines this function itself has its own table instead of this one.
[[nodiscard]] std::span<const Backend* const> backends() noexcept;

/// The source that settings call `word`; nullptr: none.
[[nodiscard]] const Backend* backend_called(std::string_view word) noexcept;

/// The source whose references have this tag; nullptr: none.
[[nodiscard]] const Backend* backend_tagged(std::uint8_t tag) noexcept;

/// Those that can do it, in the order of the table. Throw std::bad_alloc.
[[nodiscard]] std::vector<const Backend*> backends_with_logins();
[[nodiscard]] std::vector<const Backend*> backends_with_accounts();

}  // namespace gssntlm
