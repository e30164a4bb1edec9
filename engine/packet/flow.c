/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following one packet across address translation and tunnels. */
#include "flow.h"

#include <string.h>

/* An id of 0 says nothing: Linux gives it to packets that may not be fragmented. */
static bool ids_differ(const struct pw_ip_layer *a, const struct pw_ip_layer *b)
{
	return a->version == 4 && a->id && b->id && a->id != b->id;
}

static bool payloads_differ(const struct pw_ip_layer *a, const struct pw_ip_layer *b)
{
	return a->payload != b->payload || (a->payload_hash && b->payload_hash && a->payload_hash != b->payload_hash);
}

bool pw_flow_same(const struct pw_ip_layer *a, const struct pw_ip_layer *b)
{
	if (a->version != b->version || a->protocol != b->protocol || a->fragment != b->fragment ||
	    a->first_fragment != b->first_fragment || ids_differ(a, b) || payloads_differ(a, b))
		return false;
	if (a->fragment && !a->first_fragment)
		return a->id == b->id;
	switch (a->protocol) {
	case PW_PROTO_TCP:
		return a->seq == b->seq && a->ack == b->ack && a->tcp_flags == b->tcp_flags &&
		       (!a->has_timestamp || !b->has_timestamp || a->ts_value == b->ts_value);
	case PW_PROTO_ICMP: case PW_PROTO_ICMPV6:
		return a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code && a->icmp_seq == b->icmp_seq;
	case PW_PROTO_UDP: case PW_PROTO_SCTP:
		/* Translation leaves one of the two ports alone, unless it is both DNAT and SNAT: then the payload must speak. */
		return a->sport == b->sport || a->dport == b->dport || (a->payload_hash && b->payload_hash);
	default:
		return !memcmp(a->src, b->src, sizeof a->src) || !memcmp(a->dst, b->dst, sizeof a->dst);
	}
}

static bool reversed(const struct pw_ip_layer *a, const struct pw_ip_layer *b)
{
	bool one_port = a->sport == b->dport || a->dport == b->sport;
	bool one_address = !memcmp(a->src, b->dst, sizeof a->src) || !memcmp(a->dst, b->src, sizeof a->dst);
	return one_port && one_address;
}

static uint32_t expected_ack(const struct pw_ip_layer *a)
{
	return a->seq + a->payload + ((a->tcp_flags & PW_TCP_SYN) != 0) + ((a->tcp_flags & PW_TCP_FIN) != 0);
}

bool pw_flow_answers(const struct pw_ip_layer *a, const struct pw_ip_layer *b)
{
	enum { V4_REQUEST = 8, V4_REPLY = 0, V6_REQUEST = 128, V6_REPLY = 129 };
	if (a->version != b->version || a->protocol != b->protocol)
		return false;
	switch (a->protocol) {
	case PW_PROTO_TCP:
		return (b->tcp_flags & PW_TCP_ACK) && b->ack == expected_ack(a) && (a->sport == b->dport || a->dport == b->sport);
	case PW_PROTO_UDP: case PW_PROTO_SCTP:
		return reversed(a, b);
	case PW_PROTO_ICMP:
		return a->icmp_type == V4_REQUEST && b->icmp_type == V4_REPLY && a->icmp_seq == b->icmp_seq && !payloads_differ(a, b);
	case PW_PROTO_ICMPV6:
		return a->icmp_type == V6_REQUEST && b->icmp_type == V6_REPLY && a->icmp_seq == b->icmp_seq && !payloads_differ(a, b);
	default:
		return false;
	}
}

/* The quote holds 8 bytes of transport at least: ports, and for TCP the sequence number. */
bool pw_flow_complains(const struct pw_ip_layer *a, const struct pw_frame *frame)
{
	const struct pw_ip_layer *q = &frame->quote;
	if (!frame->has_quote || q->version != a->version || q->protocol != a->protocol || ids_differ(a, q))
		return false;
	switch (a->protocol) {
	case PW_PROTO_TCP:
		return q->seq == a->seq && (q->sport == a->sport || q->dport == a->dport);
	case PW_PROTO_UDP: case PW_PROTO_SCTP:
		return q->sport == a->sport || q->dport == a->dport;
	case PW_PROTO_ICMP: case PW_PROTO_ICMPV6:
		return q->icmp_type == a->icmp_type && q->icmp_seq == a->icmp_seq;
	default:
		return !memcmp(q->dst, a->dst, sizeof a->dst);
	}
}

/* Which IP packet of the frame is the same; -1 if none. A tunnel's outer packet is not what it carries. */
static int layer_of(const struct pw_frame *frame, const struct pw_ip_layer *wanted)
{
	for (unsigned i = frame->n_ip; i-- > 0;)
		if (pw_flow_same(&frame->ip[i], wanted))
			return (int)i;
	return -1;
}

static size_t insert(const struct pw_seen *packets, struct pw_sighting *ret, size_t n, struct pw_sighting one)
{
	size_t at = n;
	while (at > 0 && packets[ret[at - 1].index].t_us > packets[one.index].t_us) {
		ret[at] = ret[at - 1];
		at--;
	}
	ret[at] = one;
	return n + 1;
}

size_t pw_flow_follow(const struct pw_seen *packets, size_t n, size_t first, struct pw_sighting *ret, size_t max)
{
	const struct pw_ip_layer *wanted = first < n ? pw_frame_inner(&packets[first].frame) : NULL;
	size_t found = 0;
	for (size_t i = 0; wanted && i < n && found < max; i++) {
		int layer = layer_of(&packets[i].frame, wanted);
		if (layer >= 0)
			found = insert(packets, ret, found, (struct pw_sighting){ .index = i, .layer = (unsigned)layer });
	}
	for (size_t i = 0; i < found; i++) {
		const struct pw_ip_layer *start = &packets[ret[0].index].frame.ip[ret[0].layer];
		const struct pw_ip_layer *here = &packets[ret[i].index].frame.ip[ret[i].layer];
		ret[i].src_changed = memcmp(start->src, here->src, sizeof start->src) != 0 || start->sport != here->sport;
		ret[i].dst_changed = memcmp(start->dst, here->dst, sizeof start->dst) != 0 || start->dport != here->dport;
	}
	return found;
}
