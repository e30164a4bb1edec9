/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the link header inwards: VLANs, IP with its extension headers, tunnels, transport, ICMP errors, ARP. */
#include "decode.h"

#include <string.h>

#include <base/text.h>

#include "cursor.h"

enum {
	ETHER_IPV4 = 0x0800, ETHER_ARP = 0x0806, ETHER_IPV6 = 0x86dd,
	ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8, ETHER_QINQ_OLD = 0x9100,
	ETHER_TEB = 0x6558,     /* transparent Ethernet bridging: an Ethernet frame inside */
	ETHER_ERSPAN2 = 0x88be,
	PROTO_HOP = 0, PROTO_IPV4 = 4, PROTO_IPV6 = 41, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_DSTOPT = 60,
	PROTO_UDPLITE = 136, PROTO_MOBILITY = 135,
	PORT_VXLAN = 4789, PORT_VXLAN_LINUX = 8472, PORT_GENEVE = 6081,
	EXTENSIONS_MAX = 16,
	HASHED = 64,            /* bytes of a payload that tell packets apart */
	JUMBO_OPTION = 0xc2,    /* RFC 2675 */
};

/* Where the decoder is: in an ICMP quote nothing is followed further. */
struct decoder {
	struct pw_frame *f;
	bool quoting;
};

static void ip_packet(struct decoder *d, struct pw_cursor c, enum pw_tunnel tunnel);
static void ethernet(struct decoder *d, struct pw_cursor c, enum pw_tunnel tunnel, bool outermost);

static void take_bytes(struct pw_cursor *c, void *to, size_t n)
{
	const uint8_t *p = pw_cursor_take(c, n);
	if (p)
		memcpy(to, p, n);
}

static void cut(struct decoder *d, const struct pw_cursor *c)
{
	if (c->bad && !d->quoting)
		d->f->truncated = true;
}

/* ---- transport ---- */

static void payload(struct pw_ip_layer *ip, const struct pw_cursor *c, uint32_t headers)
{
	size_t left = pw_cursor_left(c);
	ip->transport = !c->bad;
	ip->payload = ip->length > headers ? ip->length - headers : 0;
	if (left > ip->payload) /* padding of the link */
		left = ip->payload;
	if (left)
		ip->payload_hash = pw_hash64(c->at, left < HASHED ? left : HASHED);
}

static void tcp_options(struct pw_ip_layer *ip, struct pw_cursor c)
{
	enum { END = 0, NOP = 1, MSS = 2, TIMESTAMP = 8 };
	while (pw_cursor_left(&c)) {
		uint8_t kind = pw_cursor_u8(&c);
		if (kind == END)
			return;
		if (kind == NOP)
			continue;
		uint8_t len = pw_cursor_u8(&c);
		if (c.bad || len < 2)
			return;
		struct pw_cursor body = pw_cursor_sub(&c, len - 2u);
		if (kind == MSS && len == 4) {
			ip->mss = pw_cursor_u16(&body);
		} else if (kind == TIMESTAMP && len == 10) {
			ip->ts_value = pw_cursor_u32(&body);
			ip->ts_echo = pw_cursor_u32(&body);
			ip->has_timestamp = !body.bad;
		}
	}
}

static void tcp(struct decoder *d, struct pw_ip_layer *ip, struct pw_cursor c, uint32_t headers)
{
	enum { TCP_HEADER = 20 };
	ip->sport = pw_cursor_u16(&c);
	ip->dport = pw_cursor_u16(&c);
	ip->seq = pw_cursor_u32(&c);
	ip->ack = pw_cursor_u32(&c);
	unsigned size = (unsigned)(pw_cursor_u8(&c) >> 4) * 4;
	ip->tcp_flags = pw_cursor_u8(&c);
	ip->window = pw_cursor_u16(&c);
	(void)pw_cursor_u32(&c);
	if (!c.bad && size < TCP_HEADER) {
		d->f->malformed = d->f->malformed || !d->quoting;
		return;
	}
	if (!c.bad) {
		if (pw_cursor_left(&c) < size - TCP_HEADER)
			d->f->truncated = d->f->truncated || !d->quoting;
		tcp_options(ip, pw_cursor_sub(&c, size - TCP_HEADER));
	}
	cut(d, &c);
	payload(ip, &c, headers + size);
}

