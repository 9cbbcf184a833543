#!/usr/bin/python3
"""This system's library and module against those of another Debian's root, both roles, raw and under SPNEGO.

Usage: mixed.py MODULE ROOT MODULE_IN_ROOT PEER_IN_ROOT

MODULE is loaded here; in ROOT, a folder with another system that has python3-gssapi, MODULE_IN_ROOT and
PEER_IN_ROOT (this folder's peer.py) are paths as seen from inside. For root, who can chroot. Prints PASS and FAIL
lines; exit status 1 on any FAIL, 77 where the other system has no python3-gssapi.

An acceptor whose SPNEGO never sees mechListMIC (krb5 1.21.0 to 1.22.1) cannot answer an initiator that sends one,
whatever the mechanism does: there the setting spnego_mic = never of the initiator is what helps.
"""
import os
import subprocess
import sys
import tempfile

from pair import HERE, Peer, meet

OID = "1.3.6.1.4.1.311.2.2.10"


class System:
    """Where one end runs: `root` is its root folder, "" for this one; paths are as seen from inside."""

    def __init__(self, name, root, module, peer):
        self.name, self.root, self.peer = name, root, peer
        self.folder = tempfile.TemporaryDirectory(dir=root + "/tmp")
        self.inside = self.folder.name[len(root):]
        self.write("mech.conf", "ntlm %s %s\n" % (OID, module))
        self.write("right", "CORP:alice:Passw0rd\n")
        self.write("wrong", "CORP:alice:guess\n")
        for mic in ("auto", "always", "never"):
            self.write(mic, "[accounts]\ninitiator = users_file\n[policy]\nspnego_mic = %s\n" % mic)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(text)

    def command(self, users="right", mic="auto"):
        enter = ["chroot", self.root] if self.root else []
        settings = {"GSS_MECH_CONFIG": "mech.conf", "NTLM_USER_FILE": users, "GSS_NTLM_SETTINGS": mic}
        return enter + ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "KRB5_CONFIG=/dev/null"] + [
            "%s=%s/%s" % (key, self.inside, value) for key, value in settings.items()] + ["/usr/bin/python3"]

    def end(self, role, mech, users="right", mic="auto"):
        return Peer(role, mech, command=self.command(users, mic) + [self.peer])

    def carries_mic(self):
        return not meet(self.end("initiate", "spnego", mic="always"), self.end("accept", "spnego"))

    def has_gssapi(self):
        return subprocess.run(self.command() + ["-c", "import gssapi"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0


def main():
    module, root, their_module, their_peer = sys.argv[1:5]
    here = System("this system", "", os.path.abspath(module), os.path.join(HERE, "peer.py"))
    there = System("the other", os.path.abspath(root), their_module, their_peer)
    for system in (here, there):
        if not system.has_gssapi():
            print("SKIP python3-gssapi is not installed in " + system.name)
            return 77
    failures = 0
    for system in (here, there):
        print("%s: SPNEGO %s mechListMIC" % (system.name, "carries" if system.carries_mic() else "loses"))
    for initiator, acceptor in ((here, there), (there, here), (there, there)):
        lost = initiator.carries_mic() and not acceptor.carries_mic()
        cases = [("raw", "right", "auto", True), ("raw", "wrong", "auto", False),
                 ("spnego", "right", "auto", not lost), ("spnego", "wrong", "auto", False)]
        if lost:
            cases.append(("spnego", "right", "never", True))
        for mech, users, mic, wanted in cases:
            why = meet(initiator.end("initiate", mech, users, mic), acceptor.end("accept", mech))
            good = wanted != bool(why)
            failures += not good
            print("%s mixed: %s, %s password, spnego_mic = %s: %s logs in to %s: %s" % (
                "PASS" if good else "FAIL", mech, users, mic, initiator.name, acceptor.name,
                why and "refused, " + why or "yes"))
    return 1 if failures else 0


sys.exit(main())
