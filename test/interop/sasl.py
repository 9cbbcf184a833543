#!/usr/bin/python3
"""Cyrus SASL's sample client and server with GSS-SPNEGO: sealed, signed and neither; both ends ours, and each
with gss-ntlmssp at the other.

A client that asks for integrity alone signs.

Usage: sasl.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import base64
import os
import re
import subprocess
import threading

import pair
import scene
from rows import row, skipped, version
from scene import Scene, verdict

CLIENT, SERVER = "/usr/bin/sasl-sample-client", "/usr/sbin/sasl-sample-server"
SAID = {"S": b"srv message 1", "C": b"client message 1"}
SEALED, SIGNED, NEITHER = 64, 1, 0
OURS = (("sealed", SEALED), ("integrity", SIGNED), ("neither", NEITHER))
BITS = {"sealed": "max=256", "integrity": "min=1,max=1", "neither": "max=0"}


class Sample:
    """One of the two programs; `mark` is what its lines for the other one begin with."""

    def __init__(self, mark, command, env):
        self.mark, self.lines = mark, []
        # They are made for a terminal, where each line goes out as it is written.
        self.process = subprocess.Popen(["stdbuf", "-oL"] + command, env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.timer = scene.end_after(self.process)

    def carry(self, other):
        """Hands what it says to the other one, until it ends."""
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith(self.mark.encode() + b": "):
                try:
                    other.process.stdin.write(line)
                    other.process.stdin.flush()
                except OSError:
                    pass
        try:
            other.process.stdin.close()
        except OSError:
            pass

    def end(self):
        self.status = self.process.wait()
        self.timer.cancel()
        self.process.stdout.close()

    def text(self):
        return b"".join(self.lines).decode(errors="replace")

    def field(self, name):
        found = re.search("^%s: (.*)$" % name, self.text(), re.M)
        return found.group(1) if found else None

    def last_token(self):
        sent = [line[3:] for line in self.lines if line.startswith(self.mark.encode() + b": ")]
        return base64.b64decode(sent[-1]) if sent else b""


def meet(client_env, server_env, bits):
    client = Sample("C", [CLIENT, "-m", "GSS-SPNEGO", "-s", "ldap", "-n", "server.example", "-u", "alice", "-b", bits],
                    client_env)
    server = Sample("S", [SERVER, "-m", "GSS-SPNEGO", "-s", "ldap"], server_env)
    carriers = [threading.Thread(target=one.carry, args=(other,)) for one, other in
                ((client, server), (server, client))]
    for carrier in carriers:
        carrier.start()
    for carrier in carriers:
        carrier.join()
    client.end()
    server.end()
    return client, server


def what_is_wrong(client, server, ssf):
    """Of a login that should have succeeded with that strength on both sides."""
    for one, other in ((client, server), (server, client)):
        if one.status:
            return "%s ended with %d: %s" % (one.mark, one.status, one.text())
        if one.field("SSF") != str(ssf):
            return "%s has an SSF of %s, not %d" % (one.mark, one.field("SSF"), ssf)
        if "recieved decoded message '%s'" % SAID[other.mark].decode() not in one.text():
            return "%s did not read the other's message: %s" % (one.mark, one.text())
        readable = SAID[one.mark] in one.last_token()
        if readable == (ssf > 0):
            return "%s sent %r" % (one.mark, one.last_token())
    name = server.field("Username").split("\0")[0]
    return "" if name == "CORP\\alice" else "the server names " + name


def attempt(label, client_env, server_env, asked, ssf):
    verdict("%s, asked for %s" % (label, asked), what_is_wrong(*meet(client_env, server_env, BITS[asked]), ssf))


def attempt_wrong(label, client_env, server_env):
    client, server = meet(client_env, server_env, BITS["sealed"])
    went_through = server.status == 0 or "Negotiation complete" in server.text() + client.text()
    verdict(label + ", wrong password", server.text() if went_through else "")


def meet_theirs(ours, ours_wrong, theirs, theirs_wrong):
    before = scene.failures
    for asked, ssf in OURS:
        attempt("our client, their server", ours, theirs, asked, ssf)
    attempt_wrong("our client, their server", ours_wrong, theirs)
    role = "initiator"
    if pair.meet(pair.Peer("initiate", "spnego", theirs), pair.Peer("accept", "spnego", theirs)):
        print("SKIP their client, our server: this krb5's SPNEGO drops their mechListMIC")
    else:
        role = "both"
        # Its credentials refuse the option with which Cyrus SASL asks for neither.
        attempt("their client, our server", theirs, ours, "sealed", SEALED)
        attempt("their client, our server", theirs, ours, "integrity", SIGNED)
        attempt_wrong("their client, our server", theirs_wrong, ours)
    row("SASL", "Cyrus SASL, with gss-ntlmssp as peer", version("gss-ntlmssp"), role,
        "GSS-SPNEGO: sealed; signed; unprotected by ours; wrong password",
        "fails" if scene.failures > before else "works")


def main():
    for path in (CLIENT, SERVER):
        if not os.path.exists(path):
            skipped("SASL", "Cyrus SASL's samples", "sasl2-bin is not installed")
            scene.skip("sasl2-bin is not installed")
    here = Scene()
    ours, ours_wrong = here.env(users=here.right), here.env(users=here.wrong)
    for asked, ssf in OURS:
        attempt("our client, our server", ours, ours, asked, ssf)
    attempt_wrong("our client, our server", ours_wrong, ours)
    row("SASL", "Cyrus SASL's sample client and server", version("sasl2-bin"), "both",
        "GSS-SPNEGO: sealed, unprotected; wrong password", "fails" if scene.failures else "works")
    if not here.theirs:
        print("SKIP gss-ntlmssp is not installed")
        scene.finish()
    meet_theirs(ours, ours_wrong, here.env(here.theirs, here.right), here.env(here.theirs, here.wrong))
    scene.finish()


main()
