// The GSSAPI calls of .NET on Linux (System.Net.Security.Native), in its order and with its
// arguments, as one end of an exchange: what NegotiateAuthentication and NegotiateStream do.
//
// dotnet.py runs .NET itself, where npm has it; this runs everywhere, and with sanitizers.
//
//   dotnet_calls initiate|accept raw|spnego [KEY=VALUE...]
//
// KEYs of an initiator: user, password (without them the default credential), target
// (HTTP/server.example), protect (none, sign, seal), no_ci=yes (GSS_KRB5_CRED_NO_CI_FLAGS_X),
// bindings. The frames are those of peer.py; commands are those, too, and wrap0, flags and mech.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/frames.h"

enum { kSignatureSize = 16 };

static gss_OID_desc no_ci_flags = {6, (void*)"\x2a\x85\x70\x2b\x0d\x1d"};
static gss_OID_desc kerberos_oid = {9, (void*)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};

static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static OM_uint32 flags = 0;
static gss_OID actual_mech = GSS_C_NO_OID;

/// The mechanism's own text is asked for without saying which mechanism.
static void check(OM_uint32 major, OM_uint32 minor, const char* what) {
  require(major, minor, GSS_C_NO_OID, what);
}

static int is_ntlm_installed(void) {
  OM_uint32 minor = 0;
  gss_OID_set mechs = GSS_C_NO_OID_SET;
  int found = 0;
  check(lib.gss_indicate_mechs(&minor, &mechs), minor, "gss_indicate_mechs");
  for (size_t i = 0; i < mechs->count; ++i) {
    const gss_OID one = &mechs->elements[i];
    found |= one->length == ntlm_oid.length &&
             memcmp(one->elements, ntlm_oid.elements, ntlm_oid.length) == 0;
  }
  lib.gss_release_oid_set(&minor, &mechs);
  return found;
}

/// A service's name: its first slash becomes an "@".
static gss_name_t import_target(const char* spn) {
  OM_uint32 minor = 0;
  gss_name_t name = GSS_C_NO_NAME;
  char* text = strdup(spn);
  char* slash = strchr(text, '/');
  if (slash != NULL) {
    *slash = '@';
  }
  gss_buffer_desc buffer = buffer_of(text);
  check(lib.gss_import_name(&minor, &buffer, lib.hostbased_service, &name), minor, "target");
  free(text);
  return name;
}

static gss_cred_id_t acquire(gss_OID mech, const char* user, const char* password, int no_ci) {
  OM_uint32 minor = 0;
  OM_uint32 major = GSS_S_COMPLETE;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_name_t name = GSS_C_NO_NAME;
  gss_OID_set_desc mechs = {1, mech};
  gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
  if (user != NULL) {
    gss_buffer_desc text = buffer_of(user);
    check(lib.gss_import_name(&minor, &text, lib.user_name, &name), minor, "user");
  }
  if (password != NULL) {
    gss_buffer_desc secret = buffer_of(password);
    major = lib.gss_acquire_cred_with_password(&minor, name, &secret, 0, &mechs, GSS_C_INITIATE,
                                               &cred, NULL, NULL);
  } else {
    major = lib.gss_acquire_cred(&minor, name, 0, &mechs, GSS_C_INITIATE, &cred, NULL, NULL);
  }
  check(major, minor, "credential");
  // Builds against a krb5 that knows the option set it; Microsoft's own do not. Where it fails, so
  // does the acquisition.
  if (no_ci) {
    check(lib.gss_set_cred_option(&minor, &cred, &no_ci_flags, &empty), minor,
          "GSS_KRB5_CRED_NO_CI_FLAGS_X");
  }
  if (name != GSS_C_NO_NAME) {
    lib.gss_release_name(&minor, &name);
  }
  return cred;
}

static OM_uint32 flags_for(const char* protection) {
  const OM_uint32 common = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
  if (strcmp(protection, "seal") == 0) {
    return common | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  }
  return strcmp(protection, "sign") == 0 ? common | GSS_C_INTEG_FLAG : GSS_C_MUTUAL_FLAG;
}

