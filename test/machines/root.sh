# Directories that hold another machine's libraries, from packages that are unpacked and not installed.
# Sourced by test/machines.sh.
# shellcheck shell=sh

# Where this machine's apt has the Debian repository.
repository() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" { print $2; exit }'
}

# private_apt DIRECTORY ARCHITECTURE ARGUMENT...: apt-get with lists and a state of its own, which knows of no
# installed package.
private_apt() {
    state=$1
    architecture=$2
    shift 2
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    mirror=$(repository)
    if [ -z "$mirror" ]; then
        apt-get update -q
        mirror=$(repository)
    fi
    [ -n "$mirror" ] || die "this machine's apt has no Debian repository"
    echo "deb $mirror $(. /etc/os-release && echo "$VERSION_CODENAME") main" >"$state/sources.list"
    apt-get -q -y -o Dir::State="$state" -o Dir::State::lists="$state/lists" \
        -o Dir::State::status=/dev/null -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root "$@"
}

# debian_root DIRECTORY ARCHITECTURE: DIRECTORY/root holds what the project and its tests link with. Returns 1
# when it does not.
debian_root() {
    [ ! -e "$1/complete" ] || return 0
    rm -rf -- "$1/root"
    mkdir -p "$1/root"
    private_apt "$1/apt" "$2" update || return 1
    private_apt "$1/apt" "$2" --download-only install catch2 libc6-dev libcli11-dev libinih-dev \
        libkeyutils-dev libkrb5-dev librapidcheck-dev libstdc++6 libutfcpp-dev libwbclient-dev nettle-dev \
        nlohmann-json3-dev || return 1
    for package in "$1"/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$1/root" || return 1
    done
    # Packages of a system where /lib belongs to /usr have nothing in it.
    for name in lib lib64; do
        [ -e "$1/root/$name" ] || ln -s "usr/$name" "$1/root/$name" || return 1
    done
    rm -rf -- "$1/apt"
    touch "$1/complete"
}
