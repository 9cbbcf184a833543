#!/bin/sh
# MIT's own GSSAPI test programs with this mechanism in the place of krb5: fetches the source of the
# installed library, compiles src/tests/gssapi/t_*.c with a copy of common.c one line of which names
# our OID, and runs them. t_iov is the only one that is changed: it asks for the confidentiality that
# it tests, which krb5 gives unasked.
#
#   sh test/spi/mit.sh build/mech/gss_ntlm.so [DIRECTORY]
#
# DIRECTORY may hold krb5's source already (krb5-VERSION/); else apt-get fetches it. Exits with 77 if
# it cannot, which the test's runner counts as skipped.
set -eu

. "$(dirname "$0")/../support/common.sh"

[ $# -ge 1 ] || die "usage: mit.sh MODULE [DIRECTORY]"
private_root
# Both ends are in one program.
printf '[policy]\nrefuse_reflection = no\n' >>"$root/settings"
register_module "$1"
# With INTERPOSER all of it goes through gss_ntlm_spnego.so.
if [ -n "${INTERPOSER-}" ]; then
    printf 'mend 2.25.1196643149 %s <interposer>\n' "$INTERPOSER" >>"$GSS_MECH_CONFIG"
    sleep 0.1
fi
directory=${2-}
bin="$root/bin"
mkdir "$bin"

printf 'CORP:alice:Passw0rd-alice\nCORP:bob:b:o:b\n' >"$root/users"
chmod 600 "$root/users"

# Debian's own sources, as they are configured, into lists of our own.
fetch_source() {
    mkdir -p "$root/apt/parts" "$root/apt/lists/partial" "$root/src"
    for list in /etc/apt/sources.list.d/*.sources; do
        [ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"$root/apt/parts/${list##*/}"
    done
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -f "$list" ] || sed -n 's/^deb \(.*\)/deb-src \1/p' "$list" \
            >"$root/apt/parts/${list##*/}.list"
    done
    set -- -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$root/apt/parts" \
        -o "Dir::State::lists=$root/apt/lists" -o APT::Sandbox::User= -o Acquire::Retries=2
    version=$(dpkg-query -W -f '${source:Version}' libgssapi-krb5-2)
    apt-get -q "$@" update >"$root/apt.log" 2>&1 || : # a list that is not there may be another's
    (cd "$root/src" && { apt-get -q "$@" source "krb5=$version" || apt-get -q "$@" source krb5; }) \
        >>"$root/apt.log" 2>&1 || return 1
    directory="$root/src"
}

if [ -z "$directory" ] && ! fetch_source; then
    sed 's/^/     /' "$root/apt.log" >&2
    echo "mit.sh: apt-get has no source of krb5" >&2
    exit 77
fi
sources=$(find "$directory" -path '*/src/tests/gssapi/t_iov.c' | head -n 1)
[ -n "$sources" ] || die "no src/tests/gssapi in $directory"
sources=${sources%/t_iov.c}

# The one line.
sed 's/^gss_OID_desc mech_krb5 = .*/gss_OID_desc mech_krb5 = { 10, "\\053\\006\\001\\004\\001\\202\\067\\002\\002\\012" };/' \
    "$sources/common.c" >"$bin/common.c"
[ "$(diff "$sources/common.c" "$bin/common.c" | grep -c '^>')" -eq 1 ] ||
    die "common.c does not define mech_krb5 in one line any more"

sed 's/^    flags = GSS_C_REPLAY_FLAG | /&GSS_C_CONF_FLAG | /' "$sources/t_iov.c" >"$bin/t_iov.c"
[ "$(diff "$sources/t_iov.c" "$bin/t_iov.c" | grep -c '^>')" -eq 2 ] ||
    die "t_iov.c does not set its flags in two places any more"

library=$(dirname "$(gcc -print-file-name=libgssapi_krb5.so)")
for t in t_context t_iov t_bindings t_export_name t_imp_name t_oid t_inq_mechs_name t_saslname \
    t_inq_cred t_export_cred t_accname t_srcattrs t_credstore t_add_cred; do
    source=$bin/$t.c
    [ -f "$source" ] || source=$sources/$t.c
    gcc -w -I"$sources" -I/usr/include/mit-krb5 -L/usr/lib/"$(gcc -print-multiarch)"/mit-krb5 \
        "$source" "$bin/common.c" -o "$bin/$t" \
        -lgssapi_krb5 -lkrb5 -lcom_err -lkrb5support || die "$t.c does not compile"
done
# It opens the library by the name that only a development package installs.
gcc -w "$sources/reload.c" -o "$bin/reload" -ldl || die "reload.c does not compile"

# expect NAME STATUS PATTERN COMMAND...: the command ends so, and its output has the pattern.
expect() {
    title=$1 status=$2 pattern=$3
    shift 3
    got=0
    output=$("$@" 2>&1) || got=$?
    if [ "$got" -eq "$status" ] && printf '%s\n' "$output" | grep -q -- "$pattern"; then
        pass "$title"
    else
        fail "$title" "exit status $got instead of $status, or no '$pattern' in: $output"
    fi
}

