"""Rows of the threat table about responses made for another server, another channel or another time."""
import struct

import crypto
import glue
import harness
import ntlm
from harness import (attack_acceptor, attack_initiator, check, expect, honest_to_acceptor,
                     honest_to_initiator, row, to_acceptor, to_initiator)


@row(4, "a response that names another server is refused")
def response_for_another_server():
    def without(wanted):
        return lambda pairs: [x for x in pairs if x[0] != wanted]

    def with_value(wanted, value):
        return lambda pairs: [(av, value if av == wanted else v) for av, v in pairs]
    for wanted in (ntlm.NB_COMPUTER, ntlm.NB_DOMAIN):
        for mic in (True, False):
            attack_acceptor("pair %d removed" % wanted, mic=mic, edit_pairs=without(wanted),
                            honest={"mic": mic})
            attack_acceptor("pair %d of another" % wanted, mic=mic,
                            edit_pairs=with_value(wanted, ntlm.utf16("OTHER")))
            attack_acceptor("pair %d empty" % wanted, mic=mic, edit_pairs=with_value(wanted, b""))
            attack_acceptor("pair %d in other letters" % wanted, mic=mic, edit_pairs=with_value(
                wanted, ntlm.utf16("acceptor" if wanted == 1 else "corp")))
            attack_acceptor("pair %d twice" % wanted, mic=mic,
                            edit_pairs=lambda p: p + [(wanted, ntlm.utf16("OTHER"))])
    for wanted in (3, 4, 5, 7):
        value = ntlm.utf16("evil.example") if wanted != 7 else struct.pack("<Q", ntlm.filetime())
        attack_acceptor("pair %d of another" % wanted,
                        edit_pairs=lambda p: without(wanted)(p) + [(wanted, value)])


@row(5, "bindings, target and host that a server plants are dropped; pairs that come twice refused")
def planted_pairs():
    planted = [(10, b"\x11" * 16), (9, ntlm.utf16("cifs/evil")),
               (8, struct.pack("<IIQ", 48, 0, 1) + bytes(32)), (6, struct.pack("<I", 0))]
    for bindings in (None, b"tls-server-end-point:ours"):
        context, server, third = to_initiator(bindings=bindings,
                                              edit_pairs=lambda p: planted[:2] + p + planted[2:])
        expect(context, glue.COMPLETE, "server that plants pairs")
        facts = server.check_authenticate(third, harness.USER, harness.DOMAIN, harness.PASSWORD)
        own = ntlm.one(facts["pairs"], ntlm.BINDINGS)
        check(own == (binding_hash(bindings) if bindings else None), "bindings are", own)
        check(ntlm.one(facts["pairs"], ntlm.TARGET_NAME) == ntlm.utf16("HTTP/server.example"),
              "target name")
        check(ntlm.one(facts["pairs"], ntlm.SINGLE_HOST) is None, "single host of the server")
    for pair in planted:
        attack_initiator("pair %d twice" % pair[0], glue.DEFECTIVE_TOKEN,
                         edit_pairs=lambda p: p + [pair, pair])
    # Samba's client 4.17 adds a pair of zeros, "none", to the pair that it copies from CHALLENGE.
    right = binding_hash(b"ours")
    context, _ = honest_to_acceptor(bindings=b"ours", edit_pairs=lambda p: p + [
        (10, right), (10, bytes(16))])
    check(context.flags & glue.CHANNEL_BOUND, "not channel-bound with a pair of zeros under a MIC")
    for mic in (True, False):
        for pairs in ((right, right), (right, b"\x11" * 16), (bytes(16), right), (right, bytes(16)),
                      (right, bytes(16), bytes(16)), (bytes(16), bytes(16))):
            if mic and pairs == (right, bytes(16)):
                continue
            attack_acceptor("bindings twice", glue.DEFECTIVE_TOKEN, bindings=b"ours", mic=mic,
                            edit_pairs=lambda p: p + [(10, x) for x in pairs])
        attack_acceptor("target twice", glue.DEFECTIVE_TOKEN, mic=mic,
                        edit_pairs=lambda p: p + [(9, b"")])


@row(5, "bindings that no MIC covers may be the server's: they are no evidence")
def copied_pairs():
    right = binding_hash(b"ours")
    context, _ = honest_to_acceptor(bindings=b"ours", mic=False, edit_pairs=lambda p: p + [(10, right)])
    check(not context.flags & glue.CHANNEL_BOUND, "channel-bound without a MIC")
    context, _ = honest_to_acceptor(bindings=b"ours", edit_pairs=lambda p: p + [(10, right)])
    check(context.flags & glue.CHANNEL_BOUND, "not channel-bound with a MIC")
    context, _ = to_acceptor(bindings=b"ours", mic=False,
                             edit_pairs=lambda p: p + [(10, binding_hash(b"other"))])
    expect(context, glue.BAD_BINDINGS, "bindings of another channel, no MIC")


def binding_hash(data):
    return crypto.md5(bytes(16) + struct.pack("<I", len(data)) + data)


