#!/bin/sh
# Shows that a bare Debian is enough: debootstrap makes the smallest root of that Debian in a
# temporary directory, the committed project is cloned into it, and the quickstart (twice) and the
# plain tests run there, from nothing. The root is removed again.
#
#   sh test/bare.sh bookworm|trixie            the plain tests
#   sh test/bare.sh bookworm|trixie --all      with those that take long: browsers, slow peers, guides
#
# For root, on Debian. Packages come from where this machine's apt takes its own. All of it happens
# in namespaces of its own (support/root.sh).
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
kind=bare
suite=${1-}
. "$here/support/root.sh"
check_suite

# --- The half that runs in the namespaces: bare.sh SUITE --inside DIRECTORY MIRROR ----------------

inside() {
    make_root root
    mkdir -p "$root/src"
    mv "$work/gss-ntlm" "$root/src/gss-ntlm"
    use_root "$root"

    step quickstart "the quickstart"
    step quickstart "the quickstart, once more"
    # Split into words on purpose.
    # shellcheck disable=SC2086
    step "run" "the plain tests" --plain $long

    # The library here against the one in the root, where this machine has a build to do it with.
    if [ -f "$here/../build/test/mech/gss_ntlm.so" ]; then
        say "this machine's library against the root's"
        mixed=0
        /usr/bin/python3 -B "$here/interop/mixed.py" "$here/../build/test/mech/gss_ntlm.so" "$root" \
            /src/gss-ntlm/build/test/mech/gss_ntlm.so /src/gss-ntlm/test/interop/peer.py \
            "$here/../build/test/spnego/interposer/gss_ntlm_spnego.so" \
            /src/gss-ntlm/build/test/spnego/interposer/gss_ntlm_spnego.so || mixed=$?
        [ "$mixed" -eq 0 ] || [ "$mixed" -eq 77 ] || die "the two do not meet as they should"
    fi

    none_left_running
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

if [ "${2-}" = --inside ]; then
    work=$3 mirror=$4
    inside
    exit 0
fi
case "$#${2-}" in
1) export long="" ;;
2--all) export long=--all ;;
*) die "after the Debian only --all, please" ;;
esac
enter
