# shellcheck shell=dash
# SPDX-License-Identifier: MIT
#
# More words, for the tests about GPG: what an admin's GnuPG is set to, what its agent was asked,
# to whom a key file is. A test says `. "$TESTS/gpg.sh"` after cli.sh.

no_agent() # HOME: one that was told to end may linger
{
	! gpg-connect-agent --homedir "$WORK/$1" --no-autostart 'GETINFO pid' /bye 2>/dev/null |
		grep -q '^D'
}

# Her agent ends, and begins with these lines when needed next. It forgets passphrases at once.
agent_conf() # ADMIN LINE...
{
	local home="home/$1/.gnupg"

	shift
	gpgconf --homedir "$WORK/$home" --kill all
	eventually no_agent "$home"
	printf '%s\n' 'max-cache-ttl 0' 'default-cache-ttl 0' 's2k-count 65536' "$@" \
		>"$home/gpg-agent.conf"
}

gpg_conf() # ADMIN LINE...: the whole of gpg.conf
{
	local home="home/$1/.gnupg"

	shift
	printf '%s\n' "$@" >"$home/gpg.conf"
}

agent_is_logged() # ADMIN: from now on; see decryptions
{
	: >"home/$1/agent.log"
	agent_conf "$1" "log-file $WORK/home/$1/agent.log" 'debug ipc'
}

decryptions() # ADMIN: how many her agent was asked for since the last time that this was asked
{
	# grep says no where there is none
	grep -c '<- PKDECRYPT' "home/$1/agent.log" || true
	: >"home/$1/agent.log"
}

expect_decryptions() # ADMIN N
{
	local n

	n=$(decryptions "$1")
	[ "$n" = "$2" ] || fail "the agent of $1 was asked for $n decryptions, not $2"
}

# The key of that admin has the passphrase "right" from now on; a stand-in for pinentry gives
# ANSWER, lines of its protocol, and counts.
pinentry_answers() # ADMIN ANSWER [LINE OF gpg-agent.conf]
{
	local me="$WORK/home/$1"

	cat >"$me/pinentry" <<-.
		#!/bin/sh
		echo 'OK at your service'
		while read -r command _; do
			case \$command in
			GETPIN|CONFIRM) echo \$command >>'$me/asked'; printf '%s\n' '$2' ;;
			BYE) exit ;;
			*) echo OK ;;
			esac
		done
	.
	chmod 755 "$me/pinentry"
	[ -e "$me/locked" ] || as "$1" gpg --batch --quiet --pinentry-mode loopback --passphrase right \
		--passwd "$(cat "$me/fingerprint")"
	: >"$me/locked"
	: >"$me/asked"
	agent_conf "$1" "pinentry-program $me/pinentry" "${3:-}"
}

expect_prompts() # ADMIN N, since pinentry_answers
{
	[ "$(wc -l <"home/$1/asked")" = "$2" ] ||
		fail "$1 was asked $(wc -l <"home/$1/asked") times, not $2"
}

# ADMIN WHOSE COMMAND...: lines for gpg --edit-key, as somebody would type them
edits_key()
{
	local who="$1" whose="$2"

	shift 2
	printf '%s\n' "$@" | as "$who" gpg --batch --quiet --yes --command-fd 0 --status-fd 2 \
		--edit-key "$(cat "home/$whose/fingerprint")" >/dev/null 2>"edit.$who" ||
		{ cat "edit.$who"; fail "cannot edit the key of $whose"; }
}

publishes() # ADMIN: as the key is now
{
	as "$1" gpg --batch --quiet --armor --export "$(cat "home/$1/fingerprint")" \
		>"data/keys/public/$1"
}

has_newer_copy() # ADMIN OTHER: of the other's public key
{
	as "$1" gpg --batch --quiet --import "data/keys/public/$2" 2>/dev/null
}

encryption_subkeys() # ADMIN: ids, the oldest first
{
	as "$1" gpg --batch --with-colons --list-keys "$(cat "home/$1/fingerprint")" 2>/dev/null |
		awk -F: '$1 == "sub" && $12 ~ /e/ { print $5 }'
}

recipients() # FILE: ids of the keys that it is encrypted to, as gpg sees them
{
	mkdir -p -m 700 nobody
	GNUPGHOME=$WORK/nobody gpg --batch --quiet --list-only --list-packets "$1" 2>/dev/null |
		sed -n 's/^:pubkey enc packet:.* keyid \([0-9A-F]*\).*/\1/p'
}

newest_key_file() # ADMIN
{
	ls -t "data/keys/$1"/* 2>/dev/null | head -n 1
}

expect_for() # FILE KEY-ID: that key is the only one it is encrypted to
{
	[ "$(recipients "$1" | tr '\n' ' ')" = "$2 " ] ||
		fail "$1 is for $(recipients "$1" | tr '\n' ' '), not for $2"
}

# ADMIN PATH...: one more key file of hers, a key for each path in it, made by gpg and ruby alone
plant_key_file()
{
	local who="$1" path

	shift
	for path; do printf '%s\t%s\t%s\n' "$path" "$(head -c 192 /dev/urandom | base64 -w 0)" \
		1500000000; done >planted
	as "$who" ruby "$ROOT/tests/unit/ruby_keys.rb" write deflated "$DATA" "$who" \
		"$(cat "home/$who/fingerprint")" <planted
}

# What the directory of keys and the disks are now; expect_nothing_changed compares.
remember()
{
	find data -type f -exec sha256sum {} + | sort >was.data
	sha256sum disk/* >was.disk
}

expect_nothing_changed()
{
	find data -type f -exec sha256sum {} + | sort | diff was.data - || fail 'data was changed'
	sha256sum disk/* | diff was.disk - || fail 'a disk was changed'
}

# STATUS TEXT COMMAND...: it says no, says why in one sentence, and has changed nothing
expect_refusal()
{
	local want="$1" text="$2"

	shift 2
	remember
	expect_status "$want" "$@"
	expect_stderr "$text"
	[ "$(grep -c '^error: ' err)" = 1 ] || fail 'it was to say one sentence'
	expect_nothing_changed
}

# A key that is old enough (the third word of `admin`) ...
# shellcheck disable=SC2034
OLD='Creation-Date: 20200101T000000
Expire-Date: 0'
# ... for it, or a subkey of it, to have ended long ago
expires() # ADMIN [SUBKEY-FINGERPRINT]
{
	as "$1" gpg --batch --quiet --faked-system-time 20200115T000000 --quick-set-expire \
		"$(cat "home/$1/fingerprint")" 20200201T000000 ${2:+"$2"} 2>/dev/null
}

subkey_fingerprint() # ADMIN KEY-ID
{
	as "$1" gpg --batch --with-colons --with-subkey-fingerprint --list-keys \
		"$(cat "home/$1/fingerprint")" 2>/dev/null |
		sed -n "s/^fpr:*\([0-9A-F]*$2\):.*/\1/p"
}
