"""Rows of the threat table about the library around the module: SPNEGO, NULL, handles, accounts."""
import ctypes
import itertools
import os
import random
import tempfile
from ctypes import byref, c_int, c_uint32, c_void_p

import glue
import harness
import ntlm
import spnego
from harness import check, expect, honest_to_acceptor, row, to_acceptor, trap


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


def lib_call(name, *arguments):
    return getattr(glue.lib, name)(*arguments)


def nullable_calls(world):
    """Every entry of RFC 2744 that reaches the module: name and the arguments of a working call."""
    one, other, cred, name, message, mac = world

    def out(kind=c_uint32):
        return byref(kind())
    buffer = lambda data: byref(glue.buffer_of(data))
    yield "gss_init_sec_context", [out(), cred.handle, out(c_void_p), name.handle, byref(glue.NTLM),
                                   c_uint32(0), c_uint32(0), None, None, out(c_void_p),
                                   out(glue.Buffer), out(), out()]
    yield "gss_accept_sec_context", [out(), out(c_void_p), cred.handle, buffer(ntlm.negotiate()),
                                     None, out(c_void_p), out(c_void_p), out(glue.Buffer), out(),
                                     out(), out(c_void_p)]
    yield "gss_context_time", [out(), one.handle, out()]
    yield "gss_inquire_context", [out(), one.handle, out(c_void_p), out(c_void_p), out(),
                                  out(c_void_p), out(), out(c_int), out(c_int)]
    yield "gss_get_mic", [out(), one.handle, c_uint32(0), buffer(b"x"), out(glue.Buffer)]
    yield "gss_verify_mic", [out(), other.handle, buffer(message), buffer(mac), out()]
    yield "gss_wrap", [out(), one.handle, c_int(1), c_uint32(0), buffer(b"x"), out(c_int),
                       out(glue.Buffer)]
    yield "gss_unwrap", [out(), other.handle, buffer(mac), out(glue.Buffer), out(c_int), out()]
    yield "gss_wrap_size_limit", [out(), one.handle, c_int(1), c_uint32(0), c_uint32(100), out()]
    yield "gss_process_context_token", [out(), one.handle, buffer(b"x")]
    yield "gss_import_name", [out(), buffer(b"CORP\\alice"), byref(glue.NT_USER), out(c_void_p)]
    yield "gss_display_name", [out(), name.handle, out(glue.Buffer), out(c_void_p)]
    yield "gss_compare_name", [out(), name.handle, name.handle, out(c_int)]
    yield "gss_duplicate_name", [out(), name.handle, out(c_void_p)]
    yield "gss_canonicalize_name", [out(), name.handle, byref(glue.NTLM), out(c_void_p)]
    yield "gss_acquire_cred", [out(), None, c_uint32(0), byref(glue.mech_set(glue.NTLM)),
                               c_int(glue.ACCEPT), out(c_void_p), out(c_void_p), out()]
    yield "gss_acquire_cred_from", [out(), None, c_uint32(0), byref(glue.mech_set(glue.NTLM)),
                                    c_int(glue.BOTH), None, out(c_void_p), out(c_void_p), out()]
    yield "gss_acquire_cred_with_password", [
        out(), name.handle, buffer(b"password"), c_uint32(0), byref(glue.mech_set(glue.NTLM)),
        c_int(glue.INITIATE), out(c_void_p), out(c_void_p), out()]
    yield "gss_inquire_cred", [out(), cred.handle, out(c_void_p), out(), out(c_int), out(c_void_p)]
    yield "gss_inquire_cred_by_mech", [out(), cred.handle, byref(glue.NTLM), out(c_void_p), out(),
                                       out(), out(c_int)]
    yield "gss_inquire_names_for_mech", [out(), byref(glue.NTLM), out(c_void_p)]
    yield "gss_inquire_attrs_for_mech", [out(), byref(glue.NTLM), out(c_void_p), out(c_void_p)]
    yield "gss_inquire_saslname_for_mech", [out(), byref(glue.NTLM), out(glue.Buffer),
                                            out(glue.Buffer), out(glue.Buffer)]
    yield "gss_inquire_sec_context_by_oid", [out(), one.handle, byref(glue.SESSION_KEY),
                                             out(c_void_p)]
    yield "gss_set_sec_context_option", [out(), byref(c_void_p(one.handle.value)),
                                         byref(glue.oid(b"\x2a\x03")), buffer(b"x")]
    yield "gss_display_status", [out(), c_uint32(0x4E540001), c_int(2), byref(glue.NTLM), out(),
                                 out(glue.Buffer)]


