#!/usr/bin/env python3
"""Runs the commands of gss-ntlm as a person would, in a terminal where that matters.

usage: commands_test.py PROGRAM EXAMPLE_FILE MODULE VECTORS
"""
import ctypes
import json
import os
import pty
import random
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(sys.argv[1])
EXAMPLE = os.path.abspath(sys.argv[2])
MODULE = os.path.abspath(sys.argv[3])
VECTORS = os.path.abspath(sys.argv[4])
failures = 0
checks = 0


def expect(condition, what):
    global failures, checks
    checks += 1
    if not condition:
        failures += 1
        print("FAIL", what)


def run(*arguments, stdin=b"", env=None, status=0, cwd=None):
    """Runs the program; returns what it printed and complained."""
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, check=False,
                          timeout=120, env={**ENV, **(env or {})}, cwd=cwd)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    expect(done.returncode == status,
           f"{' '.join(map(str, arguments))[:80]}: status {done.returncode}, not {status}: {err}")
    return out, err


def at_terminal(arguments, answers, env=None):
    """Runs the program in a terminal; types each answer when its prompt has come. Returns the exit
    status and what the terminal showed. An answer None hangs up."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({**ENV, **(env or {})})
        os.execv(PROGRAM, [PROGRAM, *arguments])
    shown = b""
    status = None
    deadline = time.monotonic() + 30

    def read_until(text):
        nonlocal shown, status
        start = len(shown)
        while text is None or text not in shown[start:]:
            ready, _, _ = select.select([terminal], [], [], 0.05)
            try:
                piece = os.read(terminal, 4096) if ready else b""
            except OSError:
                piece = b""
            shown += piece
            if not piece and status is None:
                pid_done, ended = os.waitpid(pid, os.WNOHANG)
                status = ended if pid_done else None
            elif not piece:
                return
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline_passed.append(arguments)
                return

    deadline_passed = []
    hung_up = False
    for prompt, answer in answers:
        read_until(prompt)
        if answer is None:
            os.close(terminal)
            hung_up = True
            break
        time.sleep(0.05)
        os.write(terminal, answer)
    if not hung_up:
        read_until(None)
        os.close(terminal)
    expect(not deadline_passed, f"in time: {arguments} {shown}")
    if status is None:
        _, status = os.waitpid(pid, 0)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    return code, shown


KEYCTL_JOIN_SESSION_KEYRING = 1
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)


def fresh_session():
    """A session keyring of this test alone; False where the kernel gives none."""
    if SYS_KEYCTL is None:
        return False
    return ctypes.CDLL(None).syscall(SYS_KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None) > 0


def test_help():
    out, _ = run("--help")
    for command in ("login", "list", "logout", "user", "decode", "doctor", "settings", "winbind"):
        expect(command in out, f"--help names {command}")
        text, _ = run(command, "--help")
        expect("Example:" in text, f"{command} --help has an example")
    for command in ("add", "passwd", "del", "enable", "disable", "list", "import"):
        text, _ = run("user", command, "--help")
        expect("Example:" in text, f"user {command} --help has an example")
    out, _ = run("--version")
    expect(out.startswith("gss-ntlm "), "--version")
    run("nonsense", status=2)
    run("login", "--nonsense", status=2)
    run(status=2)


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


def test_users(directory):
    path = os.path.join(directory, "users")
    run("user", "add", "--file", path, "CORP\\alice", "--stdin", stdin=b"Passw0rd\n")
    expect(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "a new file is 0600")
    code, shown = at_terminal(["user", "add", "--file", path, "bob"],
                              [(b"New password for bob: ", b"one\n"), (b"again): ", b"two\n")])
    expect(code == 1 and b"differ" in shown, "two different passwords")
    code, shown = at_terminal(["user", "add", "--file", path, "bob"],
                              [(b"New password for bob: ", b"one\n"), (b"again): ", b"one\n")])
    expect(code == 0, f"add at a terminal: {shown}")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    expect("Passw0rd" not in text and "A87F3A337D73085C45F9416BE5787D86" in text, "hashes only")
    run("user", "add", "--file", path, "corp\\ALICE", "--stdin", stdin=b"x\n", status=1)
    run("user", "passwd", "--file", path, "stranger", "--stdin", stdin=b"x\n", status=1)
    run("user", "passwd", "--file", path, "bob", "--stdin", stdin=b"\n", status=1)
    run("user", "passwd", "--file", path, "bob", "--nt-hash", "aad3b435b51404eeaad3b435b51404ee:" + "0" * 32)
    run("user", "disable", "--file", path, "bob")
    out, _ = run("user", "list", env={"NTLM_USER_FILE": path})
    expect(out == "CORP\\alice\tenabled\nbob\tdisabled\n", out)
    run("user", "enable", "--file", path, "bob")
    run("user", "del", "--file", path, "bob")
    run("user", "del", "--file", path, "bob", status=1)
    out, _ = run("user", "list", "--file", path)
    expect(out == "CORP\\alice\tenabled\n", out)
    run("user", "list", status=2, env={"NTLM_USER_FILE": ""})
    settings = os.path.join(directory, "named-in-settings")
    with open(settings, "w", encoding="utf-8") as f:
        f.write("[accounts]\nusers_file = %s\n" % path)
    out, _ = run("user", "list", env={"GSS_NTLM_SETTINGS": settings})
    expect(out == "CORP\\alice\tenabled\n", out)
    for account in ("CORP\\alice", "corp\\ALICE", "alice"):
        out, _ = run("user", "check", "--file", path, account, "--stdin", stdin=b"Passw0rd\n")
        expect("the password is right" in out, f"a password that is right: {out}")
    for account, password, words in (("CORP\\alice", b"passw0rd\n", "another password"),
                                     ("CORP\\bob", b"Passw0rd\n", "has no account")):
        _, err = run("user", "check", "--file", path, account, "--stdin", stdin=password, status=1)
        expect(words in err and path in err, f"a password that is wrong: {err}")
    run("user", "disable", "--file", path, "CORP\\alice")
    _, err = run("user", "check", "--file", path, "CORP\\alice", "--stdin", stdin=b"Passw0rd\n", status=1)
    expect("disabled" in err, f"a disabled account: {err}")
    run("user", "enable", "--file", path, "CORP\\alice")
    empty = os.path.join(directory, "empty")
    with open(empty, "w", encoding="utf-8") as f:
        f.write("D:unset:\nD\\hash:1:%s:31D6CFE0D16AE931B73C59D7E0C089C0:[U]:\n" % ("X" * 32))
    os.chmod(empty, 0o600)
    out, _ = run("user", "list", "--file", empty)
    expect(out.count("empty password: rejected; run gss-ntlm user passwd\n") == 2, f"empty passwords are marked: {out}")
    clear = os.path.join(directory, "clear")
    with open(clear, "w", encoding="utf-8") as f:
        f.write("# old\nD:carol:p:w\n:dave@realm:pw\n")
    out, _ = run("user", "import", "--from", clear, "--file", path)
    expect(out == "D\\carol\tadded\ndave@realm\tadded\n2 accounts\n", out)
    out, _ = run("user", "list", "--file", path)
    expect("D\\carol\tenabled" in out and "dave@realm\tenabled" in out, out)
    run("user", "import", "--file", clear)
    with open(clear, encoding="utf-8") as f:
        expect("p:w" not in f.read(), "import hashes in place")


HASHES = (":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:",
          ":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:00112233445566778899AABBCCDDEEFF:")


def write_users(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def test_import(directory):
    """Flags and first entries survive an import, which says what it did with each entry."""
    first, second = HASHES
    old, path = os.path.join(directory, "old"), os.path.join(directory, "users")
    write_users(old, f"dan:7{first}[DU]:LCT-0:\nDAN:7{second}[U]:LCT-0:\nlea:8{first}[LU]:LCT-0:\n"
                     f"nan:9{first}[NU]:LCT-0:\nann:1{first}[U]:LCT-0:\nann:1{second}[U]:LCT-0:\n"
                     f"zoe:3{first}[U]:LCT-0:\n")
    write_users(path, f"zoe:5{second}[DU]:LCT-0:\n")
    out, _ = run("user", "import", "--from", old, "--file", path)
    said = [line.split("\t")[-1].split(":")[0] for line in out.splitlines()]
    expect(said == ["added, disabled as it was", "left out", "added, disabled as it was",
                    "added, disabled as it was", "added", "left out", "left as it is", "4 accounts"], out)
    out, _ = run("user", "list", "--file", path)
    expect(out == "zoe\tdisabled\ndan\tdisabled\nlea\tdisabled\nnan\tdisabled\nann\tenabled\n", out)
    with open(path, encoding="utf-8") as f:
        expect(f"\nann:1{first}[U" in f.read(), "the first of two passwords is kept")
    write_users(old, "D:a\\b:pw\n:carol:pw\n")
    out, _ = run("user", "import", "--from", old, "--file", path, status=1)
    expect("not imported" in out and "1 account\n" in out, out)


def test_duplicates(directory):
    """A command changes all entries of an account, or says why not."""
    first, second = HASHES
    path = os.path.join(directory, "users")
    write_users(path, f"bob:1{first}[U]:LCT-0:\nBob:1{second}[LU]:LCT-0:\n:zoe:pw\nnan:1{first}[NU]:LCT-0:\n")
    run("user", "disable", "--file", path, "bob")
    out, _ = run("user", "list", "--file", path)
    expect(out.count("\tdisabled\n") == 3, out)
    run("user", "enable", "--file", path, "bob")
    out, _ = run("user", "list", "--file", path)
    expect(out.startswith("bob\tenabled\nBob\tenabled\n"), out)
    _, err = run("user", "enable", "--file", path, "nan", status=1)
    expect("user passwd" in err, err)
    _, err = run("user", "passwd", "--file", path, "bob", "--stdin", stdin=b"pw\n")
    expect("2 entries" in err, err)
    with open(path, "a", encoding="utf-8") as f:
        f.write(f"bob:1{second}[U]:LCT-0:\n")
    out, _ = run("user", "del", "--file", path, "bob")
    expect("2 entries removed" in out, out)
    out, _ = run("user", "list", "--file", path)
    expect("bob" not in out, out)


def test_owners(directory):
    """A mode is narrowed and that is said; root edits the file of another user when told to."""
    path = os.path.join(directory, "users")
    write_users(path, ":bob:pw\n", 0o644)
    _, err = run("user", "import", "--file", path)
    expect("mode 0644 let others read" in err and stat.S_IMODE(os.stat(path).st_mode) == 0o600, err)
    os.chmod(path, 0o620)
    _, err = run("user", "import", "--file", path)
    expect("mode 0620 let others change accounts; it was narrowed; check them" in err, err)
    os.link(path, os.path.join(directory, "other-name"))
    _, err = run("user", "disable", "--file", path, "bob")
    expect("had another name (hard link), which still has the accounts as they were" in err, err)
    _, err = run("user", "enable", "--file", path, "bob")
    expect(not err, err)
    run("user", "import", "--file", path, "--owner", "no such user", status=2)
    if os.geteuid() != 0:
        return
    os.chown(path, 1, 1)
    _, err = run("user", "del", "--file", path, "bob", status=1)
    expect("belongs to user 1, not to user 0" in err and "--owner" in err, err)
    run("user", "del", "--file", path, "bob", "--owner", "1")
    theirs = os.path.join(directory, "theirs")
    run("user", "add", "--file", theirs, "bob", "--owner", "daemon", "--stdin", stdin=b"pw\n")
    expect(os.stat(theirs).st_uid == 1 and stat.S_IMODE(os.stat(theirs).st_mode) == 0o600, "--owner NAME")


def test_places(directory):
    """Root follows no other user's link, and edits in no directory where another user can plant a lock file."""
    shared, secret = os.path.join(directory, "shared"), os.path.join(directory, "secret")
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    write_users(secret, "root:$6$HASH:19000\n")
    write_users(os.path.join(shared, "own"), ":bob:pw\n")
    out, _ = run("user", "list", "--file", os.path.join(shared, "own"))
    expect(out.startswith("bob\tclear-text"), out)
    _, err = run("user", "import", "--file", os.path.join(shared, "own"), status=1)
    expect("can create the lock file" in err, err)
    sparse = os.path.join(directory, "sparse")
    write_users(sparse, "")
    os.truncate(sparse, 1 << 40)
    _, err = run("user", "list", "--file", sparse, status=1)
    expect("larger than 256 MiB" in err, err)
    if os.geteuid() != 0:
        return
    link, path = os.path.join(shared, "old-users"), os.path.join(directory, "users")
    os.symlink(secret, link)
    os.chown(link, 1, 1, follow_symlinks=False)
    for command in [("user", "import", "--from", link, "--file", path), ("user", "list", "--file", link)]:
        out, err = run(*command, status=1)
        expect("the symbolic link old-users belongs to user 1" in err and "HASH" not in out + err, err)
    expect(not os.path.exists(path), "nothing was imported through another user's link")
    _, err = run("decode", "--users", link, *exchange_tokens(), status=1)
    expect("the symbolic link old-users belongs to user 1" in err, err)


