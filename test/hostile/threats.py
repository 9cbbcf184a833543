#!/usr/bin/python3
"""The threat table, row by row, against the module through the real mechglue.

Usage: threats.py [--model FILE] [ROW...]. Prints PASS and FAIL lines and "N passed, N failed";
with --model also fails when the table has a row that no test answers, or names a test that is not.
GSS_MECH_CONFIG must register the module.
"""
import importlib
import os
import re
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True


def module_path():
    with open(os.environ["GSS_MECH_CONFIG"], encoding="utf-8") as file:
        return file.read().split()[2]


def preload_sanitizer():
    """A module under ASan wants its runtime first in the process: start again with it."""
    needed = subprocess.run(["ldd", module_path()], capture_output=True, text=True).stdout
    found = re.search(r"libasan\.so\S* => (\S+)", needed)
    if found and "LD_PRELOAD" not in os.environ:
        # The interpreter leaves memory behind at its end, which is its own affair.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0:quarantine_size_mb=1"
        env = dict(os.environ, LD_PRELOAD=found.group(1), ASAN_OPTIONS=options)
        os.execve(sys.executable, [sys.executable] + sys.argv, env)


def check_model(path, cases):
    """Rows without a test, and tests that the table does not name."""
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if re.match(r"\| *(\d+|trap) *\|", line)]
    rows = {}
    named = set()
    for line in lines:
        number = re.match(r"\| *(\d+|trap)", line).group(1)
        tests = re.findall(r"`([a-z_0-9]+)`", line.split("|")[-2])
        rows.setdefault(number, []).extend(tests)
        named.update(tests)
    defects = ["row %d is not in the table" % n for n in range(1, 53) if str(n) not in rows]
    defects += ["row %s names no test" % n for n in rows if not rows[n]]
    known = {function.__name__: str(number) for number, _, function in cases}
    elsewhere = set(re.findall(r"^\* `([a-z_0-9]+)`: ", open(path, encoding="utf-8").read(), re.M))
    defects += ["%s is named and does not exist" % t for t in sorted(named - set(known) - elsewhere)]
    defects += ["%s is not in the table" % t for t in sorted(set(known) - named)]
    defects += ["row %s does not name its test %s" % (n, t) for t, n in known.items()
                if t in named and t not in rows.get(n, [])]
    return defects


def main():
    arguments = sys.argv[1:]
    model = None
    if arguments[:1] == ["--model"]:
        model, arguments = arguments[1], arguments[2:]
    preload_sanitizer()
    import harness
    for name in ("rows_handshake", "rows_relay", "rows_parser", "rows_session", "rows_spnego", "rows_arguments",
                 "rows_glue", "rows_policy", "rows_process", "rows_model"):
        importlib.import_module(name)
    world = harness.World()
    harness.WORLD = world
    passed = failed = 0
    try:
        for number, what, function in harness.CASES:
            if arguments and str(number) not in arguments and function.__name__ not in arguments:
                continue
            label = "row %s: %s [%s]" % (number, what, function.__name__)
            try:
                function()
                passed += 1
                print("PASS " + label, flush=True)
            except Exception as error:  # a case may fail in any way; the rest goes on
                failed += 1
                print("FAIL %s: %s" % (label, error), flush=True)
                if not isinstance(error, harness.Wrong):
                    traceback.print_exc(file=sys.stdout)
    finally:
        world.close()
    if model:
        for defect in check_model(model, harness.CASES):
            failed += 1
            print("FAIL threat model: " + defect)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
