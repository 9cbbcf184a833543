#!/usr/bin/python3
"""Compares docs/spi.md with the module's exports, exports.map and the public header.

Usage: table.py SOURCE_ROOT MODULE
       table.py --self-test SOURCE_ROOT

The page's table has each of the 71 names that the mechglue looks up, once; those marked yes are what the
module exports and what exports.map names; each of them has a test that exists and calls it. Its list of attributes
has those of gssapi_ntlm.h.
"""
import os
import re
import subprocess
import sys

NAMES = 71
ROW = re.compile(r"^\| (\d+) \| `(gss\w+)` \| (yes|no) \| .* \| (.*) \|$", re.M)
ATTRIBUTE = re.compile(r"^\| `([\w:-]+)` \| ", re.M)
EXPORT = re.compile(r"^ *(gss\w+);$", re.M)
DEFINED = re.compile(r'^#define GSS_NTLM_ATTR_\w+ "([^"]+)"', re.M)
FILE = re.compile(r"`([^`]+)`")
EVERYTHING = "spi/arguments_calls.cc"


def rows_wrong(rows):
    wrong = []
    if [int(number) for number, *_ in rows] != list(range(1, NAMES + 1)):
        wrong.append("the table does not have rows 1 to %d" % NAMES)
    names = [name for _, name, *_ in rows]
    wrong += ["%s is there twice" % n for n in sorted(set(names)) if names.count(n) > 1]
    return wrong


def tests_wrong(name, cell, read):
    files = FILE.findall(cell)
    wrong = ["%s: there is no test/%s" % (name, f) for f in files if read(f) is None]
    if not files:
        wrong.append("%s: no test" % name)
    if '"%s"' % name not in (read(EVERYTHING) or ""):
        wrong.append("%s: %s does not call it" % (name, EVERYTHING))
    return wrong


def mistakes(page, claimed, exported, header, read):
    """What is wrong; `read` gives the text of a test, or None."""
    rows = ROW.findall(page)
    wrong = rows_wrong(rows)
    here = {name for _, name, there, _ in rows if there == "yes"}
    for what, other in (("exports.map", set(claimed)), ("the module", set(exported))):
        wrong += ["%s is in %s, and not in the table" % (n, what) for n in sorted(other - here)]
        wrong += ["%s is in the table, and not in %s" % (n, what) for n in sorted(here - other)]
    for _, name, there, cell in rows:
        if there == "yes":
            wrong += tests_wrong(name, cell, read)
    listed = set(ATTRIBUTE.findall(page))
    wrong += ["attribute %s is not on the page" % a for a in DEFINED.findall(header) if a not in listed]
    return wrong


def text_of(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8") as f:
            return f.read()
    except OSError:
        return None


def exports_of(module):
    listing = subprocess.run(["nm", "-D", "--defined-only", module], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return re.findall(r" [TtWi] (gss\w+)", listing)


def materials(root):
    return (text_of(root, "docs/spi.md"), EXPORT.findall(text_of(root, "mech/spi/exports.map")),
            text_of(root, "include/gssapi/gssapi_ntlm.h"), lambda path: text_of(root, "test", path))


def self_test(root):
    page, claimed, header, read = materials(root)
    cases = {
        "as it is": (page, claimed, header, 0),
        "a row less": (re.sub(r"^\| 14 .*\n", "", page, flags=re.M), claimed, header, 1),
        "an export less": (page, claimed[1:], header, 1),
        "an export more": (page, claimed + ["gss_pseudo_random"], header, 1),
        "a test that is not there": (page.replace("`spi/iov_test.cc`", "`spi/none_test.cc`"), claimed, header, 1),
        "an attribute more": (page, claimed, header + '\n#define GSS_NTLM_ATTR_X "urn:x"\n', 1),
    }
    failed = 0
    for name, (text, names, macros, wanted) in cases.items():
        good = bool(mistakes(text, names, names, macros, read)) == bool(wanted)
        failed += not good
        print("%s %s" % ("PASS" if good else "FAIL", name))
    return 1 if failed else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test(sys.argv[2])
    page, claimed, header, read = materials(sys.argv[1])
    wrong = mistakes(page, claimed, exports_of(sys.argv[2]), header, read)
    for line in wrong:
        print("FAIL docs/spi.md: " + line)
    if not wrong:
        print("PASS docs/spi.md has the module's %d functions and why %d are absent"
              % (len(claimed), NAMES - len(claimed)))
    return 1 if wrong else 0


sys.exit(main())
