#!/bin/sh
# What a build of the packages sees to: the module exports what it should, the versions are one, no
# program made for the last release breaks, and the module just built can log in.
# Usage: check-build.sh BUILD, from the project's folder
#
# The tests want more packages than a build is worth, an Apache and a domain controller among them:
# they are run in each submission and before a release (test/run.sh).
set -eu

build=$1
sh test/spi/exports.sh "$build/mech/gss_ntlm.so" mech/spi/exports.map
sh test/version.sh . "$build/tools/gss-ntlm"
sh packaging/abi.sh check

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'gss-ntlm 1.3.6.1.4.1.311.2.2.10 %s\n' "$(realpath "$build/mech/gss_ntlm.so")" >"$work/mech.conf"
: >"$work/settings"
env -i HOME="$work" PATH="$PATH" GSS_MECH_CONFIG="$work/mech.conf" GSS_NTLM_SETTINGS="$work/settings" \
    KRB5_CONFIG=/dev/null "$build/tools/gss-ntlm" doctor >"$work/said" || {
    cat "$work/said"
    echo "FAIL the module that was built cannot log in"
    exit 1
}
grep '^ok  *login: ' "$work/said"
