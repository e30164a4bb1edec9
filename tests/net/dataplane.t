#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the readers of the dataplane make of a kernel that `ip`, iptables and nft have set up.
# shellcheck source=tests/net/lib.sh disable=SC1091
. "$(dirname "$0")"/lib.sh

DPREAD=$(dirname "$NETPROBE")/dpread
NETPROBE=$DPREAD # lib.sh runs it

topology

# --- links
in_ns r ip link add br0 type bridge
in_ns r ip link add v0 type veth peer name v1
in_ns r ip link set v0 master br0 up
in_ns r ip link set v1 up mtu 1400
in_ns r ip link set br0 up
in_ns r bridge link set dev v0 hairpin on learning off isolated on
in_ns r ip link add flannel.1 type vxlan id 1 local 10.77.1.1 dev c dstport 8472 nolearning
in_ns r ip link set flannel.1 up
in_ns r ip addr add 10.244.1.0/32 dev flannel.1
peer=$(in_ns c ip -o link show eth0 | cut -d: -f1)
probe r links
has 'a veth: its other end is in another namespace' "links .*\"name\":\"c\",\"kind\":\"veth\".*\"mtu\":1500,\"up\":true,\"carrier\":true.*\"peer_index\":$peer,\"peer_netns\":[0-9].*\"addresses\":\[\"10.77.1.1/24\",\"fd77:1::1/64\".*"
has 'a veth: both ends are here' 'links .*"name":"v1","kind":"veth".*"mtu":1400.*"peer_netns":-1.*'
has 'a port of a bridge' 'links .*"name":"v0".*"bridge_port":{"state":3,"hairpin":true,"isolated":true,"learning":false}.*"master":"br0".*'
has 'a bridge' 'links .*"name":"br0","kind":"bridge".*'
has 'a tunnel' 'links .*"name":"flannel.1","kind":"vxlan","vxlan":{"id":1,"port":8472,"local":"10.77.1.1","dev":"c","learning":false}.*"mtu":1450.*"addresses":\["10.244.1.0/32".*'
has 'a queueing discipline' 'links .*"name":"c".*"qdisc":"[a-z_]*".*'
in_ns r ip link set v1 down
probe r links
has 'a link that is down' 'links .*"name":"v1".*"up":false,"carrier":false.*'
has 'its other end has no carrier' 'links .*"name":"v0".*"up":true,"carrier":false.*'
in_ns r ip link set v1 up

# --- routes
in_ns r ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink mtu 1440
in_ns r ip route add blackhole 10.9.0.0/16
in_ns r ip route add unreachable 10.8.0.0/16
in_ns r ip route add prohibit 10.7.0.0/16
in_ns r ip route add 10.6.0.0/16 nexthop via 10.77.1.2 dev c nexthop via 10.77.2.2 dev s
in_ns r ip route add 10.5.0.0/16 via 10.77.2.2 table 100
in_ns r ip rule add fwmark 0x10/0xff from 10.77.1.0/24 iif c lookup 100 priority 50
probe r routes
has 'a route into the tunnel' 'routes {"dst":"10.244.2.0/24","table":254,"type":"unicast","gateway":"10.244.2.0","dev":"flannel.1","src":"","mtu":1440,.*"onlink":true}'
has 'a blackhole' 'routes {"dst":"10.9.0.0/16".*"type":"blackhole".*'
has 'two next hops' 'routes {"dst":"10.6.0.0/16".*"nexthops":\[{"dev":"c","dead":false,"gateway":"10.77.1.2"},{"dev":"s","dead":false,"gateway":"10.77.2.2"}\]}'
has 'a route of another table' 'routes {"dst":"10.5.0.0/16","table":100,.*'
has 'a rule' 'rules {"priority":50,"table":100,"from":"10.77.1.0/24","to":"default","fwmark":16,"fwmask":255,"iif":"c","action":"lookup"}'
probe r routes v6=1
has 'IPv6' 'routes {"dst":"fd77:1::/64".*"dev":"c".*'

