/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Echo requests of given sizes, side by side, each tried until it is answered. */
#include "echo.h"

#include <packetwalk/probe.h>

enum {
	SIZES_MAX = 256, TRIES_MAX = 64,
	PACED_ABOVE = 10, GAP_US = 2000, /* a burst of more could overflow a small queue on the way, which is not the loss that is asked for */
};

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

/* One request of every size not answered yet, side by side. */
static void round_of(struct pw_ctx *ctx, struct pw_echo_sock *s, struct pw_echo *all, const size_t *open, size_t n, struct pw_echo *batch,
		     unsigned timeout_ms)
{
	for (size_t i = 0; i < n; i++)
		batch[i] = (struct pw_echo){ .size = all[open[i]].size };
	pw_echo_batch(ctx, s, batch, n, timeout_ms);
	for (size_t i = 0; i < n; i++)
		all[open[i]] = batch[i];
}

static int ping(struct pw_ctx *ctx, struct pw_echo_sock *s, struct pw_echo *all, size_t n, unsigned tries, unsigned timeout_ms,
		struct tally *t, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_echo *batch = pw_arena_array(arena, n, sizeof *batch);
	size_t *open = pw_arena_array(arena, n, sizeof *open);
	if (!batch || !open)
		return pw_err_set(err, PW_NOMEM, "no memory for a ping");
	s->gap_us = n > PACED_ABOVE ? GAP_US : 0;
	for (unsigned try = 0; try == 0 || try < tries; try++) {
		size_t left = 0;
		for (size_t i = 0; i < n; i++)
			if (all[i].result == PW_ECHO_SILENT)
				open[left++] = i;
		/* A try that has no time for its answers would only look like loss. */
		if (!left || (try > 0 && pw_ctx_remaining_ms(ctx) < timeout_ms))
			break;
		round_of(ctx, s, all, open, left, batch, timeout_ms);
		for (size_t i = 0; i < left; i++)
			add(t, &all[open[i]]);
	}
	return PW_OK;
}

int pw_probe_ping(struct pw_ctx *ctx, const char *address, const unsigned *sizes, size_t n_sizes,
		  unsigned tries, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_echo_sock s;
	struct tally t = { 0, 0, 0, 0 };
	if (!n_sizes || n_sizes > SIZES_MAX || tries > TRIES_MAX)
		return pw_err_set(err, PW_USAGE, "%zu sizes, %u tries: ping takes 1..%d sizes and at most %d tries", n_sizes, tries, SIZES_MAX, TRIES_MAX);
	struct pw_echo *all = pw_arena_array(pw_ctx_arena(ctx), n_sizes, sizeof *all);
	if (!all)
		return pw_err_set(err, PW_NOMEM, "no memory for a ping");
	for (size_t i = 0; i < n_sizes; i++)
		all[i].size = clamped(sizes[i]);
	int rc = pw_echo_open(&s, address, err);
	if (rc < 0)
		return rc;
	rc = ping(ctx, &s, all, n_sizes, tries, timeout_ms, &t, err);
	pw_echo_close(&s);
	if (rc < 0)
		return rc;
	struct pw_val *results = pw_map_set_seq(ret, "results");
	for (size_t i = 0; i < n_sizes; i++)
		pw_echo_put(&all[i], words, pw_seq_add_map(results));
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
