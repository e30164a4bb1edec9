#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What becomes of one DNS question: every rcode, silence, refusals, and answers nobody may take.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
in_ns s ip addr add 10.77.2.3/24 dev eth0
in_ns s ip addr add 10.77.2.4/24 dev eth0
in_ns r sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
in_ns s sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
serve s dns 10.77.2.2
serve s dns fd77:2::2 5353
serve s dns 10.77.2.3 53 10.77.2.4
serve s tcp close_after_request 0.0.0.0 54
serve s tcp mute 0.0.0.0 55
S=10.77.2.2

ask() { name=$1; type=$2; shift 2; probe c dns server=$S name="$name" type="$type" "$@"; }

ask web.test A
has 'A' result=answered rcode=NOERROR rcode_num=0 aa=true tc=false ra=true ttl=20 addresses.n=2 addresses.0=10.0.0.1 answers=2 \
	transport=udp server=$S name=web.test type=A tries=1
between 'has a time' ms 0.001 500
ask web.test. AAAA
has 'AAAA, with a final dot' result=answered addresses.0=fd00::1
ask alias.test A
has 'an alias' cnames.0=web.test addresses.0=10.0.0.1
ask _http._tcp.web.test SRV
has 'SRV' targets.0=pod-1.web.test srv.0.port=8080 srv.0.priority=1 srv.0.weight=2
ask 1.0.0.10.in-addr.arpa PTR
has 'PTR' targets.0=web.test
ask dns-version.test TXT
has 'TXT' texts.0=1.1.0
ask v4.test AAAA
has 'a name without that type' result=answered rcode=NOERROR answers=0 addresses.n=0 soa=ns.dns.test negative_ttl=5
probe c dns server='[fd77:2::2]:5353' name=web.test type=A
has 'by IPv6, on a port' result=answered addresses.n=2
for rcode in FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED; do
	ask "$(echo $rcode | tr "[:upper:]" "[:lower:]").test" A
	has "$rcode is an answer" result=answered rcode=$rcode
	ask "$(echo $rcode | tr "[:upper:]" "[:lower:]").test" A tcp=1 edns=1
	has "$rcode by TCP" result=answered rcode=$rcode transport=tcp
done
ask badvers.test A edns=1
has 'the upper bits of an rcode' result=answered rcode=BADVERS rcode_num=16
ask edns.test TXT
has 'no EDNS' texts.0=0
ask edns.test TXT edns=1
has 'EDNS: 1232 bytes, and answers past 512' texts.0=1232 answers=61 tc=false
between 'all of it' bytes 900 1232
ask big.test A
has 'truncated' result=answered tc=true answers=0
ask big.test A tcp=1
has 'whole by TCP' result=answered tc=false answers=60 addresses.n=60 ttl=7

ask silent.test A timeout=400 tries=2
has 'silence' result=timeout tries=2
between 'as long as asked' ms 390 700
ask short.test A timeout=400
has 'four bytes are no answer' result=malformed
ask cut.test A timeout=400
has 'a cut answer' result=malformed rcode=NOERROR
ask wrongid.test A timeout=400
has 'somebody else'\''s answer' result=malformed
probe c dns server=10.77.2.3 name=web.test type=A timeout=400
has 'an answer from another address' result=timeout other_source=10.77.2.4:53
probe c dns server=$S:1053 name=web.test type=A
has 'a closed port' result=refused-icmp errno=111 icmp.type=3 icmp.code=3 icmp.from=10.77.2.2
probe c dns server=$S:1053 name=web.test type=A tcp=1
has 'a closed TCP port' result=refused-rst errno=111
probe c dns server="[fd77:2::2]:1053" name=web.test type=A
has 'a closed port by IPv6' result=refused-icmp icmp.type=1 icmp.code=4
probe c dns server=$S:54 name=web.test type=A tcp=1
has 'a TCP server that closes' result=closed
probe c dns server=$S:55 name=web.test type=A tcp=1 timeout=400
has 'a TCP server that is mute' result=timeout

firewall r forward 'udp dport 53 reject with icmp host-prohibited'
ask web.test A
has 'prohibited on the way' result=unreachable icmp.code=10 icmp.from=10.77.1.1
ask web.test A tcp=1
has 'but not by TCP' result=answered
firewall r forward 'tcp dport 53 reject with icmp port-unreachable'
ask web.test A tcp=1
has 'TCP refused on the way' result=refused-icmp icmp.from=10.77.1.1
firewall r
firewall c output 'udp dport 53 drop'
ask web.test A
has 'denied here' result=local-denied errno=1
firewall c
in_ns c ip route add unreachable 10.78.3.0/24
probe c dns server=10.78.3.1 name=web.test type=A
has 'no way' result=unreachable errno=113

ask "$(printf 'a%.0s' $(seq 64)).test" A
has 'a label too long' error=usage 'says=cannot ask for the name "a*\.test": Misformatted domain name'
ask web.test HINFO
has 'a type unknown' error=usage 'says="HINFO" is not a record type that can be asked for'
probe c dns server=dns.test name=web.test type=A
has 'a server by name' error=usage 'says="dns.test" is not the address of a DNS server'
finish
