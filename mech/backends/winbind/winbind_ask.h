// Questions to winbind that more than one task has: to be called in WinbindTask::run().
#pragma once

#include <optional>
#include <string>

#include "mech/backends/winbind/wbclient.h"
#include "mech/backends/winbind/winbind_names.h"

namespace gssntlm {

/// The facts but the forest. nullopt: no winbind answers. Throws std::bad_alloc.
[[nodiscard]] std::optional<WinbindFacts> ask_facts(const Wbclient& api, wbcContext* context);

/// Whether winbind would check a logon for this process. It is asked about an account that no
/// machine has, of `computer`, this machine's NetBIOS name, so that no domain controller hears of
/// it.
[[nodiscard]] bool may_check_logons(const Wbclient& api, wbcContext* context,
                                    const std::string& computer) noexcept;

}  // namespace gssntlm