# --- one lookup
probe r route dst=10.77.2.2
has 'a neighbour' 'result="ok"' 'dev="s"' 'src="10.77.2.1"' 'matched="10.77.2.0/24"'
probe r route dst=10.244.2.7
has 'through the tunnel' 'result="ok"' 'gateway="10.244.2.0"' 'dev="flannel.1"' 'mtu=1440' 'matched="10.244.2.0/24"'
probe r route dst=10.77.1.1
has 'an own address' 'result="ok"' 'type="local"'
for case in 10.9.0.1:blackhole 10.8.0.1:unreachable 10.7.0.1:prohibited 203.0.113.1:no-route; do
	probe r route dst="${case%:*}"
	has "made here: ${case#*:}" "result=\"${case#*:}\""
	probe r route dst="${case%:*}" from=10.77.1.2 iif=c
	has "passing through: ${case#*:}" "result=\"${case#*:}\""
done
probe r route dst=10.77.2.2 from=10.77.1.2 iif=c
has 'passing through' 'result="ok"' 'dev="s"'
probe r route dst=10.5.0.1 from=10.77.1.2 iif=c
has 'without the mark' 'result="no-route"'
probe r route dst=10.5.0.1 from=10.77.1.2 iif=c mark=0x10
has 'with the mark' 'result="ok"' 'table=100'
in_ns r sysctl -qw net.ipv4.conf.c.rp_filter=1
probe r route dst=10.77.2.2 from=198.51.100.1 iif=c
has 'no way back to the source' 'result="rp-filter"'
in_ns r sysctl -qw net.ipv4.conf.c.rp_filter=0 net.ipv4.conf.all.rp_filter=0
probe r route dst=10.77.2.2 from=10.77.2.1 iif=c
has 'from an address of our own: a martian' 'result="error"'
in_ns r sysctl -qw net.ipv4.conf.c.forwarding=0
probe r route dst=10.77.2.2 from=10.77.1.2 iif=c
has 'forwarding is off' 'result="forwarding-off"'
in_ns r sysctl -qw net.ipv4.conf.c.forwarding=1
probe r route dst=fd77:2::2
has 'IPv6' 'result="ok"' 'dev="s"' 'matched="fd77:2::/64"'
probe r route dst=2001:db8::1
has 'IPv6 without a route' 'result="no-route"'
probe r route dst=10.77.2.2 iif=nosuch
has 'an interface that is not there' 'error=absent' 'says=looking up a route: interface nosuch: .*'
probe r route dst=10.77.2.300
has 'no address' 'error=usage' 'says=looking up a route: "10.77.2.300" is not an address'

# --- neighbours and forwarding entries
in_ns r ip neigh add 10.244.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud permanent
in_ns r ip neigh add 10.77.1.9 dev c nud failed 2>/dev/null || in_ns r ip neigh add 10.77.1.9 lladdr 02:00:00:00:00:09 dev c nud stale
in_ns r bridge fdb add 02:00:00:00:00:02 dev flannel.1 dst 10.77.1.2 self permanent
in_ns r bridge fdb add 02:00:00:00:00:07 dev v0 master static
probe r neighbours
has 'a permanent neighbour' 'neighbours {"address":"10.244.2.0","dev":"flannel.1","mac":"02:00:00:00:00:02","state":"permanent","permanent":true}'
has 'another' 'neighbours {"address":"10.77.1.9","dev":"c",.*"permanent":false}'
probe r fdb
has 'a tunnel end' 'fdb {"mac":"02:00:00:00:00:02","dev":"flannel.1","dst":"10.77.1.2",.*"permanent":true,"master":""}'
has 'a port of the bridge' 'fdb {"mac":"02:00:00:00:00:07","dev":"v0","dst":"",.*"master":"br0"}'

# --- sockets
serve s tcp echo 127.0.0.1 80
serve s tcp echo :: 81
for reader in listeners listeners-proc; do
	probe s $reader
	has "$reader: a listener on one address" 'sockets {"protocol":"tcp","family":4,"address":"127.0.0.1","port":80,.*'
	has "$reader: a listener on all" 'sockets {"protocol":"tcp","family":6,"address":"::","port":81,.*'
	has "$reader: no others" sockets.n=2
