/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS with borrowed programs: the questions are made here and their answers
 * taken apart here, byte for byte; the container only carries them. Where it
 * has nothing that could, its own getent may still prove that a name resolves.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/cleanup.h>
#include <probe/dns.h>
#include <probe/resolv.h>

enum {
	QUESTION_MAX = 512, ANSWER_MAX = 4096,
	TCP_HEAD = 2,          /* the length in front of a message over TCP: RFC 1035 4.2.2 */
	QUESTIONS_MAX = PW_DNS_SERVERS_MAX * PW_DNS_TYPES_MAX,
	GETENT_MAX = 16384, GETENT_MS = 15000, /* two servers, two tries of 5 s: resolv.conf(5)'s defaults lie within */
	GETENT_NOT_FOUND = 2,
	PATHS_MAX = 32,
};

struct question {
	uint8_t data[TCP_HEAD + QUESTION_MAX];
	size_t len;
	char address[PW_ENDPOINT_TEXT];
	unsigned port;
};

static int make(const struct pw_dns_ask *ask, size_t server, size_t type, struct question *ret, struct pw_err *err)
{
	struct pw_endpoint to;
	size_t len = 0, head = ask->tcp ? TCP_HEAD : 0;
	if (!pw_endpoint_parse(&to, ask->servers[server], PW_DNS_PORT))
		return pw_err_set(err, PW_USAGE, "\"%.64s\" is not the address of a DNS server", ask->servers[server] ? ask->servers[server] : "");
	int rc = pw_dns_question(ask, ask->types[type], ret->data + head, QUESTION_MAX, &len, err);
	if (rc < 0)
		return rc;
	if (head) {
		ret->data[0] = (uint8_t)(len >> 8);
		ret->data[1] = (uint8_t)len;
	}
	ret->len = head + len;
	ret->port = pw_endpoint_port(&to);
	pw_endpoint_address(&to, ret->address);
	return PW_OK;
}

static const char *result_of(enum pw_wire_end end, bool tcp)
{
	switch (end) {
	case PW_WIRE_REFUSED: return tcp ? "refused-rst" : "refused-icmp"; /* both say: nothing serves DNS there */
	case PW_WIRE_SILENT: return "timeout";
	case PW_WIRE_HOST: case PW_WIRE_NET: return "unreachable";
	case PW_WIRE_DENIED: case PW_WIRE_PORTS: return "local-denied";
	case PW_WIRE_GOOD: case PW_WIRE_UNTOLD: break;
	}
	return "untold";
}

/* The answer has the number of its question, or it is none. */
static void put_answer(const struct question *q, const struct pw_wire_try *one, bool tcp, struct pw_arena *arena, struct pw_val *ret)
{
	uint8_t data[ANSWER_MAX];
	size_t len = pw_wire_answer(one, data, sizeof data), head = tcp ? TCP_HEAD : 0;
	pw_map_set_real(ret, "ms", one->ms);
	if (len <= head) {
		pw_map_set_str(ret, "result", tcp && one->ran && !one->status && pw_wire_ask_end(one) == PW_WIRE_UNTOLD ? "closed" : result_of(pw_wire_ask_end(one), tcp));
		return;
	}
	bool fine = len > head + 2 && !memcmp(data + head, q->data + head, 2) && pw_dns_message_parse(data + head, len - head, arena, ret);
	pw_map_set_int(ret, "bytes", (long long)(len - head));
	pw_map_set_str(ret, "result", fine ? "answered" : "malformed");
}

static int exchange(void *arg, struct pw_ctx *ctx, const struct pw_dns_ask *ask, struct pw_val *const *ret, struct pw_err *err)
{
	struct pw_tools *tools = arg;
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_wire *wire = pw_arena_alloc(arena, sizeof *wire);
	struct question *questions = pw_arena_array(arena, QUESTIONS_MAX, sizeof *questions);
	struct pw_wire_ask asks[QUESTIONS_MAX];
	struct pw_dns_ask plain = *ask;
	plain.edns = false; /* an answer of 512 bytes passes through a shell in one line; a longer one comes cut, and is asked for by TCP */
	size_t n = ask->n_servers * ask->n_types;
	if (!wire || !questions)
		return pw_err_set(err, PW_NOMEM, "no memory for DNS questions");
	if (!n || n > QUESTIONS_MAX)
		return pw_err_set(err, PW_INTERNAL, "%zu DNS questions at once are too many or none", n);
	for (size_t i = 0; i < n; i++) {
		int rc = make(&plain, i / ask->n_types, i % ask->n_types, &questions[i], err);
		if (rc < 0)
			return rc;
		asks[i] = (struct pw_wire_ask){ .host = questions[i].address, .port = questions[i].port, .payload = questions[i].data, .len = questions[i].len };
	}
	int rc = pw_wire_ask(tools, ask->tcp, asks, n, ask->timeout_ms, wire, err);
	for (size_t i = 0; rc == PW_OK && i < n; i++) {
		pw_map_set_str(ret[i], "server", ask->servers[i / ask->n_types]);
		pw_map_set_str(ret[i], "name", ask->name);
		pw_map_set_str(ret[i], "type", ask->types[i % ask->n_types]);
		pw_map_set_str(ret[i], "transport", ask->tcp ? "tcp" : "udp");
		pw_map_set_str(ret[i], "tool", wire->tool);
		/* The time of a program that is started for each question is the container's as much as the server's. */
		pw_map_set_bool(ret[i], "loose", strcmp(wire->tool, "python3") != 0);
		put_answer(&questions[i], &wire->tries[i], ask->tcp, arena, ret[i]);
	}
	return rc;
}

