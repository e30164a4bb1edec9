/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_DNS_H
#define ENGINE_PROBE_DNS_H

#include <stdint.h>

#include <packetwalk/probe.h>

#include "sock.h"

/* DNS questions on the wire, for the single query and for the lookups of a libc. */

enum {
	PW_DNS_SERVERS_MAX = 8,
	PW_DNS_TYPES_MAX = 2,   /* A and AAAA leave together, from one socket */
	PW_DNS_PORT = 53,
	PW_DNS_EDNS_BYTES = 1232, /* DNS flag day 2020, CoreDNS' default */
};

struct pw_dns_ask {
	const char *const *servers;  /* "ADDRESS[:PORT]": all are asked at once */
	size_t n_servers;
	const char *name;
	const char *const *types;    /* names of types, asked of each server over one socket */
	size_t n_types;
	bool tcp, edns;
	unsigned timeout_ms;
	/* End as soon as each type has an answer of rcode NOERROR or NXDOMAIN from any server (what musl waits for). */
	bool first_good;
};

/* How questions are asked: by this process's sockets, or otherwise. As pw_dns_exchange. */
typedef int pw_dns_exchange_fn(void *arg, struct pw_ctx *ctx, const struct pw_dns_ask *ask, struct pw_val *const *ret, struct pw_err *err);

/* Fills ret[server * n_types + type], maps as pw_probe_dns writes them. Fails when a question cannot be asked. */
int pw_dns_exchange(struct pw_ctx *ctx, const struct pw_dns_ask *ask, struct pw_val *const *ret, struct pw_err *err);

/* The question for one type of `ask` on the wire, for those who send it themselves. PW_USAGE for names and types that cannot be asked for. */
int pw_dns_question(const struct pw_dns_ask *ask, const char *type, uint8_t *out, size_t size, size_t *ret_len, struct pw_err *err);

/* Number of a type or -1; the word of an rcode, "RCODE9" for unknown ones. */
int pw_dns_type(const char *word);
void pw_dns_rcode_word(unsigned rcode, char out[16]);

/*
 * Pure: a response as a map {rcode, rcode_num, aa, ra, tc, answers, ttl, addresses, cnames, targets, srv, texts, soa,
 * negative_ttl}. False when the message is cut off or breaks the format; what was read before stays in `ret`.
 */
bool pw_dns_message_parse(const uint8_t *data, size_t len, struct pw_arena *arena, struct pw_val *ret);

#endif
