#!/usr/bin/python3
"""Compares what the module costs with what it may cost: test/bench/budget.table.

Usage: budget.py allocations COUNTS MODULE TABLE          allocations and bytes: no more than the table says
       budget.py instructions COUNTS MODULE TABLE COMPILER   instructions under callgrind: at most 5 % more
       budget.py --self-test

COUNTS is the program of counts.cc. Instructions depend on the compiler and on the libraries, so the
table has them for each Debian, processor and COMPILER; where it has none the check is skipped (77), and
prints what the table lacks.
"""
import glob
import os
import platform
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import Bed  # noqa: E402

ROUNDS = 20  # kRounds of counts.cc
SLACK = 1.05
SKIP = 77


def read_table(text):
    """{kind: {place: {work: limit}}}; allocations and bytes have the place ''."""
    table = {}
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        kind, place, work, limit = words if len(words) == 4 else (words[0], "", *words[1:])
        table.setdefault(kind, {}).setdefault(place, {})[work] = int(limit)
    return table


def judge(kind, limits, measured, slack, out):
    """Whether all is within limits. A work without a limit, or a limit without a work, is not."""
    good = True
    for work in sorted(limits.keys() | measured.keys()):
        limit, got = limits.get(work), measured.get(work)
        if limit is None:
            verdict = f"FAIL {kind}: {work} takes {got}, and the table has no limit for it"
        elif got is None:
            verdict = f"FAIL {kind}: {work} is in the table, and was not measured"
        elif got > limit * slack:
            verdict = f"FAIL {kind}: {work} takes {got}, and the table admits {limit * slack:.0f}"
        else:
            verdict = f"PASS {kind}: {work} takes {got} of {limit}"
        good = good and verdict.startswith("PASS")
        print(verdict, file=out)
    return good


def count(program, module):
    """{kind: {work: number}} as the program prints it."""
    with Bed() as bed:
        text = subprocess.run([program], env=bed.environment(module), check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    counts = {}
    for kind, work, number in (line.split() for line in text.splitlines()):
        counts.setdefault(kind, {})[work] = int(number)
    return counts


def instructions_of(dump):
    """(work, instructions a round) of a callgrind file that the program asked for, else None."""
    work = re.search(r"^desc: Trigger: Client Request: (\S+)$", dump, re.M)
    total = re.search(r"^summary: (\d+)", dump, re.M)
    return (work.group(1), round(int(total.group(1)) / ROUNDS)) if work and total else None


def instructions(program, module):
    """{work: instructions}"""
    with Bed() as bed:
        out = os.path.join(bed.path, "callgrind")
        subprocess.run(["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out, program],
                       env=bed.environment(module), check=True, stdout=subprocess.DEVNULL)
        works = {}
        for path in glob.glob(out + ".*"):
            with open(path) as f:
                found = instructions_of(f.read())
            if found:
                works[found[0]] = found[1]
        return works


def this_place(compiler):
    """Debian, processor and compiler, as the table names them."""
    release = {}
    if os.path.exists("/etc/os-release"):
        with open("/etc/os-release") as f:
            release = dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)
    ident = release.get("ID", "unknown").strip('"') + "-" + release.get("VERSION_ID", "").strip('"')
    return "/".join((ident, platform.machine(), compiler))


def check_allocations(program, module, table):
    counts = count(program, module)
    return all([judge(kind, table.get(kind, {}).get("", {}), counts.get(kind, {}), 1, sys.stdout)
                for kind in ("allocations", "bytes")])


def check_instructions(program, module, table, compiler):
    if not shutil.which("valgrind"):
        print("SKIP there is no valgrind (sh test/deps.sh test installs it)")
        sys.exit(SKIP)
    place = this_place(compiler)
    measured = instructions(program, module)
    limits = table.get("instructions", {}).get(place)
    if not limits:
        for work, number in measured.items():
            print("instructions", place, work, number)
        print(f"SKIP budget.table has no instructions for {place}; they would be those above")
        sys.exit(SKIP)
    return judge("instructions", limits, measured, SLACK, sys.stdout)


def self_test():
    class Nowhere:
        @staticmethod
        def write(_):
            pass

    table = read_table("# words\nallocations wrap 1\nallocations wrap_iov 0\n\ninstructions here wrap 1000\n")
    cases = [
        ("as the table says", 1, {"wrap": 1, "wrap_iov": 0}, True),
        ("one allocation more", 1, {"wrap": 2, "wrap_iov": 0}, False),
        ("five per cent more", SLACK, {"wrap": 1050}, True),
        ("more than five per cent more", SLACK, {"wrap": 1051}, False),
        ("an allocation where there may be none", 1, {"wrap": 1, "wrap_iov": 1}, False),
        ("an unknown work", 1, {"wrap": 1, "wrap_iov": 0, "unwrap": 1}, False),
        ("a work not measured", 1, {"wrap": 1}, False),
    ]
    wrong = 0
    for name, slack, measured, expected in cases:
        limits = table["allocations"][""] if slack == 1 else table["instructions"]["here"]
        good = judge("x", limits, measured, slack, Nowhere) == expected
        print("PASS" if good else "FAIL", name)
        wrong += not good
    dump = "desc: Trigger: Client Request: wrap\nsummary: 20000\n"
    for name, given, expected in [("a dump", dump, ("wrap", 1000)), ("the last dump", "summary: 5\n", None)]:
        good = instructions_of(given) == expected
        print("PASS" if good else "FAIL", name)
        wrong += not good
    return wrong == 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) not in (4, 5) or arguments[0] not in ("allocations", "instructions"):
        sys.exit(__doc__)
    with open(arguments[3]) as f:
        table = read_table(f.read())
    if arguments[0] == "allocations":
        return check_allocations(arguments[1], arguments[2], table)
    return check_instructions(arguments[1], arguments[2], table, arguments[4])


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
