/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DATAPLANE_NFT_VALUE_H
#define ENGINE_DATAPLANE_NFT_VALUE_H

#include "rules.h"

/* The left side of an nft match or the key of a map: which fields of the packet, under what other conditions. */
struct pw_nft_key {
	uint8_t fields[PW_FIELDS_MAX];
	unsigned n;
	unsigned proto;   /* "tcp dport" holds for TCP only; 0: no such condition */
	unsigned version; /* "ip saddr" holds for IPv4 only: 4, 6, 0 */
	bool masked;
	uint64_t mask;
};

/* False when some part of it is not a field this model knows. */
bool pw_nft_key(const struct pw_val *expr, struct pw_nft_key *ret);
/* A value of one field: a scalar, a prefix, a range. */
bool pw_nft_range(enum pw_field field, const struct pw_val *val, struct pw_range *ret);
/* The bits of "new", ["established", "related"], "syn", 5. */
bool pw_nft_bits(enum pw_field field, const struct pw_val *val, uint64_t *ret);
/* The field whose values a set type holds ("ipv4_addr"); PW_F_UNKNOWN if it is not known. */
enum pw_field pw_nft_type(const char *type);
/* The name and body of a single-entry object: {"drop": null}. */
const struct pw_val *pw_nft_only(const struct pw_val *val, const char **ret_name);
/* A statement, and the expressions of a rule, as nft would print them, without the numbers of counters (nft_text.c). */
void pw_nft_statement(struct pw_buf *out, const struct pw_val *statement);
void pw_nft_text(struct pw_buf *out, const struct pw_val *exprs);

#endif
