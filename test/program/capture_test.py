#!/usr/bin/env python3
"""`gss-ntlm decode` of captures: protocols, link types, both formats, reassembly, and captures that are damaged.

usage: capture_test.py PROGRAM VECTORS [CAPTURED.JSON]    PASS and FAIL lines; exit status 1 on any FAIL
"""
import base64
import json
import os
import random
import re
import resource
import struct
import subprocess
import sys
import tempfile

from decoding import A, C, N, NTLM_OID, PROGRAM, der, expect, init, response, run_tests


def run(data, *options, status=0, stdin=b""):
    """Decodes a file with these bytes; returns what was printed and complained."""
    path = os.path.join(TOP, "capture")
    with open(path, "wb") as f:
        f.write(data)
    # What grows with the square of the input takes hours. The bound is on processor time, which other work does not use up.
    done = subprocess.run([PROGRAM, "decode", *options, path], input=stdin, capture_output=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 61)))
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    expect(done.returncode in (0, 1) if status is None else done.returncode == status, f"{options}: status {done.returncode}, not {status}: {err}")
    return out, err


def tokens_of(data, status=0):
    out, _ = run(data, "--json", status=status)
    return [json.loads(line) for line in out.splitlines()]


# ---- packets

def tcp(source, target, sequence, data=b"", flags=0x18):
    return struct.pack(">HHIIBBHHH", source, target, sequence & 0xFFFFFFFF, 1, 0x50, flags, 8192, 0, 0) + data


def udp(source, target, data):
    return struct.pack(">HHHH", source, target, 8 + len(data), 0) + data


def ip4(source, target, inner, protocol=6, fragment=0, options=b""):
    return struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(inner), 1, fragment, 64, protocol, 0,
                       bytes((10, 0, 0, source)), bytes((10, 0, 0, target))) + options + inner


def ip6(source, target, inner, protocol=6, extensions=b""):
    return struct.pack(">IHBB16s16s", 6 << 28, len(extensions) + len(inner), protocol, 64, bytes(15) + bytes((source,)),
                       bytes(15) + bytes((target,))) + extensions + inner


def ethernet(packet, tags=b"", padding=b"\xAA" * 6):
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(12) + tags + kind + packet + padding


def pcap(packets, link=1, order="<", magic=0xA1B2C3D4, snap=None):
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    out = [head]
    for packet in packets:
        kept = packet[:snap]
        out.append(struct.pack(order + "IIII", 1, 2, len(kept), len(packet)) + (bytes(8) if magic == 0xA1B2CD34 else b"") + kept)
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def section(order, links=(1,)):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)) + b"".join(
        block(order, 1, struct.pack(order + "HHI", link, 0, 65535)) for link in links)


def pcapng(packets, order="<", kind=6, links=(1,), interface=0):
    heads = {6: lambda p: struct.pack(order + "IIIII", interface, 0, 0, len(p), len(p)),
             2: lambda p: struct.pack(order + "HHIIII", interface, 0, 0, 0, len(p), len(p)),
             3: lambda p: struct.pack(order + "I", len(p))}
    return section(order, links) + block(order, 5, bytes(12)) + b"".join(block(order, kind, heads[kind](p) + p) for p in packets)


class Talk:
    """A TCP connection: what both sides say, as IP packets."""

    def __init__(self, client=1, server=2, ports=(50000, 445), first=(1000, 5000), syn=True, ip=ip4):
        self.ends, self.ports, self.ip = (client, server), ports, ip
        self.next = list(first)
        self.packets = []
        if syn:
            self.add(0, flags=2)
            self.add(1, flags=0x12)

    def add(self, side, data=b"", flags=0x18):
        self.packets.append(self.segment(side, self.next[side], data, flags))
        self.next[side] += len(data) + (1 if flags & 2 else 0)

    def segment(self, side, sequence, data=b"", flags=0x18):
        other = 1 - side
        return self.ip(self.ends[side], self.ends[other], tcp(self.ports[side], self.ports[other], sequence, data, flags))

    def say(self, *parts, size=1400):
        for i, part in enumerate(parts):
            for at in range(0, len(part), size):
                self.add(i % 2, part[at:at + size])
        return self

    def frames(self):
        return [ethernet(p) for p in self.packets]


