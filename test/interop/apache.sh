#!/bin/sh
# Real curl logs in to a real Apache through the module.
#
#   sh test/interop/apache.sh MODULE PROGRAM      e.g. build/mech/gss_ntlm.so build/tools/gss-ntlm
#
# Each line says what was sent (scheme and size of the token) and what came back (status, scheme
# and size of the token, and the user that Apache names). The module is registered privately, and
# Apache, which listens on loopback alone, is stopped at the end.
set -eu
[ $# -eq 2 ] || {
    echo "usage: sh test/interop/apache.sh MODULE PROGRAM" >&2
    exit 2
}
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../support/common.sh
. "$here/../support/common.sh"
# shellcheck source-path=SCRIPTDIR source=../support/apache.sh
. "$here/../support/apache.sh"

password='Correct-Horse 7'
private_root
register_module "$1"
program=$2
mkdir -m 700 "$root/client"

# An account of the acceptor, and users files of clients that get it right and wrong.
printf 'QUICK:alice:%s\n' "$password" >"$root/client/right"
printf 'QUICK:alice:%s\n' "$password-not" >"$root/client/wrong"
printf 'QUICK:mallory:%s\n' "$password" >"$root/client/unknown"
chmod 600 "$root"/client/*
client=""
apache_start "$root/client/right"

# Tells one curl -v output as a line: what went out, "->", what came back, for each request.
# shellcheck disable=SC2016
tell='
function size(token) {
    bytes = int(length(token) * 3 / 4)
    if (token ~ /==$/) return bytes - 2
    if (token ~ /=$/) return bytes - 1
    return bytes
}
function show(scheme, token) { return token == "" ? scheme : scheme " " size(token) " B" }
function answered() {
    if (status == "") return
    line = line (line == "" ? "" : "; ") (sent == "" ? "no token" : sent) " -> " status got
    sent = status = got = ""
}
{ sub(/\r$/, "") }
/^> GET/ { answered() }
/^> Authorization:/ { sent = show($3, $4) }
/^< HTTP/ { status = $3 }
/^< WWW-Authenticate:/ { got = got (got == "" ? " " : ", ") show($3, $4) }
/^< X-Remote-User:/ { user = substr($0, 17) }
END { answered(); print line (user ~ /[^ ]/ ? "; user" user : "") }
'

# try NAME OUTCOME CURL-ARGUMENT...: one run of curl. OUTCOME is "login": 200, the page, and the
# user named; "refusal": 401 to a login that got as far as its answer to a challenge; or "nothing":
# 401 and no login tried.
try() {
    name=$1
    outcome=$2
    shift 2
    rm -f "$root/page"
    status=$(env ${client:+"NTLM_USER_FILE=$client"} curl -q -4 -s -v --max-time 30 --noproxy '*' -o "$root/page" \
        --resolve "localhost:$apache_port:127.0.0.1" \
        --resolve "localhost:$apache_negotiate_port:127.0.0.1" \
        -w '%{http_code}' "$@" 2>"$root/trace") || status="$status, and curl ended with $?"
    told=$(awk "$tell" "$root/trace")
    case "$outcome $status $told" in
    'login 200 '*' B -> 401 '*' B; '*' B -> 200'*'; user QUICK\alice')
        verdict="the page did not arrive"
        ! grep -q "behind the login" "$root/page" || verdict=as-expected
        ;;
    'refusal 401 '*' B -> 401 '*' B; '*' B -> 401'*) verdict=as-expected ;;
    'nothing 401 no token -> 401'*) verdict=as-expected ;;
    *) verdict="expected: $outcome. Apache's last lines:
$(tail -n 4 "$apache_dir/error.log")" ;;
    esac
    if [ "$verdict" = as-expected ]; then
        pass "$name [$told]"
    else
        fail "$name [$told]" "$verdict"
    fi
}

# The same for curl --negotiate -u : with the account in a users file of the client.
negotiate() {
    client="$root/client/$3"
    try "$1" "$2" --negotiate -u : "$apache_url"
    client=""
}

try "curl without an account" nothing "$apache_url"

negotiate "curl --negotiate -u :" login right
negotiate "curl --negotiate -u :, wrong password" refusal wrong
negotiate "curl --negotiate -u :, unknown user" refusal unknown

# The same without a users file of the client: the hash is in the kernel's keyring, for this target
# alone, from login to logout.
logged_in_for='HTTP@localhost'
keyring() {
    printf '[accounts]\ninitiator = keyring\n' >"$root/keyring-settings"
    if ! said=$(printf '%s\n' "$password" | "$program" login 'QUICK\alice' --for "$logged_in_for" --stdin 2>&1); then
        case $said in
        *keyring*) echo "SKIP gss-ntlm login: $said" ;;
        *) fail "gss-ntlm login" "$said" ;;
        esac
        return 0
    fi
    at_exit '"$program" logout "$logged_in_for" >/dev/null 2>&1 || :'
    pass "gss-ntlm login 'QUICK\\alice' --for $logged_in_for [password sent -> ${said:-its hash is in the keyring}]"
    export GSS_NTLM_SETTINGS="$root/keyring-settings"
    try "curl --negotiate -u :, after gss-ntlm login, no users file" login --negotiate -u : "$apache_url"
    if said=$("$program" logout "$logged_in_for" 2>&1); then
        pass "gss-ntlm logout $logged_in_for [nothing sent -> ${said:-the hash is gone}]"
    else
        fail "gss-ntlm logout $logged_in_for" "$said"
    fi
    case $("$program" list 2>&1) in
    'There are no logins'*)
        try "curl --negotiate -u :, after gss-ntlm logout" nothing --negotiate -u : "$apache_url"
        ;;
    *) echo "SKIP curl after gss-ntlm logout: the user who runs this has other logins" ;;
    esac
    export GSS_NTLM_SETTINGS="$root/settings"
}
keyring

try "curl --ntlm -u alice:..." login --ntlm -u "alice:$password" "$apache_url"
try "curl --ntlm, with the domain" login --ntlm -u "QUICK\\alice:$password" "$apache_url"
try "curl --ntlm, wrong password" refusal --ntlm -u "alice:$password-not" "$apache_url"
try "curl --ntlm, unknown user" refusal --ntlm -u "mallory:$password" "$apache_url"

# Behind this port the scheme is renamed, on the way in and on the way out: mod_auth_gssapi is given
# "Negotiate", and answers so.
try "curl --ntlm, under Negotiate" login --ntlm -u "alice:$password" "$apache_negotiate_url"
try "curl --ntlm, under Negotiate, wrong password" refusal \
    --ntlm -u "alice:$password-not" "$apache_negotiate_url"
# "TlRMTVNTUA" is the base64 of "NTLMSSP" and a NUL.
if grep -q "^$apache_negotiate_port 200 Negotiate TlRMTVNTUA" "$apache_dir/access.log" &&
    grep -q "^$apache_port 200 NTLM TlRMTVNTUA" "$apache_dir/access.log"; then
    pass "Apache was given NTLM messages as they are under both schemes"
else
    fail "Apache was given NTLM messages as they are under both schemes" \
        "$(cut -c1-60 "$apache_dir/access.log")"
fi

# Without the registration there is no such login: it was the module, on either side.
: >"$root/none.conf"
registered=$GSS_MECH_CONFIG
export GSS_MECH_CONFIG="$root/none.conf"
negotiate "curl --negotiate -u :, module not registered" nothing right
export GSS_MECH_CONFIG="$registered"
if grep -q -s -F "$module" /proc/[0-9]*/maps; then
    pass "Apache has ${module##*/} loaded"
else
    fail "Apache has ${module##*/} loaded" "no process maps $module"
fi

curl=$(package_version curl)
interop_row HTTP "curl --negotiate" "$curl" both "Negotiate with Apache; accounts from a users file and from the keyring"
interop_row HTTP "curl --ntlm" "$curl" acceptor "NTLM, and raw NTLM in Negotiate, with Apache"

finish
