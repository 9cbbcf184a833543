#!/usr/bin/python3
"""The closing table of test/torture.sh.

Usage: torture_table.py DIRECTORY       reads PART.log and PART.status ("EXIT-STATUS SECONDS") of each part
       torture_table.py --self-test

Ends with status 0 when every part that was run ended with status 0 and printed its figures: a part
that says nothing has shown nothing.
"""
import os
import re
import sys
import tempfile

CLOSING = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
THREAT = re.compile(r"^ *(PASS|FAIL) row (\w+): .*$", re.M)
MODEL = re.compile(r"^ *FAIL threat model: .*$", re.M)
POINTS = re.compile(r"^ *failure points: (allocations (\d+), system calls (\d+))$", re.M)
MUTANTS = re.compile(r"^mutants: (\d+) of (\d+) caught$", re.M)
CLAIMS = re.compile(r"^model: (\d+) claims, (\d+) failed$", re.M)
FUZZ = re.compile(r"^fuzz: (\w+) (runs=(\d+) cov=\d+ findings=(\d+))", re.M)
COVERAGE = re.compile(r"^coverage: (.*)$", re.M)
SOAK = re.compile(r"^soak: (\d+ handshakes, .* wrong accepts (\d+), wrong refusals (\d+))$", re.M)
MACHINE = re.compile(r"^(PASS|FAIL) (\S+: .*)$", re.M)


def closing_line(log):
    found = CLOSING.findall(log)
    if not found:
        return []
    return [("", "%s passed, %s failed" % found[-1], int(found[-1][0]) > 0 and found[-1][1] == "0")]


def hostile(log):
    """The attacks, and the failure points, of which more than one program tells."""
    cases = THREAT.findall(log)
    rows = {row for word, row in cases if row.isdigit()}
    good = sum(word == "PASS" for word, _ in cases)
    result = []
    if cases:
        result.append(("threats", "%d rows and their traps, %d of %d cases answered" % (len(rows), good, len(cases)),
                       good == len(cases) and not MODEL.search(log)))
    points = POINTS.findall(log)
    if points:
        allocations = sum(int(a) for _, a, _ in points)
        calls = sum(int(c) for _, _, c in points)
        result.append(("failures", "%d allocations and %d system calls failed, one at a time" % (allocations, calls),
                       allocations > 0 and calls > 0))
    return result if len(result) == 2 else []


def mutants(log):
    return [("", "%s of %s caught" % m, m[0] == m[1] and m[1] != "0") for m in MUTANTS.findall(log)[-1:]]


def model(log):
    return [("", "%s claims, %s failed" % m, m[0] != "0" and m[1] == "0") for m in CLAIMS.findall(log)[-1:]]


def fuzz(log):
    return [("fuzz " + target, figures, findings == "0" and runs != "0")
            for target, figures, runs, findings in FUZZ.findall(log)]


def coverage(log):
    return [("", figures, True) for figures in COVERAGE.findall(log)[-1:]]


def soak(log):
    return [("", figures, accepts == refusals == "0") for figures, accepts, refusals in SOAK.findall(log)[-1:]]


def machines(log):
    return [("machine", what, word == "PASS") for word, what in MACHINE.findall(log)]


# In the order of the table.
PARTS = {"tests": closing_line, "hostile": hostile, "model": model, "mutants": mutants, "fuzz": fuzz, "coverage": coverage,
         "tsan": closing_line, "memcheck": closing_line, "soak": soak, "machines": machines}


def table_of(directory):
    """Rows (name, figures, outcome, minutes) of the parts that were run."""
    rows = []
    for part, figures_of in PARTS.items():
        status_file = os.path.join(directory, part + ".status")
        if not os.path.exists(status_file):
            continue
        with open(status_file) as f:
            status, seconds = (int(word) for word in f.read().split())
        with open(os.path.join(directory, part + ".log"), errors="replace") as f:
            figures = figures_of(f.read())
        minutes = "%d:%02d" % divmod(seconds, 60)
        for name, text, good in figures:
            rows.append((name or part, text, "PASS" if good else "FAIL", minutes))
            minutes = ""
        if not figures:
            rows.append((part, "no figures: see its log", "FAIL", minutes))
        elif status != 0 and all(good for _, _, good in figures):
            rows.append((part, "ended with status %d: see its log" % status, "FAIL", ""))
    return rows


