/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The value tree: reading. Nothing here fails on a value of another kind. */
#include <packetwalk/val.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <doc/node.h>

enum pw_val_kind pw_val_kind(const struct pw_val *val)
{
	return val ? (enum pw_val_kind)val->kind : PW_VAL_NULL;
}

bool pw_val_is(const struct pw_val *val, enum pw_val_kind kind)
{
	return pw_val_kind(val) == kind;
}

size_t pw_val_count(const struct pw_val *val)
{
	return pw_val_is(val, PW_VAL_SEQ) || pw_val_is(val, PW_VAL_MAP) ? val->count : 0;
}

const struct pw_val *pw_val_at(const struct pw_val *val, size_t i)
{
	if (i >= pw_val_count(val))
		return NULL;
	return val->kind == PW_VAL_MAP ? val->of.map.entries[i].value : val->of.items[i];
}

static const struct pw_entry *entry_at(const struct pw_val *map, size_t i)
{
	return pw_val_is(map, PW_VAL_MAP) && i < map->count ? &map->of.map.entries[i] : NULL;
}

const char *pw_map_key(const struct pw_val *map, size_t i)
{
	const struct pw_entry *entry = entry_at(map, i);
	return entry ? entry->key : NULL;
}

struct pw_place pw_map_key_place(const struct pw_val *map, size_t i)
{
	const struct pw_entry *entry = entry_at(map, i);
	if (!entry)
		return (struct pw_place){ NULL, 0, 0 };
	return (struct pw_place){ map->file, entry->line, entry->col };
}

static const struct pw_val *lookup(const struct pw_val *map, const char *key, size_t len)
{
	if (!pw_val_is(map, PW_VAL_MAP))
		return NULL;
	const struct pw_entry *entry = pw_node_find(map, key, len);
	return entry ? entry->value : NULL;
}

const struct pw_val *pw_map_get(const struct pw_val *map, const char *key)
{
	return key ? lookup(map, key, strlen(key)) : NULL;
}

static const struct pw_val *step_into(const struct pw_val *val, const char *name, size_t len)
{
	if (!pw_val_is(val, PW_VAL_SEQ))
		return lookup(val, name, len);
	char digits[16];
	unsigned long long i;
	if (len >= sizeof digits)
		return NULL;
	memcpy(digits, name, len);
	digits[len] = '\0';
	return pw_parse_uint(digits, UINT_MAX, &i) ? pw_val_at(val, i) : NULL;
}

const struct pw_val *pw_val_get(const struct pw_val *val, const char *path)
{
	while (val && path) {
		size_t len = strcspn(path, ".");
		val = step_into(val, path, len);
		path = path[len] ? path + len + 1 : NULL;
	}
	return val;
}

struct pw_place pw_val_place(const struct pw_val *val)
{
	if (!val)
		return (struct pw_place){ NULL, 0, 0 };
	return (struct pw_place){ val->file, val->line, val->col };
}

bool pw_val_quoted(const struct pw_val *val)
{
	return val && val->quoted;
}

const char *pw_val_text(const struct pw_val *val)
{
	return pw_val_is(val, PW_VAL_STR) ? val->of.str.text : NULL;
}

size_t pw_val_text_len(const struct pw_val *val)
{
	return pw_val_is(val, PW_VAL_STR) ? val->of.str.len : 0;
}

/* Text without a NUL inside, which would hide what follows it; else NULL. */
static const char *whole_text(const struct pw_val *val)
{
	const char *text = pw_val_text(val);
	return text && strlen(text) == val->of.str.len ? text : NULL;
}

bool pw_val_to_int(const struct pw_val *val, long long *ret)
{
	if (pw_val_is(val, PW_VAL_INT)) {
		*ret = val->of.integer;
		return true;
	}
	const char *text = whole_text(val);
	if (!text)
		return false;
	bool negative = *text == '-';
	unsigned long long value;
	if (!pw_parse_uint(text + negative, (unsigned long long)LLONG_MAX + negative, &value))
		return false;
	*ret = negative && value ? -(long long)(value - 1) - 1 : (long long)value;
	return true;
}

