#!/usr/bin/python3
"""Checks the claims about the protocol with Maude.

Usage: check.py [--write] [NAME...]   checks all claims of claims.table, or those named, and that the attacks
                                      found are those of traces.json; --write writes that file instead
       check.py --docs ROOT           checks that docs/model.md, claims.table, traces.json and the tests that
                                      they name agree; runs no search
       check.py --self-test

A line a claim: PASS or FAIL, how many states were seen, and the attack. Then "model: N claims, N failed".
Exit status 1 when a claim fails.
"""
import collections
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FEWEST = 35

Claim = collections.namedtuple("Claim", "name switches start search expected replay")

STARTS = {"once": "start((%s), 1)", "twice": "start-twice((%s), 1)"}
# What each search looks for, as a pattern of a state; W is the rest of it.
OBEYED = "acceptor(J, H, established(%s, %s, R, G, by-attacker, D, L))"
SEARCHES = {
    "honest": ("acceptor(J, H, established(alice, H, R, G, by-user, D, L)) "
               "initiator(alice, answered(H, tls(H), Q, R, TM))", ""),
    "obeyed": (OBEYED % ("U", "T"), ""),
    "obeyed-alice": (OBEYED % ("alice", "T"), ""),
    "obeyed-bob": (OBEYED % ("bob", "T"), ""),
    "obeyed-elsewhere": (OBEYED % ("U", "T"), "T =/= H"),
    "unsigned-acceptor": ("acceptor(J, H, established(alice, T, R, false, O, D, L))", ""),
    "unsigned-initiator": ("initiator(alice, answered(T, C, Q, R, TM))", "not signs(Q)"),
    "ntlmv1-sent": ("initiator(alice, answered(T, C, Q, v1(U, N), TM))", ""),
    "ntlmv1-accepted": ("acceptor(J, H, established(U, T, v1(U, N), G, O, D, L))", ""),
    "short-list": ("acceptor(J, H, established(alice, T, R, G, O, D, short))", ""),
    "twice": ("acceptor(J, H, established(U, T, R, G, O, D, L)) "
              "acceptor(J', H', established(U, T, R, G', O', D', L'))", ""),
    "late": ("acceptor(J, H, established(U, T, R, G, by-attacker, s D, L))", ""),
    "late-bob": ("acceptor(J, H, established(bob, T, R, G, by-attacker, s D, L))", ""),
    "reflected": ("acceptor(3, srv2, established(alice, T, R, G, O, D, L))", ""),
    "false-server": ("initiator(alice, answered(srv1, C, challenge(N, evil, TP, G, P, H), R, TM))", ""),
}
SORTS = {"J": "Nat", "J'": "Nat", "H": "Host", "H'": "Host", "U": "User", "T": "Host", "R": "Response", "G": "Bool",
         "G'": "Bool", "O": "Owner", "O'": "Owner", "D": "Nat", "D'": "Nat", "L": "List", "L'": "List", "Q": "Challenge",
         "TM": "Nat", "C": "Channel", "N": "Nonce", "TP": "Time", "P": "Planted"}


class Mistake(Exception):
    """A table that cannot be read."""


def parse(text):
    claims = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 6:
            raise Mistake("line %d: %d fields instead of 6" % (number, len(parts)))
        claim = Claim(*parts)
        if claim.start not in STARTS or claim.search not in SEARCHES or claim.expected not in ("found", "never") or \
                claim.replay not in ("accepted", "rejected", "-"):
            raise Mistake("line %d: a start, search, result or replay that is none" % number)
        if claim.expected == "never" and claim.replay != "-":
            raise Mistake("line %d: what is never found cannot be replayed" % number)
        claims.append(claim)
    if len({claim.name for claim in claims}) != len(claims):
        raise Mistake("a name is there twice")
    return claims


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_claims():
    return parse(read(os.path.join(HERE, "claims.table")))


def term_of(switches):
    """"defaults + a - b" as a term."""
    words = switches.split()
    if words[0] != "defaults" or len(words) % 2 == 0:
        raise Mistake("switches begin with defaults: " + switches)
    signs = list(zip(words[1::2], words[2::2]))
    known = set(re.findall(r"[a-z0-9-]+", " ".join(re.findall(r"ops ([^:]*) : -> Switch \.", read(
        os.path.join(HERE, "ntlm.maude"))))))
    for sign, word in signs:
        if sign not in "+-" or word not in known:
            raise Mistake("no switch: %s %s" % (sign, word))
    term = "defaults" + "".join(", " + word for sign, word in signs if sign == "+")
    removed = ", ".join(word for sign, word in signs if sign == "-")
    return "(%s) - (%s)" % (term, removed) if removed else term


