/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resolv.conf and hosts of a stranger's container, and the candidates made of them. */
#include "fuzz.h"

#include <packetwalk/cleanup.h>
#include <probe/resolv.h>

static void check_candidates(const struct pw_val *conf, enum pw_libc libc, struct pw_arena *arena)
{
	static const char *const names[] = { "a", "a.", "a.b.c", "" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct pw_val *seq = pw_val_seq(arena);
		pw_resolv_candidates(names[i], libc, conf, seq);
		MUST(pw_val_count(seq) <= 65);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(64 << 20);
	struct pw_val *conf = pw_val_map(arena), *hosts = pw_val_seq(arena);
	MUST(pw_resolv_conf_parse((const char *)data, size, conf, NULL) == PW_OK);
	MUST(pw_map_int(conf, "ndots", -1) <= 15 && pw_map_int(conf, "attempts", -1) <= 5 && pw_map_int(conf, "timeout_s", -1) <= 30);
	check_candidates(conf, PW_LIBC_GLIBC, arena);
	check_candidates(conf, PW_LIBC_MUSL, arena);
	pw_hosts_parse((const char *)data, size, hosts);
	return 0;
}
