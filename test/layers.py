#!/usr/bin/python3
"""Checks the architecture: what each layer may include, and words that must not occur.

Usage: layers.py SOURCE_ROOT    FAIL lines with file, line and rule; exit status 1 when there is one
       layers.py --self-test    plants one offence after the other, and checks whether it is found

The layers, as docs/architecture.md draws them: include/ and mech/base below; mech/wire, mech/crypto
and spnego/ beside each other, spnego/interposer above spnego/; mech/protocol; mech/os, mech/config, mech/names and mech/log;
mech/backends, the interface of account sources and their table, below mech/config; the sources, each
directory in it, none of which sees another; mech/credential; mech/login; mech/spi; tools/. A file includes its own
directory and those that MAY_INCLUDE names. test/ may include everything, and nothing
includes test/.
"""
import os
import re
import subprocess
import sys
import tempfile

BASE = {"mech/base"}
CORE = BASE | {"mech/wire", "mech/crypto", "mech/protocol"}
BACKEND = CORE | {"mech/backends", "mech/os", "mech/config", "mech/names", "mech/log"}
# Any directory of mech/backends, of which each is a room of its own.
A_BACKEND = "mech/backends/*"
BACKEND_ROOM = re.compile(r"mech/backends/[^/]+(?=/)")
MAY_INCLUDE = {
    "include": set(),
    "mech/base": set(),
    "mech/wire": BASE,
    "mech/crypto": BASE,
    "spnego/interposer": BASE | {"spnego"},
    "spnego": BASE,
    "mech/protocol": BASE | {"mech/wire", "mech/crypto"},
    "mech/os": BASE,
    "mech/config": CORE | {"mech/os", "mech/backends"},
    "mech/names": CORE | {"include", "mech/os"},
    "mech/log": CORE | {"mech/os", "mech/config"},
    A_BACKEND: BACKEND,
    "mech/backends": CORE | {"mech/os"},
    "mech/credential": BACKEND | {A_BACKEND},
    "mech/login": BACKEND | {"mech/credential"},
    "mech/spi": {"include"} | BACKEND | {"mech/credential", "mech/login", "spnego"},
    "tools": {"include"} | BACKEND | {A_BACKEND} | {"mech/credential", "spnego", "spnego/interposer"},
}

KNOW_GSSAPI = {"include", "mech/spi", "spnego/interposer", "tools"}
IN_MODULES = {room for room in MAY_INCLUDE if room not in ("include", "tools")}

# (rooms, pattern over code without comments, what is wrong)
CODE_RULES = [
    (set(MAY_INCLUDE) - {"mech/crypto"}, re.compile(r"#\s*include\s*<nettle/"),
     "only mech/crypto knows Nettle"),
    (set(MAY_INCLUDE) - KNOW_GSSAPI, re.compile(r"#\s*include\s*<gssapi"),
     "only mech/spi, spnego/interposer and tools/ know the GSSAPI headers"),
    (set(MAY_INCLUDE) - KNOW_GSSAPI,
     re.compile(r"(?<![\w.>])gss_[a-z_]+\s*\("),
     "nothing below mech/spi calls a gss_ function: it would reach the mechglue's"),
    ({"mech/base", "mech/wire", "mech/crypto", "mech/protocol", "spnego"},
     re.compile(r"#\s*include\s*<(fstream|iostream|unistd\.h|fcntl\.h|pwd\.h|netdb\.h"
                r"|sys/(stat|socket|mman|random|uio)\.h|dirent\.h|filesystem|pthread\.h|thread|mutex)>"),
     "no input, output or threads below mech/os"),
    ({"mech/crypto", "mech/protocol"},
     re.compile(r"\b(memcmp|bcmp|strcmp|strncmp|strcasecmp|strncasecmp)\s*\("),
     "secrets are compared in constant time: use mech/base/secret.h"),
    (set(MAY_INCLUDE), re.compile(r"\bthrow\b(?!\s+std::bad_alloc\b)"),
     "errors are values: the only exception is std::bad_alloc"),
    (IN_MODULES, re.compile(r"\b(abort|exit|_exit|quick_exit|printf|puts|perror)\s*\("),
     "the module never prints or ends its process"),
    (IN_MODULES, re.compile(r"\b(syslog|gmtime_r|localtime_r)\s*\("),
     "no function whose lock a child of fork can find held: use mech/os/system_log.h and mech/base/civil_time.h"),
]