def command_of(claim):
    pattern, condition = SEARCHES[claim.search]

    def declared(text):
        return re.sub(r"(?<![\w-])([A-Z]+'?)(?![\w'-])",
                      lambda m: "%s:%s" % (m.group(1), SORTS[m.group(1)]), text)
    return "search [1] in CLAIMS : %s =>* W:World %s%s .\n" % (
        STARTS[claim.start] % term_of(claim.switches), declared(pattern),
        " such that " + declared(condition) if condition else "")


def run_maude(commands):
    """The output of Maude for commands."""
    script = "set show advisories off .\nload %s/ntlm.maude\n%squit\n" % (HERE, commands)
    try:
        done = subprocess.run(["maude", "-no-banner", "-no-tecla", "-no-wrap", "-batch"], input=script, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=1800)
    except FileNotFoundError:
        raise Mistake("there is no Maude: sh test/deps.sh all installs it") from None
    if done.returncode or "Warning" in done.stdout or "Error" in done.stdout:
        raise Mistake("Maude complains:\n" + done.stdout[-2000:])
    return done.stdout


def search(claim):
    """(number of states, path that was found or None): the path is labels of rules and the last state."""
    command = command_of(claim)
    output = run_maude(command)
    states = re.search(r"^states: (\d+)", output, re.M)
    found = re.search(r"^Solution 1 \(state (\d+)\)", output, re.M)
    if not states or bool(found) == ("No solution." in output):
        raise Mistake("Maude said neither yes nor no:\n" + output[-2000:])
    if not found:
        return int(states.group(1)), None
    path = run_maude(command + "show path %s .\n" % found.group(1))
    labels = re.findall(r"\[label ([a-z-]+)\]", path)
    last = re.findall(r"^state \d+, World: (.*)$", path, re.M)[-1]
    return int(states.group(1)), (labels, last)


def read_term(text):
    """A term as nested lists: ["name", argument, ...], or "name" without arguments."""
    tokens = re.findall(r"[(),]|[^\s(),]+", text)

    def one(at):
        name, at = tokens[at], at + 1
        if at == len(tokens) or tokens[at] != "(":
            return name, at
        arguments, at = [name], at + 1
        while tokens[at] != ")":
            argument, at = one(at)
            arguments.append(argument)
            at += tokens[at] == ","
        return arguments, at + 1
    terms, at = [], 0
    while at < len(tokens):
        term, at = one(at)
        terms.append(term)
    return terms


def trace_of(claim, path):
    """What test/hostile/rows_model.py replays, from the last state: who answered what, and who accepted it."""
    labels, last = path
    objects = read_term(last)
    answers = {o[1]: o[2] for o in objects if o[0] == "initiator" and o[2] != "idle" and o[2][0] == "answered"}
    (user, answer), = answers.items()
    _, target, channel, challenge, response, _ = answer
    sessions = [o for o in objects if o[0] == "acceptor" and o[3][0] == "established"]
    trace = {"claim": claim.name, "switches": claim.switches, "replay": claim.replay, "steps": labels, "user": user,
             "target": target, "channel": channel if channel == "plain" else "tls(%s)" % channel[1],
             "challenge": dict(zip(("nonce", "names", "time", "sign", "planted"), challenge[1:6]))
             if challenge[0] == "challenge" else {"nonce": challenge[1], "bare": True, "sign": challenge[2]},
             "response": response[0],
             "accepted": [dict(zip(("target", "sign", "obeys", "late", "list"),
                                   (o[3][2], o[3][4], o[3][5], o[3][6], o[3][7])), session=o[1], host=o[2])
                          for o in sessions]}
    return trace


def in_words(trace):
    """The attack on one line."""
    return " > ".join(trace["steps"])


