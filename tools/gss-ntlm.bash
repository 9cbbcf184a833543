# bash completion for gss-ntlm(1). Commands and options are those that --help of the program itself
# names, so that they are always its own.

# The words of a section of a help text: _gss_ntlm_words TITLE, the text on standard input.
_gss_ntlm_words() {
    awk -v title="$1:" '
        /^[A-Z]/ { inside = $0 == title; next }
        inside && /^  [a-z-]/ { n = split($1, names, ","); for (i = 1; i <= n; i++) print names[i] }'
}

_gss_ntlm() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local -a commands=()
    local i help
    COMPREPLY=()
    case $before in
    --keyring)
        mapfile -t COMPREPLY < <(compgen -W "session user persistent" -- "$word")
        return
        ;;
    --file | --users | --html)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --for | --lifetime | --nt-hash | --target | --top) return ;;
    esac
    # user has commands of its own; an option in front of one would end the search.
    for ((i = 1; i < COMP_CWORD && ${#commands[@]} < 2; i++)); do
        [[ ${COMP_WORDS[i]} == [a-z]* ]] || break
        commands+=("${COMP_WORDS[i]}")
        [[ ${COMP_WORDS[i]} == user ]] || break
    done
    help=$("$program" "${commands[@]}" --help 2>/dev/null) || return
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_gss_ntlm_words Options <<<"$help")" -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$(_gss_ntlm_words Subcommands <<<"$help")" -- "$word")
    if ((${#COMPREPLY[@]} == 0)) && [[ ${commands[0]-} == @(decode|report) ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}

complete -F _gss_ntlm gss-ntlm
