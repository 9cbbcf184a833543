#!/bin/sh
# Runs what has threads under ThreadSanitizer: contexts in parallel on shared credentials while users
# file, settings and trace change, and the first use of the module by 16 threads at once, in a fresh
# process each time.
#
# Usage: sh test/tsan.sh [ROUNDS [PROCESSES]]. The build stays in build/tsan.
set -eu
rounds=${1:-100}
processes=${2:-25}
source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/test/support/common.sh"

sh "$source/test/deps.sh" test
build=$source/build/tsan
if [ ! -f "$build/build.ninja" ]; then
    rm -rf -- "$build"
    meson setup "$build" "$source" --buildtype=debugoptimized -Doptimization=1 -Db_sanitize=thread \
        -Db_lundef=false || die "meson could not set up $build"
fi
ninja -C "$build" mech/gss_ntlm.so test/hostile/hostile_threads test/unit/unit_backends \
    test/unit/unit_config test/unit/unit_log ||
    die "$build did not build"

private_root
# Programs that want settings make their own.
unset GSS_NTLM_SETTINGS
register_module "$build/mech/gss_ntlm.so"
# 66 is the exit status of a program in which a race was found.
export TSAN_OPTIONS="halt_on_error=1 exitcode=66 second_deadlock_stack=1"
# The run-time library of g++ 12 knows less of the address space than newer kernels use at random.
fixed=
if setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed="setarch $(uname -m) -R"
fi

# try NAME COMMAND...: passes when the command does.
try() {
    name=$1
    shift
    # shellcheck disable=SC2086
    if $fixed "$@" >"$root/out" 2>&1; then
        pass "$name: $(tail -n 1 "$root/out")"
    else
        fail "$name" "$(head -c 8000 "$root/out")"
    fi
}

threads=$build/test/hostile/hostile_threads
status=0
# shellcheck disable=SC2086
$fixed "$threads" race >"$root/out" 2>&1 || status=$?
if [ "$status" -eq 66 ] && grep -q 'data race' "$root/out"; then
    pass "a race that is there is noticed"
else
    fail "a race that is there is noticed (exit status $status)" "$(head -c 2000 "$root/out")"
fi

number=0
while [ "$number" -lt "$processes" ]; do
    number=$((number + 1))
    try "first use by 16 threads, process $number" "$threads" 0
done
try "contexts in parallel, $rounds rounds" "$threads" "$rounds"
for program in backends config log; do
    try "$program" "$build/test/unit/unit_$program"
done

finish
