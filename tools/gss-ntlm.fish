# fish completion for gss-ntlm(1). Commands and options are those that --help of the program itself
# names, so that they are always its own.

# The words of a section of a help text, on standard input.
function __gss_ntlm_words
    awk -v title="$argv[1]:" '
        /^[A-Z]/ { inside = $0 == title; next }
        inside && /^  [a-z-]/ { n = split($1, names, ","); for (i = 1; i <= n; i++) print names[i] }'
end

function __gss_ntlm_candidates
    set -l typed (commandline -opc)
    set -l program $typed[1]
    set -l commands
    for word in $typed[2..-1]
        string match -qr '^[a-z]' -- $word; or break
        set -a commands $word
        test $word = user; or break
    end
    switch $typed[-1]
        case --keyring
            printf '%s\n' session user persistent
            return
        case --file --users --html
            __fish_complete_path (commandline -ct)
            return
        case --for --lifetime --nt-hash --target --top
            return
    end
    set -l help ($program $commands --help 2>/dev/null)
    if string match -q -- '-*' (commandline -ct)
        printf '%s\n' $help | __gss_ntlm_words Options
        return
    end
    set -l inner (printf '%s\n' $help | __gss_ntlm_words Subcommands)
    if set -q inner[1]
        printf '%s\n' $inner
    else if contains -- "$commands[1]" decode report
        __fish_complete_path (commandline -ct)
    end
end

complete -c gss-ntlm -f -a '(__gss_ntlm_candidates)'
