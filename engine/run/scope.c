/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ${...} sees, and filling templates in with it. */
#include <run/scope.h>

#include <string.h>

#include <play/play.h>

#define TEXT_MAX ((size_t)1 << 20) /* bytes of one filled-in text */

struct binding { const char *name; const struct pw_val *value; };

struct pw_scope {
	struct pw_arena *arena;
	struct binding *all;
	size_t n, cap;
};

struct pw_scope *pw_scope_new(struct pw_arena *arena)
{
	struct pw_scope *scope = pw_arena_alloc(arena, sizeof *scope);
	if (scope)
		scope->arena = arena;
	return scope;
}

static struct binding *find(const struct pw_scope *scope, const char *name, size_t len)
{
	for (size_t i = 0; i < scope->n; i++)
		if (strlen(scope->all[i].name) == len && !memcmp(scope->all[i].name, name, len))
			return &scope->all[i];
	return NULL;
}

/* Room for one more; the arena remembers when there is none. */
static bool grow(struct pw_scope *scope)
{
	if (scope->n < scope->cap)
		return true;
	size_t cap = scope->cap ? scope->cap * 2 : 16;
	struct binding *all = pw_arena_array(scope->arena, cap, sizeof *all);
	if (!all)
		return false;
	if (scope->n > 0)
		memcpy(all, scope->all, scope->n * sizeof *all);
	scope->all = all;
	scope->cap = cap;
	return true;
}

void pw_scope_set(struct pw_scope *scope, const char *name, const struct pw_val *value)
{
	struct binding *old = find(scope, name, strlen(name));
	if (old) {
		old->value = value;
		return;
	}
	const char *copy = pw_arena_strdup(scope->arena, name);
	if (copy && grow(scope))
		scope->all[scope->n++] = (struct binding){ copy, value };
}

void pw_scope_unset(struct pw_scope *scope, const char *name)
{
	struct binding *old = find(scope, name, strlen(name));
	if (old)
		*old = scope->all[--scope->n];
}

const struct pw_val *pw_scope_get(const struct pw_scope *scope, const char *ref)
{
	size_t name = strcspn(ref, ".");
	const struct binding *binding = find(scope, ref, name);
	if (!binding)
		return NULL;
	return ref[name] ? pw_val_get(binding->value, ref + name + 1) : binding->value;
}

/* ---- filling in ---- */

static void add_text(struct pw_buf *out, const struct pw_val *val, unsigned depth);

static void add_map(struct pw_buf *out, const struct pw_val *val, unsigned depth)
{
	const struct pw_val *text = pw_map_get(val, "");
	if (text) {
		add_text(out, text, depth);
		return;
	}
	for (size_t i = 0; i < pw_val_count(val); i++) {
		pw_buf_printf(out, "%s%s=", i ? ", " : "", pw_map_key(val, i));
		add_text(out, pw_val_at(val, i), depth);
	}
}

/* A value as a person would write it. Lists and maps inside lists and maps are named, not drawn, beyond `depth`. */
static void add_text(struct pw_buf *out, const struct pw_val *val, unsigned depth)
{
	long long whole;
	double real;
	bool yes;
	switch (pw_val_kind(val)) {
	case PW_VAL_NULL: break;
	case PW_VAL_STR: pw_buf_add(out, pw_val_text(val), pw_val_text_len(val)); break;
	case PW_VAL_INT:
		if (pw_val_to_int(val, &whole))
			pw_buf_printf(out, "%lld", whole);
		break;
	case PW_VAL_REAL:
		if (pw_val_to_real(val, &real))
			pw_buf_printf(out, "%g", real);
		break;
	case PW_VAL_BOOL:
		pw_buf_puts(out, pw_val_to_bool(val, &yes) && yes ? "true" : "false");
		break;
	case PW_VAL_SEQ:
		for (size_t i = 0; depth > 0 && i < pw_val_count(val); i++) {
			pw_buf_puts(out, i ? ", " : "");
			add_text(out, pw_val_at(val, i), depth - 1);
		}
		break;
	case PW_VAL_MAP:
		if (depth > 0)
			add_map(out, val, depth - 1);
		break;
	}
}

