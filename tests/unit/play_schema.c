/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables, and what is derived from them. With --print: the JSON Schema, for tests/lint/playbook-schema. */
#include <cluster/cluster.h>
#include <doc/json.h>
#include <play/components.h>
#include <play/fields.h>
#include <play/ids.h>
#include <play/schema.h>

#include "play_util.h"
#include "tap.h"

static const struct pw_schema *const schemas[] = {
	&pw_schema_playbook, &pw_schema_input, &pw_schema_step, &pw_schema_edge, &pw_schema_verdict, &pw_schema_test, &pw_schema_expect,
};
enum { SCHEMAS = sizeof schemas / sizeof *schemas };

static void test_tables(void)
{
	for (size_t i = 0; i < SCHEMAS; i++)
		for (const struct pw_schema_key *key = schemas[i]->keys; key->name; key++) {
			const char *name = key->name, *of = schemas[i]->name;
			ok(pw_schema_find(schemas[i], name) == key, "%s.%s is there once", of, name);
			ok(key->help && key->help[strlen(key->help) - 1] == '.', "%s.%s has a sentence", of, name);
			ok(!key->needs || pw_schema_find(schemas[i], key->needs), "%s.%s needs a key that exists", of, name);
		}
}

/* The schema as a tree; every key of the tables is a property with its help. */
static void test_json(struct pw_arena *arena)
{
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	PW_CLEAN_BUF struct pw_buf out;
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *schema = NULL;
	const struct pw_json_limits limits = { (size_t)1 << 24, 64 };
	pw_buf_init(&out, (size_t)1 << 24);
	pw_play_schema(&env, &out);
	ok(pw_buf_ok(&out), "made");
	if (!ok(pw_json_parse(pw_buf_str(&out), out.len, NULL, &limits, arena, &schema, &err) == PW_OK, "is JSON %s", err.text))
		return;
	is_str(pw_map_str(schema, "$schema", NULL), "http://json-schema.org/draft-07/schema#", "draft-07");
	for (size_t i = 0; i < SCHEMAS; i++) {
		const struct pw_val *one = i == 0 ? schema : pw_map_get(pw_map_get(schema, "definitions"), schemas[i]->name);
		const struct pw_val *keys = pw_map_get(one, "properties");
		size_t n = 0;
		for (const struct pw_schema_key *key = schemas[i]->keys; key->name; key++, n++)
			ok(pw_map_get(keys, key->name) != NULL, "%s.%s", schemas[i]->name, key->name);
		is_int(pw_val_count(keys), n, "and no other key");
		ok(!pw_map_bool(one, "additionalProperties", true), "%s refuses others", schemas[i]->name);
	}
	is_str(pw_val_text(pw_val_get(schema, "definitions.step.properties.check.enum.1")), "knock", "the checks at hand");
	is_int(pw_val_count(pw_val_get(schema, "definitions.step.allOf")), 3, "and what each takes");
}

static void test_reference(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, (size_t)1 << 20);
	pw_play_reference(&out);
	for (size_t i = 0; i < SCHEMAS; i++)
		for (const struct pw_schema_key *key = schemas[i]->keys; key->name; key++)
			ok(strstr(pw_buf_str(&out), key->name) != NULL, "the reference has %s", key->name);
	ok(strstr(pw_buf_str(&out), "| `layer` (required) | a layer, none or unknown |") != NULL, "a row");
	ok(strstr(pw_buf_str(&out), "| PW0403 | A walk could go round in a circle. |") != NULL, "the ids");
	ok(strstr(pw_buf_str(&out), "overlay") != NULL, "the components");
}

/* What the linter believes of input fields is what the cluster module offers. */
static void test_fields(void)
{
	for (int t = 0; t <= PW_TYPE_NODE; t++) {
		enum pw_type type = (enum pw_type)t;
		const char *const *names = pw_input_type(type)->fields;
		size_t n = 0, rows = 0;
		for (; names[n]; n++)
			ok(pw_field_find(pw_fields_of(type), names[n], strlen(names[n])) != NULL, "%s.%s has a type", pw_type_word(type), names[n]);
		while (pw_fields_of(type)[rows].name)
			rows++;
		is_int(rows, n, "and no other field has");
	}
}

static void test_components(void)
{
	enum pw_layer layer;
	const char *const *names = NULL;
	ok(pw_layer_parse("third-party", &layer) && layer == PW_LAYER_THIRD_PARTY, "a layer");
	ok(!pw_layer_parse("Third-party", &layer), "and what is none");
	is_str(pw_layer_word((enum pw_layer)99), "unknown", "no layer has the word unknown");
	ok(pw_component_known(PW_LAYER_CNI, "overlay") && !pw_component_known(PW_LAYER_KUBERNETES, "overlay"), "a component of its layer");
	is_int(pw_components(PW_LAYER_NONE, &names), 0, "none has no components");
	for (int l = 0; l < PW_LAYER_COUNT; l++) {
		size_t n = pw_components((enum pw_layer)l, &names);
		for (size_t i = 0; i < n; i++)
			ok(pw_is_name(names[i]) && (i == 0 || strcmp(names[i - 1], names[i]) < 0), "%s/%s in order", pw_layer_word((enum pw_layer)l), names[i]);
	}
}

static void test_names(void)
{
	static const char *const good[] = { "a", "by-name", "a_b", "a1-2" }, *const bad[] = { "", "A", "1a", "-a", "a-", "a--b", "a b", "\xc3\xa4", "a.b" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ok(pw_is_name(good[i]), "\"%s\" is a name", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!pw_is_name(bad[i]), "\"%s\" is none", bad[i]);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--print")) {
		struct pw_play_env env = FAKE_ENV("tests/play/valid");
		PW_CLEAN_BUF struct pw_buf out;
		pw_buf_init(&out, (size_t)1 << 24);
		pw_play_schema(&env, &out);
		return puts(pw_buf_str(&out)) < 0;
	}
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	test_tables();
	test_json(arena);
	test_reference();
	test_fields();
	test_components();
	test_names();
	return tap_done();
}
