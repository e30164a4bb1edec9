/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The language as JSON Schema, draft-07, for editors. From the loader's
 * tables, and from the checks at hand: their parameters and outcomes complete
 * while one types. What only a proof can know stays with the linter.
 */
#include <play/play.h>

#include <stdio.h>
#include <string.h>

#include <doc/json.h>
#include <play/components.h>
#include <play/outcomes.h>
#include <play/schema.h>

#define SCHEMA_MAX ((size_t)16 << 20) /* bytes; two hundred checks take one */
#define NAME_PATTERN "^[a-z][a-z0-9]*([-_][a-z0-9]+)*$"
#define REF_PATTERN "\\$\\{"

struct maker { const struct pw_play_env *env; struct pw_arena *arena; };

static struct pw_val *one_type(struct maker *m, const char *type)
{
	struct pw_val *schema = pw_val_map(m->arena);
	pw_map_set_str(schema, "type", type);
	return schema;
}

static struct pw_val *reference(struct maker *m, const char *definition)
{
	struct pw_val *schema = pw_val_map(m->arena);
	pw_map_set_strf(schema, "$ref", "#/definitions/%s", definition);
	return schema;
}

static struct pw_val *pattern(struct maker *m, const char *text)
{
	struct pw_val *schema = one_type(m, "string");
	pw_map_set_str(schema, "pattern", text);
	return schema;
}

static struct pw_val *words(struct maker *m, const char *const *names, size_t n)
{
	struct pw_val *schema = pw_val_map(m->arena), *list = pw_map_set_seq(schema, "enum");
	for (size_t i = 0; i < n; i++)
		pw_seq_add_str(list, names[i]);
	return schema;
}

static struct pw_val *either(struct maker *m, struct pw_val *a, struct pw_val *b)
{
	struct pw_val *schema = pw_val_map(m->arena), *list = pw_map_set_seq(schema, "anyOf");
	pw_seq_add(list, a);
	pw_seq_add(list, b);
	return schema;
}

static struct pw_val *list_of(struct maker *m, struct pw_val *item, size_t least, bool unique)
{
	struct pw_val *schema = one_type(m, "array");
	pw_map_set(schema, "items", item);
	if (least)
		pw_map_set_int(schema, "minItems", (long long)least);
	if (unique)
		pw_map_set_bool(schema, "uniqueItems", true);
	return schema;
}

/* Scalars of any look, the empty text too. */
static struct pw_val *any_scalar(struct maker *m)
{
	static const char *const types[] = { "string", "number", "boolean" };
	struct pw_val *schema = pw_val_map(m->arena), *list = pw_map_set_seq(schema, "type");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		pw_seq_add_str(list, types[i]);
	return schema;
}

/* Scalars of any look: the loader reads `no` and `0800` as written. */
static struct pw_val *scalar(struct maker *m)
{
	struct pw_val *schema = any_scalar(m);
	pw_map_set_int(schema, "minLength", 1);
	return schema;
}

static struct pw_val *name(struct maker *m)
{
	struct pw_val *schema = pattern(m, NAME_PATTERN);
	pw_map_set_int(schema, "maxLength", PW_NAME_MAX);
	return schema;
}

/* ---- words that come from elsewhere ---- */

static struct pw_val *types(struct maker *m)
{
	const char *names[PW_TYPE_NODE + 1];
	for (int type = 0; type <= PW_TYPE_NODE; type++)
		names[type] = pw_type_word((enum pw_type)type);
	return words(m, names, PW_TYPE_NODE + 1);
}

static struct pw_val *layers(struct maker *m)
{
	const char *const *names;
	size_t n = pw_layer_words(&names);
	return words(m, names, n);
}

/* All components once, or all claims: layers, and layer/component. */
static struct pw_val *vocabulary(struct maker *m, bool claims)
{
	struct pw_val *schema = pw_val_map(m->arena), *list = pw_map_set_seq(schema, "enum"), *seen = pw_val_map(m->arena);
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
		const char *const *names = NULL, *word = pw_layer_word((enum pw_layer)layer);
		size_t n = pw_components((enum pw_layer)layer, &names);
		if (claims)
			pw_seq_add_str(list, word);
		for (size_t i = 0; i < n; i++) {
			if (!claims && pw_map_get(seen, names[i]))
				continue;
			pw_map_set_bool(seen, names[i], true);
			pw_seq_add_str(list, claims ? pw_arena_printf(m->arena, "%s/%s", word, names[i]) : names[i]);
		}
	}
	return schema;
}

