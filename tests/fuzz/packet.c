/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A captured frame: the first byte picks the link type, the rest is the frame. */
#include "fuzz.h"

#include <packet/decode.h>
#include <packet/flow.h>
#include <packetwalk/cleanup.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = { PW_LINK_ETHERNET, PW_LINK_SLL, PW_LINK_SLL2, PW_LINK_RAW, PW_LINK_NULL, PW_LINK_IPV4, PW_LINK_IPV6, 9999 };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_seen seen[2];
	struct pw_sighting sightings[2];
	if (!size)
		return 0;
	bool known = pw_frame_decode(links[*data % 8], data + 1, size - 1, &seen[0].frame);
	const struct pw_frame *f = &seen[0].frame;
	MUST(f->n_ip <= PW_FRAME_LAYERS && f->n_vlans <= 2);
	for (unsigned i = 0; i < f->n_ip; i++)
		MUST((f->ip[i].version == 4 || f->ip[i].version == 6) && (!f->ip[i].payload_hash || f->ip[i].payload));
	if (known)
		pw_frame_put(f, pw_val_map(arena));
	seen[0].t_us = 1;
	seen[1] = seen[0];
	if (f->n_ip) /* a packet is the same as itself */
		MUST(pw_flow_follow(seen, 2, 0, sightings, 2) == 2);
	return 0;
}
