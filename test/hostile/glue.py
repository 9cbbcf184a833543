"""libgssapi_krb5 through ctypes, so that every argument can be what no binding would let it be."""
import ctypes
import os
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p

COMPLETE, CONTINUE = 0, 1
BAD_MECH, BAD_NAME, BAD_NAMETYPE, BAD_BINDINGS, BAD_STATUS, BAD_SIG, NO_CRED, NO_CONTEXT, \
    DEFECTIVE_TOKEN, DEFECTIVE_CREDENTIAL, CREDENTIALS_EXPIRED, CONTEXT_EXPIRED, FAILURE, BAD_QOP, \
    UNAUTHORIZED, UNAVAILABLE, DUPLICATE_ELEMENT, NAME_NOT_MN = (n << 16 for n in range(1, 19))
CALL_READ, CALL_WRITE, CALL_STRUCTURE = (n << 24 for n in range(1, 4))

DELEG, MUTUAL, REPLAY, SEQUENCE, CONF, INTEG, ANON, PROT_READY, TRANS = (1 << n for n in range(9))
CHANNEL_BOUND, DCE_STYLE, IDENTIFY = 0x800, 0x1000, 0x2000
BOTH, INITIATE, ACCEPT = range(3)

NAMES = {0: "COMPLETE", 1: "CONTINUE_NEEDED"}
NAMES.update((n << 16, name) for n, name in enumerate(
    "BAD_MECH BAD_NAME BAD_NAMETYPE BAD_BINDINGS BAD_STATUS BAD_SIG NO_CRED NO_CONTEXT "
    "DEFECTIVE_TOKEN DEFECTIVE_CREDENTIAL CREDENTIALS_EXPIRED CONTEXT_EXPIRED FAILURE BAD_QOP "
    "UNAUTHORIZED UNAVAILABLE DUPLICATE_ELEMENT NAME_NOT_MN".split(), 1))

class Library(ctypes.CDLL):
    _func_restype_ = c_uint32


lib = Library(os.environ.get("GSSAPI_LIBRARY", "libgssapi_krb5.so.2"))


class Buffer(Structure):
    _fields_ = [("length", c_size_t), ("value", c_void_p)]


class Oid(Structure):
    _fields_ = [("length", c_uint32), ("elements", c_void_p)]


class OidSet(Structure):
    _fields_ = [("count", c_size_t), ("elements", POINTER(Oid))]


class BufferSet(Structure):
    _fields_ = [("count", c_size_t), ("elements", POINTER(Buffer))]


class Bindings(Structure):
    _fields_ = [("initiator_type", c_uint32), ("initiator", Buffer), ("acceptor_type", c_uint32),
                ("acceptor", Buffer), ("application_data", Buffer)]


