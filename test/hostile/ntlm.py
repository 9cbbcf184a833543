"""NTLM messages and both roles, independent of the module, every part of which can be bent.

Client and Server play honest roles unless told otherwise: each takes keyword switches, most of
them functions that receive what an honest peer would send and return what this one sends.
"""
import os
import struct
import time as clock

import crypto

SIGNATURE = b"NTLMSSP\0"
UNICODE, OEM, REQUEST_TARGET = 0x1, 0x2, 0x4
SIGN, SEAL, DATAGRAM, LM_KEY, NTLM = 0x10, 0x20, 0x40, 0x80, 0x200
ANONYMOUS, ALWAYS_SIGN = 0x800, 0x8000
TARGET_DOMAIN, TARGET_SERVER, ESS, IDENTIFY = 0x10000, 0x20000, 0x80000, 0x100000
NON_NT_KEY, TARGET_INFO, VERSION = 0x400000, 0x800000, 0x2000000
K128, KEY_EXCH, K56 = 0x20000000, 0x40000000, 0x80000000

OFFER = (UNICODE | REQUEST_TARGET | SIGN | SEAL | NTLM | ALWAYS_SIGN | ESS | VERSION | K128 |
         KEY_EXCH | K56)
OUR_VERSION = bytes.fromhex("0a00614a0000000f")

EOL, NB_COMPUTER, NB_DOMAIN, DNS_COMPUTER, DNS_DOMAIN, DNS_TREE = range(6)
FLAGS, TIMESTAMP, SINGLE_HOST, TARGET_NAME, BINDINGS = range(6, 11)
HOUR = 3600 * 10**7


def filetime(unix=None):
    return int(((clock.time() if unix is None else unix) + 11644473600) * 10**7)


def utf16(text):
    return text.encode("utf-16-le", "surrogatepass")


def pairs_of(data):
    """[(id, value)] up to EOL, which must be there."""
    out = []
    at = 0
    while True:
        av, size = struct.unpack_from("<HH", data, at)
        value = data[at + 4:at + 4 + size]
        assert len(value) == size, "a pair overruns"
        at += 4 + size
        if av == EOL:
            assert size == 0, "EOL has a value"
            return out
        out.append((av, value))


def pack_pairs(pairs, eol=True):
    out = b"".join(struct.pack("<HH", av, len(value)) + value for av, value in pairs)
    return out + (bytes(4) if eol else b"")


def one(pairs, wanted):
    found = [value for av, value in pairs if av == wanted]
    assert len(found) <= 1, "pair %d comes %d times" % (wanted, len(found))
    return found[0] if found else None


def field(message, at):
    size, _, offset = struct.unpack_from("<HHI", message, at)
    data = message[offset:offset + size]
    assert len(data) == size, "field at %d points outside" % at
    return data


def set_field(message, at, size=None, offset=None):
    """The message with one descriptor's numbers replaced."""
    out = bytearray(message)
    if size is not None:
        struct.pack_into("<HH", out, at, size & 0xFFFF, size & 0xFFFF)
    if offset is not None:
        struct.pack_into("<I", out, at + 4, offset & 0xFFFFFFFF)
    return bytes(out)


def flags_at(message):
    return {1: 12, 2: 20, 3: 60}[struct.unpack_from("<I", message, 8)[0]]


def flags_of(message):
    return struct.unpack_from("<I", message, flags_at(message))[0]


def with_flags(message, flags):
    out = bytearray(message)
    struct.pack_into("<I", out, flags_at(message), flags & 0xFFFFFFFF)
    return bytes(out)


def negotiate(flags=OFFER, domain=b"", workstation=b"", size=40):
    message = SIGNATURE + struct.pack("<II", 1, flags)
    names = struct.pack("<HHIHHI", len(domain), len(domain), 40 + len(workstation) if domain else 0,
                        len(workstation), len(workstation), 40 if workstation else 0)
    message += names + (OUR_VERSION if flags & VERSION else bytes(8))
    return message[:size] + workstation + domain


def challenge(flags, nonce, target_name, info, version=OUR_VERSION):
    head = 48 + len(version)
    return (SIGNATURE + struct.pack("<IHHII", 2, len(target_name), len(target_name), head, flags) +
            nonce + bytes(8) + struct.pack("<HHI", len(info), len(info), head + len(target_name)) +
            version + target_name + info)


ORDER = ("domain", "user", "workstation", "lm", "nt", "key")
PLACES = {"lm": 12, "nt": 20, "domain": 28, "user": 36, "workstation": 44, "key": 52}


def authenticate(parts, flags, version=OUR_VERSION, mic=bytes(16), order=ORDER, gap=0):
    """AUTHENTICATE with its payload in any order, `gap` bytes apart; version and mic may be b""."""
    head = 64 + len(version) + len(mic)
    fixed = bytearray(SIGNATURE + struct.pack("<I", 3) + bytes(48) + struct.pack("<I", flags))
    payload = b""
    for name in order:
        payload += b"\xee" * gap
        struct.pack_into("<HHI", fixed, PLACES[name], len(parts[name]), len(parts[name]),
                         head + len(payload))
        payload += parts[name]
    return bytes(fixed) + version + mic + payload


