#!/usr/bin/python3
"""What secrets decide, told by valgrind.

Usage: secrets.py memory PROGRAM         secrets_test.cc under memcheck: no jump and no address may
                                         depend on a key or hash
       secrets.py instructions PROGRAM [PART]
                                         failures_test.cc under callgrind: refusals for different
                                         reasons cost the same, counted in instructions
       secrets.py --self-test
"""
import glob
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 20  # kRounds of failures_test.cc
MOST = 0.02  # of the dearest refusal; another PART for what was not optimized
REFUSALS = ("wrong_password", "unknown_user", "several_passwords", "disabled_old_password", "hash_of_nobody", "disabled_account", "disabled_right_password",
            "denied_account", "denied_right_password", "account_without_hash", "empty_password",
            "broken_file")
ACCEPTED = "right_password"
SKIP = 77


def memory(program):
    command = ["valgrind", "-q", "--error-limit=no", "--num-callers=20",
               "--suppressions=" + os.path.join(HERE, "secrets.supp"), program]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    passed, failed = (len(re.findall("^%s " % word, done.stdout, re.M)) for word in ("PASS", "FAIL"))
    if failed or done.returncode:
        print(done.stderr)
    print("%d passed, %d failed" % (passed, failed))
    return done.returncode == 0 and passed > 0 and not failed


def work_of(dump):
    """(what, instructions a round) of a dump that the program asked for, else None."""
    what = re.search(r"^desc: Trigger: Client Request: (\S+)$", dump, re.M)
    total = re.search(r"^summary: (\d+)", dump, re.M)
    return (what.group(1), int(total.group(1)) // ROUNDS) if what and total else None


def judge(counts, out, most=MOST):
    """Whether no refusal differs from another by more than `most` of it, and whether that could be seen."""
    lacking = [what for what in REFUSALS + (ACCEPTED,) if what not in counts]
    for what in lacking:
        print("FAIL %s was not measured" % what, file=out)
    if lacking:
        return False
    dearest = max(counts[what] for what in REFUSALS)
    good = True
    for what in REFUSALS:
        fits = dearest - counts[what] <= most * dearest
        good = good and fits
        print("%s %s: %d instructions, %.2f %% less than the dearest refusal" %
              ("PASS" if fits else "FAIL", what, counts[what], 100 * (1 - counts[what] / dearest)), file=out)
    # A login costs something else, or nothing was counted.
    other = abs(counts[ACCEPTED] - dearest) > most * dearest
    print("%s %s: %d instructions, which differ" % ("PASS" if other else "FAIL", ACCEPTED, counts[ACCEPTED]),
          file=out)
    return good and other


def instructions(program, most):
    counts = {}
    with tempfile.TemporaryDirectory(prefix="gss-ntlm-failures-") as directory:
        out = os.path.join(directory, "callgrind")
        # Meson has the C library fill what it hands out, which costs instructions.
        env = {k: v for k, v in os.environ.items() if k != "MALLOC_PERTURB_"}
        done = subprocess.run(["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out, program],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        print(done.stdout, end="")
        for path in glob.glob(out + ".*"):
            with open(path, encoding="utf-8") as file:
                work = work_of(file.read())
            if work:
                counts[work[0]] = work[1]
    return judge(counts, sys.stdout, most) and done.returncode == 0


def self_test():
    even = dict.fromkeys(REFUSALS, 10000)
    cases = [("equal refusals", {**even, ACCEPTED: 20000}, True),
             ("refusals that differ a little", {**even, "unknown_user": 9801, ACCEPTED: 20000}, True),
             ("a quick refusal", {**even, "unknown_user": 9700, ACCEPTED: 20000}, False),
             ("a slow refusal", {**even, "disabled_account": 10300, ACCEPTED: 20000}, False),
             ("one that was not measured", {"wrong_password": 10000, ACCEPTED: 20000}, False),
             ("no difference at all", {**even, ACCEPTED: 10000}, False)]
    wrong = 0
    for what, counts, expected in cases:
        good = judge(counts, io.StringIO()) == expected
        wrong += not good
        print("PASS" if good else "FAIL", what)
    dump = "desc: Trigger: Client Request: unknown_user\nsummary: 20000\n"
    for what, given, expected in [("a dump", dump, ("unknown_user", 1000)), ("the last dump", "summary: 5\n", None)]:
        good = work_of(given) == expected
        wrong += not good
        print("PASS" if good else "FAIL", what)
    return not wrong


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) not in (2, 3) or arguments[0] not in ("memory", "instructions"):
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        print("SKIP there is no valgrind (sh test/deps.sh test installs it)")
        sys.exit(SKIP)
    if arguments[0] == "memory":
        return memory(arguments[1])
    return instructions(arguments[1], float(arguments[2]) if len(arguments) > 2 else MOST)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
