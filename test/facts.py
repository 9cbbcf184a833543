#!/usr/bin/python3
"""Checks facts that stand in two files because two kinds of readers need them.

Usage: facts.py SOURCE_ROOT    FAIL lines; exit status 1 when there is one

The minor codes: include/gssapi/gssapi_ntlm.h for programs, mech/base/minor_codes.inc for the module.
That each row of the table is in the header with its number is checked when the module is compiled.
"""
import os
import re
import sys


def names(root, path, pattern):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return set(re.findall(pattern, file.read(), re.M))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: facts.py SOURCE_ROOT")
    root = sys.argv[1]
    header = names(root, "include/gssapi/gssapi_ntlm.h", r"^#define GSS_NTLM_S_(\w+) 0x") - {"BASE"}
    table = names(root, "mech/base/minor_codes.inc", r"^X\((\w+),")
    for name in sorted(header ^ table):
        missing = "mech/base/minor_codes.inc" if name in header else "include/gssapi/gssapi_ntlm.h"
        print(f"FAIL the minor code {name} is missing from {missing}")
    if not header:
        print("FAIL include/gssapi/gssapi_ntlm.h defines no minor code")
    if header and header == table:
        print(f"PASS {len(table)} minor codes are in the header and in the table")
    return 0 if header and header == table else 1


if __name__ == "__main__":
    sys.exit(main())
