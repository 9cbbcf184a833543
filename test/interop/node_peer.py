#!/usr/bin/python3
"""npm's httpntlm and axios-ntlm, which have an NTLM of their own, and kerberos, which calls GSSAPI.

Usage: node_peer.py DIRECTORY    GSS_MECH_CONFIG names the module. The packages are installed into DIRECTORY, of exactly
the versions in npm/package-lock.json, and kept there. PASS and FAIL lines; exit status 1 on any FAIL.
"""
import json
import os
import shutil
import subprocess
import sys

import ours
import rows
import web
from ours import attempt, expect

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm")
WHO = "CORP\\alice"
SERVICE = "HTTP@localhost"


def skip(why):
    print("SKIP " + why)
    for peer in ("axios-ntlm", "httpntlm", "kerberos (npm)"):
        rows.skipped("HTTP", peer, why)
    sys.exit(77)


def run(command, **how):
    return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **how)


def last(text):
    return " / ".join(text.strip().splitlines()[-3:])


def gyp():
    """The program that builds add-ons: Debian's, or the one that comes with npm."""
    if shutil.which("node-gyp"):
        return ["node-gyp"]
    root = run(["npm", "root", "-g"]).stdout.strip()
    path = os.path.join(root, "npm/node_modules/node-gyp/bin/node-gyp.js")
    return ["node", path] if os.path.exists(path) else []


def install(directory):
    """Why kerberos could not be built; empty if it was. Without the packages there is no test."""
    for name in ("node", "npm"):
        if not shutil.which(name):
            skip(name + " is not installed")
    os.makedirs(directory, exist_ok=True)
    wanted = {}
    for name in ("package.json", "package-lock.json"):
        with open(os.path.join(HERE, name), encoding="ascii") as file:
            wanted[name] = file.read()
    stamp = os.path.join(directory, "installed")
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == wanted["package-lock.json"]:
                return ""
        os.unlink(stamp)
    for name, text in wanted.items():
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(text)
    # No script of a package runs: kerberos' own would fetch a third-party binary.
    done = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory)
    if done.returncode:
        skip("npm could not install the packages: " + last(done.stdout))
    builder = gyp()
    if not builder:
        return "node-gyp is not installed"
    kerberos = os.path.join(directory, "node_modules/kerberos")
    done = run([*builder, "rebuild", "--nodedir=/usr"], cwd=kerberos)
    if done.returncode:
        return "it did not build: " + last(done.stdout)
    with open(stamp, "w", encoding="ascii") as file:
        file.write(wanted["package-lock.json"])
    return ""


class Node:
    def __init__(self, directory):
        self.directory = directory
        # The sanitizers' library is for what calls the module.
        self.plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        self.plain["NODE_PATH"] = os.path.join(directory, "node_modules")

    def version(self, package):
        with open(os.path.join(self.directory, "node_modules", package, "package.json"), encoding="utf-8") as file:
            return json.load(file)["version"]

    def command(self, *arguments):
        return ["node", os.path.join(HERE, "peers.js"), *arguments]

    def ask(self, *arguments):
        return run(self.command(*arguments), env=self.plain, timeout=120).stdout.strip()


def let_in(node, site, client, *account):
    got = node.ask(client, site.url, *account)
    expect(got == "200 user " + WHO, "%s; the server says: %s" % (got, site.logins))
    expect(site.logins[-1].user == WHO, site.logins)


def refuse(node, site, client, *account):
    got = node.ask(client, site.url, *account)
    expect(got.startswith("401"), got)
    expect(site.logins and site.logins[-1].user is None and "logon failure" in site.logins[-1].reason, site.logins)


def own_ntlm(node, client):
    with web.Site(schemes=["NTLM"]) as site:
        attempt(client + " logs in", lambda: let_in(node, site, client, "alice", "CORP", ours.PASSWORD))
        attempt(client + " logs in without a domain", lambda: let_in(node, site, client, "alice", "", ours.PASSWORD))
        attempt(client + ", wrong password", lambda: refuse(node, site, client, "alice", "CORP", "guess"))
        attempt(client + ", unknown user", lambda: refuse(node, site, client, "mallory", "CORP", ours.PASSWORD))
    rows.row("HTTP", client, node.version(client), "acceptor", "NTLM", ours.result())


def with_password(workshop, node, password):
    path = os.path.join(workshop.directory.name, "client")
    with open(path, "w", encoding="ascii") as file:
        file.write("CORP:alice:%s\n" % password)
    node.plain["NTLM_USER_FILE"] = path


def sealed(node, site):
    got = node.ask("kerberos", site.url, SERVICE)
    expect(got == "200 user %s, sealed %s" % (WHO, b"tpe\x01".hex()), "%s; the server says: %s" % (got, site.logins))
    expect(site.logins[-1].user == WHO, site.logins)


def kerberos(workshop, node):
    with web.Site(schemes=["Negotiate"]) as site:
        with_password(workshop, node, ours.PASSWORD)
        attempt("kerberos logs in, seals a message and opens the answer", lambda: sealed(node, site))
        with_password(workshop, node, "guess")
        attempt("kerberos, wrong password", lambda: refuse(node, site, "kerberos", SERVICE))
    # Its server asks for the user's name after the first token, whatever gss_accept_sec_context says.
    rows.row("HTTP", "kerberos (npm)", node.version("kerberos"), "initiator",
             "Negotiate with SPNEGO; sealed; not as acceptor, which supports only logins of one token", ours.result())


def main():
    directory = os.path.abspath(sys.argv[1])
    without = install(directory)
    workshop = ours.Workshop()
    node = Node(directory)
    for client in ("httpntlm", "axios-ntlm"):
        own_ntlm(node, client)
    if without:
        print("SKIP kerberos: " + without)
        rows.skipped("HTTP", "kerberos (npm)", without)
    else:
        kerberos(workshop, node)
    ours.finish()


main()
