# Shared by the scripts that build packages. Source it with $here set to the directory packaging/:
#
#   clean_copy DIRECTORY    sets $work, a temporary directory; $copy, the project in it, as committed or
#                           released; $version, its version; $results, DIRECTORY or build/packages
#   source_archive FILE     writes the copy as a .tar.gz: the same bytes for the same copy
#   hand_over               moves the files of $work to $results, and lists them
# shellcheck shell=sh

source=$(cd "$here/.." && pwd)
program=$(basename "$0" .sh)
work=""

die() {
    echo "$program: $*" >&2
    exit 1
}

usage() {
    echo "usage: sh packaging/$program.sh [DIRECTORY]" >&2
    exit 2
}

# shellcheck disable=SC2317
leave() {
    status=$?
    trap - EXIT HUP INT TERM
    [ -z "$work" ] || rm -rf -- "$work"
    exit "$status"
}

clean_copy() {
    results=${1:-$source/build/packages}
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    work=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm-package.XXXXXX")
    copy="$work/gss-ntlm"
    mkdir "$copy"
    if [ -e "$source/.git" ]; then
        git -C "$source" archive HEAD >"$work/tar" || die "git could not copy the project"
        [ -z "$(git -C "$source" status --porcelain)" ] ||
            echo "$program: uncommitted changes are not included"
    else
        tar -C "$source" --exclude=./build -cf "$work/tar" . || die "the project could not be copied"
    fi
    tar -C "$copy" -xf "$work/tar"
    rm -f "$work/tar"
    version=$(sed -n "s/^  version: '\(.*\)',\$/\1/p" "$copy/meson.build")
    [ -n "$version" ] || die "meson.build names no version"
    # The date of every file of the packages.
    if [ -z "${SOURCE_DATE_EPOCH-}" ]; then
        dated=$(sed -n 's/^ -- .*>  //p' "$copy/packaging/debian/changelog" | head -n 1)
        SOURCE_DATE_EPOCH=$(date -u -d "$dated" +%s)
    fi
    export SOURCE_DATE_EPOCH
}

source_archive() {
    tar -C "$copy" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner \
        --mode=go=rX,u+rw --mtime="@$SOURCE_DATE_EPOCH" --transform "s,^\.,gss-ntlm-$version," \
        -cf - . | gzip -9n >"$1"
}

hand_over() {
    mkdir -p "$results"
    for file in "$work"/*; do
        [ ! -f "$file" ] || mv -f "$file" "$results/"
    done
    ls -1 "$results"
}
