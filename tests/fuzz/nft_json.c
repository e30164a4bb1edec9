/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any JSON can be read as nft's or refused, and what was read can be walked to an end. */
#include "rules.h"

#include <packetwalk/cleanup.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pw_packet packets[] = {
		{ .src = "10.244.1.7", .dst = "10.96.0.80", .protocol = "tcp", .dport = 80, .iif = "cni0" },
		{ .dst = "10.96.0.80", .protocol = "udp", .dport = 53, .local_out = true },
		{ .dst = "fd00::1" },
	};
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(256 << 20);
	struct pw_err err = PW_ERR_INIT;
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = pw_rules_add_nft_json(rules, (const char *)data, size, "x.json", &err);
	MUST(rc == PW_OK || (rc == PW_SYNTAX && err.text[0]));
	if (rc != PW_OK)
		return 0;
	ask_rules(rules, packets, sizeof packets / sizeof *packets, arena);
	return 0;
}
