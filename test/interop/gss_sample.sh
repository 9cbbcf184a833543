#!/bin/sh
# MIT's gss-client and gss-server exchange messages through the module, raw and under SPNEGO.
# Usage: gss_sample.sh  (GSS_MECH_CONFIG names the registration)
set -eu
command -v gss-server >/dev/null && command -v gss-client >/dev/null || {
  echo "SKIP krb5-gss-samples is not installed"
  exit 77
}
work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || :
  rm -rf "$work"
}
trap stop EXIT
umask 077
printf 'CORP:alice:Passw0rd-alice\n' >"$work/users"
export NTLM_USER_FILE="$work/users"
# Logins that whoever runs this keeps in a keyring take no part.
printf '[accounts]\ninitiator = users_file\n' >"$work/settings"
export GSS_NTLM_SETTINGS="$work/settings"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# serve ARGUMENT...: a server that is ready when this returns; what it says goes to $work/server.
serve() {
  : >"$work/server"
  gss-server -port "$port" -verbose "$@" host@localhost >"$work/server" 2>&1 &
  server=$!
  tries=0
  until grep -q 'starting' "$work/server" || [ $tries -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
}

status=0
refused=
client() {
  label=$1
  shift
  if gss-client -port "$port" "$@" 127.0.0.1 host@localhost 'a message' >"$work/client" 2>&1 &&
    grep -q 'Signature verified' "$work/client"; then
    echo "PASS gss-client $label"
  else
    echo "FAIL gss-client $label"
    cat "$work/client" "$work/server"
    status=1
  fi
}

serve
client 'raw NTLM' -mech '{ 1 3 6 1 4 1 311 2 2 10 }'
client 'raw NTLM, several contexts and messages' -mech '{ 1 3 6 1 4 1 311 2 2 10 }' -ccount 3 -mcount 5
client 'raw NTLM, without mutual, replay and sequence' -mech '{ 1 3 6 1 4 1 311 2 2 10 }' -nomutual -noreplay
client 'SPNEGO, user and password' -spnego -user 'CORP\alice' -pass Passw0rd-alice
kill "$server"
wait "$server" 2>/dev/null || :

# It writes its last words when it ends by itself, which it does after one client.
serve -once
gss-client -port "$port" -spnego -user 'CORP\alice' -pass wrong 127.0.0.1 host@localhost m >"$work/client" 2>&1 ||
  refused=yes
wait "$server" || :
server=
if [ -n "$refused" ] && grep -q 'error initializing context' "$work/client" &&
  grep -q 'error accepting context: the logon was refused' "$work/server"; then
  echo "PASS gss-client with a wrong password is told so on both sides"
else
  echo "FAIL gss-client with a wrong password is told so on both sides"
  cat "$work/client" "$work/server"
  status=1
fi
exit $status
