/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs one probe and prints what it saw, a line per value: path=value.
 *     netprobe tcp address=10.0.0.1 port=80 count=4 timeout=1000
 * A probe that could not run prints error=CODE and says=TEXT, and exits 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <packet/decode.h>
#include <packet/pcapng.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/probe.h>
#include <vantage/ctx_priv.h>

#include "args.h"

enum { ARENA_MAX = 64 << 20, DEADLINE_MS = 60000, PINGS_MAX = 300, PAYLOAD_MAX = 65536 };

static void print(const struct pw_val *val, const char *path)
{
	char sub[512];
	double real;
	long long whole;
	bool yes;
	switch (pw_val_kind(val)) {
	case PW_VAL_SEQ:
		printf("%s.n=%zu\n", path, pw_val_count(val));
		/* fall through */
	case PW_VAL_MAP:
		for (size_t i = 0; i < pw_val_count(val); i++) {
			if (pw_val_is(val, PW_VAL_MAP))
				(void)snprintf(sub, sizeof sub, "%s%s%s", path, *path ? "." : "", pw_map_key(val, i));
			else
				(void)snprintf(sub, sizeof sub, "%s.%zu", path, i);
			print(pw_val_at(val, i), sub);
		}
		break;
	case PW_VAL_BOOL:
		printf("%s=%s\n", path, pw_val_to_bool(val, &yes) && yes ? "true" : "false");
		break;
	case PW_VAL_INT:
		printf("%s=%lld\n", path, pw_val_to_int(val, &whole) ? whole : 0);
		break;
	case PW_VAL_REAL:
		printf("%s=%.3f\n", path, pw_val_to_real(val, &real) ? real : 0);
		break;
	case PW_VAL_STR:
		printf("%s=", path);
		for (const char *p = pw_val_text(val); *p; p++)
			printf(*p == '\n' ? "\\n" : *p == '\r' ? "\\r" : "%c", *p);
		printf("\n");
		break;
	case PW_VAL_NULL:
		printf("%s=null\n", path);
		break;
	}
}

static struct pw_tcp_spec tcp_spec(const struct args *args)
{
	return (struct pw_tcp_spec){
		.address = str(args, "address"), .port = num(args, "port", 0), .count = num(args, "count", 1),
		.timeout_ms = num(args, "timeout", 1000), .source = str(args, "source"), .mark = num(args, "mark", 0),
		.reset = num(args, "reset", 0),
	};
}

static int run_tcp(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_spec spec = tcp_spec(args);
	return pw_probe_tcp(ctx, &spec, ret, err);
}

/* The payload: text=..., or that of size=N bytes. */
static size_t payload(const struct args *args, char *out)
{
	const char *text = str(args, "text");
	size_t n = num(args, "size", text ? (unsigned)strlen(text) : 0);
	if (n > PAYLOAD_MAX)
		n = PAYLOAD_MAX;
	memset(out, 'x', n);
	if (text)
		memcpy(out, text, strlen(text) < n ? strlen(text) : n);
	return n;
}

static int run_exchange(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	static char data[PAYLOAD_MAX];
	struct pw_tcp_spec spec = tcp_spec(args);
	size_t n = payload(args, data);
	return pw_probe_tcp_exchange(ctx, &spec, data, n, ret, err);
}

static int run_dns(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	struct pw_dns_query query = { .server = str(args, "server"), .name = str(args, "name"), .type = str(args, "type"),
		.tcp = num(args, "tcp", 0), .edns = num(args, "edns", 0), .timeout_ms = num(args, "timeout", 1000),
		.tries = num(args, "tries", 1) };
	return pw_probe_dns(ctx, &query, ret, err);
}

static int run_lookup(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	return pw_probe_lookup(ctx, str(args, "name"), str(args, "libc"), num(args, "hosts", 1), num(args, "timeout", 0), ret, err);
}

static int run_resolv_conf(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	(void)args;
	return pw_probe_resolv_conf(ctx, ret, err);
}

static int run_udp(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	static char data[PAYLOAD_MAX];
	size_t n = payload(args, data);
	return pw_probe_udp(ctx, str(args, "address"), num(args, "port", 0), data, n, num(args, "count", 1), num(args, "timeout", 1000), ret, err);
}

