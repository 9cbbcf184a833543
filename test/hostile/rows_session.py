"""Rows of the threat table about protected messages."""
import os
import struct

import glue
import harness
import ntlm
from harness import check, expect, honest_to_acceptor, row, trap


def pair(flags=glue.INTEG | glue.CONF, mech=glue.NTLM):
    one, other = harness.initiator(flags=flags, mech=mech), harness.acceptor(mech=mech)
    if mech is not glue.NTLM:
        one.cred = glue.Cred(glue.INITIATE, "CORP\\alice", harness.PASSWORD, mech=mech)
        other.cred = glue.Cred(glue.ACCEPT, mech=mech)
    check(glue.handshake(one, other), "honest handshake")
    return one, other


@row(26, "tokens of 0 to 16 bytes: no read behind them, no success, nothing lost")
def short_signatures():
    one, other = pair()
    real = one.mic(b"message")
    sealed = one.wrap(b"")
    check(len(real) == 16 and len(sealed) == 16, "sizes")
    for size in range(0, 17):
        for token in (real[:size] if size < 16 else bytes(16), bytes(size), os.urandom(size),
                      b"\x01\0\0\0" + bytes(12)[:max(0, size - 4)]):
            check(glue.is_error(other.verify(b"message", token)), "verify of", size)
            check(other.unwrap(token) == b"" and glue.is_error(other.major), "unwrap of", size)
    check(glue.is_error(other.verify(b"message", real + b"\0")), "a longer signature")
    expect_ok(other.verify(b"message", real))
    check(other.unwrap(sealed) == b"" and other.major == 0, "the empty message is lost")


def expect_ok(major):
    check(major == glue.COMPLETE, glue.show(major))


@row(34, "replayed, reordered, dropped messages are refused in either direction")
def replay_reorder_drop():
    for mech in (glue.NTLM, glue.SPNEGO):
        one, other = pair(mech=mech)
        check(one.flags & glue.REPLAY and one.flags & glue.SEQUENCE, "flags")
        for sender, reader in ((one, other), (other, one)):
            tokens = [sender.wrap(b"message %d" % i) for i in range(5)]
            for early in (tokens[1], tokens[4]):
                check(reader.unwrap(early) == b"", "a message out of order was opened")
                check(glue.is_error(reader.major) or reader.major & 0x1E, "status")
            check(reader.unwrap(tokens[0]) == b"message 0", reader.text)
            check(reader.unwrap(tokens[0]) == b"", "a message was opened twice")
            for i in range(1, 5):
                check(reader.unwrap(tokens[i]) == b"message %d" % i, "message", i, reader.text)
            macs = [sender.mic(b"m%d" % i) for i in range(3)]
            check(glue.is_error(reader.verify(b"m1", macs[1])), "a signature out of order")
            for i in range(3):
                expect_ok(reader.verify(b"m%d" % i, macs[i]))
            check(glue.is_error(reader.verify(b"m2", macs[2])), "a signature twice")
            # One's own messages come back.
            own = sender.wrap(b"own")
            check(sender.unwrap(own) == b"", "an own message was opened")
            check(reader.unwrap(own) == b"own", "and is lost")


@row(35, "a forged message changes nothing: 2000 of them, then the next genuine one")
def forged_messages():
    for flags in (glue.INTEG | glue.CONF, glue.INTEG):
        one, other = pair(flags)
        for number in range(500):
            genuine = one.wrap(b"secret number %d" % number)
            for bent in (bytes([genuine[0] ^ 1]) + genuine[1:],
                         genuine[:5] + bytes([genuine[5] ^ 0x10]) + genuine[6:],
                         genuine[:-1] + bytes([genuine[-1] ^ 1]),
                         genuine[:-1], genuine + b"x"):
                check(other.unwrap(bent) == b"", "plaintext of a forged message")
                expect(other, (glue.BAD_SIG, glue.DEFECTIVE_TOKEN), "forged")
            check(other.unwrap(genuine) == b"secret number %d" % number, "the stream is lost")
            mac = one.mic(b"text")
            check(glue.is_error(other.verify(b"tekst", mac)), "another text")
            expect_ok(other.verify(b"text", mac))


@row(35, "messages of one context are nothing to another")
def messages_of_another_context():
    one, other = pair()
    third, fourth = pair()
    token = one.wrap(b"for other")
    check(fourth.unwrap(token) == b"", "a message of another context was opened")
    check(other.unwrap(token) == b"for other", "and is lost")
    check(fourth.unwrap(third.wrap(b"own")) == b"own", "the other context is damaged")


@trap("claiming INTEG while SIGN was not negotiated")
def flags_and_signatures_agree():
    for offer, integ, conf in ((ntlm.OFFER, 1, 1), (ntlm.OFFER & ~ntlm.SEAL, 1, 0),
                               (ntlm.OFFER & ~ntlm.SIGN, 1, 1),
                               (ntlm.OFFER & ~(ntlm.SIGN | ntlm.SEAL), 0, 0)):
        context, client = harness.to_acceptor(offer=offer)
        expect(context, glue.COMPLETE, hex(offer))
        check(bool(context.flags & glue.INTEG) == bool(integ), "INTEG of", hex(offer))
        check(bool(context.flags & glue.CONF) == bool(conf), "CONF of", hex(offer))
        mac = context.mic(b"text")
        if integ:
            check(client.session.verify(b"text", mac), "the signature is not one")
            check(mac[4:12] != bytes(8), "a constant signature")
        else:
            expect(context, glue.UNAVAILABLE, "get_mic")
            constant = b"\1\0\0\0" + bytes(12)
            check(glue.is_error(context.verify(b"text", constant)), "a constant was verified")
            check(context.unwrap(constant + b"text") == b"", "a constant was unwrapped")


@trap("echoing requested flags as granted")
def flags_are_true():
    wanted = 0x3FFFF & ~glue.ANON & ~0x10000
    one, other = pair(flags=wanted)
    for side in (one, other):
        granted = side.flags
        check(not granted & (glue.MUTUAL | glue.DELEG | 0x8000), "granted", hex(granted))
        check(granted & glue.INTEG and granted & glue.CONF, "not granted", hex(granted))
        check(side.inquire()[4] == granted, "inquire_context says", hex(side.inquire()[4]))


@row(34, "sealed and signed by a second implementation, both ways, with and without extras")
def second_implementation():
    for offer in (ntlm.OFFER, ntlm.OFFER & ~ntlm.KEY_EXCH, ntlm.OFFER & ~ntlm.SEAL,
                  ntlm.OFFER & ~(ntlm.SEAL | ntlm.KEY_EXCH)):
        context, client = honest_to_acceptor(offer=offer)
        for size in (0, 1, 7, 8, 15, 16, 17, 55, 56, 57, 63, 64, 65, 1000, 70000):
            data = os.urandom(size)
            check(context.unwrap(client.session.wrap(data)) == data, "unwrap of", size)
            check(client.session.unwrap(context.wrap(data)) == data, "wrap of", size)
            expect_ok(context.verify(data, client.session.mic(data)))
            check(client.session.verify(data, context.mic(data)), "mic of", size)
        key = context.by_oid(glue.SESSION_KEY)
        check(key and key[0] == client.exported, "session key")


@trap("subtracting the signature size before checking the token's length")
def sequence_numbers_at_their_edges():
    one, other = pair()
    token = one.wrap(b"zero")
    for number in (1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        bent = token[:12] + struct.pack("<I", number) + token[16:]
        check(other.unwrap(bent) == b"", "number", number)
        expect(other, glue.BAD_SIG, "number", number)
    check(other.unwrap(token) == b"zero", "the stream is lost")