def test_similar_entries(directory):
    """An entry that still accepts the account's logons is named."""
    path = os.path.join(directory, "users")
    still = "CORP\\alice: the file also has the entry alice, which accepts logons as CORP\\alice"
    write_users(path, ":alice:pw\nCORP:alice:pw\nCORP:bob:pw\nOTHER:alice:pw\n")
    for command in ("disable", "del"):
        _, err = run("user", command, "--file", path, "CORP\\alice")
        expect(still + " still" in err and err.count("warning") == 1, err)
    _, err = run("user", "add", "--file", path, "CORP\\alice", "--stdin", stdin=b"pw\n")
    expect(still + " too; of both, the first in the file counts" in err, err)
    _, err = run("user", "del", "--file", path, "alice")
    expect("alice: the file also has the entry CORP\\alice, which accepts logons as alice without a domain" in err, err)
    for account in ("OTHER\\alice", "bob"):
        _, err = run("user", "disable", "--file", path, account, status=1 if account == "bob" else 0)
        expect("warning" not in err, err)
    _, err = run("user", "del", "--file", path, "CORP\\bob")
    expect(err == "", err)
    write_users(path, ":carol@corp:pw\nCORP:carol:pw\n")
    _, err = run("user", "del", "--file", path, "CORP\\carol")
    expect("the file also has the entry carol@corp, which accepts logons as CORP\\carol still" in err, err)


