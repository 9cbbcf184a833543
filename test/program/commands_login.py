"""gss-ntlm login, list and logout."""
import ctypes
import errno
import json
import os
import struct
import subprocess
import tempfile
import time

from commands import PROGRAM, ENV, at_terminal, expect, run

KEYCTL_JOIN_SESSION_KEYRING = 1
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)


def fresh_session():
    """A session keyring of this test alone; False where the kernel gives none."""
    if SYS_KEYCTL is None:
        return False
    return ctypes.CDLL(None).syscall(SYS_KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None) > 0


def test_login():
    if not fresh_session():
        print("this kernel or container has no keyrings; only the error is checked")
        _, err = run("login", "bob", "--stdin", stdin=b"pw\n", status=1)
        expect("keyring" in err, "the error speaks of the keyring")
        return
    _, err = run("list", status=1)
    expect("no logins" in err, "an empty list says so")
    code, shown = at_terminal(["login", "CORP\\alice", "--for", "HTTP@*.corp.example"],
                              [(b"Password for CORP\\alice: ", b"Passw0rd\n")])
    expect(code == 0, f"login at a terminal: {code} {shown}")
    expect(b"Passw0rd" not in shown, "the password is not echoed")
    run("login", "bob", "--stdin", "--lifetime", "90s", stdin=b"secret\nmore")
    run("login", "zoe", "--nt-hash", "a87f3a337d73085c45f9416be5787d86", "--for", "LDAP@dc1")
    out, _ = run("list")
    lines = [line.split("  ") for line in out.splitlines()]
    expect(len(lines) == 4, f"three logins: {out}")
    expect("CORP\\alice  HTTP@*.corp.example  session" in out and "7 h 59 min" in out or
           "8 h" in out, out)
    expect("1 min" in out, "time left of bob")
    expect("zoe" in out, "zoe")
    run("logout", "HTTP@*.corp.example")
    out, _ = run("list")
    expect("alice" not in out and "bob" in out, "logout PATTERN takes one away")
    _, err = run("login", "bob", "--stdin", stdin=b"pw\n")
    expect("bob has no domain; an account of a domain is 'DOMAIN\\bob'" in err, f"a name without a domain: {err}")
    run("logout", "stranger", status=1)
    run("logout", "x", "--all", status=2)
    run("logout", "--all")
    run("logout", "--all")
    run("list", status=1)


def states():
    out, _ = run("list", "--json")
    return {(j["domain"], j["user"], j["for"], j["state"]) for j in json.loads(out)}


def test_login_says():
    """What was stored and for whom; of two logins for the same targets the newer one counts."""
    if not fresh_session():
        return
    out, err = run("login", "CORP\\alice", "--stdin", "--for", "https://www.corp.example:8443/x?y", stdin=b"pw\r\n")
    expect("CORP\\alice is stored in the session keyring for HTTP@www.corp.example until 20" in out and
           "(8 h)" in out and "--keyring user" in out and not err, f"login says what it stored: {out} {err}")
    out, _ = run("login", "CORP\\bob", "--stdin", "--for", "HTTP@www.corp.example", stdin=b"pw\n")
    expect("It replaces the login of CORP\\alice for the same targets.\n" in out, out)
    expect(states() == {("CORP", "bob", "HTTP@www.corp.example", "valid")}, str(states()))
    out, _ = run("login", "CORP\\bob", "--stdin", "--for", "HTTP@www.corp.example", stdin=b"pw\n")
    expect("replaces" not in out, out)
    out, _ = run("login", "CORP\\carol", "--stdin", stdin=b"pw\n")
    expect("for any target until" in out and "replaces" not in out, out)
    for target, user in (("HTTP@www.corp.example", "bob"), ("https://www.corp.example/a", "bob"), ("LDAP@dc1", "carol"),
                         ("ldaps://dc1", "carol")):
        out, _ = run("list", "--target", target)
        used = [line for line in out.splitlines() if line.endswith("*")]
        expect(len(used) == 1 and user in used[0], f"the login for {target} is marked: {out}")
        out, _ = run("list", "--target", target, "--json")
        expect([j["user"] for j in json.loads(out) if j["used"]] == [user], out)
    run("logout", "*")
    _, err = run("list", "--target", "LDAP@dc1", status=1)
    expect("no login is stored for LDAP@dc1" in err, err)


def test_login_renewed():
    if not fresh_session():
        return
    run("login", "CORP\\bob", "--stdin", "--lifetime", "90s", stdin=b"pw\n")
    out, _ = run("login", "--renew", "--lifetime", "2h")
    expect("CORP\\bob is stored" in out and "(2 h)" in out, out)
    out, _ = run("list")
    expect("1 h 59 min" in out or "2 h" in out, out)
    run("login", "CORP\\alice", "--renew", status=1)
    _, err = run("login", "--renew", "--for", "LDAP@dc1", status=1)
    expect("no login is stored in the session keyring for LDAP@dc1" in err, err)
    run("login", "--renew", "--stdin", stdin=b"pw\n", status=2)
    run("login", "CORP\\gone", "--stdin", "--lifetime", "1s", "--for", "LDAP@dc1", stdin=b"pw\n")
    time.sleep(2.2)
    _, err = run("list")
    expect("1 login has expired; store it again" in err, f"an expired login is shown: {err}")


