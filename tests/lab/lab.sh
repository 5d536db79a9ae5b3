# shellcheck shell=dash
# SPDX-License-Identifier: MIT
#
# The words that stories are told in: hosts, disks, admins, an inventory, what is expected. A
# story says ". lab.sh" first. It runs as root in a world of its own (see world), in a directory
# that all its hosts see at the same path: /run/lab/story, with arverdata, the admins' homes and
# the disks' images in it. When the story ends, all of it vanishes. Processes are slow in the
# guest, 50 ms each: that is why some lines here do three things at once.

set -eu
[ -z "${LAB_TRACE:-}" ] || set -x
STORY=/run/lab/story
DATA=$STORY/arverdata

begin()
{
	cd $STORY
	mkdir -p home host disk valgrind $DATA/keys/public
	mount --make-shared --bind /srv /srv # what an admin mounts there is seen by all on this host
	echo '127.0.0.1 localhost' >hosts
	touch known_hosts authorized_keys
	n_hosts=0
}

end() # of every story, good or bad
{
	local status=$?

	cd $STORY
	if grep -qs . valgrind/*; then
		echo '--- valgrind' && cat valgrind/* && status=99
	fi
	[ $status = 0 ] || echo "--- the story ended with status $status"
	exit $status
}

fail() # WHY: end the story, having shown what the last command said
{
	cd $STORY
	[ ! -s out ] || { echo '--- its output'; cat out; }
	[ ! -s err ] || { echo '--- its errors'; cat err; }
	echo "--- FAILED: $*"
	exit 1
}

eventually() # COMMAND...: repeat it until it succeeds, for half a minute at most
{
	local tries=300

	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "never came true: $*"
		sleep 0.1
	done
}

# --- hosts -------------------------------------------------------------------------------------

host() # NAME...: servers of these names, an address each, root logs in with an admin's key
{
	local name address mac

	[ $n_hosts -gt 0 ] || printf '%s\n' 'link add lab type bridge' 'link set lab up' \
		'address add 10.0.0.1/24 dev lab' | ip -batch -
	for name; do
		n_hosts=$((n_hosts + 1))
		address=10.0.0.$((n_hosts + 1)) mac=$(printf '02:00:00:00:00:%02x' $n_hosts)
		[ ! -e "host/$name/up" ] || sed -i "/ $name\$/d" hosts
		echo "$address $name" >>hosts
		mkdir -p "host/$name"
		rm -f "host/$name/up"
		world "$name" sh -c ': >"$0"; while :; do sleep 99; done' "$STORY/host/$name/up" &
		echo $! >"host/$name/pid"
		[ -e "host/$name/key" ] || new_host_key "$name"
		known "$name"
		eventually [ -e "host/$name/up" ]
		printf '%s\n' "link add $name type veth peer name e address $mac netns $!" \
			"link set $name master lab up" \
			"neigh replace $address lladdr $mac dev lab nud permanent" | ip -batch -
		printf '%s\n' "address add $address/24 dev e" 'link set e up' |
			on "$name" ip -batch -
		sshd_start "$name"
	done
}

on() # HOST COMMAND...: run it there as root
{
	local pid

	read -r pid <"host/$1/pid"
	shift
	nsenter --target "$pid" --mount --uts --ipc --net --pid="/proc/$pid/ns/pid_for_children" "$@"
}

user() # HOST NAME SUDOERS [PASSWORD]: a user there who may what is said after "(root)"
{
	on "$1" sh -euc '
		useradd --create-home --shell /bin/sh --password "*" "$0"
		echo "$0 ALL=(root) $1" >"/etc/sudoers.d/$0"
		[ -z "$2" ] || echo "$0:$2" | chpasswd
	' "$2" "$3" "${4:-}"
}

sshd_start() # HOST
{
	local dir="$STORY/host/$1"

	rm -f "$dir/sshd.pid"
	on "$1" /usr/sbin/sshd -f /dev/null -E "$dir/sshd.log" -o PidFile="$dir/sshd.pid" \
		-o HostKey="$dir/key" -o AuthorizedKeysFile=$STORY/authorized_keys \
		-o UsePAM=no -o StrictModes=no -o PasswordAuthentication=no -o LogLevel=VERBOSE
	eventually [ -s "$dir/sshd.pid" ]
}

sshd_stop() # HOST: connections are refused; those that are there go on
{
	on "$1" kill "$(cat "host/$1/sshd.pid")"
}

host_off() # HOST: power off; "host HOST" starts it again under another address
{
	kill -s KILL "$(cat "host/$1/pid")"
	ip link delete "$1" 2>/dev/null || true	# it ends with its namespace, a little later
}

new_host_key() # HOST: as after an installation anew; nobody is told (see known)
{
	rm -f "host/$1/key"
	ssh-keygen -q -t ed25519 -N '' -C "$1" -f "host/$1/key"
}

known() # HOST: its key goes into every admin's known_hosts
{
	local type key file

	read -r type key _ <"host/$1/key.pub"
	for file in known_hosts home/*/.ssh/known_hosts; do
		[ ! -e "$file" ] || echo "$1 $type $key" >>"$file"
	done
}

