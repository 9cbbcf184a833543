// One end of an exchange in C, driven over standard input and output as test/interop/peer.py is:
// frames of a 4-byte big-endian length and that many bytes. An answer begins with "+" (done), "-"
// (another token is wanted) or "!" (an error, as text). And libgssapi as programs find it that do
// not link it.
#pragma once

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stddef.h>

#define GSS_FUNCTIONS(X)            \
  X(gss_accept_sec_context)         \
  X(gss_acquire_cred)               \
  X(gss_acquire_cred_from)          \
  X(gss_acquire_cred_with_password) \
  X(gss_delete_sec_context)         \
  X(gss_display_name)               \
  X(gss_display_status)             \
  X(gss_get_mic)                    \
  X(gss_import_name)                \
  X(gss_indicate_mechs)             \
  X(gss_init_sec_context)           \
  X(gss_inquire_context)            \
  X(gss_inquire_cred)               \
  X(gss_oid_equal)                  \
  X(gss_release_buffer)             \
  X(gss_release_cred)               \
  X(gss_release_iov_buffer)         \
  X(gss_release_name)               \
  X(gss_release_oid_set)            \
  X(gss_set_cred_option)            \
  X(gss_set_neg_mechs)              \
  X(gss_unwrap)                     \
  X(gss_unwrap_iov)                 \
  X(gss_verify_mic)                 \
  X(gss_wrap)                       \
  X(gss_wrap_iov)                   \
  X(gss_wrap_iov_length)

/// The functions of libgssapi_krb5.so.2, each under its own name, and two of its types of names.
struct Library {
#define DECLARE(name) __typeof__(name)* name;
  GSS_FUNCTIONS(DECLARE)
#undef DECLARE
  gss_OID user_name;
  gss_OID hostbased_service;
};
extern struct Library lib;
extern gss_OID_desc ntlm_oid;
extern gss_OID_desc spnego_oid;

/// Opens the library, or ends the program. The types of names are found under the names given.
void open_library(const char* user_name_symbol, const char* hostbased_symbol);

/// The value of "KEY=VALUE" among the program's arguments, or `otherwise`.
const char* option(char** arguments, const char* key, const char* otherwise);

/// Reads one frame into memory that the next call reuses; its end has a NUL behind it. Ends the
/// program when there is none.
gss_buffer_desc receive_frame(void);
void send_frame(char kind, const void* data, size_t size);
/// Sends an error and ends the program with status 0: it is an answer.
void send_failure(const char* text) __attribute__((noreturn));
/// Whether `frame` begins with "COMMAND "; what follows is left in it.
int is_command(gss_buffer_desc* frame, const char* command);

/// Ends the program through send_failure when `major` is an error: both texts, the minor one of
/// `mech`.
void require(OM_uint32 major, OM_uint32 minor, gss_OID mech, const char* what);
/// The same, but lets the program go on; true if `major` was an error.
int report(OM_uint32 major, OM_uint32 minor, gss_OID mech, const char* what);

gss_buffer_desc buffer_of(const char* text);
