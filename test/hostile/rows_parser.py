"""Rows of the threat table that are decided by how the three messages are read."""
import itertools
import os
import random
import re
import struct

import glue
import harness
import ntlm
from harness import (attack_acceptor, attack_initiator, check, expect, honest_to_acceptor,
                     honest_to_initiator, row, to_acceptor, trap)

SIZES = (0, 1, 0xFFFE, 0xFFFF)


def outside(message, places):
    """The message with each descriptor's length and offset bent in every way that matters."""
    size = len(message)
    for at in places:
        for length in SIZES + (size, size + 1):
            for offset in (0, 1, size - 1, size, size + 1, 0x7FFFFFFF, 0x80000000, 0xFFFF0000,
                           0xFFFFFFFE, 0xFFFFFFFF):
                if length and offset + (length & 0xFFFF) > size:
                    yield ntlm.set_field(message, at, length, offset)


@row(20, "a field that points outside its message is refused, whatever wraps")
def fields_outside():
    names = ntlm.negotiate(ntlm.OFFER | 0x3000, b"CORP", b"WKS")
    for first in outside(names, (16, 24)):
        context = harness.acceptor()
        context.step(first)
        expect(context, glue.DEFECTIVE_TOKEN, "NEGOTIATE", first[16:32].hex())
    context = harness.acceptor()
    context.step(names)
    expect(context, glue.CONTINUE, "NEGOTIATE with names")

    offer = harness.initiator()
    second = ntlm.Server().challenge(offer.step())
    for bent in outside(second, (12, 40)):
        context = harness.initiator()
        context.step()
        check(context.step(bent) == b"", "AUTHENTICATE was sent")
        expect(context, glue.DEFECTIVE_TOKEN, "CHALLENGE", bent[12:48].hex())

    _, client = honest_to_acceptor()
    for bent in outside(client.third, ntlm.PLACES.values()):
        attack_acceptor("AUTHENTICATE " + bent[12:60].hex(), glue.DEFECTIVE_TOKEN, honest=False,
                        edit_third=lambda m: bent)


