/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The value tree: building. Lists and maps grow by doubling inside the arena;
 * a map past SMALL entries gets a hash index, so documents of any size are
 * built and read in linear time.
 */
#include <packetwalk/val.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <doc/node.h>

enum { FIRST_CAP = 4, SMALL = 16 };

/* 2 * cap must fit the index's 32 bits. */
static const uint32_t most = UINT32_C(1) << 30;

static struct pw_val *node(struct pw_arena *arena, enum pw_val_kind kind)
{
	struct pw_val *val = pw_arena_alloc(arena, sizeof *val);
	if (val) {
		val->arena = arena;
		val->kind = (uint8_t)kind;
	}
	return val;
}

struct pw_val *pw_val_map(struct pw_arena *arena) { return node(arena, PW_VAL_MAP); }
struct pw_val *pw_val_seq(struct pw_arena *arena) { return node(arena, PW_VAL_SEQ); }
struct pw_val *pw_val_null(struct pw_arena *arena) { return node(arena, PW_VAL_NULL); }

struct pw_val *pw_val_bool(struct pw_arena *arena, bool value)
{
	struct pw_val *val = node(arena, PW_VAL_BOOL);
	if (val)
		val->of.boolean = value;
	return val;
}

struct pw_val *pw_val_int(struct pw_arena *arena, long long value)
{
	struct pw_val *val = node(arena, PW_VAL_INT);
	if (val)
		val->of.integer = value;
	return val;
}

struct pw_val *pw_val_real(struct pw_arena *arena, double value)
{
	struct pw_val *val = node(arena, PW_VAL_REAL);
	if (val)
		val->of.real = value;
	return val;
}

struct pw_val *pw_node_str(struct pw_arena *arena, const char *text, size_t len)
{
	struct pw_val *val = text ? node(arena, PW_VAL_STR) : NULL;
	if (val) {
		val->of.str.text = text;
		val->of.str.len = len;
	}
	return val;
}

struct pw_val *pw_val_strn(struct pw_arena *arena, const char *text, size_t len)
{
	if (!text)
		return pw_val_null(arena);
	return pw_node_str(arena, pw_arena_strndup(arena, text, len), len);
}

struct pw_val *pw_val_str(struct pw_arena *arena, const char *text)
{
	return pw_val_strn(arena, text, text ? strlen(text) : 0);
}

void pw_node_place(struct pw_val *val, const char *file, size_t line, size_t col)
{
	if (!val)
		return;
	val->file = file;
	val->line = line < UINT32_MAX ? (uint32_t)line : UINT32_MAX;
	val->col = col < UINT32_MAX ? (uint32_t)col : UINT32_MAX;
}

/* A copy of `array` with twice the room, in the arena; NULL on OOM. */
static void *grown(struct pw_val *val, const void *array, size_t size)
{
	if (val->cap >= most)
		return pw_arena_array(val->arena, SIZE_MAX, size); /* fails and is remembered */
	uint32_t cap = val->cap ? val->cap * 2 : FIRST_CAP;
	void *bigger = pw_arena_array(val->arena, cap, size);
	if (!bigger)
		return NULL;
	if (val->count > 0)
		memcpy(bigger, array, val->count * size);
	val->cap = cap;
	return bigger;
}

void pw_seq_add(struct pw_val *seq, struct pw_val *value)
{
	if (!seq || !value || seq->kind != PW_VAL_SEQ)
		return;
	if (seq->count == seq->cap) {
		void *items = grown(seq, seq->of.items, sizeof *seq->of.items);
		if (!items)
			return;
		seq->of.items = items;
	}
	seq->of.items[seq->count++] = value;
}

/* The slot that holds the key, or the free one where it would go. */
static uint32_t *slot_of(const struct pw_val *map, uint32_t hash, const char *key, size_t len)
{
	uint32_t mask = map->cap * 2 - 1; /* cap is a power of two */
	for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &map->of.map.index[i];
		if (*slot == 0)
			return slot;
		const struct pw_entry *entry = &map->of.map.entries[*slot - 1];
		if (entry->hash == hash && entry->key_len == len && !memcmp(entry->key, key, len))
			return slot;
	}
}

static void reindex(struct pw_val *map)
{
	map->of.map.index = NULL;
	if (map->cap <= SMALL)
		return;
	uint32_t *index = pw_arena_array(map->arena, (size_t)map->cap * 2, sizeof *index);
	if (!index)
		return; /* lookups stay right, only slower; the arena has failed anyway */
	map->of.map.index = index;
	for (uint32_t i = 0; i < map->count; i++) {
		struct pw_entry *entry = &map->of.map.entries[i];
		entry->hash = (uint32_t)pw_key_hash(entry->key, entry->key_len);
		*slot_of(map, entry->hash, entry->key, entry->key_len) = i + 1;
	}
}

struct pw_entry *pw_node_find(const struct pw_val *map, const char *key, size_t len)
{
	if (map->of.map.index) {
		uint32_t slot = *slot_of(map, (uint32_t)pw_key_hash(key, len), key, len);
		return slot ? &map->of.map.entries[slot - 1] : NULL;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		struct pw_entry *entry = &map->of.map.entries[i];
		if (entry->key_len == len && !memcmp(entry->key, key, len))
			return entry;
	}
	return NULL;
}

