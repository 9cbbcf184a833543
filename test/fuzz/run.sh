#!/bin/sh
# Fuzzes all targets, or those named, at the same time for SECONDS, under ASan, UBSan and LSan. Each
# begins with a copy of its committed corpus.
#
#   sh test/fuzz/run.sh SECONDS [TARGET...]
#
# Ends with a line a target, `fuzz: TARGET runs=N cov=N findings=N runs/s=N corpus=N`, and PASS or
# FAIL for each. What was found is kept in build/fuzz-findings/TARGET, with the command that shows
# it again. Exit status 1 when there is a finding.
set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
. "$source/test/fuzz/build.sh"

case ${1-} in
'' | *[!0-9]*)
    echo "usage: sh test/fuzz/run.sh SECONDS [TARGET...]" >&2
    exit 2
    ;;
esac
seconds=$1
shift
[ $# -gt 0 ] || set -- $(fuzz_targets)
for target in "$@"; do
    [ -f "$source/test/fuzz/targets/$target.cc" ] || stopped "there is no target $target"
done

build_fuzz fuzz --buildtype=debugoptimized -Doptimization=1 -Dfuzz=true \
    -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-fsanitize=fuzzer-no-link
glue_environment
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
findings="$source/build/fuzz-findings"
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || :; wait; rm -rf -- "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

echo "== fuzzing for $seconds seconds: $*"
for target in "$@"; do
    rm -rf -- "${findings:?}/$target"
    mkdir -p "$findings/$target"
    unpack_corpus "$target" "$scratch/$target"
    "$build/test/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=8192 -timeout=300 \
        -rss_limit_mb=4096 -print_final_stats=1 -dict="$source/test/fuzz/ntlm.dict" \
        -artifact_prefix="$findings/$target/" "$scratch/$target" \
        >"$scratch/$target.log" 2>&1 </dev/null || echo $? >"$scratch/$target.failed" &
done
wait

# number NAME FILE: the last number behind NAME.
number() {
    found=$(sed -n "s/.*$1 *\([0-9][0-9]*\).*/\1/p" "$2" | tail -n 1)
    echo "${found:-0}"
}

status=0
for target in "$@"; do
    log="$scratch/$target.log"
    found=0
    if [ -e "$scratch/$target.failed" ]; then
        found=1
        status=1
        cp "$log" "$findings/$target/log"
    fi
    echo "fuzz: $target runs=$(number stat::number_of_executed_units: "$log")" \
        "cov=$(number cov: "$log") findings=$found" \
        "runs/s=$(number stat::average_exec_per_sec: "$log")" \
        "corpus=$(find "$scratch/$target" -type f | wc -l)"
    if [ "$found" -eq 0 ]; then
        echo "PASS fuzz-$target"
        # Inputs that took long are none: it may be the machine that had no time.
        rm -rf -- "${findings:?}/$target"
        continue
    fi
    echo "FAIL fuzz-$target"
    grep -E 'does not hold|ERROR|runtime error|SUMMARY' "$log" | head -n 5 | sed 's/^/     /'
    for input in "$findings/$target"/*-*; do
        [ ! -f "$input" ] ||
            echo "     again: GSS_MECH_CONFIG=$GSS_MECH_CONFIG $build/test/fuzz/fuzz_$target $input"
    done
    echo "     its log: $findings/$target/log"
done
exit "$status"