@row(21, "names of any size: they fit, or a clean error says that they do not")
def long_names():
    for size in (0, 1, 255, 256, 511, 512, 1023, 1024, 2048, 16383, 32767, 65534 // 2, 65536):
        user = "u" * size
        try:
            cred = glue.Cred(glue.INITIATE, user, "p" * max(1, size))
        except glue.Status as refused:
            check(size == 0 or size > 32767, "user of", size, refused)
            continue
        context = glue.Context(True, cred)
        server = ntlm.Server()
        third = context.step(server.challenge(context.step()))
        if context.complete:
            facts = server.check_authenticate(third, user, "", "p" * size)
            check(facts["parts"]["user"] == ntlm.utf16(user), "user of", size)
        else:
            expect(context, glue.FAILURE, "user of", size)
            check(size > 16000, "user of", size, "refused")
    for size in (255, 256, 1023, 1024, 32767, 65536):
        try:
            honest_to_initiator(target="HTTP@" + "h" * size)
        except glue.Status:
            check(size > 32000, "target of", size)
        except harness.Wrong:
            check(size > 32000, "target of", size)
    for name in ("user", "domain", "workstation"):
        for size in (255, 1024, 16000, 32000):
            values = {"user": harness.USER, "domain": harness.DOMAIN, name: "x" * size}
            wanted = glue.COMPLETE if name == "workstation" else glue.FAILURE
            context, _ = to_acceptor(**values)
            expect(context, wanted, name, "of", size)


@row(21, "target information as large as its descriptor allows")
def large_target_info():
    for size in (1000, 60000, 65000):
        honest = ntlm.pack_pairs([(ntlm.NB_DOMAIN, b"S\0"), (ntlm.NB_COMPUTER, b"S\0"),
                                  (0x7777, b"x" * size)])
        context, server, third = harness.to_initiator(raw_pairs=honest)
        if context.complete:
            facts = server.check_authenticate(third, harness.USER, harness.DOMAIN, harness.PASSWORD)
            check(ntlm.one(facts["pairs"], 0x7777) == b"x" * size, "unknown pair lost")
        else:
            expect(context, glue.FAILURE, "target info of", size)
            check(size > 64000 and not third, "target info of", size, "refused")


@row(22, "AV pairs of wrong sizes, without an end, with an end that has a size")
def bent_av_pairs():
    names = [(ntlm.NB_DOMAIN, ntlm.utf16("ACCEPTOR")), (ntlm.NB_COMPUTER, ntlm.utf16("ACCEPTOR"))]
    head = ntlm.pack_pairs(names, eol=False)
    bad = {"no end": head, "empty": b"", "end with a size": head + struct.pack("<HH", 0, 1) + b"x",
           "half an end": head + b"\0\0", "a pair overruns": head + struct.pack("<HH", 3, 8) + b"xxxx",
           "size 65535": head + struct.pack("<HH", 3, 0xFFFF)}
    right = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 4, 7: 8, 8: 48, 9: 8, 10: 16}
    for av, size in right.items():
        for wrong in (size - 1, size + 1):
            if av == 8 and wrong > 48:
                continue
            if av in (6, 7, 10) or wrong % 2:
                others = [p for p in names if p[0] != av]
                bad["pair %d of %d bytes" % (av, wrong)] = ntlm.pack_pairs(
                    others + [(av, b"\0" * wrong)])
    for name, info in bad.items():
        wanted = glue.DEFECTIVE_TOKEN if info else glue.FAILURE
        attack_initiator(name, wanted, raw_pairs=info)
        attack_acceptor(name + " in the response", glue.DEFECTIVE_TOKEN, raw_pairs=info,
                        tail=b"", honest=False)
    honest_to_acceptor(tail=bytes(8))
    honest_to_acceptor(tail=b"anything may follow the end")
    honest_to_acceptor(edit_pairs=lambda p: p + [(0x1234, b"unknown"), (11, b"")])
    for pair in ((8, struct.pack("<IIQ", 80, 0, 1) + bytes(64)), (0xFFFF, b"")):
        honest_to_initiator(edit_pairs=lambda p: p + [pair])


@row(23, "text that cannot be text is refused or carried, and nothing is lost on the way")
def impossible_text():
    for user in ("\ud800", "a\udc00b", "\udfff\ud800"):
        attack_acceptor("user %r" % user, harness.REFUSED, user=user, honest=False)
    for place in ("user", "domain", "workstation"):
        def odd(parts, place=place):
            return dict(parts, **{place: parts[place] + b"x"})
        attack_acceptor("odd " + place, glue.DEFECTIVE_TOKEN, edit_parts=odd)
    attack_initiator("odd target name", glue.DEFECTIVE_TOKEN, edit_second=lambda m: ntlm.set_field(
        m, 12, size=5))
    for name in (b"\xff\xfe", b"al\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf8\x88\x80\x80\x80"):
        try:
            glue.Cred(glue.INITIATE, name, "password")
            check(False, "a name that is not UTF-8 was imported", name)
        except glue.Status as refused:
            check(refused.major == glue.BAD_NAME, refused)


@row(27, "payload in any order, far apart, at odd offsets; never over header or MIC")
def payload_anywhere():
    for order in itertools.islice(itertools.permutations(ntlm.ORDER), 0, 720, 31):
        for gap in (0, 1, 2, 511):
            honest_to_acceptor(layout={"order": order, "gap": gap})
    _, client = honest_to_acceptor()
    for name, at in ntlm.PLACES.items():
        for offset in (0, 8, 12, 40, 60, 63, 64, 72, 80, 87):
            def bend(m):
                return ntlm.set_field(m, at, offset=offset)
            context, _ = to_acceptor(before_mic=bend)
            check(glue.is_error(context.major), name, "at", offset, "was accepted")
    # Payload fields may share bytes: harmless, and covered by the MIC.
    honest_to_acceptor(before_mic=lambda m: ntlm.set_field(
        m, ntlm.PLACES["workstation"], 8, struct.unpack_from("<I", m, ntlm.PLACES["user"] + 4)[0]))