def test_empty_hash(directory):
    """The hash of the empty password is as unwelcome as that password."""
    path = os.path.join(directory, "users")
    empty = "31d6cfe0d16ae931b73c59d7e0c089c0"
    _, err = run("user", "add", "--file", path, "alice", "--nt-hash", empty, status=1)
    expect("the hash of the empty password" in err and not os.path.exists(path), err)
    run("user", "add", "--file", path, "alice", "--nt-hash", "0" * 32)
    _, err = run("user", "passwd", "--file", path, "alice", "--nt-hash", empty, status=1)
    expect("the hash of the empty password" in err, err)
    _, err = run("login", "alice", "--nt-hash", empty, status=1)
    expect("the hash of the empty password" in err or "keyring" in err, err)
    old = os.path.join(directory, "old")
    write_users(old, "D:unset:\nD:bob:pw\n")
    out, _ = run("user", "import", "--from", old, "--file", path)
    expect(out.startswith("D\\unset\tadded; empty password: rejected; run gss-ntlm user passwd\nD\\bob\tadded\n"), out)


def exchange_tokens():
    """The three tokens of a published exchange."""
    with open(VECTORS, encoding="utf-8") as f:
        vector = next(v for v in json.load(f)["vectors"] if v["id"] == "exchange.v2.cbt")["out"]
    return [vector[name] for name in ("negotiate", "challenge", "authenticate")]


