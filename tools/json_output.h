// JSON on standard output.
#pragma once

#include <cstdio>

#include <nlohmann/json.hpp>

namespace gssntlm::tools {

/// In ASCII, with an indentation; text that is not UTF-8 is replaced. Throws std::bad_alloc.
inline void print_json(const nlohmann::ordered_json& json) {
  std::puts(json.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

}  // namespace gssntlm::tools
