/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ${...} can see, and filling it in. */
#include <run/scope.h>

#include <stdio.h>
#include <string.h>

#include <packetwalk/cleanup.h>

struct entry { const char *name; const struct pw_val *value; struct entry *next; };
struct pw_scope { struct pw_arena *arena; struct entry *first; };

/* A text filled in may hold a whole list of endpoints; far below what a record may. */
#define TEXT_MAX (256 * 1024)
#define REF_MAX 256
#define DEPTH_MAX 16

struct pw_scope *pw_scope_new(struct pw_arena *arena)
{
	struct pw_scope *scope = pw_arena_alloc(arena, sizeof *scope);
	if (scope)
		scope->arena = arena;
	return scope;
}

static struct entry *find(const struct pw_scope *scope, const char *name, size_t len)
{
	struct entry *e = scope->first;
	while (e && (strlen(e->name) != len || memcmp(e->name, name, len)))
		e = e->next;
	return e;
}

void pw_scope_set(struct pw_scope *scope, const char *name, const struct pw_val *value)
{
	struct entry *e = find(scope, name, strlen(name));
	if (!e) {
		e = pw_arena_alloc(scope->arena, sizeof *e);
		char *copy = pw_arena_strdup(scope->arena, name);
		if (!e || !copy)
			return; /* the arena remembers */
		e->name = copy;
		e->next = scope->first;
		scope->first = e;
	}
	e->value = value;
}

void pw_scope_unset(struct pw_scope *scope, const char *name)
{
	for (struct entry **at = &scope->first; *at; at = &(*at)->next)
		if (!strcmp((*at)->name, name)) {
			*at = (*at)->next;
			return;
		}
}


static const struct pw_val *get(const struct pw_scope *scope, const char *ref, size_t len)
{
	char path[REF_MAX];
	size_t head = 0;
	while (head < len && ref[head] != '.')
		head++;
	const struct entry *e = find(scope, ref, head);
	if (!e)
		return NULL;
	if (head == len)
		return e->value;
	if (len - head - 1 >= sizeof path)
		return NULL;
	memcpy(path, ref + head + 1, len - head - 1);
	path[len - head - 1] = '\0';
	return pw_val_get(e->value, path);
}

const struct pw_val *pw_scope_get(const struct pw_scope *scope, const char *ref)
{
	return get(scope, ref, strlen(ref));
}

static void append(struct pw_buf *out, const struct pw_val *value)
{
	long long i;
	double r;
	bool b;
	const char *text = pw_val_text(value);
	if (text)
		pw_buf_add(out, text, pw_val_text_len(value));
	else if (pw_val_is(value, PW_VAL_BOOL) && pw_val_to_bool(value, &b))
		pw_buf_puts(out, b ? "true" : "false");
	else if (pw_val_is(value, PW_VAL_INT) && pw_val_to_int(value, &i))
		pw_buf_printf(out, "%lld", i);
	else if (pw_val_is(value, PW_VAL_REAL) && pw_val_to_real(value, &r))
		pw_buf_printf(out, "%.6g", r);
	else if (pw_val_is(value, PW_VAL_MAP) && pw_map_get(value, ""))
		append(out, pw_map_get(value, ""));
	else
		for (size_t k = 0; k < pw_val_count(value); k++) {
			if (k)
				pw_buf_puts(out, ", ");
			if (pw_val_is(value, PW_VAL_MAP))
				pw_buf_printf(out, "%s=", pw_map_key(value, k));
			append(out, pw_val_at(value, k));
		}
}

/* The next ${...} at or after `text`: its start, or NULL. "$${" is a literal "${". */
static const char *next_ref(const char *text)
{
	for (const char *p = strstr(text, "${"); p; p = strstr(p + 2, "${"))
		if (p == text || p[-1] != '$')
			return p;
	return NULL;
}

static void append_literal(struct pw_buf *out, const char *from, const char *to)
{
	for (const char *p = from; p < to; p++)
		if (!(p[0] == '$' && p + 2 < to + 1 && p[1] == '$' && p[2] == '{'))
			pw_buf_putc(out, *p);
}

int pw_scope_expand_text(const struct pw_scope *scope, const char *text, struct pw_buf *out, struct pw_err *err)
{
	for (;;) {
		const char *start = next_ref(text), *end = start ? strchr(start, '}') : NULL;
		if (start && !end)
			return pw_err_set(err, PW_SYNTAX, "\"%s\" has a ${ without its }", text);
		append_literal(out, text, start ? start : text + strlen(text));
		if (!start)
			break;
		size_t len = (size_t)(end - start) - 2;
		const struct pw_val *value = get(scope, start + 2, len);
		if (!value)
			return pw_err_set(err, PW_ABSENT, "${%.*s} is not known", (int)len, start + 2);
		append(out, value);
		text = end + 1;
	}
	return pw_buf_ok(out) ? PW_OK : pw_err_set(err, PW_NOMEM, "filling in a text: it would be larger than allowed");
}

/* "${x}" and nothing else: the value itself. */
static bool is_whole(const char *text)
{
	size_t len = strlen(text);
	return len > 3 && text[0] == '$' && text[1] == '{' && strchr(text, '}') == text + len - 1;
}

int pw_scope_expand(const struct pw_scope *scope, const char *text, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	if (is_whole(text)) {
		const struct pw_val *value = get(scope, text + 2, strlen(text) - 3);
		if (!value)
			return pw_err_set(err, PW_ABSENT, "%s is not known", text);
		*ret = pw_val_copy(arena, value);
		return *ret ? PW_OK : pw_err_set(err, PW_NOMEM, "filling in %s: out of memory", text);
	}
	int rc = pw_scope_expand_text(scope, text, &out, err);
	if (rc)
		return rc;
	*ret = pw_val_strn(arena, pw_buf_str(&out), out.len);
	return *ret ? PW_OK : pw_err_set(err, PW_NOMEM, "filling in a text: out of memory");
}

static int expand_deep(const struct pw_scope *scope, const struct pw_val *val, struct pw_arena *arena, unsigned depth, struct pw_val **ret, struct pw_err *err)
{
	const char *text = pw_val_text(val);
	struct pw_val *out = NULL;
	if (depth > DEPTH_MAX)
		return pw_err_set(err, PW_SYNTAX, "filling in a value: nested deeper than %d", DEPTH_MAX);
	if (text && strstr(text, "${")) {
		int rc = pw_scope_expand(scope, text, arena, &out, err);
		if (!rc)
			*ret = out;
		return rc;
	}
	if (!pw_val_is(val, PW_VAL_SEQ) && !pw_val_is(val, PW_VAL_MAP)) {
		*ret = pw_val_copy(arena, val);
		return *ret ? PW_OK : pw_err_set(err, PW_NOMEM, "filling in a value: out of memory");
	}
	bool map = pw_val_is(val, PW_VAL_MAP);
	out = map ? pw_val_map(arena) : pw_val_seq(arena);
	for (size_t i = 0; i < pw_val_count(val); i++) {
		struct pw_val *item = NULL;
		int rc = expand_deep(scope, pw_val_at(val, i), arena, depth + 1, &item, err);
		if (rc)
			return rc;
		if (map)
			pw_map_set(out, pw_map_key(val, i), item);
		else
			pw_seq_add(out, item);
	}
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "filling in a value: out of memory");
	*ret = out;
	return PW_OK;
}

int pw_scope_expand_val(const struct pw_scope *scope, const struct pw_val *val, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	return expand_deep(scope, val, arena, 0, ret, err);
}
