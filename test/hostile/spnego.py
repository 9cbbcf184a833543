"""SPNEGO's two tokens in DER [RFC 4178], as far as a peer of NTLM needs them."""

SPNEGO_OID = bytes.fromhex("06062b0601050502")
NTLM_OID = bytes.fromhex("060a2b06010401823702020a")


def tlv(tag, content):
    size = len(content)
    if size < 0x80:
        head = bytes([size])
    else:
        number = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(number)]) + number
    return bytes([tag]) + head + content


def mech_list(*oids):
    return tlv(0x30, b"".join(oids or (NTLM_OID,)))


def init(mechs, token, mic=None):
    content = tlv(0xA0, mechs)
    if token is not None:
        content += tlv(0xA2, tlv(0x04, token))
    if mic is not None:
        content += tlv(0xA3, tlv(0x04, mic))
    return tlv(0x60, SPNEGO_OID + tlv(0xA0, tlv(0x30, content)))


def response(state=None, mech=None, token=None, mic=None):
    content = b""
    if state is not None:
        content += tlv(0xA0, tlv(0x0A, bytes([state])))
    if mech is not None:
        content += tlv(0xA1, mech)
    if token is not None:
        content += tlv(0xA2, tlv(0x04, token))
    if mic is not None:
        content += tlv(0xA3, tlv(0x04, mic))
    return tlv(0xA1, tlv(0x30, content))


def take(data):
    """(tag, content, rest) of the first element; ValueError if there is none."""
    if len(data) < 2:
        raise ValueError("DER ends early")
    tag, size, at = data[0], data[1], 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[2:2 + count], "big")
        at += count
    if len(data) < at + size:
        raise ValueError("DER element overruns")
    return tag, data[at:at + size], data[at + size:]


def parse(token):
    """{'mechs', 'token', 'mic', 'state', 'mech'} of either kind."""
    tag, content, _ = take(token)
    out = {}
    if tag == 0x60:
        _, _, content = take(content)
        tag, content, _ = take(content)
        assert tag == 0xA0
        names = {0xA0: "mechs", 0xA2: "token", 0xA3: "mic"}
    else:
        assert tag == 0xA1
        names = {0xA0: "state", 0xA1: "mech", 0xA2: "token", 0xA3: "mic"}
    _, content, _ = take(content)
    while content:
        tag, value, content = take(content)
        name = names.get(tag)
        if name in ("token", "mic"):
            out[name] = take(value)[1]
        elif name == "state":
            out[name] = take(value)[1][0]
        elif name:
            out[name] = value
    return out
