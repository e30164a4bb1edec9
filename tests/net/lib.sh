# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# A network of three namespaces and TAP for the tests beside this file:
#     c (10.77.1.2, fd77:1::2) -- r (.1, ::1) -- s (10.77.2.2, fd77:2::2)
# The shell enters namespaces of its own first, so nothing of it outlives the test.

if [ -z "${PW_NET_INSIDE:-}" ]; then
	PW_NET_INSIDE=1; export PW_NET_INSIDE
	if [ "$(id -u)" -eq 0 ]; then
		exec unshare -nmp --fork --kill-child sh "$0" "$@"
	fi
	exec unshare -rnmp --fork --kill-child sh "$0" "$@"
fi

# As the first process of its PID namespace this shell is spared signals it does not handle: a timeout could not end it.
trap 'exit 143' TERM INT
HERE=$(dirname "$0")
NETPROBE=${NETPROBE:-build/tests/net/netprobe}
PYTHON=${PYTHON:-python3}
tests=0
export HERE

mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/netns
TMP=/run/scratch; mkdir $TMP

in_ns() { ns=$1; shift; nsenter --net=/run/netns/"$ns" "$@"; }

topology() {
	for ns in c r s; do
		ip netns add $ns
		in_ns "$ns" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
		in_ns "$ns" ip link set lo up
	done
	in_ns c ip link add eth0 type veth peer name c netns r
	in_ns s ip link add eth0 type veth peer name s netns r
	in_ns r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	# The router first: what a host sends into a peer that is still down counts as dropped.
	for x in 'r c 1.1 1::1' 'r s 2.1 2::1' 'c eth0 1.2 1::2' 's eth0 2.2 2::2'; do
		# shellcheck disable=SC2086
		set -- $x
		in_ns "$1" ip link set "$2" up
		in_ns "$1" ip addr add 10.77."$3"/24 dev "$2"
		in_ns "$1" ip addr add fd77:"$4"/64 dev "$2" nodad
	done
	in_ns c ip route add default via 10.77.1.1
	in_ns c ip route add default via fd77:1::1
	in_ns s ip route add default via 10.77.2.1
	in_ns s ip route add default via fd77:2::1
}

# firewall NS HOOK RULE: its only nft rule from now on; no RULE: none.
firewall() {
	in_ns "$1" nft flush ruleset
	[ -z "${3:-}" ] || in_ns "$1" nft -f - <<-END
		table inet f {
			chain f {
				type filter hook $2 priority 0
				$3
			}
		}
	END
}

# serve NS ARGS...: starts a server of servers.py and waits until it says "ready".
serve() {
	ns=$1; shift
	rm -f $TMP/ready; mkfifo $TMP/ready
	in_ns "$ns" "$PYTHON" "$HERE"/servers.py "$@" >$TMP/ready 2>>$TMP/servers.log &
	if ! timeout 20 head -n 1 $TMP/ready | grep -q ready; then
		echo "Bail out! server $* did not start: $(cat $TMP/servers.log)"
		exit 1
	fi
}

# probe NS ARGS...: runs netprobe there; its lines are kept for `has`, `value`.
probe() {
	ns=$1; shift
	LAST="$ns $*"
	OUT=$(in_ns "$ns" "$NETPROBE" "$@" 2>&1)
	case $OUT in *Sanitizer*|*'runtime error'*) report not-ok 'no complaint of a sanitizer' ;; esac
}

report() { # report ok|not-ok TEXT
	tests=$((tests + 1))
	if [ "$1" = ok ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		echo "#   netprobe in $LAST"
		printf '%s\n' "$OUT" | sed 's/^/#   /'
	fi
}

# has WHAT LINE...: every LINE (a grep pattern for a whole line) is in the last output.
has() {
	what=$1; shift
	for want; do
		if ! printf '%s\n' "$OUT" | grep -qx -- "$want"; then
			report not-ok "$what: $want"
			return
		fi
	done
	report ok "$what"
}

lacks() { # lacks WHAT PATTERN
	if printf '%s\n' "$OUT" | grep -qx -- "$2"; then report not-ok "$1"; else report ok "$1"; fi
}

value() { printf '%s\n' "$OUT" | sed -n "s/^$1=//p" | head -n 1; }

# between WHAT KEY LOW HIGH: a number in the range.
between() {
	if awk -v v="$(value "$2")" -v a="$3" -v b="$4" 'BEGIN { exit !(v != "" && v+0 >= a && v+0 <= b) }'; then
		report ok "$1"
	else
		report not-ok "$1: $2 in $3..$4"
	fi
}

skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }

finish() { echo "1..$tests"; exit 0; }
