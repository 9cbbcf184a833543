#!/usr/bin/python3
"""cntlm, a proxy that logs in at another proxy with an NTLM of its own, at a proxy that asks for the login of the module.

Usage: cntlm_peer.py    GSS_MECH_CONFIG names the module. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time

import ours
import rows
import web
from ours import attempt, expect

CNTLM = shutil.which("cntlm", path="/usr/sbin:/usr/bin")
WHO = "CORP\\alice"
SETTINGS = """Username alice
Domain CORP
Password %s
Proxy 127.0.0.1:%d
Listen 127.0.0.1:%d
Auth %s
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cntlm:
    def __init__(self, workshop, parent, password, auth):
        self.port = free_port()
        path = os.path.join(workshop.directory.name, "cntlm.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(SETTINGS % (password, parent, self.port, auth))
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        self.process = subprocess.Popen([CNTLM, "-f", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=environment)

    def __enter__(self):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return self
            except OSError:
                expect(self.process.poll() is None, "cntlm ended with %s" % self.process.returncode)
                time.sleep(0.1)
        raise AssertionError("cntlm does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "http://origin.example/")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text


def let_in(workshop, site, auth="NTLMv2"):
    with Cntlm(workshop, site.port, ours.PASSWORD, auth) as proxy:
        for _ in range(3):
            got = proxy.get()
            expect(got == (200, "user %s\n" % WHO), "%s %s" % (got, site.logins))
    expect(site.logins[-1].user == WHO, site.logins)


def refuse(workshop, site, reason, password=ours.PASSWORD, auth="NTLMv2"):
    with Cntlm(workshop, site.port, password, auth) as proxy:
        status, _ = proxy.get()
        expect(status == 407, status)
    expect(site.logins and site.logins[-1].user is None and reason in site.logins[-1].reason, site.logins)


def main():
    if not CNTLM:
        rows.skipped("HTTP", "cntlm", "it is not installed")
        print("SKIP cntlm is not installed")
        sys.exit(77)
    workshop = ours.Workshop()
    with web.Site(schemes=["NTLM"], proxy=True) as site:
        attempt("cntlm logs in", lambda: let_in(workshop, site))
        attempt("cntlm, wrong password", lambda: refuse(workshop, site, "logon failure", password="guess"))
        attempt("cntlm, NTLMv1, is refused by the default policy",
                lambda: refuse(workshop, site, "does not offer a capability", auth="NTLM"))
        attempt("cntlm, NTLMv1 with extended session security, is refused by the default policy",
                lambda: refuse(workshop, site, "version of NTLM", auth="NTLM2SR"))
        workshop.policy(accept_level="4")
        attempt("cntlm, NTLMv1 with extended session security, accept_level = 4, logs in",
                lambda: let_in(workshop, site, auth="NTLM2SR"))
    rows.row("HTTP", "cntlm", rows.version("cntlm"), "acceptor",
             "NTLM at a proxy; NTLMv2; NTLMv1 with extended session security if policy accepts it", ours.result())
    ours.finish()


main()
