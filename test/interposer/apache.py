#!/usr/bin/python3
"""The interposer installed, upgraded and removed while Apache runs: every login goes on, and a restart takes it up.

Usage: apache.py INTERPOSER MECHANISM    PASS and FAIL lines; exit status 1 on any FAIL, 77 without Apache or curl
"""
import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from harness import Report, Scratch

MODULES = "/usr/lib/apache2/modules"
MIC = bytes.fromhex("a3120410")  # mechListMIC of 16 bytes


class Apache:
    def __init__(self, scratch):
        self.scratch = scratch
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        os.mkdir(scratch.file("www"))
        scratch.write("www/index.html", "hello\n")
        modules = ["mpm_prefork", "authn_core", "authz_core", "authz_user", "auth_gssapi"]
        scratch.write("httpd.conf", "".join("LoadModule %s_module %s/mod_%s.so\n" % (m, MODULES, m) for m in modules) +
                      "ServerRoot {0}\nServerName localhost\nListen 127.0.0.1:{1}\nPidFile {0}/pid\nErrorLog {0}/error.log\n"
                      "DocumentRoot {0}/www\nStartServers 1\nMinSpareServers 1\nMaxSpareServers 1\nMaxConnectionsPerChild 2\n"
                      "<Location />\nAuthType GSSAPI\nAuthName x\nGssapiConnectionBound On\nGssapiSSLonly Off\n"
                      "Require valid-user\n</Location>\n".format(scratch.path, self.port))
        self.process = None

    def start(self):
        env = self.scratch.environment("running.conf")
        self.process = subprocess.Popen(["apache2", "-f", self.scratch.file("httpd.conf"), "-DFOREGROUND"],
                                        env=dict(env, PATH=env["PATH"] + ":/usr/sbin:/sbin"), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)  # it ends its group
        for _ in range(200):
            time.sleep(0.05)
            with socket.socket() as s:
                if not s.connect_ex(("127.0.0.1", self.port)):
                    return
        raise RuntimeError("Apache does not listen")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)

    def log_in(self):
        """(status of HTTP, MICs of both sides) of a client with the interposer where that is installed whole."""
        out = subprocess.run(["curl", "-sv", "--negotiate", "-u", ":", "-w", "%{http_code}",
                              "http://localhost:%d/index.html" % self.port], env=self.scratch.environment("client.conf", "alice"),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=30).stdout.decode(errors="replace")
        tokens = [base64.b64decode(t) for t in re.findall(r"^[<>].*Negotiate (\S+)", out.replace("\r", ""), re.M)]
        return out[-3:], sum(MIC in token for token in tokens)


def main():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not shutil.which("apache2") or not shutil.which("curl") or not os.path.exists(MODULES + "/mod_auth_gssapi.so"):
        print("SKIP no Apache with mod_auth_gssapi, or no curl")
        sys.exit(77)
    report = Report("apache")
    scratch = Scratch(*sys.argv[1:3])
    module = scratch.file("gss_ntlm_spnego.so")
    scratch.write("running.conf", scratch.line())
    scratch.write("client.conf", scratch.line() + scratch.interposer_line())
    scratch.settle()
    apache = Apache(scratch)

    def logins(what, mics=None):
        # More than a worker serves, so that workers forked afterwards take part.
        time.sleep(1.2)
        seen = [apache.log_in() for _ in range(6)]
        good = all(status == "200" for status, _ in seen) and (mics is None or all(found == mics for _, found in seen))
        report.check(good, what, seen)

    def put(data):
        with open(module + ".new", "wb") as f:
            f.write(data)
        os.rename(module + ".new", module)

    with open(scratch.interposer, "rb") as f:
        whole = f.read()
    apache.start()
    try:
        logins("before")
        put(whole)
        logins("the file installed")
        scratch.write("running.conf", scratch.line() + scratch.interposer_line(module))
        logins("registered while it runs")
        apache.stop()
        time.sleep(0.1)
        apache.start()
        logins("after a restart, with both MICs", 2)
        put(whole)
        logins("upgraded while it runs, with both MICs", 2)
        with open(module, "r+b"):
            os.rename(module, module + ".old")
        logins("removed while it runs, with both MICs", 2)
        apache.stop()
        apache.start()
        logins("restarted with the registration left and the file missing")
        put(whole[:len(whole) // 2])
        logins("the file truncated while it runs")
        apache.stop()
        apache.start()
        logins("restarted with the file truncated")
        scratch.write("running.conf", scratch.line())
        os.unlink(module)
        logins("purged while it runs")
    finally:
        apache.stop()
    report.exit()


main()
