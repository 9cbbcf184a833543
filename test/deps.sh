#!/bin/sh
# Installs the Debian packages that a step needs. This is the only place that names them.
#
#   sh test/deps.sh build   what compiles the module
#   sh test/deps.sh web     build, and Apache and curl: what the quickstart needs
#   sh test/deps.sh test    web, and what the tests need
#   sh test/deps.sh fuzz    test, and what fuzzing and its coverage need
#   sh test/deps.sh all     fuzz, and what formatting, linting, packages and the bare roots need
#   sh test/deps.sh -n SET  prints the packages of SET, and installs nothing
#
# Nothing is asked of the network, and root is not needed, when all of them are installed already.
# An installation starts nothing: apache2-bin is Apache without its service, and those of Samba and OpenLDAP,
# of which the tests run their own, are not started.
set -eu

usage() {
    echo "usage: sh test/deps.sh [-n] build|web|test|fuzz|all" >&2
    exit 2
}

print_only=false
if [ "${1-}" = -n ]; then
    print_only=true
    shift
fi
[ $# -eq 1 ] || usage

release=unknown
[ ! -r /etc/os-release ] || release=$(. /etc/os-release && echo "${ID-} ${VERSION_ID-}")
case $release in
"debian 12") lint="clang-format-14 clang-tidy-14" rdp="freerdp2-shadow-x11 freerdp2-x11" winpr=libwinpr2-dev heimdal=libgssapi3-heimdal
    java=openjdk-17-jdk-headless ;;
# The formatter is pinned to version 14, which Debian 13 does not have: linting is Debian 12's work.
"debian 13") lint="" rdp="freerdp3-shadow-x11 freerdp3-x11" winpr=libwinpr3-dev heimdal=libgssapi3t64-heimdal
    java="openjdk-21-jdk-headless openjdk-25-jdk-headless" ;;
*)
    echo "deps.sh: this is '$release', not Debian 12 or 13: install the counterparts of the" >&2
    echo "deps.sh: packages that test/deps.sh names by hand" >&2
    exit 1
    ;;
esac

# dpkg-dev: with it Meson knows Debian's directory of libraries, where libgssapi looks for mechanisms.
build="dpkg-dev g++ libcli11-dev libinih-dev libkeyutils-dev libkrb5-dev libutfcpp-dev libwbclient-dev meson
       nettle-dev ninja-build nlohmann-json3-dev pkgconf"
web="$build apache2-bin curl libapache2-mod-auth-gssapi"
domain="iproute2 ldap-utils libnss-winbind libsasl2-modules-gssapi-mit samba-ad-dc
        samba-ad-provision smbclient"
# gss-ntlmssp, Heimdal, impacket, Java, Perl, Ruby, Samba, WinPR, Cyrus SASL's samples and OpenLDAP are independent peers of test/interop;
# MIT's KDC and kinit are for Kerberos beside NTLM.
peers="gss-ntlmssp $heimdal $java krb5-admin-server krb5-gss-samples krb5-kdc krb5-user libgssapi-perl openssl python3-gssapi python3-impacket python3-samba ruby-gssapi sasl2-bin slapd
       $winpr"
# And so are these, which speak NTLM with a web server by themselves.
http="cntlm gir1.2-soup-3.0 libapache2-mod-svn python3-gi python3-requests-ntlm python3-winrm subversion wget"
test="$web bsdextrautils catch2 $domain git $http libbenchmark-dev librapidcheck-dev mandoc $peers python3 valgrind xxd"
# The runtime has libFuzzer and the sanitizers, llvm the tools that count what is covered.
fuzz="$test clang libclang-rt-dev llvm"
# npm's packages, and what compiles one of them; from Debian, where they are not here from elsewhere.
node="libnode-dev nodejs npm"
if command -v npm >/dev/null && [ -e /usr/include/node/node_api.h ]; then
    node=""
fi
# Compilers for other machines, and what runs the programs of those.
machines="g++-i686-linux-gnu g++-s390x-linux-gnu qemu-user"
# maude checks the model of the protocol.
# chromium shows the pages of gss-ntlm decode --html, and is a peer as Firefox is.
# FreeRDP's programs need a screen; mono-mcs starts the C# compiler that comes with npm's packages.
all="$fuzz chromium debhelper debootstrap firefox-esr lintian maude mono-mcs rpm $lint $machines $node $rdp xvfb"

case $1 in
build) wanted=$build ;;
web) wanted=$web ;;
test) wanted=$test ;;
fuzz) wanted=$fuzz ;;
all) wanted=$all ;;
*) usage ;;
esac

if $print_only; then
    # Split into words on purpose.
    # shellcheck disable=SC2086
    printf '%s\n' $wanted
    exit 0
fi

missing=""
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=absent
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "deps.sh: these packages are missing, and only root can install them:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# A package script that asks which runlevel this is hears "single user", and starts no service; one
# that asks whether it may is told that it may not.
export RUNLEVEL=1
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

# shellcheck disable=SC2086
install_missing() {
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null
}

known() {
    for package in $missing; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || return 1
    done
}

echo "deps.sh: installing$missing"
# The lists of packages are fetched when they do not know a package, or know one that is gone.
if ! known || ! install_missing; then
    apt-get update -q -o DPkg::Lock::Timeout=300
    install_missing
fi
