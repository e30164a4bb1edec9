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
	{ "wait", PW_TYPE_DURATION, 0, "1500ms", NULL, "After so long a question is asked again, alone" },
	{ "within", PW_TYPE_DURATION, 0, "3s", NULL, "No further lookup after so long, not counting what was waited for" },
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
	{ "late", PW_TYPE_INT, NULL, "Lookups that took 300 ms or longer and lost nothing" },
	{ "serial", PW_TYPE_BOOL, NULL, "The two questions of a lookup are not sent at once by UDP" },
	{ "singles", PW_TYPE_INT, NULL, "Questions asked alone" },
	{ "singles_lost", PW_TYPE_INT, NULL, "Of these, lost" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Each lost question is waited for: so many tell as much as all. Two that nobody answers in a resolver's whole time do, too. */
enum { LOST_ENOUGH = 4, UNANSWERED_ENOUGH = 2, LOST_BY_CHANCE = 1 };
/* Within a cluster an answer takes a few milliseconds; what is slower, and not just once, has a cause. */
enum { LATE_MS = 300, LATE_ENOUGH = 3 };
/* A resolver waits so long (resolv.conf(5), timeout); an answer that comes by then is none that was lost. */
enum { RESOLVER_MS = 5000 };
/* Twice the questions: where every question may be lost, that four lost ones are all among those of pairs has a chance of 1 in 81. */
enum { SINGLES_PER_PAIR = 4 };

struct tally { long long pairs, one_lost, both_lost, late, singles, singles_lost, unanswered; bool serial; };

static const char *const types[] = { "A", "AAAA" };

static bool timed_out(const struct pw_val *query)
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

static double ms_of(const struct pw_val *seen)
{
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(seen, "ms"), &ms);
	return ms;
}

static int ask_alone(struct pw_ctx *ctx, const char *server, const char *type, unsigned wait_ms, struct pw_val *seen, struct pw_err *err)
{
	struct pw_dns_query query = { .server = server, .name = pw_ctx_str(ctx, "name"), .type = type, .timeout_ms = wait_ms, .tries = 1 };
	return pw_probe_dns(ctx, &query, seen, err);
}

/*
 * A question without an answer is lost, or its answer is slow. The same one, alone and waited for as resolvers wait, tells:
 * answered slowly, the server is slow with this name. A server that had it under way still answers at once, so it is asked twice.
 */
static int was_lost(struct pw_ctx *ctx, const struct pw_val *first, struct tally *t, bool *ret, struct pw_err *err)
{
	int rc = PW_OK;
	*ret = timed_out(first);
	for (int again = 0; !rc && *ret && again < 2; again++) {
		struct pw_val *seen = pw_val_map(pw_ctx_arena(ctx));
		rc = ask_alone(ctx, pw_map_str(first, "server", ""), pw_map_str(first, "type", "A"), RESOLVER_MS, seen, err);
		if (timed_out(seen)) {
			t->unanswered++;
			return rc;
		}
		*ret = ms_of(seen) < LATE_MS;
	}
	return rc;
}

/* The first two questions of a lookup are those sent together. */
static int ask_pair(struct pw_ctx *ctx, const char *name, struct tally *t, const char **ret_server, struct pw_err *err)
{
	struct pw_val *seen = pw_val_map(pw_ctx_arena(ctx));
	int rc = pw_probe_lookup(ctx, name, "glibc", false, pw_ctx_ms(ctx, "wait"), seen, err);
	if (rc)
		return rc;
	const struct pw_val *queries = pw_map_get(seen, "queries"), *first = pw_val_at(queries, 0), *second = pw_val_at(queries, 1);
	bool lost_first, lost_second = false;
	rc = was_lost(ctx, first, t, &lost_first, err);
	/* Both silent, and the first of them slow or gone: the same is true of the second. */
	if (!rc && timed_out(first) && timed_out(second))
		lost_second = lost_first;
	else if (!rc)
		rc = was_lost(ctx, second, t, &lost_second, err);
	*ret_server = pw_map_str(first, "server", "");
	t->pairs++;
	t->serial = pw_map_bool(seen, "serial", false) || !strcmp(pw_map_str(first, "transport", ""), "tcp");
	t->one_lost += lost_first != lost_second;
	t->both_lost += lost_first && lost_second;
	t->late += !lost_first && !lost_second && ms_of(seen) >= LATE_MS;
	return rc;
}