@row(28, "the wrong message at every step, in every state")
def every_message_in_every_state():
    _, client = honest_to_acceptor()
    tokens = {1: client.first, 2: client.second, 3: client.third, 0: b"", 4: b"NTLMSSP\0\4\0\0\0",
              5: b"NTLMSSP\0" + bytes(4), 6: b"\x60\x00", 7: os.urandom(64)}

    def contexts():
        fresh = harness.initiator()
        fresh.step()
        yield "initiator waiting for CHALLENGE", fresh, {2}
        failed = harness.initiator()
        failed.step()
        failed.step(b"junk")
        yield "failed initiator", failed, set()
        done = honest_to_initiator()[0]
        yield "open initiator", done, set()
        waiting = harness.acceptor()
        waiting.step(client.first)
        yield "acceptor waiting for AUTHENTICATE", waiting, set()
        refused = harness.acceptor()
        refused.step(client.first)
        refused.step(client.third)
        yield "failed acceptor", refused, {1}
        yield "open acceptor", honest_to_acceptor()[0], set()
        yield "new acceptor", harness.acceptor(), {1}

    for number in tokens:
        for what, context, allowed in contexts():
            was_open = context.handle and context.inquire()[6]
            out = context.step(tokens[number])
            if number in allowed:
                check(not glue.is_error(context.major), what, "token", number, context.text)
            else:
                check(glue.is_error(context.major), what, "took token", number)
                check(out == b"", what, "answered token", number)
                if was_open:
                    check(context.inquire()[6], what, "was closed by token", number)
            check(context.deleted(), what, "cannot be deleted")


@row(33, "claims of gigabytes, thousands of pairs and giant tokens cost nothing")
def exhaustion():
    big = ntlm.pack_pairs([(0x4000 + i % 100, b"") for i in range(16000)], eol=False)
    info = ntlm.pack_pairs([(ntlm.NB_DOMAIN, b""), (ntlm.NB_COMPUTER, b"")], eol=False) + big
    context, _, _ = harness.to_initiator(raw_pairs=info + bytes(4))
    check(context.major in (glue.COMPLETE, glue.FAILURE), "16000 pairs", context.text)
    context, _ = to_acceptor(raw_pairs=ntlm.pack_pairs(
        [(ntlm.NB_DOMAIN, ntlm.utf16("CORP")), (ntlm.NB_COMPUTER, ntlm.utf16("ACCEPTOR")),
         (ntlm.FLAGS, struct.pack("<I", 2))], eol=False) + big[:60000] + bytes(4))
    expect(context, glue.COMPLETE, "15000 pairs in the response")
    before = peak_memory()
    for size in (100_000, 1 << 20, 64 << 20):
        context = harness.acceptor()
        context.step(ntlm.negotiate() + bytes(size))
        expect(context, glue.DEFECTIVE_TOKEN, "token of", size)
    _, client = honest_to_acceptor()
    for _ in range(200):
        attack_acceptor("4 GiB", glue.DEFECTIVE_TOKEN, honest=False, edit_third=lambda m:
                        ntlm.set_field(m, 20, 0xFFFF, 0xFFFFFFFF))
    # The 64 MiB token itself is Python's and the library's; nothing beyond a few copies of it.
    check(peak_memory() - before < 400 << 20, "memory grew by", peak_memory() - before)


def peak_memory():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) << 10
    return 0


