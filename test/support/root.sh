# Shared by the scripts that make a bare Debian in a directory. It all happens in mount and process
# namespaces of its own: what is mounted or still running when the script ends, or is interrupted,
# is gone with them before the directory is removed. For root, on Debian. Sourced, after `set -eu`, with
# $here the directory of the tests, $kind what the script calls itself and $suite the Debian:
#
#   check_suite           bookworm or trixie, or the usage
#   enter                 outside: makes $work, with the project in $work/gss-ntlm as it is committed,
#                         and runs the script again as "SCRIPT SUITE --inside $work $mirror"
#   make_root NAME        inside: $root, the smallest Debian there is, with this machine's packages
#   use_root DIRECTORY       inside: $root, with what a root needs of mounts
#   in_root COMMAND...    inside: a command in $root, with next to no environment
#   none_left_running     inside: of the processes in $root
#   say / die
# shellcheck shell=sh

work=""
child=""

say() {
    printf '== %s %s: %s\n' "$kind" "$suite" "$*"
}

die() {
    echo "FAIL $kind ${suite:-root}: $*"
    exit 1
}

check_suite() {
    case $suite in
    bookworm | trixie) ;;
    *)
        echo "usage: sh test/$kind.sh bookworm|trixie" >&2
        exit 2
        ;;
    esac
}

# --- Inside ------------------------------------------------------------------------------------

make_root() {
    say "debootstrap"
    root="$work/$1"
    if ! debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$work/log" 2>&1; then
        tail -n 30 "$work/log"
        die "debootstrap could not make the root"
    fi
    cp "$work/sources.list" "$root/etc/apt/sources.list"
    cp "$work/apt.conf" "$root/etc/apt/apt.conf.d/99host"
    [ ! -f "$work/ca.crt" ] || cp "$work/ca.crt" "$root/etc/apt/ca.crt"
    [ ! -f "$work/npmrc" ] || cp "$work/npmrc" "$root/root/.npmrc"
}

use_root() {
    root=$1
    # A root that is a place of a mount, as the tests with namespaces of their own want it.
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    # Terminals of its own, for the tests of what a person types.
    mkdir -p "$root/dev/pts"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
    ln -sf pts/ptmx "$root/dev/ptmx"
}

in_root() {
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null 2>&1
}

none_left_running() {
    left=""
    for process in /proc/[0-9]*; do
        # The root's processes are those that have it as theirs.
        ! [ "$(readlink "$process/root")" = "$root" ] || left="$left $(cat "$process/comm")"
    done
    [ -z "$left" ] || die "left running:$left"
}

# --- Outside: what it takes from this machine, and the cleaning up ----------------------------

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

# repository LABEL: where this machine's apt has that repository from.
# shellcheck disable=SC2016
repository() {
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk -v label="$1" '$1 == label { print $2; exit }'
}

take_apt_configuration() {
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
}

# Where this machine's npm fetches from, if it has one.
take_npm_configuration() {
    command -v npm >/dev/null || return 0
    echo "registry=$(npm config get registry)" >"$work/npmrc"
    if [ -f "$authorities" ]; then
        cp "$authorities" "$work/ca.crt"
        echo "cafile=/etc/apt/ca.crt" >>"$work/npmrc"
    fi
}

enter() {
    [ "$(id -u)" -eq 0 ] || die "only root can make a root"
    source=$(cd "$here/.." && pwd)
    sh "$here/deps.sh" all || die "a package could not be installed"
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    work=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm-$kind.XXXXXX")
    chmod 755 "$work"
    take_apt_configuration
    take_npm_configuration
    git clone -q "file://$source" "$work/gss-ntlm" || die "$source could not be cloned"
    say "$(git -C "$work/gss-ntlm" log -1 --format='%h %s')"
    [ -z "$(git -C "$source" status --porcelain)" ] || say "what is not committed takes no part"

    unshare --mount --pid --fork --kill-child --propagation private \
        sh "$here/$kind.sh" "$suite" --inside "$work" "$mirror" </dev/null &
    child=$!
    status=0
    wait "$child" || status=$?
    child=""
    exit "$status"
}
