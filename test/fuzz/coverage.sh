#!/bin/sh
# Which lines of mech/wire, mech/crypto and mech/protocol the committed corpora reach, without what
# mutators would add. Exit status 1 below 97 % of the lines of all three together.
#
#   sh test/fuzz/coverage.sh          a line a file, and `coverage: wire N %, crypto N %, ...`
#   sh test/fuzz/coverage.sh --lines  also the lines that nothing reaches
#   sh test/fuzz/coverage.sh --unit   also the figures with the unit tests added
set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
. "$source/test/fuzz/build.sh"

lines=false
unit=false
for argument in "$@"; do
    case $argument in
    --lines) lines=true ;;
    --unit) unit=true ;;
    *)
        echo "usage: sh test/fuzz/coverage.sh [--lines] [--unit]" >&2
        exit 2
        ;;
    esac
done

build_fuzz coverage --buildtype=debug -Db_lundef=false \
    '-Dcpp_args=-fprofile-instr-generate -fcoverage-mapping' \
    '-Dcpp_link_args=-fprofile-instr-generate'
glue_environment
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

objects="$build/mech/gss_ntlm.so"
for target in $(fuzz_targets); do
    program="$build/test/fuzz/fuzz_$target"
    unpack_corpus "$target" "$scratch/$target"
    LLVM_PROFILE_FILE="$scratch/fuzz-%p-%m.profraw" \
        "$program" "$scratch/$target" >"$scratch/log" 2>&1 ||
        stopped "$target does not replay: $(tail -n 2 "$scratch/log")"
    objects="$objects -object $program"
done

# report NAME PROFILES...: the figures, under that name.
report() {
    name=$1
    shift
    llvm-profdata merge -sparse -o "$scratch/$name.profdata" "$@"
    # shellcheck disable=SC2086
    llvm-cov export -summary-only -instr-profile="$scratch/$name.profdata" $objects \
        "$source/mech/wire" "$source/mech/crypto" "$source/mech/protocol" >"$scratch/$name.json"
    /usr/bin/python3 -B "$source/test/fuzz/coverage.py" "$name" "$scratch/$name.json"
}

status=0
report coverage "$scratch"/fuzz-*.profraw || status=1
if $lines; then
    # llvm-cov 14 shows nothing of a directory: its names of files go through the build's.
    # shellcheck disable=SC2086
    llvm-cov show -instr-profile="$scratch/coverage.profdata" $objects 2>/dev/null |
        awk '/^\/.*:$/ { name = $0; wanted = /\/mech\/(wire|crypto|protocol)\// }
             wanted && /^ *[0-9]+\| +0\|/ { if (name) print name; name = ""; print }'
fi
if $unit; then
    ninja -C "$build" test/unit/unit_wire test/unit/unit_crypto test/unit/unit_protocol \
        test/unit/unit_vectors >"$build.log" 2>&1 || stopped "the unit tests did not build: $build.log"
    for name in wire crypto protocol vectors; do
        LLVM_PROFILE_FILE="$scratch/unit-%p-%m.profraw" RC_PARAMS=seed=20240229 \
            "$build/test/unit/unit_$name" >"$scratch/log" 2>&1 || stopped "unit_$name fails"
        objects="$objects -object $build/test/unit/unit_$name"
    done
    report 'with-unit-tests' "$scratch"/*.profraw || :
fi
exit "$status"
