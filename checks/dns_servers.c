/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_servers: ask each of several name servers the same question, many times.
 * A client that takes turns among them meets the dead one only now and then.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "Name to ask for, fully qualified" },
	{ "servers", PW_TYPE_STR, 0, NULL, NULL, "Addresses, separated by blanks; left out, empty or a file: those of the vantage's resolv.conf" },
	{ "count", PW_TYPE_INT, 0, "40", "1..200", "Questions to each" },
	{ "wait", PW_TYPE_DURATION, 0, "2s", NULL, "Limit of one question" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Every server that was asked answers every question.", NULL, NULL },
	{ "some-silent", PW_CLASS_FAIL, "Some servers answer, and others never.", "a dead server, or a firewall in front of it", "remove it, or heal it" },
	{ "all-silent", PW_CLASS_FAIL, "No server answers.", "a firewall, no route, or dead servers", NULL },
	{ "lossy", PW_CLASS_FAIL, "A server answers some questions and leaves others.", "a limit of questions per second, or packets lost on the way", "spread the load, or raise the limit" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "servers", PW_TYPE_INT, NULL, "Servers asked, or that were to be" },
	{ "heard", PW_TYPE_INT, NULL, "Of these, those asked often enough to tell" },
	{ "skipped", PW_TYPE_STR, NULL, "Those that take no plain DNS, such as tls://, and were not asked, separated by commas" },
	{ "first", PW_TYPE_ADDRESS, NULL, "Address of the first that answered, empty if none" },
	{ "silent", PW_TYPE_STR, NULL, "Those that never answered, separated by commas" },
	{ "lossy", PW_TYPE_STR, NULL, "The first that left questions without an answer, empty if none" },
	{ "answered", PW_TYPE_INT, NULL, "Questions that one answered" },
	{ "asked", PW_TYPE_INT, NULL, "Questions it was asked" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* As many as forward takes (plugin/forward); a lost question by itself says nothing, and a few say enough. */
enum { SERVERS_MAX = 15, LOST_ENOUGH = 3, LOST_BY_CHANCE = 1 };

static int ask_one(struct pw_ctx *ctx, const char *server, struct pw_val *list, struct pw_err *err)
{
	long long asked = 0, answered = 0, count = pw_ctx_int(ctx, "count");
	int rc = PW_OK;
	while (!rc && asked < count && asked - answered < LOST_ENOUGH && pw_ctx_remaining_ms(ctx) > pw_ctx_ms(ctx, "wait")) {
		struct pw_val *seen = pw_val_map(pw_ctx_arena(ctx));
		struct pw_dns_query query = { .server = server, .name = pw_ctx_str(ctx, "name"), .type = "A", .edns = true,
			.timeout_ms = pw_ctx_ms(ctx, "wait"), .tries = 1 };
		rc = pw_probe_dns(ctx, &query, seen, err);
		asked++;
		answered += !strcmp(pw_map_str(seen, "result", ""), "answered");
	}
	struct pw_val *item = pw_seq_add_map(list);
	pw_map_set_str(item, "server", server);
	pw_map_set_int(item, "asked", asked);
	pw_map_set_int(item, "answered", answered);
	return rc;
}

/* A server of forward's may be "dns://192.0.2.1:53"; one of another scheme does not speak plain DNS. */
static const char *plain_dns(const char *target)
{
	const char *scheme = strstr(target, "://");
	if (!scheme)
		return target;
	return strncasecmp(target, "dns://", strlen("dns://")) ? NULL : scheme + 3;
}

static int ask_listed(struct pw_ctx *ctx, const char *servers, struct pw_val *list, struct pw_val *skipped, struct pw_err *err)
{
	char copy[1024], *save = NULL;
	int rc = PW_OK;
	(void)snprintf(copy, sizeof copy, "%s", servers);
	for (char *word = strtok_r(copy, " ", &save); word && !rc && pw_val_count(list) < SERVERS_MAX; word = strtok_r(NULL, " ", &save)) {
		const char *server = plain_dns(word);
		if (server)
			rc = ask_one(ctx, server, list, err);
		else
			pw_seq_add_str(skipped, word);
	}
	return rc;
}

static int ask_configured(struct pw_ctx *ctx, struct pw_val *list, struct pw_err *err)
{
	struct pw_val *config = pw_val_map(pw_ctx_arena(ctx));
	int rc = pw_probe_resolv_conf(ctx, config, err);
	const struct pw_val *servers = pw_map_get(config, "nameservers");
	for (size_t i = 0; !rc && i < pw_val_count(servers) && i < SERVERS_MAX; i++)
		rc = ask_one(ctx, pw_val_text(pw_val_at(servers, i)), list, err);
	return rc;
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_val *list = pw_map_set_seq(observation, "servers");
	struct pw_val *skipped = pw_map_set_seq(observation, "skipped");
	const char *servers = pw_ctx_str(ctx, "servers");
	return servers && *servers && *servers != '/' ? ask_listed(ctx, servers, list, skipped, err) : ask_configured(ctx, list, err);
}

/* "192.0.2.1:53" and "[::1]:53" without the port. */
static void put_address(struct pw_val *ev, const char *server)
{
	const char *colon = strchr(server, ':'), *close = strchr(server, ']');
	if (*server == '[' && close)
		pw_map_set_strf(ev, "first", "%.*s", (int)(close - server - 1), server + 1);
	else if (colon && !strchr(colon + 1, ':'))
		pw_map_set_strf(ev, "first", "%.*s", (int)(colon - server), server);
	else
		pw_map_set_str(ev, "first", server);
}

/* The servers of the list by what they did; each buffer names some, separated by commas. */
struct sorted {
	size_t n, n_answering, n_silent;
	const struct pw_val *first, *lossy;
	struct pw_buf silent, untold, skipped;
};

static void add_name(struct pw_buf *names, const char *name)
{
	pw_buf_printf(names, "%s%s", names->len ? ", " : "", name);
}

static void sort(const struct pw_val *observation, struct sorted *ret)
{
	const struct pw_val *list = pw_map_get(observation, "servers"), *skipped = pw_map_get(observation, "skipped");
	ret->n = pw_val_count(list);
	for (size_t i = 0; i < ret->n; i++) {
		const struct pw_val *one = pw_val_at(list, i);
		long long asked = pw_map_count(one, "asked"), answered = pw_map_count(one, "answered");
		if (answered) {
			ret->n_answering++;
			ret->first = ret->first ? ret->first : one;
			ret->lossy = !ret->lossy && asked - answered > LOST_BY_CHANCE ? one : ret->lossy;
		} else if (asked >= LOST_ENOUGH) {
			ret->n_silent++;
			add_name(&ret->silent, pw_map_str(one, "server", ""));
		} else {
			add_name(&ret->untold, pw_map_str(one, "server", ""));
		}
	}
	for (size_t i = 0; i < pw_val_count(skipped); i++)
		add_name(&ret->skipped, pw_val_text(pw_val_at(skipped, i)));
}

/* What the sentence does not speak for. */
static void left_out(const struct sorted *s, struct pw_buf *out)
{
	if (s->untold.len)
		pw_buf_printf(out, " Not asked often enough: %s.", pw_buf_str(&s->untold));
	if (s->skipped.len)
		pw_buf_printf(out, " Not asked, since it takes no plain DNS: %s.", pw_buf_str(&s->skipped));
}

static void conclude(const struct sorted *s, const char *name, const char *rest, struct pw_result *result)
{
	const char *silent = pw_buf_str(&s->silent);
	if (s->n_silent && s->n_answering)
		pw_result_set(result, "some-silent", "%s: %zu of %zu name servers answer; silent: %s.%s", name, s->n_answering, s->n_answering + s->n_silent, silent, rest);
	else if (s->lossy)
		pw_result_set(result, "lossy", "%s: %s answers %lld of %lld questions asked in a row.%s", name, pw_map_str(s->lossy, "server", ""),
			      pw_map_count(s->lossy, "answered"), pw_map_count(s->lossy, "asked"), rest);
	else if (s->n_answering)
		pw_result_set(result, "ok", "%s: each of %zu name servers answers every question.%s", name, s->n_answering, rest);
	else if (s->n_silent && !*rest)
		pw_result_set(result, "all-silent", "%s: no answer from %s.", name, silent);
	else if (s->n_silent)
		pw_result_unknown(result, "%s: no answer from %s, and others were not asked.%s", name, silent, rest);
	else
		pw_result_unknown(result, "no name server was asked for %s.%s", name, rest);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	struct sorted s = { .n = 0 };
	PW_CLEAN_BUF struct pw_buf rest;
	pw_buf_init(&rest, 4096);
	pw_buf_init(&s.silent, 4096);
	pw_buf_init(&s.untold, 4096);
	pw_buf_init(&s.skipped, 4096);
	sort(observation, &s);
	left_out(&s, &rest);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "servers", (long long)s.n);
	pw_map_set_int(ev, "heard", (long long)(s.n_answering + s.n_silent));
	pw_map_set_str(ev, "skipped", pw_buf_str(&s.skipped));
	put_address(ev, pw_map_str(s.first, "server", ""));
	pw_map_set_str(ev, "silent", pw_buf_str(&s.silent));
	pw_map_set_str(ev, "lossy", pw_map_str(s.lossy, "server", ""));
	pw_map_set_int(ev, "answered", pw_map_count(s.lossy, "answered"));
	pw_map_set_int(ev, "asked", pw_map_count(s.lossy, "asked"));
	conclude(&s, pw_ctx_str(ctx, "name"), pw_buf_str(&rest), result);
	pw_buf_release(&s.silent);
	pw_buf_release(&s.untold);
	pw_buf_release(&s.skipped);
	return PW_OK;
}

const struct pw_check pw_check_dns_servers = {
	PW_CHECK_HEAD("dns_servers"),
	.summary = "Ask each of several name servers the same question, many times",
	.details = "Finds the one of several that is dead, and the one that answers only so many questions a second.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 30000,
	.example = "check dns_servers name=www.example.test servers=\"192.0.2.1 192.0.2.2\"",
	.probe = probe,
	.judge = judge,
};
