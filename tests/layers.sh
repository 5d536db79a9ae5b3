#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may include whom: fails on an include that looks upstairs or sideways,
# and on a third-party header outside its one home.
set -u
cd "$(dirname "$0")/.." || exit 2
status=0

complain() {
	echo "layers: $1"
	status=1
}

# A room and the rooms that its files may include (itself always).
allowed() {
	case $1 in
	lib/base) echo "base" ;;
	lib/inventory) echo "inventory base" ;;
	lib/keyring) echo "keyring base" ;;
	lib/state) echo "state base" ;;
	lib/target) echo "target inventory base" ;;
	lib/plan) echo "plan target inventory base" ;;
	lib/transport) echo "transport base" ;;
	lib/luks) echo "luks transport inventory base" ;;
	lib/hook) echo "hook transport inventory base" ;;
	lib/report) echo "report plan base" ;;
	lib/run) echo "run report hook luks transport plan target inventory keyring state base" ;;
	keystore) echo "keystore inventory keyring base" ;;
	arver) echo "arver keystore run report hook luks transport plan target inventory keyring state base" ;;
	*) echo "layers: unknown room $1" >&2 ;;
	esac
}

for room in lib/* keystore arver; do
	[ -d "$room" ] || continue
	rooms=$(allowed "$room")
	for file in "$room"/*.[ch]; do
		[ -e "$file" ] || continue
		for inc in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
			case " $rooms " in
			*" ${inc%%/*} "*) ;;
			*) complain "$file includes \"$inc\", but $room may include only: $rooms" ;;
			esac
		done
	done
done

# A third-party header and the only files that may include it.
home() {
	header=$1
	shift
	for file in $(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$header" lib keystore arver); do
		case " $* " in
		*" $file "*) ;;
		*) complain "$file includes <$header>, whose home is: $*" ;;
		esac
	done
}
home 'yaml\.h' lib/inventory/yaml_tree.c
home 'libcryptsetup\.h' lib/luks/luks_native.c
home 'blkid' lib/luks/luks_probe.c
home 'gpgme\.h' keystore/gpg.c keystore/gpg_words.c keystore/gpg_words.h keystore/gpg_recipient.c keystore/gpg_internal.h
home 'gcrypt\.h' keystore/sha256.c lib/transport/known_hosts_add.c
home 'json-c' arver/json.c
home 'zlib\.h' keystore/keyfile.c
for file in $(grep -rlE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<libssh/' lib keystore arver); do
	case $file in
	lib/transport/*) ;;
	*) complain "$file includes <libssh/...>, whose home is lib/transport" ;;
	esac
done

# Every folder tells in at most 30 lines what it is for.
for dir in arver lib lib/* keystore completions hooks man tests tests/lab tests/torture; do
	[ -d "$dir" ] || continue
	if [ ! -f "$dir/README.md" ]; then
		complain "$dir has no README.md"
	elif [ "$(wc -l <"$dir/README.md")" -gt 30 ]; then
		complain "$dir/README.md is longer than 30 lines"
	fi
done
exit $status
