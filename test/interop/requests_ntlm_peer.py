#!/usr/bin/python3
"""python3-requests-ntlm, an NTLM of its own, at a web server that asks for the login of the module: the bare scheme
and NTLM messages under Negotiate, as an origin and as a proxy, over TLS with channel bindings and without.

Usage: requests_ntlm_peer.py    GSS_MECH_CONFIG names the module, and OPENSSL_CONF openssl-legacy.cnf.
PASS and FAIL lines; exit status 1 on any FAIL.
"""
import sys

import ours
import rows
import web
from ours import attempt, expect

try:
    import requests
    from requests_ntlm import HttpNtlmAuth
except ImportError:
    rows.skipped("HTTP", "python3-requests-ntlm", "it is not installed")
    print("SKIP python3-requests-ntlm is not installed")
    sys.exit(77)

WHO = "CORP\\alice"


def get(site, user=WHO, password=ours.PASSWORD, bindings=True):
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HttpNtlmAuth(user, password, send_cbt=bindings)
        if site.proxy:
            session.proxies = {"http": site.url}
            return session.get("http://origin.example/", timeout=60)
        return session.get(site.url, verify=site.certificate if site.tls else None, timeout=60)


def let_in(site, bound=False, scheme="NTLM", **how):
    answer = get(site, **how)
    expect(answer.status_code == 200, "%d, and the server says: %s" % (answer.status_code, site.logins))
    expect(answer.text == "user %s\n" % WHO, answer.text)
    expect(site.logins[-1] == (WHO, scheme, bound, ""), site.logins)


def refuse(site, reason, **how):
    answer = get(site, **how)
    expect(answer.status_code == (407 if site.proxy else 401), answer.status_code)
    expect(site.logins and site.logins[-1].user is None, "no login was tried")
    expect(reason in site.logins[-1].reason, site.logins[-1].reason)


def main():
    workshop = ours.Workshop()
    with web.Site() as site:
        attempt("requests-ntlm logs in", lambda: let_in(site))
        attempt("requests-ntlm logs in without a domain", lambda: let_in(site, user="alice"))
        attempt("requests-ntlm, wrong password", lambda: refuse(site, "logon failure", password="guess"))
        attempt("requests-ntlm, unknown user", lambda: refuse(site, "logon failure", user="CORP\\mallory"))
    with web.Site(schemes=["Negotiate"]) as site:
        attempt("requests-ntlm, under Negotiate, logs in", lambda: let_in(site, scheme="Negotiate"))
        attempt("requests-ntlm, under Negotiate, wrong password", lambda: refuse(site, "logon failure", password="guess"))
    with web.Site(proxy=True) as site:
        attempt("requests-ntlm logs in at a proxy", lambda: let_in(site))
        attempt("requests-ntlm at a proxy, wrong password", lambda: refuse(site, "logon failure", password="guess"))
    for policy in ("accept", "require"):
        workshop.policy(channel_bindings=policy)
        with web.Site(tls=True) as site:
            at = ", channel_bindings = " + policy
            attempt("requests-ntlm over TLS, bindings" + at, lambda: let_in(site, bound=True))
            attempt("requests-ntlm over TLS, bindings, wrong password" + at,
                    lambda: refuse(site, "logon failure", password="guess"))
            if policy == "accept":
                attempt("requests-ntlm over TLS, no bindings" + at, lambda: let_in(site, bindings=False))
            else:
                attempt("requests-ntlm over TLS, no bindings, is refused" + at,
                        lambda: refuse(site, "bindings", bindings=False))
            site.bindings = b"tls-server-end-point:" + bytes(32)
            attempt("requests-ntlm over TLS, bindings of another certificate, is refused" + at,
                    lambda: refuse(site, "bindings"))
    rows.row("HTTP", "python3-requests-ntlm", rows.version("python3-requests-ntlm"), "acceptor",
             "NTLM, and raw NTLM in Negotiate; origin and proxy; TLS with channel bindings (accept, require)",
             ours.result())
    ours.finish()


main()
