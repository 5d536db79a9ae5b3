# shellcheck shell=dash
# SPDX-License-Identifier: MIT
#
# The words in which these tests are told. A test says `. "${0%/*}/cli.sh"` first and finds itself in
# an empty directory with the data directory `data`, the admins' homes in `home`, disks as image files
# in `disk`. `arver` is $ARVER (with AddressSanitizer), `arver-plain` the same program without, for
# strace. When the test ends, the agents, the sshd and the directory that it made are gone.

set -eu
TESTS=$(cd "${0%/*}" && pwd)
ROOT=$(cd "$TESTS/../.." && pwd)
ARVER=$(realpath "${ARVER:-$ROOT/build/asan/arver-asan}")
WORK=$(mktemp -d "${TMPDIR:-/tmp}/arver-cli.XXXXXX")
DATA=$WORK/data

# A report of a sanitizer has an exit status of its own. Without root, LeakSanitizer may not look
# into a process that has turned ptrace off.
leaks=1
[ "$(id -u)" = 0 ] || leaks=0
export ASAN_OPTIONS="exitcode=99:detect_leaks=$leaks" UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
export LC_ALL=C GNUPGHOME=/nonexistent
unset ARVER_USER ARVER_DIR XDG_STATE_HOME SSH_AUTH_SOCK GPG_TTY NO_COLOR

begin()
{
	cd "$WORK"
	mkdir -p bin home disk data/keys/public
	ln -s "$ARVER" bin/arver
	ln -s "$ROOT/build/arver" bin/arver-plain
	PATH=$WORK/bin:$PATH:/usr/sbin:/sbin
	: >out
	: >err
}

end()
{
	status=$?
	trap - EXIT INT TERM
	cd "$WORK"
	[ ! -e sshd.pid ] || sshd_end
	# shellcheck disable=SC2086  # process ids
	[ -z "${helpers:-}" ] || kill $helpers 2>/dev/null || true
	for home in home/*/.gnupg; do
		[ -d "$home" ] || continue
		gpgconf --homedir "$WORK/$home" --kill all || true
		gpgconf --homedir "$WORK/$home" --remove-socketdir 2>/dev/null || true
	done
	cd /
	if [ -n "${KEEP:-}" ]; then echo "kept: $WORK"; else rm -rf "$WORK"; fi
	exit "$status"
}

until_the_end() # PID: a helper in the background, to be ended when the test ends
{
	helpers="${helpers:-} $1"
}

fail() # WHY: end the test, having shown what the last command said
{
	cd "$WORK"
	[ ! -s out ] || { echo '--- its output'; cat out; }
	[ ! -s err ] || { echo '--- its errors'; cat err; }
	echo "--- FAILED: $*"
	exit 1
}

need_root() # for what LUKS by libcryptsetup, or root's login, needs
{
	[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 0; }
}

eventually() # COMMAND...: repeat it until it succeeds, for a minute at most
{
	local tries=3000

	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "never came true: $*"
		sleep 0.02
	done
}

# --- admins ------------------------------------------------------------------------------------

admin() # NAME SLOT [GPG-PARAMETER-LINES]: home, GPG key, public key, entry in users, ~/.arver
{
	local fingerprint

	mkdir -p "home/$1/.gnupg"
	chmod 700 "home/$1/.gnupg"
	fingerprint=$(printf '%s\n' 'Key-Type: EDDSA' 'Key-Curve: ed25519' 'Subkey-Type: ECDH' \
		'Subkey-Curve: cv25519' "Name-Real: $1" "${3:-Expire-Date: 0}" %no-protection %commit |
		as "$1" gpg --batch --quiet --status-fd 1 --gen-key 2>/dev/null |
		sed -n 's/.* KEY_CREATED B \([0-9A-F]*\).*/\1/p')
	[ "$fingerprint" ] || fail "no GPG key for $1"
	as "$1" gpg --batch --quiet --armor --export "$fingerprint" >"data/keys/public/$1"
	echo "'$1': { 'slot': $2, 'gpg': '$fingerprint' }" >>data/users
	printf "'username': '%s'\n'config_dir': '%s'\n" "$1" "$DATA" >"home/$1/.arver"
	echo "$fingerprint" >"home/$1/fingerprint"
}

# The dot in HOME makes .gnupg another directory than the usual one, to GnuPG: or else all of them, and
# whoever runs this, would share the one gpg-agent whose socket lies in /run/user/UID.
as() # ADMIN COMMAND...: run it as that admin
{
	local who="$1"

	shift
	HOME=$WORK/./home/$who GNUPGHOME=$WORK/home/$who/.gnupg "$@"
}

# ADMIN COMMAND...: the same in the background, as $pid, its words in out and err. Ctrl-C works.
in_background()
{
	local who="$1"

	shift
	HOME=$WORK/./home/$who GNUPGHOME=$WORK/home/$who/.gnupg env --default-signal=INT "$@" \
		>out 2>err &
	# shellcheck disable=SC2034
	pid=$!
}

