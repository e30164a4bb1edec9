/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A resolv.conf and the candidates of a name. */
#include "oom.h"

#include <packetwalk/cleanup.h>
#include <probe/resolv.h>

#include <stdint.h>
#include <string.h>

static const char text[] = "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5 edns0\n";

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_val *conf = pw_val_map(arena), *candidates = pw_val_seq(arena);
	int r = pw_resolv_conf_parse(text, strlen(text), conf, err);
	if (r < 0)
		return r;
	pw_resolv_candidates("api", PW_LIBC_GLIBC, conf, candidates);
	if (pw_arena_failed(arena))
		return PW_NOMEM;
	return pw_val_count(candidates) == 4 ? PW_OK : pw_err_set(err, PW_INTERNAL, "candidates are missing");
}

const struct oom_scenario oom_scenario = { run, false };