# Over every text file. The words are taken apart here, so that this file does not offend itself.
TEXT_RULES = [
    (re.compile(r"(?<![\w.])/wo" r"rk/|/tmp/w" r"t/"), "a path of a developer's machine"),
    (re.compile(r"\b(deb|security|snapshot|ftp|archive|registry|pypi|files)"
                r"\.(debian|npmjs|pythonhosted|yarnpkg|crates)\.(org|com|io)\b|\bpypi\.org\b"),
     "the host of a package registry"),
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"), "a mark of unfinished work"),
    (re.compile(r"^(<{7}|>{7}) ", re.M), "a merge conflict"),
    (re.compile(r"\bsecurity@[\w.-]+\.(exam" r"ple|invalid|test)\b"), "an address where no report arrives"),
]

COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
SOURCES = (".h", ".cc", ".c", ".inc")


def code_only(text):
    """The text with its comments, strings and characters blanked out, line for line."""
    def blank(match):
        word = match.group(0)
        if word[0] == "/":
            return re.sub(r"[^\n]", " ", word)
        return word[0] + word[0]
    return COMMENT.sub(blank, text)


def room_of(path):
    """The room that a path relative to the root lies in, or None."""
    if match := BACKEND_ROOM.match(path):
        return match.group(0)
    for room in list(MAY_INCLUDE) + ["test"]:
        if path.startswith(room + "/"):
            return room
    return "mech" if path.startswith("mech/") else None


def kind_of(room):
    """What the tables above call a room."""
    return A_BACKEND if room and BACKEND_ROOM.match(room + "/") else room


def included_room(root, path, name):
    """The room of the file that an include names: from the root, or from beside the file."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if os.path.exists(os.path.join(root, beside)):
        return room_of(beside)
    for start in ("", "include"):
        candidate = os.path.normpath(os.path.join(start, name))
        if os.path.exists(os.path.join(root, candidate)):
            return room_of(candidate)
    return room_of(name) or "nowhere"


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def offences_in(root, path, text):
    """Yields (line, what is wrong) for one file."""
    room = room_of(path)
    kind = kind_of(room)
    if path.endswith(SOURCES) and kind in MAY_INCLUDE:
        for match in INCLUDE.finditer(text):
            target = included_room(root, path, match.group(1))
            if target != room and not MAY_INCLUDE[kind] & {target, kind_of(target)}:
                yield line_of(text, match.start(1)), f"{room} may not include {match.group(1)} ({target})"
        code = code_only(text)
        for rooms, pattern, wrong in CODE_RULES:
            if kind in rooms:
                for match in pattern.finditer(code):
                    yield line_of(code, match.start()), f"{match.group(0).strip()}: {wrong}"
    elif path.endswith(SOURCES) and room in ("mech", None):
        yield 1, "this file is in no layer: test/layers.py has the list"
    for pattern, wrong in TEXT_RULES:
        for match in pattern.finditer(text):
            yield line_of(text, match.start()), f"{match.group(0).strip()}: {wrong}"


def files_of(root):
    """Paths of the project's own files, relative to the root."""
    try:
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True).stdout.decode().split("\0")
        return sorted({path for path in listed if path and os.path.isfile(os.path.join(root, path))})
    except (OSError, subprocess.CalledProcessError):
        found = []
        for directory, directories, names in os.walk(root):
            directories[:] = [name for name in directories if not name.startswith("build") and name != ".git"]
            found += [os.path.relpath(os.path.join(directory, name), root) for name in names]
        return sorted(found)


def check(root):
    """All offences below root, as text, and the number of files looked at."""
    found, looked_at = [], 0
    for path in files_of(root):
        with open(os.path.join(root, path), "rb") as file:
            data = file.read()
        if b"\0" in data:
            continue
        looked_at += 1
        text = data.decode("utf-8", "replace")
        found += [f"{path}:{line}: {wrong}" for line, wrong in offences_in(root, path, text)]
    return found, looked_at


