#!/bin/sh
# Carries out docs/guides/Dockerfile without a container engine: each FROM is a bare root of that
# Debian, COPY, RUN, WORKDIR and ENV do in it what they say, and at the end its CMD is started there
# as the acceptor, to which MIT's gss-client logs in from the stage that has built the module.
#
#   sh test/container.sh bookworm
#
# For root, on Debian. All of it happens in namespaces of its own (support/root.sh).
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
kind=container
suite=${1-}
. "$here/support/root.sh"
. "$here/support/listening.sh"
check_suite

# --- The half that runs in the namespaces: container.sh SUITE --inside DIRECTORY MIRROR -----------

directory=/
variables=""

# in_stage COMMAND...: in the stage's directory, with its variables.
in_stage() {
    # shellcheck disable=SC2086 # a word each
    in_root env $variables sh -c "cd $directory && $*"
}

# stage NAME: a fresh root, from one that is made once.
stage() {
    [ -d "$work/base" ] || make_root base
    cp -a "$work/base" "$work/$1"
    use_root "$work/$1"
    directory=/ variables=""
}

copy() {
    case $1 in
    --from=*) cp -a "$work/${1#--from=}$2/." "$root$3" ;;
    .) cp -a "$work/gss-ntlm/." "$root$2" ;;
    *) die "COPY $*: only a stage or the whole source is copied" ;;
    esac
}

# instruction WORD ARGUMENTS: one of the Dockerfile's.
instruction() {
    say "$1 $2"
    # shellcheck disable=SC2086 # words of the Dockerfile
    case $1 in
    FROM)
        set -- $2
        [ "$1" = "debian:$suite-slim" ] || die "FROM $1, and this is $suite"
        stage "${3-final}"
        ;;
    COPY)
        set -- $2
        mkdir -p "$root$(eval "echo \${$#}")"
        copy "$@"
        ;;
    WORKDIR) directory=$2 ;;
    ENV) variables="$variables $2" ;;
    EXPOSE) ;;
    RUN)
        in_stage "$2" >"$work/log" || {
            tail -n 40 "$work/log"
            die "RUN $2"
        }
        ;;
    # ["a", "b"] is a list of words without white space in them.
    CMD) service=$(printf '%s\n' "$2" | sed 's/[],"[]/ /g') ;;
    *) die "$1: this script does not know that instruction" ;;
    esac
}

accounts() {
    mkdir -p "$1"
    printf 'CORP:alice:%s\n' "$3" >"$1/$2"
    chmod 600 "$1/$2"
}

# login: what gss-client, in the stage that built the module, says of the acceptor.
login() {
    root="$work/build" in_root env NTLM_USER_FILE=/run/client GSS_MECH_CONFIG=/run/mech.conf \
        gss-client -port 4444 -mech '{ 1 3 6 1 4 1 311 2 2 10 }' 127.0.0.1 host@localhost hello || :
}

inside() {
    work=$1
    mirror=$2
    service=""
    while read -r word arguments; do
        case $word in
        '' | '#'*) ;;
        *) instruction "$word" "$arguments" ;;
        esac
    done <"$work/gss-ntlm/docs/guides/Dockerfile"
    echo "PASS container $suite: each step of the Dockerfile"

    accounts "$root/run/secrets" ntlm-users right
    in_stage "exec $service" >"$work/service" &
    root="$work/build"
    in_root apt-get install -y -q --no-install-recommends krb5-gss-samples >"$work/log" || die "no gss-client"
    echo "gss-ntlm 1.3.6.1.4.1.311.2.2.10 /src/build/image/mech/gss_ntlm.so" >"$root/run/mech.conf"
    listening 4444
    accounts "$root/run" client right
    login | grep -q 'Signature verified' || die "the right password: $(login; cat "$work/service")"
    echo "PASS container $suite: the right password logs in to the image's service"
    accounts "$root/run" client wrong
    ! login | grep -q 'Signature verified' || die "a wrong password logs in"
    echo "PASS container $suite: a wrong password does not"
}

if [ "${2-}" = --inside ]; then
    inside "$3" "$4"
    exit 0
fi
enter
