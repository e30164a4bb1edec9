#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What ends a connect: each kind of refusal, silence, and routes that lead nowhere.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
serve s tcp echo 0.0.0.0 80
serve s tcp echo :: 81
serve s tcp mute 0.0.0.0 82
serve s tcp reset_after_request 0.0.0.0 83
serve s tcp close_after_request 0.0.0.0 84
S=10.77.2.2 S6=fd77:2::2

probe c tcp address=$S port=80 count=4 reset=1
has 'connected' connected=4 timeout=0 attempts.n=4 'attempts.3.source=10\.77\.1\.2:[0-9]*' attempts.0.errno=0 out_drop=false
between 'a connect has a time' ms_median 0.001 500
probe c tcp address=$S6 port=81 source=fd77:1::2
has 'connected by IPv6' connected=1 'attempts.0.source=\[fd77:1::2\]:[0-9]*'

probe c tcp address=$S port=9 count=3
has 'a closed port answers RST' refused_rst=3 refused_icmp=0 attempts.2.result=refused-rst attempts.2.segs_in=1 attempts.2.errno=111
lacks 'a RST has no ICMP' 'attempts.0.icmp.*'
probe c tcp address=$S6 port=9
has 'and by IPv6' refused_rst=1 refused_icmp=0

reject() { firewall r forward "$1"; }

reject 'ip daddr 10.77.2.2 tcp dport 80 reject with icmp port-unreachable'
probe c tcp address=$S port=80 count=12 timeout=500
has 'a burst meets the limit of ICMP errors' icmp_limited=true refused_icmp=6 timeout=6
in_ns r sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
probe c tcp address=$S port=80 count=4
has 'ICMP port unreachable is not a RST' refused_icmp=4 refused_rst=0 attempts.0.icmp.type=3 attempts.0.icmp.code=3 \
	attempts.0.icmp.from=10.77.1.1 attempts.0.segs_in=0
has 'all of them' icmp_limited=false
reject 'tcp dport 80 reject with tcp reset'
probe c tcp address=$S port=80
has 'a firewall that resets looks like a RST' refused_rst=1 refused_icmp=0
reject 'tcp dport 81 reject with icmpv6 port-unreachable'
probe c tcp address=$S6 port=81
has 'ICMPv6 port unreachable' refused_icmp=1 attempts.0.icmp.type=1 attempts.0.icmp.code=4 attempts.0.icmp.from=fd77:1::1
reject 'tcp dport 81 reject with icmpv6 admin-prohibited'
probe c tcp address=$S6 port=81
has 'ICMPv6 prohibited is no local denial' host_unreachable=1 local_error=0 attempts.0.icmp.code=1
for kind in host-unreachable:1 host-prohibited:10 admin-prohibited:13; do
	reject "tcp dport 80 reject with icmp ${kind%:*}"
	probe c tcp address=$S port=80
	has "ICMP ${kind%:*}" host_unreachable=1 attempts.0.errno=113 attempts.0.icmp.type=3 attempts.0.icmp.code="${kind#*:}"
	between 'comes at once' attempts.0.ms 0 900
done
for kind in net-unreachable:0 net-prohibited:9; do
	reject "tcp dport 80 reject with icmp ${kind%:*}"
	probe c tcp address=$S port=80
	has "ICMP ${kind%:*}" net_unreachable=1 attempts.0.errno=101 attempts.0.icmp.code="${kind#*:}"
done
reject 'tcp dport 80 drop'
probe c tcp address=$S port=80 count=2 timeout=1500
has 'silence' timeout=2 attempts.0.result=timeout attempts.0.retrans=1 out_drop=false
between 'ends at its deadline' attempts.0.ms 1490 1900
reject 'tcp dport 80 tcp flags & (syn | ack) == syn numgen inc mod 2 0 drop'
probe c tcp address=$S port=80 count=6 timeout=700
has 'half of it lost' connected=3 timeout=3
firewall r

firewall c output 'tcp dport 80 drop'
probe c tcp address=$S port=80 timeout=1500
has 'SYNs held back here' timeout=1 out_drop=true
firewall c output 'tcp dport 80 reject'
probe c tcp address=$S port=80
has 'rejected here' refused_icmp=1 attempts.0.icmp.from=10.77.1.2
firewall c

probe c tcp address=10.77.2.9 port=80 timeout=6000
has 'no neighbour of the router' host_unreachable=1 attempts.0.icmp.from=10.77.1.1
lacks 'is none of ours' 'attempts.0.neighbour_silent=.*'
probe c tcp address=10.77.1.9 port=80 timeout=6000
has 'no neighbour' host_unreachable=1 attempts.0.errno=113 attempts.0.neighbour_silent=true attempts.0.icmp.from=10.77.1.2
between 'takes three seconds' attempts.0.ms 2500 4500
probe c tcp address=fd77:1::9 port=80 timeout=6000
has 'no neighbour by IPv6' host_unreachable=1 attempts.0.neighbour_silent=true
in_ns c ip route add blackhole 10.78.1.0/24
in_ns c ip route add prohibit 10.78.2.0/24
in_ns c ip route add unreachable 10.78.3.0/24
probe c tcp address=10.78.1.1 port=80
has 'a blackhole route' local_error=1 attempts.0.result=blackhole attempts.0.errno=22
probe c tcp address=10.78.2.1 port=80
has 'a prohibit route' local_error=1 attempts.0.result=local-denied attempts.0.errno=13
probe c tcp address=10.78.3.1 port=80
has 'an unreachable route' host_unreachable=1 attempts.0.errno=113
probe r tcp address=10.79.0.1 port=80
has 'no route' net_unreachable=1 attempts.0.errno=101
in_ns c sysctl -qw net.ipv4.ip_local_port_range='40000 40001'
probe c tcp address=$S port=80 count=4
has 'out of ports' connected=2 local_error=2 attempts.3.result=no-ports
in_ns c sysctl -qw net.ipv4.ip_local_port_range='32768 60999'

probe c tcp address=10.77.2.300 port=80
has 'not an address' error=usage 'says="10.77.2.300" port 80 is not a literal address and a port'
probe c tcp address=$S port=80 source=10.9.9.9
has 'not our address' error=usage 'says=cannot send from 10.9.9.9: Cannot assign requested address'

probe c exchange address=$S port=80 text=hello
has 'an exchange' result=answered sent=5 received=5 head=hello connect.result=connected unacked=0 ended=idle acked=6
probe c exchange address=$S port=82 text=hello timeout=600
has 'a mute server' result=silent received=0 ended=deadline acked=6
probe c exchange address=$S port=83 text=hello
has 'a reset' result=reset received=0 errno=104
probe c exchange address=$S port=84 text=hello
has 'a close' result=closed received=0 ended=eof
probe c exchange address=$S port=9 text=hello
has 'a refused exchange' result=error connect.result=refused-rst sent=0
reject 'tcp dport 80 meta length > 500 drop'
probe c exchange address=$S port=80 size=1000 timeout=1500
has 'a big request that is lost' result=silent received=0 unacked=1 snd_mss=1448
between 'is sent again' retransmits 1 9
finish
