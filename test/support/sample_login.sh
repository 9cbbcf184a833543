#!/bin/sh
# MIT's gss-client logs in to its gss-server with NTLM as this system has it: the mechanism is the one
# that is registered, and the accounts are those of a users file; logins in a keyring take no part.
set -eu
# shellcheck source-path=SCRIPTDIR source=listening.sh
. "$(dirname "$0")/listening.sh"
work=$(mktemp -d)
server=""
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap stop EXIT
(umask 077 && printf 'CORP:alice:Passw0rd-alice\n' >"$work/users")
export NTLM_USER_FILE="$work/users"
printf '[accounts]\ninitiator = users_file\n' >"$work/settings"
export GSS_NTLM_SETTINGS="$work/settings"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# login ARGUMENT...: at a server of its own, which ends after one client
login() {
    gss-server -port "$port" -once -verbose host@localhost >"$work/server" 2>&1 &
    server=$!
    listening "$port"
    gss-client -port "$port" "$@" 127.0.0.1 host@localhost 'a message' >"$work/client" 2>&1 || :
    wait "$server" || :
    server=""
}

# The braces are those of the program's own way to read an object identifier.
login -mech '{ 1 3 6 1 4 1 311 2 2 10 }'
grep -q 'Signature verified' "$work/client" && grep -q 'CORP.alice' "$work/server" || {
    cat "$work/client" "$work/server"
    echo "FAIL the user of the users file did not get in"
    exit 1
}
login -spnego -user 'CORP\alice' -pass wrong
if grep -q 'Signature verified' "$work/client" || ! grep -q 'logon failure' "$work/server"; then
    cat "$work/client" "$work/server"
    echo "FAIL a wrong password was not refused by this mechanism"
    exit 1
fi
echo "PASS a login with gss-client, and a refusal of a wrong password"
