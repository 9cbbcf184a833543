#!/bin/sh
# Runs a program of another machine under qemu-user, which finds that machine's libraries in ROOT.
# For it "/" is ROOT as well, so that a program that walks from there to a file of this machine finds
# no /tmp: in a mount namespace of its own it is there.
#
# Usage: emulate.sh QEMU ROOT PROGRAM [ARGUMENT...]
set -eu
if [ -z "${EMULATED-}" ]; then
    mkdir -p "$2/tmp" "$2/proc" "$2/dev" "$2/run"
    exec env EMULATED=1 unshare --mount sh "$0" "$@"
fi
qemu=$1
root=$2
shift 2
for directory in tmp proc dev run; do
    mount --rbind "/$directory" "$root/$directory"
done
exec "$qemu" -L "$root" "$@"
