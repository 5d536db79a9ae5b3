#!/bin/sh
# SPDX-License-Identifier: MIT
# No name of ours may stand in for a library's: whatever the program defines and exports to
# its libraries would be called by them in place of their own function.
cd "$(dirname "$0")/.." || exit 2
names=$(nm -D --defined-only build/arver | awk '$2 != "V" && $2 != "W" { print $3 }' |
	grep -vE '^(std(in|out|err)|_IO_stdin_used|opt(ind|arg|err|opt)|environ|__environ)(@|$)')
[ -z "$names" ] || { echo "the program overrides functions of its libraries:"; echo "$names"; exit 1; }
