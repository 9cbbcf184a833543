#!/bin/sh
# A disposable copy of this system: an overlay over /, whose changes live in memory, in mount,
# process, network and host name namespaces of its own. Prints "ready" when it stands and keeps it until
# it is ended, when all that ran in it ends too. Started by guides.py through unshare.
#
#   overlay.sh DIRECTORY    an empty directory to work in; the copy is DIRECTORY/merged
set -eu
directory=$1
mount --make-rprivate /
mount -t tmpfs -o size=4g,mode=755 tmpfs "$directory"
mkdir "$directory/upper" "$directory/work" "$directory/merged"
mount -t overlay overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" "$directory/merged"
# An overlay knows what is on the root's own file system: the rest is brought in.
mount -t proc proc "$directory/merged/proc"
mount --rbind /dev "$directory/merged/dev"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$directory/merged/dev/pts"
mount -t tmpfs tmpfs "$directory/merged/tmp" -o mode=1777
mount -t tmpfs tmpfs "$directory/merged/run" -o mode=755
mkdir -p "$directory/merged/run/lock"
hostname www
ip link set lo up
echo ready
# The shell is the first process here: it buries the daemons that end.
while :; do
    sleep 1
done