# ---- what carries tokens

def smb2(token, answer=None):
    header = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ16s", 64, 1, answer or 0, 1, 1, 0 if answer is None else 1, 0, 1, 0, 0, 0, bytes(16))
    body = struct.pack("<HHHH", 25, 0, 88, len(token)) + bytes(16) + token
    return struct.pack(">I", len(header + body)) + header + body


def smb1(token, answer=None):
    header = b"\xffSMB\x73" + struct.pack("<IBH", answer or 0, 0 if answer is None else 0x80, 0xC807) + bytes(20)
    return struct.pack(">I", len(header) + 30 + len(token)) + header + bytes(30) + token


def dcerpc(kind, token):
    pad = bytes(40)
    size = 16 + len(pad) + 8 + len(token)
    return struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, size, len(token), 1) + pad + bytes((10, 6, 0, 0, 1, 0, 0, 0)) + token


def tds(kind, token):
    return struct.pack(">BBHHBB", kind, 1, 8 + 60 + len(token), 0, 1, 0) + bytes(60) + token


def ldap_request(number, token):
    return der(0x30, der(2, bytes([number])), der(0x60, der(2, b"\3"), der(4), der(0xA3, der(4, b"GSS-SPNEGO"), der(4, token))))


def ldap_answer(number, code, token=b"", text=b""):
    return der(0x30, der(2, bytes([number])), der(0x61, der(10, bytes([code])), der(4), der(4, text), *([der(0x87, token)] if token else [])))


def ts_request(token):
    return der(0x30, der(0xA0, der(2, b"\6")), der(0xA1, der(0x30, der(0x30, der(0xA0, der(4, token))))))


def http(line, *headers, body=b""):
    return "\r\n".join((line, "Host: h", *headers, f"Content-Length: {len(body)}", "", "")).encode() + body


def value(scheme, token):
    return scheme + " " + base64.b64encode(token).decode()


FAILED = "SMB STATUS_LOGON_FAILURE (0xc000006d)"
MORE = "SMB STATUS_MORE_PROCESSING_REQUIRED (0xc0000016)"
PROTOCOLS = {
    # name: port, what is said, wrappings, answers
    "smb2": (445, (smb2(init(N)), smb2(response(C, 1), 0xC0000016), smb2(response(A)), smb2(b"", 0xC000006D)),
             ["SPNEGO"] * 3, [None, MORE, FAILED]),
    "smb2 to its end": (445, (smb2(init(N)), smb2(response(C, 1), 0xC0000016), smb2(response(A)), smb2(response(None, 0), 0)),
                        ["SPNEGO"] * 4, [None, MORE, None, "SMB STATUS_SUCCESS (0x00000000)"]),
    "smb1": (139, (smb1(N), smb1(C, 0xC0000016), smb1(A), smb1(b"", 0xC0000022)), [None] * 3,
             [None, MORE, "SMB STATUS_ACCESS_DENIED (0xc0000022)"]),
    "dcerpc": (49683, (dcerpc(11, N), dcerpc(12, C), dcerpc(16, A)), [None] * 3, [None] * 3),
    "tds": (1433, (tds(16, N), tds(4, C), tds(17, A)), [None] * 3, [None] * 3),
    "ldap": (389, (ldap_request(1, init(N)), ldap_answer(1, 14, response(C, 1)), ldap_request(2, response(A)),
                   ldap_answer(2, 49, text=b"80090308: data 52e")),
             ["SPNEGO in LDAP bindRequest", "SPNEGO in LDAP bindResponse", "SPNEGO in LDAP bindRequest", "LDAP bindResponse"],
             [None, "LDAP saslBindInProgress (14)", None, "LDAP invalidCredentials (49)"]),
    "credssp": (3389, (ts_request(init(N)), ts_request(response(C, 1)), ts_request(response(A))), ["SPNEGO in CredSSP TSRequest"] * 3,
                [None] * 3),
    "framing": (2049, tuple(b"\0\0\1" + der(0x60, NTLM_OID, t) for t in (N, C, A)), ["RFC 2743 framing"] * 3, [None] * 3),
    "http": (80, (http("GET / HTTP/1.1"), http("HTTP/1.1 401 Unauthorized", "WWW-Authenticate: NTLM"),
                  http("GET / HTTP/1.1", "Authorization: " + value("NTLM", N)),
                  http("HTTP/1.1 401 Unauthorized", "WWW-Authenticate: " + value("NTLM", C), body=b"\0" * 500),
                  http("GET / HTTP/1.1", "Authorization: " + value("NTLM", A)),
                  http("HTTP/1.1 403 Forbidden", body=b"no") + http("HTTP/1.1 200 OK")), [None] * 3,
             [None, "HTTP/1.1 401 Unauthorized", "HTTP/1.1 403 Forbidden"]),
    "negotiate": (5985, (http("POST /wsman HTTP/1.1", "Authorization: " + value("Negotiate", init(N))),
                         http("HTTP/1.1 401 Unauthorized", "WWW-Authenticate: " + value("Negotiate", response(C, 1))),
                         http("POST /wsman HTTP/1.1", "Authorization: " + value("Negotiate", response(A))),
                         http("HTTP/1.1 200 OK", "WWW-Authenticate: " + value("Negotiate", response(None, 0)))),
                  ["SPNEGO"] * 4, [None, "HTTP/1.1 401 Unauthorized", None, "HTTP/1.1 200 OK"]),
    "smtp": (25, (b"AUTH " + value("NTLM", N).encode() + b"\r\n", value("334", C).encode() + b"\r\n",
                  base64.b64encode(A) + b"\r\n", b"235 2.7.0 Accepted\r\n"), [None] * 3, [None] * 3),
}
SIDES = ["client", "server", "client", "server"]
MESSAGES = ["NEGOTIATE", "CHALLENGE", "AUTHENTICATE", None]
PLAIN = {}


