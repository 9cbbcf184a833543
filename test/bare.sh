#!/bin/sh
# Shows that a bare Debian is enough: debootstrap makes the smallest root of that Debian in a
# temporary folder, the committed project is cloned into it, and the quickstart (twice) and the
# plain tests run there, from nothing. The root is removed again.
#
#   sh test/bare.sh bookworm|trixie
#
# For root, on Debian. Packages come from where this machine's apt takes its own. All of it happens
# in mount and process namespaces of its own: what is mounted or still running when it ends, or
# is interrupted, is gone with them before anything is removed.
set -eu
umask 022

say() {
    printf '== bare %s: %s\n' "$suite" "$*"
}

die() {
    echo "FAIL bare ${suite:-root}: $*"
    exit 1
}

suite=${1-}
case $suite in
bookworm | trixie) ;;
*)
    echo "usage: sh test/bare.sh bookworm|trixie" >&2
    exit 2
    ;;
esac

# --- The half that runs in the namespaces: bare.sh SUITE --inside FOLDER MIRROR ----------------

inside() {
    work=$1
    mirror=$2
    root="$work/root"
    say "debootstrap"
    if ! debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$work/log" 2>&1; then
        tail -n 30 "$work/log"
        die "debootstrap could not make the root"
    fi
    mv "$work/sources.list" "$root/etc/apt/sources.list"
    mv "$work/apt.conf" "$root/etc/apt/apt.conf.d/99host"
    [ ! -f "$work/ca.crt" ] || mv "$work/ca.crt" "$root/etc/apt/ca.crt"
    mkdir -p "$root/src"
    mv "$work/gss-ntlm" "$root/src/gss-ntlm"
    # A root that is a place of a mount, as the tests with namespaces of their own want it.
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    # Terminals of its own, for the tests of what a person types.
    mkdir -p "$root/dev/pts"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
    ln -sf pts/ptmx "$root/dev/ptmx"

    step quickstart "the quickstart"
    step quickstart "the quickstart, once more"
    step "run" "the plain tests" --plain

    # The library here against the one in the root, where this machine has a build to do it with.
    if [ -f "$here/../build/test/mech/gss_ntlm.so" ]; then
        say "this machine's library against the root's"
        mixed=0
        /usr/bin/python3 -B "$here/interop/mixed.py" "$here/../build/test/mech/gss_ntlm.so" "$root" \
            /src/gss-ntlm/build/test/mech/gss_ntlm.so /src/gss-ntlm/test/interop/peer.py || mixed=$?
        [ "$mixed" -eq 0 ] || [ "$mixed" -eq 77 ] || die "the two do not meet as they should"
    fi

    left=""
    for process in /proc/[0-9]*; do
        # The root's processes are those that have it as theirs.
        ! [ "$(readlink "$process/root")" = "$root" ] || left="$left $(cat "$process/comm")"
    done
    [ -z "$left" ] || die "left running:$left"
    # -s: there are links that lead nowhere.
    ! grep -rlsF gss_ntlm "$root/etc" || die "the files above, under /etc, were left"
    echo "PASS bare $suite: nothing is left running, and nothing under /etc"

    say "the README's installation and registration"
    in_root sh -euc '
        cd /src/gss-ntlm
        meson setup build/installed --prefix=/usr
        ninja -C build/installed mech/gss_ntlm.so tools/gss-ntlm
        meson install -C build/installed --no-rebuild
        mkdir -p /etc/gss/mech.d
        rm -f /etc/gss/mech.d/*
        cp gss-ntlm.conf.example /etc/gss/mech.d/gss-ntlm.conf
        pkg-config --modversion gss-ntlm
        /usr/bin/python3 -c "
import gssapi.raw as g
oid = g.OID.from_int_seq(\"1.3.6.1.4.1.311.2.2.10\")
assert g.inquire_saslname_for_mech(oid).mech_name == b\"NTLM\", g.inquire_saslname_for_mech(oid)
"
    ' >"$work/log" || {
        tail -n 20 "$work/log"
        die "the module did not load where the README installs and registers it"
    }
    echo "PASS bare $suite: installed and registered as the README says, the library loads it"
}

# in_root COMMAND...: a command in the root, with next to no environment.
in_root() {
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null 2>&1
}

# step SCRIPT WHAT ARGUMENT...: one of the project's scripts, in the root. Its lines are marked, so
# that its own PASS and FAIL lines are not counted twice.
step() {
    script=$1
    what=$2
    shift 2
    say "$what"
    started=$(date +%s)
    {
        status=0
        in_root sh "/src/gss-ntlm/test/$script.sh" "$@" || status=$?
        echo "$status" >"$work/status"
    } | sed "s/^/$suite| /"
    status=$(cat "$work/status")
    seconds=$(($(date +%s) - started))
    [ "$status" -eq 0 ] || die "$what ended with status $status after $seconds s"
    echo "PASS bare $suite: $what ($seconds s)"
}

here=$(cd "$(dirname "$0")" && pwd)
if [ "${2-}" = --inside ]; then
    inside "$3" "$4"
    exit 0
fi

# --- The half outside: what it takes from this machine, and the cleaning up -------------------

[ $# -eq 1 ] || die "one argument, please"
[ "$(id -u)" -eq 0 ] || die "only root can make a root"
source=$(cd "$here/.." && pwd)
sh "$here/deps.sh" all || die "a package could not be installed"

work=""
child=""
# shellcheck disable=SC2317
leave() {
    status=$?
    trap - EXIT HUP INT TERM
    if [ -n "$child" ]; then
        # The first process of the namespace goes with this one, and all others with that.
        kill -KILL "$child" 2>/dev/null || :
        wait "$child" 2>/dev/null || :
    fi
    [ -z "$work" ] || rm -rf --one-file-system -- "$work"
    exit "$status"
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm-bare.XXXXXX")
chmod 755 "$work"

# repository LABEL: where this machine's apt has that repository from.
# shellcheck disable=SC2016
repository() {
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk -v label="$1" '$1 == label { print $2; exit }'
}
mirror=$(repository Debian)
if [ -z "$mirror" ]; then
    apt-get update -q
    mirror=$(repository Debian)
fi
[ -n "$mirror" ] || die "this machine's apt has no Debian repository"
security=$(repository Debian-Security)
{
    echo "deb $mirror $suite main"
    echo "deb $mirror $suite-updates main"
    [ -z "$security" ] || echo "deb $security $suite-security main"
} >"$work/sources.list"

# How this machine's apt fetches: proxies, and how strict it is with dates.
apt-config dump | grep -E '^Acquire::(https?|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b' |
    grep -v -E 'Auto-?Detect|::CaInfo' >"$work/apt.conf" || :
proxy=""
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "$proxy" ] || export http_proxy="$proxy"
authorities=/etc/ssl/certs/ca-certificates.crt
case "$mirror $security" in
*https:*)
    [ ! -f "$authorities" ] || cp "$authorities" "$work/ca.crt"
    echo 'Acquire::https::CaInfo "/etc/apt/ca.crt";' >>"$work/apt.conf"
    ;;
esac

git clone -q "file://$source" "$work/gss-ntlm" || die "$source could not be cloned"
say "$(git -C "$work/gss-ntlm" log -1 --format='%h %s')"
[ -z "$(git -C "$source" status --porcelain)" ] || say "what is not committed takes no part"

unshare --mount --pid --fork --kill-child --propagation private \
    sh "$here/bare.sh" "$suite" --inside "$work" "$mirror" </dev/null &
child=$!
status=0
wait "$child" || status=$?
child=""
exit "$status"