def show(rows, out):
    header = ("part", "what it showed", "outcome", "min:s")
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(4)]
    for row in [header, tuple("-" * width for width in widths)] + rows:
        out.write("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |\n")


def main(directory):
    rows = table_of(directory)
    if not rows:
        print("torture: no part was run")
        return 1
    with open(os.path.join(directory, "table"), "w") as f:
        show(rows, f)
    show(rows, sys.stdout)
    failed = sum(outcome == "FAIL" for _, _, outcome, _ in rows)
    print("torture: %d rows, %d failed" % (len(rows), failed))
    return 1 if failed else 0


# part -> (a log that passes, logs that fail)
STUBS = {
    "tests": ("900 passed, 0 failed\n", ["899 passed, 1 failed\n", "0 passed, 0 failed\n", "crash\n"]),
    "hostile": ("PASS row 1: a [b]\nPASS row trap: a [c]\n 60 passed, 0 failed\nfailure points: allocations 7, "
                "system calls 3\n",
                ["PASS row 1: a [b]\nFAIL row 2: a [c]\nfailure points: allocations 7, system calls 3\n",
                 "PASS row 1: a [b]\nfailure points: allocations 0, system calls 3\n",
                 "PASS row 1: a [b]\nFAIL threat model: row 2 has no test\nfailure points: allocations 7, "
                 "system calls 3\n",
                 "PASS row 1: a [b]\n"]),
    "model": ("model: 39 claims, 0 failed\n", ["model: 39 claims, 1 failed\n", "model: 0 claims, 0 failed\n", "FAIL\n"]),
    "mutants": ("mutants: 66 of 66 caught\n", ["mutants: 65 of 66 caught\n", "mutants: 0 of 0 caught\n"]),
    "fuzz": ("fuzz: wire runs=10 cov=20 findings=0\nfuzz: text runs=1 cov=2 findings=0\n",
             ["fuzz: wire runs=10 cov=20 findings=1\n", "fuzz: wire runs=0 cov=20 findings=0\n", ""]),
    "coverage": ("coverage: wire 99 %, crypto 100 %\n", [""]),
    "tsan": ("5 passed, 0 failed\n", ["4 passed, 1 failed\n"]),
    "memcheck": ("5 passed, 0 failed\n", [""]),
    "soak": ("soak: 9 handshakes, 9 messages, 1 attacks, RSS 5 -> 5 KiB, descriptors 3 -> 3, wrong accepts 0, "
             "wrong refusals 0\n",
             ["soak: 9 handshakes, 9 messages, 1 attacks, RSS 5 -> 5 KiB, descriptors 3 -> 3, wrong accepts 1, "
              "wrong refusals 0\n", "killed\n"]),
    "machines": ("PASS i386: unit tests\nPASS s390x: unit tests\n", ["PASS i386: a\nFAIL s390x: a\n", ""]),
}


def self_test():
    failures = 0

    def outcome_of(logs):
        with tempfile.TemporaryDirectory() as directory:
            for part, (status, log) in logs.items():
                with open(os.path.join(directory, part + ".log"), "w") as f:
                    f.write(log)
                with open(os.path.join(directory, part + ".status"), "w") as f:
                    f.write("%d 61\n" % status)
            rows = table_of(directory)
            show(rows, open(os.devnull, "w"))
            return {row[0]: row[2] for row in rows}, all(row[2] == "PASS" for row in rows)

    def expect(truth, what):
        nonlocal failures
        print("PASS" if truth else "FAIL", what)
        failures += not truth

    good = {part: (0, log) for part, (log, _) in STUBS.items()}
    names, passed = outcome_of(good)
    expect(passed, "all parts that pass make a table that passes")
    expect(set(STUBS) == set(PARTS), "each part has a stub")
    expect({"threats", "failures", "fuzz wire", "fuzz text", "soak"} <= set(names), "the table has the rows it must")
    for part, (log, bad) in STUBS.items():
        for i, text in enumerate(bad):
            expect(not outcome_of({**good, part: (0, text)})[1], "%s: log %d that fails is seen" % (part, i + 1))
        expect(not outcome_of({**good, part: (1, log)})[1], "%s: a status that is not 0 is seen" % part)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(self_test() if sys.argv[1] == "--self-test" else main(sys.argv[1]))
