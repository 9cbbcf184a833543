#!/usr/bin/python3
"""GSSAPI's bindings for Perl and Ruby, with python3-gssapi's calls at the other end.

Usage: languages.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import os
import shutil

import scene
from exchange_checks import refused, talk
from pair import HERE, Peer, meet
from rows import row, skipped, version
from scene import Scene, verdict

# (peer, package, interpreter, program, roles, what its row says)
BINDINGS = (
    ("Perl's GSSAPI", "libgssapi-perl", "perl", "perl_end.pl", ("initiate", "accept"),
     "raw and SPNEGO: sealed, MIC; wrong password"),
    ("ruby-gssapi", "ruby-gssapi", "ruby", "ruby_end.rb", ("accept",),
     "raw and SPNEGO: sealed; wrong password; not as initiator, where it asks for Kerberos alone (simple.rb, init_context)"),
)


class Binding:
    def __init__(self, here, interpreter, program):
        self.here, self.command = here, (interpreter, os.path.join(HERE, "languages", program))

    def end(self, role, mech, users, bound):
        return Peer(role, mech, self.here.env(users=users), *([self.command] if bound else []))

    def meet(self, peer, role, mech):
        ends = [self.end(r, mech, self.here.right, r == role) for r in ("initiate", "accept")]
        messages = [talk(b"wrap", (1, 16, 5000))] if peer == "ruby-gssapi" else []
        verdict("%s, %s, %s" % (peer, role, mech), meet(*ends, *messages))
        ends = [self.end(r, mech, users, r == role)
                for r, users in (("initiate", self.here.wrong), ("accept", self.here.right))]
        verdict("%s, %s, %s, wrong password" % (peer, role, mech), refused(*ends, "logon failure"))


def main():
    here = Scene()
    tried = 0
    for peer, package, interpreter, program, roles, modes in BINDINGS:
        if version(package) == "-" or not shutil.which(interpreter):
            skipped("GSSAPI", peer, "it is not installed")
            print("SKIP %s is not installed" % package)
            continue
        tried += 1
        before = scene.failures
        for mech in ("raw", "spnego"):
            for role in roles:
                Binding(here, interpreter, program).meet(peer, role, mech)
        row("GSSAPI", peer, version(package), "both" if len(roles) == 2 else "acceptor", modes,
            "fails" if scene.failures > before else "works")
    if not tried:
        scene.skip("neither binding is installed")
    scene.finish()


main()
