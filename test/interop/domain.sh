#!/bin/sh
# A real domain: a Samba AD domain controller and a member with winbindd, started here, in
# namespaces of their own with private directories, and gone when this ends. Shows what gss-ntlm does in
# it, one PASS or FAIL line each.
#
#   sh domain.sh PROBE PROGRAM    PROBE: the built domain_probe, PROGRAM: gss-ntlm; GSS_MECH_CONFIG
#                                 names the module
#   sh domain.sh PROBE PROGRAM --shell
#                                 starts the domain, and a shell on its controller (member: on_member)
#
# Ends with status 77 where namespaces or Samba are not to be had, and says which.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab_scripts=$here/domain
. "$lab_scripts/lab.sh"
# For its rows of docs/interop.md.
. "$here/../support/common.sh"
PATH=$PATH:/usr/sbin:/sbin
export PATH lab_scripts

if [ "${1-}" != --inside ]; then
    [ $# -ge 2 ] || {
        echo "usage: sh domain.sh PROBE PROGRAM [--shell]" >&2
        exit 2
    }
    lab_possible || exit 77
    lab=$(mktemp -d)
    export lab
    trap 'rm -rf "$lab"' EXIT
    trap 'exit 1' HUP INT TERM
    # Process 1 of the new namespace ends with this one, and everything in it ends with process 1.
    status=0
    unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc --propagation private \
        sh "$0" --inside "$@" || status=$?
    exit $status
fi
shift
probe=$(realpath "$1")
program=$(realpath "$2")
registration=${GSS_MECH_CONFIG:?names the registration of the module}
# Samba's tools have a Kerberos configuration of their own here, and none of our settings.
unset KRB5_CONFIG KRB5CCNAME KRB5_KTNAME GSS_MECH_CONFIG NTLM_USER_FILE
chmod 755 "$lab"
umask 022

pass() { printf 'PASS %s\n' "$*"; }
fail() {
    printf 'FAIL %s\n' "$*"
    failed=$((failed + 1))
}
# expect DESCRIPTION COMMAND...: PASS if the command succeeds.
expect() {
    description=$1
    shift
    if "$@"; then pass "$description"; else
        fail "$description"
        sed 's/^/     /' "$lab/out"
    fi
}

