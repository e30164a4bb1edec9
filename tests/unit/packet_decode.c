/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoding hand-made frames, cut at every byte, and following packets through NAT and tunnels. */
#include "tap.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <packet/decode.h>
#include <packet/flow.h>
#include <packetwalk/cleanup.h>

/* A frame is built from the inside out: each function puts its header in front. */
struct build { uint8_t data[2048]; size_t at; };

static void init(struct build *b, size_t payload)
{
	memset(b, 0, sizeof *b);
	b->at = sizeof b->data - payload;
	for (size_t i = 0; i < payload; i++)
		b->data[b->at + i] = (uint8_t)('a' + i % 26);
}

static size_t size_of(const struct build *b) { return sizeof b->data - b->at; }

static uint8_t *front(struct build *b, size_t n)
{
	b->at -= n;
	return b->data + b->at;
}

static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static void put32(uint8_t *p, unsigned v) { put16(p, v >> 16); put16(p + 2, v & 0xffff); }

static void tcp(struct build *b, unsigned sport, unsigned dport, unsigned flags, unsigned seq)
{
	static const uint8_t options[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 2, 0, 1, 3, 3, 7 };
	uint8_t *p = front(b, 40);
	put16(p, sport);
	put16(p + 2, dport);
	put32(p + 4, seq);
	put32(p + 8, 7);
	p[12] = 10 << 4;
	p[13] = (uint8_t)flags;
	put16(p + 14, 64240);
	memcpy(p + 20, options, sizeof options);
}

static void udp(struct build *b, unsigned sport, unsigned dport)
{
	size_t n = size_of(b);
	uint8_t *p = front(b, 8);
	put16(p, sport);
	put16(p + 2, dport);
	put16(p + 4, (unsigned)n + 8);
}

static void ipv4(struct build *b, unsigned protocol, unsigned src, unsigned dst, unsigned id)
{
	size_t n = size_of(b);
	uint8_t *p = front(b, 20);
	p[0] = 0x45;
	put16(p + 2, (unsigned)n + 20);
	put16(p + 4, id);
	p[8] = 63;
	p[9] = (uint8_t)protocol;
	put32(p + 12, src);
	put32(p + 16, dst);
}

static void ipv6(struct build *b, unsigned next, unsigned src, unsigned dst)
{
	size_t n = size_of(b);
	uint8_t *p = front(b, 40);
	p[0] = 0x60;
	put16(p + 4, (unsigned)n);
	p[6] = (uint8_t)next;
	p[7] = 64;
	p[8] = p[24] = 0xfd;
	p[23] = (uint8_t)src;
	p[39] = (uint8_t)dst;
}

static void ether(struct build *b, unsigned type)
{
	uint8_t *p = front(b, 14);
	memset(p, 2, 12);
	put16(p + 12, type);
}

static void vlan(struct build *b, unsigned id, unsigned type)
{
	uint8_t *p = front(b, 4);
	put16(p, id);
	put16(p + 2, type);
}

static void vxlan(struct build *b, unsigned vni)
{
	uint8_t *p = front(b, 8);
	p[0] = 8;
	put32(p + 4, vni << 8);
}

enum { A = 0x0a000001, B = 0x0a000002, N1 = 0x64400001, N2 = 0x64400002 }; /* two pods, two nodes (100.64.0.0/10) */

/* Decodes as `link`, and every shorter capture of it: nothing may be read past the end (run with sanitizers). */
static struct pw_frame decode(const struct build *b, int link)
{
	struct pw_frame f;
	uint8_t copy[2048];
	for (size_t n = 0; n <= size_of(b); n++) {
		memcpy(copy + sizeof copy - n, b->data + b->at, n); /* ends at the end of the array */
		(void)pw_frame_decode(link, copy + sizeof copy - n, n, &f);
	}
	return f;
}

static void is_address(const struct pw_ip_layer *ip, const char *src, const char *dst)
{
	char text[46];
	pw_ip_text(ip, true, text);
	is_str(text, src, "source");
	pw_ip_text(ip, false, text);
	is_str(text, dst, "destination");
}

