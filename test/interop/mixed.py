#!/usr/bin/python3
"""This system's library and module against those of another Debian's root, both roles, raw and wrapped in SPNEGO.

Usage: mixed.py MODULE ROOT MODULE_IN_ROOT PEER_IN_ROOT [INTERPOSER INTERPOSER_IN_ROOT]

MODULE is loaded here; in ROOT, a directory with another system that has python3-gssapi, MODULE_IN_ROOT and
PEER_IN_ROOT (this directory's peer.py) are paths as seen from inside. For root, who can chroot. Prints PASS and FAIL
lines; exit status 1 on any FAIL, 77 where the other system has no python3-gssapi.

An acceptor whose SPNEGO never sees mechListMIC (krb5 1.21.0 to 1.22.1) cannot answer an initiator that sends one,
whatever the mechanism does: there the setting spnego_mic = never of the initiator is what helps. With the interposer
on that side every pair logs in, with the mechListMIC on the wire, also when the client lists another mechanism first.
"""
import os
import subprocess
import sys
import tempfile
import time

from pair import HERE, Peer, meet

sys.path.insert(0, os.path.join(HERE, "..", "hostile"))
import spnego  # noqa: E402

OID = "1.3.6.1.4.1.311.2.2.10"
# Of a mechanism that neither system has, as NegoEx would be.
ANOTHER = bytes.fromhex("060a2b06010401823702021e")
REQUEST_MIC = 3


class System:
    """Where one end runs: `root` is its root directory, "" for this one; paths are as seen from inside."""

    def __init__(self, name, root, module, peer, interposer=None):
        self.name, self.root, self.peer = name, root, peer
        self.directory = tempfile.TemporaryDirectory(dir=root + "/tmp")
        self.inside = self.directory.name[len(root):]
        line = "mend 2.25.1196643149 %s <interposer>\n" % interposer if interposer else ""
        self.write("mech.conf", "ntlm %s %s\n" % (OID, module) + line)
        self.write("right", "CORP:alice:Passw0rd\n")
        self.write("wrong", "CORP:alice:guess\n")
        for mic in ("auto", "always", "never"):
            self.write(mic, "[accounts]\ninitiator = users_file\n[policy]\nspnego_mic = %s\n" % mic)

    def write(self, name, text):
        path = os.path.join(self.directory.name, name)
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


class ListsAnotherFirst:
    """A client of raw NTLM wrapped in SPNEGO here, whose first mechanism no acceptor has: the acceptor asks for a MIC."""

    def __init__(self, peer):
        self.peer = peer
        self.list = spnego.mech_list(ANOTHER, spnego.NTLM_OID)
        self.next = (False, spnego.init(self.list, None))

    def receive(self):
        return self.next

    def send(self, token):
        said = spnego.parse(token)
        if self.next[1][0] == 0x60 and said.get("state") != REQUEST_MIC:
            raise RuntimeError("the acceptor did not ask for a MIC")
        if "mic" in said:
            self.peer.ask(b"verify", said["mic"] + self.list)
            self.next = (True, b"")
            return
        if "token" in said:
            self.peer.send(said["token"])
        done, answer = self.peer.receive()
        mic = self.peer.ask(b"mic", self.list) if done else None
        self.next = (False, spnego.response(token=answer, mic=mic))

    def close(self):
        self.peer.close()


class MicCounter:
    """The mechListMICs that went over the wire."""

    def __init__(self):
        self.seen = 0

    def __call__(self, token):
        self.seen += token[:1] == b"\xa1" and "mic" in spnego.parse(token)


def report(good, what, initiator, acceptor, why):
    print("%s mixed: %s: %s logs in to %s: %s" % (
        "PASS" if good else "FAIL", what, initiator.name, acceptor.name, why and "rejected, " + why or "yes"))
    return not good


def check_plain(initiator, acceptor):
    lost = initiator.carries_mic() and not acceptor.carries_mic()
    cases = [("raw", "right", "auto", True), ("raw", "wrong", "auto", False),
             ("spnego", "right", "auto", not lost), ("spnego", "wrong", "auto", False)]
    if lost:
        cases.append(("spnego", "right", "never", True))
    failures = 0
    for mech, users, mic, wanted in cases:
        why = meet(initiator.end("initiate", mech, users, mic), acceptor.end("accept", mech))
        what = "%s, %s password, spnego_mic = %s" % (mech, users, mic)
        failures += report(wanted != bool(why), what, initiator, acceptor, why)
    return failures


def check_mended(initiator, acceptor):
    """Every cell is green, and the MICs of both sides were on the wire."""
    failures = 0
    for mic in ("auto", "always"):
        for mech, users, wanted in (("raw", "right", 0), ("spnego", "right", 2), ("spnego", "wrong", None)):
            mics = MicCounter()
            why = meet(initiator.end("initiate", mech, users, mic), acceptor.end("accept", mech, mic=mic), watch=mics)
            good = bool(why) if wanted is None else not why and mics.seen == wanted
            what = "%s, %s password, spnego_mic = %s, %d MICs" % (mech, users, mic, mics.seen)
            failures += report(good, what, initiator, acceptor, why)
    mics = MicCounter()
    why = meet(ListsAnotherFirst(initiator.end("initiate", "raw")), acceptor.end("accept", "spnego"),
               messages=lambda *_: None, watch=mics)
    return failures + report(not why and mics.seen == 2, "another mechanism first, %d MICs" % mics.seen,
                             initiator, acceptor, why)


def main():
    module, root, their_module, their_peer = sys.argv[1:5]
    here = System("this system", "", os.path.abspath(module), os.path.join(HERE, "peer.py"))
    there = System("the other", os.path.abspath(root), their_module, their_peer)
    for system in (here, there):
        if not system.has_gssapi():
            print("SKIP python3-gssapi is not installed in " + system.name)
            return 77
    for system in (here, there):
        print("%s: SPNEGO %s mechListMIC" % (system.name, "carries" if system.carries_mic() else "loses"))
    failures = sum(check_plain(*pair) for pair in ((here, there), (there, here), (there, there)))
    if len(sys.argv) > 6:
        mended_here = System("this system, mended", "", os.path.abspath(module), here.peer, os.path.abspath(sys.argv[5]))
        mended = System("the other, mended", there.root, their_module, their_peer, sys.argv[6])
        time.sleep(0.1)  # a process as young as the registration declines the interposer
        plain_here = [here] if here.carries_mic() else []
        for one, two in [(mended, mended), (mended, mended_here), (mended_here, mended), (mended_here, mended_here)] + \
                [pair for plain in plain_here for pair in ((plain, mended), (mended, plain))]:
            failures += check_mended(one, two)
    return 1 if failures else 0


sys.exit(main())
