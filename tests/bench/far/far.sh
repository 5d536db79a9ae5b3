# shellcheck shell=dash
# SPDX-License-Identifier: MIT
#
# Many hosts that are far away, on one machine without device-mapper: one sshd that goes by many
# names, behind 50 ms of round trip (delay.c), where the cryptsetup in front in PATH is a stand-in
# (cryptsetup.c) that takes 0.3 s. For stories that tests/cli/cli.sh was read for, as root, in a mount
# namespace of their own: what is mounted here is seen by nobody else.
FAR=$ROOT/tests/bench/far
ONE_WAY_MS=25 ACTIVATION_MS=300
far_pids='' # what far_end is to end

# In the sshd's eyes the client is who it is asked to be: its directory is that of the host. In each,
# /sys/block shows what the working directory shows.
far_begin() # N: hosts 127.1.0.1 and on; alice may log in to them, and has no other settings
{
	local sshd_port=$((12000 + $$ % 15000)) i

	far_port=$((sshd_port + 1))
	${CC:-gcc} -O2 -D_GNU_SOURCE -o far-delay "$FAR/delay.c"
	mkdir -p far-bin host sysblock home/alice/.ssh /run/sshd
	${CC:-gcc} -O2 -D_GNU_SOURCE -o far-bin/cryptsetup "$FAR/cryptsetup.c"
	echo "root:x:0:0:root:$WORK/home/alice:/bin/sh" >passwd
	grep -v '^root:' /etc/passwd >>passwd
	mount --bind passwd /etc/passwd
	for i in 0 1 2 3; do ln -s /proc/self/cwd/dm-$i sysblock/dm-$i; done
	mount --bind sysblock /sys/block
	ssh-keygen -q -t ed25519 -N '' -f host_key
	ssh-keygen -q -t ed25519 -N '' -f id
	echo "[127.1.*]:$far_port $(cut -d' ' -f1,2 host_key.pub)" >known_hosts
	# shellcheck disable=SC2119
	far_settings
	cat >far-server <<-.
		#!/bin/sh
		cd $WORK/host/\${SSH_CONNECTION%% *} && exec sh -c "\$SSH_ORIGINAL_COMMAND"
	.
	chmod 755 far-server
	cat >sshd_config <<-.
		ListenAddress 127.0.0.1
		Port $sshd_port
		PidFile none
		HostKey $WORK/host_key
		AuthorizedKeysFile $WORK/id.pub
		StrictModes no
		UsePAM no
		PermitRootLogin yes
		MaxStartups 10000
		ForceCommand $WORK/far-server
		SetEnv PATH=$WORK/far-bin:/usr/bin:/bin:/usr/sbin:/sbin ACTIVATION_MS=$ACTIVATION_MS
	.
	"$(command -v sshd)" -D -f sshd_config -E sshd.log &
	far_pids="$far_pids $!"
	eventually grep -qs 'Server listening' sshd.log
	./far-delay $ONE_WAY_MS $far_port "$1" $sshd_port >far-delay.out &
	far_pids="$far_pids $!"
	eventually grep -q ready far-delay.out
}

# shellcheck disable=SC2120
far_settings() # LINE...: alice's ssh_config, with these lines more
{
	printf '%s\n' "Port $far_port" 'User root' "IdentityFile $WORK/id" 'IdentitiesOnly yes' \
		'IdentityAgent none' "UserKnownHostsFile $WORK/known_hosts" \
		'GlobalKnownHostsFile none' "$@" >home/alice/.ssh/config
}

# What was started ends also where the directory is gone.
far_end()
{
	status=$?
	for pid in $far_pids; do kill "$pid" 2>/dev/null || true; done
	cd "$WORK" || exit 1
	(exit $status) || end
	end
}

# N DISKS: as in hosts.rb; alice holds the keys to all of it
far_disks()
{
	rm -rf host data/keys/alice
	ruby "$FAR/hosts.rb" "$1" "$2"
	as alice ruby "$ROOT/tests/unit/ruby_keys.rb" write deflated data alice \
		"$(cat home/alice/fingerprint)" <keys.list
	far_script "$1" "$2" >by-script
	chmod 755 by-script
	OPENED=$(($1 * $2))
	export OPENED
}

# What arver is measured against: one ssh for each host, all at once, each with all its disks in a row;
# the keys are sent as they lie there.
far_script() # N DISKS
{
	local letters

	letters=$(echo abcdefghijklmnopqrstuvwxyz | cut -c1-"$2" | sed 's/./& /g')
	cat <<-.
		#!/bin/sh
		i=0
		while [ \$i -lt $1 ]; do
			address=127.1.\$((i / 250)).\$((i % 250 + 1))
			dir=$WORK/host/\$address
			ssh \$address "for d in $letters; do
				cryptsetup open --type luks --key-file=- --keyfile-size=256 \\
					$WORK/host/\$address/disk/h\$i\\\$d h\$i\\\$d || exit
			done" <\$dir/keys &
			i=\$((i + 1))
		done
		wait
	.
}

# TURNS NAME COMMAND...: as in turns.rb, as alice; the TURNS of the environment are preferred
turns()
{
	local turns="${TURNS:-$1}"

	shift
	as alice ruby "$FAR/turns.rb" "$turns" "$@"
}

# NAME: show what is on standard input. It becomes the bench's part of README.md, below its date, unless
# TURNS was given: figures of a few turns are of no use to anybody else.
table()
{
	cat >table
	cat table
	[ -z "${TURNS:-}" ] || return 0
	{
		echo "$(date +%F), $(nproc) processors, Linux $(uname -r | cut -d- -f1), $(as alice arver --version)," \
			"libssh $(dpkg-query -W -f '${Version}' libssh-4)," \
			"$(ssh -V 2>&1 | cut -d, -f1)"
		echo
		cat table
	} | "$FAR/../part" "$1"
}

trap far_end EXIT
