#!/bin/sh
# Everything that hostile company can do, at full length: hours of it. Ends with a table of what each
# part showed, and with status 0 when all parts passed. A part that fails does not stop the others.
#
#   sh test/torture.sh [--fuzz-seconds N] [--handshakes N] [--only PART,...]
#
#   tests      sh test/run.sh: all tests, plain and sanitized
#   hostile    every attack of docs/threat-model.md, and every call that can fail, failing
#   model      sh test/model.sh: all attacks on a model of the protocol
#   mutants    sh test/mutants.sh: one defence removed at a time
#   fuzz       sh test/fuzz/run.sh: --fuzz-seconds N for all targets in parallel; 1800
#   coverage   sh test/fuzz/coverage.sh: what the corpora reach
#   tsan       sh test/tsan.sh: threads under ThreadSanitizer
#   memcheck   sh test/memcheck.sh: tests under valgrind, and what secrets decide
#   soak       test/hostile/soak.cc: --handshakes N in one process, one in ten attacked; 1000000
#   machines   sh test/machines.sh: 32-bit x86, s390x, and both compilers
#
# Logs and results are in build/torture; the table there is that of the parts run last.
set -eu
umask 022

usage() {
    sed -n 's/^#   \(sh test.*\)/usage: \1/p' "$0" >&2
    exit 2
}

here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/.." && pwd)
results="$source/build/torture"
parts="tests hostile model mutants fuzz coverage tsan memcheck soak machines"
fuzz_seconds=1800
handshakes=1000000
chosen=$parts
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --fuzz-seconds) fuzz_seconds=$2 ;;
    --handshakes) handshakes=$2 ;;
    --only) chosen=$(echo "$2" | tr , ' ') ;;
    *) usage ;;
    esac
    shift 2
done
case "$fuzz_seconds$handshakes" in
*[!0-9]*) usage ;;
esac
for part in $chosen; do
    case " $parts " in
    *" $part "*) ;;
    *) usage ;;
    esac
done

# build TARGET...: in build/test, as it is shipped.
build() {
    directory="$source/build/test"
    [ -f "$directory/build.ninja" ] || meson setup "$directory" "$source" --buildtype=release -Dwerror=true
    ninja -C "$directory" "$@"
}

run_hostile() {
    build all
    status=0
    meson test -C "$source/build/test" --no-rebuild --setup all --suite hostile --verbose || status=$?
    return "$status"
}

run_soak() {
    build mech/gss_ntlm.so test/hostile/hostile_soak
    GSS_MECH_CONFIG="$directory/test/spi/gss-ntlm-test.conf" KRB5_CONFIG=/dev/null \
        KRB5CCNAME=FILE:/nonexistent/ccache KRB5_KTNAME=FILE:/nonexistent/keytab \
        "$directory/test/hostile/hostile_soak" --handshakes "$handshakes" --forged 100000
}

run_part() {
    case $1 in
    tests) sh "$here/run.sh" ;;
    hostile) run_hostile ;;
    fuzz) sh "$here/fuzz/run.sh" "$fuzz_seconds" ;;
    coverage) sh "$here/fuzz/coverage.sh" ;;
    soak) run_soak ;;
    *) sh "$here/$1.sh" ;;
    esac
}

sh "$here/deps.sh" all
rm -rf -- "$results"
mkdir -p "$results"
for part in $chosen; do
    echo "== $part: its log is ${results#"$source"/}/$part.log"
    began=$(date +%s)
    # In a shell of its own, where "set -e" counts, which it would not as the condition of "if".
    set +e
    (
        set -e
        run_part "$part"
    ) </dev/null >"$results/$part.log" 2>&1
    status=$?
    set -e
    echo "$status $(($(date +%s) - began))" >"$results/$part.status"
    [ "$status" -eq 0 ] || tail -n 15 "$results/$part.log" | sed 's/^/     /'
done
exec /usr/bin/python3 -B "$here/hostile/torture_table.py" "$results"
