#!/usr/bin/python3
"""Both directions against the packaged gss-ntlmssp: handshake, sealing and signatures; raw, under SPNEGO, and
at all levels of both ends.

Usage: gss_ntlmssp.py REGISTRATION_OF_OURS. Prints PASS and FAIL lines; exit status 1 on any FAIL.
"""
import glob
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OID = "1.3.6.1.4.1.311.2.2.10"
failures = 0


class Peer:
    """A process that plays one role with the mechanism of one registration."""

    def __init__(self, registration, users, role, mech, level=None):
        env = dict(os.environ, GSS_MECH_CONFIG=registration, NTLM_USER_FILE=users)
        if level is not None:
            env["LM_COMPAT_LEVEL"] = str(level)
        self.process = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(HERE, "peer.py"), role, mech], env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, data):
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()

    def receive(self):
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise RuntimeError("the peer ended")
        data = self.process.stdout.read(struct.unpack(">I", head)[0])
        if data[:1] == b"!":
            raise RuntimeError(data[1:].decode())
        return data[:1] == b"+", data[1:]

    def ask(self, command, data=b""):
        self.send(command + b" " + data)
        return self.receive()[1]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=10)


def handshake(initiator, acceptor):
    done, token = initiator.receive()
    accepted = False
    while not (done and accepted):
        if token:
            acceptor.send(token)
            accepted, token = acceptor.receive()
        if token or not done:
            initiator.send(token)
            done, token = initiator.receive()


def check_messages(a, b):
    for size in (1, 16, 100, 5000):
        for one, other in ((a, b), (b, a)):
            message = os.urandom(size)
            if other.ask(b"unwrap", one.ask(b"wrap", message)) != message:
                raise RuntimeError("unwrapped text differs")
            other.ask(b"verify", one.ask(b"mic", message) + message)


def attempt(label, ours, theirs, users, we, mech, expect=True, levels=(None, None)):
    global failures
    initiator = Peer(ours if we == "initiate" else theirs, users[0], "initiate", mech, levels[0])
    acceptor = Peer(theirs if we == "initiate" else ours, users[1], "accept", mech, levels[1])
    try:
        handshake(initiator, acceptor)
        check_messages(initiator, acceptor)
        name = acceptor.ask(b"name").decode().rstrip("\0")  # theirs counts a terminator
        if name != "CORP\\alice":
            raise RuntimeError("the acceptor names " + name)
        got, why = True, ""
    except RuntimeError as error:
        got, why = False, str(error)
    finally:
        initiator.close()
        acceptor.close()
    ok = got == expect
    failures += not ok
    print(("PASS " if ok else "FAIL ") + label + ("" if ok else ": " + (why or "it went through")))


def carries_mic(theirs, users):
    """Whether the library's SPNEGO carries the mechListMIC that their initiator asks for."""
    initiator = Peer(theirs, users, "initiate", "spnego")
    acceptor = Peer(theirs, users, "accept", "spnego")
    try:
        handshake(initiator, acceptor)
        return True
    except RuntimeError:
        return False
    finally:
        initiator.close()
        acceptor.close()


def meet_at_all_levels(ours, theirs, users):
    """NTLMv1 is refused by our acceptor at level 5, and by theirs from level 3 on; all else works."""
    for we, first_without_v1 in (("initiate", 3), ("accept", 5)):
        for sent in range(6):
            for taken in range(6):
                label = "level %d of our initiator, %d of their acceptor" if we == "initiate" else \
                    "level %d of their initiator, %d of our acceptor"
                attempt(label % (sent, taken), ours, theirs, users, we, "raw",
                        expect=sent >= 3 or taken < first_without_v1, levels=(sent, taken))


def main():
    modules = glob.glob("/usr/lib/*/gssntlmssp/gssntlmssp.so")
    if not modules:
        print("SKIP gss-ntlmssp is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        theirs = os.path.join(folder, "peer.conf")
        with open(theirs, "w", encoding="ascii") as f:
            f.write("ntlmssp %s %s\n" % (OID, modules[0]))
        os.umask(0o077)
        paths = []
        for name, password in (("right", "Passw0rd"), ("wrong", "guess")):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "w", encoding="ascii") as f:
                f.write("CORP:alice:%s\n" % password)
        right, wrong = paths
        # Logins that whoever runs this keeps in a keyring take no part.
        os.environ["GSS_NTLM_SETTINGS"] = os.path.join(folder, "settings")
        with open(os.environ["GSS_NTLM_SETTINGS"], "w", encoding="ascii") as f:
            f.write("[accounts]\ninitiator = users_file\n")
        spnego = carries_mic(theirs, right)
        for mech in ("raw", "spnego"):
            for we, label in (("initiate", "our initiator, their acceptor"),
                              ("accept", "their initiator, our acceptor")):
                if we == "accept" and mech == "spnego" and not spnego:
                    print("SKIP %s, %s: this krb5's SPNEGO drops their mechListMIC" % (label, mech))
                    continue
                attempt("%s, %s" % (label, mech), sys.argv[1], theirs, (right, right), we, mech)
                attempt("%s, %s, wrong password" % (label, mech), sys.argv[1], theirs,
                        (wrong, right), we, mech, expect=False)
        with open(os.environ["GSS_NTLM_SETTINGS"], "a", encoding="ascii") as f:
            f.write("[policy]\nrequire_ess = no\nmin_key_bits = 40\n")
        meet_at_all_levels(sys.argv[1], theirs, (right, right))
    sys.exit(1 if failures else 0)


main()
