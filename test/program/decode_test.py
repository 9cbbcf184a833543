#!/usr/bin/env python3
"""`gss-ntlm decode`: the forms in which people paste tokens, tokens that were cut, and files that cannot be read.

usage: decode_test.py PROGRAM VECTORS    PASS and FAIL lines; exit status 1 on any FAIL
"""
import base64
import json
import os
import re
import resource
import socket
import stat
import struct
import subprocess
import tempfile
import time

from decoding import A, C, N, NTLM_OID, PROGRAM, der, expect, init, response, run_tests

PASSWORD = b"Password\n"


def run(*arguments, stdin=b"", status=0):
    """Runs decode; returns what it printed and complained."""
    done = subprocess.run([PROGRAM, "decode", *arguments], input=stdin, capture_output=True, check=False, timeout=60)
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    expect(done.returncode == status, f"{arguments!r:.80} {stdin!r:.200}: status {done.returncode}, not {status}: {err}")
    return out, err


def decoded(text, status=0):
    """The messages found in a text, each without what says where it was."""
    out, _ = run("--json", stdin=text if isinstance(text, bytes) else text.encode(), status=status)
    return [{k: v for k, v in json.loads(line).items() if k not in ("exchange", "answer", "connection")}
            for line in out.splitlines()]


def b64(data):
    return base64.b64encode(data).decode()


WANTED = {}


def finds(text, *tokens):
    """The text has these tokens and no others."""
    for token in tokens:
        if token not in WANTED:
            WANTED[token] = decoded(token.hex())[0]
    got = decoded(text)
    expect(got == [WANTED[token] for token in tokens],
           f"{text!r:.300}: found {[(g.get('message'), g.get('error'), g.get('unusual')) for g in got]}")


def wrap(text, width, between="\n"):
    return between.join(text[i:i + width] for i in range(0, len(text), width))


def dumped(*command, data):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode("latin-1")


# ---- item 11: what people paste

def test_pasted_header_values():
    for token in (N, C, A, init(N), response(C)):
        scheme = "NTLM" if token in (N, C, A) else "Negotiate"
        for text in (f"{scheme} {b64(token)}", f"{scheme.lower()} {b64(token)}\r\n", f'"{scheme} {b64(token)}"',
                     f"334 {b64(token)}", f"S: 334 {b64(token)}", f"C: AUTH NTLM {b64(token)}", f"+ {b64(token)}",
                     f"TT {b64(token)}\n", f"KK {b64(token)}", f"YR {b64(token)}", f"AF {b64(token)} user",
                     f"Proxy-Authorization: {scheme} {b64(token)}", f"x=1&token={b64(token)}", f'{{"t": "{b64(token)}"}}'):
            finds(text, token)


def test_pasted_dialogues():
    finds(f"AUTH NTLM {b64(N)}\n334 {b64(C)}\n{b64(A)}\n235 2.7.0 Authentication successful\n", N, C, A)
    finds(f"YR {b64(N)}\nTT {b64(C)}\nKK {b64(A)}\nAF CORP\\alice\n", N, C, A)
    finds(f"> Authorization: NTLM {b64(N)}\n< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: NTLM {b64(C)}\n"
          f"> Authorization: NTLM {b64(A)}\n< HTTP/1.1 200 OK\n", N, C, A)


def test_pasted_lists():
    """Several tokens, one a line."""
    for form in (bytes.hex, lambda t: t.hex().upper(), lambda t: "0x" + t.hex(), b64, lambda t: b64(t).rstrip("="),
                 lambda t: base64.urlsafe_b64encode(t).decode(), lambda t: base64.urlsafe_b64encode(t).decode().rstrip("="),
                 lambda t: t.hex(" "), lambda t: t.hex(":"), lambda t: t.hex("-").upper(),
                 lambda t: ", ".join(f"0x{b:02x}" for b in t), lambda t: "".join(f"\\x{b:02x}" for b in t)):
        for end in ("\n", "\r\n", "\n\n"):
            finds(form(N) + end + form(C) + end + form(A) + end, N, C, A)
        finds("  " + form(C), C)
    finds(f"{N.hex()} {C.hex()} {A.hex()}", N, C, A)
    finds(f"{b64(N)} {b64(C)}, {b64(A)}", N, C, A)
    finds(f"client: {N.hex()}\nserver: {C.hex()}\n", N, C)
    binary = bytes(range(251, 256)) * 40
    for tail in (binary, binary[1:], binary[2:]):
        token = C + tail
        got = decoded(base64.urlsafe_b64encode(token).decode())
        expect(len(got) == 1 and f"{len(tail)} bytes behind" in str(got[0].get("unusual")), f"both alphabets: {got}")


