#!/usr/bin/python3
"""Counts what Meson's test runs did, test case by test case.

Usage: summary.py LABEL=TESTLOG.json...   prints the output of what failed, the lines about vectors,
                                          the matrix, peers and skipped tests, and as its last line the totals
       summary.py --self-test

An entry of the log is a program or script with any number of cases in it. They are counted from
what it printed: Catch2's closing line, PASS and FAIL lines, or unittest's closing line; a program
that prints none of them is one case. A program that failed without a failed case, because it
crashed or ran out of time, is a failed case too. No case at all is an error.
"""
import io
import json
import re
import sys

CATCH_ALL = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.M)
CATCH_SOME = re.compile(r"^test cases: *(\d+) \|(.*)$", re.M)
LINE = re.compile(r"^(PASS|FAIL|SKIP)\b", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in", re.M)
UNITTEST_BAD = re.compile(r"^FAILED \((.*)\)$", re.M)
UNITTEST_SKIPPED = re.compile(r"^(?:OK|FAILED) \(.*\bskipped=(\d+)", re.M)
SHOWN = re.compile(r"^vectors: .*$", re.M)
SHOWN_ONCE = re.compile(r"^(?:matrix|interop|soak): .*$", re.M)
SKIPPED_RESULT = "SKIP"
GOOD_RESULTS = ("OK", "EXPECTEDFAIL")


def printed_cases(text):
    """Passed and failed cases that the text of a program's output tells of, or (0, 0)."""
    match = CATCH_ALL.search(text)
    if match:
        return int(match.group(1)), 0
    match = CATCH_SOME.search(text)
    if match:
        counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed)", match.group(2))}
        return counts.get("passed", 0), counts.get("failed", 0)
    match = UNITTEST.search(text)
    if match:
        bad = UNITTEST_BAD.search(text)
        failed = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", bad.group(1))) if bad else 0
        skipped = sum(int(n) for n in UNITTEST_SKIPPED.findall(text))
        return int(match.group(1)) - failed - skipped, failed
    words = LINE.findall(text)
    return words.count("PASS"), words.count("FAIL")


def count(entry):
    """Passed, failed, skipped cases of one entry of the log."""
    if entry["result"] == SKIPPED_RESULT:
        return 0, 0, 1
    text = entry.get("stdout", "") + "\n" + entry.get("stderr", "")
    passed, failed = printed_cases(text)
    if entry["result"] in GOOD_RESULTS:
        return (passed if passed + failed else 1), failed, 0
    return passed, max(failed, 1), 0


def summarise(runs, out):
    """Prints the report on [(label, entries)]; whether all is well."""
    total_passed = total_failed = 0
    once = set()
    for label, entries in runs:
        sums = [0, 0, 0]
        for entry in entries:
            counts = count(entry)
            sums = [a + b for a, b in zip(sums, counts)]
            text = entry.get("stdout", "") + "\n" + entry.get("stderr", "")
            if counts[1]:
                print(f"--- {label}: {entry['name']}: {entry['result']}, exit {entry.get('returncode')}",
                      text.strip(), "---", sep="\n", file=out)
            elif counts[2]:
                print(f"{label}: {entry['name']} was skipped:", text.strip()[-300:], file=out)
            for line in SHOWN.findall(text):
                print(f"{label}: {line}", file=out)
            for line in SHOWN_ONCE.findall(text):
                if line not in once:
                    print(line, file=out)
                once.add(line)
        print(f"{label}: {sums[0]} passed, {sums[1]} failed, {sums[2]} skipped"
              f" in {len(entries)} programs", file=out)
        total_passed += sums[0]
        total_failed += sums[1]
        if not sums[0] + sums[1]:
            print(f"{label}: no test ran", file=out)
            total_failed += 1
    print(f"{total_passed} passed, {total_failed} failed", file=out)
    return total_failed == 0


def load(argument):
    label, _, path = argument.partition("=")
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return label, [json.loads(line) for line in log if line.strip()]
    except OSError as error:
        print(f"{label}: {error}", file=sys.stderr)
        return label, []


def self_test():
    def entry(result, stdout):
        return {"name": "x", "result": result, "stdout": stdout}

    cases = [
        ("Catch2, all good", entry("OK", "All tests passed (12 assertions in 3 test cases)"), (3, 0, 0)),
        ("Catch2, one case", entry("OK", "All tests passed (1 assertion in 1 test case)"), (1, 0, 0)),
        ("Catch2, one bad", entry("FAIL", "test cases: 5 | 4 passed | 1 failed\nassertions: 9 | 9 passed"),
         (4, 1, 0)),
        ("Catch2, all bad", entry("FAIL", "test cases: 2 | 2 failed\n"), (0, 2, 0)),
        ("Catch2 3, one skipped", entry("OK", "test cases:  3 |  2 passed | 1 skipped\n"), (2, 0, 0)),
        ("lines", entry("FAIL", "PASS a\nFAIL b\nPASSED is another word\n"), (1, 1, 0)),
        ("unittest", entry("OK", "Ran 7 tests in 0.1s\n\nOK"), (7, 0, 0)),
        ("unittest, bad", entry("FAIL", "Ran 7 tests in 1s\n\nFAILED (failures=1, errors=2)"), (4, 3, 0)),
        ("unittest, one skipped", entry("OK", "Ran 7 tests in 1s\n\nOK (skipped=1)"), (6, 0, 0)),
        ("silent", entry("OK", ""), (1, 0, 0)),
        ("crash after passes", entry("FAIL", "PASS a\nPASS b\n"), (2, 1, 0)),
        ("out of time", entry("TIMEOUT", ""), (0, 1, 0)),
        ("skipped", entry("SKIP", "not here"), (0, 0, 1)),
        ("a failed case, whatever the exit status says", entry("OK", "FAIL a\n"), (0, 1, 0)),
    ]
    wrong = 0
    for name, given, expected in cases:
        got = count(given)
        print("PASS" if got == expected else f"FAIL ({got}, not {expected})", "count:", name)
        wrong += got != expected

    class Nowhere:
        @staticmethod
        def write(_):
            pass

    for name, runs, expected in [
            ("good run", [("a", [entry("OK", "")])], True),
            ("bad run", [("a", [entry("OK", "")]), ("b", [entry("FAIL", "")])], False),
            ("empty run", [("a", [entry("OK", "")]), ("b", [])], False),
            ("run of skips", [("a", [entry("SKIP", "")])], False)]:
        got = summarise(runs, Nowhere)
        print("PASS" if got == expected else "FAIL", "verdict:", name)
        wrong += got != expected
    shown = io.StringIO()
    summarise([(label, [entry("OK", "matrix: | a |\nvectors: b\ninterop: | c |")]) for label in "xy"], shown)
    for line, expected in [("matrix: | a |", 1), ("interop: | c |", 1), ("x: vectors: b", 1), ("y: vectors: b", 1)]:
        got = shown.getvalue().splitlines().count(line)
        print("PASS" if got == expected else "FAIL", "shown:", line)
        wrong += got != expected
    return wrong == 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(0 if self_test() else 1)
    if len(sys.argv) < 2 or not all("=" in argument for argument in sys.argv[1:]):
        sys.exit("usage: summary.py LABEL=TESTLOG.json... | --self-test")
    sys.exit(0 if summarise([load(argument) for argument in sys.argv[1:]], sys.stdout) else 1)