GOOD_TREE = {
    "include/gssapi/gssapi_ntlm.h": "#include <gssapi/gssapi.h>\n",
    "mech/base/bytes.h": "// throw nothing, gss_wrap() nothing\n",
    "mech/base/bytes.cc": '#include "mech/base/bytes.h"\nvoid f() { throw std::bad_alloc(); }\n',
    "mech/crypto/seal.h": '#include <nettle/md5.h>\n#include "mech/base/bytes.h"\n',
    "mech/wire/types.h": '#include "mech/base/bytes.h"\nconst char* kText = "memcmp(a, b)";\n',
    "spnego/der.h": '#include "mech/base/bytes.h"\n',
    "spnego/interposer/names.cc": '#include <gssapi/gssapi.h>\n#include "spnego/der.h"\n',
    "mech/protocol/session.h": '#include "mech/crypto/seal.h"\n#include "mech/wire/types.h"\n',
    "mech/names/name.h": '#include <unistd.h>\n#include "mech/protocol/session.h"\n',
    "mech/backends/backend.h": '#include "mech/protocol/session.h"\n',
    "mech/config/settings.h": '#include "mech/backends/backend.h"\n',
    "mech/backends/users/users_file.h": '#include "mech/backends/backend.h"\n#include "mech/config/settings.h"\n',
    "mech/backends/winbind/wbclient.h": '#include "mech/config/settings.h"\n',
    "mech/backends/another/another.cc": '#include "mech/backends/backend.h"\n',
    "mech/credential/credential.cc": '#include "mech/backends/users/users_file.h"\n',
    "mech/login/login.h": '#include "mech/names/name.h"\n',
    "mech/spi/names.cc": '#include <gssapi/gssapi.h>\n#include "mech/names/name.h"\n',
    "tools/main.cc": '#include <cstdio>\n#include "mech/names/name.h"\nint main() { puts(""); }\n',
    "test/unit/a_test.cc": '#include "mech/spi/names.cc"\n',
}