static struct pw_val *checks(struct maker *m)
{
	const char *const *names = NULL;
	size_t n = m->env && m->env->check_names ? m->env->check_names(m->env->arg, &names) : 0;
	return n ? words(m, names, n) : name(m);
}

static struct pw_val *version(struct maker *m)
{
	struct pw_val *schema = pw_val_map(m->arena), *list = pw_map_set_seq(schema, "enum");
	pw_seq_add(list, pw_val_int(m->arena, PW_PLAY_LANGUAGE));
	pw_seq_add_str(list, pw_arena_printf(m->arena, "%d", PW_PLAY_LANGUAGE));
	return schema;
}

static struct pw_val *boolean(struct maker *m)
{
	static const char *const texts[] = { "true", "false", "True", "False", "TRUE", "FALSE" };
	return either(m, one_type(m, "boolean"), words(m, texts, sizeof texts / sizeof *texts));
}

static struct pw_val *duration(struct maker *m)
{
	struct pw_val *number = one_type(m, "integer");
	pw_map_set_int(number, "minimum", 0);
	return either(m, number, pattern(m, "^([0-9]+|([0-9]+h)?([0-9]+m)?([0-9]+s)?[0-9]+(h|m|s|ms))$"));
}

static struct pw_val *test_given(struct maker *m)
{
	struct pw_val *schema = one_type(m, "object"), *keys = pw_map_set_map(schema, "properties");
	struct pw_val *outcomes = one_type(m, "object"), *evidence = one_type(m, "object");
	pw_map_set(outcomes, "additionalProperties", scalar(m));
	pw_map_set(evidence, "additionalProperties", one_type(m, "object"));
	pw_map_set(keys, "outcomes", outcomes);
	pw_map_set(keys, "evidence", evidence);
	pw_map_set(schema, "additionalProperties", scalar(m));
	return schema;
}

/* ---- forms ---- */

static struct pw_val *table_of(struct maker *m, const struct pw_schema_key *key, bool names)
{
	struct pw_val *schema = one_type(m, "object");
	if (key->flags & PW_KEY_REQUIRED)
		pw_map_set_int(schema, "minProperties", 1);
	if (names)
		pw_map_set(schema, "propertyNames", name(m));
	pw_map_set(schema, "additionalProperties", reference(m, key->of->name));
	return schema;
}

static struct pw_val *form(struct maker *m, const struct pw_schema_key *key)
{
	size_t n = 0;
	switch (key->form) {
	case PW_FORM_VERSION: return version(m);
	case PW_FORM_NAME: case PW_FORM_STEP: case PW_FORM_VERDICT: case PW_FORM_VERDICT_ID: return name(m);
	case PW_FORM_TEXT: case PW_FORM_TEMPLATE: return scalar(m);
	case PW_FORM_BOOL: return boolean(m);
	case PW_FORM_DURATION: return duration(m);
	case PW_FORM_WORD:
		while (key->words[n])
			n++;
		return words(m, key->words, n);
	case PW_FORM_TYPE: return types(m);
	case PW_FORM_LAYER: return layers(m);
	case PW_FORM_COMPONENT: return vocabulary(m, false);
	case PW_FORM_CHECK: return checks(m);
	case PW_FORM_TEXTS: return either(m, scalar(m), list_of(m, scalar(m), 1, true));
	case PW_FORM_TEMPLATES: return either(m, scalar(m), list_of(m, scalar(m), 1, false));
	case PW_FORM_NAMES: return either(m, name(m), list_of(m, name(m), 1, true));
	case PW_FORM_STEP_IDS: return list_of(m, name(m), 1, false);
	case PW_FORM_CLAIMS: return either(m, vocabulary(m, true), list_of(m, vocabulary(m, true), 1, true));
	case PW_FORM_VALUES: return one_type(m, "object");
	case PW_FORM_GIVEN: return test_given(m);
	case PW_FORM_RECORD: return reference(m, key->of->name);
	case PW_FORM_TABLE: return table_of(m, key, true);
	case PW_FORM_RECORDS: return list_of(m, reference(m, key->of->name), 0, false);
	case PW_FORM_EDGES: return table_of(m, key, false);
	}
	return pw_val_map(m->arena);
}

