/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building values, past every point of growth, and copying them. */
#include "oom.h"

#include <packetwalk/cleanup.h>
#include <packetwalk/val.h>

#include <stdint.h>
#include <stdio.h>

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX), *other = pw_arena_new(SIZE_MAX);
	struct pw_val *map = pw_val_map(arena), *list = pw_map_set_seq(map, "list");
	for (int i = 0; i < 500; i++) {
		char key[16];
		(void)snprintf(key, sizeof key, "key-%d", i);
		pw_map_set_strf(map, key, "%d", i);
		pw_map_set_int(pw_seq_add_map(list), key, i);
	}
	const struct pw_val *copy = pw_val_copy(other, map);
	if (pw_arena_failed(arena) || pw_arena_failed(other))
		return PW_NOMEM;
	return pw_val_equal(map, copy) ? PW_OK : pw_err_set(err, PW_INTERNAL, "the copy differs");
}

const struct oom_scenario oom_scenario = { run, false };
