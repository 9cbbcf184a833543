// A handshake and its messages through the module's own entry points, for the operations that are
// tried while something fails, and what they share.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "test/hostile/direct.h"
#include "test/support/gss.h"

namespace gssntlm::test::failure {

using direct::Buffer;
using direct::BufferSet;
using direct::Context;
using direct::Cred;
using direct::g_mech;
using direct::Name;
using direct::OidSet;
using direct::spi;
using direct::view;

inline constexpr const char* kUsers =
    "CORP:alice:Passw0rd\nCORP:bob:Secret1\nOURS:root:Passw0rd\n"
    "CORP\\carol:1:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:[U]:LCT-0:\n";
inline constexpr OM_uint32 kProtected = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;

/// Set by main(); the rest by acquire_shared().
extern const Workshop* g_shop;
extern gss_cred_id_t g_alice;
extern gss_cred_id_t g_accept;
extern gss_name_t g_target;
extern gss_name_t g_proven;  ///< of a user who logged in and is an account of this host

/// Ends the process: what a trial starts from is missing.
[[noreturn]] void give_up(const char* what);

/// With the settings in force now; what was shared before is not released.
void acquire_shared();

struct Pair {
  Context initiator;
  Context acceptor;
  std::string token;  ///< of the last step

  OM_uint32 init(gss_cred_id_t cred = g_alice, OM_uint32 flags = kProtected);
  OM_uint32 accept(gss_cred_id_t cred = g_accept);
  /// Both sides up to, and with, step `legs` of 4.
  bool go(int legs, gss_cred_id_t alice = g_alice, gss_cred_id_t accepting = g_accept,
          OM_uint32 flags = kProtected);
};

/// Whether a sealed and a signed message arrive: in one direction, in both.
bool carries(gss_ctx_id_t from, gss_ctx_id_t to);
bool works(Pair& pair);

/// Whether a handshake with these credentials ends with contexts that work.
bool logs_in(gss_cred_id_t cred, gss_cred_id_t accepting = g_accept);

/// Whether it is established.
bool is_open(gss_ctx_id_t context);

/// An established pair, the same one in all trials of an operation: what is broken once stays
/// broken.
Pair& shared_pair();

Name import(const char* text, gss_OID type);
std::string display(gss_name_t name);

/// A credential store.
struct Store {
  explicit Store(std::initializer_list<gss_key_value_element_desc> list) : elements(list) {
    set = {static_cast<OM_uint32>(elements.size()), elements.data()};
  }
  std::vector<gss_key_value_element_desc> elements;
  gss_key_value_set_desc set{};
};

/// Makes the module read a file again: its times change.
void touch(const std::string& path);

/// Makes it read its settings again: a variable changes.
void change_settings();

}  // namespace gssntlm::test::failure
