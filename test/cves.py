#!/usr/bin/python3
"""Checks that each row of docs/cves.md names tests and a mutant that exist.

Usage: cves.py SOURCE_ROOT    FAIL lines; exit status 1 when there is one
       cves.py --self-test

A row is "| number | program | fault | this module | `test`, ... | `file: test` |": the last cell is the file and the test of a line
of test/mutants.table. Tests are written as there.
"""
import os
import re
import sys

import mutants

FEWEST = 50
NUMBER = re.compile(r"CVE-(20(?:0[89]|1\d|2[0-6]))-\d{4,7}|\[[^\]]+\]\(https://\S+\)|ticket \d+")
HEAD = ("number", "---")


def rows_of(text):
    """The cells of each row."""
    rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in text.splitlines()
            if line.startswith("|")]
    return [row for row in rows if not row[0].startswith(HEAD)]


def defects_of(row, exists, lines):
    """What is wrong with a row; `exists` tells whether there is a test, `lines` has file and test of each mutant."""
    if len(row) != 6 or not all(row):
        return ["%s: %d cells, and six are needed" % (row[0], len([cell for cell in row if cell]))]
    number, tests, mutant = row[0], re.findall(r"`([^`]+)`", row[4]), re.fullmatch(r"`([^`]+?): ([^`]+)`", row[5])
    wrong = [] if NUMBER.fullmatch(number) else ["%s: no number of 2008 to 2026, and no report" % number]
    wrong += [] if tests else ["%s: no test" % number]
    wrong += ["%s: there is no test %s" % (number, test) for test in tests if not exists(test)]
    if not mutant or mutant.groups() not in lines:
        wrong.append("%s: test/mutants.table has no line of %s" % (number, row[5]))
    return wrong


def check(root):
    with open(os.path.join(root, "docs", "cves.md"), encoding="utf-8") as file:
        rows = rows_of(file.read())
    lines = {(m.file, m.test) for m in mutants.read_table(root)}
    wrong = [d for row in rows for d in defects_of(row, lambda test: mutants.test_of(test).exists(root), lines)]
    numbers = [row[0] for row in rows]
    wrong += ["%s: two rows" % n for n in sorted(set(numbers)) if numbers.count(n) > 1]
    if len(rows) < FEWEST:
        wrong.append("%d rows, and there shall be %d" % (len(rows), FEWEST))
    for line in wrong:
        print("FAIL", line)
    if not wrong:
        print("PASS each of %d vulnerabilities has its tests and its mutant" % len(rows))
    return not wrong


def self_test():
    good = ["CVE-2019-1040", "Windows", "a fault", "an answer", "`a`, `unit_b: c, d`", "`mech/x.cc: unit_b: c, d`"]
    known, lines = {"a", "unit_b: c, d"}, {("mech/x.cc", "unit_b: c, d")}

    def changed(at, cell):
        return good[:at] + [cell] + good[at + 1:]
    cases = [("a whole row", good, 0), ("a report without a number", changed(0, "[#7](https://x.example/7)"), 0),
             ("a number that is none", changed(0, "CVE-2019-xxxx"), 1), ("a year before 2008", changed(0, "CVE-2003-0001"), 1),
             ("no test", changed(4, "none"), 1), ("a test that is none", changed(4, "`a`, `b`"), 1),
             ("a mutant of another file", changed(5, "`mech/y.cc: unit_b: c, d`"), 1),
             ("a mutant of another test", changed(5, "`mech/x.cc: a`"), 1), ("no mutant", changed(5, "none"), 1),
             ("an empty cell", changed(3, ""), 1), ("five cells", good[:5], 1)]
    wrong = 0
    for what, row, expected in cases:
        got = len(defects_of(row, known.__contains__, lines))
        wrong += got != expected
        print("PASS" if got == expected else "FAIL (%d defects)" % got, what)
    read = rows_of("# x\n| number | p |\n|---|---|\n| CVE-1 | `a\\|b` |\n") == [["CVE-1", "`a\\|b`"]]
    print("PASS" if read else "FAIL", "rows are read, heads are not")
    return not wrong and read


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if (self_test() if sys.argv[1] == "--self-test" else check(sys.argv[1])) else 1)
