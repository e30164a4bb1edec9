/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a playbook: YAML into a tree, the tree into structs by the tables of
 * schema.c. Nothing stops at the first mistake; a record that is wrong stays
 * in its array, so that what refers to it is not wrong as well.
 */
#include <play/loader.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <doc/yaml.h>
#include <play/callees.h>
#include <play/ids.h>
#include <play/lint.h>

#define ARENA_MAX ((size_t)64 << 20) /* bytes; a document of the size and node limits needs a third of it */

/* ---- complaints ---- */

void pw_load_error(struct pw_loader *loader, struct pw_place place, const char *id, const char *fix, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pw_diags_add(loader->diags, 0, place, id, fix, "%s", text);
	loader->errors++;
}

void pw_load_error_two(struct pw_loader *loader, struct pw_place place, struct pw_place other, const char *id, const char *fix, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pw_diags_add_two(loader->diags, 0, place, other, id, fix, "%s", text);
	loader->errors++;
}

const char *pw_suggest(struct pw_arena *arena, const char *word, const char *const *names, size_t n)
{
	enum { FEW = 12 }; /* as many as one line holds */
	const char *near = pw_nearest(word, names, n);
	if (near)
		return pw_arena_printf(arena, "did you mean \"%s\"?", near);
	if (n == 0 || n > FEW)
		return NULL;
	const char *text = "possible";
	for (size_t i = 0; i < n && text; i++)
		text = pw_arena_printf(arena, "%s%s %s", text, i ? "," : ":", names[i]);
	return text;
}

size_t pw_map_names(struct pw_arena *arena, const struct pw_val *map, const char *const **ret)
{
	size_t n = pw_val_count(map);
	const char **names = pw_arena_array(arena, n + 1, sizeof *names);
	if (!names)
		return 0;
	for (size_t i = 0; i < n; i++)
		names[i] = pw_map_key(map, i);
	*ret = names;
	return n;
}

/* ---- records ---- */

static const char *article(const char *noun)
{
	return strchr("aeiou", noun[0]) ? "an" : "a";
}

static void check_keys(struct pw_loader *loader, const struct pw_schema *schema, const struct pw_val *val)
{
	const char *names[32]; /* more than the largest table has */
	size_t n = 0;
	for (const struct pw_schema_key *key = schema->keys; key->name && n < sizeof names / sizeof *names; key++)
		names[n++] = key->name;
	for (size_t i = 0; i < pw_val_count(val); i++) {
		const char *word = pw_map_key(val, i);
		if (!pw_schema_find(schema, word))
			pw_load_error(loader, pw_map_key_place(val, i), PW_ID_UNKNOWN_KEY, pw_suggest(loader->arena, word, names, n),
				      "%s %s has no key \"%s\"", article(schema->name), schema->name, word);
	}
}

static struct pw_place key_place(const struct pw_val *map, const char *key, struct pw_place otherwise)
{
	for (size_t i = 0; i < pw_val_count(map); i++)
		if (!strcmp(pw_map_key(map, i), key))
			return pw_map_key_place(map, i);
	return otherwise;
}

static void check_one_of(struct pw_loader *loader, const struct pw_schema *schema, const struct pw_val *val, struct pw_place place)
{
	const char *given = NULL;
	char all[128] = "";
	for (size_t i = 0; schema->one_of && schema->one_of[i]; i++) {
		const char *name = schema->one_of[i];
		size_t used = strlen(all);
		(void)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", name);
		if (!pw_map_get(val, name))
			continue;
		if (given)
			pw_load_error_two(loader, key_place(val, name, place), key_place(val, given, place), PW_ID_ONE_OF, "keep one of the two",
					  "%s %s has either \"%s\" or \"%s\", not both", article(schema->name), schema->name, given, name);
		else
			given = name;
	}
	if (schema->one_of && !given)
		pw_load_error(loader, place, PW_ID_ONE_OF, NULL, "this %s needs one of the keys %s", schema->name, all);
}

