#!/usr/bin/python3
"""Firefox, with its own NTLM and with the module as its GSSAPI mechanism, opens a page that shows its login.

Usage: firefox_peer.py    GSS_MECH_CONFIG names the module. PASS and FAIL lines; exit status 1 on any FAIL.

It is driven by Marionette, which it has built in: its own NTLM takes an account from nowhere but its dialog.
"""
import json
import os
import shutil
import socket
import sys
import time

import browser
import ours
import rows
import web
from ours import attempt, expect

PREFERENCES = {
    # Marionette takes a free port, and writes it down.
    "marionette.port": "0",
    "network.negotiate-auth.trusted-uris": '"localhost"',
    "network.negotiate-auth.allow-non-fqdn": "true",
    "network.auth.force-generic-ntlm": "true",
    "network.proxy.type": "0",
    "network.captive-portal-service.enabled": "false",
    "network.connectivity-service.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "app.normandy.enabled": "false",
    "app.update.enabled": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "toolkit.telemetry.reportingpolicy.firstRun": "false",
}
SESSION = {"unhandledPromptBehavior": "ignore", "pageLoadStrategy": "none", "acceptInsecureCerts": True}
# From now on: fills the first dialog in with the account, and cancels the others. It has to be there before any of
# them, for no script is taken while one is open.
DIALOGS = """
const account = [...arguments];
let answered = null;
window.setInterval(() => {
  const box = gBrowser.getTabDialogBox(gBrowser.selectedBrowser);
  const open = [...box.getTabDialogManager()._dialogs, ...box.getContentDialogManager()._dialogs];
  const page = open.length ? open[0]._frame.contentDocument : null;
  const user = page ? page.getElementById("loginTextbox") : null;
  if (!user) return;
  if (!account.length || answered && answered !== page) {
    page.querySelector("dialog").cancelDialog();
    return;
  }
  // Again and again until it is gone: the first time may be before it listens.
  answered = page;
  [user.value, page.getElementById("password1Textbox").value] = account;
  page.querySelector("dialog").acceptDialog();
}, 200);
"""
# The tab has another page before.
PAGE = """
const here = document.readyState == "complete" && document.URL.startsWith(arguments[0]);
return here ? document.body.textContent : "";
"""


def await_true(what, ask):
    end = time.monotonic() + browser.PATIENCE
    while time.monotonic() < end:
        got = ask()
        if got:
            return got
        time.sleep(0.2)
    raise RuntimeError("waited in vain for " + what)


class Marionette:
    def __init__(self, profile):
        path = os.path.join(profile, "MarionetteActivePort")

        def port():
            try:
                with open(path, encoding="ascii") as file:
                    return file.read().strip()
            except OSError:
                return ""
        number = int(await_true("Marionette", port))
        self.socket = socket.create_connection(("127.0.0.1", number), timeout=browser.PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.count = 0
        self._receive()
        self.send("WebDriver:NewSession", **SESSION)

    def close(self):
        self.lines.close()
        self.socket.close()

    def _receive(self):
        size = b""
        while not size.endswith(b":"):
            got = self.lines.read(1)
            expect(got, "Firefox hung up")
            size += got
        return json.loads(self.lines.read(int(size[:-1])))

    def send(self, command, **parameters):
        """(what went wrong, or None; the answer)."""
        self.count += 1
        message = json.dumps([0, self.count, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        return self._receive()[2:]

    def run(self, context, script, *arguments):
        """The answer of a script; None where it could not run, because a page is on its way or a dialog is open."""
        self.send("Marionette:SetContext", value=context)
        wrong, answer = self.send("WebDriver:ExecuteScript", script=script, args=arguments)
        return None if wrong else answer["value"]


def page(site, *account, users=None):
    """What the browser got to see."""
    def visit(home):
        profile = os.path.join(home, "profile")
        marionette = Marionette(profile)
        try:
            marionette.run("chrome", DIALOGS, *account)
            marionette.send("Marionette:SetContext", value="content")
            wrong, _ = marionette.send("WebDriver:Navigate", url=site.url)
            expect(not wrong, wrong)
            return await_true("the page", lambda: marionette.run("content", PAGE, site.url))
        finally:
            marionette.close()

    def command(home):
        profile = os.path.join(home, "profile")
        os.mkdir(profile)
        with open(os.path.join(profile, "user.js"), "w", encoding="ascii") as file:
            file.writelines('user_pref("%s", %s);\n' % pair for pair in PREFERENCES.items())
        return ["firefox-esr", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access",
                "--profile", profile]
    return browser.run(command, users, visit)


def let_in(site, *account, users=None):
    browser.shown(site, page(site, *account, users=users))
    expect(not site.logins[-1].bound, "the login is bound to the channel")


def refuse(site, reason, *account, users=None):
    browser.shown(site, page(site, *account, users=users), reason)


def main():
    if not shutil.which("firefox-esr"):
        rows.skipped("HTTP", "Firefox", "it is not installed")
        print("SKIP firefox-esr is not installed")
        sys.exit(77)
    version = rows.version("firefox-esr").replace("esr", "")
    workshop = ours.Workshop()
    right = browser.accounts(workshop, "right", ours.PASSWORD)
    wrong = browser.accounts(workshop, "wrong", "guess")
    own = browser.WHO, ours.PASSWORD
    with web.Site(schemes=["NTLM"]) as site:
        attempt("Firefox's own NTLM logs in", lambda: let_in(site, *own))
        attempt("Firefox's own NTLM, wrong password", lambda: refuse(site, "logon failure", browser.WHO, "guess"))
    with web.Site(schemes=["Negotiate"]) as site:
        attempt("Firefox's Negotiate through GSSAPI logs in", lambda: let_in(site, users=right))
        attempt("Firefox's Negotiate through GSSAPI, wrong password", lambda: refuse(site, "logon failure", users=wrong))
    with web.Site(schemes=["NTLM"], tls=True) as site:
        attempt("Firefox's own NTLM over TLS, without bindings, channel_bindings = accept",
                lambda: let_in(site, *own))
        site.schemes = ["Negotiate"]
        attempt("Firefox's Negotiate through GSSAPI over TLS, without bindings, channel_bindings = accept",
                lambda: let_in(site, users=right))
        workshop.policy(channel_bindings="require")
        attempt("Firefox's Negotiate through GSSAPI over TLS is refused, channel_bindings = require",
                lambda: refuse(site, "bindings", users=right))
    modes = "; TLS without channel bindings, which it does not support"
    rows.row("HTTP", "Firefox", version, "acceptor", "built-in NTLM" + modes, ours.result())
    rows.row("HTTP", "Firefox", version, "both", "Negotiate through GSSAPI" + modes, ours.result())
    ours.finish()


main()
