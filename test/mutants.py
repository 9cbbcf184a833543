#!/usr/bin/python3
"""Takes one defence away at a time and sees whether the named test notices.

Usage: mutants.py SOURCE WORKDIR [PATTERN]   applies the lines of test/mutants.table, or those that match
                                             the regular expression PATTERN
       mutants.py --table SOURCE             checks the table against the source, and builds nothing
       mutants.py --self-test

SOURCE is the project. WORKDIR, which is made, takes two copies of it with their builds, in which mutants
are tried side by side. A line a mutant: "PASS caught" or "FAIL SURVIVED"; then "mutants: N of M caught".
Exit status 1 when one survived or no longer fits the source.
"""
import collections
import os
import queue
import re
import shutil
import subprocess
import sys
import threading

DOUBLE = "test/hostile/wbclient_double.so"  # of libwbclient
COPIES = 2
FEWEST = 70
SECONDS = 100

Mutant = collections.namedtuple("Mutant", "file before after test")


class Stale(Exception):
    """A line of the table does not fit the source."""


def parse(text):
    """The mutants of a table's text."""
    mutants = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.replace("\\|", "|").replace("\\n", "\n") for part in re.split(r"(?<!\\)\|", line)]
        if len(parts) != 4:
            raise Stale("%d fields instead of 4: %s" % (len(parts), line))
        mutants.append(Mutant(*parts))
    return mutants


def read_table(source):
    with open(os.path.join(source, "test", "mutants.table"), encoding="utf-8") as file:
        return parse(file.read())


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def mutate(text, mutant):
    """`text` with the mutant's change in it."""
    places = text.count(mutant.before)
    if places != 1:
        raise Stale("the text is there %d times" % places)
    if mutant.before == mutant.after:
        raise Stale("nothing is changed")
    return text.replace(mutant.before, mutant.after)


def title(mutant):
    first = next(line for line in mutant.before.split("\n") if line.strip())
    return "%s: %s [%s]" % (mutant.file, first.strip(), mutant.test)


def sources_of(build, program):
    """The files of a program in a table of meson.build: 'PROGRAM': files('FIRST', 'SECOND')."""
    row = re.search(r"^ *'%s': files\(([^)]*)\)" % re.escape(program), build, re.M)
    return re.findall(r"'([^']+)'", row.group(1)) if row else []


class Programs:
    """A program of the tests, or of one case in it: "unit_wire: the name of the case"."""

    def __init__(self, test):
        program, _, self.case = test.partition(": ")
        directory = program.partition("_")[0]
        self.path = "test/%s/%s" % (directory, program)
        self.module = directory in ("spi", "hostile")

    def targets(self):
        double = [DOUBLE] if self.path.endswith("/hostile_mapping") else []
        return [self.path] + (["mech/gss_ntlm.so"] if self.module else []) + double

    def command(self, tree, directory):
        # A comma would separate two names, and a bracket begin a tag.
        case = re.sub(r"([,\[])", r"\\\1", self.case)
        return [os.path.join(directory, self.path)] + ([case] if case else [])

    def exists(self, source):
        directory, name = self.path.split("/")[1:]
        if directory == "hostile":
            path = os.path.join(source, "test", "hostile", name[8:] + "_test.cc")
            return os.path.exists(path) and (not self.case or '"%s"' % self.case in read(path))
        here = os.path.join(source, "test", *(["unit", name[5:]] if directory == "unit" else ["spi"]))
        if not os.path.isdir(here):
            return False
        files = (os.listdir(here) if directory == "unit"
                 else sources_of(read(here, "meson.build"), name[4:]))
        return any('"%s"' % self.case in read(here, file) for file in files if file.endswith(".cc"))


class Scripts:
    """A script of the tests and what it works on; "script:", as in COMMANDS."""

    COMMANDS = {
        "script:secrets": (["test/hostile/hostile_secrets"],
                           ["/usr/bin/python3", "-B", "{tree}/test/hostile/secrets.py", "memory",
                            "{directory}/test/hostile/hostile_secrets"]),
        "script:failures": (["test/hostile/hostile_failures", "mech/gss_ntlm.so"],
                            ["/usr/bin/python3", "-B", "{tree}/test/hostile/secrets.py", "instructions",
                             "{directory}/test/hostile/hostile_failures", "0.1"]),
        "script:commands": (["tools/gss-ntlm", "mech/gss_ntlm.so"],
                            ["/usr/bin/python3", "-B", "{tree}/test/program/commands_test.py",
                             "{directory}/tools/gss-ntlm", "{tree}/docs/ntlm-settings.conf.example",
                             "{directory}/mech/gss_ntlm.so", "{tree}/test/vectors/nlmp.json"]),
        "script:capture": (["tools/gss-ntlm"],
                           ["/usr/bin/python3", "-B", "{tree}/test/program/capture_test.py",
                            "{directory}/tools/gss-ntlm", "{tree}/test/vectors/nlmp.json"]),
        "script:decode": (["tools/gss-ntlm"],
                          ["/usr/bin/python3", "-B", "{tree}/test/program/decode_test.py",
                           "{directory}/tools/gss-ntlm", "{tree}/test/vectors/nlmp.json"]),
        "script:reload": (["test/hostile/hostile_reload", "mech/gss_ntlm.so"],
                          ["{directory}/test/hostile/hostile_reload", "{directory}/mech/gss_ntlm.so",
                           "libgssapi_krb5.so.2"]),
    }

    def __init__(self, test):
        self.test = test

    def targets(self):
        return self.COMMANDS[self.test][0]

    def command(self, tree, directory):
        return [word.format(tree=tree, directory=directory) for word in self.COMMANDS[self.test][1]]

    def exists(self, source):
        if self.test not in self.COMMANDS:
            return False
        return all(os.path.exists(word.format(tree=source)) for word in self.COMMANDS[self.test][1]
                   if word.startswith("{tree}"))