def test_pasted_lines():
    """One token over several lines."""
    for token in (N, C, A, init(A), response(C)):
        for width in (60, 64, 76):
            finds(wrap(b64(token), width), token)
            finds(wrap(b64(token), width, "\r\n "), token)
            finds("Authorization: Negotiate " + wrap(b64(token), width, "\r\n ") + "\r\nHost: h\r\n", token)
            finds("Authorization: NTLM\r\n " + wrap(b64(token), width, "\r\n\t") + "\r\nAccept: text/html\r\n", token)
            finds(wrap(token.hex(), width), token)
            finds("\n".join(f'    "{line}"' for line in wrap(b64(token), width).split("\n")) + ";\n", token)
    finds(wrap(N.hex(), 32), N)
    finds(wrap(b64(N), 60) + "\n" + wrap(b64(C), 60) + "\n\n" + wrap(b64(A), 60), N, C, A)
    finds(wrap(b64(A), 20, "\n\n"), A)
    finds(f"{b64(N)}\nOK\n", N)


def test_pasted_dumps():
    for token in (N, C, A, init(A)):
        for command in (("xxd",), ("xxd", "-g1"), ("xxd", "-u", "-c", "8"), ("xxd", "-c", "24", "-g", "4"), ("xxd", "-i"),
                        ("xxd", "-p"), ("hexdump", "-C"), ("hexdump", "-vC"), ("od", "-A", "x", "-t", "x1"),
                        ("od", "-t", "x1"), ("od", "-A", "d", "-t", "x1z")):
            finds(dumped(*command, data=token), token)
        array = dumped("xxd", "-i", data=token)
        finds("unsigned char token[] = {\n" + array + "};\nunsigned int token_len = %d;\n" % len(token), token)
        finds("unsigned char token[] = {" + array.replace("\n", " ") + "};", token)
        rows = [token[i:i + 16] for i in range(0, len(token), 16)]
        text = [re.sub("[^ -~]", ".", row.decode("latin-1")) for row in rows]
        finds("".join(f"{16 * i:04x}   {row.hex(' '):47}   {t}\n" for i, (row, t) in enumerate(zip(rows, text))), token)
        finds("12:00:00.000000 IP h.1 > h.2: tcp\n" + "".join(
            f"\t0x{16 * i:04x}:  {row.hex(' ', 2):39}  {t}\n" for i, (row, t) in enumerate(zip(rows, text))), token)
        finds("char peer0_0[] = { /* Packet 4 */\n" + "".join(
            ", ".join(f"0x{b:02x}" for b in row) + f", /* {t.replace('*', '.')} */\n" for row, t in zip(rows, text)) + "};\n",
            token)
    finds(dumped("xxd", data=N) + "\n" + dumped("xxd", data=C) + "\n" + dumped("hexdump", "-C", data=A), N, C, A)
    finds(dumped("xxd", data=b"\1\2\3 a packet" + N + b"and more" + C[:-1] + C[-1:] + b"end"), N, C)
    zeros = A[:-16] + bytes(16)
    finds(dumped("hexdump", "-C", data=zeros), zeros)
    # A star stands for lines that repeat.
    squeezed = dumped("hexdump", "-C", data=C + bytes(80))
    expect("\n*\n" in squeezed, "hexdump leaves lines out")
    finds(squeezed, C + bytes(80))


def test_pasted_byte_order_mark():
    text = f"NTLM {b64(N)}\r\nNTLM {b64(C)}\r\n"
    for encoded in (b"\xef\xbb\xbf" + text.encode(), b"\xff\xfe" + text.encode("utf-16-le"),
                    b"\xfe\xff" + text.encode("utf-16-be")):
        finds(encoded, N, C)
    finds(b"\xef\xbb\xbf" + N.hex().encode(), N)