def plain(text):
    """Whether a terminal shows the text as it is."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", text)


def test_terminal(directory):
    """No name of a file or of a peer reaches the terminal as it is."""
    evil = "\x1b[31m\x9b2J\u202e"
    path = os.path.join(directory, evil)
    write_users(path, ":bob:pw\n")
    for command in ("del", "disable", "enable", "passwd"):
        more = ["--stdin"] if command == "passwd" else []
        _, err = run("user", command, "--file", path, "absent", *more, stdin=b"pw\n", status=1)
        expect(plain(err) and "absent" in err, f"{command}: {err!r}")
    _, err = run("user", "add", "--file", path, "bob", "--stdin", stdin=b"pw\n", status=1)
    expect(plain(err), f"add: {err!r}")
    for bad in (["user", "list", "--file", path + "x"], ["decode", "--users", path + "x", NEGOTIATE],
                ["decode", path + "x"], ["user", "import", "--file", path, "--from", evil]):
        _, err = run(*bad, status=1)
        expect(plain(err) and err, f"{bad}: {err!r}")
    for bad in (["list", evil], ["--" + evil], [evil], ["decode", "--" + evil]):
        _, err = run(*bad, status=2)
        expect(plain(err) and err, f"{bad}: {err!r}")
    name = evil.encode("utf-16-le")
    challenge = (b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(name), len(name), 48) +
                 struct.pack("<I", 0xE2890215) + b"12345678" + bytes(8) + struct.pack("<HHI", 0, 0, 48) + name)
    for form in ([], ["--json"], ["--bytes"], ["--html", "-"]):
        out, _ = run("decode", *form, challenge.hex())
        expect(plain(out) and "31m" in out, f"decode {form}: {out!r}")
    out, _ = run("decode", "--json", challenge.hex())
    expect(json.loads(out)["target_name"] == evil, "the JSON says what the name is")


def test_page_mode(directory):
    """A page with responses that can be cracked is its owner's alone, and replaces no link or device."""
    page = os.path.join(directory, "page.html")
    umask = os.umask(0)
    run("decode", "--html", page, NEGOTIATE)
    expect(stat.S_IMODE(os.stat(page).st_mode) == 0o600, "a new page is 0600")
    os.chmod(page, 0o644)
    with open(page, encoding="utf-8") as before:
        run("decode", "--html", page, NEGOTIATE)
        expect(stat.S_IMODE(os.stat(page).st_mode) == 0o600, "a page that was 0644 is 0600")
        expect(os.fstat(before.fileno()).st_ino != os.stat(page).st_ino, "and a new file")
    os.umask(umask)
    link = os.path.join(directory, "link")
    os.symlink("page.html", link)
    _, err = run("decode", "--html", link, NEGOTIATE, status=1)
    expect("not a regular file" in err and os.path.islink(link), err)
    run("decode", "--html", os.path.join(directory, "no/page"), NEGOTIATE, status=1)
    expect(sorted(os.listdir(directory)) == ["link", "page.html"], os.listdir(directory))


