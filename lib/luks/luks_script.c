/* SPDX-License-Identifier: MIT */
/*
 * luks_script: shell functions first, then the scripts made of them. Keys are
 * in pipes only, never in a variable, a file or an argument. dd that reads blocks of
 * one byte takes exactly what is meant for one command, and all of it before it
 * writes: so the next key is not torn, whether that command reads its own or not.
 * Only where several disks are opened in one script cryptsetup reads stdin itself,
 * which saves two processes for each; luks_remote_open.c knows what that may cost.
 * Commands that need no key read /dev/null: sudo may swallow stdin.
 */
#include "luks/luks_script.h"

static const char basics[] =
	"PATH=$PATH:/usr/sbin:/sbin LC_ALL=C\n"
	"export PATH LC_ALL\n"
	"umask 022\n"
	"sudo=$1 dev=$2\n"
	"shift 2\n"
	"\n"
	"say() { echo \"arver: $1 $2\"; }\n"
	"\n"
	"# step NAME COMMAND...: run it, answer with its status and its words\n"
	"step() {\n"
	"	step=$1\n"
	"	shift\n"
	"	text=$(\"$@\" 2>&1)\n"
	"	status=$?\n"
	"	say \"$step\" \"$status\"\n"
	"	test -z \"$text\" || printf '%s\\n' \"$text\" | sed 's/^/ /'\n"
	"	return \"$status\"\n"
	"}\n"
	"\n"
	"# need NAME COMMAND...: a step without which nothing is begun\n"
	"need() { step \"$@\" </dev/null || exit 1; }\n"
	"\n"
	"crypt() { $sudo cryptsetup \"$@\"; }\n"
	"# there DEVICE: a block device or an image file\n"
	"there() {\n"
	"	{ test -b \"$1\" || test -f \"$1\"; } && return\n"
	"	test \"$sudo\" || return\n"
	"	$sudo test -b \"$1\" </dev/null 2>/dev/null ||\n"
	"		$sudo test -f \"$1\" </dev/null 2>/dev/null\n"
	"}\n"
	"dump() { step dump crypt luksDump -- \"$dev\" </dev/null; }\n"
	"\n"
	"echo\n"
	"say begin 0\n";

static const char keys[] =
	"# go: ask for the keys; $word and $options is what came with the word\n"
	"go() {\n"
	"	say ready 0\n"
	"	read -r go word options && test \"$go\" = go || exit 1\n"
	"}\n"
	"\n"
	"# key LENGTH: pass on so many bytes of stdin, at the head of a pipe: it ends its shell\n"
	"key() { exec dd ibs=1 obs=\"$1\" count=\"$1\" 2>/dev/null; }\n"
	"# takes WORD...: cryptsetup behind a key, at the end of a pipe: it ends its shell, too\n"
	"takes() { exec $sudo cryptsetup \"$@\"; }\n"
	"\n"
	"# try SLOT LENGTH [NAME]: open as NAME, or only test whether it would open\n"
	"direct=''\n"
	"try() {\n"
	"	slot=$1 length=$2 name=${3-}\n"
	"	set -- --type luks --key-file=- --keyfile-size=\"$length\"\n"
	"	test \"$slot\" = any || set -- \"$@\" --key-slot \"$slot\"\n"
	"	test \"$name\" || set -- \"$@\" --test-passphrase\n"
	"	set -- open \"$@\" -- \"$dev\" ${name:+\"$name\"}\n"
	"	test ! \"$direct\" || takes \"$@\"\n"
	"	key \"$length\" | takes \"$@\"\n"
	"}\n";

