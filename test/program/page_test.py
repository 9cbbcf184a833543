#!/usr/bin/python3
"""The page of `gss-ntlm decode --html` in a real browser, as wide as a desk's screen and as a telephone's.

Usage: page_test.py PROGRAM VECTORS    PASS and FAIL lines; exit status 1 on any FAIL, 77 without Chromium
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

PROGRAM, VECTORS = sys.argv[1:3]
failures = 0


def expect(good, what, why=""):
    global failures
    failures += not good
    print("%s %s%s" % ("PASS" if good else "FAIL", what, "" if good else ": " + str(why)))


def exchange():
    """The three tokens of a published exchange, hexadecimal."""
    with open(VECTORS, encoding="utf-8") as f:
        vectors = json.load(f)["vectors"]
    found = next(v for v in vectors if v["id"] == "capture.epa.mic")["in"]
    return [found[name] for name in ("negotiate", "challenge", "authenticate")]


def browse(directory, page, *options):
    return subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
         "--disable-background-networking", "--user-data-dir=" + os.path.join(directory, "profile"), *options,
         "file://" + page], capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "HOME": directory})


def colours(path):
    """Size and number of distinct pixels of a PNG of 8 bits a sample."""
    with open(path, "rb") as f:
        data = f.read()
    width, height, _, kind = struct.unpack(">IIBB", data[16:26])
    at, packed = 8, b""
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if name == b"IDAT" else b""
        at += 12 + size
    step = {2: 3, 6: 4}[kind]
    rows = zlib.decompress(packed)
    # Filtered bytes will do: a page with nothing on it has next to no differences between pixels.
    return width, height, len({rows[i:i + step] for i in range(0, len(rows), 97)})


def measure(directory, page, width):
    """What the page says of itself in a window of that width."""
    copy = os.path.join(directory, "measured.html")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    frame = ('<!DOCTYPE html><iframe id="f" style="width:%dpx;height:800px;border:0"></iframe><script>'
             'const f = document.getElementById("f"); f.srcdoc = %s; f.onload = () => {'
             'const d = f.contentDocument; document.title = [d.documentElement.scrollWidth, d.body.innerText.length,'
             'd.querySelectorAll("svg").length].join(" "); };</script>'
             % (width, json.dumps(text).replace("</", "<\\/")))
    with open(copy, "w", encoding="utf-8") as f:
        f.write(frame)
    dom = browse(directory, copy, "--virtual-time-budget=3000", "--dump-dom").stdout
    title = re.search(r"<title>(\d+) (\d+) (\d+)</title>", dom)
    return tuple(map(int, title.groups())) if title else (0, 0, 0)


def main():
    if shutil.which("chromium") is None:
        print("SKIP chromium is not installed (sh test/deps.sh all)")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        page = os.path.join(directory, "exchange.html")
        done = subprocess.run([PROGRAM, "decode", "--html", page, *exchange()], capture_output=True, text=True, check=False)
        expect(done.returncode == 0, "decode --html writes a page", done.stderr)
        with open(page, encoding="utf-8") as f:
            text = f.read()
        expect(not re.search(r'(?:src|href)="(?!#)|url\(|@import', text), "the page is one file and fetches nothing")
        for what, width in (("a telephone", 360), ("a desk", 1280)):
            needed, letters, _ = measure(directory, page, width)
            expect(0 < needed <= width, "the page is no wider than the screen of %s" % what, needed)
            expect(letters > 1000, "there is text to read on %s" % what, letters)
        shot = os.path.join(directory, "page.png")
        browse(directory, page, "--window-size=1280,1600", "--screenshot=" + shot)
        if os.path.exists(shot):
            width, height, distinct = colours(shot)
            expect((width, height) == (1280, 1600) and distinct > 20, "the screenshot shows something", distinct)
        else:
            expect(False, "there is a screenshot")
    return 1 if failures else 0


sys.exit(main())
