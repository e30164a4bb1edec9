/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link_quality: echo many small packets and count what is lost. */
#include <string.h>

#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address at the other end" },
	{ "count", PW_TYPE_INT, 0, "60", "5..64", "Echo requests" },
	{ "wait", PW_TYPE_DURATION, 0, "700ms", NULL, "Limit of one" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "clean", PW_CLASS_OK, "Every request was answered.", NULL, NULL },
	{ "lossy", PW_CLASS_FAIL, "Some requests were lost.", "a bad cable, port or NIC, or a full link", "look at the error counters of both ends" },
	{ "silent", PW_CLASS_FAIL, "No request was answered.", "no path, or ICMP is filtered: it proves nothing alone", "connect to a TCP port there" },
	{ "unreachable", PW_CLASS_FAIL, "A router, or the own host, says there is no way.", "no ARP answer, or no route", "look at the neighbour table" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "sent", PW_TYPE_INT, "packets", "Requests sent" },
	{ "received", PW_TYPE_INT, "packets", "Answers received" },
	{ "loss", PW_TYPE_INT, "%", "Share lost" },
	{ "ms_max", PW_TYPE_REAL, "ms", "Longest round trip" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* The IP packet of an ordinary ping: 20 IP, 8 ICMP, 56 of data. */
#define ECHO_BYTES 84

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	unsigned count = (unsigned)pw_ctx_int(ctx, "count"), *sizes = pw_arena_array(pw_ctx_arena(ctx), count, sizeof *sizes);
	if (!sizes)
		return pw_err_set(err, PW_NOMEM, "preparing the echo requests: out of memory");
	for (unsigned i = 0; i < count; i++)
		sizes[i] = ECHO_BYTES;
	return pw_probe_ping(ctx, pw_ctx_str(ctx, "address"), sizes, count, 1, pw_ctx_ms(ctx, "wait"), observation, err);
}

static size_t unreachable(const struct pw_val *results)
{
	size_t n = 0;
	for (size_t i = 0; i < pw_val_count(results); i++)
		n += !strcmp(pw_map_str(pw_val_at(results, i), "result", ""), "unreachable");
	return n;
}

/* Of what the probe can have counted; anything else is no count. */
static long long in_range(long long n)
{
	return n > 0 && n <= 64 ? n : 0;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	long long sent = in_range(pw_map_int(observation, "sent", 0)), received = in_range(pw_map_int(observation, "received", 0));
	const char *address = pw_ctx_str(ctx, "address");
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(observation, "ms_max"), &ms);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "sent", sent);
	pw_map_set_int(ev, "received", received);
	pw_map_set_int(ev, "loss", sent ? (sent - received) * 100 / sent : 0);
	pw_map_set_real(ev, "ms_max", ms);
	if (!sent)
		pw_result_unknown(result, "no echo request could be sent");
	else if (received == sent)
		pw_result_set(result, "clean", "%s answered all %lld echo requests.", address, sent);
	else if (received)
		pw_result_set(result, "lossy", "%s answered %lld of %lld echo requests.", address, received, sent);
	else if (unreachable(pw_map_get(observation, "results")))
		pw_result_set(result, "unreachable", "%s is unreachable.", address);
	else
		pw_result_set(result, "silent", "%s answered none of %lld echo requests.", address, sent);
	return PW_OK;
}

const struct pw_check pw_check_link_quality = {
	PW_CHECK_HEAD("link_quality"),
	.summary = "Count the echo requests that get lost on the way to an address",
	.details = "Silence proves nothing alone: many networks filter ICMP.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.needs = PW_NEEDS_NET_RAW,
	.timeout_ms = 6000,
	.example = "check link_quality address=192.168.50.12 --at node:n1",
	.probe = probe,
	.judge = judge,
};