static void test_plain(void)
{
	struct build b;
	char flags[9];
	init(&b, 5);
	tcp(&b, 40000, 80, PW_TCP_SYN | PW_TCP_ACK, 0xfffffff0);
	ipv4(&b, PW_PROTO_TCP, A, B, 77);
	ether(&b, 0x0800);
	struct pw_frame f = decode(&b, PW_LINK_ETHERNET);
	const struct pw_ip_layer *ip = pw_frame_inner(&f);
	is_int(f.n_ip, 1, "one IP packet");
	is_address(ip, "10.0.0.1", "10.0.0.2");
	ok(ip->sport == 40000 && ip->dport == 80 && ip->seq == 0xfffffff0 && ip->ack == 7 && ip->payload == 5 && ip->ttl == 63, "its TCP");
	ok(ip->mss == 1460 && ip->has_timestamp && ip->ts_value == 256 && ip->ts_echo == 512, "its options");
	pw_tcp_flags_text(ip->tcp_flags, flags);
	is_str(flags, "S.", "its flags as tcpdump writes them");
	ok(!f.truncated && !f.malformed && ip->transport && ip->payload_hash, "whole");

	/* Padding of the link is no payload. */
	init(&b, 10);
	b.at += 10;
	tcp(&b, 1, 2, PW_TCP_RST, 0);
	ipv4(&b, PW_PROTO_TCP, A, B, 0);
	ether(&b, 0x0800);
	uint8_t padded[2048];
	memset(padded, 0, sizeof padded);
	memcpy(padded, b.data + b.at, 74);
	ok(pw_frame_decode(PW_LINK_ETHERNET, padded, 80, &f) && f.ip[0].payload_hash == 0, "padding");
}

static void test_cut(void)
{
	struct build b;
	struct pw_frame f;
	init(&b, 100);
	tcp(&b, 1, 2, PW_TCP_ACK, 5);
	ipv4(&b, PW_PROTO_TCP, A, B, 1);
	const uint8_t *p = b.data + b.at;
	ok(pw_frame_decode(PW_LINK_RAW, p, 60, &f) && !f.truncated && f.ip[0].transport && f.ip[0].payload == 100, "cut after the headers");
	ok(pw_frame_decode(PW_LINK_RAW, p, 30, &f) && f.truncated && !f.ip[0].transport, "cut in the TCP header");
	ok(pw_frame_decode(PW_LINK_RAW, p, 10, &f) && f.truncated, "cut in the IP header");
	ok(!pw_frame_decode(PW_LINK_ETHERNET, p, 5, &f), "not even a link header");
	ok(!pw_frame_decode(9999, p, 60, &f), "an unknown link");
	b.data[b.at] = 0x42;
	ok(pw_frame_decode(PW_LINK_RAW, p, 60, &f) && f.malformed, "a header shorter than itself");
	b.data[b.at] = 0x95;
	ok(pw_frame_decode(PW_LINK_RAW, p, 60, &f) && f.malformed && f.n_ip == 0, "no IP version of this world");
}