delay()      { tc qdisc replace dev "$1" root netem delay "$2"; }	# HOST 50ms: round trip
black_hole() { tc qdisc replace dev "$1" root netem loss 100%; }	# HOST: packets vanish
heal()       { tc qdisc delete dev "$1" root; }				# HOST: neither any more

# --- disks: /dev/lab/NAME, the same on all hosts ------------------------------------------------

disk() # NAME [luks1|luks2 PASSPHRASE]: a block device, empty or formatted by hand
{
	if [ ! -e "disk/$1" ]; then
		truncate -s 32M "disk/$1"
		[ $# = 1 ] || printf %s "$3" | cryptsetup luksFormat --batch-mode --type "$2" \
			--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file=- "disk/$1"
	fi
	mkdir -p /dev/lab
	ln -s "$(losetup --find --show "disk/$1")" "/dev/lab/$1"
}

slots() # NAME: the numbers of its key slots that are in use
{
	cryptsetup luksDump "/dev/lab/$1" | awk '
		/^Key Slot [0-9]+: ENABLED/ { slots = slots " " $3 + 0 }
		/^[A-Z]/ { section = $1 }
		section == "Keyslots:" && /^  [0-9]+: luks2/ { slots = slots " " $1 + 0 }
		END { print substr(slots, 2) }'
}

is_open() # MAPPING [DISK]: open, and if asked, on that disk
{
	local dm name

	for dm in /sys/block/dm-*; do
		read -r name 2>/dev/null <"$dm/dm/name" || continue
		[ "$name" = "$1" ] || continue
		[ $# = 1 ] || [ -e "$dm/slaves/$(basename "$(readlink "/dev/lab/$2")")" ]
		return
	done
	return 1
}

# --- admins ------------------------------------------------------------------------------------

admin() # NAME SLOT [ed25519|rsa2048 [PASSPHRASE]]: home, GPG and ssh key, entry in users
{
	local home="$STORY/home/$1" keys protection fingerprint

	[ ! -e "$home" ] || return 0
	mkdir -m 700 "$home" "$home/.ssh" "$home/.gnupg"
	cp known_hosts "$home/.ssh/"
	ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$home/.ssh/id_ed25519"
	cat "$home/.ssh/id_ed25519.pub" >>authorized_keys
	printf "%s: '%s'\n" username "$1" config_dir $DATA >"$home/.arver"

	case ${3:-ed25519} in
	rsa*) keys="Key-Type: RSA\nKey-Length: ${3#rsa}\nSubkey-Type: RSA\nSubkey-Length: ${3#rsa}" ;;
	*) keys='Key-Type: EDDSA\nKey-Curve: ed25519\nSubkey-Type: ECDH\nSubkey-Curve: cv25519' ;;
	esac
	protection=%no-protection
	[ -z "${4:-}" ] || protection="Passphrase: $4"
	printf %s "${4:-}" >"$home/.gnupg/passphrase"
	printf '%s\n' "pinentry-program $LAB/pinentry" 's2k-count 65536' >"$home/.gnupg/gpg-agent.conf"
	printf '%b\n' "$keys" "Subkey-Usage: encrypt\nName-Real: $1\nExpire-Date: 0" "$protection" \
		%commit >"$home/.gnupg/make"
	fingerprint=$(as "$1" gpg --batch --quiet --no-tty --pinentry-mode loopback --status-fd 1 \
		--generate-key /root/.gnupg/make 2>/dev/null | sed -n 's/.* KEY_CREATED B //p')
	[ "$fingerprint" ] || fail "no GPG key for $1"
	as "$1" gpg --batch --quiet --armor --export "$fingerprint" >"$DATA/keys/public/$1"
	echo "'$1': { 'slot': $2, 'gpg': '${fingerprint% }' }" >>$DATA/users
	echo "${fingerprint% }" >"$home/fingerprint"
}

as() # ADMIN COMMAND...: run it as that admin, whose home is /root, for ssh and gpg as well
{
	local home="$STORY/home/$1"

	shift
	unshare --mount --propagation unchanged sh -c 'mount --bind "$0" /root && exec env --default-signal "$@"' "$home" "$@"
}

signal() # INT arver: to every process of that name, on all hosts
{
	local comm name

	for comm in /proc/[0-9]*/comm; do
		read -r name 2>/dev/null <"$comm" || continue
		comm=${comm%/comm}
		[ "$name" != "$2" ] || kill -s "$1" "${comm#/proc/}"
	done
}

trusts() # ADMIN OTHER...: has the keys of the others and has signed them
{
	local me="$1" other

	shift
	for other; do
		as "$me" gpg --batch --quiet --import "$DATA/keys/public/$other"
		as "$me" gpg --batch --quiet --quick-lsign-key "$(cat "home/$other/fingerprint")"
	done
}

