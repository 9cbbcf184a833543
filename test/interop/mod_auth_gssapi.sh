#!/bin/sh
# What else Apache's mod_auth_gssapi does with the module, with curl at the other end: Basic, where the
# module plays both roles within Apache; TLS; and a forward proxy.
#
#   sh test/interop/mod_auth_gssapi.sh MODULE        e.g. build/mech/gss_ntlm.so
set -eu
[ $# -eq 1 ] || {
    echo "usage: sh test/interop/mod_auth_gssapi.sh MODULE" >&2
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
mkdir -m 700 "$root/client"
printf 'QUICK:alice:%s\n' "$password" >"$root/client/right"
printf 'QUICK:alice:%s\n' "$password-not" >"$root/client/wrong"
chmod 600 "$root"/client/*
apache_certificate

apache_extra() {
    apache_tls_and_proxy "CustomLog \"$apache_dir/proxy.log\" \"%u\""
    cat <<'CONFIGURATION'
<Location "/basic/">
GssapiBasicAuth On
</Location>
CONFIGURATION
}

start() {
    apache_start "$root/client/right"
    mkdir -p "$apache_dir/htdocs/basic"
    echo "the page behind the password" >"$apache_dir/htdocs/basic/index.html"
    tls_url="https://localhost:$apache_tls_port/index.html"
    basic_url="http://localhost:$apache_port/basic/index.html"
    # What the other port serves without a login.
    open_url="http://localhost:$apache_negotiate_port/refused.html"
}

# try NAME STATUS CURL-ARGUMENT...: 200 comes with the user that Apache names, in the header or in the proxy's log.
client=right
try() {
    name=$1
    wanted=$2
    shift 2
    : >"$apache_dir/proxy.log"
    status=$(NTLM_USER_FILE="$root/client/$client" curl -q -4 -s -v --max-time 60 --cacert "$root/certificate.pem" \
        -o "$root/page" -w '%{http_code}' "$@" 2>"$root/trace") || status="$status, and curl ended with $?"
    user=$(sed -n 's/^< X-Remote-User: \(.*[^\r]\)\r*$/\1/p' "$root/trace" | tail -n 1 | tr -d '\r')
    [ -n "$user" ] || user=$(tail -n 1 "$apache_dir/proxy.log" | sed 's/\\\\/\\/; s/^-$//')
    if [ "$wanted" != 200 ]; then
        told="$status"
    else
        told="$status as $user"
        wanted='200 as QUICK\alice'
    fi
    if [ "$told" = "$wanted" ]; then
        pass "$name [$told]"
    else
        fail "$name [$told]" "expected: $wanted. Apache's last lines:
$(tail -n 4 "$apache_dir/error.log")"
    fi
}

start
try "Basic" 200 --noproxy '*' --basic -u "alice:$password" "$basic_url"
try "Basic, with the domain" 200 --noproxy '*' --basic -u "QUICK\\alice:$password" "$basic_url"
try "Basic, wrong password" 401 --noproxy '*' --basic -u "alice:$password-not" "$basic_url"
try "Basic, unknown user" 401 --noproxy '*' --basic -u "mallory:$password" "$basic_url"
version=$(package_version libapache2-mod-auth-gssapi)
interop_row HTTP "Apache mod_auth_gssapi" "$version" both "Basic, verified by a login inside Apache"

proxy="http://localhost:$apache_proxy_port"
try "a proxy, NTLM" 200 -x "$proxy" --proxy-ntlm -U "alice:$password" "$open_url"
try "a proxy, NTLM, wrong password" 407 -x "$proxy" --proxy-ntlm -U "alice:$password-not" "$open_url"
try "a proxy, Negotiate" 200 -x "$proxy" --proxy-negotiate -U : "$open_url"
client=wrong
try "a proxy, Negotiate, wrong password" 407 -x "$proxy" --proxy-negotiate -U : "$open_url"
client=right
interop_row HTTP "Apache mod_auth_gssapi" "$version" acceptor "forward proxy with curl --proxy-negotiate and --proxy-ntlm"

# It hands no bindings on, so that "require" has nothing to compare and changes nothing: to bind
# the login to TLS, use a server that passes bindings.
for policy in accept require; do
    apache_stop
    printf '[accounts]\ninitiator = users_file\n[policy]\nchannel_bindings = %s\n' "$policy" >"$root/settings"
    start
    with="channel_bindings = $policy"
    try "TLS, Negotiate, $with" 200 --noproxy '*' --negotiate -u : "$tls_url"
    try "TLS, NTLM, $with" 200 --noproxy '*' --ntlm -u "alice:$password" "$tls_url"
    try "TLS, NTLM, wrong password, $with" 401 --noproxy '*' --ntlm -u "alice:$password-not" "$tls_url"
    client=wrong
    try "TLS, Negotiate, wrong password, $with" 401 --noproxy '*' --negotiate -u : "$tls_url"
    client=right
done
interop_row HTTP "Apache mod_auth_gssapi" "$version" acceptor \
    "TLS with curl --negotiate and --ntlm; it passes no channel bindings to GSSAPI, so channel_bindings = require has no effect"

finish
