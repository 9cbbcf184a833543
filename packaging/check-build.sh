#!/bin/sh
# Checks of a package build: the module exports the right functions, the versions agree, programs
# compiled for the last release still work, and the new module can log in.
# Usage: check-build.sh BUILD, from the project's directory
#
# The full tests need too many packages for a build, such as Apache and a domain controller;
# test/run.sh runs them before each change and release.
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