pinentries() # ADMIN: how often gpg has asked for the passphrase
{
	grep -sc . "home/$1/.gnupg/asked" || echo 0
}

# --- inventory ---------------------------------------------------------------------------------

inventory() # /GROUP/HOST[/DISK] [KEY=VALUE]...: one more, with these keys; DISK is /dev/lab/DISK
{
	local path="$1"

	shift
	case $path in /*/*/*) set -- "device=lab/${path##*/}" "$@" ;; esac
	[ $# -gt 0 ] || set -- =
	for _; do echo "$path/$_"; done >>inventory
	sed 's|^/||' inventory | awk '
		# A line is "group/host/disk/key=value": a path to a leaf of the tree.
		function add(node, child) {
			if (!((node, child) in seen)) children[node] = children[node] child "\n"
			seen[node, child] = 1
			return node "/" child
		}
		function show(node, indent,	names, n, i, child) {
			n = split(children[node], names, "\n") - 1
			for (i = 1; i <= n; i++) {
				child = node "/" names[i]
				print indent "\047" names[i] "\047:" \
					(child in value ? " \047" value[child] "\047" : "")
				show(child, indent "  ")
			}
		}
		{
			leaf = substr($0, index($0, "=") + 1)
			n = split(substr($0, 1, index($0, "=") - 1), part, "/")
			node = ""
			for (i = 1; i <= n; i++)
				if (part[i] != "") node = add(node, part[i])
			if (part[n] != "") value[node] = leaf
		}
		END { show("", "") }' >$DATA/disks
}

settings() # LINE...: more lines of the file settings
{
	printf '%s\n' "$@" >>$DATA/settings
}

# --- ready-made hooks --------------------------------------------------------------------------

HOOKS=/usr/local/share/arver/hooks

hooks_on() # HOST: the scripts of hooks/, where `make install` puts them
{
	on "$1" mkdir -p "${HOOKS%/*}"
	on "$1" cp -r "$TOP/hooks" "$HOOKS"
}

example() # NAME: what arver-hooks(7) shows under that name
{
	sed -n "\\|^\.\\\\\" example: $1\$|,/^\.Ed/p" "$TOP/man/arver-hooks.7" | grep -v '^\.'
}

# --- what is expected --------------------------------------------------------------------------

run() # COMMAND...: run it and keep its output, its errors, its status for what is expected
{
	echo "\$ $*"
	status=0
	"$@" >out 2>err || status=$?
}

expect_status() # N COMMAND...
{
	local want="$1"

	shift
	run "$@"
	[ "$status" = "$want" ] || fail "status is $status, not $want"
}

# TEXT, a line or a part of one, in what the last command said, or not in it
expect_out()    { grep -qF -e "$1" out || fail "its output lacks: $1"; }
expect_err()    { grep -qF -e "$1" err || fail "its errors lack: $1"; }
expect_no_out() { ! grep -qF -e "$1" out || fail "its output has: $1"; }
expect_no_err() { ! grep -qF -e "$1" err || fail "its errors have: $1"; }

# MAPPING [DISK]: there is such a mapping (on that disk), or not
expect_open()   { is_open "$@" || fail "$1 is not open${2:+ on $2}"; }
expect_closed() { ! is_open "$1" || fail "$1 is open"; }

expect_slots() # DISK 'N N...'
{
	[ "$(slots "$1")" = "$2" ] || fail "$1 has slots '$(slots "$1")', not '$2'"
}

milliseconds() # since the boot, in steps of ten: for differences only
{
	local seconds

	read -r seconds _ </proc/uptime
	echo "$seconds" | sed 's/\.//; s/^0*//; s/$/0/'
}

# --- power cuts --------------------------------------------------------------------------------

# The disks' images have a file system of their own: a sync of theirs must not help other files.
survive_cuts() # first of all: keep the story on a disk that outlives the guest. "sync" the setting!
{
	cd /
	[ "$BOOT" -gt 1 ] || { mkfs.ext4 -q -F /dev/ubda && mkfs.ext4 -q -F /dev/ubdb; }
	mount -o commit=600 /dev/ubda $STORY
	mkdir -p $STORY/disk
	mount -o commit=600 /dev/ubdb $STORY/disk
	begin
}

power_cut() # now; what no fsync has reached may be lost. The story starts again, BOOT one higher
{
	cat /run/lab/share/now >/run/lab/share/cut
	sync /run/lab/share/cut
	echo 1 >/proc/sys/kernel/sysrq
	echo o >/proc/sysrq-trigger
	sleep 60
}

# --- the beginning -----------------------------------------------------------------------------

mount -t tmpfs -o mode=755 tmpfs $STORY
begin
trap end EXIT
if [ "${LAB_VALGRIND:-}" ]; then
	ln -sf "$LAB/arver-under-valgrind" /usr/local/bin/arver
else
	ln -sf "$ARVER" /usr/local/bin/arver
fi