@row(45, "any bytes at all: an error, never more")
def random_bytes():
    chance = random.Random(20261123)
    _, client = honest_to_acceptor()
    seeds = (client.first, client.second, client.third)
    for number in range(1500):
        seed = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 8))):
            way = chance.randrange(4)
            at = chance.randrange(len(seed)) if seed else 0
            if way == 0 and seed:
                seed[at] ^= 1 << chance.randrange(8)
            elif way == 1:
                del seed[at:]
            elif way == 2:
                seed[at:at] = chance.randbytes(chance.randrange(9))
            elif seed:
                seed[at:at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\xff\xff\0\0"))
        token = bytes(seed)
        context = harness.acceptor()
        context.step(token)
        context = harness.acceptor()
        context.step(client.first)
        context.step(token)
        check(glue.is_error(context.major), "accepted", token.hex())
        context = harness.initiator()
        context.step()
        context.step(token)
    honest_to_acceptor()


@row(30, "a name in the trace is one piece of one line")
def names_in_the_trace():
    trace = harness.WORLD.path("trace-30")
    with harness.environment(GSS_NTLM_TRACE=trace):
        for user in ("a\nAUDIT ok", 'b") AUDIT ok "', "a\r\nx", "\x1b[31mred", "a\u2028b", "alice\u202e", "x" * 30000):
            to_acceptor(user=user)
            to_acceptor(domain=user)
            to_acceptor(workstation=user)
        honest_to_acceptor()
    with open(trace, "rb") as file:
        lines = file.read().decode("utf-8").split("\n")
    check(len(lines) > 20 and lines[-1] == "", "the trace is short")
    for line in lines[:-1]:
        check("gss-ntlm[" in line and line[:2] == "20", "a forged line:", repr(line))
        check(all(c.isprintable() for c in line), "a control character:", repr(line))
        check(len(line) < 1100, "a long line")
    parties = re.compile(r' \((an anonymous client|"[^"]*")( (from|to) "[^"]*")?\)$')
    for line in lines:
        check("AUDIT ok" not in parties.sub("", line), "a name outside of its quotation:", repr(line))


@trap("one unknown flag bit clears them all")
def unknown_flag_bits():
    for bit in range(32):
        context = harness.acceptor()
        second = context.step(ntlm.negotiate(ntlm.OFFER | 1 << bit))
        check(second, "offer with bit", bit)
        wanted = ntlm.SIGN | ntlm.SEAL | ntlm.ESS | ntlm.K128 | ntlm.KEY_EXCH
        check(ntlm.flags_of(second) & wanted == wanted, "bit", bit, "cleared others")
        _, _, facts = honest_to_initiator(flags=glue.INTEG | glue.CONF,
                                          **{"edit_second": lambda m: ntlm.with_flags(
                                              m, ntlm.flags_of(m) | 1 << bit)}) \
            if not 1 << bit & (ntlm.OEM | ntlm.LM_KEY | ntlm.DATAGRAM) else (None, None, None)
        check(facts is None or facts["flags"] & wanted == wanted, "bit", bit, "in CHALLENGE")


@trap("a policy switched by a display name")
def policy_not_switched_by_a_name():
    for name in ("NTLMSSP_COMPAT", "WORKGROUP", "LMCOMPAT0", "BUILTIN"):
        with harness.environment(NETBIOS_DOMAIN_NAME=name, NETBIOS_COMPUTER_NAME=name):
            attack_acceptor("v1 under the name " + name, harness.REFUSED, mic=False,
                            nt=lambda nt: b"\x42" * 24)
            attack_initiator("v1 challenge under the name " + name, harness.REFUSED,
                             edit_second=lambda m: ntlm.with_flags(
                                 m, ntlm.flags_of(m) & ~ntlm.ESS))


@trap("a setting that fails open")
def garbage_settings():
    for value in ("x", "-1", "6", "05", "5 ", "", "0x5", "5" * 100, "5\n"):
        with harness.environment(LM_COMPAT_LEVEL=value):
            try:
                glue.Cred(glue.ACCEPT)
                check(False, "LM_COMPAT_LEVEL=%r was taken" % value)
            except glue.Status as refused:
                check("LM_COMPAT_LEVEL" in str(refused), refused)
    with harness.environment(LM_COMPAT_LEVEL="5"):
        honest_to_acceptor()
