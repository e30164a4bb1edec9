/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A decoded frame as words and as an observation. */
#include "decode.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const struct pw_ip_layer *pw_frame_inner(const struct pw_frame *frame)
{
	return frame->n_ip ? &frame->ip[frame->n_ip - 1] : NULL;
}

void pw_ip_text(const struct pw_ip_layer *ip, bool source, char out[46])
{
	if (!inet_ntop(ip->version == 6 ? AF_INET6 : AF_INET, source ? ip->src : ip->dst, out, INET6_ADDRSTRLEN))
		out[0] = '\0';
}

void pw_tcp_flags_text(uint8_t flags, char out[9])
{
	static const char letters[] = "FSRP.UEW"; /* from bit 0 up */
	size_t n = 0;
	for (size_t i = 0; i < 8; i++)
		if (flags & 1u << i)
			out[n++] = letters[i];
	if (!n)
		memcpy(out, "none", n = 4);
	out[n] = '\0';
}

const char *pw_tunnel_word(enum pw_tunnel tunnel)
{
	static const char *const words[] = { "", "vxlan", "geneve", "ipip", "gre" };
	return words[tunnel];
}

static bool is_end(const struct pw_ip_layer *ip, unsigned version, const uint8_t *address)
{
	size_t len = version == 6 ? 16 : 4;
	return ip->version == version && (!memcmp(ip->src, address, len) || !memcmp(ip->dst, address, len));
}

bool pw_frame_concerns(const struct pw_frame *frame, unsigned version, const uint8_t *address)
{
	if (frame->arp && version == 4 && (!memcmp(frame->arp_sender, address, 4) || !memcmp(frame->arp_target, address, 4)))
		return true;
	for (unsigned i = 0; i < frame->n_ip; i++)
		if (is_end(&frame->ip[i], version, address))
			return true;
	return frame->has_quote && is_end(&frame->quote, version, address);
}

static void put_protocol(const struct pw_ip_layer *ip, struct pw_val *map)
{
	static const struct { uint8_t number; const char *word; } words[] = {
		{ PW_PROTO_ICMP, "icmp" }, { PW_PROTO_TCP, "tcp" }, { PW_PROTO_UDP, "udp" }, { PW_PROTO_GRE, "gre" }, { PW_PROTO_ESP, "esp" },
		{ PW_PROTO_ICMPV6, "icmp6" }, { PW_PROTO_SCTP, "sctp" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].number == ip->protocol) {
			pw_map_set_str(map, "proto", words[i].word);
			return;
		}
	pw_map_set_strf(map, "proto", "ip-%u", ip->protocol);
}

static void put_layer(const struct pw_ip_layer *ip, struct pw_val *map)
{
	char address[46], flags[9];
	put_protocol(ip, map);
	pw_ip_text(ip, true, address);
	pw_map_set_str(map, "src", address);
	pw_ip_text(ip, false, address);
	pw_map_set_str(map, "dst", address);
	pw_map_set_int(map, "ttl", ip->ttl);
	pw_map_set_int(map, "len", ip->payload);
	if (ip->fragment)
		pw_map_set_str(map, "fragment", ip->first_fragment ? "first" : "later");
	if (ip->protocol == PW_PROTO_TCP || ip->protocol == PW_PROTO_UDP || ip->protocol == PW_PROTO_SCTP) {
		pw_map_set_int(map, "sport", ip->sport);
		pw_map_set_int(map, "dport", ip->dport);
	}
	if (ip->protocol == PW_PROTO_TCP) {
		pw_tcp_flags_text(ip->tcp_flags, flags);
		pw_map_set_str(map, "flags", flags);
		pw_map_set_int(map, "seq", ip->seq);
		pw_map_set_int(map, "ack", ip->ack);
		if (ip->mss)
			pw_map_set_int(map, "mss", ip->mss);
	}
	if (ip->protocol == PW_PROTO_ICMP || ip->protocol == PW_PROTO_ICMPV6) {
		pw_map_set_strf(map, "icmp", "%u/%u", ip->icmp_type, ip->icmp_code);
		if (ip->icmp_mtu)
			pw_map_set_int(map, "mtu", ip->icmp_mtu);
	}
}

static void put_arp(const struct pw_frame *f, struct pw_val *map)
{
	char address[INET_ADDRSTRLEN];
	pw_map_set_str(map, "proto", "arp");
	pw_map_set_str(map, "src", inet_ntop(AF_INET, f->arp_sender, address, sizeof address));
	pw_map_set_str(map, "dst", inet_ntop(AF_INET, f->arp_target, address, sizeof address));
	pw_map_set_str(map, "arp", f->arp_op == 1 ? "request" : f->arp_op == 2 ? "reply" : "other");
	pw_map_set_strf(map, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", f->arp_mac[0], f->arp_mac[1], f->arp_mac[2],
			f->arp_mac[3], f->arp_mac[4], f->arp_mac[5]);
}

void pw_frame_put(const struct pw_frame *frame, struct pw_val *map)
{
	const struct pw_ip_layer *ip = pw_frame_inner(frame);
	char address[46];
	if (frame->arp) /* inside a tunnel it is what is carried */
		put_arp(frame, map);
	else if (ip)
		put_layer(ip, map);
	else
		pw_map_set_strf(map, "proto", "ether-%04x", frame->ether_type);
	if (frame->has_quote)
		put_layer(&frame->quote, pw_map_set_map(map, "quote"));
	/* What is shown is carried by the packet around it: for ARP that is the innermost IP packet itself. */
	unsigned around = frame->arp ? frame->n_ip : frame->n_ip ? frame->n_ip - 1 : 0;
	enum pw_tunnel tunnel = frame->arp ? frame->arp_tunnel : frame->n_ip ? frame->tunnel[frame->n_ip - 1] : PW_TUNNEL_NONE;
	pw_map_set_str(map, "tunnel", pw_tunnel_word(tunnel));
	if (around) {
		pw_ip_text(&frame->ip[around - 1], true, address);
		pw_map_set_str(map, "outer_src", address);
		pw_ip_text(&frame->ip[around - 1], false, address);
		pw_map_set_str(map, "outer_dst", address);
		pw_map_set_int(map, "vni", frame->vni);
	}
	if (frame->n_vlans)
		pw_map_set_int(map, "vlan", frame->vlans[0]);
	if (frame->truncated)
		pw_map_set_bool(map, "truncated", true);
	if (frame->malformed)
		pw_map_set_bool(map, "malformed", true);
}
