/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connects and datagrams by borrowed programs, as observations of the probes
 * that make them themselves. Programs say "refused" and "timed out"; who
 * refused, and whether a connect was late or its program was, the kernel's
 * counters tell, where there are any. What neither tells is said to be untold.
 */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	LATE_MS = 900,         /* as tcp_connect's judge has it: later than that needs a second SYN */
	ANSWER_MAX = 4096,
};

/* What the counters say of all attempts together. */
struct told {
	bool trusted;          /* they moved with the attempts, so they are this network's */
	bool alone;            /* and with nothing else: what other programs connect to adds to them too */
	long long syn_retrans, unreachables;
	bool own_neighbour;    /* a neighbour is unanswering: an unreachable host may be the kernel's own finding */
};

static struct told told_by(const struct pw_wire *wire, unsigned count)
{
	const struct pw_wire_counters *a = &wire->before, *b = &wire->after;
	struct told t = { .trusted = a->there && b->there && b->opens - a->opens >= count, .own_neighbour = b->neighbours_open > 0 };
	t.alone = t.trusted && b->opens - a->opens == count;
	if (t.trusted) {
		t.syn_retrans = b->syn_retrans - a->syn_retrans;
		t.unreachables = b->unreachables - a->unreachables;
	}
	return t;
}

static unsigned count_of(const struct pw_wire *wire, unsigned count, enum pw_wire_end end)
{
	unsigned n = 0;
	for (unsigned i = 0; i < count; i++)
		n += pw_wire_end_of(&wire->tries[i]) == end;
	return n;
}

/* A RST leaves no trace in the counter of ICMP errors; an ICMP error raises it, once for each attempt it ended. */
static const char *refused(const struct told *t, const struct pw_wire_try *one, unsigned n_refused, struct pw_val *attempt)
{
	if (pw_wire_icmp(one, attempt))
		return "refused-icmp";
	if (t->trusted && !t->unreachables)
		return "refused-rst";
	return t->alone && t->unreachables == n_refused ? "refused-icmp" : "refused";
}

/* Time ran out before the program ended; whether a SYN was out that long, a second one proves. */
static const char *silent(const struct pw_wire *wire, const struct told *t, unsigned n_silent)
{
	bool measured = !strcmp(wire->tool, "python3"); /* waits from its own connect on */
	return measured || (t->alone && t->syn_retrans >= n_silent) ? "timeout" : "untold";
}

static const char *unreachable(const struct told *t, const struct pw_wire_try *one, struct pw_val *attempt)
{
	return pw_wire_icmp(one, attempt) || !t->own_neighbour ? "host-unreachable" : "untold";
}

static void put_attempt(const struct pw_wire *wire, const struct told *t, const struct pw_wire_try *one, unsigned count, struct pw_val *attempt)
{
	static const int numbers[] = { [PW_WIRE_GOOD] = 0, [PW_WIRE_REFUSED] = ECONNREFUSED, [PW_WIRE_SILENT] = 0, [PW_WIRE_HOST] = EHOSTUNREACH,
		[PW_WIRE_NET] = ENETUNREACH, [PW_WIRE_DENIED] = 0, [PW_WIRE_PORTS] = EADDRNOTAVAIL, [PW_WIRE_UNTOLD] = 0 };
	enum pw_wire_end end = pw_wire_end_of(one);
	const char *result = "untold";
	switch (end) {
	case PW_WIRE_GOOD: result = "connected"; break;
	case PW_WIRE_REFUSED: result = refused(t, one, count_of(wire, count, PW_WIRE_REFUSED), attempt); break;
	case PW_WIRE_SILENT: result = silent(wire, t, count_of(wire, count, PW_WIRE_SILENT)); break;
	case PW_WIRE_HOST: result = unreachable(t, one, attempt); break;
	case PW_WIRE_NET: result = "net-unreachable"; break;
	case PW_WIRE_DENIED: result = "local-denied"; break;
	case PW_WIRE_PORTS: result = "no-ports"; break;
	case PW_WIRE_UNTOLD: break;
	}
	pw_map_set_str(attempt, "result", result);
	pw_map_set_int(attempt, "errno", numbers[end]);
	/* A starved container is late by itself; a late connect has sent a second SYN. */
	if (one->ran && (end != PW_WIRE_GOOD || one->ms < LATE_MS || (t->alone && t->syn_retrans > 0)))
		pw_map_set_real(attempt, "ms", one->ms);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void put_times(const struct pw_val *attempts, struct pw_val *ret)
{
	double ms[PW_WIRE_TRIES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < pw_val_count(attempts) && n < PW_WIRE_TRIES_MAX; i++)
		n += pw_val_to_real(pw_map_get(pw_val_at(attempts, i), "ms"), &ms[n]);
	if (!n)
		return;
	qsort(ms, n, sizeof *ms, by_value);
	pw_map_set_real(ret, "ms_min", ms[0]);
	pw_map_set_real(ret, "ms_median", n % 2 ? ms[n / 2] : (ms[n / 2 - 1] + ms[n / 2]) / 2);
	pw_map_set_real(ret, "ms_max", ms[n - 1]);
}

static void put_counts(const struct pw_val *attempts, struct pw_val *ret)
{
	static const struct { const char *key, *result; } counts[] = { { "connected", "connected" }, { "refused_rst", "refused-rst" },
		{ "refused_icmp", "refused-icmp" }, { "host_unreachable", "host-unreachable" }, { "net_unreachable", "net-unreachable" },
		{ "timeout", "timeout" }, { "refused", "refused" }, { "untold", "untold" } };
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		long long n = 0;
		for (size_t i = 0; i < pw_val_count(attempts); i++)
			n += !strcmp(pw_map_str(pw_val_at(attempts, i), "result", ""), counts[k].result);
		pw_map_set_int(ret, counts[k].key, n);
	}
}