struct pw_entry *pw_node_append(struct pw_val *map, const char *key, size_t len, struct pw_val *value)
{
	if (!key || !value || len > UINT32_MAX)
		return NULL;
	if (map->count == map->cap) {
		void *entries = grown(map, map->of.map.entries, sizeof *map->of.map.entries);
		if (!entries)
			return NULL;
		map->of.map.entries = entries;
		reindex(map);
	}
	struct pw_entry *entry = &map->of.map.entries[map->count];
	*entry = (struct pw_entry){ .key = key, .key_len = (uint32_t)len, .value = value };
	if (map->of.map.index) {
		entry->hash = (uint32_t)pw_key_hash(key, len);
		*slot_of(map, entry->hash, key, len) = map->count + 1;
	}
	map->count++;
	return entry;
}

void pw_map_set(struct pw_val *map, const char *key, struct pw_val *value)
{
	if (!map || !key || !value || map->kind != PW_VAL_MAP)
		return;
	size_t len = strlen(key);
	struct pw_entry *entry = pw_node_find(map, key, len);
	if (entry)
		entry->value = value;
	else
		(void)pw_node_append(map, pw_arena_strndup(map->arena, key, len), len, value);
}

/* The arena new children of `val` belong to; NULL makes builders do nothing. */
static struct pw_arena *arena_of(struct pw_val *val, enum pw_val_kind kind)
{
	return val && val->kind == kind ? val->arena : NULL;
}

void pw_map_set_str(struct pw_val *map, const char *key, const char *text)
{
	pw_map_set(map, key, pw_val_str(arena_of(map, PW_VAL_MAP), text));
}

void pw_map_set_strf(struct pw_val *map, const char *key, const char *fmt, ...)
{
	struct pw_arena *arena = arena_of(map, PW_VAL_MAP);
	if (!arena)
		return;
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	char *text = len < 0 ? NULL : pw_arena_alloc(arena, (size_t)len + 1);
	if (text)
		(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	pw_map_set(map, key, pw_node_str(arena, text, len < 0 ? 0 : (size_t)len));
}

void pw_map_set_int(struct pw_val *map, const char *key, long long value)
{
	pw_map_set(map, key, pw_val_int(arena_of(map, PW_VAL_MAP), value));
}

void pw_map_set_real(struct pw_val *map, const char *key, double value)
{
	pw_map_set(map, key, pw_val_real(arena_of(map, PW_VAL_MAP), value));
}

void pw_map_set_bool(struct pw_val *map, const char *key, bool value)
{
	pw_map_set(map, key, pw_val_bool(arena_of(map, PW_VAL_MAP), value));
}

struct pw_val *pw_map_set_map(struct pw_val *map, const char *key)
{
	struct pw_val *child = pw_val_map(arena_of(map, PW_VAL_MAP));
	pw_map_set(map, key, child);
	return child;
}

struct pw_val *pw_map_set_seq(struct pw_val *map, const char *key)
{
	struct pw_val *child = pw_val_seq(arena_of(map, PW_VAL_MAP));
	pw_map_set(map, key, child);
	return child;
}

void pw_seq_add_str(struct pw_val *seq, const char *text)
{
	pw_seq_add(seq, pw_val_str(arena_of(seq, PW_VAL_SEQ), text));
}

struct pw_val *pw_seq_add_map(struct pw_val *seq)
{
	struct pw_val *child = pw_val_map(arena_of(seq, PW_VAL_SEQ));
	pw_seq_add(seq, child);
	return child;
}

/* Kind, place and scalar content; children are the caller's. */
static struct pw_val *shallow(struct pw_arena *arena, const struct pw_val *val)
{
	struct pw_val *copy = val->kind == PW_VAL_STR ? pw_val_strn(arena, val->of.str.text, val->of.str.len)
						      : node(arena, (enum pw_val_kind)val->kind);
	if (!copy)
		return NULL;
	if (val->kind == PW_VAL_BOOL)
		copy->of.boolean = val->of.boolean;
	else if (val->kind == PW_VAL_INT)
		copy->of.integer = val->of.integer;
	else if (val->kind == PW_VAL_REAL)
		copy->of.real = val->of.real;
	copy->quoted = val->quoted;
	return copy;
}

/* `last` remembers the last file name copied: one document has one. */
struct last { const char *from, *to; };

static struct pw_val *copy_tree(struct pw_arena *arena, const struct pw_val *val, struct last *last)
{
	struct pw_val *copy = shallow(arena, val);
	if (!copy)
		return NULL;
	if (val->file != last->from) {
		last->from = val->file;
		last->to = pw_arena_strdup(arena, val->file);
	}
	pw_node_place(copy, last->to, val->line, val->col);
	bool map = val->kind == PW_VAL_MAP;
	uint32_t children = map || val->kind == PW_VAL_SEQ ? val->count : 0;
	for (uint32_t i = 0; i < children; i++) {
		const struct pw_entry *from = map ? &val->of.map.entries[i] : NULL;
		struct pw_val *child = copy_tree(arena, from ? from->value : val->of.items[i], last);
		if (!child)
			return NULL;
		if (!from) {
			pw_seq_add(copy, child);
			continue;
		}
		struct pw_entry *entry = pw_node_append(copy, pw_arena_strndup(arena, from->key, from->key_len),
							from->key_len, child);
		if (!entry)
			return NULL;
		entry->line = from->line;
		entry->col = from->col;
	}
	return pw_arena_failed(arena) ? NULL : copy;
}

struct pw_val *pw_val_copy(struct pw_arena *arena, const struct pw_val *val)
{
	struct last last = { NULL, NULL };
	return val ? copy_tree(arena, val, &last) : pw_val_null(arena);
}
