#compdef gss-ntlm
# zsh completion for gss-ntlm(1). Commands and options are those that --help of the program itself
# names, so that they are always its own.

# The words of a section of a help text, on standard input.
_gss_ntlm_words() {
    awk -v title="$1:" '
        /^[A-Z]/ { inside = $0 == title; next }
        inside && /^  [a-z-]/ { n = split($1, names, ","); for (i = 1; i <= n; i++) print names[i] }'
}

# Those of the commands in front of the cursor.
_gss_ntlm_help() {
    local -a commands
    local word
    for word in "${(@)words[2,CURRENT-1]}"; do
        [[ $word == [a-z]* ]] || break
        commands+=("$word")
        [[ $word == user ]] || break
    done
    ${(Q)words[1]} "${commands[@]}" --help 2>/dev/null
}

_gss_ntlm() {
    local help=$(_gss_ntlm_help)
    case ${words[CURRENT-1]} in
    --keyring) compadd session user persistent; return ;;
    --file | --users | --html) _files; return ;;
    --for | --lifetime | --nt-hash | --target | --top) return 1 ;;
    esac
    if [[ ${words[CURRENT]} == -* ]]; then
        compadd -- ${(f)"$(_gss_ntlm_words Options <<<"$help")"}
        return
    fi
    local -a inner=(${(f)"$(_gss_ntlm_words Subcommands <<<"$help")"})
    if (( ${#inner} )); then
        compadd -- "${inner[@]}"
    elif [[ ${words[2]} == (decode|report) ]]; then
        _files
    fi
}

_gss_ntlm "$@"
