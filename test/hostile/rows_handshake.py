"""Rows of the threat table that are decided by what the three messages say."""
import itertools
import struct

import crypto
import glue
import harness
import ntlm
from harness import (REFUSED, attack_acceptor, attack_initiator, check, expect,
                     honest_to_acceptor, honest_to_initiator, row, to_acceptor, to_initiator)


def shift_offsets(message, by):
    """All six payload offsets of AUTHENTICATE moved."""
    for at in ntlm.PLACES.values():
        offset = struct.unpack_from("<I", message, at + 4)[0]
        message = ntlm.set_field(message, at, offset=offset + by)
    return message


def clear(bits):
    return lambda message: ntlm.with_flags(message, ntlm.flags_of(message) & ~bits)


@row(1, "an announced MIC is demanded, whatever became of the field and the flags")
def drop_the_mic():
    def strip(message):
        return shift_offsets(message[:72] + message[88:], -16)

    def strip_version_too(message):
        return shift_offsets(message[:64] + message[88:], -24)

    def zero(message):
        return message[:72] + bytes(16) + message[88:]

    def overlap(message):
        # Payload that begins inside the MIC: the workstation's eight bytes lie in its field.
        return ntlm.set_field(message, ntlm.PLACES["workstation"], offset=80)

    bends = {"stripped": strip, "stripped with Version": strip_version_too, "zero": zero,
             "overlapped": overlap, "cut behind the fixed part": lambda m: m[:72],
             "one bit": lambda m: m[:87] + bytes([m[87] ^ 0x80]) + m[88:]}
    for name, bend in bends.items():
        for cleared in (0, ntlm.VERSION, ntlm.SIGN, ntlm.ALWAYS_SIGN,
                        ntlm.VERSION | ntlm.ALWAYS_SIGN | ntlm.KEY_EXCH):
            attack_acceptor("MIC %s, flags %#x cleared" % (name, cleared), honest=False,
                            edit_third=lambda m: clear(cleared)(bend(m)))
    honest_to_acceptor()


@row(2, "MsvAvFlags of the server is never taken over, twice is refused")
def drop_the_mic_twice():
    zero = struct.pack("<I", 0)
    for planted in (zero, struct.pack("<I", 1), struct.pack("<I", 4)):
        _, _, facts = honest_to_initiator(edit_pairs=lambda p: p[:2] + [(6, planted)] + p[2:])
        check(ntlm.one(facts["pairs"], ntlm.FLAGS) == struct.pack("<I", 2), "flags of the server")
    attack_initiator("flags twice", glue.DEFECTIVE_TOKEN,
                     edit_pairs=lambda p: p + [(6, zero), (6, struct.pack("<I", 2))])

    def behind_end(pairs):
        return ntlm.pack_pairs(pairs) + ntlm.pack_pairs([(6, zero)])
    pairs = [(ntlm.NB_DOMAIN, ntlm.utf16("SRV")), (ntlm.NB_COMPUTER, ntlm.utf16("SRV"))]
    _, _, facts = honest_to_initiator(raw_pairs=behind_end(pairs))
    check(ntlm.one(facts["pairs"], ntlm.FLAGS) == struct.pack("<I", 2), "flags behind the end")
    for twice in ([(6, zero)], [(6, struct.pack("<I", 2))]):
        attack_acceptor("flags twice in the response", glue.DEFECTIVE_TOKEN,
                        edit_pairs=lambda p: p + twice)
        attack_acceptor("flags twice, the false ones first", glue.DEFECTIVE_TOKEN,
                        edit_pairs=lambda p: twice + p)


@row(3, "LMv2 is neither sent beside NTLMv2 nor taken instead of it")
def no_lmv2_beside_ntlmv2():
    _, _, facts = honest_to_initiator()
    check(facts["parts"]["lm"] == bytes(24), "LM field is not zero")
    _, _, facts = honest_to_initiator(edit_pairs=lambda p: [x for x in p if x[0] != 7])
    check(facts["parts"]["lm"] == bytes(24), "LM field is not zero without a timestamp")
    real = {"lm": lambda lm, lmv2: lmv2}
    attack_acceptor("LMv2 right, NT wrong", nt=lambda nt: bytes(16) + nt[16:], honest=real, **real)
    attack_acceptor("LMv2 alone", nt=lambda nt: b"", honest=real, **real)
    attack_acceptor("LMv2 alone, no MIC", nt=lambda nt: b"", mic=False, honest=real, **real)
    honest_to_acceptor(lm=lambda lm, lmv2: b"")


