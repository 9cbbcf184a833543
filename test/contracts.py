#!/usr/bin/python3
"""Checks contracts of docs/architecture.md that a compiler cannot see.

Usage: contracts.py SOURCE_ROOT    FAIL lines; exit status 1 when there is one
       contracts.py --self-test    plants one offence after the other, and checks whether it is found

1. The body of each function of mech/spi/exports.map runs inside guard() or one of its forms.
2. It clears its outputs before anything else.
3. Nothing compares bytes with memcmp, same_bytes or an algorithm of the library, but for what is listed here with its
   reason: bytes that may be secret are compared with verify_equal.
"""
import os
import re
import sys

# Functions that do without guard(), and why.
WITHOUT_GUARD = {
    "gss_display_status": "a failure of its own would replace the detail that is asked for",
    "gss_internal_release_oid": "it compares two pointers, and must leave the detail of the last error alone",
}
# Buffers that callers pass in; any other gss_buffer_t is an output.
INPUTS = {"input", "message", "associated", "attribute", "password", "user", "object"}
INPUTS_OF = {
    "gss_unwrap": {"token"}, "gss_unwrap_aead": {"token"}, "gss_verify_mic": {"token"}, "gss_import_cred": {"token"},
    "gss_import_sec_context": {"token"}, "gss_import_name": {"value"}, "gss_set_name_attribute": {"value"},
    "gss_set_sec_context_option": {"value"}, "gssspi_set_cred_option": {"value"}, "gssspi_mech_invoke": {"value"},
    "gss_inquire_mech_for_saslname": {"sasl_name"},
}
# What a function reads as well as writes.
IN_OUT = {
    "gss_init_sec_context": {"context"}, "gss_accept_sec_context": {"context"}, "gss_delete_sec_context": {"context"},
    "gss_export_sec_context": {"handle"}, "gss_release_name": {"name"}, "gss_release_cred": {"credential"},
    "gss_internal_release_oid": {"oid"}, "gss_set_sec_context_option": {"context"},
    "gssspi_set_cred_option": {"credential"}, "gss_display_status": {"message_context"},
}
# gss_cred_usage_t has no value that means none.
OUTPUT = re.compile(r"^(?:OM_uint32|int|gss_(?:OID|OID_set|name_t|cred_id_t|ctx_id_t|qop_t|buffer_set_t)) ?\* ?(\w+)$")
GUARDED = re.compile(r"\A\s*(?:const CancellationHold hold;\s*|const bool \w+ =[^;]*;\s*)*"
                     r"(?:return|const OM_uint32 \w+ =) guard(?:_release|_brief|_secret<\w+>)?\(minor, [^{]*\{(.*)", re.S)
DELEGATED = re.compile(r"\A\s*return (\w+)\(")
CLEARING = re.compile(r"\A\s*(?:clear\((\w+)\);|store\((?:\w+\.)?(\w+), [^;]*\);"
                      r"|const AcquireOutputs out\{([^}]*)\};\s*clear\(out\);)", re.S)

COMPARES = re.compile(r"\b(?:memcmp|bcmp|strcmp|strncmp|same_bytes|(?:std::|ranges::)equal)\(")
# file: how many comparisons, and of what, none of which is secret.
PUBLIC = {
    "mech/base/bytes.cc": (2, "same_bytes() itself"), "mech/base/bytes.h": (1, "its declaration"),
    "mech/spi/credential_store.cc": (2, "keys of a credential store"), "mech/spi/framing.cc": (1, "an OID"),
    "mech/spi/token.cc": (1, "the magic of an exported token"), "mech/spi/names.cc": (1, "the head of an exported name"),
    "mech/spi/oids.cc": (2, "OIDs"), "mech/config/settings.cc": (1, "values of the environment"),
    "mech/protocol/server_info.cc": (1, "names and time of a CHALLENGE"),
    "mech/protocol/initiator.cc": (1, "AV pairs of a CHALLENGE"), "mech/wire/types.cc": (1, "the signature of messages"),
    "mech/backends/users/users_file.cc": (2, "names of an account"), "spnego/interposer/probe.cc": (1, "an OID"),
    "spnego/interposer/names.cc": (1, "an OID"), "spnego/interposer/process_age.cc": (1, "the end of a file name"),
    "spnego/interposer/registration.cc": (2, "OIDs"), "spnego/token.cc": (1, "an OID"),
}
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def read(path):
    with open(path, encoding="utf-8") as file:
        return COMMENT.sub(lambda m: '""' if m.group(0)[0] == '"' else "", file.read())


def sources(root, *directories):
    """Path from the root and text of each source file."""
    for directory in directories:
        for here, _, names in os.walk(os.path.join(root, directory)):
            for name in sorted(names):
                if name.endswith((".cc", ".h")):
                    path = os.path.join(here, name)
                    yield os.path.relpath(path, root), read(path)


def cleared_by(body):
    """The names that the first statements clear."""
    names = set()
    while match := CLEARING.match(body):
        single, stored, many = match.groups()
        names |= {n.strip() for n in many.split(",")} if many else {single or stored}
        body = body[match.end():]
    return names


def outputs_of(function, parameters):
    names = set()
    for parameter in parameters[1:]:
        pointer = OUTPUT.match(parameter)
        buffer = re.match(r"^gss_buffer_t (\w+)$", parameter)
        if pointer:
            names.add(pointer.group(1))
        elif buffer and buffer.group(1) not in INPUTS | INPUTS_OF.get(function, set()):
            names.add(buffer.group(1))
    return names - IN_OUT.get(function, set())


