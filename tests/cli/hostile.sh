# shellcheck shell=dash
# SPDX-License-Identifier: MIT
#
# More words, for the tests with data directories that somebody has tampered with. A test says
# `. "$TESTS/hostile.sh"` after cli.sh. tests/data/hostile/hostile.rb judges.

# alice and bob; a disk that alice's key opens, and one that it does not; good.key is that key.
good_directory()
{
	need_root
	admin alice 0
	admin bob 1
	trusts alice bob
	disk colo/web1/good
	disk colo/web1/other
	settings '/colo: { transport: local }'
	expect_status 0 as alice arver --create good
	as alice arver --dump-key good >good.key
}

hostile() # CASES [PART OF A TITLE]: all cases in that file
{
	as alice ruby "$ROOT/tests/data/hostile/hostile.rb" "$1" "${2-}"
}
