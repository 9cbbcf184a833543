#!/bin/sh
# MIT's gss-client and gss-server exchange messages through the module, raw and inside SPNEGO; and gss-client
# with gss-ntlmssp's gss-server.
#
#   sh test/interop/gss_sample.sh      GSS_MECH_CONFIG names the registration
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../support/common.sh
. "$here/../support/common.sh"
# shellcheck source-path=SCRIPTDIR source=../support/listening.sh
. "$here/../support/listening.sh"

command -v gss-server >/dev/null && command -v gss-client >/dev/null || {
    interop_skipped GSSAPI "MIT's gss-client and gss-server" "krb5-gss-samples is not installed"
    echo "SKIP krb5-gss-samples is not installed"
    exit 77
}
private_root
ours=$GSS_MECH_CONFIG
(umask 077 && printf 'CORP:alice:Passw0rd-alice\n' >"$root/users" && printf 'CORP:alice:wrong\n' >"$root/wrong")
users=$root/users
server=""
# The braces are those of the program's own way to read an OID.
ntlm='{ 1 3 6 1 4 1 311 2 2 10 }'

stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || :
    wait "$server" 2>/dev/null || :
    server=""
}
at_exit stop_server

# serve ARGUMENT...: a server of $registration that is ready when this returns; what it says goes to $root/server.
registration=$ours
serve() {
    stop_server
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    : >"$root/server"
    GSS_MECH_CONFIG=$registration NTLM_USER_FILE=$root/users gss-server -port "$port" -verbose "$@" host@localhost \
        >"$root/server" 2>&1 &
    server=$!
    listening "$port"
}

client() {
    NTLM_USER_FILE=$users gss-client -port "$port" "$@" 127.0.0.1 host@localhost 'a message' >"$root/client" 2>&1
}

# works LABEL TEXT ARGUMENT...: gss-client succeeds, and says TEXT.
works() {
    label="gss-client $1"
    text=$2
    shift 2
    if client "$@" && grep -q "$text" "$root/client"; then
        pass "$label"
    else
        fail "$label" "$(cat "$root/client" "$root/server")"
    fi
}

# fails LABEL TEXT ARGUMENT...: gss-client fails and says TEXT, and the server refuses the logon. It writes its last
# words when it ends by itself, which it does after one client.
fails() {
    label="gss-client $1"
    text=$2
    shift 2
    serve -once
    refused=""
    client "$@" || refused=yes
    wait "$server" || :
    server=""
    if [ -n "$refused" ] && grep -q "$text" "$root/client" &&
        grep -q 'error accepting context: logon failure' "$root/server"; then
        pass "$label"
    else
        fail "$label" "$(cat "$root/client" "$root/server")"
    fi
}

signature='Signature verified'
serve
works 'raw NTLM' "$signature" -mech "$ntlm"
works 'raw NTLM, several contexts and messages' "$signature" -mech "$ntlm" -ccount 3 -mcount 5
works 'raw NTLM, in sequence' "$signature" -mech "$ntlm" -seq -mcount 5
works 'raw NTLM, without mutual, replay and sequence' "$signature" -mech "$ntlm" -nomutual -noreplay
works 'raw NTLM, signed and not sealed' "$signature" -mech "$ntlm" -nx -mcount 3
works 'raw NTLM, messages as they are with a MIC' "$signature" -mech "$ntlm" -nw -mcount 3
works 'raw NTLM, sealed without a MIC' 'Response received' -mech "$ntlm" -nm -mcount 3
works 'raw NTLM, the context and no message of it' 'Response received' -mech "$ntlm" -na
works 'SPNEGO, user and password' "$signature" -spnego -user 'CORP\alice' -pass Passw0rd-alice
works 'SPNEGO, user and password, several contexts and messages' "$signature" -spnego -user 'CORP\alice' \
    -pass Passw0rd-alice -ccount 3 -mcount 5
serve -export
works 'raw NTLM, a server that moves each context' "$signature" -mech "$ntlm" -mcount 3
works 'SPNEGO, a server that moves each context' "$signature" -spnego -user 'CORP\alice' -pass Passw0rd-alice -mcount 3
stop_server
fails 'SPNEGO, with a wrong password, is told so on both sides' 'error initializing context' \
    -spnego -user 'CORP\alice' -pass wrong
# Its last token sent, a raw initiator is done; the server closes the connection.
users=$root/wrong
fails 'raw NTLM, with a wrong password, is refused' 'reading token' -mech "$ntlm"
users=$root/users
interop_row GSSAPI "MIT's gss-client and gss-server" "$(package_version krb5-gss-samples)" both \
    "raw and SPNEGO: sealed, signed, MIC, many contexts, exported contexts; wrong password"

theirs=$(ls /usr/lib/*/gssntlmssp/gssntlmssp.so 2>/dev/null) || theirs=""
if [ -n "$theirs" ]; then
    printf 'ntlmssp %s %s\n' "$ntlm_oid" "$theirs" >"$root/theirs.conf"
    registration=$root/theirs.conf
    serve
    works "at gss-ntlmssp's server, raw NTLM" "$signature" -mech "$ntlm" -mcount 3
    works "at gss-ntlmssp's server, SPNEGO" "$signature" -spnego -user 'CORP\alice' -pass Passw0rd-alice -mcount 3
    stop_server
    interop_row "NTLM mechanisms" "gss-ntlmssp, with gss-server" "$(package_version gss-ntlmssp)" initiator \
        "raw and SPNEGO: sealed, MIC"
else
    echo "SKIP gss-ntlmssp is not installed"
fi
finish
