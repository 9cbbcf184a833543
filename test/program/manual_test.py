#!/usr/bin/python3
"""The manual pages and the completion against the program and the example of the settings file.

Usage: manual_test.py PROGRAM SOURCE_ROOT    PASS and FAIL lines; exit status 1 on any FAIL
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
failures = 0


def expect(good, what, why=""):
    global failures
    failures += not good
    print("%s %s%s" % ("PASS" if good else "FAIL", what, "" if good else ": " + why))


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def page(section):
    return text_of("docs/man", "gss-ntlm.%d" % section).replace("\\e", "\\")


def help_of(*command):
    return subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True, check=True).stdout


def names(help_text, title):
    """First words of the lines of a section of a help text."""
    section = re.search(r"^%s:\n((?:  .*\n?)+)" % title, help_text, re.M)
    found = [line.split()[0] for line in section.group(1).splitlines() if re.match(r"  [a-z-]", line)] if section else []
    return {name for names in found for name in names.split(",")}


def commands():
    """Each command, as the words behind the program's name."""
    for name in sorted(names(help_of(), "Subcommands")):
        inner = sorted(names(help_of(name), "Subcommands"))
        yield from ([(name, sub) for sub in inner] if inner else [(name,)])


def check_commands():
    manual = page(1)
    for command in commands():
        expect(re.search(r"\b%s\b" % command[-1], manual), "gss-ntlm(1) has " + " ".join(command), "it does not")
    known = set().union(*(names(help_of(*command), "Options") for command in commands()))
    told = {"--" + name for name in re.findall(r"Fl -([a-z][a-z-]*)|\| -([a-z][a-z-]*)", manual) for name in name if name}
    expect(told <= known, "gss-ntlm(1) has no options but the program's", ", ".join(sorted(told - known)))


def check_variables():
    source = text_of("mech/config/settings.cc")
    for name in re.findall(r'Variable\{"(\w+)"', source):
        expect("Ev " + name in page(7), "gss-ntlm(7) has " + name, "it does not")
    for key in re.findall(r'^#define GSS_NTLM_\w*CS_\w+ "(\w+)"', text_of("include/gssapi/gssapi_ntlm.h"), re.M):
        expect(re.search(r"\b%s\b" % key, page(7)), "gss-ntlm(7) has the store key " + key, "it does not")


def check_form():
    pages = [os.path.join(ROOT, "docs/man/gss-ntlm.%d" % section) for section in (1, 5, 7)]
    try:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        print("SKIP mandoc is not installed")
        return
    # What other systems' pages are called and where they are is not ours to know.
    wrong = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    expect(not wrong, "the pages are well-formed", "\n".join(wrong))


def complete(*words):
    """What bash offers behind these words; the last one is being typed."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gss_ntlm; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", os.path.join(ROOT, "tools/gss-ntlm.bash"), PROGRAM, *words],
                          capture_output=True, text=True, check=True)
    expect(not done.stderr, "completion of '%s' says nothing" % " ".join(words), done.stderr)
    return set(done.stdout.split())


def complete_in_fish(*words):
    """What fish offers behind these words; the last one is being typed. None without fish."""
    if shutil.which("fish") is None:
        return None
    line = " ".join([PROGRAM, *words])
    script = "source %s; complete -c %s -f -a '(__gss_ntlm_candidates)'; complete -C '%s'" % (
        os.path.join(ROOT, "tools/gss-ntlm.fish"), os.path.basename(PROGRAM), line)
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True,
                              env={**os.environ, "HOME": home})
    return {offer.split("\t")[0] for offer in done.stdout.splitlines()}


# The builtins of zsh's completion are replaced by functions that print what they would offer.
ZSH = """
compadd() { [[ $1 == -- ]] && shift; print -l -- "$@"; }
_files() { print FILES; }
typeset -a words; words=("$@"); CURRENT=$#words
. $SCRIPT
"""


def complete_in_zsh(*words):
    """The same for zsh."""
    if shutil.which("zsh") is None:
        return None
    done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", PROGRAM, *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "SCRIPT": os.path.join(ROOT, "tools/gss-ntlm.zsh")})
    expect(not done.stderr, "completion of '%s' in zsh says nothing" % " ".join(words), done.stderr)
    return set(done.stdout.split())


def check_other_shells():
    for shell, offers in (("fish", complete_in_fish), ("zsh", complete_in_zsh)):
        if offers("") is None:
            print("SKIP %s is not installed" % shell)
            continue
        expect(offers("") == names(help_of(), "Subcommands"), "%s offers the commands" % shell, str(offers("")))
        expect("logout" in offers("log"), "%s: log" % shell, str(offers("log")))
        expect(offers("user", "") == names(help_of("user"), "Subcommands"), "%s offers the commands of user" % shell,
               str(offers("user", "")))
        expect(offers("login", "--keyring", "") == {"session", "user", "persistent"}, "%s offers keyrings" % shell)
        expect("--nt-hash" in offers("user", "add", "--"), "%s offers the options of user add" % shell)
        expect(not offers("login", "--for", "x"), "%s knows no targets" % shell, str(offers("login", "--for", "x")))


def check_completion():
    expect(complete("") == names(help_of(), "Subcommands"), "completion offers the commands")
    expect(complete("log") == {"login", "logout"}, "completion of log")
    expect(complete("user", "") == names(help_of("user"), "Subcommands"), "completion offers the commands of user")
    expect(complete("login", "--k") == {"--keyring"}, "completion of login --k")
    expect(complete("login", "--keyring", "") == {"session", "user", "persistent"}, "completion offers keyrings")
    expect("--nt-hash" in complete("user", "add", "--"), "completion offers the options of user add")
    expect(complete("login", "--for", "x") == set(), "completion knows no targets")


check_commands()
check_variables()
check_form()
check_completion()
check_other_shells()
sys.exit(1 if failures else 0)
