"""What the tests of the interposer share: registrations, an environment without accounts of this machine, children.

A child is this interpreter with the module of the test, and ends by itself. In a root of another system the tests are
run there. python3-gssapi is needed.
"""
import os
import subprocess
import sys
import tempfile
import time

SPNEGO = "1.3.6.1.5.5.2"
NTLM = "1.3.6.1.4.1.311.2.2.10"
PREFIX = "2.25.1196643149"
SYSTEM_PYTHON = "/usr/bin/python3"


class Scratch:
    """A directory with registrations of the mechanism alone (plain.conf) and with the interposer (mend.conf)."""

    def __init__(self, interposer, mechanism):
        self.directory = tempfile.TemporaryDirectory()
        self.path = self.directory.name
        self.interposer, self.mechanism = os.path.abspath(interposer), os.path.abspath(mechanism)
        self.write("plain.conf", self.line())
        self.write("mend.conf", self.line() + self.interposer_line())
        self.write("users", "CORP:alice:Passw0rd\nCORP:bob:Secret1\n")
        # Both ends of most exchanges are in one process.
        self.write("settings", "[accounts]\ninitiator = users_file\n[policy]\nrefuse_reflection = no\n")
        self.write("alice", "CORP:alice:Passw0rd\n")
        self.write("bob", "CORP:bob:Secret1\n")
        self.settle()

    def line(self):
        return "ntlm %s %s\n" % (NTLM, self.mechanism)

    def interposer_line(self, path=None):
        return "mend %s %s <interposer>\n" % (PREFIX, path or self.interposer)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        with open(os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
            f.write(text)
        return self.file(name)

    @staticmethod
    def settle():
        """Until a process that starts now is younger than the files."""
        time.sleep(0.1)

    def environment(self, config, users="users"):
        return {"PATH": "/usr/bin:/bin", "GSS_MECH_CONFIG": self.file(config), "NTLM_USER_FILE": self.file(users),
                "GSS_NTLM_SETTINGS": self.file("settings"),
                "KRB5_CONFIG": "/dev/null", "KRB5CCNAME": "FILE:/nonexistent/ccache",
                "KRB5_KTNAME": "FILE:/nonexistent/keytab", "PYTHONDONTWRITEBYTECODE": "1"}

    def child(self, program, *arguments, config="mend.conf", users="users"):
        """(exit status, negative for a signal; what it printed)"""
        done = subprocess.run([SYSTEM_PYTHON, program, "--child", *arguments], env=self.environment(config, users),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)
        return done.returncode, done.stdout.decode(errors="replace").strip()


class Report:
    def __init__(self, name):
        self.name, self.failures = name, 0

    def check(self, good, what, seen=""):
        self.failures += not good
        print("%s %s: %s%s" % ("PASS" if good else "FAIL", self.name, what, seen and ": " + str(seen)[:400]), flush=True)

    def exit(self):
        sys.exit(1 if self.failures else 0)


def need_gssapi():
    if subprocess.run([SYSTEM_PYTHON, "-c", "import gssapi"], stderr=subprocess.DEVNULL, check=False).returncode:
        print("SKIP python3-gssapi is not installed")
        sys.exit(77)


def is_loaded(name="gss_ntlm_spnego.so"):
    """The module is mapped here."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as f:
        return name in f.read()
