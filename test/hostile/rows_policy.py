"""Rows of the threat table that a setting decides."""
import json
import os
import re
import struct

import crypto
import glue
import harness
import ntlm
from harness import (attack_acceptor, check, expect, honest_to_acceptor, honest_to_initiator, row,
                     to_acceptor, to_initiator, trap)
from rows_relay import binding_hash

_count = 0


def settings(text):
    """The environment with a settings file of its own; each has a new name, for files are looked
    at once a second only."""
    global _count
    _count += 1
    path = harness.WORLD.write("settings-%d" % _count, text)
    return harness.environment(GSS_NTLM_SETTINGS=path)


def policy(**keys):
    lines = "".join("%s = %s\n" % item for item in keys.items())
    return settings("[policy]\n" + lines)


@row(1, "require_mic: a response without a MIC is refused")
def require_mic():
    honest_to_acceptor(mic=False)
    with policy(require_mic="yes"):
        attack_acceptor("no MIC", glue.FAILURE, mic=False)
        attack_acceptor("a MIC that is not announced", glue.FAILURE, mic="unannounced")


@row(6, "channel_bindings: off compares nothing, require demands them where the caller has some")
def strictness_of_bindings():
    with policy(channel_bindings="require"):
        for sent in (None, bytes(16)):
            pairs = [] if sent is None else [(10, sent)]
            context, _ = to_acceptor(bindings=b"cb", edit_pairs=lambda p: p + pairs)
            expect(context, glue.BAD_BINDINGS, "required bindings", sent)
        context, _ = honest_to_acceptor(bindings=b"cb",
                                        edit_pairs=lambda p: p + [(10, binding_hash(b"cb"))])
        check(context.flags & glue.CHANNEL_BOUND, "not called bound")
        context, _ = to_acceptor(bindings=b"cb", mic=False,
                                 edit_pairs=lambda p: p + [(10, binding_hash(b"cb"))])
        expect(context, glue.BAD_BINDINGS, "required bindings that no MIC covers")
        honest_to_acceptor()
    with policy(channel_bindings="off"):
        context, _ = honest_to_acceptor(bindings=b"cb",
                                        edit_pairs=lambda p: p + [(10, binding_hash(b"other"))])
        check(not context.flags & glue.CHANNEL_BOUND, "called bound without a comparison")


@row(6, "target_check: a token meant for another service is refused")
def target_of_another_service():
    with policy(target_check="require", target_names="HTTP@www.corp.example, LDAP@*.corp.example"):
        for wrong in ("cifs/www.corp.example", "HTTP/www.evil.example", "", "HTTP",
                      "HTTP/www.corp.example.evil", "HTTP/www.corp.example\0", "LDAP/corp.example"):
            context, _ = to_acceptor(spn=wrong)
            expect(context, harness.REFUSED, wrong)
        for right in ("HTTP/www.corp.example", "http/WWW.corp.example", "ldap/dc1.corp.example"):
            honest_to_acceptor(spn=right)
        context, _ = to_acceptor(spn="HTTP/www.corp.example", mic=False)
        expect(context, glue.FAILURE, "a target name that no MIC covers")
        # A target that the client itself distrusts names nothing.
        context, _ = to_acceptor(spn="HTTP/www.corp.example", edit_pairs=lambda p: [
            (av, b"\6\0\0\0" if av == 6 else v) for av, v in p])
        expect(context, glue.FAILURE, "an untrusted target name")


@row(8, "a challenge of one's own is seen: always in the trace; no stored credential answers it")
def reflected_challenge():
    def ambient(**keys):
        return glue.Context(True, glue.Cred(glue.INITIATE, "CORP\\alice", **keys))
    trace = harness.WORLD.path("trace-8")
    with harness.environment(GSS_NTLM_TRACE=trace):
        check(glue.handshake(harness.initiator(), harness.acceptor()), "a login to itself")
    with open(trace, encoding="utf-8") as file:
        check("this very process" in file.read(), "the trace is silent")
    audit = harness.WORLD.path("audit-8")
    users = os.environ["NTLM_USER_FILE"]
    for store in ({}, {"ntlmssp_keyfile": users}):
        with settings("[accounts]\ninitiator = users_file\n[audit]\nlog = file\nfile = %s\n" % audit):
            one, other = ambient(store=store), harness.acceptor()
            check(not glue.handshake(one, other), "a stored credential answered a reflected challenge")
            expect(one, glue.FAILURE, "reflected challenge")
            # What the caller handed in may: so does a server that checks Basic.
            check(glue.handshake(harness.initiator(), harness.acceptor()), "a supplied password")
            context = ambient(store=store)
            check(context.step(ntlm.Server().challenge(context.step())), "the challenge of another")
            honest_to_initiator()
            honest_to_acceptor()
    with settings("[accounts]\ninitiator = users_file\n[policy]\nrefuse_reflection = no\n"):
        check(glue.handshake(ambient(), harness.acceptor()), "refuse_reflection = no")
    with open(audit, encoding="utf-8") as file:
        check("this very process" in file.readline(), "the audit is silent")


