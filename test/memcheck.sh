#!/bin/sh
# Runs the test programs in C++ once under memcheck: no invalid access, no use of what has no value,
# no byte definitely lost. Exempt is what test/support/memcheck.supp names.
#
# Usage: sh test/memcheck.sh [PATTERN]. The build is that of test/run.sh, in build/test.
#
# Not run: unit_matrix, whose 100,000 handshakes are those of unit_protocol again; hostile_secrets,
# which makes memcheck complain on purpose and is run by the test `secrets`; hostile_memory, which
# searches the process' memory and would find what memcheck keeps aside; hostile_opens, whose open()
# memcheck's own wrappers pass by; and programs that want third-party libraries or a domain.
set -eu
pattern=${1:-}
source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/test/support/common.sh"

sh "$source/test/deps.sh" test
build=$source/build/test
if [ ! -f "$build/build.ninja" ]; then
    rm -rf -- "$build"
    meson setup "$build" "$source" -Dwerror=true --buildtype=release || die "meson could not set up $build"
fi

programs=
for program in $(/usr/bin/python3 -B "$source/test/support/programs.py" "$build" unit spi | sed 's/.* //') \
    test/hostile/hostile_threads test/hostile/hostile_failures; do
    case $program in
    */unit_matrix) ;;
    *"$pattern"*) programs="$programs $program" ;;
    esac
done
# Split into words on purpose.
# shellcheck disable=SC2086
ninja -C "$build" mech/gss_ntlm.so $programs || die "$build did not build"

private_root
# Programs that want settings make their own.
unset GSS_NTLM_SETTINGS
register_module "$build/mech/gss_ntlm.so"
export EXPORTS_MAP="$source/mech/spi/exports.map"
# Fewer cases of the properties than alone, and the same ones in every run.
export RC_PARAMS="seed=20240229 max_success=10"

# memcheck PROGRAM ARGUMENT...: its exit status is the program's, or 99 for a complaint.
memcheck() {
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --num-callers=30 \
        --suppressions="$source/test/support/memcheck.supp" "$@" >"$root/out" 2>&1
}

for program in $programs; do
    rounds=
    [ "${program##*/}" != hostile_threads ] || rounds=3
    status=0
    # shellcheck disable=SC2086
    memcheck "$build/$program" $rounds || status=$?
    if [ "$status" -eq 0 ]; then
        pass "${program##*/}"
    else
        fail "${program##*/}, exit status $status" "$(head -c 8000 "$root/out")"
    fi
done

finish
