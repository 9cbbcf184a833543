#!/usr/bin/python3
"""OpenLDAP's slapd with GSS-SPNEGO, and ldapwhoami and ldapsearch: sealed, signed, neither, TLS with channel
bindings; both ends ours, and each with gss-ntlmssp at the other.

Usage: slapd.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.
The server is run by its path, from a configuration and a database in a directory that goes away.
"""
import base64
import hashlib
import os
import socket
import subprocess
import time

import pair
import scene
from exchange_checks import carries_mic
from rows import row, skipped, version
from scene import Scene, run, verdict

SLAPD, SLAPADD, WHOAMI, SEARCH = "/usr/sbin/slapd", "/usr/sbin/slapadd", "/usr/bin/ldapwhoami", "/usr/bin/ldapsearch"
SUFFIX = "dc=example,dc=org"
MODES = {"sealed": ("maxssf=256", 64), "asked for integrity": ("minssf=1,maxssf=1", 1),
         "neither": ("minssf=0,maxssf=0", 0)}
SIGNED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "domain", "ldap_signed.py")
INVALID = "Invalid credentials (49)"
ALICE = "dn:cn=alice," + SUFFIX
ENTRIES, VALUE_SIZE = 12, 100000


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def entries():
    yield "dn: %s\nobjectClass: organization\nobjectClass: dcObject\no: example\ndc: example\n\n" % SUFFIX
    for number in range(ENTRIES):
        photo = base64.b64encode(os.urandom(VALUE_SIZE)).decode()
        yield ("dn: cn=entry%d,%s\nobjectClass: inetOrgPerson\ncn: entry%d\nsn: entry\njpegPhoto:: %s\n\n"
               % (number, SUFFIX, number, photo))