def test_users_disk(directory):
    path = os.path.join(directory, "users")
    run("user", "add", "--file", path, "alice", "--stdin", stdin=b"pw\n")
    with open(path, "rb") as f:
        before = f.read()
    # A file may grow to no more than it has: as on a full disk.
    script = f"ulimit -f 0; trap '' XFSZ; exec '{PROGRAM}' user add --file '{path}' bob --stdin"
    done = subprocess.run(["sh", "-c", script], input=b"pw\n", capture_output=True, check=False,
                          env=ENV)
    expect(done.returncode == 1 and b"cannot write" in done.stderr, f"full disk: {done}")
    with open(path, "rb") as f:
        expect(f.read() == before, "a full disk leaves the file as it was")
    expect(os.listdir(directory) == ["users"], "and nothing beside it")
    _, err = run("user", "add", "--file", "/proc/users", "bob", "--stdin", stdin=b"pw\n", status=1)
    expect("/proc/users" in err, "a directory that cannot be written")


def test_settings(directory):
    out, _ = run("settings", "--example")
    with open(EXAMPLE, encoding="utf-8") as f:
        expect(out == f.read(), "the example file is what the program says")
    path = os.path.join(directory, "example.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(out.replace("\n#max", "\nmax").replace("\n#log =", "\nlog =")
                .replace("\n#require_mic = no", "\nrequire_mic = yes"))
    out, _ = run("settings", "--changed", env={"GSS_NTLM_SETTINGS": path})
    expect("policy.require_mic = yes" in out and "max_clock_skew" not in out, out)
    # Every key of the example at its default is a file that changes nothing.
    with open(EXAMPLE, encoding="utf-8") as f:
        lines = [line[1:] if line.startswith("#") and line[1:2].isalpha() else line
                 for line in f.read().splitlines()]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    out, _ = run("settings", "--changed", env={"GSS_NTLM_SETTINGS": path})
    expect(all(line.startswith("names.") for line in out.splitlines()), out)
    denied = ["*\\administrator", "CORP\\svc-*"] + ["user%03d" % n for n in range(60)]
    printed = ",\n ".join(denied)
    for _ in range(2):  # what is printed can be pasted back
        with open(path, "w", encoding="utf-8") as f:
            f.write("[policy]\ndeny_users = %s\n" % printed)
        out, _ = run("settings", "--changed", env={"GSS_NTLM_SETTINGS": path})
        printed = re.search(r"policy\.deny_users = (.*?)\n(?! )", out, re.S).group(1)
        expect(re.split(r",\s+", printed) == denied, out)
    with open(path, "w", encoding="utf-8") as f:
        f.write("[policy]\ndeny_users = *\\\\administrator\n")
    _, err = run("settings", env={"GSS_NTLM_SETTINGS": path}, status=1)
    expect("one backslash at most" in err, err)
    with open(path, "w", encoding="utf-8") as f:
        f.write("[policy]\n\nmin_key_bits = 64\n")
    _, err = run("settings", env={"GSS_NTLM_SETTINGS": path}, status=1)
    expect(f"{path} line 3: [policy] min_key_bits = 64: write 128, 56 or 40" in err, err)