# (what is planted, file, line that is added, words that the answer must have)
PLANTED = [
    ("base includes the public header", "mech/base/bytes.h", '#include "include/gssapi/gssapi_ntlm.h"',
     "may not include"),
    ("base includes wire", "mech/base/bytes.h", '#include "mech/wire/types.h"', "may not include"),
    ("base includes wire, relatively", "mech/base/bytes.h", '#include "../wire/types.h"', "may not include"),
    ("wire includes crypto", "mech/wire/types.h", '#include "mech/crypto/seal.h"', "may not include"),
    ("crypto includes wire", "mech/crypto/seal.h", '# include "mech/wire/types.h"', "may not include"),
    ("spnego includes wire", "spnego/der.h", '#include "mech/wire/types.h"', "may not include"),
    ("protocol includes names", "mech/protocol/session.h", '#include "mech/names/name.h"', "may not"),
    ("spnego includes its interposer", "spnego/der.h", '#include "spnego/interposer/names.cc"',
     "may not include"),
    ("the interposer includes mech/os", "spnego/interposer/names.cc", '#include "mech/os/file.h"',
     "may not include"),
    ("printing in the interposer", "spnego/interposer/names.cc", 'void f() { puts(""); }', "never prints"),
    ("protocol includes spnego", "mech/protocol/session.h", '#include "spnego/der.h"', "may not include"),
    ("a back end includes another", "mech/backends/users/users_file.h",
     '#include "mech/backends/winbind/wbclient.h"', "may not include"),
    ("a back end of any name includes another", "mech/backends/another/another.cc",
     '#include "mech/backends/winbind/wbclient.h"', "may not include"),
    ("a back end includes credentials", "mech/backends/another/another.cc",
     '#include "mech/credential/credential.cc"', "may not include"),
    ("printing in a back end of any name", "mech/backends/another/another.cc", 'void f() { puts(""); }',
     "never prints"),
    ("config includes a back end", "mech/config/settings.h",
     '#include "mech/backends/users/users_file.h"', "may not include"),
    ("the interface of account sources includes one", "mech/backends/backend.h",
     '#include "mech/backends/users/users_file.h"', "may not include"),
    ("names include spi", "mech/names/name.h", '#include "mech/spi/names.cc"', "may not include"),
    ("spi includes tools", "mech/spi/names.cc", '#include "tools/main.cc"', "may not include"),
    ("tools include spi", "tools/main.cc", '#include "mech/spi/names.cc"', "may not include"),
    ("spi includes test", "mech/spi/names.cc", '#include "test/unit/a_test.cc"', "may not include"),
    ("the public header includes base", "include/gssapi/gssapi_ntlm.h", '#include "mech/base/bytes.h"',
     "may not include"),
    ("a file beside the layers", "mech/extra/x.cc", "", "in no layer"),
    ("Nettle in wire", "mech/wire/types.h", "#include <nettle/md4.h>", "knows Nettle"),
    ("GSSAPI in protocol", "mech/protocol/session.h", "#include <gssapi/gssapi.h>", "GSSAPI"),
    ("login includes a back end", "mech/login/login.h", '#include "mech/backends/users/users_file.h"', "may not include"),
    ("GSSAPI in login", "mech/login/login.h", "#include <gssapi/gssapi.h>", "GSSAPI"),
    ("login includes spi", "mech/login/login.h", '#include "mech/spi/names.cc"', "may not include"),
    ("a gss_ call in names", "mech/names/name.h", "int x = gss_release_buffer(&m, &b);", "below mech/spi"),
    ("a file read in protocol", "mech/protocol/session.h", "#include <fstream>", "no input"),
    ("memcmp in crypto", "mech/crypto/seal.h", "bool x = std::memcmp(a, b, 16) == 0;", "constant time"),
    ("strcmp in protocol", "mech/protocol/session.h", "bool x = strcmp (a, b) == 0;", "constant time"),
    ("bcmp in crypto", "mech/crypto/seal.h", "bool x = bcmp(a, b, 16) == 0;", "constant time"),
    ("an exception", "mech/names/name.h", "void f() { throw 1; }", "errors are values"),
    ("printing", "mech/spi/names.cc", 'void f() { std::printf("x"); }', "never prints"),
    ("abort", "mech/base/bytes.cc", "void g() { std::abort(); }", "never prints"),
    ("a machine's path", "test/a.sh", "cd /wo" "rk/x", "a path"),
    ("a registry's host", "README.md", "from deb" ".debian" ".org", "registry"),
    ("unfinished work", "docs/a.md", "TO" "DO: more", "unfinished"),
    ("an invented address", "SECURITY.md", "Write to security@a.exam" "ple.", "no report arrives"),
    ("a merge conflict", "docs/a.md", "<<<<" "<<< HEAD", "conflict"),
]


def plant(directory, tree):
    for path, text in tree.items():
        full = os.path.join(directory, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


def found_when(extra):
    with tempfile.TemporaryDirectory() as directory:
        tree = dict(GOOD_TREE)
        for path, line in extra.items():
            tree[path] = tree.get(path, "") + line + "\n"
        plant(directory, tree)
        return check(directory)[0]


def self_test():
    clean = found_when({})
    print("FAIL a clean tree:" if clean else "PASS a clean tree", *clean)
    missed = bool(clean)
    for name, path, line, words in PLANTED:
        found = found_when({path: line})
        good = len(found) == 1 and words in found[0] and found[0].startswith(path + ":")
        print("PASS" if good else "FAIL", "finds", name, *([] if good else found))
        missed |= not good
    return not missed


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 0 if self_test() else 1
    if len(sys.argv) != 2:
        sys.exit("usage: layers.py SOURCE_ROOT | --self-test")
    found, looked_at = check(sys.argv[1])
    for line in found:
        print("FAIL", line)
    if not looked_at:
        print("FAIL no file was found below", sys.argv[1])
    elif not found:
        print(f"PASS {looked_at} files keep to their layers")
    return 0 if looked_at and not found else 1


if __name__ == "__main__":
    sys.exit(main())