class Corpora:
    """A fuzz target over its committed corpus and some changes of it: "fuzz_NAME"."""

    def __init__(self, test):
        self.program, self.name = "test/fuzz/" + test, test[len("fuzz_"):]

    def targets(self):
        return [self.program, "mech/gss_ntlm.so"]

    def command(self, tree, directory):
        return [os.path.join(directory, self.program), "-mutations=20",
                os.path.join(tree, "test/fuzz/corpus", self.name + ".tar")]

    def exists(self, source):
        return os.path.exists(os.path.join(source, "test/fuzz/targets", self.name + ".cc"))


class Rows:
    """A row of the threat model: a function of test/hostile/rows_*.py."""

    def __init__(self, test):
        self.test = test

    def targets(self):
        return ["mech/gss_ntlm.so"]

    def command(self, tree, directory):
        return ["/usr/bin/python3", "-B", os.path.join(tree, "test/hostile/threats.py"), self.test]

    def exists(self, source):
        here = os.path.join(source, "test", "hostile")
        return any("\ndef %s():" % self.test in read(here, file)
                   for file in os.listdir(here) if re.fullmatch(r"rows_\w+\.py", file))


def test_of(name):
    if name.startswith("script:"):
        return Scripts(name)
    if name.startswith("fuzz_"):
        return Corpora(name)
    return Programs(name) if re.match(r"(unit|spi|hostile)_\w+($|: )", name) else Rows(name)


def run(arguments, **options):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **options)