trusts() # ADMIN OTHER...: has the keys of the others and has signed them
{
	local me="$1" other

	shift
	for other; do
		as "$me" gpg --batch --quiet --import "data/keys/public/$other"
		as "$me" gpg --batch --quiet --quick-lsign-key "$(cat "home/$other/fingerprint")"
	done >/dev/null 2>&1
}

key_files() # ADMIN: how many
{
	find "data/keys/$1" -type f 2>/dev/null | wc -l
}

keys() # ADMIN: "path key time" a line, as a program that is not built from arver's sources reads them
{
	as "$1" ruby "$ROOT/tests/unit/ruby_keys.rb" read "$DATA" "$1"
}

journal() # ADMIN: its notes, without the head
{
	cat "home/$1"/.local/state/arver/*/journal 2>/dev/null | grep -v '^arver-journal' || true
}

# --- the inventory -----------------------------------------------------------------------------

# GROUP/HOST/DISK [DEVICE]: one more disk; its image file is made where DEVICE is not given.
disk()
{
	local device="${2:-$WORK/disk/${1##*/}}"

	[ $# -gt 1 ] || truncate -s 20M "$device"
	echo "$1 $device" >>disks.list
	awk -v host="${HOST_LINES:-}" '
		{ split($1, part, "/")
		  if (part[1] != group) print "\047" part[1] "\047:"
		  if (part[1] "/" part[2] != path) {
			print "  \047" part[2] "\047:"
			if (host != "") print "    " host
		  }
		  print "    \047" part[3] "\047: { \047device\047: \047" $2 "\047 }"
		  group = part[1]; path = part[1] "/" part[2] }' disks.list >data/disks
}

settings() # LINE...: more lines of the file settings
{
	printf '%s\n' "$@" >>data/settings
}

slots() # IMAGE: the numbers of its key slots that are in use
{
	cryptsetup luksDump "$1" | awk '
		/^Key Slot [0-9]+: ENABLED/ { slots = slots " " $3 + 0 }
		/^[A-Z]/ { section = $1 }
		section == "Keyslots:" && /^  [0-9]+: luks2/ { slots = slots " " $1 + 0 }
		END { print substr(slots, 2) }'
}

# KEY-LINES GROUP/HOST/DISK: does one of these keys open the image? Judged without arver.
opens_with()
{
	local path key

	while read -r path key _; do
		[ "$path" = "/$2" ] || continue
		printf %s "$key" | cryptsetup open --test-passphrase --key-file=- "disk/${2##*/}" \
			2>/dev/null && return
	done <"$1"
	return 1
}

# IMAGE [luks1|luks2] [PASSPHRASE]: format it by hand, quickly
format_by_hand()
{
	printf %s "${3:-by hand}" | cryptsetup luksFormat --batch-mode --type "${2:-luks2}" \
		--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file=- "$1"
}

# --- ssh ---------------------------------------------------------------------------------------

# A real sshd on a port of its own, which lets root in; `ssh` reads nothing of the person's.
sshd_begin()
{
	local ssh_program

	ssh_program=$(command -v ssh)
	[ -d /run/sshd ] || mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f host_key
	ssh-keygen -q -t ed25519 -N '' -f id
	port=$((20000 + $$ % 20000))
	cat >ssh_config <<-.
		IdentityFile $WORK/id
		IdentitiesOnly yes
		IdentityAgent none
		UserKnownHostsFile $WORK/known_hosts
		GlobalKnownHostsFile none
	.
	printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$ssh_program" "$WORK/ssh_config" >bin/ssh
	chmod 755 bin/ssh
	until sshd_try; do port=$((port + 1)); done
	printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 host_key.pub)" >known_hosts
	HOST_LINES="'address': '127.0.0.1'|    'port': '$port'"
	HOST_LINES=$(echo "$HOST_LINES" | tr '|' '\n')
}

# LOG PORT OPTION...: a sshd with these options, which count before ours; $sshd. 1 if the port is taken.
sshd_at()
{
	local log="$1" at="$2"

	shift 2
	"$(command -v sshd)" -D -f /dev/null -E "$WORK/$log" "$@" -o ListenAddress=127.0.0.1 -o Port="$at" \
		-o PidFile=none -o HostKey="$WORK/host_key" -o AuthorizedKeysFile="$WORK/id.pub" \
		-o StrictModes=no -o UsePAM=no -o PasswordAuthentication=no -o MaxStartups="${MAX_STARTUPS:-300}" \
		-o PermitRootLogin=yes -o LogLevel=INFO &
	sshd=$!
	eventually grep -qs -e 'Server listening' -e 'Cannot bind' "$log"
	grep -q 'Server listening' "$log" || { rm -f "$log"; return 1; }
}

sshd_try() # once more, on the same port; with $SSHD_OPTIONS
{
	# shellcheck disable=SC2086
	sshd_at sshd.log "$port" ${SSHD_OPTIONS:-} || return 1
	echo "$sshd" >sshd.pid
}

