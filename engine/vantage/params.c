/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of a check: typed, within range, complete, and nothing else. */
#include "executor.h"

#include <string.h>

#include <base/text.h>

enum {
	NAMES_MAX = 64,      /* parameters a suggestion looks at */
	TEXT_SHOWN = 80,     /* of a wrong value, in messages */
};

/* ---- values ---- */

/* The text of a scalar, or of an input with fields ({"": text, ...}); NULL for lists and plain maps. */
static const char *scalar_text(const struct pw_val *val, struct pw_arena *arena)
{
	long long whole;
	double real;
	bool yes;
	switch (pw_val_kind(val)) {
	case PW_VAL_STR:
		return strlen(pw_val_text(val)) == pw_val_text_len(val) ? pw_val_text(val) : NULL;
	case PW_VAL_INT: return pw_val_to_int(val, &whole) ? pw_arena_printf(arena, "%lld", whole) : NULL;
	case PW_VAL_REAL: return pw_val_to_real(val, &real) ? pw_arena_printf(arena, "%.17g", real) : NULL;
	case PW_VAL_BOOL: return pw_val_to_bool(val, &yes) ? (yes ? "true" : "false") : NULL;
	case PW_VAL_MAP: {
		const struct pw_val *text = pw_map_get(val, "");
		return text && !pw_val_is(text, PW_VAL_MAP) ? scalar_text(text, arena) : NULL;
	}
	case PW_VAL_NULL: case PW_VAL_SEQ: break;
	}
	return NULL;
}

/* "a, b" as typed on a command line. */
static struct pw_val *split_list(const char *text, struct pw_arena *arena)
{
	struct pw_val *seq = pw_val_seq(arena);
	for (const char *p = text; *p; ) {
		size_t n = strcspn(p, ","), skip = strspn(p, " ");
		size_t end = n;
		while (end > skip && p[end - 1] == ' ')
			end--;
		if (end > skip)
			pw_seq_add(seq, pw_val_strn(arena, p + skip, end - skip));
		p += n + (p[n] == ',');
	}
	return seq;
}

/* "a=1,b=2" as typed on a command line; NULL if an item has no '='. */
static struct pw_val *split_map(const char *text, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena), *items = split_list(text, arena);
	for (size_t i = 0; i < pw_val_count(items); i++) {
		const char *item = pw_val_text(pw_val_at(items, i));
		const char *eq = item ? strchr(item, '=') : NULL;
		char *key = eq ? pw_arena_strndup(arena, item, (size_t)(eq - item)) : NULL;
		if (!key)
			return NULL;
		pw_map_set_str(map, key, eq + 1);
	}
	return map;
}

static struct pw_val *typed(enum pw_type type, const char *text, struct pw_arena *arena)
{
	long long whole = 0;
	double real = 0;
	switch (type) {
	case PW_TYPE_INT: case PW_TYPE_PORT:
		return pw_val_to_int(pw_val_str(arena, text), &whole) ? pw_val_int(arena, whole) : NULL;
	case PW_TYPE_REAL:
		return pw_val_to_real(pw_val_str(arena, text), &real) ? pw_val_real(arena, real) : NULL;
	case PW_TYPE_BOOL: return pw_val_bool(arena, !strcmp(text, "true"));
	case PW_TYPE_LIST: return split_list(text, arena);
	case PW_TYPE_MAP: return split_map(text, arena);
	default: return pw_val_str(arena, text);
	}
}

/* One given value. *ret NULL: it counts as not given (null, or empty where empty means nothing). */
static int convert(const struct pw_param *param, const struct pw_val *given, struct pw_arena *arena, struct pw_val **ret,
		   struct pw_err *err)
{
	*ret = NULL;
	if (pw_val_is(given, PW_VAL_NULL))
		return PW_OK;
	if ((param->type == PW_TYPE_LIST && pw_val_is(given, PW_VAL_SEQ)) ||
	    (param->type == PW_TYPE_MAP && pw_val_is(given, PW_VAL_MAP))) {
		*ret = pw_val_copy(arena, given);
		return *ret ? PW_OK : pw_err_set(err, PW_NOMEM, "no memory for parameters");
	}
	const char *text = scalar_text(given, arena);
	if (!text)
		return pw_err_set(err, PW_USAGE, "%s is given where %s is wanted",
				  pw_val_is(given, PW_VAL_SEQ) ? "a list" : pw_val_is(given, PW_VAL_MAP) ? "a map" : "unreadable text",
				  pw_type_word(param->type));
	if (!*text && param->type != PW_TYPE_STR)
		return PW_OK;
	int rc = pw_type_check(param->type, param->range, text, err);
	if (rc < 0)
		return rc;
	*ret = typed(param->type, text, arena);
	if (*ret)
		return PW_OK;
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for parameters");
	return pw_err_set(err, PW_USAGE, "\"%.*s\" is not a map such as key=value,key=value", TEXT_SHOWN, text);
}

static int check_names(const struct pw_check *check, const struct pw_val *given, struct pw_err *err)
{
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (const struct pw_param *p = check->params; p && p->name && n < NAMES_MAX; p++)
		names[n++] = p->name;
	for (size_t i = 0; i < pw_val_count(given); i++) {
		const char *key = pw_map_key(given, i);
		size_t j = 0;
		while (j < n && strcmp(names[j], key) != 0)
			j++;
		if (j < n)
			continue;
		const char *nearest = pw_nearest(key, names, n);
		if (nearest)
			return pw_err_set(err, PW_USAGE, "the check %s has no parameter \"%.64s\"; did you mean \"%s\"?", check->name, key, nearest);
		return pw_err_set(err, PW_USAGE, "the check %s has no parameter \"%.64s\"", check->name, key);
	}
	return PW_OK;
}

/* All that is missing, in one message. */
static int check_missing(const struct pw_check *check, const struct pw_val *map, struct pw_err *err)
{
	struct pw_buf missing;
	pw_buf_init(&missing, 400);
	for (const struct pw_param *p = check->params; p && p->name; p++)
		if (p->required && !pw_map_get(map, p->name))
			pw_buf_printf(&missing, "%s%s", missing.len ? ", " : "", p->name);
	int rc = PW_OK;
	if (missing.len || !pw_buf_ok(&missing))
		rc = pw_err_set(err, PW_USAGE, "the check %s needs %s", check->name, pw_buf_str(&missing));
	pw_buf_release(&missing);
	return rc;
}

int pw_params_check(const struct pw_check *check, const struct pw_val *given, struct pw_arena *arena, struct pw_val **ret,
		    struct pw_err *err)
{
	int rc = check_names(check, given, err);
	if (rc < 0)
		return rc;
	struct pw_val *map = pw_val_map(arena);
	for (const struct pw_param *p = check->params; p && p->name; p++) {
		struct pw_val *value;
		rc = convert(p, pw_map_get(given, p->name), arena, &value, err);
		if (rc < 0)
			return pw_err_wrap(err, "%s of %s", p->name, check->name);
		if (!value && p->otherwise)
			value = typed(p->type, p->otherwise, arena);
		if (value)
			pw_map_set(map, p->name, value);
	}
	if (!map || pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for the parameters of %s", check->name);
	rc = check_missing(check, map, err);
	if (rc < 0)
		return rc;
	*ret = map;
	return PW_OK;
}
