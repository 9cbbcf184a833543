#!/bin/sh
# Prints the value of Debian's Static-Built-Using: the source packages, with their versions, of the
# static libraries NAME... (nettle, inih, stdc++) as the compiler finds them.
#
#   sh packaging/static-sources.sh NAME...
#
# CXX is the compiler. A library that belongs to no package is an error: the field would be wrong.
set -eu
export LC_ALL=C.UTF-8

sources=""
for name in "$@"; do
    library=$(realpath "$("${CXX:-g++}" -print-file-name="lib$name.a")")
    package=$(dpkg-query -S "$library" 2>/dev/null | sed -n '1s/: .*//p')
    [ -n "$package" ] || {
        echo "static-sources: $library belongs to no package; install the library from one" >&2
        exit 1
    }
    # shellcheck disable=SC2016
    source=$(dpkg-query -W -f '${source:Package} (= ${source:Version})' "$package")
    sources="$sources${sources:+, }$source"
done
echo "$sources"
