#!/usr/bin/python3
"""libsoup 3, GNOME's HTTP: Negotiate through GSSAPI over TLS, and an NTLM of its own.

Usage: soup_peer.py    GSS_MECH_CONFIG names our registration. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import os
import subprocess
import sys

import ours
import rows
import web
from ours import attempt, expect

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "languages", "soup_client.py")
WHO = "CORP\\alice"
# It prefers Samba's ntlm_auth to its own NTLM, and begins its own in the connection where that one has failed, which no
# server can tell from an attack. So it does not find ntlm_auth.
HIDDEN = ("unshare", "-m", "sh", "-c", 'mount --bind /dev/null /usr/bin/ntlm_auth 2>/dev/null; exec "$@"', "hidden")


def ask(site, *arguments, users=None):
    env = dict(os.environ, **({"NTLM_USER_FILE": users} if users else {}))
    done = subprocess.run([*HIDDEN, "/usr/bin/python3", CLIENT, site.url, *arguments], env=env, check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return done.stdout.strip()


def negotiate(users=None):
    with web.Site(schemes=("Negotiate",), tls=True) as site:
        said = ask(site, "AuthNegotiate", users=users)
        expect(said == "200 user " + WHO, said)


def ntlm(password):
    with web.Site(schemes=("NTLM",)) as site:
        said = ask(site, "AuthNTLM", "user=" + WHO, "password=" + password)
        expect(said == "200 user " + WHO, said)


def main():
    version = rows.version("gir1.2-soup-3.0")
    if version == "-" or os.geteuid() != 0:
        why = "it is not installed" if version == "-" else "the test takes root"
        rows.skipped("HTTP", "libsoup", why)
        print("SKIP " + why)
        sys.exit(77)
    shop = ours.Workshop()
    wrong = os.path.join(shop.directory.name, "wrong")
    with open(wrong, "w", encoding="ascii") as file:
        file.write("CORP:alice:guess\n")
    attempt("libsoup, Negotiate", negotiate)
    attempt("libsoup, Negotiate, wrong password", lambda: negotiate(wrong), refused="too many times")
    attempt("libsoup, NTLM", lambda: ntlm(ours.PASSWORD))
    attempt("libsoup, NTLM, wrong password", lambda: ntlm("guess"), refused="401")
    rows.row("HTTP", "libsoup", version, "both",
             "Negotiate over TLS; its own NTLM; wrong password",
             ours.result())
    ours.finish()


main()
