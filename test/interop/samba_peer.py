#!/usr/bin/python3
"""Samba's NTLMSSP (gensec, through python3-samba) against ours.

Its client logs in to our acceptor with NTLMv2, NTLMv1 with and without extended session security, LM, LM_KEY,
with 128, 56 and 40 bits, signing, sealing, OEM strings and anonymous. Its server, which needs no account
database for anonymous clients, accepts our anonymous initiator.
"""
import os
import sys
import tempfile

import ours
import rows
from ours import DOMAIN, OPEN, PASSWORD, USER

SCRATCH = tempfile.TemporaryDirectory()
# Samba's Kerberos library takes a file only.
os.environ["KRB5_CONFIG"] = os.path.join(SCRATCH.name, "krb5.conf")
with open(os.environ["KRB5_CONFIG"], "w", encoding="ascii"):
    pass
# The sanitizers' run-time library refuses deep binding.
os.environ["LDB_MODULES_DISABLE_DEEPBIND"] = "1"

try:
    import samba.param
    from samba import NTSTATUSError, auth, gensec
    from samba.credentials import Credentials
except ImportError:
    rows.skipped("SSPI family", "Samba's gensec", "python3-samba is not installed")
    print("SKIP python3-samba is not installed")
    sys.exit(77)


def loadparm(**options):
    """Samba's settings: none of the host's, private directories, and options with __ for a colon."""
    path = os.path.join(SCRATCH.name, "smb.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write("[global]\nnetbios name = PEER\nworkgroup = %s\n" % DOMAIN)
        for name in ("private", "lock", "state", "cache", "pid"):
            f.write("%s directory = %s\n" % (name, SCRATCH.name))
        f.write("allow trusted domains = no\n")
    lp = samba.param.LoadParm()
    lp.load(path)
    for name, value in options.items():
        lp.set(name.replace("__", ":").replace("_", " "), value)
    return lp


def its_client(lp, features, user=USER, password=PASSWORD):
    client = gensec.Security.start_client({"lp_ctx": lp, "target_hostname": "server"})
    creds = Credentials()
    creds.guess(lp)
    if user:
        creds.set_username(user)
        creds.set_password(password)
        creds.set_domain(DOMAIN)
    else:
        creds.set_anonymous()
    client.set_credentials(creds)
    for feature in features:
        client.want_feature(feature)
    client.start_mech_by_name("ntlmssp")
    return client


def converse(context, gensec_context, sealing):
    for number in range(20):
        text = b"message %d" % number + b"." * (number * 37)
        if sealing:
            ours.expect(context.unwrap(gensec_context.wrap(text)).message == text, "our unwrap")
            ours.expect(gensec_context.unwrap(context.wrap(text, True).message) == text, "our wrap")
        context.verify_signature(text, gensec_context.sign_packet(text, text))
        gensec_context.check_packet(text, text, context.get_signature(text))


def log_in(features=(gensec.FEATURE_SIGN, gensec.FEATURE_SEAL), user=USER, password=PASSWORD, **options):
    """Samba's client at our acceptor."""
    lp = loadparm(**options)
    client = its_client(lp, (*features, gensec.FEATURE_SESSION_KEY), user, password)
    acceptor = ours.acceptor()
    _, token = client.update(b"")
    token = acceptor.step(token)
    _, token = client.update(token)
    acceptor.step(token)
    ours.expect(acceptor.complete, "the context is not open")
    if not user:
        ours.expect(str(acceptor.initiator_name) == "ANONYMOUS LOGON", "who it is")
        return
    ours.expect(str(acceptor.initiator_name) == DOMAIN + "\\" + USER, "who it is")
    ours.expect(ours.session_key(acceptor) == client.session_key(), "the keys differ")
    if features:
        converse(acceptor, client, gensec.FEATURE_SEAL in features)


def serve_nobody():
    """Our anonymous initiator at Samba's acceptor."""
    lp = loadparm()
    server = gensec.Security.start_server({"lp_ctx": lp, "target_hostname": "server"},
                                          auth.AuthContext(lp_ctx=lp, methods=["anonymous"]))
    creds = Credentials()
    creds.guess(lp)
    creds.set_anonymous()
    server.set_credentials(creds)
    server.start_mech_by_name("ntlmssp")
    initiator = ours.anonymous_initiator()
    _, token = server.update(initiator.step())
    finished, _ = server.update(initiator.step(token))
    ours.expect(finished and initiator.complete, "the context is not open")
    ours.expect(server.session_info() is not None, "no session")


def attempt(label, run, refused=None):
    def guarded():
        try:
            run()
        except NTSTATUSError as error:
            raise RuntimeError("samba says " + error.args[1]) from error
    ours.attempt(label, guarded, refused)


def main():
    workshop = ours.Workshop()
    v1 = {"client_ntlmv2_auth": "no"}
    lm = {"client_ntlmv2_auth": "no", "client_lanman_auth": "yes", "ntlmssp_client__ntlm2": "no",
          "ntlmssp_client__allow_lm_response": "yes"}
    attempt("samba's client, NTLMv2, default policy", log_in)
    attempt("samba's client, NTLMv2, signing only", lambda: log_in((gensec.FEATURE_SIGN,)))
    attempt("samba's client, NTLMv2, no protection", lambda: log_in(()))
    attempt("samba's client, wrong password", lambda: log_in(password="guess"), refused="logon failure")
    attempt("samba's client, NTLMv1, default policy", lambda: log_in(**v1), refused="version of NTLM")
    attempt("samba's client, anonymous, default policy", lambda: log_in((), user=""), refused="anonymous")
    workshop.policy(**dict(OPEN, allow_anonymous="yes", code_page="850"))
    attempt("samba's client, anonymous", lambda: log_in((), user=""))
    attempt("our initiator, anonymous, at samba's server", serve_nobody)
    bits = {"128 bits": {}, "56 bits": {"ntlmssp_client__128bit": "no"},
            "40 bits": {"ntlmssp_client__128bit": "no", "ntlmssp_client__56bit": "no"}}
    forms = {"with ESS": {}, "without ESS": {"ntlmssp_client__ntlm2": "no"}}
    protections = {"sealing": (gensec.FEATURE_SIGN, gensec.FEATURE_SEAL), "signing": (gensec.FEATURE_SIGN,),
                   "neither": ()}
    for version, chosen in (("NTLMv2", {}), ("NTLMv1", v1)):
        for form, how in forms.items():
            for label, strength in bits.items():
                for exchange in ("yes", "no"):
                    for protection, features in protections.items():
                        attempt("samba's client, %s %s, %s, key exchange: %s, %s" % (
                            version, form, label, exchange, protection),
                                lambda a=(chosen, how, strength), e=exchange, f=features: log_in(
                                    f, ntlmssp_client__keyexchange=e, **{**a[0], **a[1], **a[2]}))
    attempt("samba's client, LM and NTLMv1", lambda: log_in(**lm))
    for label, strength in bits.items():
        attempt("samba's client, LM_KEY, " + label,
                lambda s=strength: log_in(**{**lm, "ntlmssp_client__lm_key": "yes",
                                             "ntlmssp_client__allow_lm_key": "yes", **s}))
    attempt("samba's client, OEM strings", lambda: log_in(**{"ntlmssp_client__unicode": "no"}))
    rows.row("SSPI family", "Samba's gensec", rows.version("python3-samba"), "both",
        "raw: NTLMv2, and NTLMv1, LM and LM_KEY if policy accepts them; 128, 56 and 40 bits, sealed, signed, "
        "unprotected, MIC; wrong password; anonymous in both roles", "fails" if ours.failures else "works")
    ours.finish()


main()