NEGOTIATE = "4e544c4d5353500001000000978208e2000000000000000000000000000000000a00000000000" "00f"


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o600)


def test_doctor(directory):
    oid = "1.3.6.1.4.1.311.2.2.10"
    users = os.path.join(directory, "doctor-users")
    write(users, "CORP:alice:secret\n")

    def doctor(*arguments, status, lines, extra=None):
        """Runs doctor with these lines registered; what it says of each thing."""
        registration = os.path.join(directory, "mech.conf")
        write(registration, "".join(line + "\n" for line in lines))
        env = {"GSS_MECH_CONFIG": registration, "KRB5_CONFIG": "/dev/null", "NTLM_USER_FILE": users, **(extra or {})}
        out, _ = run("doctor", "--json", *arguments, status=status, env=env)
        said = json.loads(out)
        expect(said["good"] == (status == 0), "doctor: good and the exit status agree")
        text, _ = run("doctor", *arguments, status=status, env=env)
        expect(("NTLM works here." in text) == (status == 0), "doctor: the last line")
        return {check["name"]: (check["state"], check["text"]) for check in said["checks"]}

    def wrong(said, name, text, state="wrong"):
        expect(said.get(name, ("", ""))[0] == state and text in said[name][1], f"doctor: {name}: {text}: {said.get(name)}")

    ours = f"gss-ntlm {oid} {MODULE}"
    said = doctor(status=0, lines=[ours])
    for name in ("loads", "settings", "users file", "initiator", "acceptor", "login", "login inside SPNEGO"):
        expect(said[name][0] == "ok", f"doctor: {name} is well: {said[name]}")
    expect("accounts: 1" in said["users file"][1], "doctor: the accounts of the users file")
    said = doctor("--target", "HTTP@www.corp.example", status=0, lines=[ours])
    wrong(said, "initiator", "CORP\\alice for HTTP@www.corp.example, from the users file", "ok")
    wrong(doctor(status=1, lines=["# nothing"]), "registered", "gss-ntlm.conf.example")
    wrong(doctor(status=1, lines=[f"x {oid} /nonexistent/x.so"]), "loads", "No such file or directory")
    wrong(doctor(status=1, lines=[f"x {oid} {EXAMPLE}"]), "loads", "invalid ELF header")
    wrong(doctor(status=0, lines=[f"x {oid} /nonexistent/x.so", ours]), "other plugins", "/nonexistent/x.so", "note")
    wrong(doctor(status=1, lines=[ours], extra={"LM_COMPAT_LEVEL": "9"}), "settings", "LM_COMPAT_LEVEL=9")
    wrong(doctor("--target", "HTTP@x", status=1, lines=[ours], extra={"NTLM_USER_FILE": ""}), "initiator", "gss-ntlm login")
    audit = os.path.join(directory, "audit.conf")
    missing = os.path.join(directory, "missing", "audit.log")
    for path, status, text in [(missing, 1, missing + " cannot be written: No such file or directory"),
                               (os.path.join(directory, "audit.log"), 0, "records go to")]:
        write(audit, f"[audit]\nlog = file\nfile = {path}\n")
        said = doctor(status=status, lines=[ours], extra={"GSS_NTLM_SETTINGS": audit})
        wrong(said, "audit", text, "wrong" if status else "ok")
    os.chmod(users, 0o644)
    wrong(doctor(status=1, lines=[ours]), "users file", "chmod 6")
    write(users, "nonsense\n")
    os.chmod(users, 0o600)
    wrong(doctor(status=1, lines=[ours]), "users file", "line 1")
    wrong(doctor(status=1, lines=[ours]), "users file", "300 s (users_file_grace), then accept no account")
    write(users, "CORP:alice:Passw0rd\nCORP:svc:\n")
    os.chmod(users, 0o600)
    wrong(doctor(status=1, lines=[ours]), "empty passwords", "CORP\\svc; acceptors reject them")
    wrong(doctor("--target", "HTTP@x", status=1, lines=[ours]), "initiator", "2 accounts and none is selected")
    if os.geteuid() == 0:
        write(users, "CORP:alice:Passw0rd\n")
        os.symlink(users, os.path.join(directory, "theirs"))
        os.chown(os.path.join(directory, "theirs"), 1, 1, follow_symlinks=False)
        said = doctor(status=0, lines=[ours], extra={"NTLM_USER_FILE": os.path.join(directory, "theirs")})
        wrong(said, "users file path", "the symbolic link theirs belongs to user 1", "note")
    os.unlink(users)
    wrong(doctor(status=1, lines=[ours]), "users file", "running acceptors accept none of its accounts")
    doctor(status=1, lines=[ours], extra={"TMPDIR": directory})
    expect(not any(name.startswith("gss-ntlm.") for name in os.listdir(directory)), "doctor leaves nothing behind")
    if os.geteuid() == 0:
        theirs = os.path.join(directory, "their-directory")
        os.mkdir(theirs)
        os.chown(theirs, 1, 1)
        said = doctor(status=1, lines=[ours], extra={"TMPDIR": theirs})
        wrong(said, "login", "the directory their-directory belongs to user 1", "note")
        expect(not os.listdir(theirs), "doctor writes nothing to a directory of another user")