def is_exchange(tokens, what, connection=None):
    """The three messages, as they are decoded from hexadecimal digits."""
    if not PLAIN:
        for token, name in ((N, "NEGOTIATE"), (C, "CHALLENGE"), (A, "AUTHENTICATE")):
            PLAIN[name] = json.loads(run(token.hex().encode(), "--json")[0])
    got = [t.get("message") for t in tokens]
    expect(got[:3] == MESSAGES[:3] and got[3:] in ([], [None]), f"{what}: {got}")
    for token in tokens[:3]:
        wanted = PLAIN.get(token.get("message"), {"message": 0})
        expect(all(token.get(k) == v for k, v in wanted.items() if k != "exchange"), f"{what}: {token}")
    expect(connection is None or all(t["connection"] == connection for t in tokens), f"{what}: {tokens and tokens[0]['connection']}")


def smb_talk(**options):
    return Talk(**options).say(*PROTOCOLS["smb2"][1])


# ---- item 12

def test_capture_protocols():
    for name, (port, said, wrappings, answers) in PROTOCOLS.items():
        for size in (1400, 100, 7):
            talk = Talk(ports=(50000, port)).say(*said, size=size)
            tokens = tokens_of(pcap(talk.frames()))
            is_exchange(tokens, f"{name} in segments of {size}", f"10.0.0.1:50000 to 10.0.0.2:{port}")
            expect([t.get("wrapping") for t in tokens] == wrappings, f"{name}: {[t.get('wrapping') for t in tokens]}")
            expect([t.get("answer") for t in tokens] == answers, f"{name}: {[t.get('answer') for t in tokens]}")
            expect([t["from"] for t in tokens] == SIDES[:len(tokens)], f"{name}: {[t['from'] for t in tokens]}")
    expect(tokens_of(pcap(smb_talk().frames()))[2]["packet"] == 5, "packets are counted from 1")


