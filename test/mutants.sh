#!/bin/sh
# Removes one defence at a time from a copy of the source (test/mutants.table) and runs the test
# that must notice. Usage: sh test/mutants.sh [PATTERN]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/test/deps.sh" test
work=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm-mutants.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# The programs of some tests are other users'.
chmod 755 "$work"
# What a test leaves behind that crashes or takes too long.
mkdir -m 1777 "$work/tmp"
export TMPDIR="$work/tmp"
python3 -B "$here/test/mutants.py" "$here" "$work/copies" "${1:-}"
