#!/usr/bin/python3
"""The real .NET: NegotiateAuthentication as either end, SmtpClient, NegotiateStream and Kestrel. HttpClient and Apache are
dotnet_web.sh's.

Usage: dotnet.py DIRECTORY    GSS_MECH_CONFIG names our registration; .NET is fetched into DIRECTORY and kept there. PASS
and FAIL lines; exit status 1 on any FAIL.
"""
import contextlib
import os
import subprocess
import sys

import dotnet_runtime
import scene
import smtp_server
from exchange_checks import (BINDINGS, all_of, flags_are, refused, refuses_messages, sign, talk, tampered, target_is)
from pair import HERE, Peer, meet
from rows import row, skipped
from scene import PASSWORD, USER, Scene, run, verdict

PEERS = ("NegotiateAuthentication", "NegotiateStream", "SmtpClient", "Kestrel with NegotiateAuthentication")
PYTHON = ("/usr/bin/python3", os.path.join(HERE, "peer.py"))
SIZES = (0, 1, 16, 100, 5000, 1 << 20)
ACCOUNT = ("user=CORP\\" + USER, "password=" + PASSWORD)
GUESS = ("user=CORP\\" + USER, "password=guess")


class Dotnet:
    def __init__(self, here, program):
        self.here, self.program = here, program
        self.nothing = self.env()
        self.served = self.env(users=here.right)
        self.version = run([program, "version"], self.nothing)[1].strip()
        self.before = 0

    def env(self, **how):
        return dict(dotnet_runtime.environment(), **self.here.env(**how),
                    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1")

    def tell(self, label, why):
        verdict(".NET %s: %s" % (self.version, label), why)

    def row(self, area, peer, role, modes):
        row(area, peer, self.version, role, modes, "fails" if scene.failures > self.before else "works")
        self.before = scene.failures

    def client(self, mech, *options, account=ACCOUNT, env=None):
        return Peer("initiate", mech, env or self.nothing, (self.program,), [*account, *options])

    def server(self, mech, *options, env=None):
        return Peer("accept", mech, env or self.served, (self.program,), options)

    def python(self, role, mech, *options, users=None):
        return Peer(role, mech, self.here.env(users=users or self.here.right), PYTHON, options)

    def ends(self, mech):
        sealed = all_of(flags_are(0x30), talk(b"wrap", SIZES), sign, tampered)
        signed = all_of(flags_are(0x20), talk(b"wrap0", SIZES), sign)
        for name, options, messages in (("EncryptAndSign", (), sealed), ("Sign", ("protect=sign",), signed)):
            self.tell("%s: %s" % (mech, name), meet(self.client(mech, *options), self.server(mech), messages))
        for user in (USER, USER + "@CORP", "CORP\\" + USER):
            self.tell("%s: client named %s" % (mech, user),
                      meet(self.client(mech, account=("user=" + user, "password=" + PASSWORD)), self.python("accept", mech)))
        self.tell("%s: server, python3-gssapi's client" % mech, meet(self.python("initiate", mech), self.server(mech)))
        self.tell("%s: wrong password, our acceptor" % mech,
                  refused(self.client(mech, account=GUESS), self.python("accept", mech), "logon failure"))
        self.tell("%s: wrong password, its server" % mech,
                  refused(self.client(mech, account=GUESS), self.server(mech), ""))
        self.tell("%s: the name of the service is sent" % mech,
                  meet(self.client(mech, "target=MSSQLSvc/db.example:1433"), self.python("accept", mech),
                       target_is("MSSQLSvc/db.example:1433")))
        self.tell("%s: channel bindings" % mech, meet(self.client(mech, "bindings=" + BINDINGS),
                                                      self.python("accept", mech, "bindings=" + BINDINGS)))
        self.tell("%s: other channel bindings" % mech,
                  refused(self.client(mech, "bindings=other"), self.python("accept", mech, "bindings=" + BINDINGS), "bindings"))

    def unprotected(self):
        self.tell("spnego: no protection", meet(self.client("spnego", "protect=none"), self.server("spnego"), flags_are(0x20)))

    def default_credential(self):
        self.tell("spnego: the default credential is that of a users file",
                  meet(self.client("spnego", account=(), env=self.served), self.server("spnego")))
        # .NET says so before it calls GSSAPI.
        self.tell("raw: .NET has no default credential for plain NTLM",
                  refused(self.client("raw", account=(), env=self.served), self.server("raw"), ""))

    def managed(self):
        """.NET's own NTLM, which takes part where it is asked for, against our acceptor."""
        self.tell("raw: its own NTLM is the client, our acceptor",
                  meet(self.client("raw", "managed=yes"), self.python("accept", "raw")))
        self.tell("raw: its own NTLM is the client, its server with our mechanism",
                  meet(self.client("raw", "managed=yes"), self.server("raw")))
        self.tell("raw: its own NTLM, wrong password",
                  refused(self.client("raw", "managed=yes", account=GUESS), self.python("accept", "raw"), "logon failure"))

    def without_mechanism(self):
        """What docs/guides/dotnet.md says of a machine without the module, and of the managed NTLM."""
        none = self.here.write("none", "")
        for label, registration, mech, options, expected in (
                ("no mechanism, NTLM", none, "raw", (), "Unsupported"),
                ("no mechanism, its own NTLM", none, "raw", ("managed=yes",), ""),
                ("its own NTLM does not work inside Negotiate", None, "spnego", ("managed=yes",), "UnknownCredentials")):
            why = meet(self.client(mech, *options, env=self.env(registration=registration)), self.python("accept", mech))
            self.tell(label, "" if why == expected else why or "it went through")

    @contextlib.contextmanager
    def serving(self, command):
        """A server of its own: its output, and the first line of that. It ends with the block."""
        server = subprocess.Popen([self.program, command], env=self.served, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        timer = scene.end_after(server)
        try:
            yield server.stdout, server.stdout.readline().strip()
        finally:
            server.stdin.close()
            server.wait()
            timer.cancel()
            server.stdout.close()

    def stream(self):
        with self.serving("stream-server") as (output, port):
            for level in ("none", "sign", "seal"):
                said = run([self.program, "stream-client", "port=" + port, "protect=" + level, *ACCOUNT], self.nothing)[1]
                self.tell("NegotiateStream, 10 MiB each way, " + level, "" if said.strip() == "10 MiB each way" else said)
                seen = output.readline().strip()
                # Without protection it calls raw NTLM and asks for nothing: docs/spi.md, "Protection that an
                # initiator negotiates".
                wanted = "user CORP\\alice signed True encrypted " + str(level != "sign")
                self.tell("NegotiateStream, what its server sees, " + level, "" if seen == wanted else seen)
            said = run([self.program, "stream-client", "port=" + port, "protect=seal", *GUESS], self.nothing)[1]
            self.tell("NegotiateStream, wrong password", "" if said.startswith("rejected") else said)

    def mail(self):
        for scheme in ("NTLM", "GSSAPI"):
            with smtp_server.Server(scheme, self.here.env(users=self.here.right)) as server:
                said = run([self.program, "smtp", "port=%d" % server.port, *ACCOUNT], self.nothing)[1].strip()
                self.tell("SmtpClient, " + scheme, "" if said == "sent" else said)
                said = run([self.program, "smtp", "port=%d" % server.port, *GUESS], self.nothing)[1].strip()
                self.tell("SmtpClient, %s, wrong password" % scheme, "" if said.startswith("rejected") else said)

    def kestrel(self):
        with_account = {"right": self.served, "wrong": self.env(users=self.here.wrong)}
        with self.serving("kestrel") as (_, url):
            for scheme in ("ntlm", "negotiate"):
                for which, status in (("right", "200"), ("wrong", "401")):
                    who = ":" if scheme == "negotiate" else "CORP\\%s:%s" % (USER, PASSWORD if which == "right" else "guess")
                    said = run(["curl", "-s", "-S", "-w", "%{http_code}", "--" + scheme, "-u", who, url],
                               with_account[which])[1].split("\n")
                    good = said[-1] == status and (status != "200" or said[0] == "user CORP\\alice")
                    self.tell("Kestrel, curl --%s, %s password" % (scheme, which), "" if good else " ".join(said))
            for scheme, options in (("NTLM", ()), ("NTLM", ("managed=yes",)), ("Negotiate", ())):
                said = run([self.program, "http", url, "scheme=" + scheme, "parallel=20", *ACCOUNT, *options],
                           self.nothing)[1].strip()
                self.tell("Kestrel, HttpClient, 20 in parallel, " + " ".join((scheme, *options)),
                          "" if said == "20 x 200 user CORP\\alice" else said)


def main():
    try:
        program = dotnet_runtime.lay_out(sys.argv[1])
    except dotnet_runtime.Missing as missing:
        for peer in PEERS:
            skipped(".NET", ".NET's " + peer, str(missing))
        scene.skip(str(missing))
    dotnet = Dotnet(Scene(), program)
    for mech in ("raw", "spnego"):
        dotnet.ends(mech)
    dotnet.unprotected()
    dotnet.default_credential()
    dotnet.managed()
    dotnet.without_mechanism()
    dotnet.row(".NET", ".NET's NegotiateAuthentication", "both",
               "NTLM and Negotiate: EncryptAndSign, Sign, None, MIC, channel bindings, 1 MiB; its own NTLM; wrong password")
    dotnet.stream()
    dotnet.row(".NET", ".NET's NegotiateStream", "both", "None, Sign, EncryptAndSign; 10 MiB each way; wrong password")
    dotnet.mail()
    dotnet.row(".NET", ".NET's SmtpClient", "acceptor", "AUTH NTLM and GSSAPI; wrong password")
    dotnet.kestrel()
    dotnet.row(".NET", ".NET's Kestrel with NegotiateAuthentication", "both",
               "curl --ntlm and --negotiate, HttpClient, its own NTLM; wrong password")
    scene.finish()


main()