static void test_tunnels(void)
{
	struct build b;
	init(&b, 8);
	udp(&b, 5000, 53);
	ipv4(&b, PW_PROTO_UDP, A, B, 9);
	ether(&b, 0x0800);
	vxlan(&b, 7);
	udp(&b, 60000, 8472);
	ipv4(&b, PW_PROTO_UDP, N1, N2, 10);
	vlan(&b, 5, 0x0800);
	vlan(&b, 9, 0x8100);
	ether(&b, 0x88a8);
	struct pw_frame f = decode(&b, PW_LINK_ETHERNET);
	is_int(f.n_ip, 2, "VXLAN: two IP packets");
	ok(f.tunnel[1] == PW_TUNNEL_VXLAN && f.vni == 7 && f.n_vlans == 2 && f.vlans[0] == 9 && f.vlans[1] == 5, "its network and VLANs");
	is_address(&f.ip[0], "100.64.0.1", "100.64.0.2");
	is_address(pw_frame_inner(&f), "10.0.0.1", "10.0.0.2");
	ok(f.ip[1].dport == 53 && f.ip[1].payload == 8, "the inner datagram");

	init(&b, 0);
	uint8_t *g = front(&b, 0);
	(void)g;
	tcp(&b, 1, 2, PW_TCP_SYN, 3);
	ipv6(&b, PW_PROTO_TCP, 1, 2);
	uint8_t *p = front(&b, 12); /* Geneve with one option word */
	p[0] = 1;
	put16(p + 2, 0x86dd);
	put32(p + 4, 9 << 8);
	udp(&b, 60000, 6081);
	ipv4(&b, PW_PROTO_UDP, N1, N2, 10);
	f = decode(&b, PW_LINK_RAW);
	ok(f.n_ip == 2 && f.tunnel[1] == PW_TUNNEL_GENEVE && f.vni == 9 && f.ip[1].version == 6 && f.ip[1].seq == 3, "Geneve");

	init(&b, 4);
	udp(&b, 1, 2);
	ipv4(&b, PW_PROTO_UDP, A, B, 9);
	ipv4(&b, 4, N1, N2, 10);
	f = decode(&b, PW_LINK_RAW);
	ok(f.n_ip == 2 && f.tunnel[1] == PW_TUNNEL_IPIP && f.ip[1].payload == 4, "IPIP");

	init(&b, 4);
	udp(&b, 1, 2);
	ipv4(&b, PW_PROTO_UDP, A, B, 9);
	p = front(&b, 8);
	put16(p, 0x2000);
	put16(p + 2, 0x0800);
	put32(p + 4, 40);
	ipv4(&b, PW_PROTO_GRE, N1, N2, 10);
	f = decode(&b, PW_LINK_RAW);
	ok(f.n_ip == 2 && f.tunnel[1] == PW_TUNNEL_GRE && f.vni == 40, "GRE with a key");

	init(&b, 4);
	for (int i = 0; i < 8; i++)
		ipv4(&b, i ? 4 : PW_PROTO_UDP, A, B, 9);
	f = decode(&b, PW_LINK_RAW);
	is_int(f.n_ip, PW_FRAME_LAYERS, "a tower of tunnels ends");
}

static void test_icmp(void)
{
	struct build b;
	init(&b, 0);
	tcp(&b, 40000, 80, PW_TCP_SYN, 1234);
	ipv4(&b, PW_PROTO_TCP, A, B, 5);
	uint8_t *p = front(&b, 8);
	p[0] = 3;
	p[1] = 4;
	put16(p + 6, 1400);
	ipv4(&b, PW_PROTO_ICMP, N1, A, 6);
	struct pw_frame f = decode(&b, PW_LINK_RAW);
	ok(f.n_ip == 1 && f.ip[0].icmp_type == 3 && f.ip[0].icmp_code == 4 && f.ip[0].icmp_mtu == 1400, "too big");
	ok(f.has_quote && f.quote.sport == 40000 && f.quote.dport == 80 && f.quote.seq == 1234 && !f.truncated, "what it quotes");
	is_address(&f.quote, "10.0.0.1", "10.0.0.2");

	struct pw_frame cut;
	ok(pw_frame_decode(PW_LINK_RAW, b.data + b.at, 20 + 8 + 28, &cut) && cut.has_quote && !cut.truncated && cut.quote.dport == 80,
	   "a quote of 8 bytes is no cut capture");

	init(&b, 8);
	p = front(&b, 8);
	p[0] = 128;
	put16(p + 4, 77);
	put16(p + 6, 3);
	p = front(&b, 16); /* hop-by-hop options, then a fragment header that fragments nothing */
	p[0] = 44;
	p[8] = PW_PROTO_ICMPV6;
	put32(p + 12, 99);
	ipv6(&b, 0, 1, 2);
	f = decode(&b, PW_LINK_RAW);
	ok(f.ip[0].protocol == PW_PROTO_ICMPV6 && f.ip[0].icmp_id == 77 && f.ip[0].icmp_seq == 3 && f.ip[0].id == 99 && !f.ip[0].fragment,
	   "past extension headers");
}