/* ---- records ---- */

static void add_one_of(struct maker *m, struct pw_val *schema, const char *const *names)
{
	struct pw_val *list = pw_map_set_seq(schema, "oneOf");
	for (; *names; names++) {
		struct pw_val *one = pw_seq_add_map(list);
		pw_seq_add_str(pw_map_set_seq(one, "required"), *names);
	}
	(void)m;
}

static struct pw_val *record(struct maker *m, const struct pw_schema *table)
{
	struct pw_val *schema = one_type(m, "object"), *needs = pw_val_map(m->arena), *required = pw_val_seq(m->arena);
	pw_map_set_str(schema, "description", table->help);
	struct pw_val *keys = pw_map_set_map(schema, "properties");
	for (const struct pw_schema_key *key = table->keys; key->name; key++) {
		struct pw_val *value = form(m, key);
		/* Beside $ref, draft-07 ignores everything. */
		if (!pw_map_get(value, "$ref"))
			pw_map_set_str(value, "description", key->help);
		pw_map_set(keys, key->name, value);
		if (key->flags & PW_KEY_REQUIRED)
			pw_seq_add_str(required, key->name);
		if (key->needs)
			pw_seq_add_str(pw_map_set_seq(needs, key->name), key->needs);
	}
	pw_map_set_bool(schema, "additionalProperties", false);
	if (pw_val_count(required))
		pw_map_set(schema, "required", required);
	if (pw_val_count(needs))
		pw_map_set(schema, "dependencies", needs);
	if (table->one_of)
		add_one_of(m, schema, table->one_of);
	return schema;
}

/* `if` a key has this value, `then`. */
static struct pw_val *when(struct maker *m, struct pw_val *rules, const char *key, const char *value)
{
	struct pw_val *rule = pw_seq_add_map(rules), *cond = pw_map_set_map(rule, "if");
	pw_seq_add_str(pw_map_set_seq(cond, "required"), key);
	pw_map_set_str(pw_map_set_map(pw_map_set_map(cond, "properties"), key), "const", value);
	(void)m;
	return pw_map_set_map(rule, "then");
}

/* ---- what the checks say ---- */

static struct pw_val *param_schema(struct maker *m, const struct pw_param *p)
{
	struct pw_val *schema;
	if (p->type == PW_TYPE_LIST)
		schema = either(m, any_scalar(m), one_type(m, "array"));
	else if (p->type == PW_TYPE_MAP)
		schema = either(m, any_scalar(m), one_type(m, "object"));
	else if (p->type == PW_TYPE_INT || p->type == PW_TYPE_PORT)
		schema = either(m, one_type(m, "integer"), pattern(m, "^-?[0-9]+$|" REF_PATTERN));
	else
		schema = p->type == PW_TYPE_STR ? any_scalar(m) : scalar(m);
	pw_map_set_str(schema, "description", p->help);
	return schema;
}

static void add_params(struct maker *m, struct pw_val *keys, struct pw_val *then, const struct pw_check *check)
{
	struct pw_val *with = pw_map_set_map(keys, "with"), *params = pw_map_set_map(with, "properties"), *required = pw_val_seq(m->arena);
	for (const struct pw_param *p = check->params; p && p->name; p++) {
		pw_map_set(params, p->name, param_schema(m, p));
		if (p->required)
			pw_seq_add_str(required, p->name);
	}
	pw_map_set_bool(with, "additionalProperties", false);
	if (!pw_val_count(required))
		return;
	pw_map_set(with, "required", required);
	pw_seq_add_str(pw_map_set_seq(then, "required"), "with");
}