done
probe s listeners
has 'its queue' 'sockets .*"port":80,"v6only":false,"queue":0,"backlog":[1-9].*'

# --- sysctls, counters
in_ns r sysctl -qw net.ipv4.conf.flannel/1.rp_filter=2
probe r sysctls net.ipv4.ip_forward net.ipv4.conf.flannel/1.rp_filter net.ipv4.no_such
has 'sysctls' 'sysctls.net.ipv4.ip_forward="1"' 'sysctls.net.ipv4.conf.flannel/1.rp_filter="2"'
lacks 'one that is not there' 'sysctls.net.ipv4.no_such=.*'
probe r sysctls net.../etc/passwd
has 'no way out' error=usage
probe c counters
before=$(value counters.Ip.OutRequests)
in_ns c ping -c 1 -W 2 10.77.2.2 >/dev/null
probe c counters
between 'a ping is counted' counters.Ip.OutRequests $((before + 1)) $((before + 100))
has 'counters of all kinds' 'counters.TcpExt.ListenOverflows=0' 'counters.Icmp.InMsgs=[1-9].*' 'counters.Ip6InReceives=[0-9]*' 'counters.link.eth0.rx_packets=[1-9].*' 'counters.link.eth0.tx_dropped=0'

# --- rules
probe r rules src=10.77.1.2 dst=10.77.2.2 proto=tcp dport=6443
has 'no rules' rules=0 'outcome="none"' problems.n=0
lacks 'reading makes no tables' error=.*
in_ns r nft list ruleset >"$TMP"/ruleset
OUT=$(cat "$TMP"/ruleset); LAST='nft list ruleset'
lacks 'nor leaves any behind' 'table.*'
in_ns r test ! -s /proc/net/ip_tables_names || report not-ok 'nor legacy tables'

in_ns r nft -f - <<-END
	table inet fw {
		chain forward {
			type filter hook forward priority 0
			iifname "c" tcp dport 6443 counter drop
		}
	}
END
probe r rules src=10.77.1.2 dst=10.77.2.2 proto=tcp dport=6443 iif=c oif=s
has 'a foreign rule of nft' 'outcome="drop"' 'decided_by.backend="nft"' 'decided_by.table="inet fw"' 'decided_by.chain="forward"' \
	'decided_by.rule="iifname \\"c\\" tcp dport 6443 counter drop"' 'decided_by.packets=0' \
	'counters.inet fw/forward#1 iifname "c" tcp dport 6443 counter drop=0' 'drops {.*"hook":"forward".*"certain":true,"on_path":true}'
probe r rules src=10.77.1.2 dst=10.77.2.2 proto=tcp dport=443 iif=c oif=s
has 'another port passes' 'outcome="none"'
in_ns r nft flush ruleset

in_ns r iptables-nft -P FORWARD DROP
in_ns r iptables-nft -A FORWARD -d 10.77.2.2 -p tcp -m tcp --dport 80 -j ACCEPT
in_ns r iptables-nft -t nat -N KUBE-SVC-X
in_ns r iptables-nft -t nat -A PREROUTING -d 10.96.0.1 -p tcp --dport 443 -m comment --comment 'a "quoted" name' -j KUBE-SVC-X
in_ns r iptables-nft -t nat -A KUBE-SVC-X -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.77.2.2:80
in_ns r iptables-nft -t nat -A KUBE-SVC-X -p tcp -j DNAT --to-destination 10.77.2.3:80
probe r rules src=10.77.1.2 dst=10.96.0.1 proto=tcp dport=443 iif=c oif=s
has 'iptables-nft' 'outcome="dnat"' 'targets "10.77.2.2:80"' 'targets "10.77.2.3:80"' targets.n=2 'maybe_drop.rule="policy DROP"' rules=4
has 'is read once' 'trail {"backend":"nft","table":"nat","chain":"PREROUTING",.*'
in_ns r nft add rule ip filter FORWARD ct state new drop
probe r rules src=10.77.1.2 dst=10.77.2.9 proto=tcp dport=81 iif=c oif=s
has 'a table that iptables cannot print any more' 'outcome="drop"' 'decided_by.table="ip filter"' 'decided_by.rule="ct state new drop"' problems.n=1 \
	'problems "iptables-nft-save:1: Table `filter. is incompatible, use .nft. tool."'