static const char mappings[] =
	"# mapping NAME: is there one of that name? $map is then its place in sysfs\n"
	"mapping() {\n"
	"	for map in /sys/block/dm-*; do\n"
	"		{ IFS= read -r line <\"$map/dm/name\"; } 2>/dev/null || continue\n"
	"		test \"$line\" = \"$1\" && return\n"
	"	done\n"
	"	return 1\n"
	"}\n"
	"\n"
	"# lies_on DEVICE: is $map made of that? $below is what it is made of\n"
	"lies_on() {\n"
	"	below='' number='' kind=''\n"
	"	file=$(readlink -f -- \"$1\") || file=$1\n"
	"	test ! -b \"$file\" || number=$(device_number \"$file\")\n"
	"	{ read -r kind <\"$map/dm/uuid\"; } 2>/dev/null\n"
	"	for slave in \"$map\"/slaves/*; do\n"
	"		line='' back=''\n"
	"		{ read -r line <\"$slave/dev\"; } 2>/dev/null\n"
	"		{ IFS= read -r back <\"$slave/loop/backing_file\"; } 2>/dev/null\n"
	"		below=\"$below${below:+, }${back:-${slave##*/}}\"\n"
	"		case $kind in CRYPT-*) ;; *) continue ;; esac\n"
	"		test \"$line\" && test \"$line\" = \"$number\" && return\n"
	"		test \"$back\" && test \"$back\" = \"$file\" && return\n"
	"	done\n"
	"	return 1\n"
	"}\n";

static const char numbers[] =
	"# device_number FILE: major:minor of a device, device:inode of an image file\n"
	"device_number() {\n"
	"	test -b \"$1\" || { stat -L -c %d:%i -- \"$1\"; return; }\n"
	"	printf %d:%d $(stat -L -c '0x%t 0x%T' -- \"$1\")\n"
	"}\n";

static const char locks[] =
	"# lock NAME SECONDS: hold the lock until this script and its commands have ended. The\n"
	"# file is made only if it is missing, and opened for reading: another user's file in a\n"
	"# sticky directory may not be opened in any other way.\n"
	"lock() {\n"
	"	file=/run/lock/arver-$1\n"
	"	test -d /run/lock || mkdir -p /run/lock 2>/dev/null\n"
	"	if test ! -e \"$file\" && ! (set -C && : >\"$file\") 2>/dev/null; then\n"
	"		test -e \"$file\" || test -L \"$file\" || test ! \"$sudo\" ||\n"
	"			$sudo touch -- \"$file\" </dev/null >/dev/null 2>&1\n"
	"	fi\n"
	"	test -f \"$file\" && test ! -L \"$file\" && test -r \"$file\" ||\n"
	"		{ say lockfile 1; echo \" $file\"; exit 1; }\n"
	"	exec 9<\"$file\"\n"
	"	need lock flock -w \"$2\" 9\n"
	"}\n"
	"\n"
	"# locked UUID SECONDS: hold the lock of a header (its own if none is named), show it\n"
	"locked() {\n"
	"	need device there \"$dev\"\n"
	"	id=$1\n"
	"	test \"$id\" || {\n"
	"		need uuid crypt luksUUID -- \"$dev\"\n"
	"		id=$(echo \"$text\" | sed '/^sudo: /d' | tr A-F a-f)\n"
	"	}\n"
	"	case $id in '' | *[!0-9a-f-]*) say header 1; exit 1 ;; esac\n"
	"	lock \"$id\" \"$2\"\n"
	"	dump || exit 1\n"
	"}\n";

static const char probes[] =
	"# probe: what lies on the device; without sudo where sudo does not allow it, but then it\n"
	"# must be readable: what blkid cannot reach it calls empty. The dump is a second\n"
	"# opinion.\n"
	"probe() {\n"
	"	need device there \"$dev\"\n"
	"	step blkid $sudo blkid -p -o export -- \"$dev\" </dev/null\n"
	"	if test \"$sudo\" && test \"$status\" = 1 && test -r \"$dev\"; then\n"
	"		step blkid blkid -p -o export -- \"$dev\" </dev/null\n"
	"	fi\n"
	"	dump\n"
	"}\n";

static const char status[] =
	"while test $# -gt 1; do\n"
	"	there \"$2\"\n"
	"	say there $?\n"
	"	if ! mapping \"$1\"; then\n"
	"		say closed 0\n"
	"	elif lies_on \"$2\"; then\n"
	"		say open 0\n"
	"	else\n"
	"		say foreign 0\n"
	"		echo \" $below\"\n"
	"	fi\n"
	"	shift 2\n"
	"done\n"
	"say done 0\n";

