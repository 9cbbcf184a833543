# Builds of the fuzz targets, for run.sh, coverage.sh and corpus.sh. Sourced, after `set -eu` and
# with $source set:
#
#   build_fuzz DIRECTORY MESON-OPTION...   with clang++, into build/DIRECTORY; $build is its path
#   fuzz_targets                        prints their names
#   unpack_corpus, pack_corpus          a target's corpus to and from a directory
#   glue_environment                    what those need that go through the mechglue
# shellcheck shell=sh

stopped() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

build_fuzz() {
    build="$source/build/$1"
    mkdir -p "$source/build"
    shift
    sh "$source/test/deps.sh" fuzz || stopped "a package could not be installed"
    echo "== building ${build#"$source"/}"
    if [ ! -f "$build/build.ninja" ]; then
        rm -rf -- "$build"
        CXX=clang++ meson setup "$build" "$source" "$@" >"$build.log" 2>&1 ||
            stopped "meson could not set it up: $build.log"
    fi
    ninja -C "$build" mech/gss_ntlm.so fuzz >"$build.log" 2>&1 ||
        stopped "it did not build: $build.log"
}

fuzz_targets() {
    for file in "$source"/test/fuzz/targets/*.cc; do
        basename "$file" .cc
    done
}

# The committed corpora, an archive a target, which replay.cc reads as well.
corpora="$source/test/fuzz/corpus"

# unpack_corpus TARGET DIRECTORY: into a new directory, which stays empty for a new target.
unpack_corpus() {
    mkdir -p "$2"
    [ ! -f "$corpora/$1.tar" ] || tar -xf "$corpora/$1.tar" -C "$2"
}

# pack_corpus DIRECTORY TARGET: the same files make the same archive.
pack_corpus() {
    mkdir -p "$corpora"
    (cd "$1" && find . -type f -printf '%f\n' | LC_ALL=C sort) |
        tar --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=0644 \
            -C "$1" -cf "$corpora/$2.tar.new" -T -
    mv "$corpora/$2.tar.new" "$corpora/$2.tar"
}

glue_environment() {
    export GSS_MECH_CONFIG="$build/test/spi/gss-ntlm-test.conf"
    export KRB5_CONFIG=/dev/null KRB5CCNAME=FILE:/nonexistent/ccache KRB5_KTNAME=FILE:/nonexistent/keytab
    export LSAN_OPTIONS="suppressions=$source/test/support/lsan.supp:print_suppressions=0"
    unset NTLM_USER_FILE CREDENTIALS_DIRECTORY NTLMUSER LM_COMPAT_LEVEL NETBIOS_COMPUTER_NAME NETBIOS_DOMAIN_NAME
}
