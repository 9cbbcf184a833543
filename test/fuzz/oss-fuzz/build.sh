#!/bin/bash -eu
# Builds the fuzz targets the way OSS-Fuzz asks for: with its compiler and flags, into $OUT, each with its corpus, dictionary
# and options. FUZZ_TARGETS names some of them.
#
# Targets that go through the mechglue are left out: it loads the module from a path in a file, and
# OSS-Fuzz runs programs elsewhere than where they were built.

source=$SRC/gss-ntlm
build=$WORK/build
targets=${FUZZ_TARGETS-$(sed -n "s/^  '\([a-z_]*\)': '\(core\|tools\)',$/\1/p" "$source/test/fuzz/meson.build")}

[ -f "$build/build.ninja" ] || meson setup "$build" "$source" --buildtype=plain -Db_ndebug=false -Db_lundef=false \
    -Db_pie=false -Dfuzz=true -Dfuzz_engine="$LIB_FUZZING_ENGINE"
programs=""
for target in $targets; do
    programs="$programs test/fuzz/fuzz_$target"
done
# Split into words on purpose.
# shellcheck disable=SC2086
ninja -C "$build" $programs

for target in $targets; do
    name=fuzz_$target
    cp "$build/test/fuzz/$name" "$OUT/"
    cp "$source/test/fuzz/ntlm.dict" "$OUT/$name.dict"
    printf '[libfuzzer]\nmax_len = 8192\n' >"$OUT/$name.options"
    inputs=$WORK/corpus/$target
    rm -rf -- "$inputs" "$OUT/${name}_seed_corpus.zip"
    mkdir -p "$inputs"
    # With the time of now: a zip archive begins in 1980.
    tar -xmf "$source/test/fuzz/corpus/$target.tar" -C "$inputs"
    python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])' "$OUT/${name}_seed_corpus" "$inputs"
done
