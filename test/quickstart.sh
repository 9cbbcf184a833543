#!/bin/sh
# From nothing to a login: installs what is needed, builds the module, and lets real curl log in to
# a real Apache through it. For Debian 12 and 13; as root, unless the packages are there already.
#
#   sh test/quickstart.sh
#
# Everything happens in build/quickstart and a temporary directory: the module is registered for the
# programs that this script starts, and nothing is written under /etc. A second run builds only
# what has changed. The exit status is 0 when every line came out as it should.
set -eu
umask 022

source=$(cd "$(dirname "$0")/.." && pwd)
build="$source/build/quickstart"
module="$build/mech/gss_ntlm.so"
program="$build/tools/gss-ntlm"

say() {
    printf '\nquickstart: %s\n' "$*"
}

stopped() {
    say "stopped: $*" >&2
    exit 1
}

say "packages"
sh "$source/test/deps.sh" web || stopped "a package could not be installed"

say "building ${module#"$source"/} and ${program#"$source"/}"
if [ ! -f "$build/build.ninja" ]; then
    rm -rf -- "$build"
    meson setup "$build" "$source" --buildtype=release || stopped "meson could not set up $build"
fi
ninja -C "$build" mech/gss_ntlm.so tools/gss-ntlm || stopped "module and program did not build"

say "logging in: what curl sent -> what Apache answered"
sh "$source/test/interop/apache.sh" "$module" "$program" || stopped "a FAIL line above says what went wrong"

say "done: Apache was stopped, and nothing was left behind but ${build#"$source"/}"
