#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh SET...: install from Debian's packages what is missing of the sets "build", "lab",
# "test", "lint", "fuzz". Says and does nothing when nothing is missing; else needs root or sudo, and the network.
set -eu

packages()
{
	case $1 in
	build)
		echo gcc libc6-dev make pkg-config libssh-dev libgpgme-dev libcryptsetup-dev libyaml-dev \
			libblkid-dev zlib1g-dev libjson-c-dev libgcrypt20-dev libgpg-error-dev
		;;
	lab)
		# What the guest of tests/lab/ needs, and the demo in it.
		echo user-mode-linux cryptsetup-bin openssh-client openssh-server gnupg sudo dmsetup
		echo kmod iproute2 mount fdisk util-linux e2fsprogs lvm2 passwd procps
		;;
	test)
		# What stories and unit tests use besides.
		packages lab
		echo libcmocka-dev valgrind strace dash ruby xxd git man-db patch python3 python3-jsonschema python3-paramiko \
			bash-completion zsh fish softhsm2 krb5-kdc krb5-admin-server krb5-user
		;;
	lint)
		echo clang-tidy cppcheck shellcheck mandoc binutils
		;;
	fuzz)
		echo clang libclang-rt-14-dev
		;;
	*)
		echo "usage: tests/deps.sh [build] [lab] [test] [lint] [fuzz]" >&2
		exit 2
		;;
	esac
}

missing()
{
	for package in $wanted; do
		status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || true
		[ "$status" = installed ] || echo "$package"
	done
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

[ $# -gt 0 ] || packages ''
wanted=''
for set; do
	more=$(packages "$set") || exit
	wanted="$wanted $more"
done
needed=$(missing)
[ "$needed" ] || exit 0
as_root apt-get -qq update
# shellcheck disable=SC2086  # a list of words
as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install --yes \
	--no-install-recommends $needed >/dev/null
