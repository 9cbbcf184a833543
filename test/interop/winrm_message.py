"""WinRM's encrypted messages ([MS-WSMV] 2.2.9.1) by the calls of GSSAPI, and as much of a Windows shell as a
client needs to run one command: whoami, which tells the user of the connection."""
import base64
import re
import struct
import uuid
from xml.etree import ElementTree

from ours import gssapi

raw = gssapi.raw
SIGNATURE = 16
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = 'multipart/encrypted;protocol="%s";boundary="Encrypted Boundary"' % PROTOCOL
SOAP = "application/soap+xml;charset=UTF-8"
MESSAGE = re.compile(
    rb"^--Encrypted Boundary\r\n[ \t]*Content-Type: " + re.escape(PROTOCOL.encode()) +
    rb"\r\n[ \t]*OriginalContent: type=" + re.escape(SOAP.encode()) + rb";Length=(\d+)\r\n"
    rb"--Encrypted Boundary\r\n[ \t]*Content-Type: application/octet-stream\r\n(.*)--Encrypted Boundary--(?:\r\n)?$",
    re.S)


def seal(context, text, iov):
    """(signature, sealed text) by gss_wrap_iov or gss_wrap."""
    if not iov:
        token = context.wrap(text, True)
        assert token.encrypted
        return token.message[:SIGNATURE], token.message[SIGNATURE:]
    buffers = raw.IOV(raw.IOVBufferType.header, (raw.IOVBufferType.data, True, text), std_layout=False)
    assert raw.wrap_iov(context, buffers, confidential=True)
    return buffers[0].value, buffers[1].value


def open_sealed(context, signature, sealed, iov):
    if not iov:
        opened = context.unwrap(signature + sealed)
        assert opened.encrypted
        return opened.message
    buffers = raw.IOV((raw.IOVBufferType.header, False, signature), (raw.IOVBufferType.data, True, sealed),
                      std_layout=False)
    assert raw.unwrap_iov(context, buffers).encrypted
    return buffers[1].value


def pack(signature, sealed, size):
    return (b"--Encrypted Boundary\r\n\tContent-Type: %b\r\n\tOriginalContent: type=%b;Length=%d\r\n"
            b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n%b"
            b"--Encrypted Boundary--\r\n" % (PROTOCOL.encode(), SOAP.encode(), size,
                                             struct.pack("<i", len(signature)) + signature + sealed))


def unpack(body):
    """(signature, sealed text, length of the text)."""
    found = MESSAGE.match(body)
    if not found:
        raise ValueError("no encrypted message: %r" % body[:200])
    size, = struct.unpack_from("<i", found.group(2))
    return found.group(2)[4:4 + size], found.group(2)[4 + size:], int(found.group(1))


ACTIONS = {
    "transfer/Create": b'<r xmlns="x"><Selector Name="ShellId">%(id)s</Selector></r>',
    "shell/Command": b"<r><CommandId>%(id)s</CommandId></r>",
    "shell/Receive": b'<r><Stream Name="stdout" CommandId="%(id)s">%(said)s</Stream>'
                     b'<CommandState State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done">'
                     b"<ExitCode>0</ExitCode></CommandState></r>",
    "shell/Signal": b"<r><RelatesTo>%(id)s</RelatesTo></r>",
    "transfer/Delete": b"<r><RelatesTo>%(id)s</RelatesTo></r>",
}


def shell(request, user):
    """The answer of a shell in which every command is whoami."""
    root = ElementTree.fromstring(request)
    told = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    action = "/".join(told["Action"].rsplit("/", 2)[1:])
    message = told["MessageID"].replace("uuid:", "") or str(uuid.uuid4())
    said = base64.b64encode(user.encode() + b"\r\n")
    return ACTIONS[action] % {b"id": message.encode(), b"said": said}


def serve(end, content_type, body):
    """(status, body, content type) of an answer to POST /wsman on a connection with a user."""
    if not body:
        return 200, b"", SOAP
    if not content_type.replace(" ", "").startswith(CONTENT_TYPE.replace(" ", "")):
        return 415, b"", SOAP
    try:
        signature, sealed, size = unpack(body)
        text = end.open(signature, sealed)
        if len(text) != size:
            raise ValueError("the length is not the one that was said")
        text = shell(text, end.user)
    except (ValueError, KeyError, AssertionError, ElementTree.ParseError, gssapi.raw.GSSError) as error:
        return 400, str(error).encode(), "text/plain"
    return 200, pack(*end.seal(text), len(text)), CONTENT_TYPE