def test_capture_formats():
    frames = smb_talk().frames()
    for order in "<>":
        for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34):
            is_exchange(tokens_of(pcap(frames, order=order, magic=magic)), f"pcap {order} {magic:x}")
        for kind in (6, 2, 3):
            is_exchange(tokens_of(pcapng(frames, order, kind)), f"pcapng {order} {kind}")
        is_exchange(tokens_of(pcapng(frames, order, 6, (147, 101, 1), 2)), "a third interface")
        other = ">" if order == "<" else "<"
        is_exchange(tokens_of(pcapng(frames[:4], order) + pcapng(frames[4:], other)), "two sections")
    path = os.path.join(TOP, "stdin.pcap")
    with open(path, "wb") as f:
        f.write(pcap(frames))
    with open(path, "rb") as f:
        done = subprocess.run([PROGRAM, "decode"], stdin=f, capture_output=True, check=False, timeout=60)
    expect(b"Exchange 1: 10.0.0.1:50000 to 10.0.0.2:445" in done.stdout, done.stdout[:200])


def test_capture_links():
    for ip in (ip4, ip6):
        packets = smb_talk(ip=ip).packets
        kind = 0x0800 if ip is ip4 else 0x86DD
        where = "10.0.0.1:50000 to 10.0.0.2:445" if ip is ip4 else "[::1]:50000 to [::2]:445"
        for name, link, frame in (
                ("Ethernet", 1, ethernet), ("VLAN", 1, lambda p: ethernet(p, b"\x81\0\0\1")),
                ("two VLANs", 1, lambda p: ethernet(p, b"\x88\xa8\0\1\x81\0\0\2")),
                ("PPPoE", 1, lambda p: bytes(12) + b"\x88\x64\x11\0\0\1" + struct.pack(">H", len(p) + 2) + b"\0\x21" + p),
                ("raw", 101, bytes), ("raw BSD", 12, bytes), ("IPv4 or 6", 228 if ip is ip4 else 229, bytes),
                ("cooked", 113, lambda p: struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + p),
                ("cooked VLAN", 113, lambda p: struct.pack(">HHH8sHHH", 0, 1, 6, bytes(8), 0x8100, 1, kind) + p),
                ("cooked 2", 276, lambda p: struct.pack(">HHIHBB8s", kind, 0, 1, 1, 0, 6, bytes(8)) + p),
                ("null", 0, lambda p: struct.pack("<I", 2 if ip is ip4 else 30) + p),
                ("null, big", 0, lambda p: struct.pack(">I", 2 if ip is ip4 else 24) + p),
                ("loop", 108, lambda p: struct.pack(">I", 2 if ip is ip4 else 24) + p),
                ("PPP", 9, lambda p: b"\xff\x03\0\x21" + p)):
            is_exchange(tokens_of(pcap([frame(p) for p in packets], link)), f"{name} {ip.__name__}", where)
    hop = smb_talk(ip=lambda s, t, inner: ip6(s, t, inner, 0, b"\x3c\0" + bytes(6) + b"\x06\1" + bytes(14)))
    is_exchange(tokens_of(pcap(hop.frames())), "extension headers of IPv6")
    atomic = smb_talk(ip=lambda s, t, inner: ip6(s, t, inner, 44, b"\x06\0\0\0\0\0\0\1"))
    is_exchange(tokens_of(pcap(atomic.frames())), "a fragment that is all of its datagram")
    options = smb_talk(ip=lambda s, t, inner: ip4(s, t, inner, options=bytes(8)))
    is_exchange(tokens_of(pcap(options.frames())), "options of IPv4")
    datagrams = [ethernet(ip4(*ends, udp(*ports, dcerpc(11, t)), 17)) for ends, ports, t in (
        ((2, 1), (135, 50000), C), ((1, 2), (50000, 135), A))]
    got = tokens_of(pcap(datagrams))
    expect([t["message"] for t in got] == MESSAGES[1:3] and got[0]["connection"] == "10.0.0.1:50000 to 10.0.0.2:135", got)
    _, err = run(pcap(smb_talk().frames(), 147), status=1)
    expect("6 packets of the link type 147, which is not supported" in err and "no NTLM" in err, err)
    _, err = run(pcap([ethernet(ip4(1, 2, p, fragment=0x2000)) for p in (bytes(40), N)]), status=1)
    expect("2 packets in fragments" in err, err)