static void vxlan(struct decoder *d, struct pw_cursor c)
{
	enum { HAS_VNI = 0x08 };
	uint8_t flags = pw_cursor_u8(&c);
	(void)pw_cursor_take(&c, 3);
	uint32_t vni = pw_cursor_u32(&c) >> 8;
	if (c.bad || !(flags & HAS_VNI))
		return;
	d->f->vni = vni;
	ethernet(d, c, PW_TUNNEL_VXLAN, false);
}

static void by_ether_type(struct decoder *d, struct pw_cursor c, uint16_t type, enum pw_tunnel tunnel)
{
	if (type == ETHER_IPV4 || type == ETHER_IPV6)
		ip_packet(d, c, tunnel);
	else if (type == ETHER_TEB)
		ethernet(d, c, tunnel, false);
}

static void geneve(struct decoder *d, struct pw_cursor c)
{
	uint8_t first = pw_cursor_u8(&c);
	(void)pw_cursor_u8(&c);
	uint16_t type = pw_cursor_u16(&c);
	uint32_t vni = pw_cursor_u32(&c) >> 8;
	(void)pw_cursor_take(&c, (first & 0x3fu) * 4);
	if (c.bad || first >> 6)
		return;
	d->f->vni = vni;
	by_ether_type(d, c, type, PW_TUNNEL_GENEVE);
}

static void udp(struct decoder *d, struct pw_ip_layer *ip, struct pw_cursor c, uint32_t headers)
{
	enum { UDP_HEADER = 8 };
	ip->sport = pw_cursor_u16(&c);
	ip->dport = pw_cursor_u16(&c);
	(void)pw_cursor_u32(&c);
	cut(d, &c);
	payload(ip, &c, headers + UDP_HEADER);
	if (c.bad || d->quoting || ip->fragment)
		return;
	if (ip->dport == PORT_VXLAN || ip->dport == PORT_VXLAN_LINUX)
		vxlan(d, c);
	else if (ip->dport == PORT_GENEVE)
		geneve(d, c);
}

static void gre(struct decoder *d, struct pw_cursor c)
{
	enum { CHECKSUM = 0x8000, KEY = 0x2000, SEQUENCE = 0x1000, VERSION = 0x7, ERSPAN2_HEADER = 8 };
	uint16_t flags = pw_cursor_u16(&c), type = pw_cursor_u16(&c);
	if (flags & CHECKSUM)
		(void)pw_cursor_u32(&c);
	uint32_t key = flags & KEY ? pw_cursor_u32(&c) : 0;
	if (flags & SEQUENCE)
		(void)pw_cursor_u32(&c);
	cut(d, &c);
	if (c.bad || (flags & VERSION))
		return;
	d->f->vni = key;
	if (type == ETHER_ERSPAN2 && (flags & SEQUENCE)) {
		(void)pw_cursor_take(&c, ERSPAN2_HEADER);
		type = ETHER_TEB;
	}
	if (!c.bad)
		by_ether_type(d, c, type, PW_TUNNEL_GRE);
}

static void quote(struct decoder *d, struct pw_cursor c)
{
	struct decoder inner = { d->f, true };
	if (d->quoting || !pw_cursor_left(&c))
		return;
	ip_packet(&inner, c, PW_TUNNEL_NONE);
}

static void icmp(struct decoder *d, struct pw_ip_layer *ip, struct pw_cursor c, uint32_t headers)
{
	enum { ICMP_HEADER = 8, V4_REPLY = 0, V4_UNREACHABLE = 3, V4_QUENCH = 4, V4_REDIRECT = 5, V4_REQUEST = 8, V4_EXCEEDED = 11,
	       V4_PARAMETER = 12, V4_TOO_BIG = 4, V6_TOO_BIG = 2, V6_ERRORS = 128, V6_REQUEST = 128, V6_REPLY = 129 };
	ip->icmp_type = pw_cursor_u8(&c);
	ip->icmp_code = pw_cursor_u8(&c);
	(void)pw_cursor_u16(&c);
	uint32_t rest = pw_cursor_u32(&c);
	unsigned type = ip->icmp_type;
	bool v4 = ip->protocol == PW_PROTO_ICMP, error, echo;
	if (v4) {
		echo = type == V4_REQUEST || type == V4_REPLY;
		error = type == V4_UNREACHABLE || type == V4_QUENCH || type == V4_REDIRECT || type == V4_EXCEEDED || type == V4_PARAMETER;
		ip->icmp_mtu = type == V4_UNREACHABLE && ip->icmp_code == V4_TOO_BIG ? rest & 0xffff : 0;
	} else {
		echo = type == V6_REQUEST || type == V6_REPLY;
		error = type < V6_ERRORS;
		ip->icmp_mtu = type == V6_TOO_BIG ? rest : 0;
	}
	if (echo) {
		ip->icmp_id = (uint16_t)(rest >> 16);
		ip->icmp_seq = (uint16_t)(rest & 0xffff);
	}
	cut(d, &c);
	payload(ip, &c, headers + ICMP_HEADER);
	if (error && !c.bad)
		quote(d, c);
}

