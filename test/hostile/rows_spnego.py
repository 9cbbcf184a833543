"""Rows of the threat table about SPNEGO around the module."""
import random
import tempfile
from ctypes import byref, c_uint32

import glue
import harness
import ntlm
import spnego
from harness import check, expect, honest_to_acceptor, row


def spnego_acceptor():
    return harness.acceptor(cred=glue.Cred(glue.ACCEPT, mech=glue.SPNEGO), mech=glue.SPNEGO)


def spnego_initiator(flags=glue.INTEG | glue.CONF):
    cred = glue.Cred(glue.INITIATE, "CORP\\alice", harness.PASSWORD, mech=glue.SPNEGO)
    return glue.Context(True, cred, mech=glue.SPNEGO, flags=flags)


def to_spnego_acceptor(mic=lambda m: m, mechs=None, **switches):
    """Our SPNEGO client against the library's: (context, client, last answer)."""
    mechs = mechs or spnego.mech_list()
    context = spnego_acceptor()
    client = ntlm.Client(harness.USER, harness.DOMAIN, harness.PASSWORD, **switches)
    answer = context.step(spnego.init(mechs, client.negotiate()))
    expect(context, glue.CONTINUE, "NegTokenInit")
    third = client.authenticate(spnego.parse(answer)["token"])
    made = mic(client.session.mic(mechs))
    if client.session.flags & ntlm.KEY_EXCH:
        client.session.restart(0)
    last = context.step(spnego.response(token=third, mic=made))
    return context, client, last