def test_decode(directory):
    out, _ = run("decode", NEGOTIATE)
    expect("1. NEGOTIATE, 40 bytes, client to server" in out and "SIGN" in out, out)
    expect("\x1b" not in out, "no colours but on a terminal")
    out, _ = run("decode", "--bytes", NEGOTIATE)
    expect("    0 +8    4e544c4d53535000" in out, out)
    code, shown = at_terminal(["decode", NEGOTIATE], [], env={"TERM": "xterm"})
    expect(code == 0 and b"\x1b[" in shown, "colours on a terminal")
    raw = bytes.fromhex(NEGOTIATE)
    for form in (raw, NEGOTIATE.encode(), b":".join(b"%02x" % b for b in raw),
                 b"\n".join(NEGOTIATE[i:i + 32].encode() for i in range(0, 80, 32))):
        out, _ = run("decode", "--json", stdin=form)
        expect(json.loads(out)["message"] == "NEGOTIATE", form)
    path = os.path.join(directory, "token")
    with open(path, "wb") as f:
        f.write(raw)
    out, _ = run("decode", "--json", path, "-", stdin=raw)
    expect(len(out.splitlines()) == 2, "a file and standard input")
    log = (b"* Server auth using Negotiate with user ''\n> GET / HTTP/1.1\n> Authorization: "
           b"Negotiate TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAAKAAAAAAAADw==\n"
           b"< WWW-Authenticate: Negotiate\n< WWW-Authenticate: NTLM\n< Content-Length: 12\n")
    out, _ = run("decode", "--json", stdin=log)
    expect(len(out.splitlines()) == 1 and json.loads(out)["message"] == "NEGOTIATE", out)
    for bad in (b"nothing here", b"", b"Content-Type: text/html; charset=utf-8"):
        _, err = run("decode", stdin=bad, status=1)
        expect("no NTLM or SPNEGO token" in err, err)
    out, _ = run("decode", "--json", NEGOTIATE[:20], status=1)
    expect({"error", "offset"} <= set(json.loads(out)), out)
    run("decode", "--password-stdin", status=2)
    run("decode", "--password-stdin", NEGOTIATE, stdin=b"x\n", status=1)


def test_decode_page(directory):
    """What a message says is text on the page, and nothing but text."""
    name = '"><img src=x onerror=alert(1)>&'.encode("utf-16-le")
    challenge = (b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(name), len(name), 48) +
                 struct.pack("<I8s8xHHI", 0x00000205, b"\1" * 8, 0, 0, 48) + name)
    page = os.path.join(directory, "page.html")
    run("decode", "--html", page, challenge.hex())
    with open(page, encoding="utf-8") as f:
        text = f.read()
    shown = "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&amp;"
    expect("<img" not in text and text.count(shown) >= 2, f"decode --html: a name is text: {text[-2000:]}")