static void *new_array(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, size_t *ret_n)
{
	size_t n = pw_val_count(val);
	if (n > PW_TABLE_MAX) {
		pw_load_error(loader, pw_val_place(val), PW_ID_TOO_MANY, "split the playbook: a step can call another one",
			      "there are %zu %s, %d are possible", n, key->name, PW_TABLE_MAX);
		return NULL;
	}
	if (n == 0 && (key->flags & PW_KEY_REQUIRED))
		pw_load_error(loader, pw_val_place(val), PW_ID_EMPTY, NULL, "\"%s\" is empty, there must be at least one", key->name);
	*ret_n = n;
	return pw_arena_array(loader->arena, n + 1, key->of->size);
}

/* Fields that are not zero when nothing is said. */
static void init_record(const struct pw_schema *schema, void *record)
{
	if (schema == &pw_schema_verdict)
		((struct pw_play_verdict *)record)->layer = PW_LAYER_UNKNOWN;
}

static void load_table(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	size_t n = 0;
	char *items = pw_val_is(val, PW_VAL_MAP) ? new_array(loader, key, val, &n) : NULL;
	if (!pw_val_is(val, PW_VAL_MAP))
		pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
	if (!items)
		return;
	/* In place before the items are read: they refer to each other. */
	pw_load_put(record, key->at, &items, sizeof items);
	pw_load_put(record, key->at_n, &n, sizeof n);
	for (size_t i = 0; i < n; i++) {
		const char *id = pw_map_key(val, i);
		struct pw_place place = pw_map_key_place(val, i);
		pw_load_put(items + i * key->of->size, key->of->at_id, &id, sizeof id);
		pw_load_put(items + i * key->of->size, key->of->at_place, &place, sizeof place);
	}
	for (size_t i = 0; i < n; i++) {
		if (!pw_is_name(pw_map_key(val, i)))
			pw_load_error(loader, pw_map_key_place(val, i), PW_ID_NAME, "use lower-case letters, digits, - and _, beginning with a letter",
				      "\"%s\" is not a name", pw_map_key(val, i));
		init_record(key->of, items + i * key->of->size);
		pw_load_record(loader, key->of, pw_val_at(val, i), pw_map_key_place(val, i), items + i * key->of->size);
	}
}

static void load_records(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	size_t n = 0;
	char *items = pw_val_is(val, PW_VAL_SEQ) ? new_array(loader, key, val, &n) : NULL;
	if (!pw_val_is(val, PW_VAL_SEQ))
		pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
	if (!items)
		return;
	for (size_t i = 0; i < n; i++) {
		struct pw_place place = pw_val_place(pw_val_at(val, i));
		pw_load_put(items + i * key->of->size, key->of->at_place, &place, sizeof place);
		pw_load_record(loader, key->of, pw_val_at(val, i), place, items + i * key->of->size);
	}
	pw_load_put(record, key->at, &items, sizeof items);
	pw_load_put(record, key->at_n, &n, sizeof n);
}

static void load_key(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	switch (key->form) {
	case PW_FORM_TABLE: load_table(loader, key, val, record); break;
	case PW_FORM_RECORDS: load_records(loader, key, val, record); break;
	case PW_FORM_EDGES: pw_load_edges(loader, key, val, record); break;
	case PW_FORM_GIVEN: pw_load_given(loader, key, val, record); break;
	case PW_FORM_RECORD: pw_load_record(loader, key->of, val, pw_val_place(val), record); break;
	default: pw_load_value(loader, key, val, record); break;
	}
}

void pw_load_record(struct pw_loader *loader, const struct pw_schema *schema, const struct pw_val *val, struct pw_place place, void *record)
{
	if (!pw_val_is(val, PW_VAL_MAP)) {
		pw_load_wrong(loader, schema->name, "a map of keys", val);
		return;
	}
	check_keys(loader, schema, val);
	for (const struct pw_schema_key *key = schema->keys; key->name; key++) {
		const struct pw_val *value = pw_map_get(val, key->name);
		if (!value && (key->flags & PW_KEY_REQUIRED))
			pw_load_error(loader, place, PW_ID_MISSING_KEY, key->form == PW_FORM_VERSION ? "begin the file with packetwalk: 1" : NULL, "this %s has no \"%s\": %s", schema->name, key->name, key->help);
		if (value && key->needs && !pw_map_get(val, key->needs))
			pw_load_error(loader, key_place(val, key->name, place), PW_ID_NEEDS, NULL,
				      "\"%s\" has a meaning only together with \"%s\"", key->name, key->needs);
		if (value)
			load_key(loader, key, value, record);
	}
	check_one_of(loader, schema, val, place);
	pw_load_record_done(loader, schema, val, record);
}