@row(9, "no flag changes on its way: every bit of every message, with a MIC")
def flag_flipped_on_its_way():
    for leg in (1, 2, 3):
        for bit in range(32):
            one, other = harness.initiator(), harness.acceptor()

            def tamper(number, token):
                if number != leg:
                    return token
                return ntlm.with_flags(token, ntlm.flags_of(token) ^ 1 << bit)
            check(not glue.handshake(one, other, tamper), "leg", leg, "bit", bit, "went through")
            check(not other.inquire()[6], "the acceptor's context is open")
    check(glue.handshake(harness.initiator(), harness.acceptor()), "honest exchange")


@row(9, "what was asked for is there or the exchange fails, with a server that takes it back")
def flags_taken_back_by_server():
    needed = {ntlm.ESS: "ESS", ntlm.K128: "128", ntlm.SEAL: "SEAL"}
    for bit, name in needed.items():
        attack_initiator(name + " taken back", glue.FAILURE,
                         flags=glue.INTEG | glue.CONF,
                         edit_second=clear(bit))
    attack_initiator("no charset", glue.DEFECTIVE_TOKEN, edit_second=clear(ntlm.UNICODE))
    attack_initiator("OEM for UNICODE", glue.FAILURE, edit_second=lambda m: ntlm.with_flags(
        m, ntlm.flags_of(m) & ~ntlm.UNICODE | ntlm.OEM))
    context, _, third = to_initiator(flags=glue.INTEG,
                                     edit_second=clear(ntlm.SIGN | ntlm.SEAL))
    expect(context, glue.FAILURE, "integrity taken back")
    check(third == b"", "AUTHENTICATE was sent")
    # Less than was offered, and not requested: the flags say what was obtained.
    context, server, third = to_initiator(flags=0, edit_second=clear(ntlm.SIGN | ntlm.SEAL))
    expect(context, glue.COMPLETE, "nothing asked for")
    check(not context.flags & (glue.INTEG | glue.CONF | glue.REPLAY | glue.SEQUENCE), "flags lie")
    check(context.wrap(b"x") == b"", "wrap works without keys")
    expect(context, glue.UNAVAILABLE, "wrap")
    context, server, third = to_initiator(flags=glue.INTEG, edit_second=clear(ntlm.SEAL))
    expect(context, glue.COMPLETE, "sealing was not asked for")
    check(context.flags & glue.INTEG and not context.flags & glue.CONF, "flags lie")


@row(9, "AUTHENTICATE neither clears nor adds flags of CHALLENGE, without a MIC to cover it")
def flags_changed_without_mic():
    for bit in (ntlm.SIGN, ntlm.SEAL, ntlm.ESS, ntlm.K128, ntlm.KEY_EXCH, ntlm.UNICODE):
        attack_acceptor("flag %#x dropped" % bit, glue.FAILURE, mic=False, edit_third=clear(bit),
                        honest={"mic": False})
    offer = ntlm.OFFER & ~(ntlm.SEAL | ntlm.SIGN | ntlm.KEY_EXCH)
    for bit in (ntlm.SEAL, ntlm.SIGN, ntlm.KEY_EXCH, ntlm.DATAGRAM, ntlm.LM_KEY, ntlm.NON_NT_KEY):
        attack_acceptor("flag %#x added" % bit, REFUSED, mic=False, offer=offer,
                        edit_third=lambda m: ntlm.with_flags(m, ntlm.flags_of(m) | bit),
                        honest={"mic": False})


