# Shared by fault scenarios: . "$(dirname "$LAB")/fault-lib.sh"
# Each scenario makes its fault and then proves that it took effect; these are the words for that.
# shellcheck shell=sh
set -eu

lab() { "$LAB" "$@"; }
on() { place=$1; shift; "$LAB" exec "$place" -- "$@"; }

die() { echo "${0##*/}: $*" >&2; exit 1; }

# eventually SECONDS CMD …: until CMD succeeds; the scenario fails if it never does.
eventually() {
	limit=$1; shift
	end=$(($(date +%s) + limit))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || die "did not come true within $limit s: $*"
		sleep 0.1
	done
}
not() { ! "$@"; }

# connects PLACE ADDRESS PORT: a TCP connection opens within a second.
connects() { "$LAB" exec "$1" -- timeout 1 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null; }
broken() { eventually 20 not connects "$@"; }
works() { eventually 20 connects "$@"; }
# sometimes PLACE ADDRESS PORT: of twelve connections some open and some do not.
sometimes() {
	good=0 bad=0
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		if connects "$@"; then good=$((good + 1)); else bad=$((bad + 1)); fi
	done
	[ "$good" -gt 0 ] && [ "$bad" -gt 0 ]
}
# resolves PLACE NAME: the libc of the place finds an address.
resolves() { "$LAB" exec "$1" -- timeout 8 getent ahostsv4 "$2" >/dev/null 2>&1; }

pod_ip() { "$LAB" get pod "$1" | sed -n 's/.*"podIP": "\([0-9.]*\)".*/\1/p' | head -n 1; }
service_ip() { "$LAB" get service "$1" | sed -n 's/.*"clusterIP": "\([0-9.]*\)".*/\1/p' | head -n 1; }
# host_end NODE NS/POD: the node's interface that leads to the pod.
host_end() {
	index=$("$LAB" exec "$2" -- cat /sys/class/net/eth0/iflink)
	"$LAB" exec "$1" -- ip -o link | sed -n "s/^$index: \([^@:]*\).*/\1/p"
}
# http_status PLACE URL: the status code, 000 if there is none.
http_status() { "$LAB" exec "$1" -- curl -s -o /dev/null -m 2 -w '%{http_code}' "$2"; }

# nft_mode NODE: kube-proxy's rules there are in its own nft table; else they are iptables'.
nft_mode() { "$LAB" exec "$1" -- nft list table ip kube-proxy >/dev/null 2>&1; }
# service_rules NODE: kube-proxy's rules there, of either mode, as text.
service_rules() {
	if nft_mode "$1"; then
		"$LAB" exec "$1" -- nft list table ip kube-proxy
	else
		"$LAB" exec "$1" -- iptables-save | grep KUBE-
	fi
}
# serves NODE TEXT: does the text stand in them?
serves() { service_rules "$1" | grep -q -e "$2"; }
# edit_service_rules NODE SED: changes them by hand, as a script.
edit_service_rules() {
	if nft_mode "$1"; then
		"$LAB" exec "$1" -- sh -c '{ echo "delete table ip kube-proxy"; nft list table ip kube-proxy | sed "$1"; } | nft -f -' edit "$2"
	else
		"$LAB" exec "$1" -- sh -c 'iptables-save -t nat | sed "$1" | iptables-restore -T nat' edit "$2"
	fi
}
