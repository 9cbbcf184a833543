#!/bin/sh
# Shows the Debian packages from their building to their purge, in bare roots of that Debian: built in
# one from nothing; in another installed, upgraded, put in the place of gss-ntlmssp, removed and
# purged. After each installation MIT's gss-client logs in to its gss-server with no further step.
#
#   sh test/package.sh bookworm|trixie           builds the packages
#   sh test/package.sh bookworm|trixie DIRECTORY    takes those in DIRECTORY, built on that Debian
#
# For root, on Debian. Packages come from where this machine's apt takes its own. All of it happens
# in namespaces of its own (support/root.sh).
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
kind=package
suite=${1-}
. "$here/support/root.sh"
check_suite

# --- The half that runs in the namespaces: package.sh SUITE --inside DIRECTORY MIRROR -------------

registrations=/etc/gss/mech.d
ours="$registrations/gss-ntlm.conf"
theirs="$registrations/mech.ntlmssp.conf"

passed() {
    echo "PASS package $suite: $*"
}

# quietly WHY COMMAND...: what it says matters only when it fails.
quietly() {
    why=$1
    shift
    in_root "$@" >"$work/log" || {
        tail -n 60 "$work/log"
        die "$why"
    }
}

# apt ARGUMENT...: as an administrator who keeps what was edited.
apt() {
    quietly "apt-get $*" env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends \
        -o Dpkg::Options::=--force-confold "$@"
}

install_ours() {
    apt install --allow-downgrades "/$1/gss-ntlm.deb" "/$1/gss-ntlm-tools.deb" "/$1/gss-ntlm-dev.deb"
}

# The root's files, without those that dpkg and apt keep about packages.
files() {
    in_root find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /new -o -path /before \
        -o -path /src -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/cache \
        -o -path /var/log \) -prune -o -print | LC_ALL=C sort
}

# same_files WHAT [FILE]...: of what was not there at first, FILE... alone is there now.
same_files() {
    what=$1
    shift
    apt autoremove --purge
    files >"$work/after"
    {
        cat "$work/at-first"
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } | LC_ALL=C sort >"$work/expected"
    diff "$work/expected" "$work/after" || die "$what: < should be there, and > should not"
    passed "$what"
}

# The programs of MIT, and our own, find and use what is installed.
works() {
    quietly "$1: no login" sh /src/gss-ntlm/test/support/sample_login.sh
    quietly "$1: gss-ntlm doctor" gss-ntlm doctor
    grep -q "^ok  *login: works" "$work/log" || die "$1: gss-ntlm doctor tried no login"
    passed "$1: gss-client logs in, and gss-ntlm doctor says that NTLM works"
}

# repack NAME: /before/NAME.deb, the same package as the release before would have been.
# shellcheck disable=SC2016
repack() {
    quietly "$1 could not be packed as another version" sh -euc '
        dpkg-deb --raw-extract "/new/$1.deb" "/before/$1"
        version=$(sed -n "s/^Version: //p" "/before/$1/DEBIAN/control")
        sed -i "s/$version/0.0.9-1/" "/before/$1/DEBIAN/control"
        registration="/before/$1/etc/gss/mech.d/gss-ntlm.conf"
        [ ! -f "$registration" ] || echo "# As it was before." >>"$registration"
        dpkg-deb --root-owner-group --build "/before/$1" "/before/$1.deb"
    ' sh "$1"
}

# names_sources DIRECTORY PACKAGE SOURCE...: the package says that each SOURCE is linked into it.
names_sources() {
    name=$2
    field=$(dpkg-deb -f "$1/${name}"_*.deb Static-Built-Using)
    shift 2
    for source in "$@"; do
        case ", $field" in
            *", $source"*' (= '*) ;;
            *) die "Static-Built-Using of $name lacks $source: $field" ;;
        esac
    done
    passed "Static-Built-Using of $name: $field"
}

# The interposer of SPNEGO, by a package of its own: installed, removed, purged; SPNEGO goes on.
mends_spnego() {
    ! in_root grep -rq interposer "$registrations" || die "another package enabled the interposer"
    apt install /before/gss-ntlm-spnego.deb
    works "with the interposer"
    apt install /new/gss-ntlm-spnego.deb
    works "with the interposer upgraded"
    # shellcheck disable=SC2016
    quietly "the module's program headers are not last: stripped?" python3 -c '
import glob, struct
data = open(glob.glob("/usr/lib/*/gss/gss_ntlm_spnego.so")[0], "rb").read()
offset, = struct.unpack_from("<Q", data, 32)
size, number = struct.unpack_from("<2H", data, 54)
assert offset + size * number == len(data), (offset, size, number, len(data))'
    passed "the interposer cannot be loaded when it is truncated"
    apt remove gss-ntlm-spnego
    [ -f "$root$registrations/gss-spnego-mend.conf" ] || die "the interposer's registration is gone"
    works "with the interposer removed and its registration left"
    apt purge gss-ntlm-spnego
    ! in_root grep -rq interposer "$registrations" || die "purging left the interposer's registration"
    works "with the interposer purged"
}