def test_capture_reassembly():
    said = PROTOCOLS["http"][1]
    source = random.Random(22)
    talk = Talk(ports=(50000, 80)).say(*said, size=60)
    head, body = talk.frames()[:2], talk.frames()[2:]
    whole = tokens_of(pcap(head + body))
    is_exchange(whole, "in order")

    def same(frames, what):
        got = tokens_of(pcap(frames))
        expect([{**t, "packet": 0} for t in got] == [{**t, "packet": 0} for t in whole], f"{what}: {[t.get('message') for t in got]}")
    swapped = list(body)
    for at in range(0, len(swapped) - 1, 2):
        first, second = swapped[at:at + 2]
        if first[26:30] == second[26:30]:
            swapped[at:at + 2] = second, first
    expect(swapped != body, "segments are out of order")
    same(head + swapped, "out of order")
    same(head + [f for f in body for _ in range(2)], "each twice")
    same(head + body + [source.choice(body) for _ in range(100)], "late copies")
    same(head[:1] + head + body, "a SYN twice")
    same(body, "without a SYN")
    wrapped = Talk(ports=(50000, 80), first=(0xFFFFFF00, 0xFFFFFFFE)).say(*said, size=60).frames()
    same(wrapped, "sequence numbers that wrap")
    overlap = Talk(ports=(50000, 80))
    for i, part in enumerate(said):
        side, start = i % 2, overlap.next[i % 2]
        for at in range(0, len(part), 40):
            overlap.packets.append(overlap.segment(side, start + max(at - 25, 0), part[max(at - 25, 0):at + 55]))
        overlap.next[side] = start + len(part)
    same(overlap.frames(), "overlaps")
    # Of two that begin at the same byte the first counts: a forged copy changes nothing.
    forged = [f[:54] + b"X" * (len(f) - 60) + f[-6:] for f in body]
    same(head + [f for pair in zip(body, forged) for f in pair], "forged copies")
    keep_alive = [ethernet(talk.segment(0, talk.next[0] - 1, b"\0"))]
    same(head + body + keep_alive, "a keep-alive")
    # A gap is no continuation.
    gap = Talk().say(smb2(init(N)), smb2(response(C, 1), 0xC0000016))
    part = smb2(response(A))
    gap.packets.append(gap.segment(0, gap.next[0], part[:300]))
    gap.packets.append(gap.segment(0, gap.next[0] + 400, part[400:]))
    tokens = tokens_of(pcap(gap.frames()), status=1)
    expect([t["message"] for t in tokens] == MESSAGES[:3] and "error" in tokens[2] and tokens[2]["user"] == "User", tokens)
    # What is behind it is read.
    gap = Talk().say(smb2(init(N)))
    gap.next[0] += 1000
    gap.say(smb2(init(N)), smb2(response(C, 1), 0xC0000016), smb2(response(A)))
    tokens = tokens_of(pcap(gap.frames()))
    expect([t["message"] for t in tokens] == [MESSAGES[0]] + MESSAGES[:3], tokens)