class Element(Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class Store(Structure):
    _fields_ = [("count", c_uint32), ("elements", POINTER(Element))]


class Iov(Structure):
    _fields_ = [("type", c_uint32), ("buffer", Buffer)]


_alive = []


def oid(content):
    """An OID that lives as long as the process, as callers of GSSAPI must grant."""
    data = ctypes.create_string_buffer(content, len(content))
    _alive.append(data)
    return Oid(len(content), ctypes.addressof(data))


NTLM = oid(bytes.fromhex("2b06010401823702020a"))
SPNEGO = oid(bytes.fromhex("2b0601050502"))
NT_USER = oid(bytes.fromhex("2a864886f71201020101"))
NT_SERVICE = oid(bytes.fromhex("2a864886f71201020104"))
NT_ANONYMOUS = oid(bytes.fromhex("2b0601050603"))
REQUIRE_MIC = oid(bytes.fromhex("2b06010401b77d850f0102"))
RESET_CRYPTO = oid(bytes.fromhex("2b06010401b77d850f0103"))
SESSION_KEY = oid(bytes.fromhex("2a864886f712010202" "0505"))


def data_of(buffer):
    """The bytes of a buffer that the library made, which is released."""
    out = ctypes.string_at(buffer.value, buffer.length) if buffer.value else b""
    lib.gss_release_buffer(byref(c_uint32()), byref(buffer))
    return out


def buffer_of(data):
    """A buffer over a copy of `data` that ends where its memory ends, so that ASan sees overreads
    of one byte."""
    if data is None:
        return None
    memory = ctypes.create_string_buffer(data, len(data)) if data else ctypes.create_string_buffer(1)
    made = Buffer(len(data), ctypes.addressof(memory))
    made.memory = memory
    return made


def ref(thing):
    return byref(thing) if thing is not None else None


class Status(Exception):
    def __init__(self, major, minor):
        super().__init__("%s (%s)" % (show(major), text(minor)))
        self.major, self.minor = major, minor


def show(major):
    calling = major >> 24
    routine = NAMES.get(major & 0xFF0000, hex(major))
    extra = major & 0xFFFF
    if not major & 0xFFFF0000:
        return NAMES.get(extra, "COMPLETE|%#x" % extra)
    return ("CALL%d|" % calling if calling else "") + routine


def text(minor, mech=NTLM):
    """What gss_display_status says of a minor code."""
    out, more = Buffer(), c_uint32(0)
    major = lib.gss_display_status(byref(c_uint32()), c_uint32(minor), 2, byref(mech), byref(more),
                                   byref(out))
    return data_of(out).decode("utf-8", "replace") if not major else "?"


def is_error(major):
    return major & 0xFFFF0000 != 0


class Name:
    def __init__(self, spelled, kind=NT_USER):
        self.handle = c_void_p()
        minor = c_uint32()
        data = spelled.encode("utf-8", "surrogatepass") if isinstance(spelled, str) else spelled
        major = lib.gss_import_name(byref(minor), byref(buffer_of(data)), ref(kind),
                                    byref(self.handle))
        if major:
            raise Status(major, minor.value)

    def __str__(self):
        return displayed(self.handle)

    def __del__(self):
        lib.gss_release_name(byref(c_uint32()), byref(self.handle))


def displayed(handle):
    out = Buffer()
    if not handle or lib.gss_display_name(byref(c_uint32()), handle, byref(out), None):
        return None
    return data_of(out).decode()


def mech_set(mech):
    return OidSet(1, ctypes.pointer(mech)) if mech is not None else None


class Cred:
    """gss_acquire_cred_from, or _with_password when `password` is bytes-like and `store` is None."""

    def __init__(self, usage=INITIATE, name=None, password=None, store=None, mech=NTLM):
        self.handle = c_void_p()
        minor = c_uint32()
        self.name = Name(name) if name is not None else None
        handle = self.name.handle if self.name else None
        if password is not None:
            data = password.encode() if isinstance(password, str) else password
            major = lib.gss_acquire_cred_with_password(
                byref(minor), handle, byref(buffer_of(data)), 0, ref(mech_set(mech)), usage,
                byref(self.handle), None, None)
        else:
            elements = [Element(k.encode(), v.encode()) for k, v in (store or {}).items()]
            array = (Element * max(1, len(elements)))(*elements)
            keys = Store(len(elements), array)
            major = lib.gss_acquire_cred_from(
                byref(minor), handle, 0, ref(mech_set(mech)), usage, ref(keys if store else None),
                byref(self.handle), None, None)
        if is_error(major):
            raise Status(major, minor.value)

    def __del__(self):
        lib.gss_release_cred(byref(c_uint32()), byref(self.handle))


class Context:
    """One end of a context. step() keeps the last status in .major, .minor and .flags."""

    def __init__(self, initiator, cred=None, mech=NTLM, flags=INTEG | CONF, bindings=None,
                 target="HTTP@server.example", target_kind=NT_SERVICE):
        self.initiator, self.cred, self.mech, self.wanted = initiator, cred, mech, flags
        self.handle = c_void_p()
        self.major = self.minor = None
        self.flags = 0
        self.source = None
        self.target = Name(target, target_kind) if initiator else None
        self.set_bindings(bindings)

    def set_bindings(self, data):
        self.bindings = None
        if data is not None:
            self.bound = buffer_of(data)
            self.bindings = Bindings(0, Buffer(), 0, Buffer(), self.bound)

    def step(self, token=b""):
        minor, flags, out = c_uint32(), c_uint32(0), Buffer()
        cred = self.cred.handle if self.cred else None
        data = ref(buffer_of(token))
        if self.initiator:
            self.major = lib.gss_init_sec_context(
                byref(minor), cred, byref(self.handle), self.target.handle, ref(self.mech),
                c_uint32(self.wanted), 0, ref(self.bindings), data, None, byref(out), byref(flags),
                None)
        else:
            source = c_void_p()
            self.major = lib.gss_accept_sec_context(
                byref(minor), byref(self.handle), cred, data, ref(self.bindings), byref(source),
                None, byref(out), byref(flags), None, None)
            self.source = displayed(source)
            lib.gss_release_name(byref(c_uint32()), byref(source))
        self.minor, self.flags = minor.value, flags.value
        return data_of(out)

    @property
    def text(self):
        return text(self.minor)

    @property
    def complete(self):
        return self.major == COMPLETE

    def _message(self, function, *arguments):
        minor = c_uint32()
        self.major = function(byref(minor), self.handle, *arguments)
        self.minor = minor.value
        return self.major

    def wrap(self, message, conf=1):
        out = Buffer()
        self._message(lib.gss_wrap, conf, 0, byref(buffer_of(message)), None, byref(out))
        return data_of(out)

    def unwrap(self, token):
        out = Buffer()
        self._message(lib.gss_unwrap, byref(buffer_of(token)), byref(out), None, None)
        return data_of(out)

    def mic(self, message):
        out = Buffer()
        self._message(lib.gss_get_mic, 0, byref(buffer_of(message)), byref(out))
        return data_of(out)

    def verify(self, message, token):
        return self._message(lib.gss_verify_mic, byref(buffer_of(message)), byref(buffer_of(token)),
                             None)

    def inquire(self):
        """(major, source, target, mech, flags, initiated, open)"""
        minor, source, target, life = c_uint32(), c_void_p(), c_void_p(), c_uint32()
        mech, flags, local, is_open = POINTER(Oid)(), c_uint32(), c_int(), c_int()
        major = lib.gss_inquire_context(byref(minor), self.handle, byref(source), byref(target),
                                        byref(life), byref(mech), byref(flags), byref(local),
                                        byref(is_open))
        named = ctypes.string_at(mech.contents.elements, mech.contents.length) if mech else b""
        out = (major, displayed(source), displayed(target), named, flags.value, local.value,
               is_open.value)
        for name in (source, target):
            lib.gss_release_name(byref(c_uint32()), byref(name))
        return out

    def by_oid(self, wanted):
        made = POINTER(BufferSet)()
        major = lib.gss_inquire_sec_context_by_oid(byref(c_uint32()), self.handle, byref(wanted),
                                                   byref(made))
        if major:
            return None
        out = [ctypes.string_at(b.value, b.length)
               for b in made.contents.elements[:made.contents.count]]
        lib.gss_release_buffer_set(byref(c_uint32()), byref(made))
        return out

    def delete(self):
        return lib.gss_delete_sec_context(byref(c_uint32()), byref(self.handle), None)

    def deleted(self):
        """Deletes; True if the handle is gone and nothing but its absence was complained of."""
        major = self.delete()
        return not self.handle and major & 0xFF0000 in (0, NO_CONTEXT)

    def __del__(self):
        self.delete()


def handshake(initiator, acceptor, tamper=lambda leg, token: token, legs=6):
    """Runs two contexts against each other, every token through `tamper`; True if both completed."""
    token, leg = b"", 0
    done = [False, False]
    for _ in range(legs):
        for i, side in enumerate((initiator, acceptor)):
            if done[i] or (i == 1 and not token):
                continue
            token = side.step(token)
            if is_error(side.major):
                return False
            done[i] = side.complete
            leg += 1
            token = tamper(leg, token) if token else token
        if all(done):
            return True
    return False
