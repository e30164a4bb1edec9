#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# UDP answers, ping, and the largest packet that gets through, with and without ICMP errors on the way.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
in_ns s ip addr add 10.77.2.3/24 dev eth0
in_ns s ip addr add 10.77.2.4/24 dev eth0
for ns in r s; do in_ns $ns sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0; done
serve s udp echo 10.77.2.2 7
serve s udp echo fd77:2::2 7
serve s udp mute 10.77.2.2 8
serve s udp echo 10.77.2.3 7 10.77.2.4
S=10.77.2.2 S6=fd77:2::2

probe c udp address=$S port=7 text=hello count=3
has 'UDP answers' answered=3 silent=0 refused=0 other_source=0 attempts.n=3 attempts.2.result=answered attempts.2.from=$S:7 \
	attempts.2.head=hello attempts.2.bytes=5
probe c udp address=$S6 port=7 text=hello
has 'by IPv6' answered=1 "attempts.0.from=\[$S6\]:7"
probe c udp address=$S port=8 text=hello count=2 timeout=300
has 'silence' silent=2 attempts.0.result=silent
between 'as long as asked' attempts.0.ms 290 600
probe c udp address=$S port=9 text=hello count=2
has 'a closed port' refused=2 attempts.1.result=refused-icmp attempts.1.icmp.code=3 attempts.1.icmp.from=$S
probe c udp address=10.77.2.3 port=7 text=hello timeout=300
has 'an answer from elsewhere' answered=0 other_source=1 attempts.0.result=silent attempts.0.other_source=10.77.2.4:7
firewall r forward 'udp dport 7 reject with icmp admin-prohibited'
probe c udp address=$S port=7 text=hello
has 'prohibited on the way' attempts.0.result=unreachable attempts.0.icmp.code=13 attempts.0.icmp.from=10.77.1.1
firewall c output 'udp dport 7 drop'
probe c udp address=$S port=7 text=hello
has 'denied here' attempts.0.result=local-denied attempts.0.errno=1
firewall r
firewall c
probe c udp address=$S port=0
has 'no port' error=usage

for kind in raw unprivileged; do
	[ $kind = raw ] || in_ns c sysctl -qw net.ipv4.ping_group_range='0 0'
	probe c ping address=$S size=84 size2=1500
	has "$kind ping" sent=2 received=2 results.n=2 results.0.result=reply results.0.from=$S results.1.size=1500 results.1.result=reply
	between 'its time' ms_min 0.001 500
	probe c ping address=$S6 size=84 size2=1501
	has "$kind ping by IPv6" received=1 results.0.result=reply results.1.result=too-big results.1.mtu=1500
	probe c ping address=10.77.2.99 tries=2 timeout=300
	has "$kind ping without an answer" received=0 sent=2 results.0.result=silent
	began=$(date +%s%N)
	probe c ping address=10.77.2.99 count=200 timeout=500
	OUT="$OUT
took=$((($(date +%s%N) - began) / 1000000))"
	has "$kind pings without an answer" sent=200 received=0 results.n=200
	between 'all under way at once' took 850 2500
	firewall r forward 'icmp type echo-request numgen inc mod 4 0 drop'
	probe c ping address=$S count=200 timeout=500
	has "$kind pings of which a quarter is lost" sent=200 received=150
	probe c ping address=$S count=40 tries=4 timeout=300
	has 'until they are answered' received=40 'sent=5[34]'
	firewall r forward 'icmp type echo-request reject with icmp admin-prohibited'
	probe c ping address=$S
	firewall r
	has "$kind ping prohibited on the way" results.0.result=unreachable results.0.icmp.code=13 results.0.from=10.77.1.1
	in_ns r ip link set s mtu 1400
	probe c ping address=$S size=1500
	has "$kind ping too big for a router" results.0.result=too-big results.0.mtu=1400 results.0.from=10.77.1.1
	probe c ping address=$S6 size=1500
	has "$kind ping by IPv6 too big for a router" results.0.result=too-big results.0.mtu=1400 results.0.from=fd77:1::1
	in_ns r ip link set s mtu 1500
done
in_ns c ip route flush cache

probe c mtu address=$S
has 'a clean path' icmp_works=true link_mtu=1500 route_mtu=1500 largest_ok=1500
lacks 'nothing lost' 'smallest_lost=.*'
in_ns r ip link set s mtu 1437
for to in $S $S6; do
	probe c mtu address="$to"
	has "a smaller link that says so: $to" icmp_works=true largest_ok=1437 smallest_lost=1438
	has 'with its MTU' 'sizes\.[0-9]*\.result=too-big-router' 'sizes\.[0-9]*\.mtu=1437'
	in_ns c ip route flush cache; in_ns c ip -6 route flush cache
done
firewall r output 'icmp type destination-unreachable drop'
probe c mtu address=$S
has 'a smaller link that is silent' icmp_works=true largest_ok=1437 smallest_lost=1438 'sizes\.[0-9]*\.result=silent'
lacks 'nobody told' 'sizes\.[0-9]*\.result=too-big-router'
firewall r
in_ns c ip link set eth0 mtu 1480
probe c mtu address=$S max=9000
has 'our own link' link_mtu=1480 largest_ok=1437 smallest_lost=1438 'sizes\.[0-9]*\.size=1480'
lacks 'is not asked for more than it takes' 'sizes\.[0-9]*\.result=too-big-local'
in_ns c ip route add $S/32 via 10.77.1.1 mtu 1300
probe c mtu address=$S
has 'the route' route_mtu=1300 link_mtu=1480 largest_ok=1437
in_ns c ip route del $S/32
firewall s input 'icmp type echo-request drop'
probe c mtu address=$S timeout=200
has 'no echo at all' icmp_works=false link_mtu=1480 sizes.n=1 sizes.0.result=silent
lacks 'then nothing is known' 'largest_ok=.*'
firewall s
in_ns s ip link set eth0 mtu 1450
probe c mtu address=127.0.0.1
has 'a huge MTU' icmp_works=true link_mtu=65536 largest_ok=65535
probe c mtu address=nowhere
has 'not an address' error=usage 'says="nowhere" is not a literal address to ping'
finish