class Directory:
    """A directory with a configuration, a certificate and a database, to be served."""

    def __init__(self, here, module_env):
        self.here, self.env = here, module_env
        path = os.path.join(here.directory, "slapd")
        os.makedirs(os.path.join(path, "database"))
        self.path = path
        key, self.certificate = os.path.join(path, "key.pem"), os.path.join(path, "certificate.pem")
        status, said = run(["/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                            self.certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=IP:127.0.0.1"], here.env())
        if status:
            raise RuntimeError("no certificate: " + said)
        self.configuration = here.write("slapd/slapd.conf", "\n".join([
            "include /etc/ldap/schema/core.schema", "include /etc/ldap/schema/cosine.schema",
            "include /etc/ldap/schema/inetorgperson.schema", "modulepath /usr/lib/ldap", "moduleload back_mdb",
            "pidfile %s/pid" % path, "argsfile %s/args" % path,
            "TLSCertificateFile " + self.certificate, "TLSCertificateKeyFile " + key,
            "sasl-host localhost", "sasl-secprops noanonymous,minssf=0", "sasl-cbinding tls-endpoint",
            r'authz-regexp "uid=corp\\\\5c([^,]*),cn=gss-spnego,cn=auth" "cn=$1,%s"' % SUFFIX,
            "database mdb", "maxsize 1073741824", "suffix " + SUFFIX, "directory %s/database" % path,
            "access to * by users read by * none", ""]))
        data = here.write("slapd/data.ldif", "".join(entries()))
        status, said = run([SLAPADD, "-q", "-f", self.configuration, "-l", data], here.env())
        if status:
            raise RuntimeError("no database: " + said)

    def start(self, env):
        """Serves it with that mechanism, and returns when it answers."""
        for _ in range(5):
            self.plain_port, self.tls_port = free_ports(2)
            with open(os.path.join(self.path, "log"), "wb") as log:
                self.process = subprocess.Popen(
                    [SLAPD, "-f", self.configuration, "-d", "stats", "-h",
                     "ldap://127.0.0.1:%d/ ldaps://127.0.0.1:%d/" % (self.plain_port, self.tls_port)],
                    env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self.answers():
                return
            self.stop()
        raise RuntimeError("slapd does not start: " + self.log())

    def answers(self):
        for _ in range(300):
            if self.process.poll() is not None:
                return False
            try:
                socket.create_connection(("127.0.0.1", self.tls_port)).close()
                return True
            except OSError:
                time.sleep(0.1)
        return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(os.path.join(self.path, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def url(self, tls=False):
        return "ldaps://127.0.0.1:%d" % self.tls_port if tls else "ldap://127.0.0.1:%d" % self.plain_port

    def ask(self, command, env, options, tls=False, binding=None, more=()):
        """ldapwhoami or ldapsearch: status and what was said."""
        env = dict(env, LDAPTLS_CACERT=self.certificate)
        if binding:
            env["LDAPSASL_CBINDING"] = binding
        return run([command, "-Y", "GSS-SPNEGO", "-N", "-H", self.url(tls), "-O", options, *more], env)


def is_alice(answer, ssf=None):
    """What is wrong with an answer of ldapwhoami; empty if nothing is."""
    status, said = answer
    if status or ALICE not in said.splitlines():
        return "status %d: %s" % (status, said)
    shown = [line for line in said.splitlines() if line.startswith("SASL SSF: ")]
    return "" if ssf is None or shown == ["SASL SSF: %d" % ssf] else said


def is_refused(answer, words):
    status, said = answer
    return "" if status and words in said else "status %d: %s" % (status, said)


def reads_all(directory, env, options, wanted, tls=False):
    status, said = directory.ask(SEARCH, env, options, tls, more=["-LLL", "-Q", "-o", "ldif-wrap=no", "-b", SUFFIX])
    found = sorted(line for line in said.splitlines() if line.startswith("jpegPhoto:: "))
    return "" if status == 0 and found == wanted else "status %d, %d values: %s" % (status, len(found), said[:500])


def reads_all_signed(directory, env, wanted):
    status, said = run(["/usr/bin/python3", SIGNED, "127.0.0.1:%d" % directory.plain_port, SUFFIX, "jpegPhoto",
                        "jpegPhoto"], env)
    values = [base64.b64decode(line.split(" ")[1]) for line in wanted]
    digests = sorted("%s %d" % (hashlib.sha256(value).hexdigest(), len(value)) for value in values)
    found = said.splitlines()
    good = status == 0 and found[:1] == ["flags 32"] and sorted(line.split(" ", 1)[1] for line in found[1:]) == digests
    return "" if good and "bind_ssf=1 " in directory.log() else "status %d: %s" % (status, said[:500])


def wanted_values(directory):
    with open(os.path.join(directory.path, "data.ldif"), encoding="ascii") as data:
        return sorted(line.rstrip("\n") for line in data if line.startswith("jpegPhoto:: "))


def meet_ours(directory, ours, ours_wrong):
    wanted = wanted_values(directory)
    for mode, (options, ssf) in MODES.items():
        verdict("ldapwhoami, " + mode, is_alice(directory.ask(WHOAMI, ours, options), ssf))
        verdict("ldapsearch, %s, 1.2 MB as they are in the database" % mode,
                reads_all(directory, ours, options, wanted))
    verdict("a client that signs and cannot seal, 1.2 MB as they are in the database",
            reads_all_signed(directory, ours, wanted))
    verdict("ldapwhoami, wrong password",
            is_refused(directory.ask(WHOAMI, ours_wrong, "maxssf=256"), INVALID))
    row("SASL", "OpenLDAP: slapd and ldapsearch", version("slapd"), "both",
        "GSS-SPNEGO: sealed, signed, unprotected, 1.2 MB each; wrong password", "fails" if scene.failures else "works")


def meet_with_tls(directory, here, ours, ours_wrong):
    before = scene.failures
    none = "minssf=0,maxssf=0"
    # Bindings of another kind, which only TLS 1.2 has. Debian 12's OpenLDAP has GnuTLS, Debian 13's OpenSSL.
    gnutls = "libgnutls" in run(["/usr/bin/ldd", WHOAMI], here.env())[1]
    older = {"LDAPTLS_CIPHER_SUITE": "NORMAL:-VERS-TLS1.3"} if gnutls else {"LDAPTLS_PROTOCOL_MAX": "3.3"}
    ours_older_tls = dict(ours, **older)
    same = {"tls": True, "binding": "tls-endpoint"}
    verdict("ldaps, channel bindings", is_alice(directory.ask(WHOAMI, ours, none, **same)))
    verdict("ldaps, channel bindings, 1.2 MB", reads_all(directory, ours, none, wanted_values(directory), tls=True))
    verdict("ldaps, other channel bindings",
            is_refused(directory.ask(WHOAMI, ours_older_tls, none, tls=True, binding="tls-unique"), INVALID))
    verdict("ldaps, no channel bindings, which our acceptor accepts unless its settings demand them",
            is_alice(directory.ask(WHOAMI, ours, none, tls=True)))
    verdict("ldaps, channel bindings, wrong password",
            is_refused(directory.ask(WHOAMI, ours_wrong, none, **same), INVALID))
    directory.stop()
    directory.start(here.env(users=here.right, settings=here.policy("bound", channel_bindings="require")))
    asked = directory.ask(WHOAMI, ours, none, **same)
    proven = carries_mic(*(pair.Peer(role, "spnego", ours) for role in ("initiate", "accept")))
    verdict("ldaps, channel bindings demanded and sent" + ("" if proven else ", under a SPNEGO that loses the MIC: rejected"),
            is_alice(asked) if proven else is_refused(asked, INVALID))
    verdict("ldaps, channel bindings demanded and not sent",
            is_refused(directory.ask(WHOAMI, ours, none, tls=True), INVALID))
    row("SASL", "OpenLDAP over TLS", version("slapd"), "both",
        "GSS-SPNEGO with channel bindings (tls-server-end-point), required or not, and wrong bindings; wrong password",
        "fails" if scene.failures > before else "works")


def meet_theirs(directory, here, ours):
    before = scene.failures
    theirs = here.env(here.theirs, here.right)
    role = "initiator"
    if pair.meet(pair.Peer("initiate", "spnego", theirs), pair.Peer("accept", "spnego", theirs)):
        print("SKIP gss-ntlmssp's client: this krb5's SPNEGO drops its mechListMIC")
    else:
        role = "both"
        for asked, ssf in (("sealed", 64), ("asked for integrity", 1)):
            options, _ = MODES[asked]
            verdict("gss-ntlmssp's ldapwhoami, " + asked, is_alice(directory.ask(WHOAMI, theirs, options), ssf))
            verdict("gss-ntlmssp's ldapsearch, %s, 1.2 MB as they are in the database" % asked,
                    reads_all(directory, theirs, options, wanted_values(directory)))
        verdict("gss-ntlmssp's ldapwhoami, wrong password",
                is_refused(directory.ask(WHOAMI, here.env(here.theirs, here.wrong), "maxssf=256"), INVALID))
    directory.stop()
    directory.start(theirs)
    for mode, (options, ssf) in MODES.items():
        verdict("ldapwhoami at gss-ntlmssp's slapd, " + mode, is_alice(directory.ask(WHOAMI, ours, options), ssf))
        verdict("ldapsearch at gss-ntlmssp's slapd, %s, 1.2 MB as they are in the database" % mode,
                reads_all(directory, ours, options, wanted_values(directory)))
    verdict("ldapwhoami at gss-ntlmssp's slapd, wrong password",
            is_refused(directory.ask(WHOAMI, here.env(users=here.wrong), "maxssf=256"), INVALID))
    row("SASL", "OpenLDAP, with gss-ntlmssp as peer", version("gss-ntlmssp"), role,
        "GSS-SPNEGO: sealed; signed; unprotected by ours; wrong password",
        "fails" if scene.failures > before else "works")


def main():
    needed = {"slapd": (SLAPD, SLAPADD), "ldap-utils": (WHOAMI, SEARCH), "openssl": ("/usr/bin/openssl",)}
    for package, paths in needed.items():
        if not all(map(os.path.exists, paths)):
            skipped("SASL", "OpenLDAP: slapd and ldapsearch", package + " is not installed")
            scene.skip(package + " is not installed")
    here = Scene()
    ours, ours_wrong = here.env(users=here.right), here.env(users=here.wrong)
    directory = Directory(here, ours)
    directory.start(ours)
    try:
        meet_ours(directory, ours, ours_wrong)
        meet_with_tls(directory, here, ours, ours_wrong)
        if here.theirs:
            meet_theirs(directory, here, ours)
        else:
            print("SKIP gss-ntlmssp is not installed")
    finally:
        directory.stop()
        if scene.failures:
            print(directory.log())
    scene.finish()


main()
