#!/bin/sh
# Says which C and C++ files clang-format would change; "sh test/format.sh --fix" changes them.
# The formatter is version 14 everywhere, as another version formats otherwise.
set -eu
cd "$(dirname "$0")/.."

program=clang-format-14
command -v "$program" >/dev/null || {
    echo "skipped: there is no $program here"
    exit 77
}

# The files under version control, or all of them where this is no checkout.
files=$(git ls-files --cached --others --exclude-standard -- '*.c' '*.cc' '*.h' 2>/dev/null) ||
    files=$(find include mech spnego test tools -name '*.c' -o -name '*.cc' -o -name '*.h')
[ -n "$files" ] || {
    echo "FAIL no file was found to look at"
    exit 1
}

if [ "${1-}" = --fix ]; then
    printf '%s\n' "$files" | xargs "$program" -i
    exit 0
fi
bad=0
for file in $files; do
    [ -f "$file" ] || continue
    if ! "$program" --dry-run --Werror "$file" >/dev/null 2>&1; then
        "$program" "$file" | diff -u "$file" - | head -n 20 || :
        echo "FAIL $file is not formatted: sh test/format.sh --fix"
        bad=1
    fi
done
[ "$bad" -ne 0 ] || echo "PASS $(printf '%s\n' "$files" | wc -l) files are formatted"
exit "$bad"
