#!/bin/sh
# Builds the packages twice, in different directories and time zones, and compares their bytes.
#
#   sh packaging/reproducible.sh [deb|rpm]...    default: both
#
# Files that record the build environment (.buildinfo, and .changes, which has its checksum) are excluded.
set -eu
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm-twice.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# A compiler cache would reuse the first build's files in the second.
export CCACHE_DISABLE=1
unset SOURCE_DATE_EPOCH

# In a checkout, both builds use the current commit, even if another is added meanwhile.
if [ -e "$here/../.git" ]; then
    git clone -q --no-hardlinks "$here/.." "$work/source"
    here="$work/source/packaging"
fi

# build KIND DIRECTORY ENVIRONMENT...: into $work/KIND/DIRECTORY/packages
build() {
    kind=$1
    directory="$work/$kind/$2"
    shift 2
    mkdir -p "$directory"
    echo "== building as $kind in $directory, with $*"
    if ! env TMPDIR="$directory" "$@" sh "$here/build-$kind.sh" "$directory/packages" >"$directory/log" 2>&1; then
        tail -n 40 "$directory/log"
        echo "FAIL $kind: the packages could not be built"
        exit 1
    fi
}

# sums DIRECTORY
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
