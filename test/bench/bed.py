"""Where benchmarks run: a directory with an account, settings and registrations, and nothing of the machine's."""
import os
import tempfile

OID = "1.3.6.1.4.1.311.2.2.10"
# Of "Passw0rd-alice": MD4 of its UTF-16LE.
NT_HASH = "68EE372D76FCEF069AF4BFFFDA823E48"
USERS = "BENCH\\alice:1000:" + "X" * 32 + ":" + NT_HASH + ":[U]:0:\n"
# The user who runs this may keep logins in a keyring.
# Both ends may be in one process.
SETTINGS = "[accounts]\ninitiator = users_file\n[policy]\nrefuse_reflection = no\n"


class Bed:
    """A directory for as long as a `with` lasts."""

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="gss-ntlm-bench-")
        self.path = self._directory.name
        self.users = self.write("users", USERS)
        self.settings = self.write("settings", SETTINGS)
        return self

    def __exit__(self, *_):
        self._directory.cleanup()

    def write(self, name, text):
        """Writes a file that others cannot read; gives its path."""
        path = os.path.join(self.path, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(text)
        return path

    def environment(self, module):
        """For a process that loads `module` as its NTLM; None: no mechanism is registered."""
        line = f"ntlmssp {OID} {os.path.realpath(module)}\n" if module else ""
        name = "registration-" + (module or "none").replace("/", "-")
        nowhere = os.path.join(self.path, "nothing")
        # Meson has the C library fill what it hands out, which costs instructions.
        inherited = {k: v for k, v in os.environ.items()
                     if k != "MALLOC_PERTURB_" and not k.startswith(("GSS", "NTLM", "LM_COMPAT", "NETBIOS"))}
        return dict(inherited, LC_ALL="C", NTLM_USER_FILE=self.users, GSS_NTLM_SETTINGS=self.settings,
                    GSS_MECH_CONFIG=self.write(name, line), KRB5_CONFIG="/dev/null",
                    KRB5CCNAME="FILE:" + nowhere, KRB5_KTNAME="FILE:" + nowhere)
