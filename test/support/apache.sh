# An Apache of one's own on loopback, with mod_auth_gssapi and the registered module. Sourced after
# common.sh, private_root and register_module:
#
#   apache_start USERS [DIRECTIVE...]   serves $apache_url to the accounts in the users file USERS
#   apache_stop                         (also at exit)
#
# $apache_negotiate_url is the same acceptor behind another port, where the client's NTLM scheme is
# renamed to Negotiate on its way in, and that of the answer back on its way out. So a client that
# only ever says NTLM shows what the acceptor makes of NTLM messages without SPNEGO around them under
# Negotiate. $apache_dir/access.log has a line for each request: port, status, and Authorization as
# it was checked.
#
# apache_extra may be defined again: it prints more directives, and may use $apache_tls_port and
# $apache_proxy_port, which are free for it, or what serves there:
#
#   apache_certificate                  before: $root/certificate.pem for localhost, and its key
#   apache_tls_and_proxy DIRECTIVE    prints TLS at the one port, a forward proxy with a login at the other; DIRECTIVE
#                                       is one more of the proxy's, or empty
# shellcheck shell=sh
# shellcheck disable=SC2154

apache_program=/usr/sbin/apache2
apache_modules=/usr/lib/apache2/modules
apache_pid=""
# With fewer workers than connections Apache closes connections between requests, in the middle of a login.
apache_workers=8

# Different ports, outside the range that outgoing connections use.
apache_ports() {
    apache_port=$(od -An -N2 -tu2 /dev/urandom | awk '{ print 20000 + $1 % 12000 }')
    apache_negotiate_port=$((apache_port + 1))
    # shellcheck disable=SC2034
    apache_tls_port=$((apache_port + 2)) apache_proxy_port=$((apache_port + 3))
}

apache_extra() { :; }

apache_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -sha256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$root/key.pem" -out "$root/certificate.pem" 2>"$root/openssl" ||
        die "openssl made no certificate: $(cat "$root/openssl")"
}

apache_tls_and_proxy() {
    for name in ssl proxy proxy_http; do
        echo "LoadModule ${name}_module \"$apache_modules/mod_$name.so\""
    done
    cat <<CONFIGURATION
Listen 127.0.0.1:$apache_tls_port
<VirtualHost 127.0.0.1:$apache_tls_port>
SSLEngine On
SSLCertificateFile "$root/certificate.pem"
SSLCertificateKeyFile "$root/key.pem"
</VirtualHost>
Listen 127.0.0.1:$apache_proxy_port
<VirtualHost 127.0.0.1:$apache_proxy_port>
ProxyRequests On
$1
<Proxy "*">
AuthType GSSAPI
AuthName "gss-ntlm"
GssapiAllowedMech ntlmssp
GssapiConnectionBound On
Require valid-user
</Proxy>
</VirtualHost>
CONFIGURATION
}

apache_configuration() {
    cat <<CONFIGURATION
ServerRoot "$apache_dir"
ServerName localhost
PidFile "$apache_dir/apache.pid"
Mutex "file:$apache_dir" default
ErrorLog "$apache_dir/error.log"
LogLevel warn auth_gssapi:debug
CustomLog "$apache_dir/access.log" "%{local}p %s %{Authorization}i"
DocumentRoot "$apache_dir/htdocs"
Listen 127.0.0.1:$apache_port
Listen 127.0.0.1:$apache_negotiate_port
CONFIGURATION
    for name in mpm_event authn_core authz_core authz_user auth_gssapi headers; do
        echo "LoadModule ${name}_module \"$apache_modules/mod_$name.so\""
    done
    cat <<CONFIGURATION
StartServers 1
ServerLimit 1
ThreadsPerChild $apache_workers
MaxRequestWorkers $apache_workers
MinSpareThreads 1
MaxSpareThreads $apache_workers
CONFIGURATION
    # Root's Apache hands its requests to processes of this user.
    if [ "$(id -u)" -eq 0 ]; then
        echo "User www-data"
        echo "Group www-data"
    fi
    cat <<CONFIGURATION
<Location "/">
AuthType GSSAPI
AuthName "gss-ntlm"
GssapiAllowedMech ntlmssp
GssapiConnectionBound On
Require valid-user
Header always set X-Remote-User "expr=%{REMOTE_USER}"
</Location>
<VirtualHost 127.0.0.1:$apache_negotiate_port>
# The edit reaches the header of a refusal only when a page of one's own goes with it.
RequestHeader edit Authorization "^NTLM " "Negotiate " early
ErrorDocument 401 /refused.html
Header always edit WWW-Authenticate "^Negotiate " "NTLM "
<Location "/refused.html">
AuthType None
Require all granted
</Location>
</VirtualHost>
CONFIGURATION
    for directive in "$@"; do
        printf '%s\n' "$directive"
    done
    apache_extra
}

# Whether it answers, or why it never will: 0 yes, 1 not yet, 2 it ended.
apache_answers() {
    kill -0 "$apache_pid" 2>/dev/null || return 2
    [ -s "$apache_dir/apache.pid" ] || return 1
    curl -q -s -4 --noproxy '*' -o /dev/null "$apache_url" || return 1
}

apache_await() {
    tries=0
    while [ "$tries" -lt 300 ]; do
        answer=0
        apache_answers || answer=$?
        [ "$answer" -eq 1 ] || return "$answer"
        sleep 0.1
        tries=$((tries + 1))
    done
    return 1
}

apache_start() {
    apache_dir="$root/apache"
    mkdir -p "$apache_dir/htdocs"
    echo "the page behind the login" >"$apache_dir/htdocs/index.html"
    echo "no login" >"$apache_dir/htdocs/refused.html"
    cp -- "$1" "$apache_dir/users"
    chmod 600 "$apache_dir/users"
    [ "$(id -u)" -ne 0 ] || chown www-data "$apache_dir/users"
    shift
    at_exit apache_stop

    attempt=0
    while [ "$attempt" -lt 10 ]; do
        attempt=$((attempt + 1))
        apache_ports
        apache_url="http://localhost:$apache_port/index.html"
        # Read by those who source this file.
        # shellcheck disable=SC2034
        apache_negotiate_url="http://localhost:$apache_negotiate_port/index.html"
        : >"$apache_dir/error.log"
        apache_configuration "$@" >"$apache_dir/apache.conf"
        env "NTLM_USER_FILE=$apache_dir/users" "$apache_program" -f "$apache_dir/apache.conf" \
            -D FOREGROUND >"$apache_dir/output" 2>&1 &
        apache_pid=$!
        answer=0
        apache_await || answer=$?
        [ "$answer" -ne 0 ] || return 0
        apache_stop
        # A port that another process holds is no reason to give up.
        grep -q "could not bind to address" "$apache_dir/output" "$apache_dir/error.log" || break
    done
    cat "$apache_dir/output" "$apache_dir/error.log" >&2
    die "Apache did not start: see the lines above"
}

apache_stop() {
    [ -n "$apache_pid" ] || return 0
    kill -TERM "$apache_pid" 2>/dev/null || :
    wait "$apache_pid" 2>/dev/null || :
    apache_pid=""
}
