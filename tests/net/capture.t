#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Captures while something is done: directions, several interfaces at once, tunnels, and the file that is kept.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
serve s tcp echo 0.0.0.0 80
S=10.77.2.2

packets() { # PREFIX: one line per packet
	printf '%s\n' "$OUT" | awk -F= -v p="$1" '
		index($1, p) == 1 { split(substr($1, length(p) + 2), k, "."); n = k[1]; v[n, substr($1, length(p) + 3 + length(n))] = $2; if (n + 0 > m) m = n + 0 }
		END { for (i = 0; i <= m; i++) print v[i, "iface"], v[i, "dir"], v[i, "proto"], v[i, "src"] ":" v[i, "sport"], v[i, "dst"] ":" v[i, "dport"], v[i, "flags"] v[i, "icmp"], v[i, "tunnel"], v[i, "outer_src"] ">" v[i, "outer_dst"] }'
}
# seen WHAT PATTERN...: each PATTERN is a line of `packets`, in this order among others.
seen() {
	what=$1; shift
	rest=$(packets packets)
	for want; do
		line=$(printf '%s\n' "$rest" | grep -nE -m 1 -- "^$want\$" | cut -d: -f1)
		if [ -z "$line" ]; then
			report not-ok "$what: no $want in order"
			packets packets | sed 's/^/#   /'
			return
		fi
		rest=$(printf '%s\n' "$rest" | tail -n +$((line + 1)))
	done
	report ok "$what"
}

probe c capture if=eth0 filter='tcp port 80' address=$S port=80 reset=1
has 'a capture around a connect' during.connected=1 interfaces.n=1 interfaces.0.name=eth0 interfaces.0.dropped=0 dropped=0
seen 'its packets' 'eth0 out tcp 10.77.1.2:[0-9]* 10.77.2.2:80 S  >' 'eth0 in tcp 10.77.2.2:80 10.77.1.2:[0-9]* S\.  >' \
	'eth0 out tcp 10.77.1.2:[0-9]* 10.77.2.2:80 R\.  >'
probe c capture if=eth0 filter='tcp port 80' address=$S port=9
has 'the filter' during.refused_rst=1 packets.n=0 n_packets=0
firewall r forward 'tcp dport 80 reject with icmp port-unreachable'
probe c capture if=eth0 filter='icmp or tcp port 80' address=$S port=80
seen 'a refusal' 'eth0 out tcp 10.77.1.2:[0-9]* 10.77.2.2:80 S  >' 'eth0 in icmp 10.77.1.1: 10.77.1.2: 3/3  >'
has 'and what it quotes' 'packets\.[0-9]*\.quote\.dst=10.77.2.2' 'packets\.[0-9]*\.quote\.dport=80'
firewall r

# A capture in r while c connects, with NAT between: both interfaces, one order.
in_ns r nft -f - <<-'END'
	table ip n {
		chain pre { type nat hook prerouting priority -100; ip daddr 10.77.9.9 dnat to 10.77.2.2; }
		chain post { type nat hook postrouting priority 100; oifname "s" masquerade; }
	}
END
mkfifo $TMP/hold $TMP/out
in_ns r "$NETPROBE" capture if=c if2=s filter='tcp port 80' wait=1 max=8 keep=$TMP/kept.pcapng <$TMP/hold >$TMP/out &
exec 8>$TMP/hold 9<$TMP/out
read -r line <&9
probe c tcp address=10.77.9.9 port=80 reset=1
has 'through a NAT' connected=1
exec 8>&-
OUT=$(cat <&9)
seen 'both sides of a NAT' 'c in tcp 10.77.1.2:[0-9]* 10.77.9.9:80 S  >' 's out tcp 10.77.2.1:[0-9]* 10.77.2.2:80 S  >' \
	's in tcp 10.77.2.2:80 10.77.2.1:[0-9]* S\.  >' 'c out tcp 10.77.9.9:80 10.77.1.2:[0-9]* S\.  >'
has 'both counted' interfaces.n=2 interfaces.0.name=c interfaces.0.packets=4 interfaces.1.name=s interfaces.1.packets=4
in_ns r nft flush ruleset
probe r read file=$TMP/kept.pcapng
has 'the kept file reads' packets.n=8 packets.0.dst=10.77.9.9 packets.0.flags=S
if ! command -v tcpdump >/dev/null; then
	skip 'by tcpdump too' 'no tcpdump'
elif ! OUT=$(tcpdump -nr $TMP/kept.pcapng 2>$TMP/tcpdump.log); then
	skip 'by tcpdump too' "tcpdump cannot read here: $(tail -n 1 $TMP/tcpdump.log)"
else
	has 'by tcpdump too' '.* In  IP 10.77.1.2\.[0-9]* > 10.77.9.9.80: Flags \[S\].*' '.* Out IP 10.77.2.1\.[0-9]* > 10.77.2.2.80: Flags \[S\].*'
fi
if [ "$(stat -c %a $TMP/kept.pcapng)" = 600 ]; then report ok 'for its owner only'; else report not-ok 'for its owner only'; fi

