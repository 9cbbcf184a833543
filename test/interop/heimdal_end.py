#!/usr/bin/python3
"""One end of a GSSAPI exchange with Heimdal's library, driven as peer.py is.

Usage: heimdal_end.py initiate|accept raw|spnego [flags=HEX]    flags of an initiator: 30, sealed, unless told
NTLM_USER_FILE holds whom the initiator logs in as: Heimdal takes the entry of the target's domain.
The functions of its library have the names of MIT's, so it needs a process of its own, which loads no other.
"""
import ctypes
import struct
import sys

COMPLETE = 0


class Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", ctypes.c_void_p)]

    def __init__(self, data=b""):
        self.kept = ctypes.create_string_buffer(data, max(len(data), 1))
        super().__init__(len(data), ctypes.cast(self.kept, ctypes.c_void_p))

    def take(self):
        """What the library put there."""
        data = ctypes.string_at(self.value, self.length) if self.length else b""
        minor = ctypes.c_uint32()
        gss.gss_release_buffer(ctypes.byref(minor), ctypes.byref(self))
        return data


class BufferSet(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t), ("elements", ctypes.POINTER(Buffer))]


try:
    gss = ctypes.CDLL("libgssapi.so.3")
except OSError as error:
    sys.exit(str(error))
NTLM = ctypes.addressof(ctypes.c_char.in_dll(gss, "__gss_ntlm_mechanism_oid_desc"))
SPNEGO = ctypes.addressof(ctypes.c_char.in_dll(gss, "__gss_spnego_mechanism_oid_desc"))
SESSION_KEY = ctypes.addressof(ctypes.c_char.in_dll(gss, "__gss_ntlm_get_session_key_x_oid_desc"))
SERVICE = ctypes.addressof(ctypes.c_char.in_dll(gss, "__gss_c_nt_hostbased_service_oid_desc"))


class Failure(Exception):
    pass


def out():
    buffer = Buffer()
    buffer.length, buffer.value = 0, None
    return buffer


def call(name, *arguments):
    """The major status; every function's first argument is where the minor one goes."""
    minor = ctypes.c_uint32()
    major = getattr(gss, name)(ctypes.byref(minor), *arguments) & 0xFFFFFFFF
    if major & 0xFFFF0000:
        raise Failure("%s: %s" % (name, " ".join(texts(major, minor.value))))
    return major


def texts(major, minor):
    for code, kind in ((major, 1), (minor, 2)):
        more, ignored, text = ctypes.c_uint32(), ctypes.c_uint32(), out()
        gss.gss_display_status(ctypes.byref(ignored), code, kind, ctypes.c_void_p(NTLM), ctypes.byref(more),
                               ctypes.byref(text))
        yield text.take().decode(errors="replace")


class Context:
    def __init__(self, role, mech, flags):
        self.role, self.mech, self.flags = role, ctypes.c_void_p(mech), ctypes.c_uint32(flags)
        self.handle, self.target = ctypes.c_void_p(), ctypes.c_void_p()
        self.source = ctypes.c_void_p()
        call("gss_import_name", ctypes.byref(Buffer(b"host@CORP")), ctypes.c_void_p(SERVICE),
             ctypes.byref(self.target))

    def step(self, token):
        given, made = Buffer(token or b""), out()
        if self.role == "initiate":
            major = call("gss_init_sec_context", None, ctypes.byref(self.handle), self.target, self.mech,
                         self.flags, ctypes.c_uint32(0), None, ctypes.byref(given), None,
                         ctypes.byref(made), None, None)
        else:
            major = call("gss_accept_sec_context", ctypes.byref(self.handle), None, ctypes.byref(given), None,
                         ctypes.byref(self.source), None, ctypes.byref(made), None, None, None)
        return major == COMPLETE, made.take()

    # Its tokens end with the signature that those of all others begin with.
    def wrap(self, data):
        made = out()
        call("gss_wrap", self.handle, ctypes.c_int(1), ctypes.c_uint32(0), ctypes.byref(Buffer(data)), None,
             ctypes.byref(made))
        token = made.take()
        return token[-16:] + token[:-16]

    def unwrap(self, data):
        made = out()
        token = data[16:] + data[:16]
        call("gss_unwrap", self.handle, ctypes.byref(Buffer(token)), ctypes.byref(made), None, None)
        return made.take()

    def mic(self, data):
        made = out()
        call("gss_get_mic", self.handle, ctypes.c_uint32(0), ctypes.byref(Buffer(data)), ctypes.byref(made))
        return made.take()

    def verify(self, data):
        call("gss_verify_mic", self.handle, ctypes.byref(Buffer(data[16:])), ctypes.byref(Buffer(data[:16])), None)
        return b"ok"

    def key(self, _):
        made = ctypes.c_void_p()
        call("gss_inquire_sec_context_by_oid", self.handle, ctypes.c_void_p(SESSION_KEY), ctypes.byref(made))
        return ctypes.cast(made, ctypes.POINTER(BufferSet)).contents.elements[0].take()

    def name(self, _):
        made = out()
        call("gss_display_name", self.source, ctypes.byref(made), None)
        return made.take()


def send(data):
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    sys.stdout.buffer.flush()


def receive():
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        sys.exit(0)
    return sys.stdin.buffer.read(struct.unpack(">I", head)[0])


def main():
    role, mech = sys.argv[1], NTLM if sys.argv[2] == "raw" else SPNEGO
    try:
        context = Context(role, mech, int(sys.argv[3].partition("=")[2], 16) if sys.argv[3:] else 0x30)
        token = None if role == "initiate" else receive()
        while True:
            done, token = context.step(token)
            send((b"+" if done else b"-") + token)
            if done:
                break
            token = receive()
        commands = {b"wrap": context.wrap, b"unwrap": context.unwrap, b"mic": context.mic, b"verify": context.verify,
                    b"key": context.key, b"name": context.name}
        while True:
            command, _, data = receive().partition(b" ")
            send(b"+" + commands[command](data))
    except Failure as failure:
        send(b"!" + str(failure).encode())


main()
