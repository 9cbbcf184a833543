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
# Nothing of this machine, of this folder or of the time goes into the packages.
rpmbuild -ba $dependencies "$@" \
    --define "_topdir $work/rpm" \
    --define "_sourcedir $work/rpm" \
    --define "_builddir $work/rpm" \
    --define "_rpmdir $work" --define "_srcrpmdir $work" \
    --define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
    --define "_buildhost localhost" \
    --define "use_source_date_epoch_as_buildtime 1" \
    --define "clamp_mtime_to_source_date_epoch 1" \
    "$work/rpm/gss-ntlm.spec" || die "rpmbuild failed"
hand_over
