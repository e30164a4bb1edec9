#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What dns_pairs makes of servers that are slow, that lose any question, and that lose one of two sent at once.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

PACKETWALK=${PACKETWALK:-build/packetwalk}
topology
for a in 3 4; do in_ns s ip addr add 10.77.2."$a"/24 dev eth0; done
serve s shaky_dns 10.77.2.2 slow
serve s shaky_dns 10.77.2.3 lossy
serve s shaky_dns 10.77.2.4 race
: >$TMP/resolv.conf
mount --bind $TMP/resolv.conf /etc/resolv.conf

pairs() { # pairs SERVER OPTIONS
	LAST="c dns_pairs of $1 $2"
	printf 'nameserver %s\noptions ndots:1 %s\n' "$1" "$2" >$TMP/resolv.conf
	OUT=$(in_ns c "$PACKETWALK" check dns_pairs name=www.example.test 2>&1)
}

pairs 10.77.2.2 ''
has 'slow answers are late, and none is lost' 'Outcome: late .*' '  one_lost: 0' '  both_lost: 0'
pairs 10.77.2.3 ''
has 'where any question may be lost, nothing races' 'Outcome: lossy .*' '  singles_lost: 1'
pairs 10.77.2.4 ''
has 'one of two is lost, one alone never' 'Outcome: loses-one .*' '  one_lost: 4' '  singles_lost: 0'
pairs 10.77.2.4 single-request
has 'one after the other' '  serial: true'
lacks 'and that does not race' 'Outcome: loses-one .*'

finish
