#!/usr/bin/python3
"""Heimdal's NTLM mechanism logs in to our acceptor: NTLMv1 with extended session security, which is refused
unless policy takes it. Our initiator's NTLMv2 is verified by Heimdal's functions.

Usage: heimdal.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.

The login is what is compared. Heimdal's client offers no 128-bit keys and uses them all the same, and Debian's
sends its session key as it is instead of encrypting it: no acceptor that does as [MS-NLMP] says has the same one.
Messages are compared where it does. Its own acceptor has accounts from the digest service of a Heimdal KDC only,
and is not run.
"""
import ctypes
import os

import heimdal_judge
import scene
from pair import HERE, Peer, check_messages, meet
from rows import row, skipped, version
from scene import DOMAIN, PASSWORD, USER, Scene, verdict

END = ("/usr/bin/python3", os.path.join(HERE, "heimdal_end.py"))
PEER = "Heimdal's NTLM mechanism"
PACKAGES = ("libgssapi3-heimdal", "libgssapi3t64-heimdal")  # of Debian 12 and 13
NOTHING = "flags=0"


def messages_if_keys_agree(a, b):
    if a.ask(b"key") == b.ask(b"key"):
        check_messages(a, b)


class Visit:
    def __init__(self, here):
        self.here = here
        self.strict = here.settings
        self.short_keys = here.policy("short", min_key_bits="40")
        self.v1 = here.policy("v1", min_key_bits="40", accept_level="4")
        self.level5 = here.policy("level5", min_key_bits="40", accept_level="5")

    def why(self, mech, settings, *options, users=None, messages=messages_if_keys_agree):
        """Why Heimdal's client is rejected; empty if it is accepted."""
        # Its client takes the domain from the CHALLENGE's target, which is the acceptor's computer.
        acceptor = Peer("accept", mech, self.here.env(users=self.here.right, settings=settings,
                                                      NETBIOS_COMPUTER_NAME="CORP"))
        initiator = Peer("initiate", mech, self.here.env(users=users or self.here.right), END, options)
        return meet(initiator, acceptor, messages)

    def judged(self, users):
        """What Heimdal finds wrong with the NTLMv2 response of our initiator."""
        initiator = Peer("initiate", "raw", self.here.env(users=users))
        try:
            initiator.send(heimdal_judge.make_challenge(initiator.receive()[1]))
            token = initiator.receive()[1]
            good = heimdal_judge.takes(token, USER, DOMAIN, PASSWORD)
            return "" if good else "Heimdal refuses the response"
        except RuntimeError as error:
            return str(error)
        finally:
            initiator.close()

    def refused(self, label, words, *arguments, **more):
        why = self.why(*arguments, **more)
        verdict(label, "" if words in why else why or "it went through")


def main():
    try:
        ctypes.CDLL("libgssapi.so.3")
    except OSError:
        skipped("SSPI family", PEER, "its libgssapi is not installed")
        scene.skip("Heimdal's libgssapi is not installed")
    here = Scene()
    visit = Visit(here)
    for mech in ("raw", "spnego"):
        label = "Heimdal's client, %s, " % mech
        visit.refused(label + "sealed, default policy", "session key would be shorter", mech, visit.strict)
        visit.refused(label + "neither, default policy", "rejects this version of NTLM", mech, visit.strict, NOTHING)
        visit.refused(label + "sealed, short keys allowed", "rejects this version of NTLM", mech, visit.short_keys)
        visit.refused(label + "neither, accept_level = 5", "rejects this version of NTLM", mech, visit.level5, NOTHING)
        verdict(label + "sealed, accept_level = 4", visit.why(mech, visit.v1))
        verdict(label + "neither, accept_level = 4", visit.why(mech, visit.v1, NOTHING, messages=lambda a, b: None))
        visit.refused(label + "wrong password, accept_level = 4", "logon failure", mech, visit.v1, NOTHING,
                      users=here.wrong)
    verdict("Heimdal verifies our initiator, NTLMv2", visit.judged(here.right))
    why = visit.judged(here.wrong)
    verdict("Heimdal verifies our initiator, wrong password", "" if why == "Heimdal refuses the response" else
            why or "it is taken")
    row("SSPI family", PEER, max(map(version, PACKAGES)), "both",
        "raw and SPNEGO: its NTLMv1 rejected by default and accepted at accept_level = 4; our NTLMv2 verified by "
        "its functions; wrong password",
        "fails" if scene.failures else "works")
    scene.finish()


main()
