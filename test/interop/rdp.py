#!/usr/bin/python3
"""RDP's network level authentication (CredSSP) through libgssapi and the module: as a server for FreeRDP's client, as a client
of FreeRDP's shadow server, and both ends of ours.

Usage: rdp.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import credssp
import scene
from pair import Peer
from rows import row, skipped, version
from scene import DOMAIN, PASSWORD, USER, Scene, verdict

NT_HASH = "a87f3a337d73085c45f9416be5787d86"  # of PASSWORD
CREDENTIALS = (DOMAIN, USER, PASSWORD)
VERSIONS = (6, 5, 4, 3, 2)
# [MS-RDPBCGR] 2.2.1.1 and 2.2.1.2: the connection's request and its confirmation, for TLS with CredSSP.
REQUEST_NLA = bytes.fromhex("030000130ee000000000000100080003000000")
CONFIRM_NLA = bytes.fromhex("030000130ed000000000000200080002000000")
# {Debian package: (client, its options, server)}
FREERDP = {
    "freerdp2-x11": ("xfreerdp", ("/cert-ignore", "+auth-only"), "freerdp-shadow-cli"),
    "freerdp3-x11": ("xfreerdp3", ("/cert:ignore", "+auth-only"), "freerdp-shadow-cli3"),
}


class Stream:
    """A TLS connection, as credssp.py reads and writes it."""

    def __init__(self, tls):
        self.tls = tls

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.tls.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    def write(self, data):
        self.tls.sendall(data)


def public_key(certificate, form):
    """SubjectPublicKey of a certificate in PEM or DER."""
    spki = subprocess.run(["openssl", "x509", "-inform", form, "-noout", "-pubkey"], input=certificate, check=True,
                          capture_output=True).stdout
    return subprocess.run(["openssl", "rsa", "-pubin", "-RSAPublicKey_out", "-outform", "DER"], input=spki, check=True,
                          capture_output=True).stdout


class Identity:
    """A certificate and its key."""

    def __init__(self, here, name):
        self.key, self.certificate = (os.path.join(here.directory, name + end) for end in (".key", ".pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)
        with open(self.certificate, "rb") as file:
            self.public_key = public_key(file.read(), "PEM")


class NlaServer:
    """A server of one connection: `outcome` is (user, credentials) or the reason of a refusal."""

    def __init__(self, here, identity, protocol, users=None, proven=None):
        self.here, self.protocol, self.users = here, protocol, users or here.right
        self.proven = proven or identity.public_key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity.certificate, identity.key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(scene.PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.outcome = None
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def acceptor(self, mech):
        return Peer("accept", mech, self.here.env(users=self.users))

    def serve(self):
        with self.listener, self.listener.accept()[0] as connection:
            connection.settimeout(scene.PATIENCE)
            head = connection.recv(4, socket.MSG_WAITALL)
            connection.recv(struct.unpack(">H", head[2:])[0] - len(head), socket.MSG_WAITALL)
            connection.sendall(CONFIRM_NLA)
            try:
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    self.outcome = credssp.accept(Stream(tls), self.acceptor, self.proven, self.protocol)
            except (credssp.Refused, OSError) as error:
                self.outcome = str(error)

    def result(self):
        self.thread.join(scene.PATIENCE)
        return self.outcome


class Client:
    """Ours, of a server at `port`: the reason of a refusal, or nothing."""

    def __init__(self, here):
        self.here = here
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def log_in(self, port, mech, protocol, users=None, proven=None):
        try:
            with socket.create_connection(("127.0.0.1", port), scene.PATIENCE) as connection:
                connection.sendall(REQUEST_NLA)
                if connection.recv(len(CONFIRM_NLA), socket.MSG_WAITALL)[-4:] != CONFIRM_NLA[-4:]:
                    return "the server does not take CredSSP"
                with self.context.wrap_socket(connection) as tls:
                    key = proven or public_key(tls.getpeercert(True), "DER")
                    end = Peer("initiate", mech, self.here.env(users=users or self.here.right))
                    credssp.initiate(Stream(tls), end, key, CREDENTIALS, protocol)
                    return ""
        except (credssp.Refused, OSError) as error:
            return str(error) or "it ended"


class FreeRdp:
    """FreeRDP's programs, on a screen of their own."""

    def __init__(self, here, package):
        self.here, self.client, self.options, self.server = here, *FREERDP[package]
        self.version = version(package)
        read, write = os.pipe()
        self.screen = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
                                       pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as file:
            self.display = ":" + file.readline().strip()
        self.env = dict({k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}, DISPLAY=self.display,
                        HOME=here.directory)

    def close(self):
        self.screen.terminate()
        self.screen.wait()

    def start_client(self, port, password):
        return subprocess.Popen([self.client, "/v:localhost:%d" % port, "/u:" + USER, "/d:" + DOMAIN, "/p:" + password,
                                 "/sec:nla", *self.options], env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")

    def meet(self, identity, protocol, password, proven=None):
        """What our server saw, and what the client said."""
        server = NlaServer(self.here, identity, protocol, proven=proven)
        client = self.start_client(server.port, password)
        timer = scene.end_after(client)
        outcome = server.result()
        if isinstance(outcome, tuple):
            # It waits for a desktop.
            client.terminate()
        said = client.communicate()[0]
        timer.cancel()
        return outcome, said

    def start_server(self):
        """(process, port) of a shadow server."""
        accounts = self.here.write("sam", "%s:%s::%s:::\n" % (USER, DOMAIN, NT_HASH))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen([self.server, "/port:%d" % port, "/bind-address:127.0.0.1", "/sec:nla",
                                   "/sam-file:" + accounts, "+auth"], env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(scene.PATIENCE * 10):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        return server, port


def ours(here, identity, other, client):
    """Both ends of ours."""
    for mech in ("spnego", "raw"):
        for protocol in VERSIONS:
            server = NlaServer(here, identity, protocol)
            why = client.log_in(server.port, mech, protocol)
            got = server.result()
            expected = (DOMAIN + "\\" + USER, CREDENTIALS)
            verdict("both ends, %s, version %d" % (mech, protocol), why or ("" if got == expected else str(got)))
    for label, how, words in (("wrong password", {"users": here.wrong}, "0xc000006d"),
                              ("the client's certificate is another", {"proven": other.public_key}, "left")):
        server = NlaServer(here, identity, 6)
        why = client.log_in(server.port, "spnego", 6, **how)
        verdict("both ends, " + label, "" if words in why and isinstance(server.result(), str) else why or "it went through")
    # A man in the middle answers with version 2, where no nonce takes part: the certificate counts nevertheless.
    server = NlaServer(here, identity, 2)
    why = client.log_in(server.port, "spnego", 6, proven=other.public_key)
    verdict("both ends, downgraded, and the client's certificate is another",
            "" if "another certificate" in str(server.result()) and why else why or "it went through")


def freerdp_client(freerdp, identity, other):
    expected = (DOMAIN + "\\" + USER, CREDENTIALS)
    for protocol in VERSIONS:
        got, said = freerdp.meet(identity, protocol, PASSWORD)
        verdict("FreeRDP's client, version %d" % protocol, "" if got == expected else "%s: %s" % (got, said[-400:]))
    got, said = freerdp.meet(identity, 6, "guess")
    verdict("FreeRDP's client, wrong password",
            "" if "logon failure" in str(got) and "LOGON_FAILURE" in said else "%s: %s" % (got, said[-400:]))
    got, said = freerdp.meet(identity, 6, PASSWORD, proven=other.public_key)
    verdict("FreeRDP's client, another certificate", "" if got == "another certificate" else "%s: %s" % (got, said[-400:]))


def freerdp_server(freerdp, client, here, other):
    server, port = freerdp.start_server()
    try:
        for protocol in VERSIONS:
            verdict("FreeRDP's server, version %d" % protocol, client.log_in(port, "raw", protocol))
        for label, how in (("wrong password", {"users": here.wrong}), ("another certificate", {"proven": other.public_key})):
            verdict("FreeRDP's server, " + label, "" if client.log_in(port, "raw", 6, **how) else "it went through")
    finally:
        server.terminate()
        server.wait()


def main():
    here = Scene()
    identity, other = Identity(here, "server"), Identity(here, "other")
    client = Client(here)
    ours(here, identity, other, client)
    present = [p for p, programs in FREERDP.items() if shutil.which(programs[0]) and shutil.which(programs[2])]
    if not present or not shutil.which("Xvfb"):
        skipped("RDP", "FreeRDP", "it is not installed, or Xvfb is not")
        print("SKIP FreeRDP or Xvfb is not installed")
        scene.finish()
    freerdp = FreeRdp(here, present[0])
    try:
        before = scene.failures
        freerdp_client(freerdp, identity, other)
        row("RDP", "FreeRDP's client", freerdp.version, "acceptor",
            "CredSSP versions 2 to 6; wrong password, another certificate", "fails" if scene.failures > before else "works")
        before = scene.failures
        freerdp_server(freerdp, client, here, other)
        row("RDP", "FreeRDP's shadow server", freerdp.version, "initiator",
            "CredSSP versions 2 to 6; wrong password, another certificate", "fails" if scene.failures > before else "works")
    finally:
        freerdp.close()
    scene.finish()


main()
