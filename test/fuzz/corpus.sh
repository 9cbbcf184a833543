#!/bin/sh
# Makes the committed corpora again: of what is there, the seeds, and what other fuzzing has left in
# DIRECTORY/TARGET, the fewest inputs that reach as much.
#
#   sh test/fuzz/corpus.sh [DIRECTORY...]
set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
. "$source/test/fuzz/build.sh"

build_fuzz fuzz --buildtype=debugoptimized -Doptimization=1 -Dfuzz=true \
    -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-fsanitize=fuzzer-no-link
glue_environment
ninja -C "$build" test/fuzz/fuzz_seeds >"$build.log" 2>&1 || stopped "no seeds: $build.log"
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
"$build/test/fuzz/fuzz_seeds" "$scratch/seeds" "$source/test/vectors/nlmp.json"

for target in $(fuzz_targets); do
    unpack_corpus "$target" "$scratch/old"
    mkdir -p "$scratch/$target"
    inputs="$scratch/old $scratch/seeds/$target"
    for directory in "$@"; do
        [ ! -d "$directory/$target" ] || inputs="$inputs $directory/$target"
    done
    # Split into directories on purpose.
    # shellcheck disable=SC2086
    "$build/test/fuzz/fuzz_$target" -merge=1 -max_len=8192 -timeout=300 "$scratch/$target" $inputs \
        >"$scratch/log" 2>&1 </dev/null || stopped "$target: $(tail -n 20 "$scratch/log")"
    rm -rf -- "$scratch/old"
    pack_corpus "$scratch/$target" "$target"
    echo "$target: $(find "$scratch/$target" -type f | wc -l) inputs," \
        "$(stat -c %s "$corpora/$target.tar") bytes"
done
