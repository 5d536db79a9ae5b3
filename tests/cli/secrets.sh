# shellcheck shell=dash
# SPDX-License-Identifier: MIT
#
# Words for tests that look for keys where none may be: `. "$TESTS/secrets.sh"` behind cli.sh. The keys
# looked for lie in the directory `secret`, a file each; tests/secrets has what looks.

SECRETS=$ROOT/tests/secrets/secrets.rb
mkdir secret

watch_build()
{
	gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O2 -o watch "$ROOT/tests/secrets/watch.c"
	gcc -Wall -Wextra -O2 -fPIC -shared -o same_random.so "$ROOT/tests/secrets/same_random.c"
}

# Of what is encrypted to the admin: the line around the packed text, and the packed text.
unpacked() # ADMIN FILE
{
	as "$1" gpg --batch --quiet --decrypt "$2" 2>/dev/null | ruby -e '
		marker, rest = STDIN.binmode.read.split("\n", 2)
		File.binwrite(ARGV[0] + ".marker", marker)
		File.binwrite(ARGV[0] + ".packed", rest[0, rest.index("\n" + marker)])' \
		"secret/$1.${2##*/}"
}

# The keys that are stored now, and what stands around them, besides those that are there already.
secrets_note() # ADMIN DISK...
{
	local who="$1" disk file

	shift
	n_noted=$((${n_noted:-0} + 1))
	for disk; do
		as "$who" arver-plain --dump-key "$disk" >"secret/$who.$disk.$n_noted" 2>/dev/null ||
			rm "secret/$who.$disk.$n_noted"
	done
	for file in "data/keys/$who"/*; do
		[ ! -e "$file" ] || unpacked "$who" "$file"
	done
}

with_same_random() # N COMMAND...
{
	local n="$1"

	shift
	SAME_RANDOM="$n" LD_PRELOAD="$WORK/same_random.so" "$@"
}

# Alice's command with `disk`s of alice and bob, twice from the same state: the first time
# to have the keys that it makes, the second time to look at its memory while it makes them again.
expect_keys_in_place() # STATUS ACTION...
{
	local want="$1"

	shift
	seed=$((${seed:-0} + 1))
	save_world
	expect_status "$want" as alice with_same_random $seed arver-plain "$@"
	for who in alice bob; do
		# shellcheck disable=SC2086
		secrets_note $who $disks
	done
	restore_world
	"$SECRETS" needles secret >needles
	expect_status "$want" as alice ./watch needles "report.$seed" env "SAME_RANDOM=$seed" \
		"LD_PRELOAD=$WORK/same_random.so" "$(realpath bin/arver-plain)" "$@"
	expect_in_place "report.$seed" "arver $*"
}

# What is looked for lay in its place alone, did lie there, and is gone in the end.
expect_in_place() # REPORT OF-WHAT
{
	! grep '^piece' "$1" || fail "keys are where none may be ($2)"
	grep -q '^end [0-9]* 0 0 ' "$1" || fail "keys are there in the end ($2)"
	grep -q '^end [0-9]* 0 0 [1-9]' "$1" || fail "no key was ever seen ($2)"
}

# Asked this at a terminal, Alice's command is given that answer, which has its place as keys have.
expect_typed_in_place() # QUESTION ANSWER ACTION...
{
	local question="$1" answer="$2" session

	shift 2
	rm -rf raw typed keyboard
	mkdir typed
	printf %s "$answer" >typed/answer
	"$SECRETS" needles typed >needles
	mkfifo keyboard
	as alice timeout 300 "$TESTS/terminal.py" 80 ./watch needles report.typed \
		"$(realpath bin/arver-plain)" "$@" <keyboard &
	session=$!
	exec 3>keyboard
	eventually grep -qs "$question" raw
	printf '%s\n' "$answer" >&3
	exec 3>&-
	wait $session || fail "it ended with $? (arver $*)"
	expect_in_place report.typed "arver $*"
}

TRACED=execve,write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg,read,readv,pread64,recvfrom,recvmsg
TRACED=$TRACED,prctl,memfd_create,vmsplice,process_vm_writev,setxattr,fsetxattr,symlink,rename,openat,mkdir

traced() # COMMAND...
{
	n_traced=$((${n_traced:-0} + 1))
	strace -ff -v -xx -yy -s 300000 -o "trace/$n_traced" -e trace="$TRACED" "$@"
}

# Every action of two admins' life with a key, traced, once with many words and once with JSON. Opening
# ends where a device-mapper is missing: behind the keys.
traced_story()
{
	mkdir -p trace
	expect_status 0 as alice traced arver-plain --vv --create colo
	expect_status 0 as alice traced arver-plain --json --add-user bob colo
	secrets_note alice one two
	secrets_note bob one two
	expect_status 1 as alice traced arver-plain --json --vv --open colo
	expect_status 0 as alice traced arver-plain --json --vv --verify colo
	expect_status 0 as alice traced arver-plain --json --refresh one
	expect_status 0 as alice traced arver-plain --vv --refresh two
	as alice traced arver-plain --vv --dump-key one 2>err | cat >/dev/null
	expect_status 0 as alice traced arver-plain --vv --keys ALL
	expect_status 0 as alice traced arver-plain --json --info colo
	expect_status 0 as alice traced arver-plain --vv --force --add-user bob colo
	secrets_note alice one two
	secrets_note bob one two
	printf 'a human passphrase that is long enough' | tee secret/typed |
		cryptsetup luksAddKey --batch-mode --key-file secret/alice.one.3 disk/one /dev/stdin
	typed() { traced "$@" <secret/typed; }
	expect_status 0 as alice typed arver-plain --vv --force --ask-password --add-user bob one
	secrets_note bob one two
	expect_status 0 as alice traced arver-plain --vv --garbage-collect
	expect_status 0 as alice traced arver-plain --vv --del-user bob two
	[ "$(find secret -name '*.one.*' | wc -l)" -ge 5 ] || fail 'there are fewer keys than there were'
}

expect_no_secret_anywhere()
{
	"$SECRETS" trace secret trace/* >found || fail "a secret is where none may be: $(head -5 found)"
	"$SECRETS" files secret data disk home out err >found ||
		fail "a file holds a secret: $(head -5 found)"
}