in_ns r nft flush ruleset

in_ns r iptables-nft -A INPUT -m addrtype --dst-type LOCAL -p tcp --dport 6443 -j DROP
probe r rules src=10.77.1.2 dst=10.77.1.1 proto=tcp dport=6443 iif=c
has 'the addresses of this host lead to INPUT' 'outcome="drop"' 'decided_by.chain="INPUT"' unknown.n=0
in_ns r nft flush ruleset

if in_ns r iptables-legacy -A FORWARD -p udp --dport 8472 -j DROP 2>/dev/null; then
	in_ns r iptables-nft -A FORWARD -j ACCEPT
	probe r rules src=10.77.1.2 dst=10.77.2.2 proto=udp dport=8472 iif=c oif=s
	has 'both backends: a drop in either wins' 'outcome="drop"' 'decided_by.backend="legacy"' 'counters.legacy filter/FORWARD#1 -j DROP=0'
	in_ns r iptables-legacy -F
	in_ns r nft flush ruleset
else
	skip 'iptables-legacy' 'this kernel has no legacy tables'
fi
in_ns r ip6tables-nft -A FORWARD -d fd77:2::2 -p tcp --dport 80 -j REJECT
probe r rules src=fd77:1::2 dst=fd77:2::2 proto=tcp dport=80 iif=c oif=s
has 'ip6tables' 'outcome="reject"' 'reject_with="icmp6-port-unreachable"' 'decided_by.table="ip6 filter"'
in_ns r nft flush ruleset

# --- tracked connections
in_ns r nft -f - <<-END
	table ip n {
		chain pre {
			type nat hook prerouting priority -100
			ip daddr 10.96.0.81 udp dport 7 dnat to 10.77.2.2:9
		}
	}
END
in_ns c "$PYTHON" -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 5555)); s.sendto(b"x", ("10.96.0.81", 7))'
probe r conntrack address=10.96.0.81
if [ "$(value error)" = '' ]; then
	has 'a connection with its NAT' 'entries {"protocol":"udp","src":"10.77.1.2","dst":"10.96.0.81","sport":5555,"dport":7,"reply_src":"10.77.2.2","reply_dst":"10.77.1.2","reply_sport":9,"reply_dport":5555,"state":"".*'
	has 'how full the table is' 'count=[1-9].*' 'max=[1-9].*'
	probe r conntrack address=10.99.99.99
	has 'of another address there are none' entries.n=0
else
	skip 'tracked connections' "this kernel has no ctnetlink: $(value says)"
fi

# --- without rights
if command -v setpriv >/dev/null; then
	LAST='r conntrack, without rights'
	OUT=$(in_ns r setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --reuid=65534 --regid=65534 --clear-groups "$DPREAD" rules src=10.77.1.2 dst=10.77.2.2 proto=tcp dport=1 2>&1)
	has 'rules are denied, and what would be needed is said' error=denied "says=cannot read the packet filter's rules: .*CAP_NET_ADMIN.*"
	OUT=$(in_ns r setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --reuid=65534 --regid=65534 --clear-groups "$DPREAD" conntrack 2>&1)
	has 'so are tracked connections' error=denied 'says=.*CAP_NET_ADMIN.*'
	OUT=$(in_ns r setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --reuid=65534 --regid=65534 --clear-groups "$DPREAD" links 2>&1)
	has 'links are for all' 'links .*"name":"flannel.1".*'
else
	skip 'without rights' 'setpriv is not installed'
fi
finish