def test_pasted_wrappings():
    ts_request = der(0x30, der(0xA0, der(2, b"\6")), der(0xA1, der(0x30, der(0x30, der(0xA0, der(4, init(N)))))))
    bare = der(0x30, der(0xA0, der(2, b"\6")), der(0xA1, der(0x30, der(0x30, der(0xA0, der(4, C))))), der(0xA5, der(4, bytes(32))))
    request = der(0x30, der(2, b"\1"), der(0x60, der(2, b"\3"), der(4), der(0xA3, der(4, b"GSS-SPNEGO"), der(4, init(N)))))
    answer = der(0x30, der(2, b"\1"), der(0x61, der(10, b"\x0e"), der(4), der(4), der(0x87, response(C))))
    refusal = der(0x30, der(2, b"\2"), der(0x61, der(10, b"\x31"), der(4), der(4, b"80090308: data 52e")))
    sicily = der(0x30, der(2, b"\1"), der(0x60, der(2, b"\3"), der(4, b"NTLM"), der(0x8A, N)))
    framed = der(0x60, NTLM_OID, N)
    for token, inner, name in ((ts_request, N, "SPNEGO in CredSSP TSRequest"), (bare, C, "CredSSP TSRequest"),
                               (request, N, "SPNEGO in LDAP bindRequest"), (answer, C, "SPNEGO in LDAP bindResponse"),
                               (sicily, N, "LDAP bindRequest"), (framed, N, "RFC 2743 framing")):
        for text in (token.hex(), b64(token), wrap(b64(token), 64), token, dumped("xxd", data=token)):
            got = decoded(text)
            finds(inner.hex(), inner)
            same = len(got) == 1 and all(got[0].get(k) == v for k, v in WANTED[inner].items())
            expect(same and got[0].get("wrapping") == name, f"{name} {text!r:.60}: {got}")
    out, _ = run(request.hex(), refusal.hex())
    expect("LDAP invalidCredentials (49)" in out and "80090308: data 52e" in out, out)
    out, _ = run(framed.hex(), "--bytes")
    expect(f"40 bytes in RFC 2743 framing ({len(framed)} bytes)" in out, out)


def test_pasted_trailer():
    """Bytes behind the last field are reported."""
    for token in (N, C, A):
        got = decoded((token + b"\1\2\3").hex())
        expect(len(got) == 1 and "3 bytes behind the last field" in got[0].get("unusual", []), got)
        out, _ = run("--bytes", (token + b"\1\2\3").hex())
        expect(re.search(rf"^ +{len(token)} \+3 +010203 +Trailer +010203 +behind the last field", out, re.M), out)
    got = decoded((init(N) + b"\1").hex())
    expect(got and got[0]["message"] == "NEGOTIATE" and "1 byte behind the end of the token" in got[0].get("unusual", []), got)
    for token in (N, C, A, init(N)):
        expect("behind" not in str(decoded(token.hex())), "nothing is behind a whole token")


def test_pasted_nothing():
    for text in ("Proxy support for NTLM authentication-mechanisms-of-the-past\n", "WWW-Authenticate: NTLM\nContent-Length: 12\n",
                 "Negotiate\nAccept-Language: en\n", "this is some text of words and of words\n", "0000 4e\n0010\n*\n", "*\n*\n",
                 "0x\n\\x\n0x4\n", "\xef\xbb\xbf", "=" * 40, "-" * 40 + "\n" + "_" * 40):
        _, err = run(stdin=text.encode("latin-1"), status=1)
        expect("standard input: no NTLM or SPNEGO token in it" in err, f"{text!r}: {err}")
    got = decoded("Authorization: Negotiate AAAABBBBCCCCDDDDEEEE\n", status=1)
    expect(len(got) == 1 and "error" in got[0], f"what a header has is reported: {got}")


# ---- item 13: reasons

