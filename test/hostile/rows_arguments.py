"""Rows of the threat table about the arguments of calls: NULL, lengths without bytes."""
import itertools
import os
import subprocess
from ctypes import byref, c_int, c_uint32, c_void_p

import glue
import harness
import ntlm
from harness import check, row, trap


def lib_call(name, *arguments):
    return getattr(glue.lib, name)(*arguments)


def nullable_calls(world):
    """Every entry of RFC 2744 that reaches the module: name and the arguments of a working call."""
    one, other, cred, name, message, mac = world

    def out(kind=c_uint32):
        return byref(kind())
    buffer = lambda data: byref(glue.buffer_of(data))
    yield "gss_init_sec_context", [out(), cred.handle, out(c_void_p), name.handle, byref(glue.NTLM),
                                   c_uint32(0), c_uint32(0), None, None, out(c_void_p),
                                   out(glue.Buffer), out(), out()]
    yield "gss_accept_sec_context", [out(), out(c_void_p), cred.handle, buffer(ntlm.negotiate()),
                                     None, out(c_void_p), out(c_void_p), out(glue.Buffer), out(),
                                     out(), out(c_void_p)]
    yield "gss_context_time", [out(), one.handle, out()]
    yield "gss_inquire_context", [out(), one.handle, out(c_void_p), out(c_void_p), out(),
                                  out(c_void_p), out(), out(c_int), out(c_int)]
    yield "gss_get_mic", [out(), one.handle, c_uint32(0), buffer(b"x"), out(glue.Buffer)]
    yield "gss_verify_mic", [out(), other.handle, buffer(message), buffer(mac), out()]
    yield "gss_wrap", [out(), one.handle, c_int(1), c_uint32(0), buffer(b"x"), out(c_int),
                       out(glue.Buffer)]
    yield "gss_unwrap", [out(), other.handle, buffer(mac), out(glue.Buffer), out(c_int), out()]
    yield "gss_wrap_size_limit", [out(), one.handle, c_int(1), c_uint32(0), c_uint32(100), out()]
    yield "gss_process_context_token", [out(), one.handle, buffer(b"x")]
    yield "gss_import_name", [out(), buffer(b"CORP\\alice"), byref(glue.NT_USER), out(c_void_p)]
    yield "gss_display_name", [out(), name.handle, out(glue.Buffer), out(c_void_p)]
    yield "gss_compare_name", [out(), name.handle, name.handle, out(c_int)]
    yield "gss_duplicate_name", [out(), name.handle, out(c_void_p)]
    yield "gss_canonicalize_name", [out(), name.handle, byref(glue.NTLM), out(c_void_p)]
    yield "gss_acquire_cred", [out(), None, c_uint32(0), byref(glue.mech_set(glue.NTLM)),
                               c_int(glue.ACCEPT), out(c_void_p), out(c_void_p), out()]
    yield "gss_acquire_cred_from", [out(), None, c_uint32(0), byref(glue.mech_set(glue.NTLM)),
                                    c_int(glue.BOTH), None, out(c_void_p), out(c_void_p), out()]
    yield "gss_acquire_cred_with_password", [
        out(), name.handle, buffer(b"password"), c_uint32(0), byref(glue.mech_set(glue.NTLM)),
        c_int(glue.INITIATE), out(c_void_p), out(c_void_p), out()]
    yield "gss_inquire_cred", [out(), cred.handle, out(c_void_p), out(), out(c_int), out(c_void_p)]
    yield "gss_inquire_cred_by_mech", [out(), cred.handle, byref(glue.NTLM), out(c_void_p), out(),
                                       out(), out(c_int)]
    yield "gss_inquire_names_for_mech", [out(), byref(glue.NTLM), out(c_void_p)]
    yield "gss_inquire_attrs_for_mech", [out(), byref(glue.NTLM), out(c_void_p), out(c_void_p)]
    yield "gss_inquire_saslname_for_mech", [out(), byref(glue.NTLM), out(glue.Buffer),
                                            out(glue.Buffer), out(glue.Buffer)]
    yield "gss_inquire_sec_context_by_oid", [out(), one.handle, byref(glue.SESSION_KEY),
                                             out(c_void_p)]
    yield "gss_set_sec_context_option", [out(), byref(c_void_p(one.handle.value)),
                                         byref(glue.oid(b"\x2a\x03")), buffer(b"x")]
    yield "gss_display_status", [out(), c_uint32(0x4E540001), c_int(2), byref(glue.NTLM), out(),
                                 out(glue.Buffer)]


