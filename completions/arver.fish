# SPDX-License-Identifier: MIT
# fish completion for arver(1); see README.md.

# What the inventory says, in the directory that the line names; fish itself sees to ARVER_DIR.
function __arver_list
    set -l words (commandline -opc)
    set -l place
    for i in (seq 2 (count $words))
        switch $words[$i]
            case -c --config-dir
                test $i -lt (count $words); and set place -c (string replace -r '^~/' "$HOME/" -- $words[(math $i + 1)])
            case '--config-dir=*'
                set place -c (string replace -r '^--config-dir=(~/)?' '$1' -- $words[$i] | string replace -r '^~/' "$HOME/")
        end
    end
    command $words[1] $place $argv --list-targets 2>/dev/null </dev/null
end

function __arver_admins
    __arver_list --json | string replace -rf '^\{"event":"admin","admin":"([^"\\\\]*)".*' '$1'
end

# The last name of a list: paths, or tails of paths that mean one thing only.
function __arver_targets
    set -l typed (string replace -r '^--[a-z-]+=' '' -- (commandline -ct))
    set -l before (string match -r '^.*,' -- $typed)
    set -l last (string replace -r '^.*,' '' -- $typed)
    set -l paths (__arver_list)
    if string match -q '/*' -- $last
        printf '%s\n' "$before/"$paths
        return
    end
    printf '%s\n' "$before"$paths "$before"ALL
    for path in $paths
        test (string sub -l (string length -- "$last") -- $path) = "$last"; and return
    end
    for path in $paths
        set -l tail $path
        while string match -q '*/*' -- $tail
            set tail (string replace -r '^[^/]*/' '' -- $tail)
            echo $tail
        end
    end | sort | uniq -u | string replace -r '^' "$before"
end

function __arver_paths
    printf '%s\n' /(__arver_list)
end

# Behind an action whose argument is not the next word.
function __arver_rest
    set -l words (commandline -opc)
    string match -qr -- '^(-a|-d|--add-user|--del-user|-l|--list-targets)' $words; and __arver_targets
end

# Actions and options as --help tells them.
function __arver_declare
    complete -c arver -f -a '(__arver_rest)'
    command arver --help 2>/dev/null </dev/null | while read -l line
        set -l part (string match -r '^ *-?([a-z]?),? *--([a-z-]+)((?: \[?[A-Z]+\]?)*)  +(.*)$' -- $line)
        or continue
        set -l short
        test -n "$part[2]"; and set short -s $part[2]
        set -l offer
        switch (string split -n ' ' -- $part[4])[1]
            case TARGET TARGETS
                set offer -x -a '(__arver_targets)'
            case USER NAME
                set offer -x -a '(__arver_admins)'
            case PATH
                set offer -x -a '(__arver_paths)'
            case DIR
                set offer -x -a '(__fish_complete_directories)'
            case DURATION
                set offer -x -a '90s 5m 15m 1h'
            case N
                set offer -x
        end
        complete -c arver $short -l $part[3] $offer -d $part[5]
    end
end

__arver_declare
