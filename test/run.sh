#!/bin/sh
# Installs what the tests need, builds them, and runs them all: plain, and under ASan with UBSan.
#
#   sh test/run.sh           everything but what takes long
#   sh test/run.sh --plain   the plain half alone
#   sh test/run.sh --all     also what takes long: browsers, slow peers, every command of the guides
#   sh test/run.sh --roots   all that, packages, and the bare roots of both Debians, in two hours or so
#
# Ends with the line "N passed, N failed", which counts test cases, and with status 0 when none
# failed. What failed is shown in full before that line. The builds stay in build/test and
# build/asan, so that a second run builds only what has changed.
set -eu
umask 022

source=$(cd "$(dirname "$0")/.." && pwd)
sanitized=true
setup=quick
for argument in "$@"; do
    case $argument in
    --plain) sanitized=false ;;
    --all) setup=all ;;
    --roots) setup=roots ;;
    *)
        echo "usage: sh test/run.sh [--plain] [--all | --roots]" >&2
        exit 2
        ;;
    esac
done

# A tool that ends the run before it can count anything still leaves the closing line.
stopped() {
    echo "run.sh: $*"
    echo "0 passed, 1 failed"
    exit 1
}

# build DIRECTORY MESON-OPTION...
build() {
    directory="$source/build/$1"
    shift
    echo "== building ${directory#"$source"/}"
    if [ ! -f "$directory/build.ninja" ]; then
        rm -rf -- "$directory"
        meson setup "$directory" "$source" -Dwerror=true "$@" || stopped "meson could not set up $directory"
    fi
    ninja -C "$directory" || stopped "$directory did not build"
}

# run DIRECTORY SETUP MESON-TEST-OPTION...: leaves the results in $log.
run() {
    directory="$source/build/$1"
    rm -f "$directory"/meson-logs/testlog*.json
    log="$directory/meson-logs/testlog-$2.json"
    echo "== running the tests of ${directory#"$source"/}"
    setup_name=$2
    shift 2
    # What failed is counted, and shown, from the results.
    meson test -C "$directory" --no-rebuild --setup "$setup_name" "$@" </dev/null || :
}

packages=test
[ "$setup" = quick ] || packages=all
sh "$source/test/deps.sh" "$packages" || stopped "a package could not be installed"

# As it is shipped; assertions are on in the other one.
build test --buildtype=release
if $sanitized; then
    build asan --buildtype=debugoptimized -Doptimization=1 -Db_sanitize=address,undefined \
        -Db_lundef=false
fi

run test "$setup"
set -- "plain=$log"
if $sanitized; then
    export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:halt_on_error=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    run asan quick --timeout-multiplier 4
    set -- "$@" "sanitized=$log"
fi
echo "== results"
exec /usr/bin/python3 "$source/test/support/summary.py" "$@"
