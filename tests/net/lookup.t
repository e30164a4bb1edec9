#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Lookups as glibc and musl make them: what is asked, in which order, and where each stops.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
for a in 3 4; do in_ns s ip addr add 10.77.2."$a"/24 dev eth0; done
in_ns s sysctl -qw net.ipv4.icmp_ratelimit=0
serve s dns 10.77.2.2 53 "" $TMP/asked
S=10.77.2.2
ROOT=$TMP/root
mkdir -p $ROOT/etc $ROOT/lib $ROOT/lib64

# conf LINE...: the resolv.conf of the vantage.
conf() { printf '%s\n' "$@" >$ROOT/etc/resolv.conf; }
lookup() { libc=$1; name=$2; shift 2; : >$TMP/asked; probe c lookup root=$ROOT libc="$libc" name="$name" "$@"; }
asked() { # asked WHAT LINES: the server's log, sorted by the pair of types
	got=$(tr '\n' ' ' <$TMP/asked)
	if [ "$got" = "$2" ]; then report ok "$1"; else report not-ok "$1: asked [$got], not [$2]"; fi
}

conf "nameserver $S" 'search a.test svc.test b.test' 'options ndots:5 timeout:1 attempts:2'
for libc in glibc musl; do
	lookup $libc api
	has "$libc: found along the search list" outcome=found serial=false result=answered addresses.n=1 addresses.0=10.96.0.7 candidate=api.svc.test \
		candidates.n=2 candidates.0=api.a.test n_queries=4 from_hosts=false libc="$libc" name=api
	asked 'A and AAAA of each name' 'api.a.test 1 udp api.a.test 28 udp api.svc.test 1 udp api.svc.test 28 udp '
done
lookup glibc web.test
has 'glibc: as it is at last' outcome=found candidate=web.test candidates.n=4 candidates.3=web.test n_queries=8 addresses.n=3
lookup glibc web.test.
has 'a final dot' candidates.n=1 n_queries=2 outcome=found
lookup glibc nobody
has 'nobody' outcome=nxdomain rcode=NXDOMAIN candidates.n=4 addresses.n=0
lookup glibc empty
has 'glibc goes on after an empty answer' outcome=found candidate=empty.b.test candidates.n=3
lookup musl empty
has 'musl does not' outcome=nodata rcode=NOERROR candidates.n=1
lookup glibc servfail
has 'glibc: SERVFAIL goes on, asked twice each' outcome=servfail rcode=SERVFAIL candidates.n=4 n_queries=16
lookup musl servfail
has 'musl: SERVFAIL stops' outcome=servfail candidates.n=1
lookup glibc refused
has 'glibc: REFUSED stops the search, then as it is' outcome=other-rcode rcode=REFUSED candidates.n=2 candidates.1=refused
lookup glibc silent
has 'glibc: silence too' outcome=silent result=timeout candidates.n=2 n_queries=8
between 'two tries of a second, twice' ms 3900 5000
lookup glibc silent timeout=200
between 'or what the caller allows' ms 790 1400
lookup musl silent
has 'musl: silence stops' outcome=silent candidates.n=1 n_queries=4
between 'its timeout is for all tries' ms 950 1500
lookup glibc big.
has 'truncated: again by TCP' outcome=found n_queries=4 addresses.n=120

conf "nameserver $S" 'search svc.test' 'options ndots:1 single-request'
lookup glibc web.test
has 'enough dots: as it is first' candidates.n=1 candidate=web.test outcome=found serial=true
lookup glibc no.such
has 'glibc: then the search list' candidates.n=2 candidates.0=no.such candidates.1=no.such.svc.test outcome=nxdomain
lookup musl no.such
has 'musl: never the search list' candidates.n=1 outcome=nxdomain
conf "nameserver $S" "search $(printf 'x%.0s' $(seq 250)).test svc.test" 'options ndots:5'
lookup musl api
has 'musl ignores a long search line' candidates.n=1 candidates.0=api addresses.0=10.96.0.8
conf "nameserver $S" 'search a.test' 'options ndots:5 use-vc'
lookup glibc v4.test
has 'use-vc' queries.0.transport=tcp outcome=found
conf "nameserver $S" 'options no-tld-query' 'search a.test'
lookup glibc api
has 'no-tld-query' candidates.n=1 outcome=nxdomain

conf 'nameserver 10.77.2.3' "nameserver $S" 'options timeout:1 attempts:1'
lookup glibc web.test
has 'a dead server, then a live one' outcome=found n_queries=4 queries.0.result=refused-icmp queries.2.server=$S
lookup musl web.test
has 'musl asks both at once' outcome=found n_queries=4
conf 'nameserver 10.77.2.3' 'search a.test b.test' 'options timeout:1 attempts:1'
lookup glibc api
has 'no server at all: an end at once' outcome=refused result=refused-icmp candidates.n=1
firewall r forward 'udp sport 53 meta length > 70 numgen inc mod 2 1 drop'
conf "nameserver $S" 'options timeout:1 attempts:2 ndots:1'
lookup glibc web.test
has 'one of two answers lost' outcome=found addresses.n=3
between 'costs a timeout' ms 950 1900
firewall r

printf '10.0.0.9 Pod-1 pod-1.shop # me\nfd00::9 pod-1\nnonsense pod-1\n' >$ROOT/etc/hosts
lookup glibc pod-1
has 'the hosts file' from_hosts=true addresses.n=2 addresses.0=10.0.0.9 addresses.1=fd00::9 n_queries=0 outcome=found
lookup glibc pod-1 hosts=0
has 'or not' from_hosts=false outcome=nxdomain
lookup musl 10.1.2.3
has 'a literal' addresses.0=10.1.2.3 n_queries=0 from_hosts=false outcome=found
probe c lookup root=$ROOT libc=bionic name=x
has 'unknown rules' error=usage 'says=a lookup needs a name and whose rules (glibc or musl), not "x" by "bionic"'

conf '# by hand' "nameserver $S" 'nameserver fd77:2::2' 'search a.test b.test.' 'domain c.test' 'options ndots:99 timeout:2 rotate'
: >$ROOT/lib/ld-musl-x86_64.so.1
probe c resolv_conf root=$ROOT
has 'resolv.conf' nameservers.n=2 nameservers.1=fd77:2::2 searches.n=1 searches.0=c.test ndots=15 timeout_s=2 attempts=2 options.n=3 \
	search_bytes=13 libc=musl path=/etc/resolv.conf 'text=# by hand\\nnameserver .*'
: >$ROOT/lib64/ld-linux-x86-64.so.2
probe c resolv_conf root=$ROOT
has 'musl beside glibc' libc=glibc
: >$ROOT/etc/alpine-release
probe c resolv_conf root=$ROOT
has 'glibc beside musl' libc=musl
rm $ROOT/etc/resolv.conf
probe c resolv_conf root=$ROOT
has 'no resolv.conf' error=absent 'says=cannot open /etc/resolv.conf of here: No such file or directory'
finish