# The library itself reads these without looking; they never reach the module.
LIBRARY_READS = {"gss_set_sec_context_option": {3}, "gss_inquire_saslname_for_mech": {1},
                 "gss_inquire_attrs_for_mech": {1}, "gss_display_status": {4}}


def in_child(body, what):
    """Runs `body` in a child, which must end by itself with status 0."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    check(status == 0, what, "ended with status %#x" % status)


@row(25, "every pointer NULL, singly and in pairs, through the library")
def null_arguments():
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")
    cred = glue.Cred(glue.BOTH, "CORP\\alice")
    world = (one, other, cred, glue.Name("CORP\\alice"), b"m", one.mic(b"m"))

    def all_calls():
        for name, arguments in nullable_calls(world):
            pointers = [i for i, a in enumerate(arguments)
                        if not isinstance(a, (c_uint32, c_int)) and
                        i not in LIBRARY_READS.get(name, ())]
            for first, second in itertools.product(pointers, pointers):
                changed = list(arguments)
                changed[first] = changed[second] = None
                lib_call(name, *changed)
    in_child(all_calls, "a NULL argument")
    harness.honest_to_initiator()


@row(25, "every pointer NULL, at the module's own entries")
def null_arguments_of_the_module():
    import threats
    module = glue.Library(threats.module_path(), mode=os.RTLD_NOW | os.RTLD_LOCAL)
    entries = exported(threats.module_path())
    check(len(entries) > 30, "entries", entries)

    def all_null():
        for name in entries:
            if name.startswith(("gss_", "gssspi_")):
                getattr(module, name)(*[None] * 14)
                getattr(module, name)(byref(c_uint32()), *[None] * 13)
    in_child(all_null, "NULL everywhere")


def exported(path):
    import subprocess
    out = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True,
                         check=True).stdout
    return [line.split()[2].split("@")[0] for line in out.splitlines() if " T " in line]


@row(25, "a length without bytes behind it")
def length_without_bytes():
    broken = glue.Buffer(5, None)
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")

    def body():
        out = glue.Buffer()
        minor = byref(c_uint32())
        calls = ((glue.lib.gss_wrap, (one.handle, 1, 0, byref(broken), None, byref(out))),
                 (glue.lib.gss_unwrap, (other.handle, byref(broken), byref(out), None, None)),
                 (glue.lib.gss_get_mic, (one.handle, 0, byref(broken), byref(out))),
                 (glue.lib.gss_verify_mic, (other.handle, byref(broken), byref(broken), None)),
                 (glue.lib.gss_import_name, (byref(broken), byref(glue.NT_USER),
                                             byref(c_void_p()))))
        for function, arguments in calls:
            check(glue.is_error(function(minor, *arguments)), function)
    in_child(body, "a broken buffer")


@trap("length that counts the NUL")
def no_counted_terminators():
    for spelled in ("CORP\\alice", "alice", "alice@corp.example"):
        name = glue.Name(spelled)
        check("\0" not in str(name), "display_name counts its end")
        out = glue.Buffer()
        canonical = c_void_p()
        check(glue.lib.gss_canonicalize_name(byref(c_uint32()), name.handle, byref(glue.NTLM),
                                             byref(canonical)) == 0, "canonicalize")
        check(glue.lib.gss_export_name(byref(c_uint32()), canonical, byref(out)) == 0, "export")
        token = glue.data_of(out)
        size = int.from_bytes(token[16:20], "big")
        check(size == len(token) - 20, "the name's length", token)
        check(token[21:25] in (b"\0\0\0\5", b"\0\0\0\x12"), "the user's length", token)
        glue.lib.gss_release_name(byref(c_uint32()), byref(canonical))
