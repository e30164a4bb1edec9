/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message of ctnetlink with any attributes: no byte outside it is read, and what comes out is whole. */
#include "fuzz.h"

#include <packetwalk/cleanup.h>

#include <dataplane/nl.h>

#include <string.h>

enum { MESSAGE_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	if (size > MESSAGE_MAX)
		return 0;
	/* Of its own size on the heap: a read past the end is seen. */
	struct nlmsghdr *message = malloc(sizeof *message + size);
	MUST(message);
	memset(message, 0, sizeof *message);
	message->nlmsg_len = (uint32_t)(sizeof *message + size);
	if (size > 0)
		memcpy(message + 1, data, size);
	struct pw_val *entry = pw_val_map(arena);
	bool any = pw_conntrack_entry(message, NULL, entry);
	MUST(!any || (pw_map_str(entry, "protocol", NULL) && pw_map_str(entry, "reply_src", NULL) && pw_map_str(entry, "state", NULL)));
	MUST(any || pw_val_count(entry) == 0);
	MUST(any || !pw_conntrack_entry(message, "10.96.0.10", NULL));
	free(message);
	return 0;
}
