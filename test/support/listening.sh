# Sourced by what starts MIT's gss-server, which says "starting" before it listens.
#
#   listening PORT    returns when a process of this network listens there, or after 30 s
# shellcheck shell=sh

listening() {
    tries=0
    # As the kernel has it: number, local address and port, the other end's, state; 0A is LISTEN.
    until grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null ||
        [ "$tries" -ge 300 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
}
