"""Heimdal's judgement of an NTLMv2 response, by the functions with which its KDC checks those of others."""
import ctypes
import struct
import time

UNICODE_TARGET = 0x00810005  # UNICODE, REQUEST_TARGET, TARGET_TYPE_DOMAIN, TARGET_INFO
CHALLENGE = bytes(range(0x20, 0x28))


class Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("data", ctypes.c_void_p)]


def wide(text):
    return text.encode("utf-16-le")


def make_challenge(negotiate):
    """An answer to our initiator's NEGOTIATE that agrees to what it offers; without a timestamp, so without MIC."""
    offered, = struct.unpack_from("<I", negotiate, 12)
    target = wide("CORP")
    pairs = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in
                     ((2, wide("CORP")), (1, wide("PEER")), (0, b"")))
    return b"".join((b"NTLMSSP\0", struct.pack("<IHHII", 2, len(target), len(target), 56, offered | UNICODE_TARGET),
                     CHALLENGE, bytes(8), struct.pack("<HHI", len(pairs), len(pairs), 56 + len(target)),
                     b"\x0a\0\0\0\0\0\0\x0f", target, pairs))


def field(message, at):
    size, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset:offset + size]


def takes(authenticate, user, domain, password):
    """Whether the response is of that password. (The session key that these functions make does not depend on the
    response, as it should, and is not asked for.)"""
    library = ctypes.CDLL("libheimntlm.so.0")
    hashed, info = Buffer(), Buffer()
    if library.heim_ntlm_nt_key(password.encode(), ctypes.byref(hashed)):
        raise RuntimeError("Heimdal has no hash of the password")
    response = field(authenticate, 20)
    memory, key = ctypes.create_string_buffer(response, len(response)), ctypes.create_string_buffer(16)
    given = Buffer(len(response), ctypes.cast(memory, ctypes.c_void_p))
    return not library.heim_ntlm_verify_ntlm2(
        ctypes.c_void_p(hashed.data), ctypes.c_size_t(hashed.length), user.encode(), domain.encode(),
        ctypes.c_long(int(time.time())), CHALLENGE, ctypes.byref(given), ctypes.byref(info), key)
