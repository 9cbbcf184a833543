#!/bin/sh
# Builds the RPM packages and the source package from a clean copy of the project: the committed
# files of a checkout, or the files of an unpacked release.
#
#   sh packaging/build-rpm.sh            into build/packages
#   sh packaging/build-rpm.sh DIRECTORY  into DIRECTORY
#
# Requires rpmbuild and the build dependencies of the project. On systems with another package manager,
# such as Debian, rpm does not know the installed packages, so its dependency check is skipped.
set -eu
umask 022
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
. "$here/source.sh"

[ $# -le 1 ] || usage
command -v rpmbuild >/dev/null || die "rpmbuild is not installed"
clean_copy "${1-}"
mkdir "$work/rpm"
cp "$copy/packaging/gss-ntlm.spec" "$work/rpm/"
source_archive "$work/rpm/gss-ntlm-$version.tar.gz"
rm -rf -- "$copy"

dependencies=""
if [ -e /etc/debian_version ]; then
    dependencies=--nodeps
    # The library directory of Debian's compiler.
    set -- --define "_libdir /usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
else
    set --
fi

# rpm records directory names in the spec of the source package, and its checksum in the other packages.
# So it builds in the same place each time, as in a root of mock: the directory is mounted there in a
# private mount namespace, and in a user namespace if the user is not root.
place=/usr/src
if unshare --map-root-user --mount true 2>/dev/null; then
    # shellcheck disable=SC2016
    at_place() { unshare --map-root-user --mount sh -euc 'mount --bind "$0" "$1"; shift; exec "$@"' "$work" "$@"; }
else
    echo "$program: mount namespaces are not available, so the packages contain the path $work"
    place=$work
    at_place() {
        shift
        "$@"
    }
fi
# The packages contain nothing that depends on the machine or the time.
at_place "$place" rpmbuild -ba $dependencies "$@" \
    --define "_topdir $place/rpm" \
    --define "_sourcedir $place/rpm" \
    --define "_builddir $place/rpm" \
    --define "_rpmdir $place" --define "_srcrpmdir $place" \
    --define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
    --define "_buildhost localhost" \
    --define "use_source_date_epoch_as_buildtime 1" \
    --define "clamp_mtime_to_source_date_epoch 1" \
    "$place/rpm/gss-ntlm.spec" || die "rpmbuild failed"
hand_over