# The library itself reads these without looking; they never reach the module.
LIBRARY_READS = {"gss_set_sec_context_option": {3}, "gss_inquire_saslname_for_mech": {1},
                 "gss_inquire_attrs_for_mech": {1}, "gss_display_status": {4}}


def in_child(body, what):
    """Runs `body` in a child, which must end by itself with status 0."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    check(status == 0, what, "ended with status %#x" % status)


@row(25, "every pointer NULL, singly and in pairs, through the library")
def null_arguments():
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")
    cred = glue.Cred(glue.BOTH, "CORP\\alice")
    world = (one, other, cred, glue.Name("CORP\\alice"), b"m", one.mic(b"m"))

    def all_calls():
        for name, arguments in nullable_calls(world):
            pointers = [i for i, a in enumerate(arguments)
                        if not isinstance(a, (c_uint32, c_int)) and
                        i not in LIBRARY_READS.get(name, ())]
            for first, second in itertools.product(pointers, pointers):
                changed = list(arguments)
                changed[first] = changed[second] = None
                lib_call(name, *changed)
    in_child(all_calls, "a NULL argument")
    harness.honest_to_initiator()


@row(25, "every pointer NULL, at the module's own entries")
def null_arguments_of_the_module():
    import threats
    module = glue.Library(threats.module_path(), mode=os.RTLD_NOW | os.RTLD_LOCAL)
    entries = exported(threats.module_path())
    check(len(entries) > 30, "entries", entries)

    def all_null():
        for name in entries:
            if name.startswith(("gss_", "gssspi_")):
                getattr(module, name)(*[None] * 14)
                getattr(module, name)(byref(c_uint32()), *[None] * 13)
    in_child(all_null, "NULL everywhere")


def exported(path):
    import subprocess
    out = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True,
                         check=True).stdout
    return [line.split()[2].split("@")[0] for line in out.splitlines() if " T " in line]


@row(25, "a length without bytes behind it")
def length_without_bytes():
    broken = glue.Buffer(5, None)
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")

    def body():
        out = glue.Buffer()
        minor = byref(c_uint32())
        calls = ((glue.lib.gss_wrap, (one.handle, 1, 0, byref(broken), None, byref(out))),
                 (glue.lib.gss_unwrap, (other.handle, byref(broken), byref(out), None, None)),
                 (glue.lib.gss_get_mic, (one.handle, 0, byref(broken), byref(out))),
                 (glue.lib.gss_verify_mic, (other.handle, byref(broken), byref(broken), None)),
                 (glue.lib.gss_import_name, (byref(broken), byref(glue.NT_USER),
                                             byref(c_void_p()))))
        for function, arguments in calls:
            check(glue.is_error(function(minor, *arguments)), function)
    in_child(body, "a broken buffer")


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


@row(38, "after every failure the caller's context is there to be deleted, once")
def contexts_after_failure():
    for token in (b"", b"junk", b"NTLMSSP\0\3\0\0\0" + bytes(80), b"NTLMSSP\0\1\0\0\0"):
        context = harness.acceptor()
        context.step(token)
        check(glue.is_error(context.major), "token", token)
        check(context.deleted() and context.deleted(), "delete")
    context, client = to_acceptor(password="guess")
    expect(context, glue.FAILURE, "wrong password")
    for _ in range(5):
        context.step(client.third)
        check(glue.is_error(context.major), "again")
        check(context.wrap(b"x") == b"", "wrap on a failed context")
        expect(context, glue.NO_CONTEXT, "wrap on a failed context")
    # A server that keeps the context of its connection may go on with a new NEGOTIATE.
    again = ntlm.Client(harness.USER, harness.DOMAIN, harness.PASSWORD)
    context.step(again.authenticate(context.step(again.negotiate())))
    expect(context, glue.COMPLETE, "a new attempt")
    check(context.source == "CORP\\alice", context.source)
    check(context.deleted(), "delete")
    context = harness.initiator()
    context.cred = glue.Cred(glue.ACCEPT)
    context.step()
    check(glue.is_error(context.major) and not context.handle, "a first step that failed")


@row(39, "every call on an unfinished context is an error")
def half_open_contexts():
    def half():
        one = harness.initiator()
        one.step()
        other = harness.acceptor()
        other.step(ntlm.negotiate())
        lost, _ = to_acceptor(password="guess")
        return one, other, lost
    for mech in ("raw", "spnego"):
        sides = half()
        if mech == "spnego":
            one, other = spnego_initiator(), spnego_acceptor()
            other.step(one.step())
            sides = (one, other)
        for side in sides:
            for call in (lambda: side.wrap(b"x"), lambda: side.unwrap(bytes(20)),
                         lambda: side.mic(b"x"), lambda: side.verify(b"x", bytes(16))):
                call()
                expect(side, glue.NO_CONTEXT, "call on an unfinished context")
            found = side.inquire()
            check(not found[6] and not found[4] & (glue.INTEG | glue.CONF), "inquire", found)
            side.by_oid(glue.SESSION_KEY)
            check(side.by_oid(glue.SESSION_KEY) is None, "a session key of an unfinished context")
            limit = c_uint32(77)
            check(glue.is_error(glue.lib.gss_wrap_size_limit(
                byref(c_uint32()), side.handle, 1, 0, 100, byref(limit))), "wrap_size_limit")
            check(glue.lib.gss_context_time(byref(c_uint32()), side.handle, byref(limit)) != 0,
                  "context_time")
            for value in (0, 1):
                data = glue.buffer_of(value.to_bytes(4, "little"))
                glue.lib.gss_set_sec_context_option(byref(c_uint32()), byref(side.handle),
                                                    byref(glue.RESET_CRYPTO), byref(data))
            check(side.deleted(), "delete")


@row(24, "a thousand refused requests, domain given twice, cost no memory")
def no_memory_per_request():
    def refused():
        to_acceptor(password="guess")
        to_acceptor(user="stranger", domain="CORP\\x")
        context = harness.acceptor()
        context.step(b"NTLMSSP\0\3\0\0\0" + bytes(90))
        one = glue.Context(True, glue.Cred(glue.INITIATE, "CORP\\alice", store={
            "ntlmssp_domain": "CORP", "ntlmssp_password": "x"}))
        one.step()
        one.step(b"NTLMSSP\0\2\0\0\0" + bytes(40))
    for _ in range(200):
        refused()
    before = resident()
    for _ in range(1000):
        refused()
    grown = resident() - before
    check(grown < 2 << 20, "grown by", grown)


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@row(42, "two accounts, interleaved: each context stays with the one it began with")
def interleaved_accounts():
    alice = glue.Cred(glue.INITIATE, "CORP\\alice", harness.PASSWORD)
    bob = glue.Cred(glue.INITIATE, "CORP\\bob", "Secret-of-bob")
    one, two = glue.Context(True, alice), glue.Context(True, bob)
    first, second = harness.acceptor(), harness.acceptor()
    challenge_one = first.step(one.step())
    challenge_two = second.step(two.step())
    # The other credential, and none, are handed in at the later step.
    one.cred, two.cred = bob, None
    first.step(one.step(challenge_one))
    second.step(two.step(challenge_two))
    expect(first, glue.COMPLETE, "alice")
    expect(second, glue.COMPLETE, "bob")
    check((first.source, second.source) == ("CORP\\alice", "CORP\\bob"), first.source, second.source)
    check(one.inquire()[1] == "CORP\\alice" and two.inquire()[1] == "CORP\\bob", "own names")
    # A credential that is gone by the second step.
    three, third = harness.initiator(), harness.acceptor()
    token = third.step(three.step())
    three.cred = third.cred = None
    third.step(three.step(token))
    expect(third, glue.COMPLETE, "released credentials")
    # A challenge answered for another context.
    one, two = harness.initiator(), harness.initiator()
    first, second = harness.acceptor(), harness.acceptor()
    challenge_one, challenge_two = first.step(one.step()), second.step(two.step())
    first.step(one.step(challenge_two))
    expect(first, glue.FAILURE, "crossed challenges")


@trap("lifetime arithmetic inverted")
def lifetimes_agree():
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")
    for side in (one, other):
        left, life = c_uint32(), c_uint32()
        check(glue.lib.gss_context_time(byref(c_uint32()), side.handle, byref(left)) == 0, "time")
        glue.lib.gss_inquire_context(byref(c_uint32()), side.handle, None, None, byref(life), None,
                                     None, None, None)
        check(left.value == life.value == 0xFFFFFFFF, "lifetimes", left.value, life.value)


@trap("length that counts the NUL")
def no_counted_terminators():
    for spelled in ("CORP\\alice", "alice", "alice@corp.example"):
        name = glue.Name(spelled)
        check("\0" not in str(name), "display_name counts its end")
        out = glue.Buffer()
        canonical = c_void_p()
        check(glue.lib.gss_canonicalize_name(byref(c_uint32()), name.handle, byref(glue.NTLM),
                                             byref(canonical)) == 0, "canonicalize")
        check(glue.lib.gss_export_name(byref(c_uint32()), canonical, byref(out)) == 0, "export")
        token = glue.data_of(out)
        size = int.from_bytes(token[16:20], "big")
        check(size == len(token) - 20, "the name's length", token)
        check(token[21:25] in (b"\0\0\0\5", b"\0\0\0\x12"), "the user's length", token)
        glue.lib.gss_release_name(byref(c_uint32()), byref(canonical))


def exported_token(context):
    out = glue.Buffer()
    major = glue.lib.gss_export_sec_context(byref(c_uint32()), byref(context.handle), byref(out))
    return major, glue.data_of(out)


def imported(token):
    context = glue.Context(False)
    context.major = glue.lib.gss_import_sec_context(byref(c_uint32()), byref(glue.buffer_of(token)),
                                                    byref(context.handle))
    return context


@row(37, "an exported context that was cut, bent or doubled is refused or harmless")
def imported_contexts():
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")
    message = one.wrap(b"before")
    major, token = exported_token(other)
    if major == glue.UNAVAILABLE:
        check(token == b"" and other.unwrap(message) == b"before", "a token without export")
        check(glue.is_error(imported(b"\0\0\0\x0a" + bytes(200)).major), "import")
        return
    expect_ok(major, "export")
    check(not other.handle, "the source is still usable")
    for size in range(len(token)):
        context = imported(token[:size])
        check(glue.is_error(context.major) and not context.handle, "cut at", size)
    check(glue.is_error(imported(token + b"\0").major), "trailing data")
    for at in range(len(token)):
        for bit in (0x01, 0x80):
            context = imported(token[:at] + bytes([token[at] ^ bit]) + token[at + 1:])
            if not glue.is_error(context.major):
                context.unwrap(message)
                context.wrap(b"x")
                context.inquire()
    context = imported(token)
    expect_ok(context.major, "import")
    check(context.unwrap(message) == b"before", "unwrap after import", context.text)
    check(one.unwrap(context.wrap(b"after")) == b"after", "wrap after import")
    check(glue.is_error(imported(b"").major), "empty")


def expect_ok(major, what):
    check(major == glue.COMPLETE, what, glue.show(major))


@row(36, "a child of fork does not send with its parent's key stream")
def fork_and_wrap():
    one, other = harness.initiator(), harness.acceptor()
    check(glue.handshake(one, other), "handshake")
    before = one.wrap(b"before")

    def child():
        check(one.wrap(b"child") == b"" and glue.is_error(one.major), "the child sealed")
        check("process" in one.text, one.text)
        check(one.mic(b"child") == b"" and glue.is_error(one.major), "the child signed")
        mine, theirs = harness.initiator(), harness.acceptor()
        check(glue.handshake(mine, theirs), "a child's own handshake")
        check(theirs.unwrap(mine.wrap(b"own")) == b"own", "a child's own context")
    in_child(child, "the child")
    check(other.unwrap(before) == b"before", "the parent's context")
    check(other.unwrap(one.wrap(b"after")) == b"after", "the parent's context goes on")
