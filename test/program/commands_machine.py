"""gss-ntlm settings and doctor, help, and what reaches a terminal."""
import json
import os
import re
import struct
import subprocess
import tempfile

from commands import EXAMPLE, MODULE, NEGOTIATE, PROGRAM, expect, run, write, write_users


def plain(text):
    """Whether a terminal shows the text as it is."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", text)


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
    for bad in (["list", evil], ["--" + evil], [evil]):
        _, err = run(*bad, status=2)
        expect(plain(err) and err, f"{bad}: {err!r}")
    # An option that is not known, or, since CLI11 2.4, a file of that name.
    done = subprocess.run([PROGRAM, "decode", "--" + evil], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    err = done.stderr.decode("utf-8", "replace")
    expect(done.returncode in (1, 2) and plain(err) and err, f"decode --: {done.returncode}: {err!r}")
    name = evil.encode("utf-16-le")
    challenge = (b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(name), len(name), 48) +
                 struct.pack("<I", 0xE2890215) + b"12345678" + bytes(8) + struct.pack("<HHI", 0, 0, 48) + name)
    for form in ([], ["--json"], ["--bytes"], ["--html", "-"]):
        out, _ = run("decode", *form, challenge.hex())
        expect(plain(out) and "31m" in out, f"decode {form}: {out!r}")
    out, _ = run("decode", "--json", challenge.hex())
    expect(json.loads(out)["target_name"] == evil, "the JSON says what the name is")


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


def give_access(path, entries):
    """An access control list (acl(5)) with the owner's reading, and `entries`: tag, permissions, user."""
    rows = [(1, 4, 0xFFFFFFFF), *entries, (4, 0, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)
    os.setxattr(path, "system.posix_acl_access", value)


def test_secret_on_tmpfs(directory):
    """A users file that everyone may read is accepted on a tmpfs where a setting says so."""
    with open("/proc/self/mounts", encoding="utf-8") as f:
        if not any(line.split()[1:3] == ["/dev/shm", "tmpfs"] for line in f):
            print("there is no tmpfs at /dev/shm: nothing was tried")
            return
    settings = os.path.join(directory, "tmpfs.conf")
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="gss-ntlm-test.") as shared:
        users = os.path.join(shared, "users")
        write_users(users, "CORP:alice:Passw0rd\n", 0o444)
        for value, good in (("no", False), ("yes", True)):
            write(settings, f"[accounts]\nusers_file = {users}\nallow_readable_on_tmpfs = {value}\n")
            env = {"GSS_NTLM_SETTINGS": settings, "GSS_MECH_CONFIG": "/dev/null"}
            out, _ = run("doctor", "--json", status=1, env=env)
            state = {check["name"]: check["state"] for check in json.loads(out)["checks"]}
            expect((state["users file"] == "ok") == good, f"allow_readable_on_tmpfs = {value}: {out}")
            run("user", "check", "CORP\\alice", "--stdin", stdin=b"Passw0rd\n", status=0 if good else 1, env=env)


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
        os.chown(users, 1, 1)
        for mode in (0o600, 0o640, 0o644):
            os.chmod(users, mode)
            said = doctor(status=1, lines=[ours])
            wrong(said, "users file", "; check as its owner: runuser -u daemon -- gss-ntlm doctor")
            expect(not any("chown" in text or "chmod" in text for _, text in said.values()),
                   f"doctor: no remedy for root that takes the file from its service: {said}")
        os.chown(users, 54321, 1)
        wrong(doctor(status=1, lines=[ours]), "users file", "setpriv --reuid=54321 --clear-groups gss-ntlm doctor")
        os.chown(users, 0, 0)
        os.chmod(users, 0o440)
        give_access(users, [(2, 4, 1)])
        said = doctor(status=1, lines=[ours])
        wrong(said, "users file", "is for user 1, so that a check by root says nothing about it; check as its owner: runuser")
        expect("setfacl" not in said["users file"][1], f"doctor: the entry of the service stays: {said}")
        give_access(users, [(2, 4, 1), (2, 4, 2)])
        wrong(doctor(status=1, lines=[ours]), "users file", "setfacl -x u:1 it")
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
