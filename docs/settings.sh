#!/bin/sh
# Writes the documents that are made from the table of settings (mech/config/setting_table.cc): the
# example file, and the sections of gss-ntlm(5) that describe the keys.
#
#   sh docs/settings.sh PROGRAM            PROGRAM: the gss-ntlm of the build
#   sh docs/settings.sh --check PROGRAM    changes nothing; FAIL lines and status 1 where they differ
set -eu
check=false
if [ "${1-}" = --check ]; then
    check=true
    shift
fi
[ $# -eq 1 ] || {
    echo "usage: sh docs/settings.sh [--check] PROGRAM" >&2
    exit 2
}
program=$1
docs=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$program" settings --example >"$scratch/example"
"$program" settings --manual >"$scratch/sections"
page=$docs/man/gss-ntlm.5
awk -v sections="$scratch/sections" '
    /^\.Ss Section \[/ && !inside { inside = 1; while ((getline line < sections) > 0) print line }
    inside && /^\.Ss / && !/^\.Ss Section \[/ { inside = 0 }
    !inside' "$page" >"$scratch/page"

status=0
# update MADE DOCUMENT
update() {
    if cmp -s "$1" "$2"; then
        echo "PASS $(basename "$2") says what the table of settings says"
    elif $check; then
        diff -u "$2" "$1" | head -n 20 || :
        echo "FAIL $(basename "$2") differs from the table of settings: sh docs/settings.sh PROGRAM"
        status=1
    else
        cat "$1" >"$2"
        echo "wrote $2"
    fi
}
update "$scratch/example" "$docs/ntlm-settings.conf.example"
update "$scratch/page" "$page"
exit $status
