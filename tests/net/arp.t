#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ARP asked on the wire: an answer, silence behind an entry that is still remembered, and two owners of one address.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
in_ns r ip link set c address 02:00:00:00:00:01
probe c arp address=10.77.1.1 dev=eth0 source=10.77.1.2
has 'an answer' sent=1 answers.n=1 answers.0=02:00:00:00:00:01
probe c arp address=10.77.1.99 dev=eth0 source=10.77.1.2 tries=3 timeout=100
has 'nobody' sent=3 answers.n=0
# Remembered, and gone: the neighbour table says reachable, the segment says nothing.
in_ns c ping -c 1 -W 1 10.77.1.1 >/dev/null
in_ns r ip link set c arp off
OUT=$(in_ns c ip neigh show 10.77.1.1)
has 'the table remembers' '.*REACHABLE.*'
probe c arp address=10.77.1.1 dev=eth0 source=10.77.1.2 timeout=100
has 'the segment does not answer' sent=2 answers.n=0
in_ns r ip link set c arp on

# A second machine with the router's address, on the same segment.
ip netns add d
in_ns r ip link add br0 type bridge
in_ns r ip link set br0 up
in_ns d ip link add eth0 address 02:00:00:00:00:02 type veth peer name d netns r
for port in c d; do in_ns r ip link set dev $port up master br0; done
in_ns r ip addr flush dev c
in_ns r ip addr add 10.77.1.1/24 dev br0
in_ns d ip link set eth0 up
in_ns d ip addr add 10.77.1.1/24 dev eth0
probe c arp address=10.77.1.1 dev=eth0 source=10.77.1.2 timeout=500
has 'two answers' sent=1 answers.n=2
probe c arp address=10.77.1.1 dev=lo source=127.0.0.1
has 'no Ethernet' error=unsupported
probe c arp address=10.77.1.1 dev=none source=10.77.1.2
has 'no interface' error=absent
probe c arp address=fd77:1::1 dev=eth0 source=10.77.1.2
has 'not IPv4' error=usage
finish