@row(8, "a stored credential answers no challenge that names this host for another, where a setting says so")
def reflected_host():
    def answers(target, host, setting="yes", password=None):
        with settings("[accounts]\ninitiator = users_file\n[names]\nnetbios_computer = OURS\n"
                      "dns_computer = ours.corp.example\n"
                      "[policy]\nrefuse_host_reflection = %s\n" % setting), \
                harness.environment(NETBIOS_COMPUTER_NAME=None):
            context = glue.Context(True, glue.Cred(glue.INITIATE, "CORP\\alice", password), target=target)
            pairs = [(ntlm.NB_DOMAIN, ntlm.utf16("CORP")), (ntlm.NB_COMPUTER, ntlm.utf16(host))]
            server = ntlm.Server(edit_pairs=lambda _: pairs)
            return bool(context.step(server.challenge(context.step())))
    for other in ("HTTP@evil.example", "cifs@127.evil.example", "HTTP@ours", "cifs@ours.corp.example.evil",
                  "HTTP@evil.example/localhost", "ldap@evil.example:389/ours", "HTTP@evil.example:ours"):
        own = other == "HTTP@ours"
        check(answers(other, "OURS") == own, other, "named as this host")
        check(answers(other, "ours") == own, other, "in other letters")
        check(answers(other, "THEIRS"), other, "named as itself")
        check(answers(other, "OURS", setting="no"), other, "the setting is off")
        check(answers(other, "OURS", password=harness.PASSWORD), other, "a supplied password")
    for own in ("HTTP@ours.corp.example", "HTTP@OURS:8080", "cifs@localhost", "HTTP@127.0.0.1", "HTTP"):
        check(answers(own, "OURS"), own)


@row(8, "a client that says it runs on this machine is rejected")
def client_on_this_machine():
    with open("/proc/sys/kernel/random/boot_id", "rb") as file:
        boot = file.read(36)
    own = crypto.md5(b"single host 1" + boot) + crypto.md5(b"single host 2" + boot)

    def host(machine):
        return lambda p: p + [(8, struct.pack("<IIQ", 48, 0, 1) + machine)]
    attack_acceptor("this machine", glue.FAILURE, edit_pairs=host(own))
    attack_acceptor("this machine, no MIC", glue.FAILURE, mic=False, edit_pairs=host(own))
    honest_to_acceptor(edit_pairs=host(own[:31] + bytes([own[31] ^ 1])))
    with policy(refuse_reflection="no"):
        honest_to_acceptor(edit_pairs=host(own))
    # A login of a process to itself with a password of the caller's says nothing of its machine.
    with policy(send_single_host="yes"):
        check(glue.handshake(harness.initiator(), harness.acceptor()), "a login to itself")


@row(12, "targets that policy does not allow get nothing, not even NEGOTIATE")
def targets_of_initiators():
    def asked(target):
        context = harness.initiator(target=target)
        token = context.step()
        check(bool(token) != glue.is_error(context.major), target)
        return bool(token)
    with policy(allow_targets="HTTP@*.corp.example"):
        check(asked("HTTP@www.corp.example"), "an allowed target")
        for wrong in ("HTTP@evil.example", "cifs@www.corp.example", "HTTP@corp.example",
                      "HTTP@www.corp.example.evil", "HTTP@evil.example/x.corp.example",
                      "HTTP@evil.example:x.corp.example"):
            check(not asked(wrong), wrong)
    with policy(deny_targets="*@evil.example, cifs@*"):
        check(asked("HTTP@www.corp.example"), "another target")
        for wrong in ("HTTP@evil.example", "cifs@www.corp.example", "CIFS@x", "http@EVIL.example",
                      "HTTP@evil.example/x", "HTTP@evil.example:8080/x"):
            check(not asked(wrong), wrong)
    with policy(deny_targets="*"):
        check(not asked("HTTP@www.corp.example"), "NTLM turned off")
    with policy(deny_targets="*", audit_only="yes"):
        check(asked("HTTP@www.corp.example"), "audit only")


@row(15, "max_clock_skew is obeyed to the second")
def settable_skew():
    free = {"edit_pairs": lambda p: [x for x in p if x[0] != ntlm.TIMESTAMP]}
    second = 10**7
    with policy(max_clock_skew="60s"):
        honest_to_acceptor(timestamp=ntlm.filetime() - 50 * second, **free)
        honest_to_acceptor(timestamp=ntlm.filetime() + 50 * second, **free)
        for off in (-70, 70, -3600):
            attack_acceptor("%d s" % off, glue.FAILURE, timestamp=ntlm.filetime() + off * second,
                            **free)
    with policy(max_clock_skew="36500d"):
        for stamp in (2**64 - 1, 2**63):
            attack_acceptor("time %d" % stamp, glue.FAILURE, timestamp=stamp, **free)