build() {
    use_root "$work/build"
    say "building the packages"
    apt install dpkg-dev lintian
    apt build-dep /src/gss-ntlm/packaging
    in_root sh /src/gss-ntlm/packaging/build-deb.sh /packages >"$work/log" || {
        tail -n 60 "$work/log"
        die "the packages could not be built"
    }
    grep -q 'lintian reports no problem' "$work/log" || die "lintian was not asked"
    none_left_running
    packages="$work/build/packages"
    names_sources "$packages" gss-ntlm nettle libinih gcc-
    names_sources "$packages" gss-ntlm-tools nettle libinih
    passed "what packaging/debian/control names builds them, and lintian reports no problem"
}

inside() {
    make_root root
    mkdir -p "$root/src/gss-ntlm" "$root/new" "$root/before"
    git -C "$work/gss-ntlm" archive HEAD | tar -C "$root/src/gss-ntlm" -xf -
    use_root "$root"
    apt update
    if [ -z "$packages" ]; then
        cp -a -x "$root" "$work/build"
        build
        root="$work/root"
    fi
    for name in gss-ntlm gss-ntlm-tools gss-ntlm-dev gss-ntlm-spnego; do
        cp "$packages/${name}"_*.deb "$root/new/$name.deb"
        repack "$name"
    done
    # What logs in. The header is the business of who compiles.
    apt install krb5-gss-samples python3-minimal pkgconf
    files >"$work/at-first"

    install_ours new
    works "installed"
    directory=$(in_root pkg-config --variable=mechdir gss-ntlm)
    [ -f "$root$directory/gss_ntlm.so" ] || die "gss-ntlm.pc names $directory, where the module is not"
    [ -f "$root/usr/include/gssapi/gssapi_ntlm.h" ] || die "the header is not there"
    passed "pkg-config names the module's directory"

    mends_spnego

    apt remove gss-ntlm gss-ntlm-tools gss-ntlm-dev
    same_files "removed: the registration is left, and nothing else" "$ours"
    install_ours new
    works "installed again"
    apt purge gss-ntlm gss-ntlm-tools gss-ntlm-dev
    same_files "purged: nothing is left"

    install_ours before
    grep -q '^# As it was before' "$root$ours" || die "the release before was not installed"
    install_ours new
    ! grep -q '^# As it was before' "$root$ours" || die "the registration is still the one from before"
    passed "upgraded: a registration that was not touched is the new one"
    install_ours before
    echo '# Edited by hand.' >>"$root$ours"
    install_ours new
    grep -q '^# Edited by hand' "$root$ours" || die "the upgrade lost the edited registration"
    passed "upgraded: an edited registration stays"
    works "upgraded, with an edited registration"
    apt purge gss-ntlm gss-ntlm-tools gss-ntlm-dev
    same_files "purged after an edit and upgrades: nothing is left"

    apt install gss-ntlmssp
    install_ours new
    ! [ -f "$root$theirs" ] || die "$theirs counts before $ours, and its module is gone"
    works "put in the place of gss-ntlmssp"
    apt install gss-ntlmssp
    [ -f "$root$theirs" ] || die "gss-ntlmssp did not get its registration back"
    passed "gss-ntlmssp put in its place: it has its registration again"
    # One changed path in the other's registration.
    sed -i 's|/[^[:space:]]*/gssntlmssp.so|gss_ntlm.so|' "$root$theirs"
    install_ours new
    grep -q gss_ntlm.so "$root$theirs" || die "a registration that names this module was moved"
    works "put in the place of gss-ntlmssp, whose registration names it"
    apt purge gss-ntlm gss-ntlm-tools gss-ntlm-dev gss-ntlmssp
    same_files "purged with gss-ntlmssp: nothing is left"
    install_ours new
    apt purge gss-ntlm gss-ntlm-tools gss-ntlm-dev
    apt install gss-ntlmssp
    install_ours new
    apt purge gss-ntlmssp
    works "gss-ntlmssp purged after it was replaced"
    apt purge gss-ntlm gss-ntlm-tools gss-ntlm-dev
    same_files "purged after gss-ntlmssp: nothing is left"
    none_left_running
}

if [ "${2-}" = --inside ]; then
    work=$3 mirror=$4
    inside
    exit 0
fi
[ $# -le 2 ] || die "two arguments at most, please"
packages=""
[ $# -lt 2 ] || packages=$(cd "$2" && pwd) || die "there is no directory $2"
export packages
enter
