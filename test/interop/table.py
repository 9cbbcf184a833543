#!/usr/bin/python3
"""Writes docs/interop.md from what the tests printed.

Usage: table.py [--check] DOCUMENT TESTLOG.json...   e.g. docs/interop.md build/test/meson-logs/testlog-all.json
       table.py --self-test

A test prints a line "interop: | area | peer | version | our role | modes | result |" for each row, by
rows.py or by interop_row of test/support/common.sh. With several logs, of a Debian 12 and a Debian 13 say, rows that
differ in the version alone become one. A log with a failed test of an independent peer in it makes no document.
--check writes nothing: it fails when a row of the logs, whatever its version, is not in the document.
"""
import io
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rows

LINE = re.compile(r"^interop: (\|.*\|)$", re.M)
HEAD = ("peer", "version", "our role", "modes", "result")
ORDER = ("HTTP", "WinRM", "SASL", "SSPI family", "GSSAPI", "NTLM mechanisms")
GOOD = ("OK", "EXPECTEDFAIL", "SKIP")
NOT_RUN = "not run: "
PREFACE = """# Who it was met with

Made from the output of `sh test/run.sh --all` by `test/interop/table.py`, and never by hand. Every row is a
program that other people wrote, at the other end of an exchange with this module, in a test that anybody
can run. *Works* means that the right password logged in as the right account, that a wrong one was refused, and
that everything in the column *modes* was seen to happen. The scripts are in `test/interop/`.
"""


def parse(text):
    """[area, peer, version, role, modes, result] of each line in `text`."""
    found = []
    for line in LINE.findall(text):
        cells = [part.strip() for part in line.strip("|").split("|")]
        if len(cells) != len(HEAD) + 1:
            raise ValueError("a row has %d cells, not %d: %s" % (len(cells), len(HEAD) + 1, line))
        found.append(cells)
    return found


def collect(entries):
    """The rows of some entries of a log, and the names of those that failed or have a row that does."""
    found, bad = [], []
    for entry in entries:
        own = parse(entry.get("stdout", "") + "\n" + entry.get("stderr", ""))
        if (own and entry["result"] not in GOOD) or any(one[-1].startswith("fails") for one in own):
            bad.append(entry["name"])
        found += own
    return found, bad


def merged(found):
    """{area: {(peer, role, modes, result): [version...]}}; a row of "not run" yields to any other of its peer."""
    ran = {(one[0], one[1]) for one in found if not one[-1].startswith(NOT_RUN)}
    areas = {}
    for area, peer, version, role, modes, result in found:
        if result.startswith(NOT_RUN) and (area, peer) in ran:
            continue
        versions = areas.setdefault(area, {}).setdefault((peer, role, modes, result), [])
        if version not in versions:
            versions.append(version)
    return areas


def write(areas, out):
    def line(cells):
        out.write("| " + " | ".join(cells) + " |\n")

    out.write(PREFACE)
    known = [area for area in ORDER if area in areas]
    for area in known + sorted(set(areas) - set(known)):
        out.write("\n## %s\n\n" % area)
        line(HEAD)
        out.write("|" + "---|" * len(HEAD) + "\n")
        for (peer, *rest), versions in sorted(areas[area].items(), key=lambda item: [c.lower() for c in item[0]]):
            line([peer, ", ".join(versions)] + rest)


def told(text):
    """The rows of a document, without their versions."""
    area, found = "", set()
    for line in text.splitlines():
        if line.startswith("## "):
            area = line[3:]
        elif line.startswith("| "):
            peer, _, *rest = (part.strip() for part in line.strip("|").split("|"))
            found.add((area, peer, *rest))
    return found


def missing(areas, text):
    known = told(text)
    return [(area, *row) for area in areas for row in areas[area]
            if (area, *row) not in known and not row[-1].startswith(NOT_RUN)]


def load(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log if line.strip()]


def main(arguments):
    checking = arguments[:1] == ["--check"]
    document, *logs = arguments[checking:]
    found, bad = [], []
    for log in logs:
        more, failing = collect(load(log))
        found += more
        bad += failing
    if bad:
        print("table.py: these failed, so %s stays as it was: %s" % (document, ", ".join(bad)), file=sys.stderr)
        return 1
    areas = merged(found)
    if not areas:
        print("table.py: no log has a row in it", file=sys.stderr)
        return 1
    if checking:
        with open(document, encoding="utf-8") as out:
            lost = missing(areas, out.read())
        for row in lost:
            print("table.py: %s lacks: | %s |" % (document, " | ".join(row)), file=sys.stderr)
        return 1 if lost else 0
    with open(document, "w", encoding="utf-8") as out:
        write(areas, out)
    print("%s: %d rows" % (document, sum(map(len, areas.values()))))
    return 0


def self_test():
    wrong = 0

    def check(name, condition):
        nonlocal wrong
        print("PASS" if condition else "FAIL", name)
        wrong += not condition

    def entry(stdout, result="OK"):
        return {"name": "x", "result": result, "stdout": stdout}

    one = "PASS a\ninterop: | HTTP | curl | 7 | both | Negotiate | works |\n"
    found, bad = collect([entry(one), entry(one.replace("| 7", "| 8")), entry("nothing")])
    check("rows that differ in the version are one", merged(found) == {
        "HTTP": {("curl", "both", "Negotiate", "works"): ["7", "8"]}})
    check("a good log has no bad entries", not bad)
    check("a failed test is named", collect([entry(one, "FAIL")])[1] == ["x"])
    check("a row that fails is named", collect([entry(one.replace("works", "fails"))])[1] == ["x"])
    skip = "interop: | HTTP | curl | - | - | - | not run: no curl |\n"
    check("a peer that ran is not told to be absent", merged(parse(skip + one)) == merged(parse(one)))
    check("a peer that is absent is told so", list(merged(parse(skip))["HTTP"]) == [("curl", "-", "-", "not run: no curl")])
    page = io.StringIO()
    write(merged(found), page)
    check("the document has the row", "| curl | 7, 8 | both | Negotiate | works |\n" in page.getvalue())
    check("the document has all rows", not missing(merged(found), page.getvalue()))
    other = merged(parse(one.replace("both", "acceptor")))
    check("a row that the document lacks is found", missing(other, page.getvalue()) == [
        ("HTTP", "curl", "acceptor", "Negotiate", "works")])
    try:
        parse("interop: | a | b |\n")
        check("a short row is an error", False)
    except ValueError:
        check("a short row is an error", True)
    check("a version of Debian's", [rows.upstream(v) for v in (
        "7.88.1-10+deb12u14", "1:2.11.2+dfsg1-1", "1.6.4-3", "18.20.4+dfsg-1~deb12u3")] == [
            "7.88.1", "2.11.2", "1.6.4", "18.20.4"])
    return not wrong


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(0 if self_test() else 1)
    if len([a for a in sys.argv[1:] if a != "--check"]) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
