#!/usr/bin/python3
"""WinRM's encrypted messages with third-party NTLM at the other end, by gss_wrap and gss_wrap_iov in turn.

pywinrm, with the NTLM of requests-ntlm, opens a shell of ours and runs a command there. Our client talks to a server whose
NTLM and SPNEGO are those of test/hostile, and, where it is installed, pyspnego's.

Usage: winrm_peer.py    GSS_MECH_CONFIG names the module, and OPENSSL_CONF openssl-legacy.cnf.
PASS and FAIL lines; exit status 1 on any FAIL.
"""
import base64
import http.client
import importlib.util
import os
import sys

import ours
import rows
import web
import winrm_message
from ours import attempt, expect, gssapi

AREA = "WinRM"
WHO = "CORP\\alice"
try:
    import winrm
    import winrm.exceptions
except ImportError:
    winrm = None
try:
    import spnego
except ImportError:
    spnego = None

# Its module of the same name as pyspnego's gets another one.
HOSTILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hostile")
sys.path.append(HOSTILE)
import ntlm
found = importlib.util.spec_from_file_location("spnego_tokens", os.path.join(HOSTILE, "spnego.py"))
spnego_tokens = importlib.util.module_from_spec(found)
found.loader.exec_module(spnego_tokens)


def run_command(site, password=ours.PASSWORD):
    session = winrm.Session("http://localhost:%d/wsman" % site.port, auth=(WHO, password), transport="ntlm",
                            message_encryption="always")
    return session.run_cmd("whoami")


def its_client(site):
    done = run_command(site)
    expect(done.status_code == 0 and done.std_out.decode() == WHO + "\r\n", done.std_out)
    expect(site.logins[-1].user == WHO, site.logins)
    expect(site.sealed > 4, "the messages were not encrypted")


def its_client_refused(site):
    try:
        run_command(site, "guess")
    except winrm.exceptions.InvalidCredentialsError:
        expect("logon failure" in site.logins[-1].reason, site.logins[-1].reason)
        return
    raise AssertionError("it was accepted")


class CodecAcceptor:
    """A server by the codec of test/hostile: NTLM messages bare or inside SPNEGO."""

    def __init__(self, _):
        self.server = ntlm.Server()
        self.user = None
        self.mechs = None

    def step(self, token):
        if token.startswith(ntlm.SIGNATURE):
            return self._ntlm(token, mic=True)
        got = spnego_tokens.parse(token)
        self.mechs = got.get("mechs", self.mechs)
        # The one goes with the other; some libraries' SPNEGO cannot carry the mechListMIC.
        answer = self._ntlm(got["token"], mic="mic" in got)
        if answer is not None:
            return spnego_tokens.response(1, spnego_tokens.NTLM_OID, answer)
        if "mic" not in got:
            return spnego_tokens.response(0)
        session = self.server.session
        if not session.verify(self.mechs, got["mic"]):
            raise ValueError("the mechListMIC does not verify")
        session.restart(1)
        mic = session.mic(self.mechs)
        session.restart(0)
        return spnego_tokens.response(0, None, None, mic)

    def _ntlm(self, token, mic):
        if token[8] == 1:
            return self.server.challenge(token)
        try:
            self.server.check_authenticate(token, ours.USER, ours.DOMAIN, ours.PASSWORD, mic)
        except AssertionError as error:
            raise ValueError("refused: %s" % error) from error
        self.user = WHO
        return None

    def bound(self):
        return False

    def seal(self, text):
        token = self.server.session.wrap(text)
        return token[:winrm_message.SIGNATURE], token[winrm_message.SIGNATURE:]

    def open(self, signature, sealed):
        return self.server.session.unwrap(signature + sealed)


class SpnegoAcceptor:
    """pyspnego's NTLM, in Python throughout; it reads its accounts where the module does. Its SPNEGO waits for a
    mechListMIC, which the Kerberos libraries that come with it do not send."""

    def __init__(self, _):
        self.context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        self.user = None

    def step(self, token):
        try:
            answer = self.context.step(token)
        except spnego.exceptions.SpnegoError as error:
            raise ValueError("refused: %s" % error) from error
        if self.context.complete:
            self.user = self.context.client_principal
        return answer

    def bound(self):
        return False

    def seal(self, text):
        done = self.context.wrap_winrm(text)
        return done.header, done.data

    def open(self, signature, sealed):
        try:
            return self.context.unwrap_winrm(signature, sealed)
        except spnego.exceptions.SpnegoError as error:
            raise ValueError(str(error)) from error


