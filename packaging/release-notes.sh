#!/bin/sh
# Prints the notes of a release: its section of CHANGELOG.md without the line breaks inside an entry,
# which release pages would show.
#
#   sh packaging/release-notes.sh VERSION            e.g. 0.1.0, or Unreleased for a draft
#   sh packaging/release-notes.sh VERSION CHANGELOG  from another file
#   sh packaging/release-notes.sh --self-test
set -eu
export LC_ALL=C.UTF-8

# notes VERSION CHANGELOG
notes() {
    awk -v version="$1" '
        function flush() { if (text != "") print text; text = "" }
        /^## / {
            flush()
            inside = $2 == version
            if (inside) {
                found = 1
                print "# gss-ntlm " version (NF > 2 ? substr($0, length($1 $2) + 2) : "")
            }
            next
        }
        !inside { next }
        /^$/ { flush(); blank = 1; next }
        # An entry, a heading or a quoted line starts a new line; other lines continue the previous one.
        /^(#|\*|-|>|    )/ || blank { flush(); if (blank) print ""; blank = 0; text = $0; entries += !/^#/; next }
        { line = $0; sub(/^ */, "", line); text = text (text == "" ? "" : " ") line }
        END { flush(); exit found && entries ? 0 : 1 }' "$2"
}

self_test() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    printf '%s\n' '# Changes' '' '## Unreleased' '' '* Next.' '' '## 1.2.3 (2026-11-26)' '' \
        '* One entry on' '  two lines.' '* Another.' '' '### From before' '' 'A text of' 'two lines.' '' \
        '## 1.2.2' '' '* Old.' '' '## 1.2.1' '' >"$work/changes"
    printf '%s\n' '# gss-ntlm 1.2.3 (2026-11-26)' '' '* One entry on two lines.' '* Another.' '' \
        '### From before' '' 'A text of two lines.' >"$work/expected"
    status=0
    # verdict WHAT COMMAND...
    verdict() {
        what=$1
        shift
        if "$@"; then
            echo "PASS $what"
        else
            echo "FAIL $what"
            status=1
        fi
    }
    absent() {
        ! notes "$1" "$work/changes" >/dev/null
    }
    notes 1.2.3 "$work/changes" >"$work/notes"
    verdict 'prints one section, one line for each entry' diff "$work/expected" "$work/notes"
    verdict 'an unknown version is an error' absent 1.2
    verdict 'a section without an entry is an error' absent 1.2.1
    return "$status"
}

here=$(cd "$(dirname "$0")" && pwd)
case ${1-} in
--self-test) self_test ;;
"" | -*)
    echo "usage: sh packaging/release-notes.sh VERSION [CHANGELOG]" >&2
    exit 2
    ;;
*)
    notes "$1" "${2-$here/../CHANGELOG.md}" || {
        echo "release-notes: CHANGELOG.md has no entry under '## $1'" >&2
        exit 1
    }
    ;;
esac
