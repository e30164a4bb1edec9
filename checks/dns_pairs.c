/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_pairs: look one name up many times and count the questions that stay
 * without an answer. A resolver asks for A and AAAA at once, over one socket;
 * where just one of the two is lost now and then, and a question alone never
 * is, the two race for one entry of a connection table.
 */
#include <string.h>
#include <time.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "Name to look up; no search domain is appended" },
	{ "count", PW_TYPE_INT, 0, "250", "1..1000", "Lookups" },
	{ "wait", PW_TYPE_DURATION, 0, "700ms", NULL, "Limit of one question" },
	{ "within", PW_TYPE_DURATION, 0, "3s", NULL, "No further lookup after so long" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Every question was answered, or all but one.", NULL, NULL },
	{ "loses-one", PW_CLASS_FAIL, "Now and then one of two questions sent at once is lost, and a question alone never is.", "two packets of one new flow race in a node's connection table", "a node-local DNS cache, or the resolver option single-request-reopen" },
	{ "lossy", PW_CLASS_FAIL, "Some lookups stay without an answer.", "one of several DNS servers is dead, packets are lost, or a table is full", "ask every DNS pod directly" },
	{ "late", PW_CLASS_WARN, "Again and again a lookup takes long, though its questions are answered.", "a DNS pod has too little CPU, or the servers behind it are slow", "ask each DNS pod from inside its own pod" },
	{ "silent", PW_CLASS_FAIL, "No lookup was answered.", NULL, "ask every DNS pod directly" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "pairs", PW_TYPE_INT, NULL, "Lookups made" },
	{ "one_lost", PW_TYPE_INT, NULL, "Lookups of which one question was lost" },
	{ "both_lost", PW_TYPE_INT, NULL, "Lookups of which both were lost" },
	{ "server", PW_TYPE_STR, NULL, "Server that was asked first, empty if none" },
	{ "late", PW_TYPE_INT, NULL, "Lookups that took 300 ms or longer" },
	{ "singles", PW_TYPE_INT, NULL, "Questions asked alone" },
	{ "singles_lost", PW_TYPE_INT, NULL, "Of these, lost" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Each lost question is waited for: so many tell as much as all. */
enum { LOST_ENOUGH = 4, LOST_BY_CHANCE = 1 };
/* Within a cluster an answer takes a few milliseconds; what is slower, and not just once, has a cause. */
enum { LATE_MS = 300, LATE_ENOUGH = 3 };

struct tally { long long pairs, one_lost, both_lost, late, singles, singles_lost; };

static bool lost(const struct pw_val *query)
{
	return !strcmp(pw_map_str(query, "result", ""), "timeout");
}

/* With a trailing dot, so that the search list stays out of it. */
static void whole_name(const struct pw_ctx *ctx, struct pw_buf *out)
{
	const char *name = pw_ctx_str(ctx, "name");
	size_t len = strlen(name);
	pw_buf_printf(out, "%s%s", name, len && name[len - 1] == '.' ? "" : ".");
}

/* The first two questions of a lookup are those sent together. */
static int ask_pair(struct pw_ctx *ctx, const char *name, struct tally *t, const char **ret_server, struct pw_err *err)
{
	struct pw_val *seen = pw_val_map(pw_ctx_arena(ctx));
	int rc = pw_probe_lookup(ctx, name, "glibc", false, pw_ctx_ms(ctx, "wait"), seen, err);
	if (rc)
		return rc;
	const struct pw_val *queries = pw_map_get(seen, "queries"), *first = pw_val_at(queries, 0), *second = pw_val_at(queries, 1);
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(seen, "ms"), &ms);
	*ret_server = pw_map_str(first, "server", "");
	t->pairs++;
	t->late += ms >= LATE_MS;
	t->one_lost += lost(first) != lost(second);
	t->both_lost += lost(first) && lost(second);
	return PW_OK;
}

static int ask_alone(struct pw_ctx *ctx, const char *server, struct tally *t, struct pw_err *err)
{
	struct pw_val *seen = pw_val_map(pw_ctx_arena(ctx));
	struct pw_dns_query query = { .server = server, .name = pw_ctx_str(ctx, "name"), .type = "A", .timeout_ms = pw_ctx_ms(ctx, "wait"), .tries = 1 };
	int rc = pw_probe_dns(ctx, &query, seen, err);
	t->singles++;
	t->singles_lost += lost(seen);
	return rc;
}

static double ms_since(const struct timespec *start)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e3 + (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

static bool time_left(const struct pw_ctx *ctx)
{
	return pw_ctx_remaining_ms(ctx) > 3 * pw_ctx_ms(ctx, "wait");
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct tally t = { .pairs = 0 };
	const char *server = "";
	int rc = PW_OK;
	long long count = pw_ctx_int(ctx, "count");
	struct timespec start;
	PW_CLEAN_BUF struct pw_buf name;
	pw_buf_init(&name, 512);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	whole_name(ctx, &name);
	while (!rc && t.pairs < count && t.one_lost + t.both_lost < LOST_ENOUGH && ms_since(&start) < pw_ctx_ms(ctx, "within") && time_left(ctx))
		rc = ask_pair(ctx, pw_buf_str(&name), &t, &server, err);
	/* Alone as often as in pairs, but only where it decides something. */
	bool decides = t.one_lost > LOST_BY_CHANCE && !t.both_lost;
	while (!rc && decides && t.singles < t.pairs && !t.singles_lost && time_left(ctx))
		rc = ask_alone(ctx, server, &t, err);
	pw_map_set_int(observation, "pairs", t.pairs);
	pw_map_set_int(observation, "one_lost", t.one_lost);
	pw_map_set_int(observation, "both_lost", t.both_lost);
	pw_map_set_int(observation, "late", t.late);
	pw_map_set_int(observation, "singles", t.singles);
	pw_map_set_int(observation, "singles_lost", t.singles_lost);
	pw_map_set_str(observation, "server", server);
	return rc;
}

static void conclude(const struct tally *t, const char *name, const char *server, struct pw_result *result)
{
	long long bad = t->one_lost + t->both_lost;
	if (t->both_lost == t->pairs)
		pw_result_set(result, "silent", "%s: none of %lld lookups got an answer from %s.", name, t->pairs, server);
	else if (bad <= LOST_BY_CHANCE && t->late >= LATE_ENOUGH)
		pw_result_set(result, "late", "%s: %lld of %lld lookups in a row took %d ms or longer.", name, t->late, t->pairs, LATE_MS);
	else if (bad <= LOST_BY_CHANCE)
		pw_result_set(result, "ok", "%s: %lld lookups in a row, %lld of them with a lost question.", name, t->pairs, bad);
	/* A server that never answers one type loses it every time. */
	else if (!t->both_lost && t->one_lost * 2 < t->pairs && t->singles >= t->pairs && !t->singles_lost)
		pw_result_set(result, "loses-one", "%s: of %lld lookups %lld lost one of the two questions sent at once, and none of %lld questions asked alone was lost.",
			      name, t->pairs, t->one_lost, t->singles);
	else
		pw_result_set(result, "lossy", "%s: of %lld lookups %lld lost both questions and %lld lost one; of %lld questions asked alone %lld were lost.", name,
			      t->pairs, t->both_lost, t->one_lost, t->singles, t->singles_lost);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	struct tally t = {
		.pairs = pw_map_int(observation, "pairs", 0), .one_lost = pw_map_int(observation, "one_lost", 0),
		.both_lost = pw_map_int(observation, "both_lost", 0), .late = pw_map_int(observation, "late", 0),
		.singles = pw_map_int(observation, "singles", 0),
		.singles_lost = pw_map_int(observation, "singles_lost", 0),
	};
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "pairs", t.pairs);
	pw_map_set_int(ev, "one_lost", t.one_lost);
	pw_map_set_int(ev, "both_lost", t.both_lost);
	pw_map_set_str(ev, "server", pw_map_str(observation, "server", ""));
	pw_map_set_int(ev, "late", t.late);
	pw_map_set_int(ev, "singles", t.singles);
	pw_map_set_int(ev, "singles_lost", t.singles_lost);
	if (!t.pairs) {
		pw_result_unknown(result, "no lookup was made");
		return PW_OK;
	}
	conclude(&t, pw_ctx_str(ctx, "name"), pw_map_str(observation, "server", ""), result);
	return PW_OK;
}

const struct pw_check pw_check_dns_pairs = {
	PW_CHECK_HEAD("dns_pairs"),
	.summary = "Look a name up many times and count the questions that are lost",
	.details = "A and AAAA at once over one socket, as resolvers ask; where one of two is lost, as many questions alone for comparison.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 12000,
	.example = "check dns_pairs name=kubernetes.default.svc.cluster.local",
	.probe = probe,
	.judge = judge,
};
