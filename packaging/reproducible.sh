#!/bin/sh
# Builds the packages twice, in folders and time zones of their own, and compares their bytes.
#
#   sh packaging/reproducible.sh [deb|rpm]...    without an argument both, as far as they can be built here
#
# What records who built where and when (.buildinfo, and .changes, which has its sum) takes no part.
set -eu
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm-twice.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# A compiler that remembers would give the first build's files to the second.
export CCACHE_DISABLE=1
unset SOURCE_DATE_EPOCH

# Of a checkout, both are builds of the commit of now, whatever is committed between them.
if [ -e "$here/../.git" ]; then
    git clone -q --no-hardlinks "$here/.." "$work/source"
    here="$work/source/packaging"
fi

# build KIND FOLDER ENVIRONMENT...: into $work/KIND/FOLDER/packages
build() {
    kind=$1
    folder="$work/$kind/$2"
    shift 2
    mkdir -p "$folder"
    echo "== building as $kind in $folder, with $*"
    if ! env TMPDIR="$folder" "$@" sh "$here/build-$kind.sh" "$folder/packages" >"$folder/log" 2>&1; then
        tail -n 40 "$folder/log"
        echo "FAIL $kind: the packages could not be built"
        exit 1
    fi
}

# sums FOLDER
sums() {
    (cd "$1" && find . -type f ! -name '*.buildinfo' ! -name '*.changes' | sort | xargs sha256sum)
}

[ $# -gt 0 ] || set -- deb rpm
status=0
for kind in "$@"; do
    case $kind in
    deb | rpm) ;;
    *)
        echo "usage: sh packaging/reproducible.sh [deb|rpm]..." >&2
        exit 2
        ;;
    esac
    build "$kind" one TZ=Pacific/Kiritimati DEB_BUILD_OPTIONS=parallel=1
    build "$kind" "the/other/one/with/a/longer/name" TZ=America/Caracas DEB_BUILD_OPTIONS=parallel=2
    sums "$work/$kind/one/packages" >"$work/one"
    sums "$work/$kind/the/other/one/with/a/longer/name/packages" >"$work/other"
    cat "$work/one"
    if [ -s "$work/one" ] && diff "$work/one" "$work/other"; then
        echo "PASS $kind: $(wc -l <"$work/one") files of two builds are the same"
    else
        echo "FAIL $kind: two builds differ"
        status=1
    fi
done
exit "$status"
