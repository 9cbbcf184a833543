#!/bin/sh
# .NET's HttpClient logs in to a real Apache through the module: NTLM and Negotiate, a body, a hundred requests in sequence,
# twenty in parallel, TLS, and a proxy.
#
#   sh test/interop/dotnet_web.sh MODULE DIRECTORY    DIRECTORY: where dotnet_runtime.py keeps .NET
set -eu
[ $# -eq 2 ] || {
    echo "usage: sh test/interop/dotnet_web.sh MODULE DIRECTORY" >&2
    exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../support/common.sh
. "$here/../support/common.sh"
# shellcheck source-path=SCRIPTDIR source=../support/apache.sh
. "$here/../support/apache.sh"

peer=".NET's HttpClient"
program=$(/usr/bin/python3 -B "$here/dotnet_runtime.py" "$2") || {
    [ $? -eq 77 ] || die ".NET was not laid out: $program"
    interop_skipped .NET "$peer" "$program"
    echo "SKIP $program"
    exit 77
}
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_EnableDiagnostics=0
password='Correct-Horse 7'
private_root
register_module "$1"
printf 'QUICK:alice:%s\n' "$password" >"$root/users"
chmod 600 "$root/users"
apache_certificate
cat >"$root/count.lua" <<'LUA'
function handle(r)
  r:puts(r.user, " posted ", #(r:requestbody() or ""), "\n")
  return apache2.OK
end
LUA

apache_extra() {
    apache_tls_and_proxy ""
    echo "LoadModule lua_module \"$apache_modules/mod_lua.so\""
    echo "LuaMapHandler /posted \"$root/count.lua\" handle"
}

# try NAME ANSWER SCHEME URL OPTION...: with the right password, unless an option gives another.
try() {
    name="$3: $1"
    wanted=$2
    scheme=$3
    url=$4
    shift 4
    said=$("$program" http "$url" "scheme=$scheme" 'user=QUICK\alice' "password=$password" "$@" 2>&1) || said="$said; it ended"
    if [ "$said" = "$wanted" ]; then
        pass ".NET's HttpClient, $name [$said]"
    else
        fail ".NET's HttpClient, $name [$said]" "expected: $wanted. Apache's last lines:
$(tail -n 4 "$apache_dir/error.log")"
    fi
}

apache_workers=32
apache_start "$root/users"
base="http://localhost:$apache_port"
# With Negotiate HttpClient begins a second login in a connection that has one, which mod_auth_gssapi rejects: some of the
# twenty answers are 401, with every mechanism. Kestrel takes them (dotnet.py).
try "20 in parallel" '20 x 200 QUICK\alice' NTLM "$base/index.html" parallel=20
for scheme in NTLM Negotiate; do
    try "a page" '1 x 200 QUICK\alice' "$scheme" "$base/index.html"
    try "a body of 100,000 bytes" '1 x 200 QUICK\alice posted 100000' "$scheme" "$base/posted" body=100000
    try "100 in sequence" '100 x 200 QUICK\alice' "$scheme" "$base/index.html" times=100
    try "TLS" '1 x 200 QUICK\alice' "$scheme" "https://localhost:$apache_tls_port/index.html" \
        "certificate=$root/certificate.pem"
    try "a proxy" "1 x 200 $(curl -s "http://localhost:$apache_negotiate_port/refused.html")" "$scheme" \
        "http://localhost:$apache_negotiate_port/refused.html" "proxy=http://localhost:$apache_proxy_port"
    try "wrong password" '1 x 401' "$scheme" "$base/index.html" password=guess
    try "a proxy, wrong password" '1 x 407' "$scheme" "http://localhost:$apache_negotiate_port/refused.html" \
        "proxy=http://localhost:$apache_proxy_port" password=guess
done
interop_row .NET "$peer" "$("$program" version)" both \
    "Apache: NTLM and Negotiate, a body, 100 in sequence, 20 in parallel (NTLM), TLS, proxy; wrong password"
finish