def check_claims(names, write):
    claims = [c for c in read_claims() if not names or c.name in names]
    path = os.path.join(HERE, "traces.json")
    known = {} if write else {t["claim"]: t for t in json.loads(read(path))}
    traces, failed = [], 0
    for claim in claims:
        states, found = search(claim)
        trace = trace_of(claim, found) if found else None
        good = bool(found) == (claim.expected == "found")
        why = "" if good else ", but %s was expected" % claim.expected
        if trace:
            traces.append(trace)
            if good and not write and known.get(claim.name) != trace:
                good, why = False, ", but traces.json has another attack: check.py --write"
        failed += not good
        print("%s %s: %s in %d states%s%s" % ("PASS" if good else "FAIL", claim.name, "found" if found else "never",
                                              states, why, ": " + in_words(trace) if trace else ""), flush=True)
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write("[\n" + ",\n".join(map(json.dumps, traces)) + "\n]\n")
    print("model: %d claims, %d failed" % (len(claims), failed))
    return failed == 0 and len(claims) > 0


def check_docs(root):
    """What of page, table and traces does not agree, a line each."""
    sys.path.insert(0, os.path.join(root, "test"))
    import mutants
    claims = read_claims()
    wrong = [] if len(claims) >= FEWEST else ["%d claims, and there shall be %d" % (len(claims), FEWEST)]
    for claim in claims:
        term_of(claim.switches)
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|(.*)\|(.*)\|$", read(os.path.join(root, "docs", "model.md")), re.M)
    named = [name for name, _, _ in rows]
    wrong += ["%s: docs/model.md has %d rows of it" % (c.name, named.count(c.name)) for c in claims
              if named.count(c.name) != 1]
    wrong += ["%s: docs/model.md has a row of it, and there is no such claim" % n for n in named
              if n not in {c.name for c in claims}]
    table = mutants.read_table(root)
    for name, _, tests in rows:
        for test in re.findall(r"`([^`]+)`", tests):
            if not mutants.test_of(test).exists(root):
                wrong.append("%s: there is no test %s" % (name, test))
        replayed = [c for c in claims if c.name == name and c.replay == "rejected"]
        if replayed and not any(m.test in re.findall(r"`([^`]+)`", tests) for m in table):
            wrong.append("%s: no row of test/mutants.table removes what its tests show" % name)
    traces = {t["claim"]: t for t in json.loads(read(os.path.join(HERE, "traces.json")))}
    for c in claims:
        trace = traces.pop(c.name, None)
        if bool(trace) != (c.expected == "found"):
            wrong.append("%s: traces.json %s an attack" % (c.name, "has" if trace else "lacks"))
        elif trace and (trace["switches"], trace["replay"]) != (c.switches, c.replay):
            wrong.append("%s: traces.json was written for other switches" % c.name)
    wrong += ["%s: traces.json has it, and there is no such claim" % name for name in traces]
    for line in wrong:
        print("FAIL", line)
    if not wrong:
        print("PASS each of %d claims has its row, its trace and its tests" % len(claims))
    return not wrong


def self_test():
    line = "a | defaults - v2-only | once | obeyed | found | rejected\n"
    cases = [("a table has comments", [c.name for c in parse("# c\n\n" + line)], ["a"]),
             ("switches become a term", term_of("defaults + tls - v2-only - name-check"),
              "(defaults, tls) - (v2-only, name-check)"),
             ("terms are read", read_term("on(a,b) c(d(1), no) e"), [["on", "a", "b"], ["c", ["d", "1"], "no"], "e"]),
             ("variables have their sorts", "W:World acceptor(3, srv2, established(alice, T:Host, R:Response" in
              command_of(Claim("a", "defaults", "once", "reflected", "never", "-")), True)]
    for what, function in [("a line needs six fields", lambda: parse("a | b")),
                           ("a search must be known", lambda: parse(line.replace("obeyed", "x"))),
                           ("a name is there once", lambda: parse(line + line)),
                           ("what is never found is not replayed", lambda: parse(line.replace("found", "never"))),
                           ("a switch must be known", lambda: term_of("defaults - v2")),
                           ("a switch has its sign", lambda: term_of("defaults v2-only"))]:
        try:
            cases.append((what, function(), Mistake))
        except Mistake:
            cases.append((what, Mistake, Mistake))
    wrong = 0
    for what, got, expected in cases:
        wrong += got != expected
        print("PASS" if got == expected else "FAIL (%r)" % (got,), what)
    return not wrong


def main(arguments):
    try:
        if arguments == ["--self-test"]:
            return self_test()
        if arguments[:1] == ["--docs"] and len(arguments) == 2:
            return check_docs(arguments[1])
        write = arguments[:1] == ["--write"]
        return check_claims(arguments[write:], write)
    except Mistake as mistake:
        print("FAIL", mistake)
        return False


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
