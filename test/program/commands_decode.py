"""gss-ntlm decode."""
import json
import os
import random
import re
import stat
import struct
import subprocess

from commands import PROGRAM, ENV, NEGOTIATE, at_terminal, exchange_tokens, expect, run, write


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
    for line, status in (("DOMAIN:User:Password\n", 0), ("DOMAIN:User:Other\n", 1), ("DOMAIN:User:Other\nDOMAIN:User:Password\n", 0),
                          ("DOMAIN:Other:Password\n", 1)):
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
