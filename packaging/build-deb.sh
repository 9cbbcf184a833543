#!/bin/sh
# Builds the Debian packages and the source package from a clean copy of the project:
# the committed files of a checkout, or the files of an unpacked release.
#
#   sh packaging/build-deb.sh            into build/packages
#   sh packaging/build-deb.sh DIRECTORY  into DIRECTORY
#
# Requires the Build-Depends of packaging/debian/control (apt-get build-dep ./packaging) and
# dpkg-dev. Runs lintian, if it is installed: a warning fails the build.
set -eu
umask 022
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
. "$here/source.sh"

[ $# -le 1 ] || usage
clean_copy "${1-}"
debian_version=$(sed -n '1s/^gss-ntlm (\(.*\)) .*/\1/p' "$copy/packaging/debian/changelog")
[ "${debian_version%-*}" = "$version" ] ||
    die "packaging/debian/changelog has version $debian_version, the project $version"

source_archive "$work/gss-ntlm_$version.orig.tar.gz"
cp -R "$copy/packaging/debian" "$copy/debian"
(cd "$copy" && dpkg-buildpackage --build=full --unsigned-source --unsigned-changes) ||
    die "dpkg-buildpackage failed"

if command -v lintian >/dev/null; then
    # Also as root; warnings are errors.
    lintian --allow-root --fail-on error,warning "$work"/gss-ntlm_*.changes ||
        die "lintian reports the problems above"
    echo "build-deb: lintian reports no problem"
fi
rm -rf -- "$copy"
hand_over
