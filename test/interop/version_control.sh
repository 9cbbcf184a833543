#!/bin/sh
# Subversion and git log in to a real Apache through the module, with Negotiate.
#
#   sh test/interop/version_control.sh MODULE        e.g. build/mech/gss_ntlm.so
#
# Git's HTTP is libcurl's, Subversion's is serf's.
set -eu
[ $# -eq 1 ] || {
    echo "usage: sh test/interop/version_control.sh MODULE" >&2
    exit 2
}
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../support/common.sh
. "$here/../support/common.sh"
# shellcheck source-path=SCRIPTDIR source=../support/apache.sh
. "$here/../support/apache.sh"

for name in git svn svnadmin; do
    command -v $name >/dev/null || {
        interop_skipped HTTP "git and Subversion" "$name is not installed"
        echo "SKIP $name is not installed"
        exit 77
    }
done
password='Correct-Horse 7'
private_root
register_module "$1"
mkdir -m 700 "$root/client"
printf 'QUICK:alice:%s\n' "$password" >"$root/client/right"
printf 'QUICK:alice:%s\n' "$password-not" >"$root/client/wrong"
chmod 600 "$root"/client/*
export HOME="$root/client" GIT_TERMINAL_PROMPT=0

apache_extra() {
    for name in dav dav_svn; do
        echo "LoadModule ${name}_module \"$apache_modules/mod_$name.so\""
    done
    cat <<CONFIGURATION
<Location "/svn">
DAV svn
SVNPath "$root/repository"
</Location>
CONFIGURATION
}

svnadmin create "$root/repository"
svn mkdir -q -m "a directory" "file://$root/repository/trunk"
[ "$(id -u)" -ne 0 ] || chown -R www-data "$root/repository"
apache_start "$root/client/right"
git init -q "$root/work"
git -C "$root/work" -c user.name=alice -c user.email=alice@quick.example commit -q --allow-empty -m "a commit"
git clone -q --bare "$root/work" "$apache_dir/htdocs/project.git"
git -C "$apache_dir/htdocs/project.git" update-server-info

# try NAME WORDS COMMAND...: WORDS are in what the command says; - in place of them: it fails, and Apache's answer was 401.
client=right
try() {
    name=$1
    words=$2
    shift 2
    status=0
    said=$(NTLM_USER_FILE="$root/client/$client" "$@" 2>&1) || status=$?
    last=$(tail -n 1 "$apache_dir/access.log" | cut -d ' ' -f 2)
    if [ "$words" = - ]; then
        [ "$status" -ne 0 ] && [ "$last" = 401 ] && pass "$name" && return
    elif [ "$status" -eq 0 ]; then
        case $said in
        *"$words"*) pass "$name" && return ;;
        esac
    fi
    fail "$name" "status $status, Apache's answer $last: $said
$(tail -n 3 "$apache_dir/error.log")"
}

svn="svn --non-interactive --no-auth-cache --config-option=servers:global:http-auth-types=negotiate;ntlm"
url="http://localhost:$apache_port/svn"
# Split into words on purpose.
# shellcheck disable=SC2086
{
    try "Subversion, Negotiate" trunk $svn ls "$url"
    client=wrong
    try "Subversion, Negotiate, wrong password" - $svn ls "$url"
}
interop_row HTTP "Subversion (serf)" "$(package_version subversion)" both "Negotiate with Apache's mod_dav_svn; wrong password"

client=right
git="git -c http.emptyAuth=true ls-remote"
url="http://localhost:$apache_port/project.git"
# shellcheck disable=SC2086
{
    try "git, Negotiate" refs/heads $git "$url"
    client=wrong
    try "git, Negotiate, wrong password" - $git "$url"
}
interop_row HTTP git "$(package_version git)" both "Negotiate with Apache; wrong password"
finish