static const char open[] =
	"# see I NAME DEVICE PINNED: what there is to know of a disk before a key is used\n"
	"see() {\n"
	"	say disk \"$1\"\n"
	"	eval \"name_$1=\\$2 dev_$1=\\$3 go_$1=n\"\n"
	"	there \"$3\" || { say device 1; return; }\n"
	"	mapping \"$2\" && { lies_on \"$3\"; say exists $?; echo \" $below\"; return; }\n"
	"	test \"$4\" = no || step uuid crypt luksUUID -- \"$3\" </dev/null\n"
	"}\n"
	"\n"
	"n=$1 i=0\n"
	"shift\n"
	"test \"$n\" = 1 || test \"$sudo\" || direct=y\n"
	"while test $i -lt \"$n\"; do\n"
	"	see $i \"$1\" \"$2\" \"$3\"\n"
	"	shift 3\n"
	"	i=$((i + 1))\n"
	"done\n"
	"go\n"
	"i=0\n"
	"for word in $options; do\n"
	"	eval \"go_$i=\\$word\"\n"
	"	i=$((i + 1))\n"
	"done\n"
	"\n"
	"# Keys of disks that are open by then are passed over, but only if there is one behind them.\n"
	"owed=0\n"
	"while test $# -gt 2; do\n"
	"	eval \"word=\\$go_$1 name=\\$name_$1 dev=\\$dev_$1\"\n"
	"	case $word in\n"
	"	y)\n"
	"		test $owed = 0 || (key $owed) >/dev/null\n"
	"		owed=0\n"
	"		say disk \"$1\"\n"
	"		step try try \"$2\" \"$3\" \"$name\"\n"
	"		case $status in\n"
	"		0) eval \"go_$1=over\" ;;\n"
	"		1 | 2) ;;\n"
	"		*)\n"
	"			eval \"go_$1=over\"\n"
	"			test ! \"$direct\" || break\n"
	"			;;\n"
	"		esac\n"
	"		;;\n"
	"	over) owed=$((owed + $3)) ;;\n"
	"	esac\n"
	"	shift 3\n"
	"done\n"
	"i=0\n"
	"while test $i -lt \"$n\"; do\n"
	"	eval \"word=\\$go_$i name=\\$name_$i\"\n"
	"	test \"$word\" = n || { say disk $i; mapping \"$name\"; say mapping $?; }\n"
	"	i=$((i + 1))\n"
	"done\n"
	"say done 0\n";

static const char close[] =
	"# holders: what keeps $map busy, a line each\n"
	"holders() {\n"
	"	read -r number <\"$map/dev\"\n"
	"	while read -r id parent dev root point rest; do\n"
	"		case \"$dev $rest \" in\n"
	"		\"$number \"* | *\" /dev/mapper/$name \"*) echo \"mounted on $point\" ;;\n"
	"		esac\n"
	"	done </proc/self/mountinfo\n"
	"	for above in \"$map\"/holders/*; do\n"
	"		test -e \"$above\" || continue\n"
	"		line=${above##*/}\n"
	"		{ IFS= read -r line <\"$above/dm/name\"; } 2>/dev/null\n"
	"		echo \"used by $line\"\n"
	"	done\n"
	"	grep -qsF -e \"/dev/mapper/$name \" -e \"/dev/${map##*/} \" /proc/swaps &&\n"
	"		echo 'used as swap'\n"
	"	for fd in /proc/[0-9]*/fd/*; do\n"
	"		test \"$fd\" -ef \"/dev/${map##*/}\" ||\n"
	"			test \"$fd\" -ef \"/dev/mapper/$name\" ||\n"
	"			continue\n"
	"		process \"${fd%/fd/*}\" 'open in'\n"
	"	done | sort -u\n"
	"	for info in $(grep -ls \" $number \" /proc/[0-9]*/mountinfo); do\n"
	"		test \"${info%/*}/ns/mnt\" -ef /proc/self/ns/mnt ||\n"
	"			process \"${info%/*}\" 'mounted for'\n"
	"	done | sort -u | head -n 3\n"
	"}\n"
	"process() {\n"
	"	{ read -r line <\"$1/comm\"; } 2>/dev/null && echo \"$2 $line (${1##*/})\"\n"
	"}\n"
	"\n"
	"name=$1\n"
	"if mapping \"$name\"; then\n"
	"	lies_on \"$dev\"\n"
	"	say lies $?\n"
	"	echo \" $below\"\n"
	"	lies_on \"$dev\" || exit 1\n"
	"	step close crypt close -- \"$name\" </dev/null\n"
	"	mapping \"$name\" && step busy holders </dev/null\n"
	"fi\n"
	"say done 0\n";

