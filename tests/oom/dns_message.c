/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A DNS response of several records. */
#include "oom.h"

#include <packetwalk/cleanup.h>
#include <probe/dns.h>

#include <stdint.h>

static const char message[] =
	"\x12\x34\x81\x80\0\1\0\3\0\0\0\0" "\3web\4test\0\0\1\0\1"
	"\xc0\x0c\0\5\0\1\0\0\0\x1e\0\7\4real\xc0\x0c" "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\x0a\0\0\1"
	"\xc0\x0c\0\x10\0\1\0\0\0\1\0\6\2ab\2cd";

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_val *map = pw_val_map(arena);
	bool fine = pw_dns_message_parse((const uint8_t *)message, sizeof message - 1, arena, map);
	if (pw_arena_failed(arena))
		return PW_NOMEM;
	if (!fine || pw_val_count(pw_map_get(map, "addresses")) != 1 || pw_val_count(pw_map_get(map, "texts")) != 1)
		return pw_err_set(err, PW_INTERNAL, "records are missing");
	return PW_OK;
}

const struct oom_scenario oom_scenario = { run, false };