set_up() {
    started=$(date +%s)
    lab_start_dc && lab_start_member || {
        fail "the domain did not start"
        tail -n 20 "$lab"/*.log
        exit 1
    }
    echo "domain of dc1 and member1 up after $(($(date +%s) - started)) s"
}

# ---- running things as a user of the mechanism

trace=$lab/trace
audit=$lab/audit
cat >"$lab/settings.conf" <<END
[accounts]
initiator = users_file, winbind
winbind_timeout = 3s
[policy]
# domain_probe is both ends of a login.
refuse_reflection = no
[audit]
log = file
file = $audit
END
: >"$lab/no-users"
chmod 600 "$lab/no-users"

# with_module COMMAND...: with our module and nothing of Kerberos. Variables before it count.
with_module() {
    env GSS_MECH_CONFIG="$registration" KRB5_CONFIG=/dev/null KRB5CCNAME=FILE:/nonexistent \
        KRB5_KTNAME=FILE:/nonexistent GSS_NTLM_SETTINGS="${settings-$lab/settings.conf}" \
        NTLM_USER_FILE="${users-}" GSS_NTLM_TRACE="$trace" GSS_NTLM_TRACE_LEVEL=2 "$@"
}
# on dc|member COMMAND...
on() {
    on_machine=$1
    shift
    case $on_machine in
    dc) with_module "$@" ;;
    member) with_module nsenter --target "$member_pid" --mount --root --net --uts "$@" ;;
    esac
}
# try dc|member ARGUMENTS...: runs the probe; its output is in $lab/out.
try() {
    try_machine=$1
    shift
    : >"$trace"
    on "$try_machine" timeout 60 "$probe" "$@" >"$lab/out" 2>&1 || :
}
field() { sed -n "s|^$1 ||p" "$lab/out" | head -n 1; }
is() { [ "$(field "$1")" = "$2" ]; }
at_most() { [ "$(field "$1" | cut -d. -f1)" -le "$2" ]; }
traced() { grep -q -- "$1" "$trace"; }
audited() { tail -n 1 "$audit" | grep -q -- "$1"; }

logs_in() {
    try "$@"
    is result ok && is keys equal && is wrap both
}
# Rejected; only the administrator can tell the reasons apart.
refused_as() {
    refusal=$1
    shift
    try "$@"
    is result fail && is side acceptor && is minor 4e540019 && traced "$refusal" && audited "$refusal"
}
undecided() {
    try "$@"
    is result fail && is minor 4e540035 && traced 'nothing decided' && audited 'nothing decided'
}
password_of() {
    case $1 in
    *jürgen) echo Passw0rd.umlaut ;;
    *weiß) echo Passw0rd.sharp ;;
    *ΟΔΥΣΣΕΥΣ) echo Passw0rd.sigma ;;
    *gothic*) echo Passw0rd.beyond ;;
    *) echo Passw0rd.alice ;;
    esac
}

# ---- what is shown

acceptor_on() {
    machine=$1
    for user in 'CORP\alice' 'corp.example\alice' 'alice@corp.example' '\alice@corp.example' \
        alice 'CORP\ALICE' 'CORP\jürgen' 'CORP\weiß' 'CORP\ΟΔΥΣΣΕΥΣ' 'CORP\gothic𐌰𐍂'; do
        expect "$machine: $user logs in, keys equal, wrap both ways" \
            logs_in "$machine" login "$user" "$(password_of "$user")"
    done
    expect "$machine: the source name is the account's own spelling" \
        logs_in_as 'CORP\alice' "$machine" login 'corp.example\ALICE' Passw0rd.alice
    expect "$machine: alice logs in inside SPNEGO with channel bindings" \
        logs_in_bound "$machine" login 'CORP\alice' Passw0rd.alice spnego bindings
    expect "$machine: a context goes on after it was moved unfinished, and open" \
        logs_in_moved "$machine" login 'CORP\alice' Passw0rd.alice moved
    try "$machine" login 'CORP\alice' Passw0rd.alice otherbindings
    expect "$machine: other channel bindings are refused though the password is right" \
        is minor 4e54001a
    try "$machine" login 'CORP\alice' Passw0rd.alice tamper
    expect "$machine: a MIC with a bit turned is refused though the password is right" \
        is minor 4e540019
    expect "$machine: wrong password" refused_as 'wrong password' "$machine" login 'CORP\alice' x
    expect "$machine: no such user" refused_as 'no such user' "$machine" login 'CORP\stranger' x
    expect "$machine: no such domain" refused_as 'no such user' "$machine" login 'OTHER\alice' x
    expect "$machine: disabled account" \
        refused_as 'the account is disabled' "$machine" login 'CORP\disabled' Passw0rd.disabled
    expect "$machine: expired account" \
        refused_as 'the account has expired' "$machine" login 'CORP\expired' Passw0rd.expired
    expect "$machine: password to be changed" refused_as 'the password must be changed' \
        "$machine" login 'CORP\mustchange' Passw0rd.mustchange
    expect "$machine: locked account" \
        refused_as 'the account is locked' "$machine" login 'CORP\locked' Passw0rd.locked
}

# sids_of dc|member USER: as winbind there gives them, commas between them.
sids_of() {
    sid=$(wbinfo_on "$1" --name-to-sid="$2") && wbinfo_on "$1" --user-domgroups="${sid%% *}" |
        sort | paste -s -d ,
}
wbinfo_on() {
    case $1 in
    dc) shift && wbinfo "$@" ;;
    member) shift && on_member wbinfo "$@" ;;
    esac
}
has_sids_of() {
    wanted=$(sids_of "$1" "$2") && [ -n "$wanted" ] || return 1
    for line in urn:gssntlmssp:sids carried-sids; do
        [ "$(field $line | tr , '\n' | sort | paste -s -d ,)" = "$wanted" ] || return 1
    done
    sid=$(wbinfo_on "$1" --name-to-sid="$2")
    is urn:gss-ntlm:user-sid "${sid%% *}"
}
has_primary_group() {
    sid=$(wbinfo_on "$1" --name-to-sid="$2")
    is urn:gss-ntlm:primary-group-sid "${sid%% *}"
}
identity_on() {
    machine=$1
    for way in '' spnego moved; do
        # shellcheck disable=SC2086
        expect "$machine: alice's SIDs are those of wbinfo, also in a name carried over (${way:-raw})" \
            logs_in_with_sids "$machine" 'CORP\alice' $way
    done
    expect "$machine: her primary group is the domain's users" \
        has_primary_group "$machine" 'CORP\domain users'
    expect "$machine: groups within groups: readers are writers" sids_name "$machine" 'CORP\writers'
    try "$machine" login 'CORP\bob' Passw0rd.bob
    expect "$machine: bob is in neither" sids_lack "$machine" 'CORP\writers' 'CORP\readers'
}
logs_in_with_sids() {
    logs_in "$1" login "$2" "$(password_of "$2")" ${3-} && has_sids_of "$1" "$2"
}
sids_name() {
    sid=$(wbinfo_on "$1" --name-to-sid="$2")
    field urn:gssntlmssp:sids | tr , '\n' | grep -qx "${sid%% *}"
}
sids_lack() {
    is result ok && ! sids_name "$1" "$2" && ! sids_name "$1" "$3"
}

# The host's users are what winbind's settings make of the domain's.
local_users() {
    expect "local user: with winbind's own separator" local_user_is 'CORP\alice'
    echo 'winbind separator = +' >"$lab/member1/winbind.conf"
    restart_winbindd
    expect "local user: with another separator" local_user_is 'CORP+alice'
    echo 'winbind use default domain = yes' >"$lab/member1/winbind.conf"
    restart_winbindd
    expect "local user: of the default domain" local_user_is alice
    : >"$lab/member1/winbind.conf"
    restart_winbindd
}
local_user_is() {
    logs_in member login 'CORP\alice' Passw0rd.alice && is local "$1" && is source 'CORP\alice' &&
        on_member getent passwd "$1" >/dev/null
}

logs_in_as() {
    wanted=$1
    shift
    logs_in "$@" && is source "$wanted"
}
logs_in_moved() {
    logs_in "$@" && field moved-unfinished | grep -q ^ok && field moved-open | grep -q ^ok
}
# Bindings inside SPNEGO count where the library carries the MIC that covers them.
logs_in_bound() {
    bound=yes
    spnego_carries_mic || bound=no
    logs_in "$@" && is bound $bound
}

# As often as accounts.py says; far more often than the tests guess at any other account.
lock_account() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        try dc login 'CORP\locked' wrong
    done
}

names() {
    expect "names: CHALLENGE says domain, computer and their DNS names, as winbind knows them" \
        challenge_has 'TARGET_TYPE_DOMAIN.*target name "CORP", NetBIOS computer "MEMBER1", NetBIOS domain "CORP", DNS computer "member1.corp.example", DNS domain "corp.example"'
    printf '[names]\ndns_computer = www.corp.example\n' >"$lab/named.conf"
    settings=$lab/named.conf
    expect "names: those of settings go first" challenge_has \
        'NetBIOS computer "MEMBER1".*DNS computer "www.corp.example", DNS domain "corp.example"'
    settings=$lab/settings.conf
    NETBIOS_COMPUTER_NAME=OTHER
    export NETBIOS_COMPUTER_NAME
    expect "names: the domain refuses a logon to a NetBIOS name that is not its member's" \
        refused_as 'wrong user name or password' member login 'CORP\alice' Passw0rd.alice
    unset NETBIOS_COMPUTER_NAME
}
challenge_has() { logs_in member login 'CORP\alice' Passw0rd.alice && traced "sent CHALLENGE.*$1"; }

write_users() {
    (umask 077 && printf '%s\n' "$@" >"$lab/users")
    users=$lab/users
}
order() {
    write_users 'CORP:alice:inthefile' 'LOCAL:frank:frank'
    expect "accounts: a users file before the domain decides about its own" \
        refused_as 'wrong password' member login 'CORP\alice' Passw0rd.alice
    expect "accounts: and accepts them" logs_in member login 'CORP\alice' inthefile
    expect "accounts: whom it does not know the domain is asked about" \
        logs_in member login 'CORP\bob' Passw0rd.bob
    { cat "$lab/settings.conf" && echo '[accounts]' && echo 'acceptor = winbind, users_file'; } \
        >"$lab/behind.conf"
    settings=$lab/behind.conf
    expect "accounts: a users file behind the domain does not decide about the domain's" \
        refused_as 'wrong password' member login 'CORP\alice' inthefile
    expect "accounts: but about those the domain does not know" \
        logs_in member login 'LOCAL\frank' frank
    users='' settings=$lab/settings.conf
    expect "privileged pipe: without its group nothing is decided, and the trace says why" \
        undecided_for_nobody
}
nobody_runs() {
    : >"$trace" && chmod 666 "$trace" "$audit"
    on member setpriv --reuid 65534 --regid 65534 --clear-groups "$@" >"$lab/out" 2>&1 || :
}
undecided_for_nobody() {
    nobody_runs "$probe" login 'CORP\alice' Passw0rd.alice
    is minor 4e540035 && traced 'does not let this process'
}

# checked dc|member TEXT...: what gss-ntlm winbind says has all of them, and it finds nothing wrong.
checked() {
    checked_machine=$1
    shift
    on "$checked_machine" "$program" winbind >"$lab/out" 2>&1 && has "$@"
}
has() {
    for text in "$@"; do
        grep -q -- "^$text" "$lab/out" || return 1
    done
}
# diagnosed dc|member TEXT: doctor finds nothing wrong there, and says that of winbind.
diagnosed() {
    on "$1" "$program" doctor >"$lab/out" 2>&1 && grep -q "^ok *winbind: $2" "$lab/out"
}
# found_wrong TEXT...: the same for what it does find.
found_wrong() { ! on member "$program" winbind >"$lab/out" 2>&1 && has "$@"; }
nobody_is_told() {
    nobody_runs "$program" winbind
    has 'winbind answers: yes' 'privileged pipe: no' 'problem: winbind does not let this process'
}
check_command() {
    expect "gss-ntlm winbind: the member knows itself, its pipe and its controller" checked member \
        'computer: MEMBER1$' 'domain: CORP$' 'DNS domain: corp.example$' 'privileged pipe: yes$' \
        'domain controller: dc1.corp.example$'
    expect "gss-ntlm winbind: so does the controller" checked dc 'computer: DC1$' 'domain: CORP$' \
        'privileged pipe: yes$'
    expect "gss-ntlm doctor: the member is well, and so is its domain" \
        diagnosed member 'MEMBER1 of domain CORP; its domain controller answers'
    expect "gss-ntlm doctor: so is the controller" diagnosed dc 'DC1 of domain CORP'
    expect "gss-ntlm winbind: who may not use the pipe is told so" nobody_is_told
}

read_directory() {
    bulk=ou=bulk,dc=corp,dc=example
    search() {
        on member ldapsearch -LLL -o ldif-wrap=no -b "$bulk" -Y GSS-SPNEGO "$@" '(cn=bulk*)'
    }
    write_users 'CORP:alice:Passw0rd.alice'
    ldapsearch -x -LLL -o ldif-wrap=no -b "$bulk" \
        -H ldapi://%2Fvar%2Flib%2Fsamba%2Fprivate%2Fldap_priv%2Fldapi '(cn=bulk*)' >"$lab/ldapi"
    expect "ldap: ten values of 100 kB are there to be read" test "$(wc -c <"$lab/ldapi")" -gt 1300000
    : >"$trace"
    search -H "ldap://dc1.$lab_dns" >"$lab/sealed" 2>"$lab/out" || :
    expect "ldap: sealed, 1.3 MB as ldapi gives them" cmp -s "$lab/sealed" "$lab/ldapi"
    expect "ldap: sealing was agreed" traced 'sent AUTHENTICATE.* SEAL '
    : >"$trace"
    search -O minssf=1,maxssf=1 -H "ldap://dc1.$lab_dns" >"$lab/asked" 2>"$lab/out" || :
    expect "ldap: asked for signing alone, 1.3 MB as ldapi gives them" cmp -s "$lab/asked" "$lab/ldapi"
    expect "ldap: asked for signing alone, the SSF is 1" grep -q 'SASL SSF: 1$' "$lab/out"
    : >"$trace"
    LDAPTLS_REQCERT=never LDAPSASL_CBINDING=tls-endpoint search -O maxssf=0 \
        -H "ldaps://dc1.$lab_dns" >"$lab/tls" 2>"$lab/out" || :
    expect "ldaps: 1.3 MB as ldapi gives them" cmp -s "$lab/tls" "$lab/ldapi"
    expect "ldaps: with channel bindings, neither signed nor sealed" \
        traced 'sent AUTHENTICATE.*flags 0x[0-9a-f]* UNICODE REQUEST_TARGET NTLM.*, with channel bindings'
    : >"$trace"
    on member /usr/bin/python3 "$lab_scripts/ldap_signed.py" "dc1.$lab_dns" "$bulk" thumbnailPhoto \
        thumbnailPhoto >"$lab/signed" 2>"$lab/out" || :
    /usr/bin/python3 "$lab_scripts/digests.py" <"$lab/ldapi" >"$lab/digests"
    expect "ldap: signed only, ten values of 100 kB as ldapi gives them" same_digests
    users=
}
same_digests() {
    [ "$(head -n 1 "$lab/signed")" = 'flags 32' ] && [ "$(wc -l <"$lab/digests")" -eq 10 ] &&
        tail -n +2 "$lab/signed" | cmp -s - "$lab/digests" && ! traced 'sent AUTHENTICATE.* SEAL '
}

samba_helpers() {
    for protocol in ntlmssp-client-1 gss-spnego-client squid-2.5-ntlmssp gss-spnego; do
        mic=mic
        [ "$protocol" != gss-spnego ] || spnego_carries_mic || mic=no-mic
        on member timeout 30 /usr/bin/python3 "$lab_scripts/ntlm_auth.py" "$protocol" alice CORP \
            Passw0rd.alice "$mic" >"$lab/out" 2>&1 || :
        expect "ntlm_auth $protocol: keys equal, MIC right" test "$(cat "$lab/out")" = ok
    done
}

single_sign_on() {
    on_member wbinfo --ccache-save='CORP\alice%Passw0rd.alice' >"$lab/out" 2>&1
    expect "single sign-on: the password that winbind keeps logs in" \
        logs_in_as 'CORP\alice' member login alice -
    expect "single sign-on: with the target's name and a MIC" \
        traced 'received AUTHENTICATE.*target "HTTP/server.example".*with a MIC'
    if spnego_carries_mic; then
        expect "single sign-on: with channel bindings, inside SPNEGO" \
            logs_in_bound member login alice - spnego bindings
    fi
    { cat "$lab/settings.conf" && printf '[policy]\nspnego_mic = never\n'; } >"$lab/no-mic.conf"
    settings=$lab/no-mic.conf
    # winbind appends a second pair of bindings, which no MIC covers then.
    expect "single sign-on: rejected with channel bindings, under a SPNEGO that cannot carry a MIC" \
        unproven_bindings member login alice - spnego bindings
    expect "single sign-on: without them it logs in, and without a MIC" \
        logs_in_without_mic member login alice - spnego
    settings=$lab/settings.conf
    try member login alice - otherbindings
    expect "single sign-on: other channel bindings are refused" is minor 4e54001a
    expect "single sign-on: an account whose password is not kept has no credential" \
        no_credential member login bob -
    restart_winbindd
    expect "single sign-on: refused when the kept password is gone" \
        no_credential member login alice -
}
unproven_bindings() {
    try "$@"
    is result fail && is side acceptor && is major 90000 &&
        traced 'no MIC covers a duplicate pair of channel bindings'
}
logs_in_without_mic() {
    logs_in "$@" && traced 'received AUTHENTICATE' && ! traced 'received AUTHENTICATE.*with a MIC'
}
no_credential() {
    try "$@"
    is result fail && is side acquire && is minor 4e540010
}

restart_winbindd() {
    lab_stop "$winbindd_pid"
    lab_run_winbindd
}
# winbindd and its children, by their own ids.
signal_winbindd() {
    for pid in "$winbindd_pid" $(ps -o pid= --ppid "$winbindd_pid"); do
        kill "-$1" "$pid" 2>/dev/null || :
    done
}

# pause_login: begins a login on the member that waits behind its CHALLENGE; go_on ends it.
pause_login() {
    rm -f "$lab/go"
    mkfifo "$lab/go"
    : >"$trace"
    on member timeout 60 "$probe" pause 'CORP\alice' Passw0rd.alice <"$lab/go" >"$lab/out" 2>&1 &
    paused=$!
    exec 9>"$lab/go"
    lab_wait 10 grep -q 'challenge made' "$lab/out"
}
go_on() {
    echo >&9
    exec 9>&-
    wait "$paused" || :
}
late_failure() { is result fail && is minor 4e540035 && at_most milliseconds "$1"; }

outages() {
    pause_login
    signal_winbindd STOP
    go_on
    expect "winbindd hangs mid-login: the login fails within its 3 s" late_failure 3500
    expect "winbindd hangs: the trace says so" traced 'winbind did not answer within 3 s'
    write_users 'LOCAL:frank:frank'
    expect "winbindd hangs: a login of the users file goes on" logs_in member login 'LOCAL\frank' frank
    expect "winbindd hangs: and waits for no more than its names" at_most milliseconds 1000
    expect "winbindd hangs: acquiring an acceptor does not wait" at_most acquire-milliseconds 50
    users=
    signal_winbindd CONT
    expect "winbindd goes on: the next login succeeds" \
        logs_in member login 'CORP\alice' Passw0rd.alice

    pause_login
    lab_stop "$winbindd_pid"
    go_on
    expect "winbindd ends mid-login: the login fails at once" late_failure 3500
    expect "gss-ntlm winbind: says that winbindd does not answer" \
        found_wrong 'winbind answers: no' 'problem: winbindd does not answer'
    expect "winbindd is gone: so does the next" undecided member login 'CORP\alice' Passw0rd.alice
    lab_run_winbindd
    expect "winbindd is back: the next login succeeds" \
        logs_in member login 'CORP\alice' Passw0rd.alice

    pause_login
    restart_winbindd
    go_on
    expect "winbindd is replaced mid-login: the login succeeds" is result ok

    lab_stop "$dc_pid"
    expect "the domain controller is gone: nothing is decided" \
        undecided member login 'CORP\alice' Passw0rd.alice
    expect "the domain controller is gone: the login fails within its 3 s" at_most milliseconds 3500
    expect "gss-ntlm winbind: says that no domain controller is reached" \
        found_wrong 'winbind answers: yes' 'problem: winbind reaches no domain controller of CORP'
    lab_run_dc
    lab_wait 40 on_member wbinfo --ping-dc
    expect "the domain controller is back: the next login succeeds" \
        logs_in member login 'CORP\alice' Passw0rd.alice
}

many_at_once() {
    try member load 16 200 'CORP\alice:Passw0rd.alice' 'CORP\bob:Passw0rd.bob' \
        'CORP\carol:Passw0rd.carol' 'CORP\jürgen:Passw0rd.umlaut'
    expect "200 logins of 16 threads: none lost, none mixed up" none_lost 200
    echo "     200 logins of 16 threads: $(field milliseconds) ms, median $(field median) ms," \
        "slowest $(field slowest) ms"
    try member load 1 100 'CORP\alice:Passw0rd.alice'
    expect "100 logins of one thread: none lost" none_lost 100
    echo "     100 logins of one thread: $(field milliseconds) ms, median $(field median) ms"
}
forks() {
    try member fork 'CORP\alice' Passw0rd.alice
    expect "fork: four children and their parent log in at once, none over another's connection" \
        forks_are_well
}
forks_are_well() { is parent ok && [ "$(grep -c '^child 0$' "$lab/out")" -eq 4 ]; }
none_lost() { is "done" "$1" && is lost 0 && is mixed 0; }

set_up
if [ "${3-}" = --shell ]; then
    cd "$lab"
    . "${4:-/dev/tty}"
    exit 0
fi
lock_account
acceptor_on dc
acceptor_on member
identity_on dc
identity_on member
local_users
check_command
names
order
samba=$(package_version samba-ad-dc)
interop_row "SSPI family" "Samba's domain controller and winbindd, as account source" "$samba" acceptor \
    "raw and SPNEGO: ten accounts, SIDs, channel bindings, MIC; wrong password, disabled, expired and locked accounts"
read_directory
interop_row SASL "Samba's LDAP server, with ldapsearch" "$samba" initiator \
    "GSS-SPNEGO: sealed, signed, 1.3 MB each; TLS with channel bindings"
samba_helpers
interop_row "SSPI family" "Samba's ntlm_auth" "$samba" both "NTLMSSP and SPNEGO: session keys, MIC"
single_sign_on
many_at_once
forks
outages
interop_row "SSPI family" "winbindd, as password cache" "$samba" initiator \
    "raw and SPNEGO: single sign-on, channel bindings, MIC; outages"
echo "took $(($(date +%s) - started)) s"
[ "$failed" -eq 0 ]
