#!/bin/sh
# Removes one defence at a time from a copy of the source (test/mutants.table) and runs the test
# that must notice. Usage: sh test/mutants.sh [PATTERN]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
python3 -B "$here/test/mutants.py" "$here" "$work/copy" "${1:-}"