/* `headers`: bytes of the IP packet before `c`. */
static void transport(struct decoder *d, struct pw_ip_layer *ip, struct pw_cursor c, uint32_t headers)
{
	if (ip->fragment && !ip->first_fragment) {
		ip->payload = ip->length > headers ? ip->length - headers : 0;
		return;
	}
	switch (ip->protocol) {
	case PW_PROTO_TCP:
		tcp(d, ip, c, headers);
		break;
	case PW_PROTO_UDP: case PROTO_UDPLITE:
		udp(d, ip, c, headers);
		break;
	case PW_PROTO_SCTP:
		ip->sport = pw_cursor_u16(&c);
		ip->dport = pw_cursor_u16(&c);
		(void)pw_cursor_take(&c, 8);
		cut(d, &c);
		payload(ip, &c, headers + 12);
		break;
	case PW_PROTO_ICMP: case PW_PROTO_ICMPV6:
		icmp(d, ip, c, headers);
		break;
	case PW_PROTO_GRE:
		payload(ip, &c, headers);
		if (!d->quoting)
			gre(d, c);
		break;
	case PROTO_IPV4: case PROTO_IPV6:
		payload(ip, &c, headers);
		if (!d->quoting)
			ip_packet(d, c, PW_TUNNEL_IPIP);
		break;
	default:
		payload(ip, &c, headers);
		break;
	}
}

/* ---- IP ---- */

static void ipv4(struct decoder *d, struct pw_ip_layer *ip, struct pw_cursor c)
{
	enum { IPV4_HEADER = 20, DONT = 0x4000, MORE = 0x2000, OFFSET = 0x1fff };
	unsigned size = (pw_cursor_u8(&c) & 0xfu) * 4;
	(void)pw_cursor_u8(&c);
	ip->length = pw_cursor_u16(&c);
	ip->id = pw_cursor_u16(&c);
	uint16_t fragment = pw_cursor_u16(&c);
	ip->ttl = pw_cursor_u8(&c);
	ip->protocol = pw_cursor_u8(&c);
	(void)pw_cursor_u16(&c);
	take_bytes(&c, ip->src, 4);
	take_bytes(&c, ip->dst, 4);
	ip->dont_fragment = fragment & DONT;
	ip->fragment = fragment & (MORE | OFFSET);
	ip->first_fragment = ip->fragment && !(fragment & OFFSET);
	if (!c.bad && size < IPV4_HEADER) {
		d->f->malformed = d->f->malformed || !d->quoting;
		return;
	}
	if (!c.bad)
		(void)pw_cursor_take(&c, size - IPV4_HEADER);
	cut(d, &c);
	if (c.bad)
		return;
	if (!ip->length) /* segmentation offload of more than 64 KiB leaves it 0 */
		ip->length = (uint32_t)pw_cursor_left(&c) + size;
	if (ip->length < size) {
		d->f->malformed = d->f->malformed || !d->quoting;
		return;
	}
	struct pw_cursor body = pw_cursor_sub(&c, ip->length - size);
	transport(d, ip, body, size);
}

/* Hop-by-hop options: only the jumbo payload length is of use. */
static uint32_t jumbo_length(struct pw_cursor c)
{
	while (pw_cursor_left(&c)) {
		uint8_t kind = pw_cursor_u8(&c);
		if (!kind)
			continue;
		uint8_t len = pw_cursor_u8(&c);
		struct pw_cursor body = pw_cursor_sub(&c, len);
		if (kind == JUMBO_OPTION && len == 4)
			return pw_cursor_u32(&body);
	}
	return 0;
}

