#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy, gcc's analyzer and cppcheck over the whole program, shellcheck over the hooks; silent when they are.
# What they say wrongly is answered in .clang-tidy or beside the code.
set -u
cd "$(dirname "$0")/.." || exit 2
files=$(ls lib/*/*.c keystore/*.c arver/*.c)
status=0

# shellcheck disable=SC2086
echo $files | tr ' ' '\n' | xargs -P 2 -n 1 sh -c '
	clang-tidy --quiet "$@" -- -std=gnu11 -D_GNU_SOURCE -DARVER_VERSION=\"\" -Ilib -I. 2>/dev/null' lint ||
	status=1

# By default it gives up on a large function early; with four times the patience it takes a minute or two,
# and gives up on few. No file is left out.
# shellcheck disable=SC2086
echo $files | tr ' ' '\n' | xargs -P 2 -n 1 sh -c '
	gcc -std=gnu11 -D_GNU_SOURCE -DARVER_VERSION=\"\" -Ilib -I. -O1 -Werror -fanalyzer \
		--param analyzer-bb-explosion-factor=20 -c -o /dev/null "$@"' lint || status=1

# shellcheck disable=SC2086
cppcheck -j 2 --quiet --std=c11 --error-exitcode=1 --inline-suppr --max-configs=1 \
	--enable=warning,performance,portability -D_GNU_SOURCE -DARVER_VERSION='""' \
	--suppress=missingIncludeSystem -Ilib -I. $files || status=1

# "-ef" is new in POSIX; dash and busybox have had it for long.
find hooks -type f ! -name README.md -exec shellcheck --exclude=SC3013 {} + || status=1
exit $status
