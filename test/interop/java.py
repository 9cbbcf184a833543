#!/usr/bin/python3
"""The JDKs of this machine, by their native GSSAPI: both roles of raw NTLM, Java at one end and at both, and a web
server in Java that curl logs in to with Negotiate and NTLM.

The JDK cannot initiate inside SPNEGO: it reads the second token as a first one. That is tried too.

Usage: java.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import glob
import os
import re
import subprocess
import tempfile

import scene
from pair import HERE, Peer, meet
from rows import row, skipped
from scene import PASSWORD, USER, Scene, run, verdict

PEER = "OpenJDK's native GSSAPI"
OPTIONS = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dsun.security.jgss.native=true",
           "-Dsun.security.jgss.lib=libgssapi_krb5.so.2", "-Djavax.security.auth.useSubjectCredsOnly=false")


def installed():
    """{directory: version} of the JDKs that can compile."""
    found = {}
    for compiler in sorted(glob.glob("/usr/lib/jvm/*/bin/javac")):
        home = os.path.realpath(os.path.dirname(os.path.dirname(compiler)))
        with open(os.path.join(home, "release"), encoding="utf-8") as file:
            text = re.search(r'^JAVA_VERSION="([^"]+)"', file.read(), re.M)
        found[home] = text.group(1) if text else "-"
    return found


class Jdk:
    def __init__(self, home, text, here, classes):
        self.text, self.here = text, here
        subprocess.run([home + "/bin/javac", "-d", classes, os.path.join(HERE, "java", "JavaEnd.java")], check=True,
                       timeout=scene.PATIENCE)
        self.command = (home + "/bin/java", *OPTIONS, "-cp", classes, "JavaEnd")

    def end(self, role, mech, users):
        return Peer(role, mech, self.here.env(users=users), self.command)

    def python(self, role, mech):
        return Peer(role, mech, self.here.env(users=self.here.right))

    def tell(self, label, why, expected=None):
        label = "Java %s: %s" % (self.text, label)
        if expected is not None:
            why = "" if expected in why else "it says: " + (why or "nothing, it went through")
        verdict(label, why)

    def pairs(self):
        right, wrong = self.here.right, self.here.wrong
        self.tell("initiator", meet(self.end("initiate", "raw", right), self.python("accept", "raw")))
        self.tell("acceptor", meet(self.python("initiate", "raw"), self.end("accept", "raw", right)))
        self.tell("both ends", meet(self.end("initiate", "raw", right), self.end("accept", "raw", right)))
        self.tell("initiator, wrong password", meet(self.end("initiate", "raw", wrong), self.python("accept", "raw")),
                  "logon failure")
        self.tell("acceptor, wrong password", meet(self.python("initiate", "raw"), self.end("accept", "raw", wrong)),
                  "GSSException")
        self.tell("an initiator inside SPNEGO is beyond the JDK",
                  meet(self.end("initiate", "spnego", right), self.python("accept", "spnego")), "GSSHeader")

    def web(self):
        server = subprocess.Popen([*self.command, "http"], env=self.here.env(users=self.here.right),
                                  stdout=subprocess.PIPE, text=True)
        timer = scene.end_after(server)
        try:
            url = "http://localhost:%s/" % server.stdout.readline().strip()
            for scheme, right, wrong in (("Negotiate", ["--negotiate", "-u", ":"], ["--negotiate", "-u", ":"]),
                                         ("NTLM", ["--ntlm", "-u", "CORP\\%s:%s" % (USER, PASSWORD)],
                                          ["--ntlm", "-u", "CORP\\%s:guess" % USER])):
                said = self.curl(url, self.here.right, right)
                self.tell("web server, " + scheme, "" if said == "user CORP\\alice\n200" else "curl says: " + said)
                said = self.curl(url, self.here.wrong, wrong)
                self.tell("web server, %s, wrong password" % scheme, "" if said.endswith("401") else "curl says: " + said)
        finally:
            server.kill()
            users = server.stdout.read().count("user CORP\\alice\n")
            server.wait()
            timer.cancel()
            server.stdout.close()
        self.tell("web server, logins that it counts", "" if users == 2 else str(users))

    def curl(self, url, users, options):
        return run(["curl", "-s", "-S", "-w", "%{http_code}", *options, url], self.here.env(users=users))[1]


def main():
    jdks = installed()
    if not jdks:
        skipped("GSSAPI", PEER, "no JDK is installed")
        scene.skip("no JDK is installed")
    here = Scene()
    for home, text in jdks.items():
        with tempfile.TemporaryDirectory() as classes:
            jdk = Jdk(home, text, here, classes)
            before = scene.failures
            jdk.pairs()
            row("GSSAPI", PEER, text, "both", "raw: sealed, MIC, Java at one end and at both; wrong password",
                "fails" if scene.failures > before else "works")
            before = scene.failures
            jdk.web()
            row("HTTP", "OpenJDK's com.sun.net.httpserver", text, "acceptor",
                "curl --negotiate and --ntlm; wrong password",
                "fails" if scene.failures > before else "works")
    scene.finish()


main()
