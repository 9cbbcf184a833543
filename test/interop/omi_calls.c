// The GSSAPI calls of OMI and PSWSMan (PowerShell remoting over WinRM), in their order and with
// their arguments, as one end of an exchange.
//
//   omi_calls initiate|accept spnego [KEY=VALUE...]
//
// KEYs of an initiator: user, password, target (WSMAN/server.example); of both: keyfile, a users
// file that is named in a credential store; iov=yes, messages through gss_wrap_iov and
// gss_unwrap_iov. The frames are those of peer.py; commands are those, too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/frames.h"

enum { kSignatureSize = 16 };

static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static int through_iov = 0;

static void check(OM_uint32 major, OM_uint32 minor, const char* what) {
  require(major, minor, &spnego_oid, what);
}

static gss_name_t import(const char* text, gss_OID type) {
  OM_uint32 minor = 0;
  gss_name_t name = GSS_C_NO_NAME;
  gss_buffer_desc buffer = buffer_of(text);
  check(lib.gss_import_name(&minor, &buffer, type, &name), minor, text);
  return name;
}

static gss_cred_id_t acquire_from_store(gss_name_t name, gss_cred_usage_t usage,
                                        const char* keyfile) {
  OM_uint32 minor = 0;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_OID_set_desc mechs = {1, &spnego_oid};
  gss_key_value_element_desc element = {"ntlmssp_keyfile", keyfile};
  gss_key_value_set_desc store = {1, &element};
  check(lib.gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, &mechs, usage, &store, &cred,
                                  NULL, NULL),
        minor, "credential of a store");
  return cred;
}

static gss_cred_id_t acquire(gss_cred_usage_t usage, char** options) {
  OM_uint32 minor = 0;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_OID_set_desc mechs = {1, &spnego_oid};
  const char* user = option(options, "user", NULL);
  const char* keyfile = option(options, "keyfile", NULL);
  const char* password = option(options, "password", NULL);
  gss_name_t name = user != NULL ? import(user, lib.user_name) : GSS_C_NO_NAME;
  if (keyfile != NULL) {
    cred = acquire_from_store(name, usage, keyfile);
  } else if (password != NULL) {
    gss_buffer_desc secret = buffer_of(password);
    check(lib.gss_acquire_cred_with_password(&minor, name, &secret, 0, &mechs, usage, &cred, NULL,
                                             NULL),
          minor, "credential with a password");
  } else {
    check(lib.gss_acquire_cred(&minor, name, 0, &mechs, usage, &cred, NULL, NULL), minor,
          "credential with a user name only");
  }
  if (name != GSS_C_NO_NAME) {
    lib.gss_release_name(&minor, &name);
  }
  return cred;
}

/// No flags are asked for, and messages are sealed all the same afterwards.
static void initiate(char** options) {
  OM_uint32 minor = 0;
  gss_cred_id_t cred = acquire(GSS_C_INITIATE, options);
  gss_OID_set_desc only = {1, &ntlm_oid};
  check(lib.gss_set_neg_mechs(&minor, cred, &only), minor, "gss_set_neg_mechs");
  // Host-based, though with a slash.
  gss_name_t target =
      import(option(options, "target", "WSMAN/server.example"), lib.hostbased_service);
  gss_buffer_desc input = GSS_C_EMPTY_BUFFER;
  for (;;) {
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    OM_uint32 flags = 0;
    const OM_uint32 major = lib.gss_init_sec_context(
        &minor, cred, &context, target, &spnego_oid, 0, 0, GSS_C_NO_CHANNEL_BINDINGS,
        input.length != 0 ? &input : GSS_C_NO_BUFFER, NULL, &output, &flags, NULL);
    check(major, minor, "gss_init_sec_context");
    send_frame(major == GSS_S_COMPLETE ? '+' : '-', output.value, output.length);
    lib.gss_release_buffer(&minor, &output);
    if (major == GSS_S_COMPLETE) {
      break;
    }
    input = receive_frame();
  }
  lib.gss_release_name(&minor, &target);
  lib.gss_release_cred(&minor, &cred);
}

static void accept_client(char** options) {
  OM_uint32 minor = 0;
  gss_cred_id_t cred = acquire(GSS_C_ACCEPT, options);
  for (;;) {
    gss_buffer_desc input = receive_frame();
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major =
        lib.gss_accept_sec_context(&minor, &context, cred, &input, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                   NULL, &output, NULL, NULL, NULL);
    check(major, minor, "gss_accept_sec_context");
    send_frame(major == GSS_S_COMPLETE ? '+' : '-', output.value, output.length);
    lib.gss_release_buffer(&minor, &output);
    if (major == GSS_S_COMPLETE) {
      break;
    }
  }
  lib.gss_release_cred(&minor, &cred);
}

