/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_servers: ask each of several name servers the same question, many times.
 * A client that takes turns among them meets the dead one only now and then.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "Name to ask for, fully qualified" },
	{ "servers", PW_TYPE_STR, 0, NULL, NULL, "Addresses, separated by blanks; left out, empty or a file: those of the vantage's resolv.conf" },
	{ "count", PW_TYPE_INT, 0, "40", "1..200", "Questions to each" },
	{ "wait", PW_TYPE_DURATION, 0, "800ms", NULL, "Limit of one question" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Every server answers every question.", NULL, NULL },
	{ "some-silent", PW_CLASS_FAIL, "Some servers answer, and others never.", "a dead server, or a firewall in front of it", "remove it, or heal it" },
	{ "all-silent", PW_CLASS_FAIL, "No server answers.", "a firewall, no route, or dead servers", NULL },
	{ "lossy", PW_CLASS_FAIL, "A server answers some questions and leaves others.", "a limit of questions per second, or packets lost on the way", "spread the load, or raise the limit" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "servers", PW_TYPE_INT, NULL, "Servers asked" },
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

/* "dns://192.0.2.1:53" is a server of forward's as well. */
static const char *without_scheme(const char *target)
{
	const char *scheme = strstr(target, "://");
	return scheme ? scheme + 3 : target;
}

static int ask_listed(struct pw_ctx *ctx, const char *servers, struct pw_val *list, struct pw_err *err)
{
	char copy[1024], *save = NULL;
	int rc = PW_OK;
	(void)snprintf(copy, sizeof copy, "%s", servers);
	for (char *word = strtok_r(copy, " ", &save); word && !rc && pw_val_count(list) < SERVERS_MAX; word = strtok_r(NULL, " ", &save))
		rc = ask_one(ctx, without_scheme(word), list, err);
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
	const char *servers = pw_ctx_str(ctx, "servers");
	return servers && *servers && *servers != '/' ? ask_listed(ctx, servers, list, err) : ask_configured(ctx, list, err);
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

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *list = pw_map_get(observation, "servers"), *lossy = NULL, *first = NULL;
	const char *name = pw_ctx_str(ctx, "name");
	size_t n = pw_val_count(list), n_silent = 0, n_asked = 0;
	PW_CLEAN_BUF struct pw_buf silent;
	pw_buf_init(&silent, 4096);
	for (size_t i = 0; i < n; i++) {
		const struct pw_val *one = pw_val_at(list, i);
		long long asked = pw_map_int(one, "asked", 0), answered = pw_map_int(one, "answered", 0);
		n_asked += asked > 0;
		first = !first && answered ? one : first;
		if (asked && !answered) {
			n_silent++;
			pw_buf_printf(&silent, "%s%s", silent.len ? ", " : "", pw_map_str(one, "server", ""));
		} else if (asked - answered > LOST_BY_CHANCE && !lossy) {
			lossy = one;
		}
	}
	long long asked = pw_map_int(lossy, "asked", 0), answered = pw_map_int(lossy, "answered", 0);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "servers", (long long)n);
	put_address(ev, pw_map_str(first, "server", ""));
	pw_map_set_str(ev, "silent", pw_buf_str(&silent));
	pw_map_set_str(ev, "lossy", pw_map_str(lossy, "server", ""));
	pw_map_set_int(ev, "answered", answered);
	pw_map_set_int(ev, "asked", asked);
	if (!n_asked)
		pw_result_unknown(result, "no name server was asked for %s", name);
	else if (n_silent == n_asked)
		pw_result_set(result, "all-silent", "%s: no answer from %s.", name, pw_buf_str(&silent));
	else if (n_silent)
		pw_result_set(result, "some-silent", "%s: %zu of %zu name servers answer; silent: %s.", name, n_asked - n_silent, n_asked, pw_buf_str(&silent));
	else if (lossy)
		pw_result_set(result, "lossy", "%s: %s answers %lld of %lld questions asked in a row.", name, pw_map_str(lossy, "server", ""), answered, asked);
	else
		pw_result_set(result, "ok", "%s: each of %zu name servers answers every question.", name, n_asked);
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
	.timeout_ms = 20000,
	.example = "check dns_servers name=www.example.test servers=\"192.0.2.1 192.0.2.2\"",
	.probe = probe,
	.judge = judge,
};
