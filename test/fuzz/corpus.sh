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
    corpus="$source/test/fuzz/corpus/$target"
    mkdir -p "$corpus" "$scratch/$target"
    folders="$corpus $scratch/seeds/$target"
    for folder in "$@"; do
        [ ! -d "$folder/$target" ] || folders="$folders $folder/$target"
    done
    # Split into directories on purpose.
    # shellcheck disable=SC2086
    "$build/test/fuzz/fuzz_$target" -merge=1 -max_len=8192 -timeout=300 "$scratch/$target" $folders \
        >"$scratch/log" 2>&1 </dev/null || stopped "$target: $(tail -n 20 "$scratch/log")"
    rm -rf -- "$corpus"
    mv "$scratch/$target" "$corpus"
    echo "$target: $(find "$corpus" -type f | wc -l) inputs, $(du -sb "$corpus" | cut -f 1) bytes"
done