def test_capture_connections():
    """Two connections are two exchanges, in the picture too."""
    one, two = smb_talk().frames(), smb_talk(client=3, ports=(50001, 445)).frames()
    mixed = [f for pair in zip(one, two) for f in pair]
    out, _ = run(pcap(mixed), "--json")
    tokens = [json.loads(line) for line in out.splitlines()]
    is_exchange(tokens[:3], "the first", "10.0.0.1:50000 to 10.0.0.2:445")
    is_exchange(tokens[3:], "the second", "10.0.0.3:50001 to 10.0.0.2:445")
    expect([t["exchange"] for t in tokens] == [1, 1, 1, 2, 2, 2], "numbers of exchanges")
    page, _ = run(pcap(mixed), "--html", "-")
    expect(page.count('<div class="way">') == 2 and page.count("10.0.0.3:50001 to 10.0.0.2:445") == 1, "two pictures")
    expect(FAILED in page, "the picture has the answer")
    text, _ = run(pcap(mixed))
    for size in re.findall(r"^\d+\. \w+, (\d+ bytes in SPNEGO \(\d+ bytes\))", text, re.M):
        expect(size in page, f"sizes agree: {size}")
    expect(text.count("bytes in SPNEGO") == 6 and re.search(f"^  Answer +{re.escape(FAILED)}$", text, re.M), text[-400:])
    # The same ports again.
    again = smb_talk().frames() + smb_talk(first=(777000, 888000)).frames()
    expect([t["exchange"] for t in tokens_of(pcap(again))] == [1, 1, 1, 2, 2, 2], "ports that are used again")
    # Two logons on one connection.
    twice = Talk(ports=(50000, 80)).say(*(PROTOCOLS["http"][1] * 2)).frames()
    expect([t["exchange"] for t in tokens_of(pcap(twice))] == [1, 1, 1, 2, 2, 2], "two logons on a connection")
    kerberos = Talk(ports=(50002, 445)).say(der(0x60, bytes.fromhex("06062b0601050502"), der(0xA0, der(0x30, der(0xA0, der(
        0x30, bytes.fromhex("06092a864886f712010202"))), der(0xA2, der(4, b"ticket"))))))
    is_exchange(tokens_of(pcap(kerberos.frames() + one)), "Kerberos beside it is left out")
    _, err = run(pcap(kerberos.frames()), status=1)
    expect("no NTLM or SPNEGO token in it, a capture of 3 packets and 1 connections" in err, err)


def test_capture_verdict():
    frames = smb_talk().frames()
    out, _ = run(pcap(frames), "--password-stdin", stdin=b"Password\n")
    expect(re.search(r"^  password +right", out, re.M) and re.search(r"^  MIC +verifies", out, re.M), out[-600:])
    out, _ = run(pcap([f for i, f in enumerate(frames) if i != 2]), "--password-stdin", stdin=b"Password\n")
    expect(re.search(r"^  password +right", out, re.M) and re.search(r"^\? MIC +cannot be verified", out, re.M), out[-600:])


def test_capture_damage():
    frames = smb_talk().frames()
    for make in (pcap, pcapng):
        whole = make(frames)
        for keep in list(range(4, 200)) + list(range(200, len(whole), 37)):
            out, err = run(whole[:keep], "--json", status=None)
            complete = [json.loads(line) for line in out.splitlines() if '"error"' not in line]
            expect([t["message"] for t in complete] == MESSAGES[:len(complete)], f"{keep} bytes: {out[:200]}")
            expect(keep == len(whole) or "the capture" in err or "no NTLM" in err, f"{keep} bytes: {err}")
    _, err = run(pcap(frames)[:-30], status=None)
    expect("the capture was cut after packet 6" in err, err)
    out, err = run(pcap(frames, snap=300), "--json", status=1)
    expect("2 packets cut by the snapshot length of the capture" in err, err)
    expect('"user":"User"' in out and '"error"' in out, "what there is of a packet that was cut is shown")
    huge = pcap(frames[:4])
    for length in (0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0xFFFFFFF0):
        _, err = run(huge + struct.pack("<IIII", 1, 2, length, length) + frames[4], "--json", status=None)
        expect("the capture was cut after packet 5" in err, f"{length:x}: {err}")
        _, err = run(section("<") + struct.pack("<II", 6, length & ~3) + bytes(40), status=1)
        expect("the capture" in err, f"{length:x}: {err}")
        body = struct.pack("<IIIII", 0, 0, 0, length, length) + frames[2]
        tokens = tokens_of(section("<") + block("<", 6, body), status=None)
        expect([t["message"] for t in tokens] == ["NEGOTIATE"], f"{length:x}: {tokens}")
    for size in (0, 4, 8, 11, 13):
        _, err = run(section("<") + struct.pack("<III", 6, size, size), status=1)
        expect("a block of an impossible length" in err, f"{size}: {err}")
    _, err = run(struct.pack("<IIII", 0x0A0D0D0A, 28, 0x12345678, 1) + bytes(12), status=1)
    expect("a malformed section" in err, err)
    _, err = run(b"\x1f\x8b\x08" + bytes(20), status=1)
    expect("compressed; decompress it first" in err, err)


