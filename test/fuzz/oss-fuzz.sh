#!/bin/sh
# Runs oss-fuzz/build.sh here, with clang from Debian and the flags of OSS-Fuzz for AddressSanitizer, and each program that
# it makes over its corpus, from a directory of its own, as OSS-Fuzz does.
#
#   sh test/fuzz/oss-fuzz.sh [TARGET...]     all targets without the mechglue, or those named
#
# Ends with a line a target, PASS or FAIL, and "N passed, N failed".
set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
. "$source/test/fuzz/build.sh"
sh "$source/test/deps.sh" fuzz || stopped "a package could not be installed"

for package in $(sh "$source/test/deps.sh" -n build); do
    grep -qw -- "$package" "$source/test/fuzz/oss-fuzz/Dockerfile" ||
        stopped "test/fuzz/oss-fuzz/Dockerfile lacks $package, which test/deps.sh names"
done

export SRC="$source/build/oss-fuzz/src" WORK="$source/build/oss-fuzz/work" OUT="$source/build/oss-fuzz/out"
rm -rf -- "$SRC" "$OUT"
mkdir -p "$SRC" "$WORK" "$OUT"
ln -s "$source" "$SRC/gss-ntlm"
export SANITIZER=address FUZZING_ENGINE=libfuzzer ARCHITECTURE=x86_64 LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CC=clang CXX=clang++
export CFLAGS="-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION \
-fsanitize=address -fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link"
export CXXFLAGS=$CFLAGS
[ $# -eq 0 ] || export FUZZ_TARGETS="$*"
bash -eu "$source/test/fuzz/oss-fuzz/build.sh"

passed=0 failed=0
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
for program in "$OUT"/fuzz_*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    mkdir "$scratch/$name"
    python3 -m zipfile -e "$OUT/${name}_seed_corpus.zip" "$scratch/$name"
    inputs=$(find "$scratch/$name" -type f | wc -l)
    if (cd "$scratch" && "$program" -runs=0 -dict="$OUT/$name.dict" "$name") >"$scratch/log" 2>&1 && [ "$inputs" -gt 0 ]; then
        passed=$((passed + 1))
        echo "PASS $name: $inputs inputs"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        tail -n 10 "$scratch/log" | sed 's/^/     /'
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
