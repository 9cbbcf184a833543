#!/bin/sh
# Builds the Debian packages, and the source package with them, from a clean copy of the project:
# of a checkout what is committed, of an unpacked release what is there.
#
#   sh packaging/build-deb.sh            into build/packages
#   sh packaging/build-deb.sh FOLDER     into FOLDER
#
# Wants what packaging/debian/control names after Build-Depends (apt-get build-dep ./packaging) and
# dpkg-dev. Ends with lintian's verdict where lintian is installed: a warning fails the build.
set -eu
umask 022
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
. "$here/source.sh"

[ $# -le 1 ] || usage
clean_copy "${1-}"
debian_version=$(sed -n '1s/^gss-ntlm (\(.*\)) .*/\1/p' "$copy/packaging/debian/changelog")
[ "${debian_version%-*}" = "$version" ] ||
    die "packaging/debian/changelog is about $debian_version, and the project about $version"

source_archive "$work/gss-ntlm_$version.orig.tar.gz"
cp -R "$copy/packaging/debian" "$copy/debian"
(cd "$copy" && dpkg-buildpackage --build=full --unsigned-source --unsigned-changes) ||
    die "dpkg-buildpackage failed"

if command -v lintian >/dev/null; then
    # As root too, and with a verdict about warnings.
    lintian --allow-root --fail-on error,warning "$work"/gss-ntlm_*.changes ||
        die "lintian found something"
    echo "build-deb: lintian has nothing to say"
fi
rm -rf -- "$copy"
hand_over