static void answer_name(void) {
  OM_uint32 minor = 0;
  gss_name_t source = GSS_C_NO_NAME;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  check(lib.gss_inquire_context(&minor, context, &source, NULL, NULL, NULL, NULL, NULL, NULL),
        minor, "gss_inquire_context");
  check(lib.gss_display_name(&minor, source, &text, NULL), minor, "gss_display_name");
  send_frame('+', text.value, text.length);
  lib.gss_release_buffer(&minor, &text);
  lib.gss_release_name(&minor, &source);
}

static void answer_wrap(gss_buffer_desc message) {
  OM_uint32 minor = 0;
  int sealed = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  if (report(lib.gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, &message, &sealed, &token), minor,
             &spnego_oid, "gss_wrap")) {
    return;
  }
  // The signature is sent apart from what it belongs to.
  if (!sealed || token.length != kSignatureSize + message.length) {
    send_failure("gss_wrap makes something else than 16 bytes and the sealed message");
  }
  send_frame('+', token.value, token.length);
  lib.gss_release_buffer(&minor, &token);
}

static void answer_unwrap(gss_buffer_desc token) {
  OM_uint32 minor = 0;
  int sealed = 0;
  gss_buffer_desc message = GSS_C_EMPTY_BUFFER;
  if (!report(lib.gss_unwrap(&minor, context, &token, &message, &sealed, NULL), minor, &spnego_oid,
              "gss_unwrap")) {
    send_frame('+', message.value, message.length);
    lib.gss_release_buffer(&minor, &message);
  }
}

/// In place: the message becomes the sealed message, and the header and the padding are allocated.
static void answer_wrap_iov(gss_buffer_desc message) {
  OM_uint32 minor = 0;
  int sealed = 0;
  gss_iov_buffer_desc parts[3] = {
      {GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, GSS_C_EMPTY_BUFFER},
      {GSS_IOV_BUFFER_TYPE_DATA, message},
      {GSS_IOV_BUFFER_TYPE_PADDING | GSS_IOV_BUFFER_FLAG_ALLOCATE, GSS_C_EMPTY_BUFFER}};
  if (report(lib.gss_wrap_iov(&minor, context, 1, GSS_C_QOP_DEFAULT, &sealed, parts, 3), minor,
             &spnego_oid, "gss_wrap_iov")) {
    return;
  }
  if (!sealed || parts[0].buffer.length != kSignatureSize || parts[2].buffer.length != 0) {
    send_failure("gss_wrap_iov makes something else than 16 bytes and the sealed message");
  }
  const size_t size = kSignatureSize + message.length;
  char* token = malloc(size);
  if (token == NULL) {
    exit(1);
  }
  memcpy(token, parts[0].buffer.value, kSignatureSize);
  memcpy(token + kSignatureSize, parts[1].buffer.value, message.length);
  send_frame('+', token, size);
  free(token);
  lib.gss_release_iov_buffer(&minor, parts, 3);
}

static void answer_unwrap_iov(gss_buffer_desc token) {
  OM_uint32 minor = 0;
  int sealed = 0;
  gss_iov_buffer_desc parts[3] = {
      {GSS_IOV_BUFFER_TYPE_HEADER, {kSignatureSize, token.value}},
      {GSS_IOV_BUFFER_TYPE_DATA,
       {token.length - kSignatureSize, (char*)token.value + kSignatureSize}},
      {GSS_IOV_BUFFER_TYPE_PADDING, GSS_C_EMPTY_BUFFER}};
  if (!report(lib.gss_unwrap_iov(&minor, context, &sealed, NULL, parts, 3), minor, &spnego_oid,
              "gss_unwrap_iov")) {
    send_frame('+', parts[1].buffer.value, parts[1].buffer.length);
  }
}

static void answer(gss_buffer_desc frame) {
  if (is_command(&frame, "wrap")) {
    (through_iov ? answer_wrap_iov : answer_wrap)(frame);
  } else if (is_command(&frame, "unwrap")) {
    (through_iov ? answer_unwrap_iov : answer_unwrap)(frame);
  } else if (is_command(&frame, "name")) {
    answer_name();
  } else {
    send_failure("no such command");
  }
}

int main(int count, char** arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: omi_calls initiate|accept spnego [KEY=VALUE...]\n");
    return 2;
  }
  open_library("gss_nt_user_name", "GSS_C_NT_HOSTBASED_SERVICE");
  through_iov = strcmp(option(arguments + 3, "iov", "no"), "yes") == 0;
  if (strcmp(arguments[1], "initiate") == 0) {
    initiate(arguments + 3);
  } else {
    accept_client(arguments + 3);
  }
  for (;;) {
    answer(receive_frame());
  }
}
