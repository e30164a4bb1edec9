/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_PORTSET_H
#define ENGINE_CLUSTER_PORTSET_H

#include <stdbool.h>
#include <stdint.h>

#include <packetwalk/buf.h>

/* Ports 1..65535 as bits: exact, and fast to combine. */
#define PW_PORT_WORDS 1024u
struct pw_portset { uint64_t w[PW_PORT_WORDS]; };

void pw_portset_clear(struct pw_portset *set);
void pw_portset_fill(struct pw_portset *set);
void pw_portset_add(struct pw_portset *set, unsigned first, unsigned last); /* both ends in */
void pw_portset_or(struct pw_portset *set, const struct pw_portset *other);
void pw_portset_and(struct pw_portset *set, const struct pw_portset *other);
void pw_portset_minus(struct pw_portset *set, const struct pw_portset *other);
bool pw_portset_empty(const struct pw_portset *set);
bool pw_portset_full(const struct pw_portset *set);
bool pw_portset_equal(const struct pw_portset *a, const struct pw_portset *b);
bool pw_portset_holds(const struct pw_portset *set, const struct pw_portset *part); /* all of part */
/* "all", "80", "1-79,81-65535"; "" when empty. */
void pw_portset_print(const struct pw_portset *set, struct pw_buf *out);
bool pw_portset_parse(const char *text, struct pw_portset *ret);

/* One set per protocol, in this order. */
enum { PW_TCP, PW_UDP, PW_SCTP, PW_PROTOCOLS };
extern const char *const pw_protocol_words[PW_PROTOCOLS];
int pw_protocol_index(const char *word); /* -1 if it is none */
struct pw_portsets { struct pw_portset of[PW_PROTOCOLS]; };

#endif
