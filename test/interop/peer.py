#!/usr/bin/python3
"""One end of a GSSAPI exchange, driven over standard input and output by another process.

Frames are a 4-byte big-endian length and that many bytes. Usage: peer.py initiate|accept raw|spnego [bindings=DATA]
Handshake tokens come first; then commands: wrap, unwrap, mic, verify DATA; name; attribute NAME, of the
initiator; key, the session key; quit.
"""
import struct
import sys

import gssapi
from gssapi.raw import ChannelBindings, RequirementFlag
from gssapi.raw.misc import GSSError

NTLM = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
SESSION_KEY = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")


def send(data):
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    sys.stdout.buffer.flush()


def receive():
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        sys.exit(0)
    return sys.stdin.buffer.read(struct.unpack(">I", head)[0])


def context(role, mech, bindings):
    creds = gssapi.Credentials(usage=role, mechs=[mech])
    if role == "accept":
        return gssapi.SecurityContext(creds=creds, usage="accept", channel_bindings=bindings)
    target = gssapi.Name("host@server.example", gssapi.NameType.hostbased_service)
    flags = RequirementFlag.integrity | RequirementFlag.confidentiality
    return gssapi.SecurityContext(name=target, creds=creds, usage="initiate", mech=mech,
                                  flags=flags, channel_bindings=bindings)


def answer(ctx, command, data):
    if command == b"wrap":
        return ctx.wrap(data, True).message
    if command == b"unwrap":
        return ctx.unwrap(data).message
    if command == b"mic":
        return ctx.get_signature(data)
    if command == b"verify":
        token, message = data[:16], data[16:]
        ctx.verify_signature(message, token)
        return b"ok"
    if command == b"attribute":
        return gssapi.raw.get_name_attribute(ctx.initiator_name, data).values[0]
    if command == b"key":
        return gssapi.raw.inquire_sec_context_by_oid(ctx, SESSION_KEY)[0]
    if command == b"name":
        return str(ctx.initiator_name).encode()
    raise ValueError(command)


def main():
    role, mech = sys.argv[1], NTLM if sys.argv[2] == "raw" else SPNEGO
    bindings = None
    for option in sys.argv[3:]:
        bindings = ChannelBindings(application_data=option.partition("=")[2].encode())
    try:
        ctx = context(role, mech, bindings)
        token = None if role == "initiate" else receive()
        while True:
            token = ctx.step(token)
            send((b"+" if ctx.complete else b"-") + (token or b""))
            if ctx.complete:
                break
            token = receive()
    except GSSError as error:
        send(b"!" + str(error).encode())
        return
    while True:
        command, _, data = receive().partition(b" ")
        if command == b"quit":
            return
        try:
            send(b"+" + answer(ctx, command, data))
        except GSSError as error:
            send(b"!" + str(error).encode())


main()
