#include "frames.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Library lib;
gss_OID_desc ntlm_oid = {10, (void*)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
gss_OID_desc spnego_oid = {6, (void*)"\x2b\x06\x01\x05\x05\x02"};

static void* symbol(void* handle, const char* name) {
  void* found = dlsym(handle, name);
  if (found == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return found;
}

void open_library(const char* user_name_symbol, const char* hostbased_symbol) {
  void* handle = dlopen("libgssapi_krb5.so.2", RTLD_LAZY);
  if (handle == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
#define FIND(name) *(void**)&lib.name = symbol(handle, #name);
  GSS_FUNCTIONS(FIND)
#undef FIND
  lib.user_name = *(gss_OID*)symbol(handle, user_name_symbol);
  lib.hostbased_service = *(gss_OID*)symbol(handle, hostbased_symbol);
}

const char* option(char** arguments, const char* key, const char* otherwise) {
  const size_t size = strlen(key);
  for (; *arguments != NULL; ++arguments) {
    if (strncmp(*arguments, key, size) == 0 && (*arguments)[size] == '=') {
      return *arguments + size + 1;
    }
  }
  return otherwise;
}

static void read_all(void* to, size_t size) {
  char* at = to;
  while (size > 0) {
    const ssize_t got = read(0, at, size);
    if (got <= 0) {
      exit(0);
    }
    at += got;
    size -= (size_t)got;
  }
}

static void write_all(const void* from, size_t size) {
  const char* at = from;
  while (size > 0) {
    const ssize_t put = write(1, at, size);
    if (put <= 0) {
      exit(1);
    }
    at += put;
    size -= (size_t)put;
  }
}

gss_buffer_desc receive_frame(void) {
  static char* memory = NULL;
  uint8_t head[4];
  read_all(head, sizeof head);
  const size_t size =
      (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | (size_t)head[3];
  memory = realloc(memory, size + 1);
  if (memory == NULL) {
    exit(1);
  }
  read_all(memory, size);
  memory[size] = '\0';
  const gss_buffer_desc frame = {size, memory};
  return frame;
}

void send_frame(char kind, const void* data, size_t size) {
  const size_t whole = size + 1;
  const uint8_t head[5] = {(uint8_t)(whole >> 24), (uint8_t)(whole >> 16), (uint8_t)(whole >> 8),
                           (uint8_t)whole, (uint8_t)kind};
  write_all(head, sizeof head);
  write_all(data, size);
}

void send_failure(const char* text) {
  send_frame('!', text, strlen(text));
  exit(0);
}

int is_command(gss_buffer_desc* frame, const char* command) {
  const size_t size = strlen(command);
  if (frame->length <= size || memcmp(frame->value, command, size) != 0 ||
      ((char*)frame->value)[size] != ' ') {
    return 0;
  }
  frame->value = (char*)frame->value + size + 1;
  frame->length -= size + 1;
  return 1;
}

static void append_text(char* to, size_t room, OM_uint32 code, int type, gss_OID mech) {
  OM_uint32 minor = 0;
  OM_uint32 more = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  do {
    if (lib.gss_display_status(&minor, code, type, mech, &more, &text) != GSS_S_COMPLETE) {
      return;
    }
    const size_t used = strlen(to);
    snprintf(to + used, room - used, ": %.*s", (int)text.length, (const char*)text.value);
    lib.gss_release_buffer(&minor, &text);
  } while (more != 0);
}

static void tell(char* to, size_t room, OM_uint32 major, OM_uint32 minor, gss_OID mech,
                 const char* what) {
  snprintf(to, room, "%s", what);
  append_text(to, room, major, GSS_C_GSS_CODE, GSS_C_NO_OID);
  append_text(to, room, minor, GSS_C_MECH_CODE, mech);
}

void require(OM_uint32 major, OM_uint32 minor, gss_OID mech, const char* what) {
  char text[2048];
  if (GSS_ERROR(major)) {
    tell(text, sizeof text, major, minor, mech, what);
    send_failure(text);
  }
}

int report(OM_uint32 major, OM_uint32 minor, gss_OID mech, const char* what) {
  char text[2048];
  if (!GSS_ERROR(major)) {
    return 0;
  }
  tell(text, sizeof text, major, minor, mech, what);
  send_frame('!', text, strlen(text));
  return 1;
}

gss_buffer_desc buffer_of(const char* text) {
  const gss_buffer_desc buffer = {strlen(text), (void*)text};
  return buffer;
}