def carries_mic():
    """Whether the library's SPNEGO carries mechListMIC (krb5 1.21.0 to 1.22.1 do not), seen without
    the module's own probe: an exchange of the library with itself in which both sides must send it."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write("[policy]\nspnego_mic = always\n")
        settings.flush()
        with harness.environment(GSS_NTLM_SETTINGS=settings.name):
            return glue.handshake(spnego_initiator(), spnego_acceptor())


def acceptor_that_sees_no_mic():
    """Where the library overlooks mechListMIC, a client without one is accepted, MIC or not."""
    mechs = spnego.mech_list()
    for mic in (True, False):
        context = spnego_acceptor()
        client = ntlm.Client(harness.USER, harness.DOMAIN, harness.PASSWORD, mic=mic)
        answer = context.step(spnego.init(mechs, client.negotiate()))
        third = client.authenticate(spnego.parse(answer)["token"])
        last = context.step(spnego.response(token=third))
        expect(context, glue.COMPLETE, "honest client without mechListMIC")
        check(not spnego.parse(last).get("mic"), "a mechListMIC that was not requested")
        check(context.unwrap(client.session.wrap(b"first")) == b"first", "unwrap")
        check(client.session.unwrap(context.wrap(b"second")) == b"second", "wrap")


def initiator_that_sends_no_mic():
    """Where the library could not read the answer, AUTHENTICATE and the list go without a MIC."""
    context = spnego_initiator()
    first = spnego.parse(context.step())
    server = ntlm.Server()
    second = server.challenge(first["token"])
    answer = spnego.parse(context.step(spnego.response(1, spnego.NTLM_OID, second)))
    server.check_authenticate(answer["token"], harness.USER, harness.DOMAIN, harness.PASSWORD, mic=False)
    check(not answer.get("mic"), "a mechListMIC that the library cannot carry")
    context.step(spnego.response(0))
    expect(context, glue.COMPLETE, "the exchange without mechListMIC")


@row(14, "mechListMIC: the right one binds, a forged one refuses, and the stream begins again")
def mech_list_mic():
    if not carries_mic():
        acceptor_that_sees_no_mic()
        return
    context, client, last = to_spnego_acceptor()
    expect(context, glue.COMPLETE, "honest mechListMIC")
    theirs = spnego.parse(last).get("mic")
    check(theirs and client.session.verify(spnego.mech_list(), theirs), "the acceptor's MIC")
    client.session.restart(1)
    check(context.unwrap(client.session.wrap(b"first")) == b"first", "unwrap after mechListMIC")
    check(client.session.unwrap(context.wrap(b"second")) == b"second", "wrap after mechListMIC")
    for forged in (lambda m: bytes(16), lambda m: m[:15], lambda m: m[:8] + bytes(8), lambda m: b"",
                   lambda m: m[:4] + bytes([m[4] ^ 1]) + m[5:]):
        context, _, _ = to_spnego_acceptor(mic=forged)
        check(not context.complete, "forged mechListMIC")
    other = spnego.mech_list(spnego.NTLM_OID, spnego.tlv(6, b"\x2a\x03"))
    context, client, _ = to_spnego_acceptor(mechs=other)
    expect(context, glue.COMPLETE, "a list of two")

    def exchanged(mech_list, signed):
        context = spnego_acceptor()
        client = ntlm.Client(harness.USER, harness.DOMAIN, harness.PASSWORD)
        answer = context.step(spnego.init(mech_list, client.negotiate()))
        third = client.authenticate(spnego.parse(answer)["token"])
        context.step(spnego.response(token=third, mic=client.session.mic(signed)))
        return context
    check(not exchanged(other, spnego.mech_list()).complete, "the list was changed on its way")


@row(14, "our initiator inside SPNEGO insists on the acceptor's mechListMIC once it has sent one")
def mech_list_mic_of_the_server():
    if not carries_mic():
        initiator_that_sends_no_mic()
        return
    for bend, works in ((lambda m: m, True), (lambda m: bytes(16), False), (lambda m: None, False),
                        (lambda m: m[:-1] + b"\x77", False)):
        context = spnego_initiator()
        first = spnego.parse(context.step())
        mechs = first["mechs"]
        server = ntlm.Server()
        second = server.challenge(first["token"])
        answer = spnego.parse(context.step(spnego.response(1, spnego.NTLM_OID, second)))
        server.check_authenticate(answer["token"], harness.USER, harness.DOMAIN, harness.PASSWORD)
        check(answer.get("mic"), "AUTHENTICATE has a MIC and the list has none")
        check(server.session.verify(mechs, answer["mic"]), "the initiator's mechListMIC")
        if server.session.flags & ntlm.KEY_EXCH:
            server.session.restart(1)
        context.step(spnego.response(0, mic=bend(server.session.mic(mechs))))
        check(context.complete == works, "mechListMIC", bend(b"x" * 16), glue.show(context.major))


@row(13, "what was chosen is told, what was not asked for is not used, nothing prompts or blocks")
def fallback_is_visible():
    one, other = spnego_initiator(), spnego_acceptor()
    check(glue.handshake(one, other), "SPNEGO")
    for side in (one, other):
        check(side.inquire()[3].hex() in ("2b06010401823702020a", "2b0601050502"), "mech")
    with harness.environment(NTLM_USER_FILE=None):
        for usage in (glue.INITIATE, glue.ACCEPT, glue.BOTH):
            try:
                glue.Cred(usage)
                check(False, "a credential out of nothing")
            except glue.Status as refused:
                check(refused.major == glue.NO_CRED, refused)
    # A SPNEGO credential that may not use NTLM offers nothing.
    cred = glue.Cred(glue.INITIATE, "CORP\\alice", harness.PASSWORD, mech=glue.SPNEGO)
    krb5 = glue.oid(bytes.fromhex("2a864886f712010202"))
    glue.lib.gss_set_neg_mechs(byref(c_uint32()), cred.handle, byref(glue.mech_set(krb5)))
    context = glue.Context(True, cred, mech=glue.SPNEGO)
    token = context.step()
    check(b"NTLMSSP" not in token, "NTLM was offered all the same")


@row(28, "SPNEGO tokens cut, doubled and bent")
def bent_spnego():
    chance = random.Random(44)
    whole = spnego.init(spnego.mech_list(), ntlm.negotiate())
    for size in range(len(whole)):
        context = spnego_acceptor()
        context.step(whole[:size])
        check(not context.complete, "cut at", size)
    for _ in range(300):
        bent = bytearray(whole)
        for _ in range(chance.choice((1, 2, 4))):
            bent[chance.randrange(len(bent))] = chance.randrange(256)
        context = spnego_acceptor()
        context.step(bytes(bent))
    context, _, _ = to_spnego_acceptor()
    expect(context, glue.COMPLETE, "honest SPNEGO")


@row(44, "tokens that SPNEGO passes on are validated as if SPNEGO had not")
def hostile_inner_tokens():
    _, client = honest_to_acceptor()
    for inner in (b"", b"N", b"NTLMSSP\0", client.first[:11], client.third, client.second,
                  client.first + bytes(70000), bytes(4096), b"\x60\x82\xff\xff" + client.first):
        context = spnego_acceptor()
        context.step(spnego.init(spnego.mech_list(), inner))
        check(not context.complete, "inner token", inner[:16])
    for inner in (b"", client.first, client.third, client.second[:40], bytes(200)):
        context = spnego_acceptor()
        context.step(spnego.init(spnego.mech_list(), ntlm.negotiate()))
        context.step(spnego.response(token=inner, mic=bytes(16)))
        check(glue.is_error(context.major), "inner second token", inner[:16])
    framed = spnego.tlv(0x60, spnego.NTLM_OID + client.first)
    context = harness.acceptor()
    context.step(framed)
    check(not context.complete, "framed token")
