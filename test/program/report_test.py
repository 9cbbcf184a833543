#!/usr/bin/python3
"""`gss-ntlm report`: what it counts, in each of its forms, from each kind of file.

Usage: report_test.py PROGRAM    PASS and FAIL lines; exit status 1 on any FAIL
"""
import gzip
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
failures = 0


def expect(good, what, why=""):
    global failures
    failures += not good
    print("%s %s%s" % ("PASS" if good else "FAIL", what, "" if good else ": " + str(why)[:600]))


def report(*arguments, status=0, stdin=b""):
    done = subprocess.run([PROGRAM, "report", *arguments], input=stdin, capture_output=True, timeout=60, check=False)
    out, err = done.stdout.decode(), done.stderr.decode()
    expect(done.returncode == status, "status %d of report %s" % (status, " ".join(arguments)[:60]), (done.returncode, err))
    return out, err


def record(**fields):
    usual = {"schema": 2, "time": "2026-05-01T10:00:00.000000Z", "pid": 7, "process": "/usr/sbin/apache2",
             "unit": "apache2.service", "role": "acceptor", "user": "alice", "domain": "CORP", "workstation": "WS1",
             "target": "HTTP/www", "version": "NTLMv2", "flags": "0xe2888215", "mic": True, "bindings": "bound",
             "account": "CORP\\alice", "key_bits": 128, "result": "accepted", "reason": "acceptor: CORP\\alice logged in"}
    usual.update(fields)
    return json.dumps({name: value for name, value in usual.items() if value is not None}, ensure_ascii=False)


RECORDS = [
    record(),
    record(time="2026-04-30T09:00:00.000000Z", bindings="none", workstation="WS2"),
    record(mic=False, bindings="none", workstation="WS3"),
    record(version="NTLMv1", mic=False, bindings="none", workstation="OLD", weak=["NTLMv1", "56-bit session key"]),
    record(would_reject=["deny_users has user alice"], workstation="WS4"),
    record(result="rejected", account=None, user="bob", reason="accounts: wrong password", key_bits=None),
    record(time="2026-06-01T00:00:00.000000Z", role="initiator", result="sent", bindings="sent", spnego=True, unit=None,
           process="/usr/bin/curl", workstation="HERE", target="HTTP@proxy", reason="initiator: AUTHENTICATE made, context open"),
    # A field of tomorrow, and escapes.
    record(user="ev\"il\n</td><script>alert(1)</script>\U0001F600", account=None, result="rejected", reason="accounts: no such user",
           tomorrow=[], more=None, other=-1.5e3),
]


def counts(report_json, kind):
    return {row["name"]: (row["succeeded"], row["rejected"]) for row in report_json[kind]}


def breaks(report_json, plan):
    row = next(row for row in report_json["breaks"] if row["plan"] == plan)
    return row["logins"], {client["name"]: client["logins"] for client in row["clients"]}


def check_counts(out):
    r = json.loads(out)
    expect((r["records"], r["other_lines"]) == (8, 3), "records and other lines", (r["records"], r["other_lines"]))
    expect((r["first"][:10], r["last"][:10]) == ("2026-04-30", "2026-06-01"), "the first and the last", r["first"] + r["last"])
    users = counts(r, "users")
    expect(users["CORP\\alice"] == (6, 0) and users["CORP\\bob"] == (0, 1), "users", users)
    expect("CORP\\ev\"il\n</td><script>alert(1)</script>\U0001F600" in users, "a name as it was sent", users)
    expect(counts(r, "clients")["WS1"] == (1, 2), "clients", counts(r, "clients"))
    expect(counts(r, "targets") == {"HTTP/www": (5, 2), "HTTP@proxy": (1, 0)}, "targets", counts(r, "targets"))
    expect(counts(r, "versions") == {"NTLMv2": (5, 2), "NTLMv1": (1, 0)}, "versions", counts(r, "versions"))
    expect(counts(r, "reasons") == {"accounts: wrong password": (0, 1), "accounts: no such user": (0, 1)}, "reasons",
           counts(r, "reasons"))
    expect(counts(r, "outcomes") == {"acceptor: accepted": (5, 0), "acceptor: rejected": (0, 2), "initiator: sent": (1, 0)},
           "outcomes", counts(r, "outcomes"))
    expect(counts(r, "processes") == {"apache2.service": (5, 2), "/usr/bin/curl": (1, 0)}, "processes", counts(r, "processes"))
    expect(breaks(r, "older_than_v2") == (1, {"OLD": 1}), "what breaks without NTLMv1", breaks(r, "older_than_v2"))
    expect(breaks(r, "without_mic") == (2, {"OLD": 1, "WS3": 1}), "what breaks without a MIC", breaks(r, "without_mic"))
    expect(breaks(r, "without_bindings") == (3, {"OLD": 1, "WS2": 1, "WS3": 1}), "what breaks without bindings",
           breaks(r, "without_bindings"))
    expect(breaks(r, "lists") == (1, {"WS4": 1}), "what the lists would reject", breaks(r, "lists"))
    expect(breaks(r, "ntlm") == (6, {"OLD": 1, "WS1": 1, "WS2": 1, "WS3": 1, "WS4": 1, "/usr/bin/curl to HTTP@proxy": 1}),
           "what breaks without NTLM", breaks(r, "ntlm"))


