#!/usr/bin/python3
"""Takes one defence away at a time and sees whether the named test notices.

Usage: mutants.py SOURCE WORKDIR [PATTERN]. SOURCE is the project; WORKDIR, which is made, takes a
copy of it and its build. Prints a line a mutant and "N caught, N survived"; exit status 1 when one
survived or no longer fits the source.
"""
import os
import re
import shutil
import subprocess
import sys

SOURCE, WORK = map(os.path.abspath, sys.argv[1:3])
PATTERN = sys.argv[3] if len(sys.argv) > 3 else ""


def read_table():
    with open(os.path.join(SOURCE, "test", "mutants.table"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            parts = re.split(r"(?<!\\)\|", line.rstrip("\n"))
            yield [part.replace("\\|", "|").replace("\\n", "\n") for part in parts]


def run(arguments, **options):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def build(folder):
    targets = ["mech/gss_ntlm.so", "test/hostile/hostile_memory"]
    return run(["ninja", "-C", folder, "-j2"] + targets)


def run_test(tree, folder, test):
    env = dict(os.environ, GSS_MECH_CONFIG=os.path.join(folder, "test/spi/gss-ntlm-test.conf"),
               KRB5_CONFIG="/dev/null", KRB5CCNAME="FILE:/nonexistent/ccache",
               KRB5_KTNAME="FILE:/nonexistent/keytab")
    if test.startswith("program:"):
        command = [os.path.join(folder, "test/hostile/hostile_" + test[8:])]
    else:
        command = ["/usr/bin/python3", "-B", os.path.join(tree, "test/hostile/threats.py"), test]
    try:
        done = run(command, env=env, timeout=120)
    except subprocess.TimeoutExpired:
        return False
    # A name that selects no test would pass for ever.
    return done.returncode == 0 and "0 passed, 0 failed" not in done.stdout


def main():
    tree, folder = os.path.join(WORK, "source"), os.path.join(WORK, "build")
    shutil.copytree(SOURCE, tree, ignore=shutil.ignore_patterns("build*", ".git", "corpus"))
    setup = run(["meson", "setup", "--buildtype=debug", folder, tree])
    if setup.returncode or build(folder).returncode:
        sys.exit("the unchanged source does not build:\n" + setup.stdout[-2000:] +
                 build(folder).stdout[-2000:])
    table = [m for m in read_table() if PATTERN in "|".join(m)]
    caught, wrong = 0, 0
    for test in sorted({m[3] for m in table}):
        if not run_test(tree, folder, test):
            wrong += 1
            print("BROKEN   %s fails on the unchanged source" % test, flush=True)
    for name, before, after, test in table:
        path = os.path.join(tree, "mech", name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        what = "%s: %s" % (name, before.strip().split("\n")[0])
        if text.count(before) != 1:
            wrong += 1
            print("STALE    %s (there %d times)" % (what, text.count(before)), flush=True)
            continue
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(before, after))
        try:
            made = build(folder)
            if made.returncode:
                wrong += 1
                print("UNBUILT  %s\n%s" % (what, made.stdout[-600:]), flush=True)
            elif run_test(tree, folder, test):
                wrong += 1
                print("SURVIVED %s [%s]" % (what, test), flush=True)
            else:
                caught += 1
                print("caught   %s [%s]" % (what, test), flush=True)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    print("%d caught, %d survived" % (caught, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