static int run_http(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	struct pw_http_spec spec = { .url = str(args, "url"), .address = str(args, "address"), .host = str(args, "host"),
		.method = str(args, "method"), .body_bytes = num(args, "body", 0), .ca_file = str(args, "ca"),
		.insecure = num(args, "insecure", 0), .timeout_ms = num(args, "timeout", 3000) };
	return pw_probe_http(ctx, &spec, ret, err);
}

static int run_ping(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	unsigned sizes[PINGS_MAX], n = num(args, "count", str(args, "size2") ? 2 : 1);
	for (unsigned i = 0; i < PINGS_MAX; i++)
		sizes[i] = i == 1 ? num(args, "size2", num(args, "size", 84)) : num(args, "size", 84);
	return pw_probe_ping(ctx, str(args, "address"), sizes, n < PINGS_MAX ? n : PINGS_MAX, num(args, "tries", 1), num(args, "timeout", 1000), ret, err);
}

static int run_arp(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arp_spec spec = { .address = str(args, "address"), .dev = str(args, "dev"), .source = str(args, "source"),
		.tries = num(args, "tries", 2), .timeout_ms = num(args, "timeout", 300) };
	return pw_probe_arp(ctx, &spec, ret, err);
}

static int run_mtu(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	return pw_probe_mtu(ctx, str(args, "address"), num(args, "max", 0), num(args, "timeout", 500), ret, err);
}

static const struct args *during_args; /* pw_probe_capture's callback has no argument of its own */

static int during_tcp(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	return run_tcp(ctx, during_args, ret, err);
}

/* The test does what is to be seen between "ready" and the end of our input. */
static int during_wait(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	(void)ctx;
	(void)ret;
	(void)err;
	puts("ready");
	(void)fflush(stdout);
	while (getchar() != EOF)
		;
	return PW_OK;
}

static int run_capture(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	const char *interfaces[] = { str(args, "if"), str(args, "if2") };
	struct pw_capture_spec spec = { .interfaces = interfaces, .n_interfaces = interfaces[1] ? 2 : interfaces[0] ? 1 : 0,
		.filter = str(args, "filter"), .host = str(args, "host"), .for_ms = num(args, "for", str(args, "address") ? 0 : 1000),
		.keep = str(args, "keep"), .max_packets = num(args, "max", 0) };
	during_args = args;
	return pw_probe_capture(ctx, &spec, str(args, "address") ? during_tcp : str(args, "wait") ? during_wait : NULL, pw_map_set_map(ret, "during"), ret, err);
}

static int print_packet(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err)
{
	struct pw_frame frame;
	struct pw_val *map = pw_seq_add_map(arg);
	(void)err;
	if (pw_frame_decode(packet->link, packet->data, packet->captured, &frame))
		pw_frame_put(&frame, map);
	return PW_OK;
}

static int run_read(struct pw_ctx *ctx, const struct args *args, struct pw_val *ret, struct pw_err *err)
{
	(void)ctx;
	return pw_pcap_read(str(args, "file"), print_packet, pw_map_set_seq(ret, "packets"), err);
}

static const struct { const char *name; int (*run)(struct pw_ctx *, const struct args *, struct pw_val *, struct pw_err *); } probes[] = {
	{ "tcp", run_tcp },
	{ "exchange", run_exchange },
	{ "udp", run_udp },
	{ "http", run_http },
	{ "ping", run_ping },
	{ "arp", run_arp },
	{ "mtu", run_mtu },
	{ "capture", run_capture },
	{ "read", run_read },
	{ "dns", run_dns },
	{ "lookup", run_lookup },
	{ "resolv_conf", run_resolv_conf },
};

int main(int argc, char **argv)
{
	static const struct pw_check none = { PW_CHECK_HEAD("netprobe") };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *ret = pw_val_map(arena);
	struct pw_ctx ctx;
	if (!ret || argc < 2)
		return 2;
	struct args args = { argc - 2, argv + 2 };
	pw_ctx_init(&ctx, &none, NULL, NULL, arena, num(&args, "deadline", DEADLINE_MS));
	const char *root = str(&args, "root");
	ctx.root_fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		if (!strcmp(argv[1], probes[i].name)) {
			int rc = probes[i].run(&ctx, &args, ret, &err);
			print(ret, "");
			if (rc < 0)
				printf("error=%s\nsays=%s\n", pw_code_word(rc), err.text);
			return rc < 0;
		}
	fprintf(stderr, "netprobe: no probe \"%s\"\n", argv[1]);
	return 2;
}
