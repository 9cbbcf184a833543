// What is tried while something fails: operations by subject, and what is more than one call.
#pragma once

#include <initializer_list>
#include <span>

#include "test/hostile/failure_exchange.h"
#include "test/hostile/failure_trial.h"

namespace gssntlm::test::failure {

using failing::Call;

std::span<const Operation> credential_operations();
std::span<const Operation> handshake_operations();
std::span<const Operation> message_operations();
std::span<const Operation> context_operations();
std::span<const Operation> name_operations();
std::span<const Operation> mechanism_operations();

/// Only where has_keyrings(); the failures are those of the kernel's keyrings.
std::span<const Operation> keyring_operations();
std::span<const Failure> keyring_failures();
/// In a session keyring of this process's own from here on.
bool has_keyrings();

/// Bodies of several operations.
void acquire_from(Trial& t, std::initializer_list<gss_key_value_element_desc> elements,
                  gss_cred_usage_t usage = GSS_C_INITIATE);
void second_accept(Trial& t, gss_cred_id_t alice = g_alice, gss_cred_id_t accepting = g_accept);
template <typename Use>
void on_shared_pair(Trial& t, Use use) {
  Pair& pair = shared_pair();
  use(pair);
  t.expect(works(pair), "the context no longer works");
}

/// Before the module is used for the first time; gives the number of failure points.
long first_uses(Sweep& sweep, Tally& tally);

/// An attacker's users file takes the place of the administrator's while it is read.
void replace_meanwhile(Tally& tally);

/// Changes the settings. `double_path`: a libwbclient that answers as it is told.
void try_winbind(Sweep& sweep, Tally& tally, const char* double_path);

}  // namespace gssntlm::test::failure