def test_reasons_of_inputs(directory):
    path = os.path.join(directory, "notes.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write("nothing that anyone could decode\n")
    _, err = run(path, status=1)
    expect("no NTLM or SPNEGO token in it" in err and "no such file" not in err, err)
    for absent in (path + "x", "exchange", "tokens.txt"):
        _, err = run(absent, status=1)
        expect("no such file, and no NTLM or SPNEGO token" in err, err)
    with open(path, "w", encoding="utf-8") as f:
        f.write("")
    _, err = run(path, status=1)
    expect("no NTLM or SPNEGO token in it" in err, err)
    os.symlink("nowhere", os.path.join(directory, "dangling"))
    _, err = run(os.path.join(directory, "dangling"), status=1)
    expect("cannot be opened: No such file or directory" in err, err)


def test_reasons_of_cut_tokens():
    """What could be decoded of a cut message is shown, and messages that were given are not asked for."""
    wanted = decoded(A.hex())[0]
    names = ("domain", "user", "workstation", "flags", "message")
    for keep in (440, 400, 200, 120):
        for text in (A[:keep].hex(), A[:keep].hex() + "4", b64(A[:keep]).rstrip("=")):
            got = decoded(text, status=1)
            expect(len(got) == 1 and "error" in got[0] and all(got[0].get(n) == wanted[n] for n in names), f"{keep}: {got}")
            expect("session_key" in got[0]["unreadable"] and "session_key" not in got[0], got)
            out, _ = run(text, status=1)
            expect(f'UserName                    "{wanted["user"]}"' in out and "! malformed at byte" in out, out)
    got = decoded(A[:440].hex(), status=1)[0]
    expect(got.get("nt_response") == wanted["nt_response"] and got.get("mic") == wanted["mic"], got)
    out, _ = run(A[:200].hex(), status=1)
    expect(re.search(r"EncryptedRandomSessionKeyFields 16 bytes at \d+  outside of the message: 0 bytes of it are there", out), out)
    # Digits of which no byte can be made.
    got = decoded(A.hex()[:-1], status=1)[0]
    expect("an odd number of hexadecimal digits: it was cut" in got["unusual"] and got["user"] == wanted["user"], got)
    text = b64(A).rstrip("=")
    text = text[:len(text) // 4 * 4 - 3]
    got = decoded("NTLM " + text, status=1)[0]
    expect("base64 of a length that no bytes have: it was cut" in got["unusual"] and got["user"] == wanted["user"], got)
    for cut in (init(N)[:-1], response(A)[:-10]):
        got = decoded(b64(cut), status=1)[0]
        expect("the token was cut" in got["error"] and got["message"] in ("NEGOTIATE", "AUTHENTICATE"), got)
    for token, whole in ((N, 16), (C, len(C)), (A, len(A))):
        for keep in range(8, len(token)):
            got = decoded(token[:keep].hex(), status=1 if keep < whole else 0)
            expect(len(got) == 1 and (keep < 12 or got[0]["message"]) and ("error" in got[0]) == (keep < whole),
                   f"{keep}: {got}")


def test_reasons_of_verdicts():
    def asked(*tokens, status=1, options=()):
        return run("--password-stdin", *options, *[t.hex() for t in tokens], stdin=PASSWORD, status=status)
    _, err = asked(N, C, A[:300])
    expect("AUTHENTICATE is malformed: a field of the NTLM message lies outside it" in err and "needed" not in err, err)
    out, _ = asked(N, C, A[:300])
    expect('UserName                    "' in out, "the messages are shown all the same")
    _, err = asked(N, A)
    expect("there is no CHALLENGE" in err, err)
    _, err = asked(N, C)
    expect("there is no AUTHENTICATE" in err, err)
    _, err = asked(A, C)
    expect("does not follow CHALLENGE" in err, err)
    # CHALLENGE and AUTHENTICATE are enough for the password.
    out, _ = asked(C, A, status=0)
    expect(re.search(r"^  password +right", out, re.M) and re.search(r"^\? MIC +cannot be verified without NEGOTIATE", out, re.M), out)
    out, _ = asked(C, A, options=("--json",), status=0)
    verdict = {p["part"]: p["good"] for p in json.loads(out.splitlines()[-1])["verdict"]}
    expect(verdict["password"] is True and verdict["MIC"] is None, verdict)
    # So is an AUTHENTICATE whose end is missing, behind the response.
    out, _ = asked(N, C, A[:-4], status=1)
    expect(re.search(r"^  password +right", out, re.M) and re.search(r"^\? MIC +cannot be verified: it covers", out, re.M), out)


def test_two_exchanges():
    """A second NEGOTIATE begins a second exchange, in the picture too."""
    tokens = [t.hex() for t in (N, C, A, N, C, A)]
    out, _ = run(*tokens)
    expect(out.count("Exchange 1\n") == 1 and out.count("Exchange 2\n") == 1 and "6. AUTHENTICATE" in out, out[:300])
    out, _ = run("--json", *tokens)
    expect([json.loads(line)["exchange"] for line in out.splitlines()] == [1, 1, 1, 2, 2, 2], out[:300])
    page, _ = run("--html", "-", *tokens)
    expect(page.count('<div class="way">') == 2 and "Exchange 2" in page, "two pictures")
    out, _ = run(N.hex(), C.hex(), A.hex())
    expect("Exchange" not in out, "one exchange needs no number")
    page, _ = run("--html", "-", init(N).hex(), C.hex())
    text, _ = run(init(N).hex(), C.hex())
    for size in (f"40 bytes in SPNEGO ({len(init(N))} bytes)", f"{len(C)} bytes"):
        expect(size in page and size in text, f"sizes agree: {size}")


def test_answers():
    """The status that came with a message or, at last, to it."""
    log = (f"< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: NTLM\n> Authorization: NTLM {b64(N)}\n> \n"
           f"< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: NTLM {b64(C)}\n> Authorization: NTLM {b64(A)}\n"
           "< HTTP/1.1 100 Continue\n< HTTP/1.1 403 Forbidden\n< HTTP/1.1 200 OK\n")
    out, _ = run("--json", stdin=log.encode())
    answers = [json.loads(line).get("answer") for line in out.splitlines()]
    expect(answers == [None, "HTTP/1.1 401 Unauthorized", "HTTP/1.1 403 Forbidden"], answers)
    out, _ = run(stdin=log.encode())
    expect(re.search(r"^  Answer +HTTP/1.1 403 Forbidden$", out, re.M), out)


def test_missing_mic_is_not_green():
    # The flag that announces the MIC is taken out of the pairs; the proof does not cover it any more, so the verdict is
    # that of the MIC alone.
    at = A.index(bytes.fromhex("0600040002000000")) + 4
    without = A[:at] + bytes(4) + A[at + 4:]
    out, _ = run("--password-stdin", "--json", N.hex(), C.hex(), without.hex(), stdin=PASSWORD, status=1)
    expect("no MIC" in out, out)
    v1 = struct.pack("<8sI", b"NTLMSSP\0", 3)
    response_v1 = bytes.fromhex("67c43011f30298a2ad35ece64f16331c44bdbed927841f94")
    fields = ((24, 64), (24, 88), (0, 64), (8, 112), (0, 64), (0, 64))
    v1 += b"".join(struct.pack("<HHI", size, size, offset) for size, offset in fields) + struct.pack("<I", 0x00008201)
    v1 += bytes(24) + response_v1 + "User".encode("utf-16-le")
    challenge = struct.pack("<8sIHHIIQQHHI", b"NTLMSSP\0", 2, 0, 0, 48, 0x00008201,
                            int.from_bytes(bytes.fromhex("0123456789abcdef"), "little"), 0, 0, 0, 48)
    out, _ = run("--password-stdin", challenge.hex(), v1.hex(), stdin=PASSWORD)
    expect(re.search(r"^\? MIC +none was sent", out, re.M), out)
    page, _ = run("--password-stdin", "--html", "-", challenge.hex(), v1.hex(), stdin=PASSWORD)
    expect('<p class="odd open"><b>MIC</b>: none was sent' in page, page[-3000:])


# ---- files

def test_special_files(directory):
    fifo = os.path.join(directory, "fifo")
    os.mkfifo(fifo)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(directory, "socket"))
    start = time.monotonic()
    for special in (fifo, "/dev/null", directory, "/dev/zero"):
        _, err = run(special, status=1)
        expect("not a regular file" in err and "standard input" in err and err.count("\n") == 1, err)
    _, err = run(os.path.join(directory, "socket"), status=1)
    expect("cannot be opened" in err, err)
    expect(time.monotonic() - start < 20, "no special file is waited for")
    out, _ = run("--json", stdin=N)
    expect(json.loads(out)["message"] == "NEGOTIATE", out)


def test_page_of_another_user(directory):
    """Neither a link nor a file of another user is written to in a shared directory."""
    if os.geteuid() != 0:
        print("SKIP files of another user: not root")
        return
    shared = os.path.join(directory, "shared")
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    theirs = os.path.join(directory, "theirs")
    os.mkdir(theirs)
    os.chown(theirs, 1, 1)
    victim = os.path.join(shared, "victim")
    with open(victim, "w", encoding="utf-8") as f:
        f.write("mine")
    os.chown(victim, 1, 1)
    for name, target in (("file", "victim"), ("dangling", "nothing"), ("directory", theirs)):
        os.symlink(target, os.path.join(shared, name))
        os.lchown(os.path.join(shared, name), 1, 1)
    pages = {"victim": "belongs to user 1", "file": "not a regular file", "dangling": "not a regular file",
             "directory/page.html": "the symbolic link directory belongs to user 1"}
    for page, reason in pages.items():
        _, err = run("--html", os.path.join(shared, page), N.hex(), status=1)
        expect(reason in err and "users file" not in err, f"{page}: {err}")
    with open(victim, encoding="utf-8") as f:
        expect(f.read() == "mine", "the file of another user is as it was")
    expect(os.listdir(theirs) == [] and sorted(os.listdir(shared)) == ["dangling", "directory", "file", "victim"],
           f"nothing was created: {os.listdir(theirs)} {os.listdir(shared)}")
    page = os.path.join(shared, "page.html")
    run("--html", page, N.hex())
    expect(stat.S_IMODE(os.stat(page).st_mode) == 0o600, "a page in a shared directory is 0600")


# ---- bad input

def test_bounds():
    """Input that is made to take long does not."""
    many = 1 << 20
    for what, data in (("digits", b"4e 54 " * many), ("a run", b"4e54" * many), ("signatures", b"4e544c4d53535000 " * (many // 4)),
                       ("lines", b"4e54\n" * many), ("base64", b"TlRMTVNTUAABAAAA" * (many // 4)), ("words", b"TlRMTVNTUAABAAAA " * (many // 4)),
                       ("blanks", b" " * 4 * many), ("a dump", b"".join(b"%08x: 4e54 4c4d\n" % (4 * i) for i in range(many // 4))),
                       ("stars", b"00000000: 4e\n*\nffffffff: 00\n" * (many // 8)), ("framing", b"\x60\x84\x00\x01\x00\x00\x06\x06" * (many // 2)),
                       ("elements", b"\x30\x82\xff\xff\xa0\x03\x02\x01\x02\xa1" * (many // 4)), ("messages", N * (many // 8)),
                       ("continuations", b"TlRMTVNTUAADAAAAGAAYAP//////////AAAA\n" + b"A\n" * many)):
        # What grows with the square of the input takes hours. The bound is on processor time, which other work does not use up.
        done = subprocess.run([PROGRAM, "decode", "--json"], input=data, capture_output=True, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 61)))
        expect(done.returncode in (0, 1), f"{what}: ended with {done.returncode}")
    done = subprocess.run([PROGRAM, "decode", "--json"], input=N * 20000, capture_output=True, check=False, timeout=60)
    expect(done.stdout.count(b"\n") == 10000 and b"more tokens than are shown" in done.stderr, "tokens are bounded")
    _, err = run(stdin=b"x" * ((64 << 20) + 1), status=1)
    expect("longer than 64 MiB" in err, err)


def call(name, test):
    work = os.path.join(TOP, name)
    os.mkdir(work)
    test(work) if test.__code__.co_argcount else test()


with tempfile.TemporaryDirectory(prefix="gss-ntlm-test.") as TOP:
    os.chmod(TOP, 0o755)
    run_tests(globals(), call)
