#!/bin/sh
# The version is meson.build's; what cannot take it from there says the same.
# Usage: version.sh SOURCE [PROGRAM]
#        version.sh SOURCE --self-test    alters one place after the other, and checks whether it is found
set -eu
export LC_ALL=C
source=$1

if [ "${2-}" = --self-test ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  status=0
  # planted WHAT FILE SED-COMMAND
  planted() {
    rm -rf "$work/source"
    mkdir "$work/source"
    (cd "$source" && tar cf - meson.build CHANGELOG.md packaging) | tar -C "$work/source" -xf -
    sed -i "$3" "$work/source/$2"
    if cmp -s "$source/$2" "$work/source/$2"; then
      echo "FAIL $1: nothing was altered"
      status=1
    elif sh "$0" "$work/source" >"$work/said"; then
      echo "FAIL $1: not found"
      status=1
    else
      echo "PASS $1: found"
    fi
  }
  planted 'another version in meson.build' meson.build "s/^  version: '/&9/"
  planted 'another version in the Debian changelog' packaging/debian/changelog '1s/(/&9/'
  planted 'another version in the spec' packaging/gss-ntlm.spec 's/^Version: */&9/'
  planted "another version in the spec's changelog" packaging/gss-ntlm.spec 's/^\(\* .*> \)/\19/'
  planted 'another version on top of the changes' CHANGELOG.md '0,/^## .*/s//## 9.9.9/'
  exit "$status"
fi

version=$(sed -n "s/^  version: '\(.*\)',\$/\1/p" "$source/meson.build")
[ -n "$version" ] || { echo "FAIL meson.build names no version"; exit 1; }
status=0
# same WHERE VERSION
same() {
  if [ "$2" = "$version" ]; then
    echo "PASS $1 says $version"
  else
    echo "FAIL $1 says '$2', and meson.build $version"
    status=1
  fi
}
packaged=$(sed -n '1s/^gss-ntlm (\(.*\)) .*/\1/p' "$source/packaging/debian/changelog")
same packaging/debian/changelog "${packaged%-*}"
same 'Version of packaging/gss-ntlm.spec' \
  "$(sed -n 's/^Version: *//p' "$source/packaging/gss-ntlm.spec")"
packaged=$(sed -n 's/^\* .*> //p' "$source/packaging/gss-ntlm.spec" | head -n 1)
same '%changelog of packaging/gss-ntlm.spec' "${packaged%-*}"
# Before a release the changes have no version yet.
top=$(sed -n 's/^## \([^ ]*\).*/\1/p' "$source/CHANGELOG.md" | head -n 1)
[ "$top" = Unreleased ] || same CHANGELOG.md "$top"
if [ -n "${2-}" ]; then
  same "$2 --version" "$("$2" --version | sed 's/^gss-ntlm //')"
fi
exit "$status"