static void initiate(gss_OID mech, char** options) {
  OM_uint32 minor = 0;
  if (!is_ntlm_installed()) {
    send_failure("NTLM is not among the mechanisms");
  }
  gss_cred_id_t cred =
      acquire(mech, option(options, "user", NULL), option(options, "password", NULL),
              strcmp(option(options, "no_ci", "no"), "yes") == 0);
  gss_name_t target = import_target(option(options, "target", "HTTP/server.example"));
  const char* data = option(options, "bindings", NULL);
  struct gss_channel_bindings_struct bindings;
  memset(&bindings, 0, sizeof bindings);
  if (data != NULL) {
    bindings.application_data = buffer_of(data);
  }
  gss_buffer_desc input = GSS_C_EMPTY_BUFFER;
  for (;;) {
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major = lib.gss_init_sec_context(
        &minor, cred, &context, target, mech, flags_for(option(options, "protect", "seal")), 0,
        data != NULL ? &bindings : GSS_C_NO_CHANNEL_BINDINGS, &input, &actual_mech, &output, &flags,
        NULL);
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

static void accept_client(void) {
  OM_uint32 minor = 0;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  check(lib.gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET,
                             GSS_C_ACCEPT, &cred, NULL, NULL),
        minor, "credential");
  for (;;) {
    gss_buffer_desc input = receive_frame();
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major =
        lib.gss_accept_sec_context(&minor, &context, cred, &input, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                   &actual_mech, &output, &flags, NULL, NULL);
    check(major, minor, "gss_accept_sec_context");
    send_frame(major == GSS_S_COMPLETE ? '+' : '-', output.value, output.length);
    lib.gss_release_buffer(&minor, &output);
    if (major == GSS_S_COMPLETE) {
      break;
    }
  }
  lib.gss_release_cred(&minor, &cred);
}

/// The initiator, whichever end this is. The type of the name is not asked for.
static void answer_name(void) {
  OM_uint32 minor = 0;
  gss_name_t source = GSS_C_NO_NAME;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  if (report(lib.gss_inquire_context(&minor, context, &source, NULL, NULL, NULL, NULL, NULL, NULL),
             minor, GSS_C_NO_OID, "gss_inquire_context")) {
    return;
  }
  if (!report(lib.gss_display_name(&minor, source, &text, NULL), minor, GSS_C_NO_OID,
              "gss_display_name")) {
    send_frame('+', text.value, text.length);
    lib.gss_release_buffer(&minor, &text);
  }
  lib.gss_release_name(&minor, &source);
}

static void answer_wrap(gss_buffer_desc message, int confidential) {
  OM_uint32 minor = 0;
  int sealed = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  if (report(
          lib.gss_wrap(&minor, context, confidential, GSS_C_QOP_DEFAULT, &message, &sealed, &token),
          minor, GSS_C_NO_OID, "gss_wrap")) {
    return;
  }
  // .NET takes the signature off its front.
  if (token.length != kSignatureSize + message.length) {
    send_failure("gss_wrap makes something else than 16 bytes and the message");
  }
  send_frame('+', token.value, token.length);
  lib.gss_release_buffer(&minor, &token);
}

static void answer_unwrap(gss_buffer_desc token) {
  OM_uint32 minor = 0;
  gss_buffer_desc message = GSS_C_EMPTY_BUFFER;
  if (!report(lib.gss_unwrap(&minor, context, &token, &message, NULL, NULL), minor, GSS_C_NO_OID,
              "gss_unwrap")) {
    send_frame('+', message.value, message.length);
    lib.gss_release_buffer(&minor, &message);
  }
}

static void answer_mic(gss_buffer_desc message) {
  OM_uint32 minor = 0;
  gss_buffer_desc mic = GSS_C_EMPTY_BUFFER;
  if (!report(lib.gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &message, &mic), minor,
              GSS_C_NO_OID, "gss_get_mic")) {
    send_frame('+', mic.value, mic.length);
    lib.gss_release_buffer(&minor, &mic);
  }
}

static void answer_verify(gss_buffer_desc both) {
  OM_uint32 minor = 0;
  gss_buffer_desc mic = {kSignatureSize, both.value};
  gss_buffer_desc message = {both.length - kSignatureSize, (char*)both.value + kSignatureSize};
  if (!report(lib.gss_verify_mic(&minor, context, &message, &mic, NULL), minor, GSS_C_NO_OID,
              "gss_verify_mic")) {
    send_frame('+', "ok", 2);
  }
}

static void answer(gss_buffer_desc frame) {
  char text[16];
  if (is_command(&frame, "wrap")) {
    answer_wrap(frame, 1);
  } else if (is_command(&frame, "wrap0")) {
    answer_wrap(frame, 0);
  } else if (is_command(&frame, "unwrap")) {
    answer_unwrap(frame);
  } else if (is_command(&frame, "mic")) {
    answer_mic(frame);
  } else if (is_command(&frame, "verify")) {
    answer_verify(frame);
  } else if (is_command(&frame, "name")) {
    answer_name();
  } else if (is_command(&frame, "flags")) {
    snprintf(text, sizeof text, "%x", (unsigned)flags);
    send_frame('+', text, strlen(text));
  } else if (is_command(&frame, "mech")) {
    // Whatever is not Kerberos is NTLM to it.
    const char* mech = lib.gss_oid_equal(actual_mech, &kerberos_oid) ? "kerberos" : "ntlm";
    send_frame('+', mech, strlen(mech));
  } else {
    send_failure("no such command");
  }
}

int main(int count, char** arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: dotnet_calls initiate|accept raw|spnego [KEY=VALUE...]\n");
    return 2;
  }
  open_library("GSS_C_NT_USER_NAME", "GSS_C_NT_HOSTBASED_SERVICE");
  if (strcmp(arguments[1], "initiate") == 0) {
    initiate(strcmp(arguments[2], "raw") == 0 ? &ntlm_oid : &spnego_oid, arguments + 3);
  } else {
    accept_client();
  }
  for (;;) {
    answer(receive_frame());
  }
}
