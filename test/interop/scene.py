"""Where two ends of a test live: users files with the right and the wrong password, settings, and the
registrations of our mechanism and of the packaged gss-ntlmssp, each as the environment of a process.

Importing it needs GSS_MECH_CONFIG, which names our registration.
"""
import glob
import os
import subprocess
import sys
import tempfile
import threading

OID = "1.3.6.1.4.1.311.2.2.10"
USER, DOMAIN, PASSWORD = "alice", "CORP", "Passw0rd"
PATIENCE = 120  # seconds, for what takes less than one

failures = 0


class Scene:
    """A directory that goes away with this process."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory()
        self.directory = self._directory.name
        self.ours = os.environ["GSS_MECH_CONFIG"]
        self.right = self.write("right", "%s:%s:%s\n" % (DOMAIN, USER, PASSWORD))
        self.wrong = self.write("wrong", "%s:%s:guess\n" % (DOMAIN, USER))
        self.settings = self.policy("settings")
        modules = glob.glob("/usr/lib/*/gssntlmssp/gssntlmssp.so")
        self.theirs = self.write("theirs", "ntlmssp %s %s\n" % (OID, modules[0])) if modules else None
        self.krb5 = self.write("krb5.conf", "")

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def policy(self, name, **keys):
        """A settings file. Logins that the user who runs this keeps in a keyring take no part."""
        return self.write(name, "[accounts]\ninitiator = users_file\n[policy]\n" +
                          "".join("%s = %s\n" % pair for pair in keys.items()))

    def env(self, registration=None, users=None, settings=None, **more):
        """The environment of a process with our mechanism, or that of another registration."""
        env = dict(os.environ, GSS_MECH_CONFIG=registration or self.ours, GSS_NTLM_SETTINGS=settings or self.settings,
                   KRB5_CONFIG=self.krb5, KRB5CCNAME="FILE:/nonexistent/ccache", KRB5_KTNAME="FILE:/nonexistent/keytab")
        for name in ("NTLM_USER_FILE", "NTLMUSER", "LM_COMPAT_LEVEL", "NETBIOS_COMPUTER_NAME", "NETBIOS_DOMAIN_NAME"):
            env.pop(name, None)
        if users:
            env["NTLM_USER_FILE"] = users
        env.update(more)
        return env


def end_after(process, seconds=PATIENCE):
    """Ends `process` if it is still there then; returns the timer, to be cancelled."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def run(command, env, **more):
    """A command's status and what it said, both outputs in one."""
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=PATIENCE, check=False, **more)
    return done.returncode, done.stdout.decode(errors="replace")


def verdict(label, why):
    """One PASS or FAIL line; `why` is empty if it went well."""
    global failures
    failures += bool(why)
    print("FAIL %s: %s" % (label, why) if why else "PASS " + label, flush=True)


def skip(why):
    print("SKIP " + why)
    sys.exit(77)


def finish():
    sys.exit(1 if failures else 0)
