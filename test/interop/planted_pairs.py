#!/usr/bin/python3
"""A man in the middle between real clients and our acceptor adds AV pairs to CHALLENGE.

Samba's client (ntlm_auth) and impacket know no channel bindings and copy the server's pairs into their response,
under its proof. The proxy adds MsvAvChannelBindings of its own TLS channel to the server, or a target name of the
server, once, twice, or with zeros behind, and keeps or drops MsvAvTimestamp, without which a client sends no MIC.
No such login may be reported as channel-bound, or pass a policy that requires bindings or a target.

Usage: planted_pairs.py    GSS_MECH_CONFIG names the module. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import base64
import hashlib
import itertools
import os
import shutil
import struct
import subprocess
import sys

import gssapi

import ours
from ours import DOMAIN, PASSWORD, USER, attempt, expect

NTLM_AUTH = shutil.which("ntlm_auth")
try:
    from impacket import ntlm
except ImportError:
    ntlm = None

NB_COMPUTER, TIMESTAMP, TARGET_NAME, BINDINGS = 1, 7, 9, 10
CHANNEL = b"tls-server-end-point:" + bytes(range(32))
TARGETS = {"target_check": "require", "target_names": "HTTP@www.corp.example, cifs@*"}


def binding_hash(data):
    """Of bindings that are application data only, [MS-NLMP] 2.2.2.1."""
    return hashlib.md5(bytes(16) + struct.pack("<I", len(data)) + data).digest()


def read_pairs(info):
    while True:
        kind, size = struct.unpack_from("<HH", info)
        if kind == 0:
            return
        yield kind, info[4:4 + size]
        info = info[4 + size:]


def edited(challenge, planted, keep_time):
    """CHALLENGE with other pairs: TargetInfo moves to the end of the message."""
    size, _, at = struct.unpack_from("<HHI", challenge, 40)
    pairs = [(kind, value) for kind, value in read_pairs(challenge[at:at + size])
             if keep_time or kind != TIMESTAMP]
    info = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in pairs + list(planted)) + bytes(4)
    field = struct.pack("<HHI", len(info), len(info), len(challenge))
    return challenge[:40] + field + challenge[48:] + info


class Samba:
    """ntlm_auth's helper protocol: YR begins, TT hands in CHALLENGE."""
    name = "Samba's ntlm_auth"

    def __init__(self, directory):
        self.config = os.path.join(directory, "smb.conf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write("[global]\nnetbios name = PEER\nworkgroup = %s\n" % DOMAIN)
            for what in ("private", "lock", "state", "cache", "pid"):
                file.write("%s directory = %s\n" % (what, directory))

    def log_in(self, exchange):
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        with subprocess.Popen([NTLM_AUTH, "--helper-protocol=ntlmssp-client-1", "--configfile=" + self.config,
                               "--username=" + USER, "--domain=" + DOMAIN, "--password=" + PASSWORD],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=environment) as process:
            def ask(line):
                print(line, file=process.stdin, flush=True)
                code, _, token = process.stdout.readline().strip().partition(" ")
                expect(code in ("YR", "KK", "AF"), "ntlm_auth says " + code)
                return base64.b64decode(token)
            try:
                challenge = exchange(ask("YR"))
                return ask("TT " + base64.b64encode(challenge).decode())
            finally:
                process.stdin.close()


class Impacket:
    name = "impacket"

    def log_in(self, exchange):
        negotiate = ntlm.getNTLMSSPType1("WKS", DOMAIN, signingRequired=True, use_ntlmv2=True)
        challenge = exchange(negotiate.getData())
        return ntlm.getNTLMSSPType3(negotiate, challenge, USER, PASSWORD, DOMAIN, use_ntlmv2=True)[0].getData()


def attribute(context, name):
    return gssapi.raw.get_name_attribute(context.initiator_name, b"urn:gss-ntlm:" + name).values[0].decode()


def log_in(client, planted=(), keep_time=True, bindings=CHANNEL):
    """The acceptor's context after a login with the proxy in between, which raises when it is rejected."""
    given = gssapi.raw.ChannelBindings(application_data=bindings) if bindings else None
    acceptor = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept", mechs=[ours.NTLM]), usage="accept",
                                      channel_bindings=given)
    tampered = planted or not keep_time

    def exchange(negotiate):
        challenge = acceptor.step(negotiate)
        return edited(challenge, planted, keep_time) if tampered else challenge
    acceptor.step(client.log_in(exchange))
    expect(acceptor.complete, "the context is not open")
    return acceptor


