/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_ADVICE_H
#define ENGINE_CLUSTER_ADVICE_H

#include <packetwalk/buf.h>
#include <packetwalk/facts.h>

/*
 * One connection judged in words: allow or deny, what decided it on each side,
 * and the smallest rule that would change it. Escaped for a terminal.
 */
void pw_policy_advise(const struct pw_facts *facts, const struct pw_peer *from, const struct pw_peer *to, const char *protocol,
		      uint16_t port, struct pw_buf *out);

#endif
