# A domain of two machines, for domain.sh to source: dc1, a Samba AD domain controller, and member1.
#
# The caller is process 1 of namespaces of its own (mounts, network, processes, host name) and
# becomes dc1. member1 has further ones. Each machine has a private /etc, /run and /var/lib/samba
# under $lab, so that nothing of the host is touched; all processes end with the caller's.

readonly lab_realm=CORP.EXAMPLE lab_domain=CORP lab_dns=corp.example
readonly lab_net=192.0.2 lab_admin_password=Passw0rd.admin

# Whether such a domain can be made here; says why not.
lab_possible() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "SKIP network namespaces need root"
        return 1
    fi
    for tool in unshare nsenter ip samba samba-tool winbindd wbinfo net ntlm_auth smbclient \
        ldapsearch; do
        if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
            echo "SKIP $tool is not installed (sh test/deps.sh test)"
            return 1
        fi
    done
    if ! unshare --mount --net --uts --pid --fork sh -c \
        'ip link add lan0 type veth peer name lan1 && mount -t tmpfs none /run' 2>/dev/null; then
        echo "SKIP this environment allows no mount and network namespaces, or no veth devices"
        return 1
    fi
}

# lab_private NAME: turns the mount namespace it is called in into that of machine NAME.
lab_private() {
    mkdir -p "$lab/$1/lib/private" "$lab/$1/cache" "$lab/$1/log"
    cp -a /etc "$lab/$1/etc"
    mount --bind "$lab/$1/etc" /etc
    mount -t tmpfs -o mode=755 run /run
    mkdir -p /run/samba /var/lib/samba /var/cache/samba /var/log/samba
    mount --bind "$lab/$1/lib" /var/lib/samba
    mount --bind "$lab/$1/cache" /var/cache/samba
    mount --bind "$lab/$1/log" /var/log/samba
    rm -f /etc/samba/smb.conf /etc/resolv.conf /etc/krb5.conf /etc/nsswitch.conf
    printf 'nameserver %s.1\nsearch %s\n' "$lab_net" "$lab_dns" >/etc/resolv.conf
    printf '127.0.0.1 localhost\n%s.1 dc1.%s dc1\n%s.2 member1.%s member1\n' \
        "$lab_net" "$lab_dns" "$lab_net" "$lab_dns" >/etc/hosts
    printf 'passwd: files winbind\ngroup: files winbind\nhosts: files dns\n' >/etc/nsswitch.conf
    printf '[libdefaults]\n default_realm = %s\n dns_lookup_realm = false\n rdns = false\n' \
        "$lab_realm" >/etc/krb5.conf
    hostname "$1"
    ip link set lo up
}

# lab_wait SECONDS COMMAND...: until the command succeeds.
lab_wait() {
    lab_tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        lab_tries=$((lab_tries - 1))
        if [ "$lab_tries" -le 0 ]; then
            echo "lab: gave up waiting for: $*" >&2
            return 1
        fi
        sleep 0.1
    done
}

lab_dc_answers() {
    wbinfo -p && ldapsearch -x -H ldap://127.0.0.1 -s base -b '' currentTime && smbclient -N -L 127.0.0.1
}

# Provisions the domain and starts its controller: pid in $dc_pid.
lab_start_dc() {
    lab_private dc1
    ip link add lan0 type veth peer name lan1
    ip addr add "$lab_net.1/24" dev lan0
    ip link set lan0 up
    samba-tool domain provision --realm="$lab_realm" --domain="$lab_domain" --server-role=dc \
        --dns-backend=SAMBA_INTERNAL --adminpass="$lab_admin_password" --host-ip="$lab_net.1" \
        --option='interfaces = lo lan0' --option='bind interfaces only = yes' \
        --option='ntlm auth = ntlmv2-only' --option='dns forwarder =' \
        --option='ldap server require strong auth = allow_sasl_over_tls' >"$lab/provision.log" 2>&1
    /usr/bin/python3 "$lab_scripts/accounts.py" >"$lab/accounts.log" 2>&1
    lab_run_dc
}

lab_run_dc() {
    samba --foreground --no-process-group --model=prefork --debug-stdout >"$lab/dc1.log" 2>&1 &
    dc_pid=$!
    lab_wait 40 lab_dc_answers
}

# lab_stop PID: ends a server that this shell started, and waits for it.
lab_stop() {
    kill "$1" 2>/dev/null || :
    wait "$1" 2>/dev/null || :
}

on_member() {
    nsenter --target "$member_pid" --mount --root --net --uts "$@"
}

# Makes member1, joins it and starts its winbindd: pid in $winbindd_pid.
lab_start_member() {
    unshare --mount --net --uts sh -c 'echo >"$1"; exec sleep 100000' sh "$lab/member1.up" &
    member_pid=$!
    lab_wait 5 test -e "$lab/member1.up"
    ip link set lan1 netns "$member_pid"
    # shellcheck disable=SC2016
    on_member env lab="$lab" sh -ec '. "$1"; lab_private member1
        ip link set lan1 name lan0; ip addr add "$lab_net.2/24" dev lan0; ip link set lan0 up' \
        sh "$lab_scripts/lab.sh"
    cat >"$lab/member1/etc/samba/smb.conf" <<END
[global]
 workgroup = $lab_domain
 realm = $lab_realm
 security = ads
 netbios name = MEMBER1
 interfaces = lo lan0
 bind interfaces only = yes
 idmap config * : backend = tdb
 idmap config * : range = 10000-19999
 idmap config $lab_domain : backend = rid
 idmap config $lab_domain : range = 100000-999999
 winbind request timeout = 10
 winbind reconnect delay = 1
 include = $lab/member1/winbind.conf
END
    : >"$lab/member1/winbind.conf"
    on_member net ads join -U "administrator%$lab_admin_password" --no-dns-updates \
        >"$lab/join.log" 2>&1
    lab_run_winbindd
}

lab_run_winbindd() {
    # nsenter becomes winbindd: the process that is stopped is the one that was started.
    (exec nsenter --target "$member_pid" --mount --root --net --uts \
        winbindd --foreground --no-process-group --debug-stdout) >"$lab/member1.log" 2>&1 &
    winbindd_pid=$!
    lab_wait 20 on_member wbinfo --ping-dc
}
