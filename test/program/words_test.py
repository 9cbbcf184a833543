#!/usr/bin/python3
"""The words of gss-ntlm's command line: mistakes, help, other names, and what is printed as JSON.

Usage: words_test.py PROGRAM    PASS and FAIL lines; exit status 1 on any FAIL
"""
import json
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
ENV = {k: v for k, v in os.environ.items()
       if not k.startswith(("NTLM", "GSS_NTLM_", "NETBIOS_", "LM_COMPAT", "GSSNTLMSSP", "CREDENTIALS_"))}
failures = 0


def expect(good, what, why=""):
    global failures
    failures += not good
    print("%s %s%s" % ("PASS" if good else "FAIL", what, "" if good else ": " + str(why)[:600]))


def run(*words, status=0, env=None, stdin=b""):
    done = subprocess.run([PROGRAM, *words], input=stdin, capture_output=True, timeout=60, check=False, env={**ENV, **(env or {})})
    out, err = done.stdout.decode(), done.stderr.decode()
    expect(done.returncode == status, "status %d of '%s'" % (status, " ".join(words)), (done.returncode, out, err))
    return out, err


def check_mistakes():
    for words, said in (
            (["docter"], "gss-ntlm: there is no command docter; did you mean doctor?\n"),
            (["lgoin"], "gss-ntlm: there is no command lgoin; did you mean login?\n"),
            (["sett"], "gss-ntlm: there is no command sett; did you mean settings?\n"),
            (["user", "ad"], "gss-ntlm: there is no command user ad; did you mean user add?\n"),
            (["user", "dell", "x"], "gss-ntlm: there is no command user dell; did you mean user del?\n"),
            (["frobnicate"], "gss-ntlm: there is no command frobnicate; gss-ntlm --help lists them\n"),
            (["user", "frobnicate"], "gss-ntlm: there is no command user frobnicate; gss-ntlm user --help lists them\n"),
            (["x"], "gss-ntlm: there is no command x; gss-ntlm --help lists them\n"),
            (["help", "docter"], "gss-ntlm: there is no command docter; did you mean doctor?\n"),
            (["a\x1b[31mb" + "x" * 100], None)):
        out, err = run(*words, status=2)
        expect(not out and (said is None or err == said) and "\x1b" not in err, "what is said of " + " ".join(words)[:20], repr(err))


def check_help():
    for words in ([], ["doctor"], ["user"], ["user", "add"]):
        expect(run("help", *words) == run(*words, "--help"), "help " + " ".join(words))
    expect(run("help", "user", "rm") == run("user", "del", "--help"), "help of another name")
    expect("Usage: gss-ntlm decode" in run("help", "decode", "anything")[0], "help of a command with arguments")


def check_other_names(directory):
    users = os.path.join(directory, "users")
    file = ["--file", users]
    run("user", "create", *file, "--stdin", "D\\bob", stdin=b"secret\n")
    run("users", "add", *file, "--stdin", "D\\eve", stdin=b"secret\n")
    expect(run("user", "ls", *file)[0] == "D\\bob\tenabled\nD\\eve\tenabled\n", "user ls", run("user", "ls", *file))
    run("user", "lock", *file, "D\\eve")
    accounts = json.loads(run("user", "list", "--json", *file)[0])
    expect(accounts == [{"user": "bob", "domain": "D", "state": "enabled"}, {"user": "eve", "domain": "D", "state": "disabled"}],
           "user list --json", accounts)
    for name in ("rm", "remove"):
        run("user", name, *file, "D\\bob" if name == "rm" else "D\\eve")
    expect(json.loads(run("user", "list", "--json", *file)[0]) == [], "both are gone")
    # An argument is not a command.
    _, err = run("decode", "help", status=1)
    expect("no command" not in err, "help as an argument", err)
    expect(run("config", "--changed") == run("settings", "--changed"), "config")


def check_settings(directory):
    path = os.path.join(directory, "settings")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[policy]\n# a remark\nrequire_mic = yes\nallow_users = *\\bob,\n  CORP\\*\nmin_key_bits = 128\n[accounts]\nacceptor_users_file = /x\n")
    os.chmod(path, 0o600)
    env = {"GSS_NTLM_SETTINGS": path, "LM_COMPAT_LEVEL": "3", "NTLM_USER_FILE": "/u"}
    out, _ = run("settings", "--json", env=env)
    whole = json.loads(out)
    expect(whole["file"] == path, "the file", whole["file"])
    rows = {row["section"] + "." + row["name"]: row for row in whole["settings"]}
    for name, value, changed, origin in (
            ("policy.require_mic", "yes", True, path + " line 3"),
            ("policy.allow_users", "*\\bob, CORP\\*", True, path + " line 4"),
            ("policy.min_key_bits", "128", False, path + " line 6"),
            ("policy.accept_level", "3", True, "LM_COMPAT_LEVEL"),
            ("policy.send_level", "3", False, "LM_COMPAT_LEVEL"),
            ("accounts.users_file", "/u", True, "NTLM_USER_FILE"),
            ("accounts.acceptor_users_file", "", False, "NTLM_USER_FILE"),
            ("policy.require_ess", "yes", False, "default"),
            ("trace.file", "", False, "default")):
        row = rows.get(name, {})
        expect((row.get("value"), row.get("changed"), row.get("origin")) == (value, changed, origin), name, row)
    expect(rows["names.dns_computer"]["origin"] == "host name", "the host's name", rows["names.dns_computer"])
    out, _ = run("settings", "--origin", "--changed", env=env)
    expect("# %s line 3\npolicy.require_mic = yes\n" % path in out and "require_ess" not in out, "--origin --changed", out)
    expect("# default\npolicy.require_ess = yes\n" in run("settings", "--origin")[0], "--origin of a default")
    credentials = os.path.join(directory, "credentials")
    os.mkdir(credentials)
    with open(os.path.join(credentials, "ntlm-users"), "w", encoding="utf-8"):
        pass
    out, _ = run("settings", "--origin", env={"CREDENTIALS_DIRECTORY": credentials})
    expect("# CREDENTIALS_DIRECTORY\naccounts.users_file = " in out, "a file that systemd hands over", out[-900:])


def check_logins():
    out, err = run("list", "--json", status=1)
    if out:
        expect(json.loads(out) == [], "list --json without logins", out)
    else:
        expect("keyring" in err, "list --json without keyrings", err)


def main():
    check_mistakes()
    check_help()
    with tempfile.TemporaryDirectory() as directory:
        check_other_names(directory)
        check_settings(directory)
    check_logins()
    return 1 if failures else 0


sys.exit(main())
