#!/bin/sh
# The unit tests and the vectors on other machines: 32-bit x86, s390x with its most significant byte
# first, and this machine with both compilers. Where the machine has libgssapi,
# also the module, with handshakes of every kind through it (test/hostile/soak.cc).
#
#   sh test/machines.sh [g++|clang|i386|s390x ...]     all of them without arguments
#
# Other machines' libraries are unpacked from Debian's packages into build/machines and are not
# installed; s390x runs under qemu-user. Builds and libraries stay there, so that a second run builds
# only what has changed. A line PASS or FAIL a machine and part; ends with "N passed, N failed".
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/.." && pwd)
. "$here/support/common.sh"
. "$here/machines/root.sh"
machines="$source/build/machines"

# set_up MACHINE MESON-OPTION...: leaves $directory set up.
set_up() {
    directory="$machines/$1/build"
    shift
    if [ ! -f "$directory/build.ninja" ]; then
        rm -rf -- "$directory"
        meson setup "$directory" "$source" -Dwerror=true "$@" >"$directory.log" 2>&1
    fi
}

# part MACHINE NAME TARGETS TESTS: builds and runs; the log is shown when either fails.
part() {
    log="$machines/$1/$(printf %s "$2" | tr " " -).log"
    # Both are split into words on purpose.
    # shellcheck disable=SC2086
    if ninja -C "$directory" $3 >"$log" 2>&1 &&
        meson test -C "$directory" --no-rebuild --timeout-multiplier 10 --num-processes 2 --print-errorlogs $4 \
            </dev/null >>"$log" 2>&1; then
        pass "$1: $2$(counted "$log")"
    else
        fail "$1: $2" "$(tail -n 60 "$log")"
    fi
}

# What ran, from meson's own count.
counted() {
    sed -n 's/^Ok: *\([0-9]*\) *$/ (\1 programs)/p' "$1"
}

# The suite `unit` without its shell scripts, which run programs of this machine.
unit_part() {
    /usr/bin/python3 -B "$here/support/programs.py" "$directory" unit >"$machines/$1/unit.list"
    part "$1" "unit tests and vectors" "$(sed 's/.* //' "$machines/$1/unit.list")" \
        "--suite unit $(sed 's/ .*//' "$machines/$1/unit.list" | tr '\n' ' ')"
}

spi_part() {
    part "$1" "handshakes through libgssapi" "mech/gss_ntlm.so test/hostile/hostile_soak" soak
}

# As it is shipped, with warnings as errors.
native() {
    mkdir -p "$machines/$1"
    CXX=$2 set_up "$1" --buildtype=release || {
        fail "$1: setup" "$(tail -n 20 "$machines/$1/build.log")"
        return 0
    }
    part "$1" "everything compiles without a warning" all layers
    unit_part "$1"
    spi_part "$1"
}

# Optimized a little: sizes and byte order are what is looked for, but an emulated machine has to finish.
cross() {
    mkdir -p "$machines/$1"
    if ! debian_root "$machines/$1" "$1" >"$machines/$1/root.log" 2>&1; then
        fail "$1: libraries" "$(tail -n 20 "$machines/$1/root.log")"
        return 0
    fi
    printf "[constants]\nroot = '%s'\nemulate = '%s'\n" "$machines/$1/root" "$here/machines/emulate.sh" >"$machines/$1/root.ini"
    set_up "$1" -Doptimization=1 -Ddebug=false --cross-file "$machines/$1/root.ini" \
        --cross-file "$here/machines/$1.ini" || {
        fail "$1: setup" "$(tail -n 20 "$machines/$1/build.log")"
        return 0
    }
    unit_part "$1"
    spi_part "$1"
}

[ $# -gt 0 ] || set -- g++ clang i386 s390x
for machine in "$@"; do
    case $machine in
    g++ | clang | i386 | s390x) ;;
    *)
        echo "usage: sh test/machines.sh [g++|clang|i386|s390x ...]" >&2
        exit 2
        ;;
    esac
done
sh "$here/deps.sh" all || die "a package could not be installed"
for machine in "$@"; do
    case $machine in
    g++) native g++ g++ ;;
    clang) native clang clang++ ;;
    i386 | s390x) cross "$machine" ;;
    esac
done
finish
