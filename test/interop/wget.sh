#!/bin/sh
# wget, which has an NTLM of its own, logs in to a real Apache through the module.
#
#   sh test/interop/wget.sh MODULE        e.g. build/mech/gss_ntlm.so
#
# Its NTLM is that of 1997: NTLMv1 without extended session security. So it is refused by default,
# and accepted where the settings say so.
set -eu
[ $# -eq 1 ] || {
    echo "usage: sh test/interop/wget.sh MODULE" >&2
    exit 2
}
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../support/common.sh
. "$here/../support/common.sh"
# shellcheck source-path=SCRIPTDIR source=../support/apache.sh
. "$here/../support/apache.sh"

command -v wget >/dev/null || {
    interop_skipped HTTP wget "it is not installed"
    echo "SKIP wget is not installed"
    exit 77
}
password='Correct-Horse 7'
private_root
register_module "$1"
printf 'QUICK:alice:%s\n' "$password" >"$root/users"
chmod 600 "$root/users"

# try NAME STATUS USER PASSWORD: STATUS is what the last answer has; with 200 comes the page, and Apache
# names the user.
try() {
    wget --no-config --no-proxy -4 -t 1 -T 30 -S -O "$root/page" --user "$3" --password "$4" "$apache_url" \
        >"$root/trace" 2>&1 || :
    got=$(awk '$1 ~ /^HTTP\// { status = $2; user = "" }
               $1 == "X-Remote-User:" { user = $2 }
               END { print status, user }' "$root/trace")
    wanted=$2
    [ "$2" != 200 ] || wanted='200 QUICK\\alice' # as wget prints it
    if ! grep -q "^Authentication selected: NTLM" "$root/trace"; then
        fail "$1 [$got]" "no NTLM was tried: $(cat "$root/trace")"
    elif [ "$got" = "$wanted" ] || [ "$got" = "$wanted " ]; then
        pass "$1 [$got]"
    else
        fail "$1 [$got]" "expected: $wanted. Apache's last lines:
$(tail -n 4 "$apache_dir/error.log")"
    fi
}

apache_start "$root/users"
try "wget is refused by the default policy" 401 alice "$password"
if grep -q "the peer does not offer a capability" "$apache_dir/error.log"; then
    pass "Apache's log says why"
else
    fail "Apache's log says why" "$(tail -n 4 "$apache_dir/error.log")"
fi
apache_stop

printf '[policy]\naccept_level = 2\nrequire_ess = no\nmin_key_bits = 40\n' >>"$root/settings"
apache_start "$root/users"
try "wget, where policy takes NTLMv1" 200 alice "$password"
try "wget, with the domain" 200 'QUICK\alice' "$password"
try "wget, wrong password" 401 alice "$password-not"
try "wget, unknown user" 401 mallory "$password"
interop_row HTTP wget "$(package_version wget)" acceptor \
    "NTLM with Apache; NTLMv1, rejected by default, if policy accepts it"

finish
