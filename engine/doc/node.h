/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_NODE_H
#define ENGINE_DOC_NODE_H

#include <stdint.h>

#include <packetwalk/val.h>

/* What a value is made of, for the parsers of this folder only. */

struct pw_entry {
	const char *key;
	struct pw_val *value;
	uint32_t key_len;
	uint32_t hash;             /* set once the map has an index */
	uint32_t line, col;        /* of the key */
};

struct pw_val {
	struct pw_arena *arena;
	const char *file;
	uint32_t line, col;
	uint8_t kind;              /* enum pw_val_kind */
	bool quoted;
	uint32_t count, cap;       /* of items or entries */
	union {
		bool boolean;
		long long integer;
		double real;
		struct { const char *text; size_t len; } str;
		struct pw_val **items;
		struct { struct pw_entry *entries; uint32_t *index; } map; /* index: 2 * cap slots, entry number + 1 */
	} of;
};

/* `text` is not copied and must be NUL-terminated at `len`. */
struct pw_val *pw_node_str(struct pw_arena *arena, const char *text, size_t len);
void pw_node_place(struct pw_val *val, const char *file, size_t line, size_t col);
/* The entry of a key, NULL if there is none. Valid until the next change. */
struct pw_entry *pw_node_find(const struct pw_val *map, const char *key, size_t len);
/* Appends without looking for an earlier one. `key` is not copied. NULL on OOM. */
struct pw_entry *pw_node_append(struct pw_val *map, const char *key, size_t len, struct pw_val *value);

#endif