struct filling {
	const struct pw_scope *scope;
	struct pw_buf *out;
	bool strict;               /* what is known to be empty is an error: half a parameter is none */
	struct pw_err *err;
};

static const struct pw_val *get(const struct pw_scope *scope, const char *ref, size_t len)
{
	char name[512]; /* more than a reference may have (template.c) */
	if (len >= sizeof name)
		return NULL;
	memcpy(name, ref, len);
	name[len] = '\0';
	return pw_scope_get(scope, name);
}

static int not_known(const char *ref, size_t len, struct pw_err *err)
{
	return pw_err_set(err, PW_ABSENT, "${%.*s} is not known", (int)len, ref);
}

static int fill_ref(void *arg, const char *ref, size_t len, size_t offset)
{
	struct filling *filling = arg;
	const struct pw_val *val = get(filling->scope, ref, len);
	(void)offset;
	if (!val || (filling->strict && pw_val_is(val, PW_VAL_NULL)))
		return not_known(ref, len, filling->err);
	if (pw_val_is(val, PW_VAL_NULL))
		pw_buf_puts(filling->out, "(not known)");
	else
		add_text(filling->out, val, 3); /* a list of maps of scalars is the most evidence has */
	return PW_OK;
}

static int fill_plain(void *arg, const char *text, size_t len)
{
	struct filling *filling = arg;
	pw_buf_add(filling->out, text, len);
	return PW_OK;
}

static int fill(const struct pw_scope *scope, const char *text, bool strict, struct pw_buf *out, struct pw_err *err)
{
	struct filling filling = { scope, out, strict, err };
	int rc = pw_template_walk(text, fill_ref, fill_plain, &filling, err);
	if (rc == PW_OK && !pw_buf_ok(out))
		rc = pw_err_set(err, PW_NOMEM, "a text is too long once it is filled in");
	return rc;
}

int pw_scope_expand_text(const struct pw_scope *scope, const char *text, struct pw_buf *out, struct pw_err *err)
{
	return fill(scope, text, false, out, err);
}

static int no_memory(struct pw_err *err)
{
	return pw_err_set(err, PW_NOMEM, "out of memory while filling a template in");
}

int pw_scope_expand(const struct pw_scope *scope, const char *text, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	size_t len;
	const char *ref = pw_template_whole(text, &len);
	struct pw_val *val;
	if (ref) {
		const struct pw_val *whole = get(scope, ref, len);
		if (!whole)
			return not_known(ref, len, err);
		val = pw_val_copy(arena, whole);
	} else {
		struct pw_buf out;
		pw_buf_init(&out, TEXT_MAX);
		int rc = fill(scope, text, true, &out, err);
		val = rc == PW_OK ? pw_val_strn(arena, pw_buf_str(&out), out.len) : NULL;
		pw_buf_release(&out);
		if (rc < 0)
			return rc;
	}
	if (!val)
		return no_memory(err);
	*ret = val;
	return PW_OK;
}

int pw_scope_expand_val(const struct pw_scope *scope, const struct pw_val *val, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	if (pw_val_text(val))
		return pw_scope_expand(scope, pw_val_text(val), arena, ret, err);
	bool map = pw_val_is(val, PW_VAL_MAP), seq = pw_val_is(val, PW_VAL_SEQ);
	struct pw_val *copy = map ? pw_val_map(arena) : seq ? pw_val_seq(arena) : pw_val_copy(arena, val);
	for (size_t i = 0; (map || seq) && i < pw_val_count(val); i++) {
		struct pw_val *item;
		int rc = pw_scope_expand_val(scope, pw_val_at(val, i), arena, &item, err);
		if (rc < 0)
			return rc;
		if (map)
			pw_map_set(copy, pw_map_key(val, i), item);
		else
			pw_seq_add(copy, item);
	}
	if (!copy || pw_arena_failed(arena))
		return no_memory(err);
	*ret = copy;
	return PW_OK;
}
