// Where the trace goes while the settings cannot be used.
#pragma once

#include <string>
#include <string_view>

namespace gssntlm {

/// [trace] file as the text of a settings file says, whatever else in it is wrong; empty: it says
/// none. Throws std::bad_alloc.
[[nodiscard]] std::string trace_file_in(std::string_view text);

/// The trace file of the last load_settings() that failed: as the environment says, else as the
/// settings file says, if it could be read and is no other user's. Empty: none. Throws
/// std::bad_alloc.
[[nodiscard]] std::string trace_file_of_failed_settings();

}  // namespace gssntlm
