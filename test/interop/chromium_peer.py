#!/usr/bin/python3
"""Chromium, with its own NTLM and with the module as its GSSAPI mechanism, opens a page that shows its login.

Usage: chromium_peer.py    GSS_MECH_CONFIG names the module. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import json
import os
import shutil
import sys
import urllib.parse

import browser
import ours
import rows
import web
from ours import attempt, expect

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
         "--disable-background-networking", "--disable-sync", "--disable-extensions", "--ignore-certificate-errors",
         "--auth-server-allowlist=localhost", "--timeout=60000", "--dump-dom"]
# It loads a GSSAPI library from the second start on after it met a server that says Negotiate.
STATE = {"net": {"received_http_auth_negotiate_headers": True}}


def page(site, user=None, password=None, users=None):
    url = site.url
    if user:
        url = url.replace("://", "://%s:%s@" % (urllib.parse.quote(user), urllib.parse.quote(password)))

    def command(home):
        profile = os.path.join(home, "profile")
        os.mkdir(profile)
        with open(os.path.join(profile, "Local State"), "w", encoding="ascii") as file:
            json.dump(STATE, file)
        return ["chromium", *FLAGS, "--user-data-dir=" + profile, url]
    return browser.run(command, users)


def let_in(site, bound, **how):
    browser.shown(site, page(site, **how))
    expect(site.logins[-1].bound == bound, "bound: %s" % site.logins[-1].bound)


def refuse(site, reason, **how):
    browser.shown(site, page(site, **how), reason)


def main():
    if not shutil.which("chromium"):
        rows.skipped("HTTP", "Chromium", "it is not installed")
        print("SKIP chromium is not installed")
        sys.exit(77)
    version = rows.version("chromium").split(".")[0]
    workshop = ours.Workshop()
    right = browser.accounts(workshop, "right", ours.PASSWORD)
    wrong = browser.accounts(workshop, "wrong", "guess")
    own = {"user": browser.WHO, "password": ours.PASSWORD}
    with web.Site(schemes=["NTLM"]) as site:
        attempt("Chromium's own NTLM logs in", lambda: let_in(site, False, **own))
        attempt("Chromium's own NTLM, wrong password",
                lambda: refuse(site, "logon failure", user=browser.WHO, password="guess"))
    with web.Site(schemes=["Negotiate"]) as site:
        attempt("Chromium's Negotiate through GSSAPI logs in", lambda: let_in(site, False, users=right))
        attempt("Chromium's Negotiate through GSSAPI, wrong password", lambda: refuse(site, "logon failure", users=wrong))
    with web.Site(schemes=["Negotiate"], tls=True) as site:
        attempt("Chromium's Negotiate through GSSAPI over TLS, which gives no bindings, channel_bindings = accept",
                lambda: let_in(site, False, users=right))
        workshop.policy(channel_bindings="require")
        attempt("Chromium's Negotiate through GSSAPI over TLS is refused, channel_bindings = require",
                lambda: refuse(site, "bindings", users=right))
    with web.Site(schemes=["NTLM"], tls=True) as site:
        attempt("Chromium's own NTLM over TLS, channel_bindings = require", lambda: let_in(site, True, **own))
    rows.row("HTTP", "Chromium", version, "acceptor", "built-in NTLM; TLS with channel bindings", ours.result())
    rows.row("HTTP", "Chromium", version, "both",
             "Negotiate through GSSAPI; TLS, for which it passes no channel bindings to GSSAPI",
             ours.result())
    ours.finish()


main()