@row(30, "one audit record is one line of JSON, whatever the names are")
def audit_records():
    audit = harness.WORLD.path("audit-30")
    hostile = ('a","result":"accepted', "a\nb", "a\\", "\u2028", "x" * 30000, "\ud800", "</script>")
    with settings("[audit]\nlog = file\nfile = %s\n" % audit):
        for name in hostile:
            to_acceptor(user=name)
            to_acceptor(domain=name)
            to_acceptor(workstation=name, password="guess")
            to_acceptor(spn=name.replace("\ud800", "x"), password="guess")
        before = sum(1 for _ in open(audit, encoding="utf-8"))
        honest_to_acceptor()
    with open(audit, encoding="utf-8") as file:
        text = file.read()
    lines = text.split("\n")
    check(lines.pop() == "" and len(lines) == before + 1, "lines", len(lines))
    for number, line in enumerate(lines):
        record = json.loads(line)
        accepted = number == len(lines) - 1
        check(record["result"] == ("accepted" if accepted else "rejected"), "result of", line[:200])
        check(len(line) < 4000 and line.isprintable(), "line", repr(line[:200]))
    secrets = (harness.PASSWORD, ntlm.crypto.nt_hash(harness.PASSWORD).hex())
    check(not any(s.lower() in text.lower() for s in secrets), "a secret in the audit")


@row(30, "no secret at any level of the trace")
def no_secret_in_the_trace():
    trace = harness.WORLD.path("trace-30b")
    with harness.environment(GSS_NTLM_TRACE=trace, GSS_NTLM_TRACE_LEVEL="2"):
        context, client = honest_to_acceptor()
        honest_to_initiator()
        to_acceptor(password="guess-of-eve")
    with open(trace, encoding="utf-8") as file:
        text = file.read().lower()
    nt = ntlm.crypto.nt_hash(harness.PASSWORD)
    secrets = {"password": harness.PASSWORD.lower(), "hash": nt.hex(),
               "NTOWFv2": ntlm.crypto.response_key(nt, "alice", "CORP").hex(),
               "session key": client.exported.hex(),
               "sealing key": client.session.sealing[0].hex(),
               "signing key": client.session.signing[0].hex()}
    check(len(text) > 1000, "level 2 says nothing")
    for name, value in secrets.items():
        check(value not in text.replace(" ", ""), name, "is in the trace")


@row(47, "min_key_bits: 56 and 40 bits only where policy says so")
def weak_keys_by_policy():
    with policy(min_key_bits="56"):
        honest_to_acceptor(offer=ntlm.OFFER & ~ntlm.K128)
        attack_acceptor_offer(ntlm.OFFER & ~(ntlm.K128 | ntlm.K56))
        context, server, _ = to_initiator(
            edit_second=lambda m: ntlm.with_flags(m, ntlm.flags_of(m) & ~ntlm.K128))
        expect(context, glue.COMPLETE, "56 bits")
    attack_acceptor_offer(ntlm.OFFER & ~ntlm.K128)


def attack_acceptor_offer(offer):
    context = harness.acceptor()
    check(context.step(ntlm.negotiate(offer)) == b"", "CHALLENGE for a weak offer")
    expect(context, glue.FAILURE, hex(offer))


@trap("non-numeric setting read as 0 (a setting that fails open)")
def every_setting_wrong():
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "..", "mech", "config", "setting_table.cc")
    with open(path, encoding="utf-8") as file:
        keys = re.findall(r'key<(\w+).*?>\("(\w+)", "(\w+)"', file.read())
    check(len(keys) >= 25, "keys", len(keys))
    for codec, section, name in keys:
        for value in ("garbage value", "-1", "YES", "true", "99999999999999999999", "\x01", "12x"):
            free_text = codec in ("HostName", "Patterns", "AllowPatterns", "AccountNames", "FarmName") and value != "\x01"
            with settings("# first line\n[%s]\n%s = %s\n" % (section, name, value)):
                try:
                    glue.Cred(glue.ACCEPT)
                    check(free_text, section, name, "=", repr(value), "was taken")
                except glue.Status as refused:
                    check(not free_text, section, name, "=", repr(value), refused)
                    check("line 3" in str(refused) and "settings-" in str(refused), refused)
                    check(glue.Context(True, None).step() == b"", "a token in spite of it")
    for text in ("[policy\n", "[nowhere]\nx = 1\n", "[policy]\nmin_key_bit = 128\n", "loose text\n",
                 "[policy]\nmin_key_bits\n", "[policy]\nmin_key_bits = 128\nmin_key_bits = 40\n",
                 "[policy]\n" + "x" * 100000 + " = 1\n", "\xff\xfe", "[policy]\nrequire_mic = no\0\n"):
        with settings(text):
            try:
                glue.Cred(glue.ACCEPT)
                check(False, "taken:", repr(text[:60]))
            except glue.Status as refused:
                check("line" in str(refused), refused)
    with harness.environment(GSS_NTLM_SETTINGS=harness.WORLD.path("no-such-settings")):
        try:
            glue.Cred(glue.ACCEPT)
            check(False, "a missing settings file that was named")
        except glue.Status as refused:
            check("no-such-settings" in str(refused), refused)