static bool extension(uint8_t next)
{
	return next == PROTO_HOP || next == PROTO_ROUTING || next == PROTO_FRAGMENT || next == PROTO_DSTOPT || next == PROTO_AH ||
	       next == PROTO_MOBILITY;
}

/* Moves `c` past the extension headers. Returns their bytes. */
static uint32_t extensions(struct pw_ip_layer *ip, struct pw_cursor *c, uint8_t next)
{
	uint32_t bytes = 0;
	for (int i = 0; i < EXTENSIONS_MAX && extension(next) && !c->bad; i++) {
		uint8_t kind = next;
		next = pw_cursor_u8(c);
		uint8_t units = pw_cursor_u8(c);
		size_t size = kind == PROTO_FRAGMENT ? 8 : kind == PROTO_AH ? (units + 2u) * 4 : (units + 1u) * 8;
		if (size > pw_cursor_left(c) + 2) {
			c->bad = true;
			break;
		}
		struct pw_cursor body = pw_cursor_sub(c, size - 2);
		if (kind == PROTO_HOP && ip->length == 40)
			ip->length += jumbo_length(body);
		if (kind == PROTO_FRAGMENT) {
			uint16_t offset = pw_cursor_u16(&body);
			ip->id = pw_cursor_u32(&body);
			ip->fragment = offset & 0xfff9;
			ip->first_fragment = ip->fragment && !(offset & 0xfff8);
		}
		bytes += (uint32_t)size;
		if (ip->fragment && !ip->first_fragment)
			break;
	}
	ip->protocol = next;
	return bytes;
}

static void ipv6(struct decoder *d, struct pw_ip_layer *ip, struct pw_cursor c)
{
	enum { IPV6_HEADER = 40 };
	(void)pw_cursor_u32(&c);
	uint32_t body_length = pw_cursor_u16(&c);
	uint8_t next = pw_cursor_u8(&c);
	ip->ttl = pw_cursor_u8(&c);
	take_bytes(&c, ip->src, sizeof ip->src);
	take_bytes(&c, ip->dst, sizeof ip->dst);
	ip->protocol = next;
	ip->dont_fragment = true;
	cut(d, &c);
	if (c.bad)
		return;
	ip->length = IPV6_HEADER + body_length;
	struct pw_cursor body = body_length ? pw_cursor_sub(&c, body_length) : c;
	uint32_t more = extensions(ip, &body, next);
	cut(d, &body);
	if (!body_length && ip->length == IPV6_HEADER) /* offload without the option */
		ip->length += (uint32_t)pw_cursor_left(&c);
	if (!body.bad)
		transport(d, ip, body, IPV6_HEADER + more);
}

static void ip_packet(struct decoder *d, struct pw_cursor c, enum pw_tunnel tunnel)
{
	struct pw_frame *f = d->f;
	struct pw_ip_layer *ip;
	if (!pw_cursor_left(&c)) {
		f->truncated = f->truncated || !d->quoting;
		return;
	}
	uint8_t version = *c.at >> 4;
	if (version != 4 && version != 6) {
		f->malformed = f->malformed || !d->quoting;
		return;
	}
	if (d->quoting) {
		f->has_quote = true;
		ip = &f->quote;
	} else {
		if (f->n_ip == PW_FRAME_LAYERS) /* deeper than anyone tunnels */
			return;
		ip = &f->ip[f->n_ip];
		f->tunnel[f->n_ip++] = tunnel;
	}
	ip->version = version;
	if (version == 4)
		ipv4(d, ip, c);
	else
		ipv6(d, ip, c);
}

/* ---- links ---- */

static void arp(struct decoder *d, struct pw_cursor c, enum pw_tunnel tunnel)
{
	struct pw_frame *f = d->f;
	enum { HW_ETHERNET = 1 };
	uint16_t hardware = pw_cursor_u16(&c), protocol = pw_cursor_u16(&c);
	uint8_t hw_size = pw_cursor_u8(&c), proto_size = pw_cursor_u8(&c);
	uint16_t op = pw_cursor_u16(&c);
	if (c.bad || hardware != HW_ETHERNET || protocol != ETHER_IPV4 || hw_size != 6 || proto_size != 4) {
		cut(d, &c);
		return;
	}
	f->arp_op = op;
	take_bytes(&c, f->arp_mac, sizeof f->arp_mac);
	take_bytes(&c, f->arp_sender, sizeof f->arp_sender);
	(void)pw_cursor_take(&c, 6);
	take_bytes(&c, f->arp_target, sizeof f->arp_target);
	cut(d, &c);
	f->arp = !c.bad;
	f->arp_tunnel = tunnel;
}

