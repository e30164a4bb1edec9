/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Echo requests of given sizes, each tried until it is answered. */
#include "echo.h"

#include <packetwalk/probe.h>

enum { SIZES_MAX = 64, TRIES_MAX = 64 };

static const char *const words[6] = { "silent", "reply", "too-big", "too-big", "unreachable", "local-denied" };

static unsigned clamped(unsigned size)
{
	return size < PW_ECHO_MIN ? PW_ECHO_MIN : size > PW_ECHO_MAX ? PW_ECHO_MAX : size;
}

struct tally { long long sent, received; double min, max; };

static void add(struct tally *t, const struct pw_echo *e)
{
	double ms = pw_us_to_ms(e->end_us - e->sent_us);
	t->sent += e->result != PW_ECHO_TOO_BIG_LOCAL && e->result != PW_ECHO_DENIED;
	if (e->result != PW_ECHO_REPLY)
		return;
	if (!t->received++ || ms < t->min)
		t->min = ms;
	if (ms > t->max)
		t->max = ms;
}

int pw_probe_ping(struct pw_ctx *ctx, const char *address, const unsigned *sizes, size_t n_sizes,
		  unsigned tries, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_echo_sock s;
	struct tally t = { 0, 0, 0, 0 };
	if (!n_sizes || n_sizes > SIZES_MAX || tries > TRIES_MAX)
		return pw_err_set(err, PW_USAGE, "%zu sizes, %u tries: ping takes 1..%d sizes and at most %d tries", n_sizes, tries, SIZES_MAX, TRIES_MAX);
	int rc = pw_echo_open(&s, address, err);
	if (rc < 0)
		return rc;
	struct pw_val *results = pw_map_set_seq(ret, "results");
	for (size_t i = 0; i < n_sizes; i++) {
		struct pw_echo e;
		unsigned left = tries ? tries : 1;
		do {
			e = (struct pw_echo){ .size = clamped(sizes[i]) };
			pw_echo_batch(ctx, &s, &e, 1, timeout_ms);
			add(&t, &e);
		} while (--left && e.result == PW_ECHO_SILENT);
		pw_echo_put(&e, words, pw_seq_add_map(results));
	}
	pw_echo_close(&s);
	pw_map_set_str(ret, "address", address);
	pw_map_set_int(ret, "sent", t.sent);
	pw_map_set_int(ret, "received", t.received);
	if (t.received) {
		pw_map_set_real(ret, "ms_min", t.min);
		pw_map_set_real(ret, "ms_max", t.max);
	}
	if (pw_arena_failed(pw_ctx_arena(ctx)))
		return pw_err_set(err, PW_NOMEM, "no memory for the results of a ping");
	return PW_OK;
}