class Client:
    """Ours: one connection, a login, and messages."""

    def __init__(self, site, mech, password=ours.PASSWORD):
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        name = gssapi.Name(WHO, gssapi.NameType.user)
        creds = gssapi.raw.acquire_cred_with_password(name, password.encode(), mechs=[mech], usage="initiate").creds
        target = gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service)
        flags = ours.INTEG | ours.CONF | ours.REPLAY
        self.context = gssapi.SecurityContext(name=target, creds=gssapi.Credentials(creds), usage="initiate", mech=mech,
                                              flags=flags)

    def ask(self, body, headers):
        self.connection.request("POST", "/wsman", body, headers)
        answer = self.connection.getresponse()
        return answer, answer.read()

    def log_in(self):
        token = None
        while True:
            token = self.context.step(token)
            headers = {"Authorization": "Negotiate " + base64.b64encode(token).decode()} if token else {}
            answer, _ = self.ask(b"", headers)
            scheme, _, token = answer.headers.get("WWW-Authenticate", "").partition(" ")
            token = base64.b64decode(token) if token and scheme == "Negotiate" else None
            if self.context.complete and not token or answer.status != 401:
                break
            expect(token, "refused with %d" % answer.status)
        if token:
            self.context.step(token)
        expect(answer.status == 200 and self.context.complete, "refused with %d" % answer.status)

    def message(self, text, iov):
        signature, sealed = winrm_message.seal(self.context, text, iov)
        answer, body = self.ask(winrm_message.pack(signature, sealed, len(text)),
                                {"Content-Type": winrm_message.CONTENT_TYPE})
        expect(answer.status == 200, "%d: %s" % (answer.status, body))
        signature, sealed, size = winrm_message.unpack(body)
        text = winrm_message.open_sealed(self.context, signature, sealed, iov)
        expect(len(text) == size, "the length")
        return text


REQUEST = (b'<e xmlns:a="urn:a"><a:Action>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive</a:Action>'
           b"<a:MessageID>%d</a:MessageID><Padding>%b</Padding></e>")


def our_client(site, mech):
    client = Client(site, mech)
    client.log_in()
    for number in range(12):
        text = client.message(REQUEST % (number, b"." * (number * 997)), iov=number % 2 == 0)
        said = text.partition(b">")[2]
        expect(b'CommandId="%d"' % number in said and base64.b64encode(WHO.encode() + b"\r\n") in said, text)
    expect(site.logins[-1].user == WHO, site.logins)


def our_client_refused(site, mech):
    client = Client(site, mech, "guess")
    try:
        client.log_in()
    except AssertionError as error:
        expect("401" in str(error), error)
        expect(site.logins[-1].user is None, site.logins)
        return
    raise AssertionError("it was accepted")


def damaged(site, mech):
    client = Client(site, mech)
    client.log_in()
    text = REQUEST % (1, b"")
    signature, sealed = winrm_message.seal(client.context, text, True)
    answer, _ = client.ask(winrm_message.pack(signature, sealed[:-1] + bytes([sealed[-1] ^ 1]), len(text)),
                           {"Content-Type": winrm_message.CONTENT_TYPE})
    expect(answer.status == 400, answer.status)


def at_server(label, acceptor, mechs):
    with web.Site(schemes=["Negotiate"], acceptor=acceptor) as site:
        for name, mech in mechs:
            attempt("our client at %s, %s" % (label, name), lambda m=mech: our_client(site, m))
            attempt("our client at %s, %s, wrong password" % (label, name), lambda m=mech: our_client_refused(site, m))
            attempt("our client at %s, %s, a message that was damaged on its way is refused" % (label, name),
                    lambda m=mech: damaged(site, m))


def main():
    workshop = ours.Workshop()
    mechs = (("bare NTLM", ours.NTLM), ("SPNEGO", web.SPNEGO))
    if winrm:
        for scheme in ("NTLM", "Negotiate"):
            with web.Site(schemes=[scheme]) as site:
                attempt("pywinrm runs a command, " + scheme, lambda s=site: its_client(s))
                attempt("pywinrm, %s, wrong password" % scheme, lambda s=site: its_client_refused(s))
        rows.row(AREA, "pywinrm", rows.version("python3-winrm"), "acceptor",
                 "message encryption; NTLM, and raw NTLM in Negotiate; gss_unwrap, gss_unwrap_iov, gss_wrap, "
                 "gss_wrap_iov", ours.result())
    else:
        print("SKIP python3-winrm is not installed")
        rows.skipped(AREA, "pywinrm", "it is not installed")
    at_server("a server of test/hostile", CodecAcceptor, mechs)
    rows.row(AREA, "the codec of test/hostile", "-", "initiator",
             "message encryption; Negotiate with raw NTLM and SPNEGO; gss_wrap, gss_wrap_iov, gss_unwrap, "
             "gss_unwrap_iov", ours.result())
    if spnego:
        at_server("pyspnego", SpnegoAcceptor, mechs[:1])
        rows.row(AREA, "pyspnego", rows.version("python3-pyspnego"), "initiator",
                 "message encryption; Negotiate with raw NTLM; gss_wrap, gss_wrap_iov, gss_unwrap, gss_unwrap_iov", ours.result())
    workshop.directory.cleanup()
    ours.finish()


main()
