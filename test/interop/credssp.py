"""CredSSP [MS-CSSP], as RDP's network level authentication uses it: both roles, over a TLS connection, with the mechanism in
a process of its own (pair.Peer: SPNEGO, gss_wrap, gss_unwrap).

    user, credentials = accept(stream, end, public_key, version)    the server's part; credentials: (domain, user, password)
    initiate(stream, end, public_key, credentials, version)         the client's

`stream` has read(n) and write(data); `public_key` is the content of SubjectPublicKey's BIT STRING. Refused: the other end
did not prove what it has to.
"""
import hashlib
import os

from pair import Peer

CLIENT_HASH = b"CredSSP Client-To-Server Binding Hash\0"
SERVER_HASH = b"CredSSP Server-To-Client Binding Hash\0"
FIRST_WITH_NONCE = 5
FIRST_WITH_ERRORS = 3
LOGON_FAILURE = 0xc000006d - (1 << 32)  # an NTSTATUS, which travels as a number of 32 bits with a sign
PASSWORD_CREDENTIALS = 1
SEQUENCE, INTEGER, OCTETS = 0x30, 0x02, 0x04
VERSION, TOKENS, AUTH_INFO, PUBLIC_KEY, ERROR, NONCE = range(0xa0, 0xa6)


class Refused(Exception):
    pass


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def number(value):
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def element(data):
    """(tag, content, rest)"""
    if len(data) < 2:
        raise Refused("an element is cut off")
    tag, size, at = data[0], data[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    if len(data) < at + size:
        raise Refused("an element is cut off")
    return tag, data[at:at + size], data[at + size:]


def content(data, tag):
    got, inside, rest = element(data)
    if got != tag or rest:
        raise Refused("element %#x where %#x belongs" % (got, tag))
    return inside


def fields(data):
    """{tag: content} of a SEQUENCE of tagged elements."""
    found, rest = {}, content(data, SEQUENCE)
    while rest:
        tag, inside, rest = element(rest)
        found[tag] = inside
    return found


def request(version, token=None, **more):
    """A TSRequest."""
    parts = [der(VERSION, number(version))]
    if token is not None:
        parts.append(der(TOKENS, der(SEQUENCE, der(SEQUENCE, der(0xa0, der(OCTETS, token))))))
    for name, tag in (("auth_info", AUTH_INFO), ("public_key", PUBLIC_KEY)):
        if name in more:
            parts.append(der(tag, der(OCTETS, more[name])))
    if "error" in more:
        parts.append(der(ERROR, number(more["error"])))
    if "nonce" in more:
        parts.append(der(NONCE, der(OCTETS, more["nonce"])))
    return der(SEQUENCE, *parts)


class Request:
    def __init__(self, data):
        found = fields(data)
        self.version = int.from_bytes(content(found[VERSION], INTEGER), "big")
        self.token = None
        if TOKENS in found:
            self.token = content(content(content(content(found[TOKENS], SEQUENCE), SEQUENCE), 0xa0), OCTETS)
        self.auth_info = content(found[AUTH_INFO], OCTETS) if AUTH_INFO in found else None
        self.public_key = content(found[PUBLIC_KEY], OCTETS) if PUBLIC_KEY in found else None
        self.nonce = content(found[NONCE], OCTETS) if NONCE in found else None
        if ERROR in found:
            raise Refused("the other end reports 0x" + content(found[ERROR], INTEGER)[-4:].hex())


def receive(stream):
    head = stream.read(2)
    if len(head) < 2:
        raise Refused("the other end left")
    size = head[1]
    if size & 0x80:
        length = stream.read(size & 0x7f)
        head, size = head + length, int.from_bytes(length, "big")
    body = stream.read(size)
    if len(body) < size:
        raise Refused("the other end left")
    return Request(head + body)


def proof(version, public_key, nonce, to_server):
    """What one end wraps to show that it sees the same certificate."""
    if version >= FIRST_WITH_NONCE:
        return hashlib.sha256((CLIENT_HASH if to_server else SERVER_HASH) + nonce + public_key).digest()
    return public_key if to_server else bytes([(public_key[0] + 1) & 0xff]) + public_key[1:]


def utf16(text):
    return text.encode("utf-16-le")


def credentials_of(data):
    found = fields(data)
    if int.from_bytes(content(found[0xa0], INTEGER), "big") != PASSWORD_CREDENTIALS:
        raise Refused("credentials of another kind")
    inside = fields(content(found[0xa1], OCTETS))
    return tuple(content(inside[tag], OCTETS).decode("utf-16-le") for tag in (0xa0, 0xa1, 0xa2))


def wrapped_credentials(credentials):
    password = der(SEQUENCE, *(der(0xa0 + i, der(OCTETS, utf16(part))) for i, part in enumerate(credentials)))
    return der(SEQUENCE, der(0xa0, number(PASSWORD_CREDENTIALS)), der(0xa1, der(OCTETS, password)))


def step(end, token):
    end.send(token)
    return end.receive()


def accept_login(stream, begin, version):
    """The tokens' part: (end, the client's last TSRequest, the version in force, the last token)."""
    end = None
    while True:
        got = receive(stream)
        version = min(version, got.version)
        if got.token is None:
            raise Refused("no token where one is expected")
        # FreeRDP 2 sends bare NTLM, FreeRDP 3 and Windows send SPNEGO.
        end = end or begin("raw" if got.token.startswith(b"NTLMSSP") else "spnego")
        try:
            done, token = step(end, got.token)
        except RuntimeError as error:
            if version >= FIRST_WITH_ERRORS:
                stream.write(request(version, error=LOGON_FAILURE))
            raise Refused(str(error)) from error
        if done:
            return end, got, version, token or None
        stream.write(request(version, token))


def accept(stream, begin, public_key, version=6):
    """`begin` makes an acceptor of "raw" or "spnego"."""
    end, got, version, token = accept_login(stream, begin, version)
    try:
        if got.public_key is None:
            stream.write(request(version, token))
            got, token = receive(stream), None
        expected = proof(version, public_key, got.nonce, True)
        if end.ask(b"unwrap", got.public_key) != expected:
            raise Refused("another certificate")
        answer = end.ask(b"wrap", proof(version, public_key, got.nonce, False))
        stream.write(request(version, token, public_key=answer))
        credentials = credentials_of(end.ask(b"unwrap", receive(stream).auth_info))
        return end.ask(b"name").decode(), credentials
    except RuntimeError as error:
        raise Refused(str(error)) from error
    finally:
        end.close()


def initiate(stream, end, public_key, credentials, version=6):
    try:
        nonce = os.urandom(32) if version >= FIRST_WITH_NONCE else None
        more = {"nonce": nonce} if nonce else {}
        done, token = end.receive()
        while True:
            stream.write(request(version, token, **more))
            got = receive(stream)
            if got.token is None:
                raise Refused("no token where one is expected")
            if not done:
                done, token = step(end, got.token)
            if done:
                break
        key = end.ask(b"wrap", proof(min(version, got.version), public_key, nonce, True))
        stream.write(request(version, token or None, public_key=key, **more))
        got = receive(stream)
        if end.ask(b"unwrap", got.public_key) != proof(min(version, got.version), public_key, nonce, False):
            raise Refused("another certificate")
        stream.write(request(version, auth_info=end.ask(b"wrap", wrapped_credentials(credentials)), **more))
    except RuntimeError as error:
        raise Refused(str(error)) from error
    finally:
        end.close()