def never_bound(client, planted, keep_time):
    """Whether it is rejected or accepted, it is not said to be bound, and names no target."""
    try:
        context = log_in(client, planted, keep_time)
    except gssapi.raw.misc.GSSError:
        return
    expect(attribute(context, b"channel-bound") == "0", "it is called channel-bound")
    expect(attribute(context, b"target") == "", "it names the target that was planted")


def honest(client):
    context = log_in(client)
    expect(attribute(context, b"channel-bound") == "0", "it is called channel-bound")
    expect(str(context.initiator_name) == DOMAIN + "\\" + USER, "who it is")


def sieges(workshop, client):
    """Every plant under every policy."""
    right, zeros = (BINDINGS, binding_hash(CHANNEL)), (BINDINGS, bytes(16))
    name = (TARGET_NAME, "HTTP/www.corp.example".encode("utf-16-le"))
    empty = (TARGET_NAME, b"")
    plants = {"bindings": [right], "bindings, zeros": [right, zeros], "bindings, zeros, zeros": [right, zeros, zeros],
              "zeros, bindings": [zeros, right], "bindings twice": [right, right], "target": [name],
              "target, empty": [name, empty], "target twice": [name, name], "bindings and target": [right, name]}
    policies = {"bindings required": {"channel_bindings": "require"}, "target required": TARGETS}
    for (label, planted), keep_time in itertools.product(plants.items(), (True, False)):
        how = "%s: %s planted, time %s" % (client.name, label, "kept" if keep_time else "dropped")
        workshop.policy()
        attempt(how + ", default policy", lambda p=planted, k=keep_time: never_bound(client, p, k))
        for policy, keys in policies.items():
            workshop.policy(**keys)
            attempt("%s, %s" % (how, policy), lambda p=planted, k=keep_time: rejected(client, p, k))


def rejected(client, planted, keep_time):
    try:
        log_in(client, planted, keep_time)
    except gssapi.raw.misc.GSSError:
        return
    raise AssertionError("it went through")


def our_client(target, bindings):
    """Our initiator, whose MIC covers its bindings and its target."""
    given = gssapi.raw.ChannelBindings(application_data=bindings) if bindings else None
    name = gssapi.Name(target, gssapi.NameType.hostbased_service)
    initiator = gssapi.SecurityContext(name=name, usage="initiate", mech=ours.NTLM, channel_bindings=given)

    class Ours:
        @staticmethod
        def log_in(exchange):
            return initiator.step(exchange(initiator.step()))
    return log_in(Ours)


def controls(workshop, clients):
    for client in clients:
        workshop.policy()
        attempt(client.name + ": honest, default policy", lambda c=client: honest(c))
        attempt(client.name + ": honest, an acceptor without bindings", lambda c=client: log_in(c, bindings=None))
        workshop.policy(channel_bindings="require")
        attempt(client.name + ": honest without bindings, bindings required", lambda c=client: log_in(c),
                refused="hannel bindings")
    workshop.policy(channel_bindings="require", **TARGETS)

    def bound():
        context = our_client("HTTP@www.corp.example", CHANNEL)
        expect(attribute(context, b"channel-bound") == "1", "it is not called channel-bound")
        expect(attribute(context, b"target") == "HTTP/www.corp.example", "the target")
    attempt("our initiator: bindings and target under its MIC, both required", bound)
    attempt("our initiator: the bindings of another channel", lambda: our_client("HTTP@www.corp.example", b"other"),
            refused="hannel bindings")


def main():
    workshop = ours.Workshop()
    clients = ([Samba(workshop.directory.name)] if NTLM_AUTH else []) + ([Impacket()] if ntlm else [])
    if not clients:
        print("SKIP neither winbind nor python3-impacket is installed")
        sys.exit(77)
    controls(workshop, clients)
    for client in clients:
        sieges(workshop, client)
    ours.finish()


main()
