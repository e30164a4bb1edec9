/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PACKET_FLOW_H
#define ENGINE_PACKET_FLOW_H

#include "decode.h"

/*
 * One packet seen at several places. Addresses and ports may be translated
 * on the way and tunnels put around it, so what is compared is what those
 * leave alone: sequence numbers and timestamps of TCP, the IPv4
 * identification, lengths, and the start of the payload.
 */

/* Are these two sightings of one packet? A retransmission is another packet. */
bool pw_flow_same(const struct pw_ip_layer *a, const struct pw_ip_layer *b);
/* Is `b` an answer to `a`: the segment that acknowledges it, the datagram the other way, the echo reply? */
bool pw_flow_answers(const struct pw_ip_layer *a, const struct pw_ip_layer *b);
/* Does the ICMP error in `frame` complain of `a`? */
bool pw_flow_complains(const struct pw_ip_layer *a, const struct pw_frame *frame);

struct pw_seen {
	int64_t t_us;
	unsigned place;             /* the caller's number of the interface or file */
	struct pw_frame frame;
};

struct pw_sighting {
	size_t index;               /* into the packets */
	bool src_changed, dst_changed; /* address or port, against the first sighting */
	unsigned layer;             /* which IP packet of the frame it is: above 0 inside a tunnel */
};

/* All sightings of the innermost packet of packets[first], in the order of time, at most `max`. Returns their number. */
size_t pw_flow_follow(const struct pw_seen *packets, size_t n, size_t first, struct pw_sighting *ret, size_t max);

#endif
