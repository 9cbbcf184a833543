"""The rows that docs/interop.md is made of, for scripts in Python; interop_row in test/support/common.sh is
the same for the shell, and table.py collects them.

    row("HTTP", "curl --negotiate", version("curl"), "both", "Negotiate; no bindings")
"""
import subprocess

WORKS = "works"


def cell(text):
    return " ".join(str(text).replace("|", "/").split()) or "-"


def row(area, peer, version_text, role, modes, result=WORKS):
    """Prints one row. `role` is ours: "initiator", "acceptor" or "both". A script prints it after the cases that
    it tells of, with a result of "fails" when one of them failed."""
    print("interop: | %s |" % " | ".join(map(cell, (area, peer, version_text, role, modes, result))), flush=True)


def skipped(area, peer, why):
    row(area, peer, "-", "-", "-", "not run: " + why)


def upstream(debian_version):
    """Debian's version without its epoch, its revision and what repacking added."""
    text = debian_version.split(":", 1)[-1].rsplit("-", 1)[0]
    for mark in ("+dfsg", "~dfsg", "+ds", "~ds", "+repack", "~deb", "+deb"):
        text = text.split(mark)[0]
    return text


def version(package):
    """The version of an installed Debian package, or "-"."""
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True,
                           check=False)
    return upstream(asked.stdout) if asked.returncode == 0 and asked.stdout else "-"