def test_capture_anything():
    """Random changes: always an answer, never a crash."""
    source = random.Random(20261201)
    starts = [pcap(Talk(ports=(50000, port)).say(*said, size=200).frames()) for port, said, _, _ in PROTOCOLS.values()]
    starts += [pcapng(smb_talk(ip=ip6).frames()), pcapng(smb_talk().frames(), ">", 3)]
    for _ in range(int(os.environ.get("GSS_NTLM_TEST_INPUTS", "10000")) // 25):
        data = bytearray(source.choice(starts))
        for _ in range(source.randrange(1, 20)):
            data[source.randrange(len(data))] = source.choice((0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)))
        out, _ = run(bytes(data[:source.randrange(len(data))] if source.random() < 0.2 else data), "--json", status=None)
        for line in out.splitlines():
            json.loads(line)


def test_capture_bounds():
    """Captures that are made to take long do not."""
    many = 200000
    frame = lambda i, data, seq: ethernet(ip4(1, 2, tcp(1024 + i % 60000, 445, seq, data)))  # noqa: E731
    cases = {
        "one byte a segment": pcap([frame(0, b"N", 1000 + i) for i in range(many)]),
        "backwards": pcap([frame(0, b"TlRM", (many - i) * 4) for i in range(many)]),
        "gaps": pcap([frame(0, b"NTLMSSP\0\1\0\0\0", i * 100) for i in range(many)]),
        "copies": pcap([frame(0, b"N" * 200, 1000) for i in range(many)]),
        "overlaps": pcap([frame(0, b"NTLMSSP\0\1\0\0\0" * 20, 1000 + i) for i in range(many // 2)]),
        "connections": pcap([ethernet(ip4(i >> 16, 2, tcp(i & 0xFFFF, 445, 1, b"x"))) for i in range(many)]),
        "reopened": pcap([ethernet(ip4(1, 2, tcp(1024, 445, i * 7, b"", 2))) for i in range(many)]),
        "messages": pcap([frame(i, N, 1) for i in range(many // 4)]),
        "interfaces": section("<", [1] * many),
        "empty blocks": section("<") + struct.pack("<III", 99, 12, 12) * many * 4,
        "empty packets": pcap([b""] * many),
        "DER": pcap([frame(0, b"\x30\x82\xff\xff\xa0\x03\x02\x01\x02\xa1" * 140, 1 + 1400 * i) for i in range(many // 10)]),
    }
    for name, data in cases.items():
        out, err = run(data, "--json", status=None)
        expect(out or err, f"{name}: neither a token nor a reason")
    _, err = run(cases["connections"], status=1)
    expect("only the first 131072 connections are read" in err, err)
    out, err = run(cases["messages"], "--json")
    expect(out.count("\n") == 10000 and "more tokens than are shown" in err, f"{out.count(chr(10))}: {err}")


def test_capture_of_published_messages():
    """Every published message is found again on the wire, with the same fields."""
    path = sys.argv[3] if len(sys.argv) > 3 else ""
    if not os.path.exists(path):
        print("SKIP no captured messages beside this checkout:", path)
        return
    with open(path, encoding="utf-8") as f:
        messages = json.load(f)["messages"]
    frames = []
    for i, message in enumerate(messages):
        token = bytes.fromhex(message["hex"])
        talk = Talk(ports=(20000 + i, 445))
        frames += talk.say(*([b"", token] if message["type"] == 2 else [token]), size=500).frames()
    first = {}
    for token in tokens_of(pcap(frames), status=None):
        first.setdefault(token["connection"], token)
    expect(len(first) == len(messages), f"{len(first)} of {len(messages)} messages")
    for i, message in enumerate(messages):
        token = first.get(f"10.0.0.1:{20000 + i} to 10.0.0.2:445", {})
        expect(token.get("message") == MESSAGES[message["type"] - 1] and "error" not in token, f"{message['id']}: {token}")
        for key in ("user", "domain", "workstation", "server_challenge", "nt_response", "target_name", "mic"):
            if key in message["fields"]:
                expect(token.get(key) == message["fields"][key], f"{message['id']}: {key}")


with tempfile.TemporaryDirectory(prefix="gss-ntlm-test.") as TOP:
    run_tests(globals(), lambda _, test: test())
