# Shared by the shell tests: a private directory that goes away again, a private registration of the
# module, and PASS and FAIL lines that add up. Sourced, after `set -eu`:
#
#   . "$(dirname "$0")/../support/common.sh"
#   private_root            makes $root; at_exit names what to do before it is removed
#   register_module FILE    $GSS_MECH_CONFIG for a copy of FILE, and nothing else
#   pass NAME / fail NAME WHY / finish
#   interop_row AREA PEER VERSION ROLE MODES [RESULT]   a row of docs/interop.md, after its cases
#   interop_skipped AREA PEER WHY                       the row of a peer that cannot be had here
#   spnego_carries_mic                                  whether this krb5's SPNEGO does
#   package_version PACKAGE                             the version of a Debian package, or -
# shellcheck shell=sh

ntlm_oid=1.3.6.1.4.1.311.2.2.10
passed=0
failed=0
root=""
exit_commands=:

# Leaves with status 1 and the reason; for what keeps a test from running at all.
die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

at_exit() {
    exit_commands="$1; $exit_commands"
}

leave() {
    status=$?
    trap - EXIT HUP INT TERM
    eval "$exit_commands" || status=1
    [ -z "$root" ] || rm -rf -- "$root"
    exit "$status"
}

# A directory in $root that other users may enter: a server's workers have to reach the module, which
# may have been built where only its owner can.
private_root() {
    root=$(mktemp -d "${TMPDIR:-/tmp}/gss-ntlm.XXXXXX")
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # A registration separates its fields by white space.
    case $root in
    *[[:space:]]*) die "TMPDIR ($TMPDIR) has white space in it: choose another one" ;;
    esac
    chmod 755 "$root"
    # Nothing of the caller's own set-up takes part.
    unset NTLM_USER_FILE CREDENTIALS_DIRECTORY NTLMUSER LM_COMPAT_LEVEL NETBIOS_COMPUTER_NAME NETBIOS_DOMAIN_NAME
    printf '[accounts]\ninitiator = users_file\n' >"$root/settings"
    chmod 644 "$root/settings"
    export GSS_NTLM_SETTINGS="$root/settings"
    : >"$root/krb5.conf"
    export KRB5_CONFIG="$root/krb5.conf"
    export KRB5CCNAME="FILE:$root/no-ccache" KRB5_KTNAME="FILE:$root/no-keytab"
}

# MIT's SPNEGO from 1.21 to 1.22.1 loses the mechListMIC, so that no MIC covers an exchange inside it; the interposer
# mends that.
spnego_carries_mic() {
    [ -z "${INTERPOSER-}" ] || return 0
    case $(krb5-config.mit --version 2>/dev/null || krb5-config --version) in
    *' 1.21'* | *' 1.22' | *' 1.22.1') return 1 ;;
    esac
}

register_module() {
    [ -f "$1" ] || die "there is no module $1: build it first"
    module="$root/${1##*/}"
    cp -- "$1" "$module"
    chmod 755 "$module"
    printf 'gss-ntlm %s %s\n' "$ntlm_oid" "$module" >"$root/mech.conf"
    export GSS_MECH_CONFIG="$root/mech.conf"
}

pass() {
    passed=$((passed + 1))
    printf 'PASS %s\n' "$1"
}

fail() {
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/     /'
}

# Since the last row; a row of which a case failed is "fails". ROLE is ours: initiator, acceptor or both.
interop_failed=0
interop_row() {
    result=${6:-works}
    [ "$failed" -eq "$interop_failed" ] || result=fails
    interop_failed=$failed
    printf 'interop: | %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$3" "$4" "$5" "$result"
}

interop_skipped() {
    printf 'interop: | %s | %s | - | - | - | not run: %s |\n' "$1" "$2" "$3"
}

# Without epoch, revision and what repacking added.
package_version() {
    version=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null) || version=""
    [ -n "$version" ] || version=-
    printf '%s\n' "$version" | sed 's/^[0-9]*://; s/\(.\)-[^-]*$/\1/; s/[+~]\(dfsg\|ds\|deb\|repack\).*//'
}

finish() {
    [ $((passed + failed)) -gt 0 ] || die "no test was run"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}