def test_decode_says_what_fails(directory):
    tokens = exchange_tokens()

    def judged(part, text, tokens, *options, password="Password", status=1):
        out, _ = run("decode", "--password-stdin", *options, *tokens, stdin=password.encode() + b"\n", status=status)
        expect(re.search(rf"^.*\b{part}\b.*{re.escape(text)}", out, re.M), f"decode says of {part}: {text}: {out[-1500:]}")

    def turned(token, offset):
        data = bytearray.fromhex(token)
        data[offset] ^= 1
        return data.hex()

    judged("password", "right", tokens, status=0)
    judged("MIC", "verifies", tokens, status=0)
    judged("password", "wrong", tokens, password="Passwort")
    judged("MIC", "does not verify", [turned(tokens[0], 36)] + tokens[1:])
    judged("MIC", "does not verify", tokens[:2] + [turned(tokens[2], 72)])
    judged("bindings", "those of the channel", tokens, "--bindings", "187b8ed16257050635bf9bbd99eb5e29", status=0)
    judged("bindings", "of another channel", tokens, "--bindings", "00" * 15 + "01")
    judged("password", "another exchange", [tokens[0], turned(tokens[1], 24), tokens[2]])
    users = os.path.join(directory, "users")
    for line, status in (("DOMAIN:User:Password\n", 0), ("DOMAIN:User:Other\n", 1), ("DOMAIN:Other:Password\n", 1)):
        write(users, line)
        run("decode", "--users", users, *tokens, status=status)
    os.chmod(users, 0o644)
    _, err = run("decode", "--users", users, *tokens, status=1)
    expect("chmod 6" in err, f"decode refuses a users file that others may read: {err}")


def test_decode_anything():
    """Random and truncated inputs: always an answer, never a crash."""
    seed = 20261123
    source = random.Random(seed)
    raw = bytes.fromhex(NEGOTIATE)
    framed = bytes.fromhex("603a06062b0601050502a030302ea00e"
                           "300c060a2b06010401823702020aa21c041a") + raw[:26]
    starts = (raw, framed, bytes.fromhex("a1073005a0030a0101"), b"NTLMSSP\0\2\0\0\0", b"")
    inputs = []
    for _ in range(int(os.environ.get("GSS_NTLM_TEST_INPUTS", "10000"))):
        data = bytearray(source.choice(starts) + source.randbytes(source.randrange(0, 120)))
        for _ in range(source.randrange(0, 4)):
            if data:
                data[source.randrange(len(data))] = source.randrange(256)
        inputs.append(bytes(data[:source.randrange(0, len(data) + 1)]))
    # Many at once as headers, and some each on its own.
    import base64
    for at in range(0, len(inputs), 500):
        text = b"".join(b"Authorization: Negotiate " + base64.b64encode(i) + b"\n"
                        for i in inputs[at:at + 500])
        for option in ("--json", "--bytes"):
            done = subprocess.run([PROGRAM, "decode", option], input=text, capture_output=True,
                                  check=False, timeout=120, env=ENV)
            expect(done.returncode in (0, 1), f"seed {seed} batch {at}: {done.returncode} "
                   f"{done.stderr[-300:]}")
            if option == "--json":
                for line in done.stdout.splitlines():
                    json.loads(line)
    for data in inputs[:200]:
        done = subprocess.run([PROGRAM, "decode", "--json"], input=data, capture_output=True,
                              check=False, timeout=30, env=ENV)
        expect(done.returncode in (0, 1), f"{data.hex()}: {done.returncode}")


with tempfile.TemporaryDirectory(prefix="gss-ntlm-test.") as top:
    nothing = os.path.join(top, "nothing.conf")
    with open(nothing, "w", encoding="utf-8"):
        pass
    os.chmod(nothing, 0o644)
    os.chmod(top, 0o755)
    ENV = {k: v for k, v in os.environ.items()
           if not k.startswith(("NTLM", "GSS_NTLM_", "NETBIOS_", "LM_COMPAT", "GSSNTLMSSP"))}
    ENV["GSS_NTLM_SETTINGS"] = nothing
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            work = os.path.join(top, name)
            os.mkdir(work)
            before_test = failures
            test(work) if test.__code__.co_argcount else test()
            print("PASS" if failures == before_test else "FAIL", name)
print(f"{checks} checks, {failures} failed")
sys.exit(1 if failures else 0)