host=h:host@localhost
export NTLM_USER_FILE="$root/users" NTLMUSER='CORP\alice'
expect t_context 0 '' "$bin/t_context" $host
expect t_iov 0 '' "$bin/t_iov" $host
expect t_iov-spnego 0 '' "$bin/t_iov" -s $host
for s in '' -s; do
    # Bindings that no MIC covers are no evidence.
    bound=yes
    [ -z "$s" ] || spnego_carries_mic || bound=no
    expect "t_bindings$s same" 0 "^$bound$" "$bin/t_bindings" $s $host a a
    expect "t_bindings$s other" 1 'gss_accept_sec_context' "$bin/t_bindings" $s $host a b
    expect "t_bindings$s initiator alone" 0 '^no$' "$bin/t_bindings" $s $host a -
    expect "t_bindings$s acceptor alone" 0 '^no$' "$bin/t_bindings" $s $host - a
    expect "t_bindings$s neither" 0 '^no$' "$bin/t_bindings" $s $host - -
done
for name in u:alice 'u:CORP\alice' u:alice@corp.example h:HTTP@www.example p:HTTP/www.example@REALM; do
    expect "t_export_name $name" 0 '^0401' "$bin/t_export_name" -k "$name"
    expect "t_export_name -c $name" 0 '^0402' "$bin/t_export_name" -k -c "$name"
done
expect t_export_name-spnego 0 '^0401' "$bin/t_export_name" -s u:alice
expect t_imp_name 0 '' "$bin/t_imp_name"
expect t_oid 0 '' "$bin/t_oid"
expect t_inq_mechs_name 0 '{ 1 3 6 1 4 1 311 2 2 10 }' "$bin/t_inq_mechs_name" u:alice
expect t_inq_mechs_name-host 0 '{ 1 3 6 1 4 1 311 2 2 10 }' "$bin/t_inq_mechs_name" $host
expect t_saslname 0 'SASL mech *: GS2-NTLM' "$bin/t_saslname"
for m in -k -s ''; do
    expect "t_inq_cred $m -i" 0 '^name: CORP\\alice$' "$bin/t_inq_cred" $m -i
    expect "t_inq_cred $m -a" 0 '^name: host@' "$bin/t_inq_cred" $m -a
    expect "t_inq_cred $m -b" 0 '^name: CORP\\alice$' "$bin/t_inq_cred" $m -b
    expect "t_inq_cred $m -i name" 0 '^name: CORP\\bob$' "$bin/t_inq_cred" $m -i 'u:bob'
done
expect t_accname 0 '^host@' "$bin/t_accname" $host
expect t_accname-named 0 '^HTTP@localhost$' "$bin/t_accname" $host h:HTTP@localhost
expect t_srcattrs 0 'Attribute urn:gss-ntlm:user Authenticated Complete' "$bin/t_srcattrs" $host
printf 'CORP:carol:c\n' >"$root/others"
chmod 600 "$root/others"
expect t_credstore-i 0 '' "$bin/t_credstore" -i u:carol ntlmssp_keyfile "$root/others"
expect t_credstore-a 0 '' "$bin/t_credstore" -a h:HTTP@localhost ntlmssp_keyfile "$root/others"
expect t_credstore-b 0 '' "$bin/t_credstore" -b u:carol ntlmssp_keyfile "$root/others"
expect t_credstore-unknown 1 'gss_acquire_cred_from' "$bin/t_credstore" -i u:nobody \
    ntlmssp_keyfile "$root/others"
expect t_credstore-s 0 '' "$bin/t_credstore" -s -i u:alice ntlmssp_keyfile "$root/stored"

# NTLM delegates nothing, so the last step, on a delegated credential, has none: the library itself
# refuses that, after both credentials have been exported, imported and used for a context.
undelegated='gss_export_cred: A required input parameter could not be read'
for m in -k -s; do
    expect "t_export_cred $m" 1 "$undelegated" "$bin/t_export_cred" $m $host
    expect "t_export_cred $m -i" 1 "$undelegated" "$bin/t_export_cred" $m -i u:bob $host
    expect "t_export_cred $m -a" 1 "$undelegated" "$bin/t_export_cred" $m -a h:HTTP@localhost $host
done

# It wants Kerberos credentials beside ours: a keytab, for both usages, with a made-up key.
/usr/bin/python3 - "$root/keytab" <<'PYTHON'
import struct
import sys


def counted(text):
    return struct.pack(">H", len(text)) + text


entry = struct.pack(">H", 2) + counted(b"REALM.EXAMPLE") + counted(b"host") + counted(b"localhost")
entry += struct.pack(">IIBH", 1, 0, 1, 18) + counted(bytes(32))
with open(sys.argv[1], "wb") as out:
    out.write(b"\x05\x02" + struct.pack(">i", len(entry)) + entry)
PYTHON
printf '[libdefaults]\n default_realm = REALM.EXAMPLE\n dns_lookup_kdc = false\n' >"$root/krb5.conf"
expect t_add_cred 0 '' env KRB5_KTNAME="FILE:$root/keytab" KRB5_CLIENT_KTNAME="FILE:$root/keytab" \
    "$bin/t_add_cred"

# The program knows the library by its development name alone.
expect reload 0 '' env LD_LIBRARY_PATH="$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$bin/reload"
finish
