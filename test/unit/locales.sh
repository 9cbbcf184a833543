#!/bin/sh
# Runs the programs given as arguments in locales whose letters differ: Turkish, where the capital
# of i is not I, and German, where ß has one. Makes the locales itself, in a temporary directory.
set -eu

if ! command -v localedef >/dev/null || [ ! -r /usr/share/i18n/locales/tr_TR ]; then
    echo "locales.sh: skipped: no sources of locales here (Debian's package locales)"
    exit 77
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

for name in C tr_TR.UTF-8 de_DE.UTF-8; do
    if [ "$name" != C ]; then
        localedef -i "${name%.*}" -f UTF-8 "$directory/$name"
    fi
    for program in "$@"; do
        echo "locales.sh: $name ${program##*/}"
        LOCPATH=$directory LC_ALL=$name GSSNTLM_TEST_LOCALE=$name "$program"
    done
done
