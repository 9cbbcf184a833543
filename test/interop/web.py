"""A web server on loopback whose users log in with NTLM: Negotiate and the bare scheme, as an origin or as a proxy,
with TLS and channel bindings, and WinRM's encrypted messages. Importing it needs what ours.py needs.

    with Site() as site:               http://localhost:PORT/ and https:// with a certificate of its own
        ...                            site.url, site.certificate (PEM file), site.logins

`logins` has a Login for each AUTHENTICATE that came; one that was refused has no user, and the reason.
`sealed` counts encrypted answers of /wsman; /turned-round answers a wrapped message with its text backwards.
"""
import base64
import collections
import hashlib
import http.server
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import ours
from ours import gssapi
from ours import GSSError

import winrm_message

raw = gssapi.raw
Login = collections.namedtuple("Login", "user scheme bound reason")
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")


class OurAcceptor:
    """The module at the server's end of one connection."""

    def __init__(self, bindings=None):
        bindings = bindings and raw.ChannelBindings(application_data=bindings)
        self.context = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept", mechs=[ours.NTLM, SPNEGO]),
                                              usage="accept", channel_bindings=bindings)
        self.user = None
        self.iov = False

    def step(self, token):
        """The answer, or None; ValueError with the reason of a refusal."""
        try:
            answer = self.context.step(token)
            # Where a refusal came with a token, it is this that raises it.
            complete = self.context.complete
        except GSSError as error:
            raise ValueError(str(error)) from error
        if complete:
            self.user = str(self.context.initiator_name)
        return answer

    def bound(self):
        """Whether the client proved the bindings."""
        got = raw.get_name_attribute(self.context.initiator_name, b"urn:gss-ntlm:channel-bound")
        return got.values == [b"1"]

    def seal(self, text):
        """(signature, sealed text), as gss_wrap and gss_wrap_iov make them in turn."""
        self.iov = not self.iov
        return winrm_message.seal(self.context, text, self.iov)

    def open(self, signature, sealed):
        self.iov = not self.iov
        return winrm_message.open_sealed(self.context, signature, sealed, self.iov)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is not worth a word; the rest is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Site:
    """Switches: `schemes` that are offered, `proxy` for 407 in place of 401, `tls`, `bind` whether the server gives
    its bindings to the mechanism, `acceptor` what makes the other end of a connection."""

    def __init__(self, schemes=("Negotiate", "NTLM"), proxy=False, tls=False, bind=True, acceptor=OurAcceptor):
        self.schemes, self.proxy, self.tls, self.acceptor = schemes, proxy, tls, acceptor
        self.logins = []
        self.sealed = 0
        self.bindings = None
        self.directory = tempfile.TemporaryDirectory()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.site = self
        self.port = self.server.server_address[1]
        self.certificate = os.path.join(self.directory.name, "certificate.pem")
        if tls:
            self._secure(bind)
        self.url = "%s://localhost:%d/" % ("https" if tls else "http", self.port)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def _secure(self, bind):
        key = os.path.join(self.directory.name, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-sha256",
                        "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        if bind:
            with open(self.certificate, encoding="ascii") as file:
                der = ssl.PEM_cert_to_DER_cert(file.read())
            self.bindings = b"tls-server-end-point:" + hashlib.sha256(der).digest()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.directory.cleanup()


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection: the login is the connection's."""
    protocol_version = "HTTP/1.1"
    # A client that sends half a request is not waited for.
    timeout = 60

    def setup(self):
        super().setup()
        self.site = self.server.site
        self.end = None

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, headers=()):
        ask = "Proxy-Authenticate" if self.site.proxy else "WWW-Authenticate"
        self.answer(407 if self.site.proxy else 401, b"no login\n",
                    [(ask, value) for value in headers or self.site.schemes])

    def login(self):
        """Whether the connection has a user now; what it has not, was answered."""
        header = self.headers.get("Proxy-Authorization" if self.site.proxy else "Authorization")
        if header is None:
            if self.end and self.end.user:
                return True
            self.refuse()
            return False
        scheme, _, token = header.partition(" ")
        if scheme not in self.site.schemes:
            self.refuse()
            return False
        if self.end is None or self.end.user:
            self.end = self.site.acceptor(self.site.bindings)
        try:
            token = self.end.step(base64.b64decode(token))
        except ValueError as error:
            self.site.logins.append(Login(None, scheme, False, str(error)))
            self.end = None
            self.refuse()
            return False
        self.granted = scheme + " " + base64.b64encode(token).decode() if token else ""
        if not self.end.user:
            self.refuse([self.granted])
            return False
        self.site.logins.append(Login(self.end.user, scheme, self.end.bound(), ""))
        return True

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.granted = ""
        if not self.login():
            return
        headers = []
        if self.granted:
            headers.append(("Proxy-Authenticate" if self.site.proxy else "WWW-Authenticate", self.granted))
        path = urllib.parse.urlsplit(self.path).path
        if path == "/turned-round":
            text = self.end.context.unwrap(body)
            self.answer(200, self.end.context.wrap(text.message[::-1], text.encrypted).message, headers)
        elif path == "/wsman":
            status, body, kind = winrm_message.serve(self.end, self.headers.get("Content-Type", ""), body)
            self.site.sealed += kind == winrm_message.CONTENT_TYPE
            headers.append(("Content-Type", kind))
            self.answer(status, body, headers)
        else:
            self.answer(200, b"user " + self.end.user.encode() + b"\n", headers)

    do_GET = do_POST = handle_request
