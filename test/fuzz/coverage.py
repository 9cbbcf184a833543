#!/usr/bin/python3
"""Lines covered by file and directory, from llvm-cov's summary. Usage: coverage.py NAME SUMMARY.

Exit status 1 below 97 % of all lines together.
"""
import json
import os
import sys

DIRECTORIES = ("wire", "crypto", "protocol")
DEMANDED = 97.0


def main():
    name, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        files = json.load(file)["data"][0]["files"]
    sums = {directory: [0, 0] for directory in DIRECTORIES + ("together",)}
    for entry in sorted(files, key=lambda entry: entry["filename"]):
        directory = os.path.basename(os.path.dirname(entry["filename"]))
        count, covered = (entry["summary"]["lines"][key] for key in ("count", "covered"))
        if directory not in DIRECTORIES or not count:
            continue
        for key in (directory, "together"):
            sums[key][0] += count
            sums[key][1] += covered
        print("  %-28s %5.1f %%  %d of %d" % (
            directory + "/" + os.path.basename(entry["filename"]), 100 * covered / count, covered, count))
    if not sums["together"][0]:
        sys.exit("no lines: nothing of the three directories is in " + path)
    figures = {key: 100 * covered / count for key, (count, covered) in sums.items() if count}
    print(name + ": " + ", ".join("%s %.1f %%" % figure for figure in figures.items()))
    return 0 if figures["together"] >= DEMANDED else 1


if __name__ == "__main__":
    sys.exit(main())
