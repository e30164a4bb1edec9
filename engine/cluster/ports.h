/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_PORTS_H
#define ENGINE_CLUSTER_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include <packetwalk/arena.h>
#include <packetwalk/buf.h>

/*
 * Sets of ports 1..65535 of each protocol. A pool keeps each set once and gives
 * it a number: equal sets have equal numbers, and what was combined lately is
 * remembered, so that millions of pairs cost what their few distinct sets cost.
 */

enum { PW_TCP, PW_UDP, PW_SCTP, PW_PROTOCOLS };
extern const char *const pw_protocol_words[PW_PROTOCOLS];
int pw_protocol_index(const char *word); /* -1 if it is none */
#define PW_ANY_PROTOCOL (-1)

enum { PW_PORTS_NONE, PW_PORTS_ALL }; /* in every pool */

struct pw_ports_pool;
/* NULL when out of memory. Later a set that does not fit is PW_PORTS_NONE, and the arena has failed. */
struct pw_ports_pool *pw_ports_pool_new(struct pw_arena *arena);

uint32_t pw_ports_range(struct pw_ports_pool *pool, int protocol, unsigned first, unsigned last); /* both ends in */
uint32_t pw_ports_or(struct pw_ports_pool *pool, uint32_t a, uint32_t b);
uint32_t pw_ports_and(struct pw_ports_pool *pool, uint32_t a, uint32_t b);
uint32_t pw_ports_minus(struct pw_ports_pool *pool, uint32_t a, uint32_t b);
/* The union of many, added one by one in any number; begins zeroed. Partial sums are of like size, so few large ones are made. */
struct pw_ports_sum { uint32_t part[32], n; };
void pw_ports_add(struct pw_ports_pool *pool, struct pw_ports_sum *sum, uint32_t set);
uint32_t pw_ports_total(struct pw_ports_pool *pool, const struct pw_ports_sum *sum);

/* Ports of one protocol. */
bool pw_ports_empty(const struct pw_ports_pool *pool, uint32_t set, int protocol);
/* "all", "80", "1-79,81-65535"; "" when empty. */
void pw_ports_print(const struct pw_ports_pool *pool, uint32_t set, int protocol, struct pw_buf *out);
/* The same words back, for one protocol or for each. */
bool pw_ports_parse(struct pw_ports_pool *pool, const char *text, int protocol, uint32_t *ret);

#endif
