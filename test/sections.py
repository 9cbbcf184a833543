#!/usr/bin/python3
"""Checks docs/protocol.md: each section that it lists as done has a test that names it.

Usage: sections.py SOURCE_ROOT
       sections.py --self-test

A row of the table is `| section, ... | what | here | tests |`. Where `here` is yes, at least one of the files
in `tests` (in backticks, below test/) must name the section: a test as "[MS-NLMP] 3.4.2, 3.4.3", a file of
vectors in the "section" of an entry. A file that is named and does not exist is an error too.
"""
import os
import re
import sys

ROW = re.compile(r"^\| ([0-9][0-9.]*(?: <\d+>)?(?:, [0-9][0-9.]*)*) \| (.*) \| (yes|no) \|\s*(.*?)\s*\|$", re.M)
FILE = re.compile(r"`([^`]+)`")
SECTION = r"[0-9]+(?:\.[0-9]+)*(?: <\d+>)?"
NAMED = re.compile(
    r"\[MS-NLMP\]{gap}({section}(?:(?:,{gap}|{gap}and{gap}){section})*)".format(
        gap=r"\s+(?:(?://|#)\s*)?", section=SECTION))
IN_JSON = re.compile(r'"section": "([^"]*)"')


def named_in(path, text):
    """The sections that a file names."""
    found = IN_JSON.findall(text) if path.endswith(".json") else NAMED.findall(text)
    return {section for part in found for section in re.findall(SECTION, part)}


def mistakes(document, read):
    """What is wrong with the document's table; `read` gives a file's text, or None."""
    rows = ROW.findall(document)
    wrong = [] if len(rows) >= 40 else ["the table of sections has only %d rows" % len(rows)]
    seen = set()
    for section, here, tests in ((one, here, tests) for sections, _, here, tests in rows
                                 for one in sections.split(", ")):
        if section in seen:
            wrong.append("%s is listed twice" % section)
        seen.add(section)
        if here != "yes":
            continue
        files = FILE.findall(tests)
        texts = {path: read(path) for path in files}
        wrong += ["%s: there is no test/%s" % (section, p) for p, t in texts.items() if t is None]
        if not any(t is not None and section in named_in(p, t) for p, t in texts.items()):
            wrong.append("%s: no test names it: %s" % (section, ", ".join(files) or "none is listed"))
    return wrong


def check(root):
    def read(path):
        try:
            with open(os.path.join(root, "test", path), encoding="utf-8") as f:
                return f.read()
        except OSError:
            return None

    with open(os.path.join(root, "docs", "protocol.md"), encoding="utf-8") as f:
        document = f.read()
    wrong = mistakes(document, read)
    for text in wrong:
        print("FAIL docs/protocol.md: " + text)
    if not wrong:
        print("PASS every section that docs/protocol.md lists as done has a test that names it")
    return not wrong


def self_test():
    files = {"a.cc": "// Says [MS-NLMP] 3.4.2, 3.4.3 and 3.4.10.\n", "b.json": '"section": "4.2.2, 6"',
             "c.cc": "// [MS-NLMP] 7 <82>: levels\n"}
    filler = "".join("| 9.%d | x | no | |\n" % i for i in range(40))
    cases = [
        ("| 3.4.2 | x | yes | `a.cc` |", True), ("| 3.4.3 | x | yes | `b.json`, `a.cc` |", True),
        ("| 3.4.10 | x | yes | `a.cc` |", True), ("| 4.2.2 | x | yes | `b.json` |", True),
        ("| 7 <82> | x | yes | `c.cc` |", True), ("| 3.4.1 | x | yes | `a.cc` |", False),
        ("| 3.4 | x | yes | `a.cc` |", False), ("| 3.4.2 | x | yes | `b.json` |", False),
        ("| 3.4.2 | x | yes | `a.cc`, `gone.cc` |", False), ("| 3.4.2 | x | yes | |", False),
        ("| 9.1 | x | no | |", False), ("| 3.4.2, 3.4.3 | x | yes | `a.cc` |", True),
        ("| 3.4.2, 3.4.4 | x | yes | `a.cc` |", False), ("| 3.4.2, 9.1 | x | yes | `a.cc` |", False),
    ]
    failed = 0
    for row, good in cases:
        if (not mistakes(filler + row + "\n", files.get)) != good:
            failed += 1
            print("FAIL self-test: " + row)
    if not mistakes("", files.get):
        failed += 1
        print("FAIL self-test: an empty table passes")
    print("PASS self-test" if not failed else "%d failed" % failed)
    return not failed


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    return check(sys.argv[1])


sys.exit(0 if main() else 1)
