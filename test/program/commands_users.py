"""gss-ntlm user."""
import os
import stat
import subprocess

from commands import PROGRAM, ENV, at_terminal, exchange_tokens, expect, run, write_users


def test_users(directory):
    path = os.path.join(directory, "users")
    run("user", "add", "--file", path, "CORP\\alice", "--stdin", stdin=b"Passw0rd\n")
    expect(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "a new file is 0600")
    differing = [(b"New password for bob: ", b"one\n"), (b"again): ", b"two\n")]
    code, shown = at_terminal(["user", "add", "--file", path, "bob"], differing * 3)
    expect(code == 1 and b"differ; nothing was changed" in shown, f"three times two different passwords: {shown}")
    code, shown = at_terminal(["user", "add", "--file", path, "bob"],
                              differing + [(b"New password for bob: ", b"one\n"), (b"again): ", b"one\n")])
    expect(code == 0 and b"differ; type them again" in shown, f"add at a terminal, mistyped once: {shown}")
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
    for account in ("D\\unset", "D\\hash"):
        _, err = run("user", "check", "--file", empty, account, "--stdin", stdin=b"\n", status=1)
        expect("empty password" in err, f"the empty password of an account: {err}")
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
    expect(out.startswith("bob\tenabled\nBob\tenabled, an older password\n"), out)
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


def test_rotation(directory):
    """A new password beside the old one, until that is retired; check and list say which is which."""
    path = os.path.join(directory, "users")
    run("user", "add", "--file", path, "CORP\\svc", "--stdin", stdin=b"old\r\n")
    run("user", "passwd", "--keep-old", "--file", path, "CORP\\svc", "--stdin", stdin=b"new\n")
    for password, words in ((b"new\n", "password is right\n"), (b"old\n", "an older one (entry 2)\n")):
        out, _ = run("user", "check", "--file", path, "CORP\\svc", "--stdin", stdin=password)
        expect(out.endswith(words), out)
    out, _ = run("user", "list", "--file", path)
    expect(out == "CORP\\svc\tenabled\nCORP\\svc\tenabled, an older password\n", out)
    _, err = run("user", "passwd", "--keep-old", "--file", path, "CORP\\svc", "--stdin", stdin=b"old\n", status=1)
    expect("has this password already; nothing was changed" in err, err)
    for password in (b"3\n", b"4\n"):
        run("user", "passwd", "--keep-old", "--file", path, "CORP\\svc", "--stdin", stdin=password)
    _, err = run("user", "passwd", "--keep-old", "--file", path, "CORP\\svc", "--stdin", stdin=b"5\n", status=1)
    expect("four passwords" in err and "retire-old" in err, err)
    out, _ = run("user", "retire-old", "--file", path, "CORP\\svc")
    expect(out == "CORP\\svc: 3 older passwords removed\n", out)
    out, _ = run("user", "retire-old", "--file", path, "CORP\\svc")
    expect(out == "CORP\\svc: 0 older passwords removed\n", out)
    run("user", "retire-old", "--file", path, "CORP\\other", status=1)
    run("user", "check", "--file", path, "CORP\\svc", "--stdin", stdin=b"4\n")
    _, err = run("user", "check", "--file", path, "CORP\\svc", "--stdin", stdin=b"new\n", status=1)
    expect("another password" in err, err)
    with open(path, "a", encoding="utf-8") as f:
        f.write("A:b:1\n" * 5)
    for command in ("list", "retire-old"):
        _, err = run("user", command, "--file", path, *(["A\\b"] if command != "list" else []), status=1)
        expect("line 6" in err and "at most four lines of one account" in err, err)


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