def parts_of(message):
    return {name: field(message, at) for name, at in PLACES.items()}


class Session:
    """Message protection of [MS-NLMP] 3.4 for one end."""

    def __init__(self, flags, key, server):
        self.flags = flags
        self.key = key
        self.ess = bool(flags & ESS)
        bits = 128 if flags & K128 else 56 if flags & K56 else 40
        self.signing = [crypto.signing_key(key, server), crypto.signing_key(key, not server)]
        if self.ess:
            self.sealing = [crypto.sealing_key(key, server, bits),
                            crypto.sealing_key(key, not server, bits)]
            self.streams = [crypto.Rc4(k) for k in self.sealing]
        else:
            self.sealing = [key, key]
            self.streams = [crypto.Rc4(key)] * 2
        self.numbers = [0, 0]

    def _mac(self, way, message, number):
        if not self.ess:
            stream = self.streams[way]
            stream.crypt(bytes(4))
            crc = stream.crypt(struct.pack("<I", crypto.crc32(message)))
            return struct.pack("<II", 1, 0) + crc + stream.crypt(struct.pack("<I", number))
        mac = crypto.hmac_md5(self.signing[way], struct.pack("<I", number) + message)[:8]
        if self.flags & KEY_EXCH:
            mac = self.streams[way].crypt(mac)
        return struct.pack("<I", 1) + mac + struct.pack("<I", number)

    def _next(self, way):
        way = way if self.ess else 0
        self.numbers[way] += 1
        return self.numbers[way] - 1

    def mic(self, message):
        return self._mac(0, message, self._next(0))

    def wrap(self, message):
        number = self._next(0)
        sealed = self.streams[0].crypt(message)
        return self._mac(0, message, number) + sealed

    def verify(self, message, token):
        return self._mac(1, message, self._next(1)) == token

    def unwrap(self, token):
        number = self._next(1)
        message = self.streams[1].crypt(token[16:])
        assert self._mac(1, message, number) == token[:16], "the signature does not verify"
        return message

    def restart(self, way):
        """As after a mechListMIC: the key stream of sending (0) or receiving (1) begins again."""
        self.streams[way] = crypto.Rc4(self.sealing[way])


def same(value):
    return value


class Client:
    """An initiator that knows the password. Switches:
    offer          flags of NEGOTIATE
    edit_pairs     pairs of the response, before the proof is made
    tail           bytes after EOL (four zeros)
    edit_flags     flags of AUTHENTICATE
    lm, nt         functions of the honest field
    mic            True: announced and made; False: neither; "unannounced": made only
    edit_parts     names and fields, after all computations, before the MIC
    layout         further arguments of authenticate()
    timestamp      of the response, as FILETIME
    key            None: as agreed; False: never exchanged; bytes: sent as they are
    bindings       16 bytes, or None for no pair
    version        bytes of the Version field
    """

    def __init__(self, user, domain, password, **switches):
        self.user, self.domain = user, domain
        self.nt_hash = crypto.nt_hash(password)
        self.s = switches
        self.first = self.second = self.third = None
        self.session = None

    def switch(self, name, default):
        return self.s.get(name, default)

    def negotiate(self):
        self.first = self.switch("first", negotiate(self.switch("offer", OFFER)))
        return self.first

    def _pairs(self, received):
        kept = [(av, v) for av, v in received
                if av not in (FLAGS, SINGLE_HOST, TARGET_NAME, BINDINGS)]
        if self.switch("mic", True) is True:
            kept.append((FLAGS, struct.pack("<I", 2)))
        if self.switch("bindings", None) is not None:
            kept.append((BINDINGS, self.s["bindings"]))
        kept.append((TARGET_NAME, utf16(self.switch("spn", "HTTP/server.example"))))
        return self.switch("edit_pairs", same)(kept)

    def authenticate(self, second):
        self.second = second
        offered = flags_of(self.first)
        flags = flags_of(second) & (offered | TARGET_INFO | REQUEST_TARGET | VERSION)
        flags &= ~0x30000
        nonce = second[24:32]
        pairs = pairs_of(field(second, 40))
        stamp = one(pairs, TIMESTAMP)
        stamp = struct.unpack("<Q", stamp)[0] if stamp else filetime()
        stamp = self.switch("timestamp", stamp)
        client = os.urandom(8)
        raw_pairs = self.switch("raw_pairs", None)
        temp = (b"\x01\x01" + bytes(6) + struct.pack("<Q", stamp & (2**64 - 1)) + client + bytes(4) +
                (raw_pairs if raw_pairs is not None else pack_pairs(self._pairs(pairs))) +
                self.switch("tail", bytes(4)))
        domain = self.switch("hashed_domain", self.domain)
        v2 = crypto.response_key(self.nt_hash, self.user, domain)
        proof = crypto.hmac_md5(v2, nonce + temp)
        base = crypto.hmac_md5(v2, proof)
        lmv2 = crypto.hmac_md5(v2, nonce + client) + client
        flags = self.switch("edit_flags", same)(flags)
        exported, wrapped = base, b""
        key = self.switch("key", None)
        if key is not False and (flags & KEY_EXCH) and flags & (SIGN | SEAL) or key == "always":
            exported = os.urandom(16)
            wrapped = crypto.rc4(base, exported)
        encode = utf16 if flags & UNICODE else lambda text: text.encode("cp437")
        parts = {"domain": encode(self.domain), "user": encode(self.user),
                 "workstation": encode(self.switch("workstation", "WKS")), "lm": bytes(24),
                 "nt": proof + temp, "key": wrapped if not isinstance(key, bytes) else key}
        parts["lm"] = self.switch("lm", lambda lm, lmv2: lm)(parts["lm"], lmv2)
        parts["nt"] = self.switch("nt", same)(parts["nt"])
        parts = self.switch("edit_parts", same)(parts)
        version = self.switch("version", OUR_VERSION)
        mic = self.switch("mic", True)
        message = authenticate(parts, flags, version, bytes(16) if mic else b"",
                               **self.switch("layout", {}))
        if mic:
            at = 64 + len(version)
            message = self.switch("before_mic", same)(message)
            made = crypto.hmac_md5(exported, self.first + second + message)
            message = message[:at] + made + message[at + 16:]
        self.exported = exported
        self.session = Session(flags, exported, server=False)
        self.third = self.switch("edit_third", same)(message)
        return self.third


