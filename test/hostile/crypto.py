"""The primitives of NTLM, written from their definitions: MD4, RC4, DES, and the derivations of
[MS-NLMP] 3.3 and 3.4. Independent of the module: the standard library alone."""
import hashlib
import hmac
import struct
import zlib


def md5(data):
    return hashlib.md5(data).digest()


def hmac_md5(key, data):
    return hmac.new(key, data, hashlib.md5).digest()


def crc32(data):
    return zlib.crc32(data) & 0xFFFFFFFF


def md4(data):
    """RFC 1320."""
    mask = 0xFFFFFFFF

    def turn(value, bits):
        value &= mask
        return (value << bits | value >> (32 - bits)) & mask

    rounds = (
        (lambda b, c, d: (b & c) | (~b & d), 0, (3, 7, 11, 19), range(16)),
        (lambda b, c, d: (b & c) | (b & d) | (c & d), 0x5A827999, (3, 5, 9, 13),
         [column + 4 * line for column in range(4) for line in range(4)]),
        (lambda b, c, d: b ^ c ^ d, 0x6ED9EBA1, (3, 9, 11, 15),
         (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)),
    )
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack("<Q", 8 * len(data))
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    for at in range(0, len(padded), 64):
        words = struct.unpack_from("<16I", padded, at)
        a, b, c, d = state
        for mix, constant, shifts, order in rounds:
            for i, k in enumerate(order):
                a = turn(a + (mix(b, c, d) & mask) + words[k] + constant, shifts[i % 4])
                a, b, c, d = d, a, b, c
        state = [(x + y) & mask for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


class Rc4:
    def __init__(self, key):
        self.box = list(range(256))
        self.i = self.j = 0
        j = 0
        for i in range(256):
            j = (j + self.box[i] + key[i % len(key)]) % 256
            self.box[i], self.box[j] = self.box[j], self.box[i]

    def crypt(self, data):
        out = bytearray()
        box, i, j = self.box, self.i, self.j
        for byte in data:
            i = (i + 1) % 256
            j = (j + box[i]) % 256
            box[i], box[j] = box[j], box[i]
            out.append(byte ^ box[(box[i] + box[j]) % 256])
        self.i, self.j = i, j
        return bytes(out)


def rc4(key, data):
    return Rc4(key).crypt(data)


# FIPS 46-3, tables as printed there: bit 1 is the most significant.
_IP = [58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6,
       64, 56, 48, 40, 32, 24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3,
       61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7]
_FP = [_IP.index(i + 1) + 1 for i in range(64)]
_E = [(4 * block + offset - 1) % 32 + 1 for block in range(8) for offset in range(6)]
_P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
      13, 30, 6, 22, 11, 4, 25]
_PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
        60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45,
        37, 29, 21, 13, 5, 28, 20, 12, 4]
_PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41,
        52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
_TURNS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
# Each S-box as its four lines of sixteen hexadecimal digits.
_S = [[int(digit, 16) for digit in box] for box in (
    "e4d12fb83a6c59070f74e2d1a6cb9538"
    "41e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b5"
    "0e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1"
    "d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9"
    "a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986"
    "421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b38"
    "9ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f86"
    "14bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e92"
    "7b419ce206adf35821e74a8dfc90356b",
)]


def _select(bits, table):
    return [bits[i - 1] for i in table]


def _feistel(half, key):
    mixed = [a ^ b for a, b in zip(_select(half, _E), key)]
    out = []
    for box in range(8):
        b = mixed[6 * box:6 * box + 6]
        row = 2 * b[0] + b[5]
        column = 8 * b[1] + 4 * b[2] + 2 * b[3] + b[4]
        value = _S[box][16 * row + column]
        out += [value >> 3 & 1, value >> 2 & 1, value >> 1 & 1, value & 1]
    return _select(out, _P)


def _bits(data):
    return [byte >> (7 - i) & 1 for byte in data for i in range(8)]


def des(key7, block):
    """DES(K, D) of [MS-NLMP] 6: seven bytes of key, their bits spread over eight bytes."""
    bits = _bits(key7)
    spread = []
    for i in range(8):
        spread += bits[7 * i:7 * i + 7] + [0]
    schedule = _select(spread, _PC1)
    left, right = schedule[:28], schedule[28:]
    text = _select(_bits(block), _IP)
    l, r = text[:32], text[32:]
    for turn in _TURNS:
        left, right = left[turn:] + left[:turn], right[turn:] + right[:turn]
        key = _select(left + right, _PC2)
        l, r = r, [a ^ b for a, b in zip(l, _feistel(r, key))]
    bits = _select(r + l, _FP)
    return bytes(int("".join(map(str, bits[8 * i:8 * i + 8])), 2) for i in range(8))


def desl(key16, block):
    return des(key16[:7], block) + des(key16[7:14], block) + des(key16[14:] + bytes(5), block)


def nt_hash(password):
    return md4(password.encode("utf-16-le", "surrogatepass"))


def lm_hash(password):
    padded = password.upper().encode("cp437")[:14].ljust(14, b"\0")
    return des(padded[:7], b"KGS!@#$%") + des(padded[7:], b"KGS!@#$%")


def response_key(nt, user, domain):
    """NTOWFv2. The user names of these tests are ASCII, so that upper-casing is simple."""
    return hmac_md5(nt, (user.upper() + domain).encode("utf-16-le", "surrogatepass"))


def signing_key(key, server):
    way = b"server-to-client" if server else b"client-to-server"
    return md5(key + b"session key to " + way + b" signing key magic constant\0")


def sealing_key(key, server, bits=128):
    way = b"server-to-client" if server else b"client-to-server"
    return md5(key[:bits // 8] + b"session key to " + way + b" sealing key magic constant\0")


def self_check():
    """Checks the published answers on import, so that importers can rely on the module."""
    assert md4(b"abc").hex() == "a448017aaf21d8525fc10ae87aa6729d"
    assert nt_hash("Password").hex() == "a4f49c406510bdcab6824ee7c30fd852"
    assert lm_hash("Password").hex() == "e52cac67419a9a224a3b108f3fa6cb6d"
    assert rc4(b"Key", b"Plaintext").hex() == "bbf316e8d940af0ad3"
    assert des(bytes.fromhex("00" * 7), bytes(8)).hex() == "8ca64de9c1b123a7"
    assert response_key(nt_hash("Password"), "User", "Domain").hex() == \
        "0c868a403bfd7a93a3001ef22ef02e3f"


self_check()
