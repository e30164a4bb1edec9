/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs one reader of the dataplane and prints what it saw: an item of a list
 * per line as "key {json}", everything else as key=value.
 *     dpread links | routes | route dst=.. [from=..] [iif=..] [mark=..] | rules | walk src=.. dst=.. proto=.. dport=.. [iif=..] [out=1] [local=1] ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dataplane/nl.h>
#include <doc/json.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/dataplane.h>
#include <vantage/ctx_priv.h>

#include "args.h"

enum { ARENA_MAX = 64 << 20, DEADLINE_MS = 60000, LINE_MAX = 1 << 20 };

static void print(const struct pw_val *ret)
{
	for (size_t i = 0; i < pw_val_count(ret); i++) {
		const struct pw_val *val = pw_val_at(ret, i);
		bool map = pw_val_is(val, PW_VAL_MAP), seq = pw_val_is(val, PW_VAL_SEQ);
		for (size_t k = 0; k < (map || seq ? pw_val_count(val) : 1); k++) {
			PW_CLEAN_BUF struct pw_buf line;
			pw_buf_init(&line, LINE_MAX);
			pw_json_write(&line, map || seq ? pw_val_at(val, k) : val, 0);
			if (map)
				printf("%s.%s=%s\n", pw_map_key(ret, i), pw_map_key(val, k), pw_buf_str(&line));
			else
				printf("%s%s%s\n", pw_map_key(ret, i), seq ? " " : "=", pw_buf_str(&line));
		}
		if (seq)
			printf("%s.n=%zu\n", pw_map_key(ret, i), pw_val_count(val));
	}
}

static int run_sysctls(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	const char *const *names = (const char *const *)args->v;
	return pw_read_sysctls(ctx, names, (size_t)args->n, ret, err);
}

static int run_counters(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	return pw_read_counters(ctx, pw_map_set_map(ret, "counters"), err);
}

static int run_rules(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_rules *rules = pw_rules_new(arena);
	const char *locals[] = { str(args, "locals") };
	struct pw_packet packet = {
		.src = str(args, "src"), .dst = str(args, "dst"), .protocol = str(args, "proto"), .dport = num(args, "dport", 0), .sport = num(args, "sport", 0),
		.iif = str(args, "iif"), .oif = str(args, "oif"), .local_out = num(args, "out", 0), .dst_local = num(args, "local", 0),
		.locals = locals, .n_locals = locals[0] ? 1 : 0,
	};
	int rc = pw_rules_read(ctx, rules, err);
	pw_rules_problems(rules, pw_map_set_seq(ret, "problems"));
	if (rc)
		return rc;
	pw_map_set_int(ret, "rules", (long long)pw_rules_count(rules));
	pw_map_set_int(ret, "chains", (long long)pw_rules_chain_count(rules));
	rc = pw_rules_walk(rules, &packet, arena, ret, err);
	if (!rc)
		rc = pw_rules_find_drops(rules, &packet, arena, ret, err);
	return rc ? rc : pw_rules_drop_counters(rules, pw_map_set_map(ret, "counters"));
}

static int run(const char *what, struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	if (!strcmp(what, "links"))
		return pw_read_links(ctx, ret, err);
	if (!strcmp(what, "routes"))
		return pw_read_routes(ctx, str(args, "v6") ? 10 : 2, ret, err); /* AF_INET6, AF_INET */
	if (!strcmp(what, "route"))
		return pw_route_get(ctx, str(args, "dst"), str(args, "from"), str(args, "iif"), num(args, "mark", 0), ret, err);
	if (!strcmp(what, "neighbours"))
		return pw_read_neighbours(ctx, ret, err);
	if (!strcmp(what, "fdb"))
		return pw_read_fdb(ctx, ret, err);
	if (!strcmp(what, "listeners"))
		return pw_read_listeners(ctx, ret, err);
	if (!strcmp(what, "listeners-proc"))
		return pw_read_listeners_proc(ctx, ret, err);
	if (!strcmp(what, "counters"))
		return run_counters(ctx, ret, err);
	if (!strcmp(what, "sysctls"))
		return run_sysctls(ctx, args, ret, err);
	if (!strcmp(what, "conntrack"))
		return pw_read_conntrack(ctx, str(args, "address"), ret, err);
	if (!strcmp(what, "rules"))
		return run_rules(ctx, args, ret, err);
	return pw_err_set(err, PW_USAGE, "no reader \"%s\"", what);
}

int main(int argc, char **argv)
{
	static const struct pw_check none = { PW_CHECK_HEAD("dpread") };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *ret = pw_val_map(arena);
	struct pw_ctx ctx;
	if (!ret || argc < 2)
		return 2;
	struct args args = { argc - 2, argv + 2 };
	pw_ctx_init(&ctx, &none, NULL, NULL, arena, DEADLINE_MS);
	int rc = run(argv[1], &ctx, &args, ret, &err);
	print(ret);
	if (rc < 0)
		printf("error=%s\nsays=%s\n", pw_code_word(rc), err.text);
	return rc < 0;
}