class Copy:
    """A copy of the source and its build."""

    def __init__(self, source, work):
        self.tree, self.directory = os.path.join(work, "source"), os.path.join(work, "build")
        shutil.copytree(source, self.tree,
                        ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"))
        # Without -g the compiler's output does not depend on the directory, and its cache serves both.
        done = run(["meson", "setup", "-Dbuildtype=plain", "-Doptimization=0", "-Ddebug=false",
                    "-Dcpp_args=-D_GLIBCXX_ASSERTIONS", self.directory, self.tree])
        if done.returncode:
            raise Stale("the source cannot be set up:\n" + done.stdout[-2000:])

    def build(self, targets, jobs=1):
        """What the compiler complained about; empty when all was built."""
        done = run(["ninja", "-C", self.directory, "-j%d" % jobs] + targets)
        return done.stdout[-1500:] if done.returncode else ""

    def passes(self, name):
        test = test_of(name)
        env = dict(os.environ, GSS_MECH_CONFIG=os.path.join(self.directory, "test/spi/gss-ntlm-test.conf"),
                   WBCLIENT_DOUBLE=os.path.join(self.directory, DOUBLE),
                   EXPORTS_MAP=os.path.join(self.tree, "mech/spi/exports.map"),
                   RC_PARAMS="seed=20240229", KRB5_CONFIG="/dev/null",
                   KRB5CCNAME="FILE:/nonexistent/ccache", KRB5_KTNAME="FILE:/nonexistent/keytab")
        try:
            done = run(test.command(self.tree, self.directory), env=env, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return False
        # A name that selects no test would pass for ever.
        none = re.search(r"\b0 passed, 0 failed|No test cases matched|No tests ran", done.stdout)
        return done.returncode == 0 and not none

    def try_one(self, mutant):
        """The line that tells what became of the mutant."""
        path = os.path.join(self.tree, mutant.file)
        text = read(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(mutate(text, mutant))
        try:
            complaint = self.build(test_of(mutant.test).targets())
            if complaint:
                return "FAIL UNBUILT %s\n%s" % (title(mutant), complaint)
            verdict = "FAIL SURVIVED " if self.passes(mutant.test) else "PASS caught "
            return verdict + title(mutant)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def check_table(source, mutants):
    """What is wrong with the table, a line each."""
    wrong = []
    for mutant in mutants:
        try:
            mutate(read(source, mutant.file), mutant)
        except (OSError, Stale) as error:
            wrong.append("STALE %s: %s" % (title(mutant), error))
        if not test_of(mutant.test).exists(source):
            wrong.append("%s: there is no such test" % title(mutant))
    wrong += ["twice: " + title(m) for m, n in collections.Counter(mutants).items() if n > 1]
    if len(mutants) < FEWEST:
        wrong.append("%d mutants, and there shall be %d" % (len(mutants), FEWEST))
    return wrong


def check(source):
    mutants = read_table(source)
    wrong = check_table(source, mutants)
    for line in wrong:
        print("FAIL", line)
    if not wrong:
        print("PASS each of %d mutants fits the source and names a test" % len(mutants))
    return not wrong


def try_all(source, work, mutants):
    """How many were caught; prints the rest of it."""
    waiting = queue.Queue()
    results = collections.Counter()
    lock = threading.Lock()

    def say(line):
        with lock:
            results[line.split()[1]] += 1
            print(line, flush=True)

    copies = [Copy(source, os.path.join(work, str(number))) for number in range(COPIES)]
    tests = sorted({mutant.test for mutant in mutants})
    targets = sorted({target for test in tests for target in test_of(test).targets()})
    for copy in copies:
        complaint = copy.build(targets, COPIES)
        if complaint:
            raise Stale("the unchanged source does not build:\n" + complaint)

    def work_on(copy, jobs):
        while True:
            try:
                say(jobs.get_nowait()(copy))
            except queue.Empty:
                return
            except Stale as stale:
                say("FAIL STALE %s" % stale)

    def all_of(jobs):
        for job in jobs:
            waiting.put(job)
        threads = [threading.Thread(target=work_on, args=(copy, waiting)) for copy in copies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_of([lambda copy, test=test: ("PASS holds %s without a change" if copy.passes(test) else
                                     "FAIL BROKEN %s fails without a change") % test for test in tests])
    all_of([lambda copy, mutant=mutant: copy.try_one(mutant) for mutant in mutants])
    # A test that always fails catches nothing.
    return results["caught"] if not results["BROKEN"] else 0


def self_test():
    line = Mutant("a", "one\ntwo", "x", "row")
    cases = [
        ("a table has comments and escapes", parse("# c\n\na|one\\ntwo|b\\|c|row\n"),
         [Mutant("a", "one\ntwo", "b|c", "row")]),
        ("a text that is there once is changed", mutate("one\ntwo one", line), "x one"),
        ("programs have a case", test_of("unit_wire: a, b").command("", "/f"),
         ["/f/test/unit/unit_wire", "a\\, b"]),
        ("programs have a target", test_of("spi_iov: a").targets(), ["test/spi/spi_iov", "mech/gss_ntlm.so"]),
        ("a corpus has a target", test_of("fuzz_text").targets(), ["test/fuzz/fuzz_text", "mech/gss_ntlm.so"]),
        ("rows are functions", type(test_of("drop_the_mic")), Rows),
        ("few mutants are too few", len(check_table("/nonexistent", [])), 1),
    ]
    for what, function in [
            ("a text that is gone is stale", lambda: mutate("three", line)),
            ("a text that is there twice is stale", lambda: mutate("one\ntwo one\ntwo", line)),
            ("a change that changes nothing is stale", lambda: mutate("one\ntwo", line._replace(after=line[1]))),
            ("a line needs four fields", lambda: parse("a|b|c"))]:
        try:
            cases.append((what, function(), Stale))
        except Stale:
            cases.append((what, Stale, Stale))
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for test, there in [("drop_the_mic", True), ("drop_the_ink", False), ("fuzz_text", True), ("fuzz_none", False), ("script:none", False),
                        ("unit_wire: round trip: NEGOTIATE", True), ("unit_wire: round trip", False),
                        ("unit_none: x", False), ("hostile_memory", True), ("hostile_memory: x", False), ("spi_iov: names: x", False),
                        ("spi_export: fork: a child sends nothing with its parent's context, and says why", True), ("hostile_none", False)]:
        cases.append(("%s: %s" % (test, "is a test" if there else "is none"), test_of(test).exists(source),
                      there))
    wrong = 0
    for what, got, expected in cases:
        wrong += got != expected
        print("PASS" if got == expected else "FAIL (%r)" % (got,), what)
    return not wrong


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if arguments[:1] == ["--table"] and len(arguments) == 2:
        return check(arguments[1])
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    source, work = map(os.path.abspath, arguments[:2])
    mutants = [m for m in read_table(source) if len(arguments) < 3 or re.search(arguments[2], "|".join(m))]
    caught = 0
    try:
        caught = try_all(source, work, mutants)
    except Stale as stale:
        print("FAIL", stale)
    print("mutants: %d of %d caught" % (caught, len(mutants)))
    return caught == len(mutants) > 0


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
