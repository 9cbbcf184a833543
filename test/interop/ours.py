"""Our mechanism in this process, for scripts that meet independent peers: settings, contexts, messages.

Importing it needs GSS_MECH_CONFIG in the environment; the module is loaded by the first call.
"""
import os
import sys
import tempfile

try:
    import gssapi
    from gssapi.raw.misc import GSSError
except ImportError:
    print("SKIP python3-gssapi is not installed")
    sys.exit(77)

NTLM = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
SESSION_KEY = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")
NEGOTIATE_FLAGS = gssapi.OID.from_int_seq("1.3.6.1.4.1.7165.655.1.5")
SET_SEQUENCE = gssapi.OID.from_int_seq("1.3.6.1.4.1.7165.655.1.1")

INTEG, CONF, REPLAY, ANON, DATAGRAM = 0x20, 0x10, 0x4, 0x40, 0x10000
SIGN, SEAL, ESS, KEY_EXCH, K128, K56 = 0x10, 0x20, 0x80000, 0x40000000, 0x20000000, 0x80000000
UNICODE, OEM, REQUEST_TARGET, NTLM_FLAG, ALWAYS_SIGN, VERSION = 0x1, 0x2, 0x4, 0x200, 0x8000, 0x2000000
LM_KEY, NON_NT = 0x80, 0x400000

USER, DOMAIN, PASSWORD = "alice", "CORP", "Passw0rd"

# Refuses nothing that the wire format has.
OPEN = {"require_ess": "no", "min_key_bits": "40", "accept_level": "0"}

failures = 0


class Workshop:
    """A directory with a users file and settings, which the mechanism sees from then on."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        os.umask(0o077)
        self.count = 0
        users = os.path.join(self.directory.name, "users")
        with open(users, "w", encoding="utf-8") as f:
            f.write("%s:%s:%s\n" % (DOMAIN, USER, PASSWORD))
        os.environ["NTLM_USER_FILE"] = users
        os.environ.pop("LM_COMPAT_LEVEL", None)
        self.policy()

    def policy(self, **keys):
        """Other settings, for credentials acquired from now on."""
        self.count += 1
        path = os.path.join(self.directory.name, "settings%d" % self.count)
        with open(path, "w", encoding="ascii") as f:
            f.write("[accounts]\ninitiator = users_file\n[policy]\n")
            # Both ends are in this process.
            f.writelines("%s = %s\n" % pair for pair in {"refuse_reflection": "no", **keys}.items())
        os.environ["GSS_NTLM_SETTINGS"] = path


def initiator(flags=INTEG | CONF, negotiate_flags=None, target="cifs@server.example"):
    creds = gssapi.Credentials(usage="initiate", mechs=[NTLM])
    if negotiate_flags is not None:
        value = negotiate_flags.to_bytes(4, sys.byteorder)
        gssapi.raw.set_cred_option(NEGOTIATE_FLAGS, creds=creds, value=value)
    name = gssapi.Name(target, gssapi.NameType.hostbased_service)
    return gssapi.SecurityContext(name=name, creds=creds, usage="initiate", mech=NTLM, flags=flags)


def anonymous_initiator(flags=0):
    name = gssapi.Name("cifs@server.example", gssapi.NameType.hostbased_service)
    return gssapi.SecurityContext(name=name, usage="initiate", mech=NTLM, flags=flags | ANON)


def acceptor():
    return gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept", mechs=[NTLM]),
                                  usage="accept")


def session_key(context):
    return gssapi.raw.inquire_sec_context_by_oid(context, SESSION_KEY)[0]


def set_sequence(context, number):
    gssapi.raw.set_sec_context_option(SET_SEQUENCE, context=context,
                                      value=number.to_bytes(4, sys.byteorder))


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def attempt(label, run, refused=None):
    """One PASS or FAIL line; `refused`: words that the mechanism's refusal must have."""
    global failures
    why = ""
    try:
        run()
        if refused:
            why = "it went through"
    except Exception as error:  # A peer raises what it likes.
        text = str(error) or repr(error)
        why = "" if refused and refused in text else text
    failures += bool(why)
    print(("FAIL %s: %s" % (label, why)) if why else "PASS " + label, flush=True)


def result():
    """For a row of docs/interop.md."""
    return "fails" if failures else "works"


def finish():
    sys.exit(1 if failures else 0)