@row(10, "a challenge without target information or ESS gets no NTLMv1")
def no_v1_without_target_info():
    old = ntlm.challenge(ntlm.UNICODE | ntlm.NTLM | ntlm.SIGN | ntlm.SEAL | ntlm.K128 |
                         ntlm.KEY_EXCH | ntlm.ALWAYS_SIGN | ntlm.ESS, b"\x11" * 8, b"", b"")
    bends = {"no target info": lambda m: old,
             "32 bytes": lambda m: old[:32],
             "48 bytes": lambda m: old[:48],
             "no ESS": clear(ntlm.ESS),
             "no ESS, no target info": lambda m: clear(ntlm.ESS)(old),
             "LM_KEY instead of ESS": lambda m: ntlm.with_flags(
                 m, ntlm.flags_of(m) & ~ntlm.ESS | ntlm.LM_KEY)}
    for name, bend in bends.items():
        attack_initiator(name, REFUSED, edit_second=bend)
        context, _, third = to_initiator(flags=0, edit_second=bend)
        check(glue.is_error(context.major) and not third, name, "without protection asked for")


@row(11, "no challenge of any kind gets a response of 24 bytes")
def no_response_of_24_bytes():
    for nonce in (bytes.fromhex("1122334455667788"), bytes(8)):
        for bits in (0, ntlm.ESS, ntlm.TARGET_INFO, ntlm.ESS | ntlm.TARGET_INFO, ntlm.K128,
                     ntlm.SIGN | ntlm.SEAL | ntlm.KEY_EXCH, ntlm.NTLM | ntlm.ALWAYS_SIGN):
            for flags in (0, glue.INTEG, glue.INTEG | glue.CONF):
                _, _, third = to_initiator(flags=flags, nonce=nonce, edit_second=clear(bits))
                if third:
                    parts = ntlm.parts_of(third)
                    check(len(parts["nt"]) > 24, "a v1 response left, flags cleared", hex(bits))
                    check(parts["lm"] == bytes(24), "an LM response left")
    for kind in (lambda nt: b"\x42" * 24, lambda nt: b""):
        attack_acceptor("v1 response", REFUSED, nt=kind, mic=False)
        attack_acceptor("v1 response and LM", REFUSED, nt=kind, mic=False,
                        lm=lambda lm, lmv2: b"\x42" * 24)


@row(10, "an acceptor by default takes none of the old responses, though they are right")
def no_old_responses_accepted():
    nt = crypto.nt_hash(harness.PASSWORD)
    lm = crypto.lm_hash(harness.PASSWORD)
    for offer in (ntlm.OFFER, ntlm.OFFER & ~(ntlm.SIGN | ntlm.SEAL | ntlm.KEY_EXCH)):
        for kind in ("v1", "v1-ess", "lm"):
            context = harness.acceptor()
            client = ntlm.Client(harness.USER, harness.DOMAIN, harness.PASSWORD, offer=offer)
            second = context.step(client.negotiate())
            nonce = second[24:32]
            mixed = crypto.md5(nonce + b"\x07" * 8)[:8]
            fields = {"v1": (crypto.desl(nt, nonce), crypto.desl(nt, nonce)),
                      "v1-ess": (b"\x07" * 8 + bytes(16), crypto.desl(nt, mixed)),
                      "lm": (crypto.desl(lm, nonce), b"")}[kind]
            parts = {"domain": ntlm.utf16("CORP"), "user": ntlm.utf16("alice"), "workstation": b"",
                     "lm": fields[0], "nt": fields[1], "key": bytes(16)}
            context.step(ntlm.authenticate(parts, ntlm.flags_of(second)))
            expect(context, REFUSED, kind)
            check(not context.inquire()[6], kind, "open")
    honest_to_acceptor()


@row(17, "no anonymous client is accepted by default: near and exact forms are rejected")
def anonymous_forms():
    for user in ("", "alice"):
        for nt in (b"", "real"):
            for lm in (b"", b"\0", b"\1", bytes(24)):
                if user and nt:
                    continue
                for domain, key in itertools.product(("", "CORP"), (b"", bytes(16))):
                    attack_acceptor(
                        "anonymous %r %r %r %r" % (domain, user, nt, lm), REFUSED, honest=False,
                        user=user, domain=domain, nt=(lambda n: n) if nt else (lambda n: b""),
                        lm=lambda l, l2: lm, mic=False, key=key)
    honest_to_acceptor()