static void test_arp_and_cooked(struct pw_arena *arena)
{
	static const uint8_t request[] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 2, 2, 2, 2, 2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 };
	struct build b;
	init(&b, 0);
	memcpy(front(&b, sizeof request), request, sizeof request);
	ether(&b, 0x0806);
	struct pw_frame f = decode(&b, PW_LINK_ETHERNET);
	struct pw_val *map = pw_val_map(arena);
	pw_frame_put(&f, map);
	is_str(pw_map_str(map, "arp", ""), "request", "ARP");
	is_str(pw_map_str(map, "dst", ""), "10.0.0.2", "who has");
	is_str(pw_map_str(map, "mac", ""), "02:02:02:02:02:02", "who asks");

	init(&b, 0);
	udp(&b, 1, 2);
	ipv4(&b, PW_PROTO_UDP, A, B, 1);
	uint8_t *p = front(&b, 20);
	put16(p, 0x0800);
	put32(p + 4, 42);
	p[10] = 4;
	f = decode(&b, PW_LINK_SLL2);
	ok(f.ifindex == 42 && f.direction == 4 && f.n_ip == 1, "SLL2");
	b.at += 20;
	p = front(&b, 16);
	put16(p, 4);
	put16(p + 14, 0x0800);
	f = decode(&b, PW_LINK_SLL);
	ok(f.direction == 4 && f.n_ip == 1 && f.ip[0].dport == 2, "SLL");
}

/* One SYN: as sent, after DNAT and masquerade, inside VXLAN; a retransmission; its answer; an ICMP error about it. */
static void test_flow(void)
{
	static struct pw_seen seen[6];
	struct build b;
	struct pw_sighting s[6];
	init(&b, 0);
	tcp(&b, 40000, 80, PW_TCP_SYN, 1000);
	ipv4(&b, PW_PROTO_TCP, A, 0x0a600001, 5);
	seen[0] = (struct pw_seen){ .t_us = 10, .place = 0, .frame = decode(&b, PW_LINK_RAW) };
	init(&b, 0);
	tcp(&b, 50000, 8080, PW_TCP_SYN, 1000);
	ipv4(&b, PW_PROTO_TCP, N1, B, 5);
	struct build nat = b;
	ether(&b, 0x0800);
	vxlan(&b, 1);
	udp(&b, 60000, 8472);
	ipv4(&b, PW_PROTO_UDP, N1, N2, 11);
	seen[1] = (struct pw_seen){ .t_us = 30, .place = 2, .frame = decode(&b, PW_LINK_RAW) };
	seen[2] = (struct pw_seen){ .t_us = 20, .place = 1, .frame = decode(&nat, PW_LINK_RAW) };
	init(&b, 0);
	tcp(&b, 40000, 80, PW_TCP_SYN, 1000);
	ipv4(&b, PW_PROTO_TCP, A, 0x0a600001, 6);
	seen[3] = (struct pw_seen){ .t_us = 1000010, .frame = decode(&b, PW_LINK_RAW) };
	init(&b, 0);
	tcp(&b, 8080, 50000, PW_TCP_SYN | PW_TCP_ACK, 1);
	put32(b.data + b.at + 8, 1001);
	ipv4(&b, PW_PROTO_TCP, B, N1, 0);
	seen[4] = (struct pw_seen){ .t_us = 40, .frame = decode(&b, PW_LINK_RAW) };
	b = nat;
	uint8_t *p = front(&b, 8);
	p[0] = 3;
	p[1] = 3;
	ipv4(&b, PW_PROTO_ICMP, N2, N1, 6);
	seen[5] = (struct pw_seen){ .t_us = 50, .frame = decode(&b, PW_LINK_RAW) };

	size_t n = pw_flow_follow(seen, 6, 0, s, 6);
	is_int(n, 3, "seen three times");
	ok(n == 3 && s[0].index == 0 && s[1].index == 2 && s[2].index == 1, "in the order of time");
	ok(!s[0].src_changed && !s[0].dst_changed && s[1].src_changed && s[1].dst_changed, "translated on the way");
	ok(s[2].layer == 1, "inside a tunnel");
	const struct pw_ip_layer *syn = pw_frame_inner(&seen[2].frame);
	ok(pw_flow_answers(syn, pw_frame_inner(&seen[4].frame)) && !pw_flow_answers(syn, pw_frame_inner(&seen[3].frame)), "its answer");
	ok(pw_flow_complains(syn, &seen[5].frame) && !pw_flow_complains(syn, &seen[4].frame), "a complaint");
	is_int(pw_flow_follow(seen, 6, 99, s, 6), 0, "no such packet");
	is_int(pw_flow_follow(seen, 6, 0, s, 2), 2, "no more than asked");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_plain();
	test_cut();
	test_tunnels();
	test_icmp();
	test_arp_and_cooked(arena);
	test_flow();
	return tap_done();
}