if in_ns c ip link add vx0 type vxlan id 7 dstport 8472 local 10.77.1.2 remote 10.77.2.2 dev eth0 2>/dev/null; then
	in_ns s ip link add vx0 type vxlan id 7 dstport 8472 local 10.77.2.2 remote 10.77.1.2 dev eth0
	for x in 'c 1' 's 2'; do
		in_ns "${x% *}" ip addr add 10.200.0."${x#* }"/24 dev vx0
		in_ns "${x% *}" ip link set vx0 up
	done
	probe c capture filter='tcp port 80 or udp port 8472' address=10.200.0.2 port=80 reset=1
	has 'any interface' during.connected=1
	seen 'inside a tunnel and around it' 'vx0 out tcp 10.200.0.1:[0-9]* 10.200.0.2:80 S  >' \
		'eth0 out tcp 10.200.0.1:[0-9]* 10.200.0.2:80 S vxlan 10.77.1.2>10.77.2.2' \
		'eth0 in tcp 10.200.0.2:80 10.200.0.1:[0-9]* S\. vxlan 10.77.2.2>10.77.1.2' 'vx0 in tcp 10.200.0.2:80 10.200.0.1:[0-9]* S\.  >'
	has 'the network' 'packets\.[0-9]*\.vni=7'
else
	skip 'a tunnel' 'no VXLAN on this kernel'
fi

# Tunnels by hand: not every kernel that runs this has them. The filter sees nothing of what is inside.
cat >$TMP/tunnel.py <<'END'
import socket
import struct
import sys

kind, to = sys.argv[1:]
tcp = struct.pack(">HHIIBBHHH", 40000, 80, 1, 0, 5 << 4, 2, 1024, 0, 0)
inner = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, socket.inet_aton("10.88.0.1"), socket.inet_aton("10.88.0.2")) + tcp
ethernet = bytes(12) + b"\x08\x00" + inner
vni = struct.pack(">I", 77 << 8)
payload, port = {
    "vxlan": (b"\x08\0\0\0" + vni + ethernet, 8472),
    "geneve": (b"\x01\0\x65\x58" + vni + bytes(4) + ethernet, 6081),
    "ipip": (inner, 0),
    "gre": (b"\0\0\x08\0" + inner, 0),
}[kind]
protocol = {"ipip": 4, "gre": 47}.get(kind)
if protocol:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(payload, (to, port))
END
for kind in vxlan geneve ipip gre; do
	in_ns r "$NETPROBE" capture if=c host=10.88.0.2 for=20000 max=1 >$TMP/inside &
	capture=$!
	while kill -0 $capture 2>/dev/null; do in_ns c "$PYTHON" $TMP/tunnel.py $kind $S; done
	wait $capture
	OUT=$(cat $TMP/inside)
	seen "inside $kind" "c in tcp 10.88.0.1:40000 10.88.0.2:80 S $kind 10.77.1.2>10.77.2.2"
done
probe c capture address=$S port=80 reset=1 host=10.9.9.9
has 'others are left out' during.connected=1 n_packets=0 packets.n=0 cut=false
firewall r forward 'tcp dport 80 reject with icmp port-unreachable'
probe c capture address=$S port=80 host=$S filter=icmp
seen 'a complaint of its packets is not' 'eth0 in icmp 10.77.1.1: 10.77.1.2: 3/3  >'
firewall r
probe c capture address=$S port=80 host=$S max=2
has 'an end by number is told' n_packets=2 cut=true
began=$(date +%s%N)
probe c capture address=$S port=80 reset=1 for=700
OUT="$OUT
took=$((($(date +%s%N) - began) / 1000000))"
between 'what is done may end before the capture' took 700 5000
probe c capture host=web
has 'not an address' error=usage 'says="web" is not a literal address to capture'
probe r capture if=c keep=$TMP/kept.pcapng for=10
has 'nothing is written over' error=usage "says=cannot create the capture $TMP/kept.pcapng: File exists"
probe r capture if=c filter='no such' keep=$TMP/never.pcapng
if [ -e $TMP/never.pcapng ]; then report not-ok 'a failure leaves no file'; else report ok 'a failure leaves no file'; fi

probe c capture if=nowhere0
has 'no such interface' error=absent 'says=there is no interface "nowhere0" in this network namespace'
probe c capture if=eth0 filter='nonsense here'
has 'no filter' error=usage 'says="nonsense here" is not a capture filter: .*'
probe c capture if=eth0 keep=/nonexistent/x
has 'no place' error=io 'says=cannot create the capture /nonexistent/x: No such file or directory'
probe c capture if=eth0 for=50 filter='udp port 9'
has 'nothing to see' packets.n=0 n_packets=0 interfaces.0.packets=0
probe c capture if=eth0 address=nowhere
has 'what is done may fail' error=usage interfaces.n=1
OUT=$(in_ns c setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$NETPROBE" capture if=eth0 2>&1)
has 'not permitted' error=denied 'says=capturing needs CAP_NET_RAW in this network namespace'
finish
