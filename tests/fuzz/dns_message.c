/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A DNS response from whoever answers. */
#include "fuzz.h"

#include <packetwalk/cleanup.h>
#include <probe/dns.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(64 << 20);
	struct pw_val *map = pw_val_map(arena);
	bool fine = pw_dns_message_parse(data, size, arena, map);
	MUST(!fine || pw_map_int(map, "rcode_num", -1) >= 0);
	return 0;
}