/* The outcomes, to be completed; lists of them and every-X are keys as well, so others are not refused here. */
static void add_outcomes(struct maker *m, struct pw_val *keys, const struct pw_check *check)
{
	struct pw_val *on = pw_map_set_map(pw_map_set_map(keys, "on"), "properties");
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++)
		pw_map_set(on, o->word, reference(m, pw_schema_edge.name));
	pw_map_set(on, PW_OUTCOME_UNKNOWN, reference(m, pw_schema_edge.name));
	pw_map_set(on, PW_OUTCOME_SKIPPED, reference(m, pw_schema_edge.name));
	pw_map_set(on, "else", reference(m, pw_schema_edge.name));
}

static struct pw_val *step(struct maker *m)
{
	const char *const *names = NULL;
	struct pw_val *schema = record(m, &pw_schema_step), *rules = pw_val_seq(m->arena);
	size_t n = m->env && m->env->check_names ? m->env->check_names(m->env->arg, &names) : 0;
	for (size_t i = 0; i < n; i++) {
		const struct pw_check *check = m->env->check(m->env->arg, names[i]);
		if (!check)
			continue;
		struct pw_val *then = when(m, rules, "check", names[i]), *keys = pw_map_set_map(then, "properties");
		add_params(m, keys, then, check);
		add_outcomes(m, keys, check);
	}
	pw_seq_add_str(pw_map_set_seq((struct pw_val *)pw_map_get(schema, "dependencies"), "ask"), "answers");
	if (n)
		pw_map_set(schema, "allOf", rules);
	return schema;
}

static struct pw_val *verdict(struct maker *m)
{
	struct pw_val *schema = record(m, &pw_schema_verdict), *rules = pw_map_set_seq(schema, "allOf");
	const char *const *layer_names;
	size_t n_layers = pw_layer_words(&layer_names);
	for (size_t layer = 0; layer < n_layers; layer++) {
		const char *const *names = NULL;
		size_t n = pw_components((enum pw_layer)layer, &names);
		struct pw_val *keys = pw_map_set_map(when(m, rules, "layer", layer_names[layer]), "properties");
		pw_map_set(keys, "component", n ? words(m, names, n) : pw_val_bool(m->arena, false));
	}
	return schema;
}

static struct pw_val *input(struct maker *m)
{
	struct pw_val *schema = record(m, &pw_schema_input), *rules = pw_map_set_seq(schema, "allOf");
	struct pw_val *rule = pw_seq_add_map(rules), *cond = pw_map_set_map(rule, "if");
	pw_map_set_str(pw_map_set_map(pw_map_set_map(cond, "properties"), "type"), "const", "choice");
	pw_seq_add_str(pw_map_set_seq(pw_map_set_map(rule, "then"), "required"), "choices");
	pw_map_set(pw_map_set_map(pw_map_set_map(rule, "else"), "properties"), "choices", pw_val_bool(m->arena, false));
	return schema;
}

void pw_play_schema(const struct pw_play_env *env, struct pw_buf *out)
{
	struct maker m = { env, pw_arena_new(SCHEMA_MAX) };
	struct pw_val *schema = m.arena ? pw_val_map(m.arena) : NULL;
	pw_map_set_str(schema, "$schema", "http://json-schema.org/draft-07/schema#");
	pw_map_set_strf(schema, "$id", "packetwalk-playbook-%d.schema.json", PW_PLAY_LANGUAGE);
	pw_map_set_str(schema, "title", "packetwalk playbook");
	if (schema) {
		struct pw_val *playbook = record(&m, &pw_schema_playbook);
		for (size_t i = 0; i < pw_val_count(playbook); i++)
			pw_map_set(schema, pw_map_key(playbook, i), (struct pw_val *)pw_val_at(playbook, i));
		struct pw_val *definitions = pw_map_set_map(schema, "definitions");
		pw_map_set(definitions, pw_schema_input.name, input(&m));
		pw_map_set(definitions, pw_schema_step.name, step(&m));
		pw_map_set(definitions, pw_schema_edge.name, record(&m, &pw_schema_edge));
		pw_map_set(definitions, pw_schema_verdict.name, verdict(&m));
		pw_map_set(definitions, pw_schema_test.name, record(&m, &pw_schema_test));
		pw_map_set(definitions, pw_schema_expect.name, record(&m, &pw_schema_expect));
	}
	if (pw_arena_failed(m.arena))
		out->failed = PW_NOMEM;
	else
		pw_json_write(out, schema, 2);
	pw_arena_free(m.arena);
}
