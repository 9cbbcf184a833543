#!/bin/sh
# Builds the RPM packages, and the source package with them, from a clean copy of the project: of a
# checkout what is committed, of an unpacked release what is there.
#
#   sh packaging/build-rpm.sh            into build/packages
#   sh packaging/build-rpm.sh FOLDER     into FOLDER
#
# Wants rpmbuild, and what compiles the project. Where rpm does not keep the books of the system,
# as on Debian, it cannot know what is installed, and is not asked.
set -eu
umask 022
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
. "$here/source.sh"

[ $# -le 1 ] || usage
command -v rpmbuild >/dev/null || die "there is no rpmbuild here"
clean_copy "${1-}"
mkdir "$work/rpm"
cp "$copy/packaging/gss-ntlm.spec" "$work/rpm/"
source_archive "$work/rpm/gss-ntlm-$version.tar.gz"
rm -rf -- "$copy"

dependencies=""
if [ -e /etc/debian_version ]; then
    dependencies=--nodeps
    # Where Debian's compiler, which builds it, and its library look.
    set -- --define "_libdir /usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
else
    set --
fi

# rpm keeps the spec in the source package with every folder's name in it, and the sum of that in the
# others. So it builds where every build does, as in a root of mock's: the folder is shown to it there,
# and to nobody else. Root's rights are those of a namespace where there are no others.
place=/usr/src
if unshare --map-root-user --mount true 2>/dev/null; then
    # shellcheck disable=SC2016
    at_place() { unshare --map-root-user --mount sh -euc 'mount --bind "$0" "$1"; shift; exec "$@"' "$work" "$@"; }
else
    echo "$program: without mount namespaces the packages carry the name of $work"
    place=$work
    at_place() {
        shift
        "$@"
    }
fi
# Nothing of this machine or of the time goes into the packages.
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