# Ends each call of keyctl(2) and add_key(2) with EPERM, as container engines do.
def forbid_keyrings():
    libc = ctypes.CDLL(None, use_errno=True)
    load, equal, give = 0x20, 0x15, 0x06
    calls = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[os.uname().machine]
    rules = [(load, 0, 0, 0)] + [(equal, len(calls) - 1 - i + 1, 0, call) for i, call in enumerate(calls)]
    rules += [(give, 0, 0, 0x7FFF0000), (give, 0, 0, 0x00050000 | errno.EPERM)]
    program = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    buffer = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]
    known = Filter(len(rules), ctypes.addressof(buffer))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(known), 0, 0) != 0:
        os._exit(77)


def test_keyrings_forbidden():
    """login, list, doctor and trace say the same where processes may not use keyrings."""
    if SYS_KEYCTL is None:
        return
    text = "this kernel or container does not let processes use keyrings; use a users file (NTLM_USER_FILE)"
    with tempfile.TemporaryDirectory() as directory:
        trace = os.path.join(directory, "trace")
        for command in (["login", "CORP\\bob", "--stdin"], ["list"], ["logout"], ["login", "--renew"], ["doctor"],
                        ["login", "CORP\\bob", "--stdin", "--keyring", "persistent"]):
            done = subprocess.run([PROGRAM, *command], input=b"pw\n", capture_output=True, check=False,
                                  env={**ENV, "GSS_NTLM_TRACE": trace, "GSS_MECH_CONFIG": "/dev/null"}, preexec_fn=forbid_keyrings)
            if done.returncode == 77:
                return
            said = done.stdout + done.stderr
            expect(text.encode() in said and b"the session keyring: this" not in said, f"{command} where keyrings are forbidden: {said}")
            expect(command[0] == "doctor" or done.returncode == 1, f"{command}: {done.returncode}")
        with open(trace, encoding="utf-8") as f:
            expect(text in f.read(), "the trace of an initiator")


def test_login_bad_input():
    have_keyring = fresh_session()
    for text, what in ((b"\n", "empty"), (b"", "no input"), (b"\xff\xfe\n", "not UTF-8"),
                       (b"a\0b\n", "NUL"), (b"a" * 65536 + b"\n", "65536 bytes")):
        _, err = run("login", "bob", "--stdin", stdin=text, status=1)
        expect(err.startswith("gss-ntlm: "), f"password {what}: {err}")
    run("login", "bob", "--nt-hash", "12", status=1)
    run("login", "bob", "--nt-hash", "x:" + "0" * 32, status=1)
    run("login", "bob", "--lifetime", "soon", "--stdin", stdin=b"x\n", status=2)
    run("login", "bob", "--for", "a;b", "--stdin", stdin=b"x\n", status=2)
    run("login", "bob\n", "--stdin", stdin=b"x\n", status=2)
    run("login", "bob", "--keyring", "mine", "--stdin", stdin=b"x\n", status=2)
    if not have_keyring:
        return
    code, _ = at_terminal(["login", "bob"], [(b"Password for bob: ", None)])
    expect(code != 0, "a terminal that closes at the prompt")
    code, shown = at_terminal(["login", "bob"], [(b"Password for bob: ", b"abc\x03")])
    expect(code == 1, f"Control-C at the prompt: {code} {shown}")
    done = subprocess.run(["setsid", PROGRAM, "login", "bob"], capture_output=True, check=False,
                          timeout=30, env=ENV, stdin=subprocess.DEVNULL)
    expect(done.returncode == 1 and b"--stdin" in done.stderr, "without a terminal")
    run("list", status=1)


def says_over_quota():
    """As another user. True also where that user cannot reach the program or has no keyring."""
    os.setgid(54321)
    os.setuid(54321)
    if not os.access(PROGRAM, os.X_OK) or not fresh_session():
        return True
    libc = ctypes.CDLL(None, use_errno=True)
    add_key = {"x86_64": 248, "aarch64": 217}[os.uname().machine]
    for i in range(100000):
        if libc.syscall(add_key, b"user", f"fill{i}".encode(), b"x" * 64, 64, -3) < 0:
            break
    done = subprocess.run([PROGRAM, "login", "bob", "--stdin"], input=b"pw\n",
                          capture_output=True, check=False, env=ENV)
    return done.returncode == 1 and b"quota" in done.stderr


def test_quota():
    """A keyring over quota is one clear error. Root's quota is another, so a user of no name."""
    if os.geteuid() != 0 or not fresh_session():
        return
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if says_over_quota() else 1)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    expect(status == 0, "a keyring over quota says so")