/* Past VLAN tags to what they carry. */
static void after_type(struct decoder *d, struct pw_cursor c, uint16_t type, enum pw_tunnel tunnel, bool outermost)
{
	struct pw_frame *f = d->f;
	while (type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD) {
		uint16_t tag = pw_cursor_u16(&c);
		type = pw_cursor_u16(&c);
		if (c.bad)
			break;
		if (outermost && f->n_vlans < 2)
			f->vlans[f->n_vlans++] = tag & 0xfff;
	}
	cut(d, &c);
	if (outermost)
		f->ether_type = type;
	if (c.bad)
		return;
	if (type == ETHER_ARP)
		arp(d, c, tunnel);
	else
		by_ether_type(d, c, type == ETHER_TEB ? 0 : type, tunnel);
}

static void ethernet(struct decoder *d, struct pw_cursor c, enum pw_tunnel tunnel, bool outermost)
{
	struct pw_frame *f = d->f;
	uint8_t dst[6] = { 0 }, src[6] = { 0 };
	take_bytes(&c, dst, sizeof dst);
	take_bytes(&c, src, sizeof src);
	uint16_t type = pw_cursor_u16(&c);
	cut(d, &c);
	if (c.bad)
		return;
	if (outermost) {
		f->has_link = true;
		memcpy(f->mac_dst, dst, sizeof dst);
		memcpy(f->mac_src, src, sizeof src);
	}
	after_type(d, c, type, tunnel, outermost);
}

static void sll(struct decoder *d, struct pw_cursor c)
{
	d->f->direction = pw_cursor_u16(&c);
	(void)pw_cursor_u16(&c);
	uint16_t size = pw_cursor_u16(&c);
	const uint8_t *address = pw_cursor_take(&c, 8);
	uint16_t type = pw_cursor_u16(&c);
	if (address && size == 6)
		memcpy(d->f->mac_src, address, 6);
	after_type(d, c, type, PW_TUNNEL_NONE, true);
}

static void sll2(struct decoder *d, struct pw_cursor c)
{
	uint16_t type = pw_cursor_u16(&c);
	(void)pw_cursor_u16(&c);
	d->f->ifindex = pw_cursor_u32(&c);
	(void)pw_cursor_u16(&c);
	d->f->direction = pw_cursor_u8(&c);
	uint8_t size = pw_cursor_u8(&c);
	const uint8_t *address = pw_cursor_take(&c, 8);
	if (address && size == 6)
		memcpy(d->f->mac_src, address, 6);
	after_type(d, c, type, PW_TUNNEL_NONE, true);
}

bool pw_frame_decode(int link, const uint8_t *data, size_t len, struct pw_frame *ret)
{
	enum { ETHERNET_HEADER = 14, SLL_HEADER = 16, SLL2_HEADER = 20, NULL_HEADER = 4 };
	struct pw_cursor c = { data, data + len, false };
	struct decoder d = { ret, false };
	memset(ret, 0, sizeof *ret);
	ret->direction = -1;
	switch (link) {
	case PW_LINK_ETHERNET:
		ethernet(&d, c, PW_TUNNEL_NONE, true);
		return len >= ETHERNET_HEADER;
	case PW_LINK_SLL:
		sll(&d, c);
		return len >= SLL_HEADER;
	case PW_LINK_SLL2:
		sll2(&d, c);
		return len >= SLL2_HEADER;
	case PW_LINK_NULL: case PW_LINK_LOOP: /* a family number in some byte order: the version nibble says it better */
		(void)pw_cursor_u32(&c);
		if (!c.bad)
			ip_packet(&d, c, PW_TUNNEL_NONE);
		return len >= NULL_HEADER;
	case PW_LINK_RAW: case PW_LINK_RAW_BSD: case PW_LINK_IPV4: case PW_LINK_IPV6:
		ip_packet(&d, c, PW_TUNNEL_NONE);
		return len > 0;
	default:
		return false;
	}
}
