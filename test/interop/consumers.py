#!/usr/bin/python3
"""The calls of .NET and of OMI and PSWSMan, replayed by dotnet_calls and omi_calls: both ends of theirs, each with
python3-gssapi's calls at the other end, and each with gss-ntlmssp at the other end.

Usage: consumers.py DOTNET_CALLS OMI_CALLS    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit
status 1 on any FAIL.
"""
import os
import sys

import scene
from exchange_checks import (BINDINGS, SIZES, all_of, flags_are, refused, refuses_messages, sign, talk, tampered,
                             target_is)
from pair import HERE, Peer, check_messages, meet
from rows import row, version
from scene import PASSWORD, Scene, verdict

PYTHON = ("/usr/bin/python3", os.path.join(HERE, "peer.py"))


class Consumers:
    def __init__(self, here, dotnet, omi):
        self.here, self.dotnet, self.omi = here, (dotnet,), (omi,)
        self.nothing = here.env()
        self.served = here.env(users=here.right)
        self.theirs = here.env(here.theirs, here.right) if here.theirs else None
        self.theirs_wrong = here.env(here.theirs, here.wrong) if here.theirs else None
        self.before = 0

    def client(self, mech, *options, user="CORP\\alice", password=PASSWORD, env=None):
        given = ["user=" + user, "password=" + password] if user else []
        return Peer("initiate", mech, env or self.nothing, self.dotnet, [*given, *options])

    def server(self, mech, env=None):
        return Peer("accept", mech, env or self.served, self.dotnet)

    def omi_client(self, *options, password=PASSWORD, env=None):
        return Peer("initiate", "spnego", env or self.nothing, self.omi,
                    ["user=CORP\\alice", "password=" + password, *options])

    def omi_server(self, *options):
        return Peer("accept", "spnego", self.nothing, self.omi, ["keyfile=" + self.here.right, *options])

    def row(self, area, peer, version_text, role, modes):
        row(area, peer, version_text, role, modes, "fails" if scene.failures > self.before else "works")
        self.before = scene.failures

    def meet_dotnet(self, mech):
        label = ".NET's calls, %s: " % mech
        sealed = all_of(flags_are(0x30), talk(b"wrap"), sign, tampered)
        verdict(label + "EncryptAndSign", meet(self.client(mech), self.server(mech), sealed))
        for no_ci in ("no_ci=no", "no_ci=yes"):
            verdict("%sSign, %s" % (label, no_ci),
                    meet(self.client(mech, "protect=sign", no_ci), self.server(mech),
                         all_of(flags_are(0x20), talk(b"wrap0"), sign)))
        verdict(label + "no protection", meet(self.client(mech, "protect=none", "no_ci=yes"), self.server(mech),
                                              all_of(flags_are(0), refuses_messages)))
        # Nothing is asked for: raw NTLM offers all there is, and SPNEGO asks for integrity by itself.
        verdict(label + "no protection, no_ci=no", meet(self.client(mech, "protect=none"), self.server(mech),
                                                        flags_are(0x30 if mech == "raw" else 0x20)))
        for user in ("alice", "alice@CORP"):
            verdict("%suser %s" % (label, user),
                    meet(self.client(mech, user=user), self.server(mech), talk(b"wrap")))
        verdict(label + "the default credential",
                meet(self.client(mech, user=None, env=self.served), self.server(mech), sealed))
        verdict(label + "wrong password",
                refused(self.client(mech, password="guess"), self.server(mech), "logon failure"))
        verdict(label + "unknown user", refused(self.client(mech, user="CORP\\mallory"), self.server(mech),
                                                "logon failure"))
        verdict(label + "the whole name of the service is sent",
                meet(self.client(mech, "target=MSSQLSvc/db.example:1433"), self.python(mech),
                     target_is("MSSQLSvc/db.example:1433")))
        verdict(label + "client, channel bindings",
                meet(self.client(mech, "bindings=" + BINDINGS), self.python(mech, "bindings=" + BINDINGS)))
        verdict(label + "client, other channel bindings",
                refused(self.client(mech, "bindings=other"), self.python(mech, "bindings=" + BINDINGS), "bindings"))
        if mech == "raw":
            verdict(label + "a name and no password: the error says what is missing", self.what_is_missing())

    def python(self, mech, *options, env=None):
        return Peer("accept", mech, env or self.served, PYTHON, options)

    def meet_omi(self):
        label = "OMI's calls: "
        verdict(label + "flags 0, gss_wrap", meet(self.omi_client(), self.omi_server(), talk(b"wrap")))
        verdict(label + "gss_wrap_iov", meet(self.omi_client("iov=yes"), self.omi_server("iov=yes"), talk(b"wrap")))
        verdict(label + "gss_wrap at one end, gss_unwrap_iov at the other",
                meet(self.omi_client("iov=yes"), self.omi_server(), talk(b"wrap")))
        verdict(label + "a key file in a credential store for the client",
                meet(Peer("initiate", "spnego", self.nothing, self.omi, ["keyfile=" + self.here.right]),
                     self.omi_server(), talk(b"wrap")))
        verdict(label + "a service's name with a slash", meet(self.omi_client(), self.python("spnego"),
                                                              target_is("WSMAN/server.example")))
        verdict(label + "damaged message", meet(self.omi_client(), self.omi_server(), tampered))
        verdict(label + "damaged message, gss_unwrap_iov",
                meet(self.omi_client("iov=yes"), self.omi_server("iov=yes"), tampered))
        verdict(label + "wrong password", refused(self.omi_client(password="guess"), self.omi_server(),
                                                  "logon failure"))
        verdict(label + "at .NET's server", meet(self.omi_client(), self.server("spnego"), talk(b"wrap")))
        verdict(label + "server, .NET's client", meet(self.client("spnego"), self.omi_server(), talk(b"wrap")))

    def what_is_missing(self):
        """Inside SPNEGO the library hands out Kerberos' reason instead, which it asks first."""
        end = Peer("initiate", "raw", self.nothing, self.dotnet, ["user=CORP\\alice"])
        try:
            end.receive()
            return "it has a credential"
        except RuntimeError as error:
            return "" if "NTLM_USER_FILE" in str(error) else str(error)
        finally:
            end.close()

    def meet_theirs(self):
        """gss-ntlmssp has no IOV: its gss_unwrap reads what gss_wrap_iov made, and the other way round. It takes no
        empty message, and a context of its own does not outlive a bad one."""
        sealed = talk(b"wrap", SIZES[1:])
        carries = not meet(Peer("initiate", "spnego", self.theirs), Peer("accept", "spnego", self.theirs))
        for mech in ("raw", "spnego"):
            label = ".NET's calls, %s: " % mech
            for name, options in (("EncryptAndSign", ()), ("Sign", ("protect=sign",))):
                verdict("%s%s, gss-ntlmssp's acceptor" % (label, name),
                        meet(self.client(mech, *options), self.python(mech, env=self.theirs),
                             check_messages))
            verdict(label + "wrong password, gss-ntlmssp's acceptor",
                    refused(self.client(mech, password="guess"), self.python(mech, env=self.theirs), ""))
            verdict(label + "channel bindings, gss-ntlmssp's acceptor",
                    meet(self.client(mech, "bindings=" + BINDINGS),
                         self.python(mech, "bindings=" + BINDINGS, env=self.theirs)))
            if mech == "spnego" and not carries:
                print("SKIP gss-ntlmssp's initiator: this krb5's SPNEGO drops its mechListMIC")
                continue
            verdict(label + "gss-ntlmssp's initiator",
                    meet(Peer("initiate", mech, self.theirs), self.server(mech), check_messages))
            verdict(label + "wrong password, gss-ntlmssp's initiator",
                    refused(Peer("initiate", mech, self.theirs_wrong), self.server(mech), "logon failure"))
        for way in ("no", "yes"):
            label = "OMI's calls%s: " % (" with gss_wrap_iov" if way == "yes" else "")
            verdict(label + "gss-ntlmssp's acceptor",
                    meet(self.omi_client("iov=" + way), self.python("spnego", env=self.theirs), sealed))
            if carries:
                verdict(label + "gss-ntlmssp's initiator",
                        meet(Peer("initiate", "spnego", self.theirs), self.omi_server("iov=" + way), sealed))


def main():
    here = Scene()
    consumers = Consumers(here, *map(os.path.abspath, sys.argv[1:3]))
    for mech in ("raw", "spnego"):
        consumers.meet_dotnet(mech)
    consumers.row("GSSAPI", "the calls of .NET (System.Net.Security.Native), replayed", "-", "both",
                  "raw and SPNEGO: EncryptAndSign, Sign, unprotected, MIC, channel bindings; wrong password")
    consumers.meet_omi()
    consumers.row("GSSAPI", "the calls of OMI and PSWSMan, replayed", "-", "both",
                  "SPNEGO: gss_wrap and gss_wrap_iov, a key file; wrong password")
    if consumers.theirs:
        consumers.meet_theirs()
        consumers.row("NTLM mechanisms", "gss-ntlmssp, with the calls of .NET and OMI on our side",
                      version("gss-ntlmssp"), "both",
                      "raw and SPNEGO: sealed, signed, MIC, channel bindings, gss_wrap_iov; wrong password")
    else:
        print("SKIP gss-ntlmssp is not installed")
    scene.finish()


main()
