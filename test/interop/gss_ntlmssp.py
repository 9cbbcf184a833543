#!/usr/bin/python3
"""Both directions against the packaged gss-ntlmssp: handshake, sealing and signatures; raw, inside SPNEGO, and
at all levels of both ends.

Usage: gss_ntlmssp.py REGISTRATION_OF_OURS. Prints PASS and FAIL lines; exit status 1 on any FAIL.
"""
import glob
import os
import sys
import tempfile
from pair import Peer, meet
from rows import row, skipped, version

OID = "1.3.6.1.4.1.311.2.2.10"
failures = 0


def peer(registration, users, role, mech, level=None):
    env = dict(os.environ, GSS_MECH_CONFIG=registration, NTLM_USER_FILE=users)
    if level is not None:
        env["LM_COMPAT_LEVEL"] = str(level)
    return Peer(role, mech, env)


def attempt(label, ours, theirs, users, we, mech, expect=True, levels=(None, None)):
    global failures
    initiator = peer(ours if we == "initiate" else theirs, users[0], "initiate", mech, levels[0])
    acceptor = peer(theirs if we == "initiate" else ours, users[1], "accept", mech, levels[1])
    why = meet(initiator, acceptor)
    got = not why
    ok = got == expect
    failures += not ok
    print(("PASS " if ok else "FAIL ") + label + ("" if ok else ": " + (why or "it went through")))


def carries_mic(theirs, users):
    """Whether the library's SPNEGO carries the mechListMIC that their initiator asks for."""
    return not meet(peer(theirs, users, "initiate", "spnego"), peer(theirs, users, "accept", "spnego"))


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
        skipped("NTLM mechanisms", "gss-ntlmssp", "it is not installed")
        print("SKIP gss-ntlmssp is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as directory:
        theirs = os.path.join(directory, "peer.conf")
        with open(theirs, "w", encoding="ascii") as f:
            f.write("ntlmssp %s %s\n" % (OID, modules[0]))
        os.umask(0o077)
        paths = []
        for name, password in (("right", "Passw0rd"), ("wrong", "guess")):
            paths.append(os.path.join(directory, name))
            with open(paths[-1], "w", encoding="ascii") as f:
                f.write("CORP:alice:%s\n" % password)
        right, wrong = paths
        # Logins that the user who runs this keeps in a keyring take no part.
        os.environ["GSS_NTLM_SETTINGS"] = os.path.join(directory, "settings")
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
    row("NTLM mechanisms", "gss-ntlmssp", version("gss-ntlmssp"), "both",
        "raw and SPNEGO: sealed, MIC, levels 0 to 5 on each side; wrong password", "fails" if failures else "works")
    sys.exit(1 if failures else 0)


main()