/* ---- the whole ---- */

/* Newer documents are not read at all: their keys may mean anything. */
static bool is_newer(struct pw_loader *loader, const struct pw_val *root)
{
	const struct pw_val *val = pw_map_get(root, "packetwalk");
	long long version;
	if (!pw_val_to_int(val, &version) || version <= PW_PLAY_LANGUAGE)
		return false;
	pw_load_error(loader, pw_val_place(val), PW_ID_NEWER,
		      pw_arena_printf(loader->arena, "use packetwalk %lld.0 or newer", version),
		      "this playbook is written in language version %lld, which needs packetwalk %lld.0 or newer; this is packetwalk %s, "
		      "which knows version %d", version, version, PW_VERSION, PW_PLAY_LANGUAGE);
	return true;
}

int pw_load_document(struct pw_loader *loader, const char *text, size_t len, const char *file, struct pw_err *err)
{
	struct pw_play *play = loader->play;
	size_t before = pw_diags_count(loader->diags, 0);
	const struct pw_val *root;
	int rc = pw_yaml_parse(text, len, file, &pw_yaml_playbook_limits, loader->arena, loader->diags, &root, err);
	loader->errors += pw_diags_count(loader->diags, 0) - before;
	if (rc < 0)
		return rc;
	play->tree = root;
	if (is_newer(loader, root))
		return PW_OK;
	loader->steps = pw_map_get(root, "steps");
	loader->verdicts = pw_map_get(root, "verdicts");
	play->start = -1;
	pw_load_record(loader, &pw_schema_playbook, root, pw_val_place(root), play);
	pw_load_callees(loader);
	return PW_OK;
}

struct pw_play *pw_play_new(const char *text, size_t len, const char *file)
{
	struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_play *play = arena ? pw_arena_alloc(arena, sizeof *play) : NULL;
	if (!play) {
		pw_arena_free(arena);
		return NULL;
	}
	play->arena = arena;
	play->file = pw_arena_strdup(arena, file ? file : "playbook");
	play->source = pw_arena_strndup(arena, text, len);
	play->source_len = len;
	(void)snprintf(play->hash, sizeof play->hash, "%016llx", (unsigned long long)pw_hash64(text, len));
	return play;
}

void pw_play_free(struct pw_play *play)
{
	if (!play)
		return;
	for (size_t i = 0; i < play->n_callees; i++)
		pw_arena_free(play->callees[i]->arena);
	pw_arena_free(play->arena);
}

static int finish(struct pw_loader *loader, int rc, struct pw_arena *diag_arena, const char *file, struct pw_err *err)
{
	if (rc < 0 && rc != PW_SYNTAX)
		return rc;
	if (loader->errors > 0 && loader->play->n_steps > 0 && !pw_arena_failed(loader->arena) &&
	    pw_lint_partly(loader->play, loader->env, loader->diags) < 0)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading %s", file);
	pw_diags_sort(loader->diags);
	if (pw_arena_failed(loader->arena) || pw_arena_failed(diag_arena) || loader->callees->no_memory)
		return rc < 0 ? rc : pw_err_set(err, PW_NOMEM, "out of memory while reading %s", file);
	if (rc == PW_OK && loader->errors > 0)
		return pw_err_set(err, PW_SYNTAX, "%s has %zu error%s", file, loader->errors, loader->errors == 1 ? "" : "s");
	return rc;
}

int pw_play_load(const char *text, size_t len, const char *file, const struct pw_play_env *env, struct pw_arena *diag_arena,
		 struct pw_diags *diags, struct pw_play **ret, struct pw_err *err)
{
	struct pw_play *play = diags ? pw_play_new(text, len, file) : NULL;
	if (!play)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading a playbook");
	struct pw_callees callees = { .arena = play->arena };
	struct pw_loader loader = { .play = play, .arena = play->arena, .diags = diags, .env = env, .callees = &callees };
	int rc = pw_load_document(&loader, text, len, play->file, err);
	pw_callees_give(&callees, play);
	rc = finish(&loader, rc, diag_arena, play->file, err);
	if (rc < 0)
		pw_play_free(play);
	else
		*ret = play;
	return rc;
}