# NAME OPTION...: one more until the test ends, on the next port that is free, which is $beside then
sshd_beside()
{
	local log="$1.log"

	shift
	beside=$((${beside:-$port} + 1))
	until sshd_at "$log" $beside "$@"; do beside=$((beside + 1)); done
	until_the_end "$sshd"
	printf '[127.0.0.1]:%s %s\n' $beside "$(cut -d' ' -f1,2 host_key.pub)" >>known_hosts
}

sshd_end() # and nobody listens any more
{
	kill "$(cat sshd.pid)" 2>/dev/null || true
	wait "$(cat sshd.pid)" 2>/dev/null || true
	rm -f sshd.pid
}

# --- cuts --------------------------------------------------------------------------------------

# The program is killed at its Nth such system call; with PATHS, at the Nth that touches one of them.
# $status is 0 once there are fewer calls than that.
cut_at() # SYSCALL N 'PATHS' COMMAND...
{
	local call="$1" nth="$2" only='' path

	for path in $3; do only="$only -P $path"; done
	shift 3
	status=0
	# shellcheck disable=SC2086
	strace -f -o strace.log $only -e trace="$call" -e inject="$call:signal=KILL:when=$nth" \
		"$@" >out 2>err || status=$?
}

# ADMIN's command, each time from the saved world, is killed at its first such call, at the one STEP
# later, and so on until it ends by itself. After each cut, after_cut (of the test) is to judge.
every_cut() # SYSCALL STEP 'PATHS' ADMIN COMMAND...
{
	local call="$1" step="$2" paths="$3" n=1

	shift 3
	while :; do
		# shellcheck disable=SC2034
		cut="$call $n"
		restore_world
		admin="$1"
		shift
		as "$admin" cut_at "$call" $n "$paths" "$@"
		[ "$status" != 0 ] || break
		after_cut
		n=$((n + step))
		set -- "$admin" "$@"
	done
	echo "# cut at each $step. $call: $n was the first too many"
}

# Data directory, journal and disks as they are now, to begin from again and again.
save_world()
{
	rm -rf saved
	mkdir saved
	cp -a data disk saved/
	for state in home/*/.local; do
		[ ! -d "$state" ] || { mkdir -p "saved/${state%/*}"; cp -a "$state" "saved/$state"; }
	done
}

restore_world()
{
	rm -rf data disk home/*/.local
	cp -a saved/data saved/disk .
	[ ! -d saved/home ] || cp -a saved/home .
}

# clock.so: preloaded, it puts the clock forward by $AHEAD seconds
clock_library()
{
	cat >clock.c <<-'.'
		#define _GNU_SOURCE
		#include <stdlib.h>
		#include <sys/syscall.h>
		#include <time.h>
		#include <unistd.h>
		int clock_gettime(clockid_t id, struct timespec *t)
		{
			long r = syscall(SYS_clock_gettime, id, t);

			if (id == CLOCK_REALTIME && getenv("AHEAD"))
				t->tv_sec += atol(getenv("AHEAD"));
			return (int)r;
		}
	.
	gcc -shared -fPIC -o clock.so clock.c
}

# --- what is expected --------------------------------------------------------------------------

run() # COMMAND...: keep its output, its errors and its status
{
	echo "\$ $*"
	status=0
	"$@" >out 2>err || status=$?
	! grep -q -e 'Sanitizer' -e 'runtime error:' err || fail 'a sanitizer complains'
}

expect_status() # N COMMAND...
{
	local want="$1"

	shift
	run "$@"
	[ "$status" = "$want" ] || fail "status is $status, not $want"
}

# TEXT, a line or a part of one, in what the last command said, or not in it
expect_stdout()    { grep -qF -e "$1" out || fail "its output lacks: $1"; }
expect_stderr()    { grep -qF -e "$1" err || fail "its errors lack: $1"; }
expect_no_stdout() { ! grep -qF -e "$1" out || fail "its output has: $1"; }
expect_no_stderr() { ! grep -qF -e "$1" err || fail "its errors have: $1"; }
expect_silence()   { [ ! -s out ] && [ ! -s err ] || fail 'it was to say nothing'; }

expect_output() # the whole of stdout, as on standard input
{
	cat >want
	diff want out || fail 'its output is not as expected'
}

expect_slots() # IMAGE 'N N...'
{
	[ "$(slots "$1")" = "$2" ] || fail "$1 has slots '$(slots "$1")', not '$2'"
}

expect_can_open() # ADMIN GROUP/HOST/DISK...: a stored key opens the image
{
	local who="$1" disk

	keys "$who" >"keys.$who"
	shift
	for disk; do
		opens_with "keys.$who" "$disk" || fail "no stored key of $who opens $disk"
	done
}

expect_key_files() # ADMIN N
{
	[ "$(key_files "$1")" = "$2" ] || fail "$1 has $(key_files "$1") key files, not $2"
}

expect_settled() # ADMIN: nothing is left in the journal
{
	[ -z "$(journal "$1")" ] || { journal "$1"; fail "the journal of $1 has notes"; }
}

trap end EXIT
trap 'exit 130' INT TERM
begin