/* A decimal number as JSON and people write it: no hex, no "inf", no spaces. */
static bool looks_decimal(const char *text)
{
	return strspn(text, "+-.0123456789eE") == strlen(text) && strpbrk(text, "0123456789");
}

bool pw_val_to_real(const struct pw_val *val, double *ret)
{
	if (pw_val_is(val, PW_VAL_REAL)) {
		*ret = val->of.real;
		return true;
	}
	if (pw_val_is(val, PW_VAL_INT)) {
		*ret = (double)val->of.integer;
		return true;
	}
	const char *text = whole_text(val);
	if (!text || !looks_decimal(text))
		return false;
	char *end;
	double value = strtod(text, &end);
	if (*end || !isfinite(value))
		return false;
	*ret = value;
	return true;
}

bool pw_val_to_bool(const struct pw_val *val, bool *ret)
{
	if (pw_val_is(val, PW_VAL_BOOL)) {
		*ret = val->of.boolean;
		return true;
	}
	const char *text = whole_text(val);
	if (!text || (strcmp(text, "true") && strcmp(text, "false")))
		return false;
	*ret = *text == 't';
	return true;
}

const char *pw_map_str(const struct pw_val *map, const char *key, const char *otherwise)
{
	const char *text = pw_val_text(pw_map_get(map, key));
	return text ? text : otherwise;
}

const struct pw_val *pw_seq_find(const struct pw_val *seq, const char *key, const char *value)
{
	for (size_t i = 0; pw_val_is(seq, PW_VAL_SEQ) && i < pw_val_count(seq); i++)
		if (strcmp(pw_map_str(pw_val_at(seq, i), key, ""), value) == 0)
			return pw_val_at(seq, i);
	return NULL;
}

long long pw_map_int(const struct pw_val *map, const char *key, long long otherwise)
{
	long long value;
	return pw_val_to_int(pw_map_get(map, key), &value) ? value : otherwise;
}

long long pw_map_count(const struct pw_val *map, const char *key)
{
	const long long most = 1000000000000;
	long long n = pw_map_int(map, key, 0);
	return n < 0 ? 0 : n > most ? most : n;
}

bool pw_map_bool(const struct pw_val *map, const char *key, bool otherwise)
{
	bool value;
	return pw_val_to_bool(pw_map_get(map, key), &value) ? value : otherwise;
}

static bool children_equal(const struct pw_val *a, const struct pw_val *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->kind == PW_VAL_SEQ) {
			if (!pw_val_equal(a->of.items[i], b->of.items[i]))
				return false;
			continue;
		}
		const struct pw_entry *mine = &a->of.map.entries[i];
		const struct pw_entry *theirs = pw_node_find(b, mine->key, mine->key_len);
		if (!theirs || !pw_val_equal(mine->value, theirs->value))
			return false;
	}
	return true;
}

bool pw_val_equal(const struct pw_val *a, const struct pw_val *b)
{
	if (pw_val_kind(a) != pw_val_kind(b))
		return false;
	if (!a || !b)
		return true;
	switch (pw_val_kind(a)) {
	case PW_VAL_NULL: return true;
	case PW_VAL_BOOL: return a->of.boolean == b->of.boolean;
	case PW_VAL_INT: return a->of.integer == b->of.integer;
	case PW_VAL_REAL: return !(a->of.real < b->of.real || a->of.real > b->of.real);
	case PW_VAL_STR:
		return a->of.str.len == b->of.str.len && !memcmp(a->of.str.text, b->of.str.text, a->of.str.len);
	case PW_VAL_SEQ:
	case PW_VAL_MAP: return children_equal(a, b);
	}
	return false;
}
