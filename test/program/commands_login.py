"""gss-ntlm login, list and logout."""
import ctypes
import os
import subprocess

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
    run("logout", "stranger", status=1)
    run("logout", "x", "--all", status=2)
    run("logout", "--all")
    run("logout", "--all")
    run("list", status=1)


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