/* Of either type as often as the pairs are, since a server may lose those of one. */
static int ask_single(struct pw_ctx *ctx, const char *server, struct tally *t, struct pw_err *err)
{
	struct pw_val *seen = pw_val_map(pw_ctx_arena(ctx));
	int rc = ask_alone(ctx, server, types[t->singles % 2], pw_ctx_ms(ctx, "wait"), seen, err);
	t->singles++;
	t->singles_lost += timed_out(seen);
	return rc;
}

static double ms_since(const struct timespec *start)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e3 + (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

/* For a lookup whose questions are all lost, of one server, and one of them asked again. */
static bool time_left(const struct pw_ctx *ctx)
{
	return pw_ctx_remaining_ms(ctx) > 2 * pw_ctx_ms(ctx, "wait") + RESOLVER_MS;
}

/* What is lost or late at the first few lookups takes nothing from the time for the others. */
static int ask_pairs(struct pw_ctx *ctx, const char *name, struct tally *t, const char **ret_server, struct pw_err *err)
{
	long long count = pw_ctx_int(ctx, "count");
	double spent = 0;
	int rc = PW_OK;
	while (!rc && t->pairs < count && t->one_lost + t->both_lost < LOST_ENOUGH && t->unanswered < UNANSWERED_ENOUGH
	       && spent < pw_ctx_ms(ctx, "within") && time_left(ctx)) {
		long long bad = t->one_lost + t->both_lost + t->late;
		struct timespec start;
		(void)clock_gettime(CLOCK_MONOTONIC, &start);
		rc = ask_pair(ctx, name, t, ret_server, err);
		bool weather = t->one_lost + t->both_lost + t->late == bad || bad >= LOST_ENOUGH;
		spent += weather ? ms_since(&start) : 0;
	}
	return rc;
}

/* A server that never answers one type loses it every time; and what is sent one after the other does not race. */
static bool may_race(const struct tally *t)
{
	return t->one_lost >= LOST_ENOUGH && !t->both_lost && t->one_lost * 2 < t->pairs && !t->serial;
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct tally t = { .pairs = 0 };
	const char *server = "";
	PW_CLEAN_BUF struct pw_buf name;
	pw_buf_init(&name, 512);
	whole_name(ctx, &name);
	int rc = ask_pairs(ctx, pw_buf_str(&name), &t, &server, err);
	/* Alone only where it decides something. */
	while (!rc && may_race(&t) && t.singles < t.pairs * SINGLES_PER_PAIR && !t.singles_lost && pw_ctx_remaining_ms(ctx) > 2 * pw_ctx_ms(ctx, "wait"))
		rc = ask_single(ctx, server, &t, err);
	pw_map_set_int(observation, "pairs", t.pairs);
	pw_map_set_int(observation, "one_lost", t.one_lost);
	pw_map_set_int(observation, "both_lost", t.both_lost);
	pw_map_set_int(observation, "late", t.late);
	pw_map_set_bool(observation, "serial", t.serial);
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
	else if (may_race(t) && t->singles >= t->pairs * SINGLES_PER_PAIR && !t->singles_lost)
		pw_result_set(result, "loses-one", "%s: of %lld lookups %lld lost one of the two questions sent at once, and none of %lld questions asked alone was lost.",
			      name, t->pairs, t->one_lost, t->singles);
	else if (t->singles)
		pw_result_set(result, "lossy", "%s: of %lld lookups %lld lost both questions and %lld lost one; of %lld questions asked alone %lld were lost.", name,
			      t->pairs, t->both_lost, t->one_lost, t->singles, t->singles_lost);
	else
		pw_result_set(result, "lossy", "%s: of %lld lookups %lld lost both questions and %lld lost one.", name, t->pairs, t->both_lost, t->one_lost);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	struct tally t = {
		.pairs = pw_map_count(observation, "pairs"), .one_lost = pw_map_count(observation, "one_lost"),
		.both_lost = pw_map_count(observation, "both_lost"), .late = pw_map_count(observation, "late"),
		.serial = pw_map_bool(observation, "serial", false), .singles = pw_map_count(observation, "singles"),
		.singles_lost = pw_map_count(observation, "singles_lost"),
	};
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "pairs", t.pairs);
	pw_map_set_int(ev, "one_lost", t.one_lost);
	pw_map_set_int(ev, "both_lost", t.both_lost);
	pw_map_set_str(ev, "server", pw_map_str(observation, "server", ""));
	pw_map_set_int(ev, "late", t.late);
	pw_map_set_bool(ev, "serial", t.serial);
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
	.details = "A and AAAA at once over one socket, as resolvers ask; where one of two is lost again and again, twice as many questions alone for comparison.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 25000,
	.example = "check dns_pairs name=kubernetes.default.svc.cluster.local",
	.probe = probe,
	.judge = judge,
};