int pw_borrow_tcp(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_tcp_spec *spec, struct pw_val *ret, struct pw_err *err)
{
	struct pw_wire *wire = pw_arena_alloc(pw_ctx_arena(ctx), sizeof *wire);
	unsigned count = spec->count < PW_WIRE_TRIES_MAX ? spec->count : PW_WIRE_TRIES_MAX;
	if (!wire)
		return pw_err_set(err, PW_NOMEM, "no memory for connects");
	int rc = pw_wire_connect(tools, spec->address, spec->port, count, spec->timeout_ms, wire, err);
	if (rc < 0)
		return rc;
	struct told t = told_by(wire, count);
	pw_map_set_str(ret, "address", spec->address);
	pw_map_set_int(ret, "port", spec->port);
	pw_map_set_str(ret, "tool", wire->tool);
	struct pw_val *attempts = pw_map_set_seq(ret, "attempts");
	for (unsigned i = 0; i < count; i++)
		put_attempt(wire, &t, &wire->tries[i], count, pw_seq_add_map(attempts));
	put_counts(attempts, ret);
	put_times(attempts, ret);
	return PW_OK;
}

/* ---- datagrams ---- */

static const char *udp_result(enum pw_wire_end end)
{
	switch (end) {
	case PW_WIRE_GOOD: return "answered";
	case PW_WIRE_REFUSED: return "refused-icmp"; /* nothing else refuses a datagram */
	case PW_WIRE_SILENT: return "silent";
	case PW_WIRE_HOST: case PW_WIRE_NET: return "unreachable";
	case PW_WIRE_DENIED: case PW_WIRE_PORTS: return "local-denied";
	case PW_WIRE_UNTOLD: break;
	}
	return "untold";
}

int pw_borrow_udp(struct pw_ctx *ctx, struct pw_tools *tools, const char *address, unsigned port, const void *payload, size_t len,
		  unsigned count, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_wire *wire = pw_arena_alloc(pw_ctx_arena(ctx), sizeof *wire);
	struct pw_wire_ask asks[PW_WIRE_TRIES_MAX];
	long long answered = 0, quiet = 0, refusals = 0;
	uint8_t data[ANSWER_MAX];
	count = count < PW_WIRE_TRIES_MAX ? count : PW_WIRE_TRIES_MAX;
	for (unsigned i = 0; i < count; i++)
		asks[i] = (struct pw_wire_ask){ .host = address, .port = port, .payload = payload, .len = len };
	if (!wire)
		return pw_err_set(err, PW_NOMEM, "no memory for datagrams");
	int rc = pw_wire_ask(tools, false, asks, count, timeout_ms, wire, err);
	if (rc < 0)
		return rc;
	struct pw_val *attempts = pw_map_set_seq(ret, "attempts");
	for (unsigned i = 0; i < count; i++) {
		struct pw_val *attempt = pw_seq_add_map(attempts);
		const char *result = udp_result(pw_wire_ask_end(&wire->tries[i]));
		answered += !strcmp(result, "answered");
		quiet += !strcmp(result, "silent");
		refusals += !strcmp(result, "refused-icmp");
		pw_map_set_str(attempt, "result", result);
		pw_map_set_real(attempt, "ms", wire->tries[i].ms);
		pw_map_set_int(attempt, "bytes", (long long)pw_wire_answer(&wire->tries[i], data, sizeof data));
	}
	pw_map_set_str(ret, "tool", wire->tool);
	pw_map_set_int(ret, "answered", answered);
	pw_map_set_int(ret, "silent", quiet);
	pw_map_set_int(ret, "refused", refusals);
	return PW_OK;
}