@row(6, "a token made for one channel is worth nothing on another")
def relay_between_channels():
    def accepted(given, sent, bound):
        context, _ = honest_to_acceptor_bound(given, sent)
        check(bool(context.flags & glue.CHANNEL_BOUND) == bound, "channel-bound", given, sent)
    accepted(b"cb-1", binding_hash(b"cb-1"), True)
    accepted(None, binding_hash(b"cb-1"), False)
    accepted(None, None, False)
    # Without bindings of the client: accepted and not called bound, unless policy demands them.
    accepted(b"cb-1", None, False)
    accepted(b"cb-1", bytes(16), False)
    for sent in (binding_hash(b"cb-2"), binding_hash(b"cb-1")[:15] + b"\0", b"\0" * 15 + b"\1",
                 binding_hash(b"")):
        context, _ = to_acceptor(bindings=b"cb-1", edit_pairs=lambda p: p + [(10, sent)])
        expect(context, glue.BAD_BINDINGS, "bindings of another channel")
    # The response is covered by the proof: only the client can change the pair.
    attack_acceptor("pair exchanged on the way", bindings=b"cb-2",
                    edit_pairs=lambda p: p + [(10, binding_hash(b"cb-1"))],
                    nt=lambda nt: nt.replace(binding_hash(b"cb-1"), binding_hash(b"cb-2")))
    # One end of the module with the other, both ways.
    for a, b, works in ((b"x", b"x", True), (b"x", b"y", False), (None, b"y", True),
                        (b"x", None, True)):
        one, other = harness.initiator(bindings=a), harness.acceptor(bindings=b)
        check(glue.handshake(one, other) == works, "bindings", a, b)
        if not works:
            expect(other, glue.BAD_BINDINGS, "bindings", a, b)


def honest_to_acceptor_bound(given, sent):
    pairs = [] if sent is None else [(10, sent)]
    return honest_to_acceptor(bindings=given, edit_pairs=lambda p: p + pairs)


@row(7, "no bindings: no pair is sent, and both forms are taken")
def zero_bindings():
    _, _, facts = honest_to_initiator()
    check(ntlm.one(facts["pairs"], ntlm.BINDINGS) is None, "a bindings pair is sent")
    honest_to_acceptor_bound(None, None)
    honest_to_acceptor_bound(None, bytes(16))


@row(8, "marks of one's own host are opaque, names with appended data are never shortened")
def reflection_marks():
    marked = "cifs/srv1UWhRCAAAAAAAAAAUAAAAAAAAAAAAAAAAAAAAAfsrvBAAAA"
    _, _, facts = honest_to_initiator(target=marked.replace("/", "@"))
    check(ntlm.one(facts["pairs"], ntlm.TARGET_NAME) == ntlm.utf16(marked), "target name")
    honest_to_acceptor(spn=marked)
    host = struct.pack("<IIQ", 48, 0, 1) + bytes(32)
    honest_to_acceptor(edit_pairs=lambda p: p + [(8, host)])


@row(15, "clocks: 36 hours either way, nothing beyond, no wrap-around")
def timestamps():
    now = ntlm.filetime()
    free = {"edit_pairs": lambda p: [x for x in p if x[0] != ntlm.TIMESTAMP]}
    for stamp in (now, now - 35 * ntlm.HOUR, now + 35 * ntlm.HOUR):
        honest_to_acceptor(timestamp=stamp, **free)
    for stamp in (now - 37 * ntlm.HOUR, now + 37 * ntlm.HOUR, 0, 1, 2**64 - 1, 2**63, 2**63 - 1):
        attack_acceptor("timestamp %d" % stamp, glue.FAILURE, timestamp=stamp, **free)
    attack_acceptor("the server's time not echoed", glue.FAILURE, edit_pairs=lambda p: [
        (av, struct.pack("<Q", now - 10**7) if av == 7 else v) for av, v in p])
    stamp = now - 1000 * ntlm.HOUR
    _, _, facts = honest_to_initiator(time=stamp)
    check(facts["time"] == stamp, "the server's time is not used")
    _, _, facts = honest_to_initiator(edit_pairs=lambda p: [x for x in p if x[0] != 7])
    check(abs(facts["time"] - ntlm.filetime()) < 60 * 10**7, "own time is not used")


@row(16, "one challenge, one attempt, eight random octets each")
def replayed_authenticate():
    context, client = honest_to_acceptor()
    context.step(client.third)
    check(glue.is_error(context.major), "the same AUTHENTICATE twice")
    check(context.inquire()[6], "the established context was lost")
    check(context.unwrap(client.session.wrap(b"still")) == b"still", "the context is damaged")
    other = harness.acceptor()
    other.step(client.first)
    other.step(client.third)
    expect(other, glue.FAILURE, "AUTHENTICATE of another context")
    # After a failure the right answer to the old challenge comes too late.
    context = harness.acceptor()
    client = ntlm.Client(harness.USER, harness.DOMAIN, harness.PASSWORD)
    client.authenticate(context.step(client.negotiate()))
    context.step(client.third[:-1] + bytes([client.third[-1] ^ 1]))
    expect(context, glue.FAILURE, "forged")
    context.step(client.third)
    check(glue.is_error(context.major), "a second attempt on one challenge")
    nonces = set()
    for _ in range(64):
        nonces.add(harness.acceptor().step(ntlm.negotiate())[24:32])
    check(len(nonces) == 64, "challenges repeat")
