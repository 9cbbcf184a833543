#!/usr/bin/python3
"""Finds the words that the glossary of CONTRIBUTING.md replaces, in prose, comments and string literals.

Usage: language.py SOURCE_ROOT            FAIL lines with file, line, word and replacement; exit status 1 if there is one
       language.py --count SOURCE_ROOT    number of hits below each directory
       language.py --self-test

A row of the glossary is `| term | meaning | not |`; its last column lists words and phrases, separated by commas. A phrase
matches in any case and across line breaks, as whole words. Code is not prose: code blocks and `code` of Markdown, literal
macros of manual pages, and everything in sources except comments and string literals are skipped.
"""
import collections
import io
import os
import re
import subprocess
import sys
import tempfile
import tokenize

GLOSSARY = re.compile(r"^## Glossary\n+((?:.*\n)*?)(?=^## |\Z)", re.M)
ROW = re.compile(r"^\| (?!term |-)([^|\n]*) \|[^|\n]*\| ([^|\n]+) \|$", re.M)
# What begins a line of a comment, or ends one literal and begins the next: nothing that a reader reads.
BETWEEN = r"(?:\s|\\n|\"\s*\"|//+<?|(?<=\n)\s*[#*>.]\s)+"
CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(\'(?:\\.|[^\'\\\n])*\')', re.S)
SHELL = re.compile(r"(?:^|(?<=\s))#[^\n]*|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.S)
IN_SHELL = re.compile(r"\$\w+|\$\{[^}]*\}|\$\([^()]*\)")
MARKDOWN_CODE = re.compile(r"^```.*?^```|(?:(?<=\n\n)|\A)(?:(?: {4}|\t)[^\n]*\n+)+|`[^`\n]+`|<!--.*?-->|\]\([^)\s]*\)", re.M | re.S)
MANUAL_CODE = re.compile(r"^\.Bd .*?^\.Ed|^\.(?:Dl|Li|Pa|Cm|Ev|Fn|Ar|Xr|In|Nm|It Li|It Pa|It Ev|It Cm)\b[^\n]*", re.M | re.S)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def without(pattern, text):
    return pattern.sub(lambda match: blank(match.group(0)), text)


def only(pattern, text, keep=lambda match: match.group(0)):
    """The text with everything blanked out that does not match, line for line."""
    parts, end = [], 0
    for match in pattern.finditer(text):
        parts += [blank(text[end:match.start()]), keep(match)]
        end = match.end()
    return "".join(parts) + blank(text[end:])


def python_prose(text):
    """Comments and string literals of Python; the fields of a formatted string are code."""
    lines = text.splitlines(True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    kept, end = [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            begin = starts[token.start[0] - 1] + token.start[1]
            fields = re.compile(r"\{[^{}\n]*\}") if re.match(r"[rRbB]*[fF]", token.string) else re.compile(r"(?!)")
            kept += [blank(text[end:begin]), without(fields, token.string)]
            end = begin + len(token.string)
    return "".join(kept) + blank(text[end:])


def prose_of(path, text):
    """What a person reads in a file, in its place; None for a file without prose."""
    name = os.path.basename(path)
    if path == "CONTRIBUTING.md":
        text = GLOSSARY.sub(lambda match: without(ROW, match.group(0)), text)
    if name.endswith(".md"):
        return without(MARKDOWN_CODE, text)
    if re.search(r"\.[1-8]$", name):
        return without(MANUAL_CODE, text)
    if name.endswith((".h", ".cc", ".c", ".inc")):
        return only(CODE, text, lambda match: blank(match.group(0)) if match.group(2) else match.group(0))
    if name.endswith(".py"):
        return python_prose(text)
    if name.endswith((".sh", ".bash", ".build", ".options")) or text.startswith("#!/bin/sh"):
        return only(SHELL, text, lambda match: without(IN_SHELL, match.group(0)))
    if name.endswith((".example", ".svg", ".spec", ".table")) or name in ("control", "copyright", "rules", "Dockerfile"):
        return text
    return None


def banned(contributing):
    """[(pattern, phrase, what to write instead)] of the glossary."""
    section = GLOSSARY.search(contributing)
    found = []
    for term, phrases in ROW.findall(section.group(1) if section else ""):
        for phrase in filter(None, (part.strip() for part in phrases.split(","))):
            pattern = BETWEEN.join(map(re.escape, phrase.split()))
            found.append((re.compile(r"(?<![\w-])" + pattern + r"(?![\w-])", re.I), phrase, term))
    return found


def hits(path, text, words):
    """(line, phrase, what to write instead) of one file."""
    prose = prose_of(path, text)
    if prose is None:
        return
    for pattern, phrase, term in words:
        for match in pattern.finditer(prose):
            yield prose.count("\n", 0, match.start()) + 1, phrase, term


def files_of(root):
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        names = [os.path.relpath(os.path.join(place, name), root) for place, _, files in os.walk(root) for name in files]
    return sorted({name for name in names if not name.startswith("build/") and os.path.isfile(os.path.join(root, name))})


def text_of(root, path):
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    return None if b"\0" in data else data.decode("utf-8", "replace")


def search(root):
    """[(path, line, phrase, term)] in all files, their number, and the number of banned phrases."""
    words = banned(text_of(root, "CONTRIBUTING.md") if os.path.exists(os.path.join(root, "CONTRIBUTING.md")) else "")
    found, read = [], 0
    for path in files_of(root):
        text = text_of(root, path)
        if text is not None and prose_of(path, text) is not None:
            read += 1
            found += [(path, *hit) for hit in hits(path, text, words)]
    return found, read, len(words)


def check(root):
    found, read, words = search(root)
    for path, line, phrase, term in found:
        print(f"FAIL {path}:{line}: '{phrase}'; use: {term}")
    if not words or not read:
        print(f"FAIL {words} phrases of the glossary and {read} files below {root}")
        return False
    if not found:
        print(f"PASS {read} files use none of the {words} phrases that the glossary replaces")
    return not found


def count(root):
    found, *_ = search(root)
    places = collections.Counter("/".join(path.split("/")[:2]) if "/" in path else path for path, *_ in found)
    for place, number in sorted(places.items()):
        print(f"{number:5} {place}")
    for phrase, number in collections.Counter(phrase for _, _, phrase, _ in found).most_common():
        print(f"{number:5} '{phrase}'")
    print(f"{len(found):5} in all")
    return True


GLOSSARY_OF_TEST = """## Glossary

| term | meaning | not |
|---|---|---|
| apple | a fruit | pomaceous thing, pomes |
| pear | another fruit | |

## End
"""

# (name, path, text, line of the hit or None)
PLANTED = [
    ("prose", "docs/a.md", "x\nA Pomaceous Thing.\n", 2),
    ("a phrase over two lines", "docs/a.md", "a pomaceous\nthing\n", 1),
    ("a part of a word", "docs/a.md", "epomes, pomes-like\n", None),
    ("a code block", "docs/a.md", "x\n\n```sh\npomes\n```\n", None),
    ("an indented block", "docs/a.md", "x\n\n    pomes\n\ny\n", None),
    ("a continued list entry", "docs/a.md", "* x\n    pomes\n", 2),
    ("code in a line", "docs/a.md", "x `pomes` y\n", None),
    ("prose after code in a line", "docs/a.md", "x `y` pomes\n", 1),
    ("the target of a link", "docs/a.md", "[x](pomes.md)\n", None),
    ("the text of a link", "docs/a.md", "[pomes](x.md)\n", 1),
    ("a table", "README.md", "| a | pomes |\n", 1),
    ("the glossary itself", "CONTRIBUTING.md", GLOSSARY_OF_TEST, None),
    ("prose beside the glossary", "CONTRIBUTING.md", GLOSSARY_OF_TEST + "\npomes\n", 10),
    ("a manual page", "docs/man/x.1", ".Sh NAME\nsome pomes\n", 2),
    ("a literal of a manual page", "docs/man/x.1", ".Li pomes\n.Bd -literal\npomes\n.Ed\n", None),
    ("a comment of C++", "packaging/a.cc", "int x;\n// a pomaceous\n// thing\n", 2),
    ("a block comment of C++", "packaging/a.cc", "/* x\n * pomes\n */\n", 2),
    ("a literal of C++", "packaging/a.cc", 'f("\\"pomes");\n', 1),
    ("a literal in two parts", "packaging/a.cc", 'f("a pomaceous "\n  "thing");\n', 1),
    ("a name in C++", "packaging/a.cc", "int pomes = x['\"'] + pomes;\n", None),
    ("a comment of Python", "packaging/a.py", "x = 1  # pomes\n", 1),
    ("a literal of Python", "packaging/a.py", 'x = """\npomes"""\n', 2),
    ("a name in Python", "packaging/a.py", 'pomes = f"{pomes}"\n', None),
    ("a comment of a shell script", "packaging/a.sh", "x=1 # pomes\n", 1),
    ("a literal of a shell script", "packaging/a.sh", "x='pomes'\n", 1),
    ("a name in a shell script", "packaging/a.sh", 'pomes=1; x="$pomes ${pomes}"\n', None),
    ("a picture", "docs/a.svg", "<text>pomes</text>\n", 1),
]


def found_in(path, text):
    with tempfile.TemporaryDirectory() as root:
        for name, content in {"CONTRIBUTING.md": GLOSSARY_OF_TEST, path: text}.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(content)
        return search(root)[0]


def self_test():
    failed = 0
    for name, path, text, line in PLANTED:
        found = found_in(path, text)
        good = [(where, at) for where, at, *_ in found] == ([(path, line)] if line else [])
        failed += not good
        print("PASS" if good else "FAIL", ("finds " if line else "skips ") + name, *([] if good else found))
    suggested = found_in("docs/a.md", "pomes\n")[0][3] == "apple"
    print("PASS" if suggested else "FAIL", "names the term of the glossary")
    return not failed and suggested


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) == 2 and arguments[0] == "--count":
        return count(arguments[1])
    if len(arguments) != 1:
        sys.exit(__doc__)
    return check(arguments[0])


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
