# fish completion of groove. Once:  groove completion fish > ~/.config/fish/completions/groove.fish
function __groove_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] __complete $words[2..-1] 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path (commandline -ct)
        return
    end
    printf '%s\n' $found
end
complete -c groove -f -a '(__groove_complete)'
