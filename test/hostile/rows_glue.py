"""Rows of the threat table about what the library around the module holds: contexts, accounts, tokens."""
import os
from ctypes import byref, c_uint32

import glue
import harness
import ntlm
from harness import check, expect, row, to_acceptor, trap
from rows_arguments import in_child
from rows_spnego import spnego_acceptor, spnego_initiator


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