int pw_borrow_dns(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_dns_query *query, struct pw_val *ret, struct pw_err *err)
{
	const struct pw_dns_ask ask = { .servers = &query->server, .n_servers = 1, .name = query->name, .types = &query->type, .n_types = 1,
		.tcp = query->tcp, .timeout_ms = query->timeout_ms };
	struct pw_val *one = NULL;
	unsigned done = 0;
	do {
		one = pw_val_map(pw_ctx_arena(ctx));
		int rc = exchange(tools, ctx, &ask, &one, err);
		if (rc < 0)
			return rc;
		done++;
	} while (done < query->tries && strcmp(pw_map_str(one, "result", ""), "answered") != 0 && pw_ctx_remaining_ms(ctx) > query->timeout_ms);
	for (size_t i = 0; i < pw_val_count(one); i++)
		pw_map_set(ret, pw_map_key(one, i), pw_val_copy(pw_ctx_arena(ctx), pw_val_at(one, i)));
	pw_map_set_int(ret, "tries", done);
	return PW_OK;
}

/* ---- lookups ---- */

/* "ADDRESS  TYPE NAME" lines of getent ahosts, an address once. */
static void take_getent(const char *text, struct pw_val *addresses)
{
	char word[PW_ENDPOINT_TEXT];
	struct pw_endpoint ep;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(line, " \t\n"), line);
		bool there = false;
		for (size_t i = 0; i < pw_val_count(addresses); i++)
			there = there || !strcmp(pw_val_text(pw_val_at(addresses, i)), word);
		if (!there && pw_endpoint_set(&ep, word, 0))
			pw_seq_add_str(addresses, word);
	}
}

/* The container's own libc: it proves that a name resolves, and no more. */
static int by_getent(struct pw_ctx *ctx, struct pw_tools *tools, const char *name, struct pw_val *ret, struct pw_err *err)
{
	const char *const argv[] = { "getent", "ahosts", name, NULL };
	int status = 0;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, GETENT_MAX);
	if (*name == '-')
		return pw_err_set(err, PW_USAGE, "\"%.128s\" is not a name to look up", name);
	int rc = pw_tools_run(tools, argv, GETENT_MS, &out, &status, err);
	if (rc < 0)
		return rc;
	struct pw_val *addresses = pw_map_set_seq(ret, "addresses");
	take_getent(pw_buf_str(&out), addresses);
	if (status == GETENT_NOT_FOUND || !pw_val_count(addresses))
		return pw_err_set(err, PW_UNSUPPORTED, "getent in %s finds no address of %.128s and does not say why: with python3, or bash or nc with dd and od, or an agent on the node, "
				  "the DNS servers would be asked", pw_ctx_vantage(ctx), name);
	pw_map_set_str(ret, "name", name);
	pw_map_set_str(ret, "tool", "getent");
	(void)pw_map_set_seq(ret, "queries"); /* of another program, that told nothing */
	pw_map_set_str(ret, "server", "the container's own resolver");
	pw_map_set_str(ret, "result", "answered");
	pw_map_set_str(ret, "rcode", "NOERROR");
	pw_map_set_str(ret, "outcome", "found");
	return pw_arena_failed(pw_ctx_arena(ctx)) ? pw_err_set(err, PW_NOMEM, "no memory for addresses") : PW_OK;
}

static size_t add_paths(const char *const *more, const char **paths, size_t n, struct pw_arena *arena)
{
	for (; *more && n + 1 < PATHS_MAX; more++)
		paths[n++] = pw_arena_printf(arena, "?%s", *more);
	return n;
}

/* What decides a lookup, as the container has it. */
static int borrow_config(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_err *err)
{
	const char *paths[PATHS_MAX] = { PW_RESOLV_CONF, PW_HOSTS_FILE, ("?" PW_ALPINE_RELEASE) };
	size_t n = add_paths(pw_musl_loaders, paths, 3, pw_ctx_arena(ctx));
	(void)add_paths(pw_glibc_loaders, paths, n, pw_ctx_arena(ctx));
	return pw_borrow_files(ctx, tools, paths, err);
}

int pw_borrow_resolv_conf(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *ret, struct pw_err *err)
{
	int rc = borrow_config(ctx, tools, err);
	return rc < 0 ? rc : pw_probe_resolv_conf(ctx, ret, err);
}

int pw_borrow_lookup(struct pw_ctx *ctx, struct pw_tools *tools, const char *name, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_val *config = pw_val_map(pw_ctx_arena(ctx));
	struct pw_err why = PW_ERR_INIT;
	int rc = pw_borrow_resolv_conf(ctx, tools, config, err);
	if (rc < 0)
		return rc;
	const char *libc = !strcmp(pw_map_str(config, "libc", ""), "musl") ? "musl" : "glibc";
	rc = pw_lookup_by(ctx, exchange, tools, name, libc, true, timeout_ms, ret, &why);
	bool untold = rc == PW_OK && !strcmp(pw_map_str(ret, "result", ""), "untold");
	if ((rc == PW_UNSUPPORTED || untold) && pw_tools_have(tools, "getent"))
		return by_getent(ctx, tools, name, ret, err);
	return rc < 0 ? pw_err_set(err, rc, "%s", why.text) : PW_OK;
}
