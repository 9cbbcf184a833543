"""The test programs in C++ of the suites named, a line `NAME TARGET` each: the test's name and what
ninja calls its program. Read from the build directory, so that a new program is in every list.

    programs.py BUILD SUITE...
"""

import json
import os
import subprocess
import sys


def programs(build, suites):
    """Yields (name of the test, target) for each program that is built there."""
    tests = json.loads(subprocess.run(["meson", "introspect", "--tests", build], check=True,
                                      stdout=subprocess.PIPE).stdout)
    inside = os.path.realpath(os.path.join(build, "test")) + os.sep
    for test in tests:
        program = os.path.realpath(test["cmd"][0])
        # meson puts the project's name before that of the suite.
        chosen = {suite.rpartition(":")[2] for suite in test["suite"]} & set(suites)
        if chosen and program.startswith(inside):
            yield test["name"], os.path.relpath(program, os.path.realpath(build))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for name, target in programs(sys.argv[1], sys.argv[2:]):
        print(name, target)


if __name__ == "__main__":
    main()