def check_forms(directory, files):
    out, _ = report("--json", *files)
    check_counts(out)
    text, _ = report(*files)
    expect(re.search(r"^8 records, 2026-04-30\S* to 2026-06-01", text) and "3 lines are no audit records" in text, "its head", text)
    expect(re.search(r"^ +6 +0  CORP\\alice$", text, re.M), "a line of text", text)
    expect("NTLMv2 without a MIC (require_mic = yes): breaks 2 logins of 2 clients\n" in text, "a plan", text)
    expect("\x1b" not in text and "\n</td>" not in text, "no control characters", repr(text))
    page_file = os.path.join(directory, "report.html")
    report("--html", page_file, *files)
    with open(page_file, encoding="utf-8") as f:
        page = f.read()
    expect(stat.S_IMODE(os.stat(page_file).st_mode) == 0o600, "the page is its owner's", oct(os.stat(page_file).st_mode))
    expect("<script" not in page and "&lt;script&gt;" in page, "names are escaped in the page")
    expect(not re.search(r"(src|href|url)\s*[=(]", page), "the page loads nothing")
    expect(page.count("class=\"bar\"") > 15 and "breaks 2 logins of 2 clients" in page, "bars and plans", page[-400:])
    expect(report("--html", "-", *files)[0] == page, "the page on standard output")
    text, _ = report("--top", "1", *files)
    expect("--top shows more of them" in text and "WS3" not in text.split("What breaks")[0], "--top limits what is shown", text)


def check_files(directory):
    plain = os.path.join(directory, "audit.log")
    with open(plain, "w", encoding="utf-8") as f:
        # A log of the system has text of its own; no record, a half one, and one that is too long.
        f.write(RECORDS[0] + "\nMay  1 10:00:00 www gss-ntlm[7]: " + RECORDS[1] + "\n\n")
        f.write(RECORDS[2][:100] + "\n" + record(user="x" * 70000) + "\n")
        f.write("\n".join(RECORDS[2:4]))  # no newline at the end
    rotated = os.path.join(directory, "audit.log.1")
    with open(rotated, "w", encoding="utf-8") as f:
        f.write(RECORDS[4] + "\n" + RECORDS[5] + "\n")
    packed = os.path.join(directory, "audit.log.2.gz")
    with gzip.open(packed, "wt", encoding="utf-8") as f:
        f.write(RECORDS[6] + "\n" + RECORDS[7] + "\n")
    check_forms(directory, [plain, rotated, packed])
    out, _ = report("--json", "-", stdin="\n".join(RECORDS).encode() + b"\n")
    expect(json.loads(out)["records"] == 8, "standard input", out[:200])
    with open(packed, "rb") as f:
        cut = f.read()[:-20]
    broken = os.path.join(directory, "cut.gz")
    with open(broken, "wb") as f:
        f.write(cut)
    _, err = report("--json", broken, status=1)
    expect("cut.gz: gzip cannot unpack it" in err, "a file that is cut", err)
    out, err = report("--json", os.path.join(directory, "missing"), rotated, status=1)
    expect(json.loads(out)["records"] == 2 and "missing: cannot be read: No such file" in err, "a missing file beside another", err)
    fifo = os.path.join(directory, "fifo")
    os.mkfifo(fifo)
    _, err = report(fifo, directory, status=1)
    expect(err.count("not a regular file") == 2, "a FIFO and a directory are not waited for", err)
    report(status=2)
    for wrong in ("0", "-1", "ten", "1x"):
        report("--top=" + wrong, rotated, status=2)
    report("--json", "--html", "x", rotated, status=2)
    out, _ = report("--json", "-", stdin=b"")
    expect(json.loads(out)["records"] == 0, "nothing", out[:100])
    report("-", stdin=b"")


def check_invented_names():
    """A client can call itself what it likes: memory is bounded."""
    lines = "\n".join(record(user="u%d" % i, account=None, workstation="w%d" % i, result="rejected", reason="accounts: no such user")
                      for i in range(20100)).encode()
    out, _ = report("--json", "-", stdin=lines)
    r = json.loads(out)
    expect(len(r["users"]) == 20001 and r["users"][-1] == {"name": None, "succeeded": 0, "rejected": 100}, "names beyond the limit",
           r["users"][-1])


def main():
    with tempfile.TemporaryDirectory() as directory:
        check_files(directory)
    check_invented_names()
    return 1 if failures else 0


sys.exit(main())