@row(18, "the proof decides, with a MIC and without")
def wrong_password():
    for mic in (True, False, "unannounced"):
        attack_acceptor("wrong password", glue.FAILURE, password="guess", mic=mic,
                        honest={"mic": mic})
        attack_acceptor("empty password", glue.FAILURE, password="", mic=mic)
        attack_acceptor("proof of zeros", glue.FAILURE, nt=lambda nt: bytes(16) + nt[16:], mic=mic)
        for bit in range(0, 128, 17):
            attack_acceptor("bit %d of the proof" % bit, glue.FAILURE, mic=mic, honest=False,
                            nt=lambda nt: bytes(a ^ (1 << bit % 8 if i == bit // 8 else 0)
                                                for i, a in enumerate(nt)))
    # A MIC that is right says nothing of a proof that is wrong.
    attack_acceptor("MIC right, proof wrong", glue.FAILURE, nt=lambda nt: nt[:15] + b"\0" + nt[16:])


@row(19, "the MIC covers every byte that travelled, at 72 or where a client without Version has it")
def mic_positions():
    honest_to_acceptor(version=b"", offer=ntlm.OFFER & ~ntlm.VERSION,
                       edit_flags=lambda f: f & ~ntlm.VERSION)
    honest_to_acceptor(version=bytes(8), edit_flags=lambda f: f & ~ntlm.VERSION)
    honest_to_acceptor(edit_parts=lambda p: p, layout={"gap": 3})
    # Trailing bytes are covered too.
    honest_to_acceptor(before_mic=lambda m: m + b"trailing")
    attack_acceptor("bytes appended", glue.FAILURE, edit_third=lambda m: m + b"\0")
    _, client = honest_to_acceptor()
    size = len(client.third)
    for at in list(range(12, 88, 5)) + list(range(88, size, 23)):
        def bend(m, at=at):
            return m[:at] + bytes([m[at] ^ 0x40]) + m[at + 1:]
        attack_acceptor("byte %d changed" % at, (glue.FAILURE, glue.DEFECTIVE_TOKEN), honest=False,
                        edit_third=bend)


@row(46, "a key exchanged without signing or sealing is refused, and the trace says why")
def key_exchange_without_protection():
    offer = ntlm.OFFER & ~(ntlm.SIGN | ntlm.SEAL)
    trace = harness.WORLD.path("trace-46")
    with harness.environment(GSS_NTLM_TRACE=trace):
        attack_acceptor("KEY_EXCH alone", glue.FAILURE, offer=offer, honest=False, key="always",
                        edit_flags=lambda f: f | ntlm.KEY_EXCH)
        attack_acceptor("a key that was not requested", glue.FAILURE, offer=offer, honest=False,
                        key="always")
    with open(trace, encoding="utf-8") as file:
        lines = file.read()
    check(lines.count("rejected") >= 2 and "exchanged a key" in lines, "the trace is silent:", lines)
    context, _ = to_acceptor(offer=offer)
    expect(context, glue.COMPLETE, "no protection at all")
    check(not context.flags & (glue.INTEG | glue.CONF), "protection claimed")
    first = harness.initiator(flags=0).step()
    flags = ntlm.flags_of(first)
    check(not flags & ntlm.KEY_EXCH or flags & ntlm.SIGN, "KEY_EXCH offered alone")


@row(47, "keys below 128 bits are refused, at whichever leg they come up")
def weak_keys():
    for offer in (ntlm.OFFER & ~ntlm.K128, ntlm.OFFER & ~(ntlm.K128 | ntlm.K56)):
        context = harness.acceptor()
        check(context.step(ntlm.negotiate(offer)) == b"", "CHALLENGE for a weak key")
        expect(context, glue.FAILURE, "weak offer")
    attack_initiator("56 bits", glue.FAILURE, edit_second=clear(ntlm.K128))
    attack_initiator("40 bits", glue.FAILURE, edit_second=clear(ntlm.K128 | ntlm.K56))
    honest_to_acceptor(offer=ntlm.OFFER & ~ntlm.K56)


@row(48, "CHALLENGE carries names 1 and 2 and the time, and neither flags nor the client's pairs")
def pairs_of_challenge():
    second = harness.acceptor().step(ntlm.negotiate())
    pairs = ntlm.pairs_of(ntlm.field(second, 40))
    check([av for av, _ in pairs if av in (6, 8, 9, 10)] == [], "pairs", pairs)
    check({1, 2, 7} <= {av for av, _ in pairs}, "pairs", pairs)
    check(ntlm.one(pairs, 1) == ntlm.utf16("ACCEPTOR"), "computer name")


@row(29, "names: NUL and controls refused, spellings of one account known, the account's name told")
def confusing_names():
    for bad in ("al\0ice", "alice\0", "\0", "ali\nce", "alice\x7f", "alice\x85", "a\x1bb"):
        attack_acceptor("user %r" % bad, REFUSED, user=bad, honest=False)
        attack_acceptor("domain %r" % bad, REFUSED, domain=bad, honest=False)
        attack_acceptor("workstation %r" % bad, REFUSED, workstation=bad, honest=False)
    for user in ("CORP\\alice", "alice@CORP", "ali\u202ece", "аlice", "alice ", "alice\u200b"):
        attack_acceptor("user %r" % user, glue.FAILURE, user=user, honest=False)
    for user, domain in (("alice", "CORP"), ("ALICE", "corp"), ("Alice", "")):
        context, _ = honest_to_acceptor(user=user, domain=domain)
        check(context.source == "CORP\\alice", "named", context.source)
    # Old clients hash another spelling of the domain than they send.
    context, _ = honest_to_acceptor(domain="corp", hashed_domain="CORP")
    context, _ = honest_to_acceptor(domain="CORP", hashed_domain="")
    attack_acceptor("another domain hashed", glue.FAILURE, domain="CORP", hashed_domain="OTHER")
    attack_acceptor("another domain", glue.FAILURE, domain="OTHER")


@row(31, "unknown user, wrong password, wrong MIC: one status, one minor, one text")
def one_answer_for_all_failures():
    answers = set()
    for switches in ({"user": "stranger"}, {"password": "guess"}, {"domain": "OTHER"},
                     {"edit_third": lambda m: m[:72] + bytes(16) + m[88:]},
                     {"edit_pairs": lambda p: [x for x in p if x[0] != 1]},
                     {"timestamp": 0}):
        for mic in (True, False):
            if "edit_third" in switches and not mic:
                continue
            context, _ = to_acceptor(mic=mic, **switches)
            answers.add((context.major, context.minor, context.text))
    check(len(answers) == 1, "answers differ:", answers)


@row(31, "a disabled or denied account, and one without a hash, is rejected like an unknown one")
def disabled_account():
    nt = crypto.nt_hash(harness.PASSWORD).hex().upper()
    users = ("dora:1:%s:%s:[UD         ]:LCT-00000000:\n" % ("X" * 32, nt) +
             "empty:2:%s:%s:[U          ]:LCT-00000000:\n" % ("X" * 32, "X" * 32) +
             "fine:3:%s:%s:[U          ]:LCT-00000000:\n" % ("X" * 32, nt))
    path = harness.WORLD.write("users-31", users)
    with harness.environment(NTLM_USER_FILE=path):
        context, _ = to_acceptor(user="fine", domain="")
        expect(context, glue.COMPLETE, "an account in the smbpasswd form")
        answers = set()
        for user, password in itertools.product(("dora", "empty", "stranger"), (harness.PASSWORD, "guess")):
            context, _ = to_acceptor(user=user, domain="", password=password)
            expect(context, glue.FAILURE, user)
            answers.add((context.major, context.minor, context.text))
        for count, rule in enumerate(("deny_users = fine", "allow_users = other")):
            path = harness.WORLD.write("settings-31-%d" % count, "[policy]\n%s\n" % rule)
            with harness.environment(GSS_NTLM_SETTINGS=path):
                for password in (harness.PASSWORD, "guess"):
                    context, _ = to_acceptor(user="fine", domain="", password=password)
                    expect(context, glue.FAILURE, rule)
                    answers.add((context.major, context.minor, context.text))
        check(len(answers) == 1, "answers differ", answers)


@row(9, "a wrapped key of any size but 16 is refused")
def short_session_keys():
    for size in (0, 1, 15, 17, 32, 1000):
        for mic in (True, False):
            attack_acceptor("key of %d" % size, glue.DEFECTIVE_TOKEN, mic=mic, key=bytes(size),
                            honest={"mic": mic})