class Server:
    """An acceptor. Switches:
    flags          function of the honest CHALLENGE flags
    edit_pairs     pairs of its target information
    raw_pairs      bytes of its target information
    nonce          its challenge
    edit_second    CHALLENGE as a whole
    check_authenticate() checks AUTHENTICATE with what it knows of the account and returns the facts.
    """

    def __init__(self, **switches):
        self.s = switches
        self.first = self.second = None
        self.session = None

    def challenge(self, first):
        self.first = first
        offered = flags_of(first)
        flags = offered & ~(LM_KEY | DATAGRAM | OEM) | TARGET_INFO | TARGET_SERVER | VERSION
        flags = self.s.get("flags", same)(flags)
        pairs = [(NB_DOMAIN, utf16("SRV")), (NB_COMPUTER, utf16("SRV")),
                 (DNS_COMPUTER, utf16("srv.example")),
                 (TIMESTAMP, struct.pack("<Q", self.s.get("time", filetime())))]
        pairs = self.s.get("edit_pairs", same)(pairs)
        info = self.s.get("raw_pairs", None)
        if info is None:
            info = pack_pairs(pairs)
        name = utf16("SRV") if flags & UNICODE else b"SRV"
        nonce = self.s.get("nonce", None) or os.urandom(8)
        version = self.s.get("version", OUR_VERSION)
        self.second = self.s.get("edit_second", same)(
            challenge(flags, nonce, name, info, version))
        return self.second

    def check_authenticate(self, third, user, domain, password, mic=True):
        """Facts of an honest initiator's AUTHENTICATE; AssertionError for anything else.

        mic: whether it must announce and carry a MIC, or must do neither."""
        assert third[:12] == SIGNATURE + struct.pack("<I", 3)
        parts = parts_of(third)
        assert parts["user"] == utf16(user) and parts["domain"] == utf16(domain)
        nt = parts["nt"]
        assert len(nt) > 24, "not an NTLMv2 response"
        assert nt[16:18] == b"\x01\x01" and nt[18:24] == bytes(6)
        pairs = pairs_of(nt[44:])
        v2 = crypto.response_key(crypto.nt_hash(password), user, domain)
        nonce = self.second[24:32]
        assert crypto.hmac_md5(v2, nonce + nt[16:]) == nt[:16], "the proof does not verify"
        base = crypto.hmac_md5(v2, nt[:16])
        flags = flags_of(third)
        exported = base
        if flags & KEY_EXCH:
            assert len(parts["key"]) == 16
            exported = crypto.rc4(base, parts["key"])
        else:
            assert parts["key"] == b""
        announced = struct.unpack("<I", one(pairs, FLAGS) or bytes(4))[0] & 2
        assert bool(announced) == mic, "a MIC is announced" if announced else "no MIC is announced"
        if mic:
            blank = third[:72] + bytes(16) + third[88:]
            expected = crypto.hmac_md5(exported, self.first + self.second + blank)
            assert expected == third[72:88], "the MIC does not verify"
        self.session = Session(flags, exported, server=True)
        return {"parts": parts, "pairs": pairs, "flags": flags, "exported": exported,
                "time": struct.unpack_from("<Q", nt, 24)[0]}