def definition(text, name, start):
    return re.search(r"^%s %s\(([^)]*(?:\([^)]*\)[^)]*)*)\) (?:noexcept )?\{\n(.*?)^\}" % (start, name), text, re.M | re.S)


def offences_of(function, text):
    """What is wrong with an exported function."""
    found = definition(text, function, "OM_uint32")
    parameters = [re.sub(r"\s+", " ", p).strip() for p in found.group(1).split(",")]
    guarded = GUARDED.match(found.group(2))
    if function in WITHOUT_GUARD:
        return ["%s has guard(), and is listed as one without" % function] if guarded else []
    if not guarded:
        return ["%s does not begin with guard()" % function]
    body = guarded.group(1)
    helper = DELEGATED.match(body)
    if helper:
        defined = definition(text, helper.group(1), "Answer")
        body = defined.group(2) if defined else body
    return ["%s does not clear %s first" % (function, name)
            for name in sorted(outputs_of(function, parameters) - cleared_by(body))]


def check_exports(root):
    exports = re.findall(r"^ *(gss\w*);$", read(os.path.join(root, "mech/spi/exports.map")), re.M)
    texts = [text for path, text in sources(root, "mech/spi") if path.endswith(".cc")]
    wrong = [] if exports else ["mech/spi/exports.map names nothing"]
    for function in exports:
        text = next((t for t in texts if definition(t, function, "OM_uint32")), None)
        wrong += offences_of(function, text) if text else ["%s is exported, and defined nowhere" % function]
    return wrong, len(exports)


def check_comparisons(root, public):
    wrong = []
    for path, text in sources(root, "mech", "spnego"):
        count, allowed = len(COMPARES.findall(text)), public.get(path, (0, ""))[0]
        if count != allowed:
            wrong.append("%s compares bytes %d times, and %d are known to be public: use verify_equal for what may be "
                         "secret, else list it in test/contracts.py" % (path, count, allowed))
    return wrong


def check(root, public):
    wrong, exports = check_exports(root)
    return wrong + check_comparisons(root, public), exports


GOOD = """
// memcmp(a, b, n)
Answer give_it(gss_name_t name, gss_buffer_t token, Result<Buffer> (*make)(const Name&)) {
  clear(token);
  return {};
}
extern "C" {
OM_uint32 gss_wrap(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t message, int* state,
                   gss_buffer_t output) {
  return guard_brief(minor, [&]() -> Answer {
    clear(output);
    store(state, 0);
    return {};
  });
}
OM_uint32 gss_export_name(OM_uint32* minor, gss_name_t name, gss_buffer_t token) {
  return guard(minor, [&]() -> Answer { return give_it(name, token, nullptr); });
}
OM_uint32 gss_acquire_cred(OM_uint32* minor, gss_cred_id_t* credential, gss_OID_set* mechs) {
  return guard_secret<kStack>(minor, true, [&]() -> Answer {
    const AcquireOutputs out{credential, mechs};
    clear(out);
    return {};
  });
}
}
"""
PLANTED = [
    ("a function without guard", "return guard_brief(minor, [&]() -> Answer {\n    clear(output);", "{\n    clear(output);",
     "gss_wrap does not begin"),
    ("work before guard", "return guard_brief(minor", "do_it();\n  return guard_brief(minor", "gss_wrap does not begin"),
    ("an output that is not cleared", "    store(state, 0);\n", "", "clear state"),
    ("a buffer that is not cleared", "    clear(output);\n", "", "clear output"),
    ("an output that is cleared late", "    clear(output);\n    store(state, 0);\n",
     "    clear(output);\n    if (f()) {\n      return {};\n    }\n    store(state, 0);\n", "clear state"),
    ("a helper that does not clear", "  clear(token);\n", "", "clear token"),
    ("an output that the struct lacks", "{credential, mechs}", "{credential}", "clear mechs"),
    ("an export without a function", "gss_export_name(OM", "gss_export_names(OM", "defined nowhere"),
    ("memcmp", "    store(state, 0);\n", "    store(state, 0);\n    memcmp(a, b, n);\n", "compares bytes"),
    ("same_bytes", "    store(state, 0);\n", "    store(state, 0);\n    same_bytes(a, b);\n", "compares bytes"),
    ("std::equal", "    store(state, 0);\n", "    store(state, 0);\n    std::equal(a, b, c);\n", "compares bytes"),
]


def found_in(text):
    import tempfile
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "mech/spi"))
        for name, content in (("exports.map", "  gss_wrap;\n  gss_export_name;\n  gss_acquire_cred;\n"), ("a.cc", text)):
            with open(os.path.join(root, "mech/spi", name), "w", encoding="utf-8") as file:
                file.write(content)
        return check(root, {})[0]


def self_test():
    clean = found_in(GOOD)
    print("FAIL" if clean else "PASS", "a clean source", *clean)
    missed = bool(clean)
    for what, before, after, words in PLANTED:
        assert GOOD.count(before) == 1, what
        found = found_in(GOOD.replace(before, after))
        good = len(found) == 1 and words in found[0]
        missed |= not good
        print("PASS" if good else "FAIL (%s)" % found, what)
    return not missed


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    if arguments[0] == "--self-test":
        return self_test()
    wrong, exports = check(arguments[0], PUBLIC)
    for line in wrong:
        print("FAIL", line)
    if not wrong:
        print("PASS each of %d exported functions is guarded and clears its outputs; comparisons are of public bytes" % exports)
    return not wrong


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