static const char look[] =
	"need device there \"$dev\"\n"
	"dump || exit 1\n"
	"say done 0\n";

static const char look_locked[] =
	"locked \"$@\"\n"
	"say done 0\n";

static const char probe[] =
	"probe\n"
	"say done 0\n";

static const char test[] =
	"all=$1\n"
	"shift\n"
	"need device there \"$dev\"\n"
	"need uuid crypt luksUUID -- \"$dev\"\n"
	"go\n"
	"while test $# -gt 1; do\n"
	"	step try try \"$1\" \"$2\" && test \"$all\" = first && break\n"
	"	shift 2\n"
	"done\n"
	"say done 0\n";

static const char format[] =
	"wait=$1 slot=$2 length=$3\n"
	"shift 3\n"
	"format() {\n"
	"	key \"$length\" | takes -q luksFormat --key-slot \"$slot\" --key-file=- \\\n"
	"		--keyfile-size=\"$length\" \"$@\" -- \"$dev\"\n"
	"}\n"
	"\n"
	"need device there \"$dev\"\n"
	"need number device_number \"$dev\"\n"
	"lock \"$text\" \"$wait\"\n"
	"probe\n"
	"go\n"
	"step format format \"$@\"\n"
	"step prove try \"$slot\" \"$length\"\n"
	"dump\n"
	"say done 0\n";

static const char add[] =
	"auth=$3 auth_length=$4 slot=$5 length=$6\n"
	"prefer() {\n"
	"	test \"$word\" != prefer ||\n"
	"		crypt config --key-slot \"$auth\" --priority prefer -- \"$dev\" \\\n"
	"			</dev/null\n"
	"}\n"
	"add() {\n"
	"	key $((auth_length + length)) |\n"
	"		takes -q luksAddKey --key-file=- --keyfile-size=\"$auth_length\" \\\n"
	"			--new-keyfile-size=\"$length\" --key-slot \"$slot\" $options \\\n"
	"			-- \"$dev\" -\n"
	"}\n"
	"\n"
	"locked \"$1\" \"$2\"\n"
	"go\n"
	"if step auth try \"$auth\" \"$auth_length\" && step prefer prefer; then\n"
	"	step add add\n"
	"	step prove try \"$slot\" \"$length\"\n"
	"fi\n"
	"dump\n"
	"say done 0\n";

static const char kill[] =
	"auth=$3 length=$4 slot=$5 sure=$6\n"
	"# Does my key open the slot to be killed? Only a clear no is a no.\n"
	"other() {\n"
	"	test \"$sure\" = sure && return\n"
	"	step own try \"$slot\" \"$length\"\n"
	"	case $status$text in 2* | 1*'No usable keyslot'*) ;; *) return 1 ;; esac\n"
	"}\n"
	"\n"
	"locked \"$1\" \"$2\"\n"
	"go\n"
	"if step auth try \"$auth\" \"$length\" && other; then\n"
	"	step kill crypt -q luksKillSlot -- \"$dev\" \"$slot\" </dev/null\n"
	"	step prove try \"$auth\" \"$length\"\n"
	"fi\n"
	"dump\n"
	"say done 0\n";

#define PARTS 7

static const char *const scripts[LUKS_SCRIPTS][PARTS] = {
	[LUKS_SCRIPT_STATUS] = { basics, numbers, mappings, status },
	[LUKS_SCRIPT_OPEN] = { basics, numbers, mappings, keys, open },
	[LUKS_SCRIPT_CLOSE] = { basics, numbers, mappings, close },
	[LUKS_SCRIPT_LOOK] = { basics, look },
	[LUKS_SCRIPT_LOOK_LOCKED] = { basics, locks, look_locked },
	[LUKS_SCRIPT_PROBE] = { basics, probes, probe },
	[LUKS_SCRIPT_TEST] = { basics, keys, test },
	[LUKS_SCRIPT_FORMAT] = { basics, numbers, locks, probes, keys, format },
	[LUKS_SCRIPT_ADD] = { basics, locks, keys, add },
	[LUKS_SCRIPT_KILL] = { basics, locks, keys, kill },
};

void
luks_script(enum luks_script which, struct str *out)
{
	for (size_t i = 0; i < PARTS && scripts[which][i]; i++)
		str_add(out, scripts[which][i]);
}
