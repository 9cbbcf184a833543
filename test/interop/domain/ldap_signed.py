#!/usr/bin/python3
"""Reads entries over LDAP with GSS-SPNEGO through our module, signing agreed and sealing not.

Usage: ldap_signed.py HOST[:PORT] BASE FILTER-ATTRIBUTE VALUE-ATTRIBUTE
Prints "cn digest size" for each entry that has FILTER-ATTRIBUTE, and "flags N" of the context first.
Cyrus SASL always asks for sealing where it can be had, so this does its part.
"""
import hashlib
import socket
import struct
import sys

import gssapi
from gssapi.raw import RequirementFlag

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
# NEGOTIATE: UNICODE, REQUEST_TARGET, SIGN, NTLM, ALWAYS_SIGN, ESS, VERSION, 128, KEY_EXCH.
SIGN_ONLY = 0x62088215


NEGOTIATE_FLAGS = gssapi.OID.from_int_seq("1.3.6.1.4.1.7165.655.1.5")


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + body


def split(data):
    """The first element: its tag, its body, and what follows; nothing while it is incomplete."""
    if len(data) < 2:
        return None
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7F
        if len(data) < at:
            return None
        size = int.from_bytes(data[2:at], "big")
    return (data[0], data[at:at + size], data[at + size:]) if len(data) >= at + size else None


def elements(data):
    while data:
        tag, body, data = split(data)
        yield tag, body


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=20)
        self.context = None
        self.plain = b""
        self.id = 0

    def receive(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the server closed the connection")
            data += more
        return data

    def send(self, operation):
        self.id += 1
        message = tlv(0x30, tlv(0x02, bytes([self.id])), operation)
        if self.context is not None:
            message = self.context.wrap(message, False).message
            message = struct.pack(">I", len(message)) + message
        self.socket.sendall(message)

    def answer(self):
        while True:
            found = split(self.plain)
            if found:
                self.plain = found[2]
                return list(elements(found[1]))[1]
            if self.context is None:
                self.plain += self.receive(1)
            else:
                size, = struct.unpack(">I", self.receive(4))
                self.plain += self.context.unwrap(self.receive(size)).message

    def bind(self, context):
        token = context.step(None)
        while True:
            self.send(tlv(0x60, tlv(0x02, b"\x03"), tlv(0x04),
                          tlv(0xA3, tlv(0x04, b"GSS-SPNEGO"), tlv(0x04, token or b""))))
            _, body = self.answer()
            parts = list(elements(body))
            code = parts[0][1][0]
            server = next((value for tag, value in parts if tag == 0x87), None)
            if code not in (0, 14):
                raise RuntimeError(f"bind: {code} {parts[2][1].decode()}")
            if not context.complete:
                token = context.step(server)
            if code == 0:
                break
        self.context = context

    def search(self, base, present, wanted):
        self.send(tlv(0x63, tlv(0x04, base.encode()), tlv(0x0A, b"\x02"), tlv(0x0A, b"\x00"),
                      tlv(0x02, b"\x00"), tlv(0x02, b"\x00"), tlv(0x01, b"\x00"),
                      tlv(0x87, present.encode()),
                      tlv(0x30, *(tlv(0x04, name.encode()) for name in wanted))))
        while True:
            tag, body = self.answer()
            if tag == 0x65:
                return
            if tag == 0x64:
                _, (_, attributes) = elements(body)
                yield {next(elements(a))[1].decode(): list(elements(list(elements(a))[1][1]))[0][1]
                       for _, a in elements(attributes)}


def main():
    place, base, present, value = sys.argv[1:]
    host, _, port = place.partition(":")
    creds = gssapi.Credentials(usage="initiate", mechs=[SPNEGO])
    creds = gssapi.Credentials(gssapi.raw.set_cred_option(
        NEGOTIATE_FLAGS, creds, struct.pack("=I", SIGN_ONLY)))
    context = gssapi.SecurityContext(
        name=gssapi.Name(f"ldap@{host}", gssapi.NameType.hostbased_service), creds=creds,
        usage="initiate", mech=SPNEGO,
        flags=RequirementFlag.integrity | RequirementFlag.mutual_authentication |
        RequirementFlag.out_of_sequence_detection)
    connection = Connection(host, int(port or 389))
    connection.bind(context)
    print("flags", int(context.actual_flags) & 0x30)
    for entry in sorted(connection.search(base, present, ["cn", value]), key=lambda e: e["cn"]):
        print(entry["cn"].decode(), hashlib.sha256(entry[value]).hexdigest(), len(entry[value]))


main()
