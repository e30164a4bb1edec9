/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the single values and lists of a playbook, each by its form. */
#include <play/loader.h>

#include <string.h>

#include <base/text.h>
#include <play/components.h>
#include <play/ids.h>
#include <play/outcomes.h>

enum { LIST_MAX = 200 }; /* items of one list: nobody reads more */

void pw_load_put(void *record, size_t at, const void *value, size_t size)
{
	memcpy((char *)record + at, value, size);
}

static void put_text(void *record, size_t at, const char *text)
{
	pw_load_put(record, at, &text, sizeof text);
}

static void put_list(void *record, const struct pw_schema_key *key, const void *list, size_t n)
{
	pw_load_put(record, key->at, &list, sizeof list);
	pw_load_put(record, key->at_n, &n, sizeof n);
}

static const char *kind_says(const struct pw_val *val)
{
	return pw_val_is(val, PW_VAL_SEQ) ? "a list" : pw_val_is(val, PW_VAL_MAP) ? "a map" : "text";
}

void pw_load_wrong(struct pw_loader *loader, const char *what, const char *wanted, const struct pw_val *val)
{
	bool empty = pw_val_is(val, PW_VAL_NULL) || (pw_val_text(val) && !*pw_val_text(val));
	if (empty)
		pw_load_error(loader, pw_val_place(val), PW_ID_EMPTY, "give it a value, or leave the key out",
			      "\"%s\" is empty, it wants %s", what, wanted);
	else
		pw_load_error(loader, pw_val_place(val), PW_ID_KIND, NULL, "\"%s\" wants %s, not %s", what, wanted, kind_says(val));
}

/* The text of a scalar that is not empty; NULL after a complaint. */
static const char *scalar(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val)
{
	const char *text = pw_val_text(val);
	if (text && *text)
		return text;
	pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
	return NULL;
}

static const char *name(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val)
{
	const char *text = scalar(loader, key, val);
	if (!text || pw_is_name(text))
		return text;
	pw_load_error(loader, pw_val_place(val), PW_ID_NAME, "use lower-case letters, digits, - and _, beginning with a letter",
		      "\"%s\" is not a name", text);
	return NULL;
}

static bool check_template(struct pw_loader *loader, const struct pw_val *val)
{
	struct pw_err why = PW_ERR_INIT;
	if (pw_template_refs(pw_val_text(val), NULL, NULL, &why) == PW_OK)
		return true;
	pw_load_error(loader, pw_val_place(val), PW_ID_TEMPLATE, NULL, "%s", why.text);
	return false;
}

/* Every text within a value. The document's depth is bounded, so this is too. */
static void check_templates(struct pw_loader *loader, const struct pw_val *val)
{
	if (pw_val_text(val))
		(void)check_template(loader, val);
	for (size_t i = 0; i < pw_val_count(val); i++)
		check_templates(loader, pw_val_at(val, i));
}

static void load_text(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	bool named = key->form == PW_FORM_NAME || key->form == PW_FORM_CHECK || key->form == PW_FORM_COMPONENT;
	const char *text = named ? name(loader, key, val) : scalar(loader, key, val);
	if (text && (key->form != PW_FORM_TEMPLATE || check_template(loader, val)))
		put_text(record, key->at, text);
}

static void load_version(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val)
{
	long long version;
	(void)key;
	if (!pw_val_to_int(val, &version) || version != PW_PLAY_LANGUAGE)
		pw_load_error(loader, pw_val_place(val), PW_ID_VERSION, "write packetwalk: 1", "this is not a version of the language");
}

static void load_bool(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	/* The true and false of YAML 1.2, in its three spellings; not the yes and on of YAML 1.1. */
	static const char *const words[] = { "false", "true", "False", "True", "FALSE", "TRUE" };
	const char *text = scalar(loader, key, val);
	for (size_t i = 0; text && i < sizeof words / sizeof *words; i++)
		if (!strcmp(text, words[i])) {
			bool value = i % 2 == 1;
			pw_load_put(record, key->at, &value, sizeof value);
			return;
		}
	if (text)
		pw_load_error(loader, pw_val_place(val), PW_ID_WORD, "write true or false", "\"%s\" is true or false, not \"%s\"", key->name, text);
}

static void load_duration(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	const char *text = scalar(loader, key, val);
	unsigned ms;
	if (!text)
		return;
	if (pw_parse_duration(text, &ms))
		pw_load_put(record, key->at, &ms, sizeof ms);
	else
		pw_load_error(loader, pw_val_place(val), PW_ID_DURATION, "write 500ms, 2s or 1m30s", "\"%s\" is not a duration", text);
}

static void load_word(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	const char *text = scalar(loader, key, val);
	size_t n = 0;
	for (; text && key->words[n]; n++)
		if (!strcmp(key->words[n], text)) {
			put_text(record, key->at, key->words[n]);
			return;
		}
	if (text)
		pw_load_error(loader, pw_val_place(val), PW_ID_WORD, pw_suggest(loader->arena, text, key->words, n),
			      "\"%s\" cannot be \"%s\"", key->name, text);
}

static void load_type(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	const char *text = scalar(loader, key, val), *words[PW_TYPE_NODE + 1];
	for (int type = 0; type <= PW_TYPE_NODE; type++) {
		enum pw_type value = (enum pw_type)type;
		words[type] = pw_type_word(value);
		if (text && !strcmp(text, words[type])) {
			pw_load_put(record, key->at, &value, sizeof value);
			return;
		}
	}
	if (text)
		pw_load_error(loader, pw_val_place(val), PW_ID_NO_TYPE, pw_suggest(loader->arena, text, words, PW_TYPE_NODE + 1),
			      "there is no input type \"%s\"", text);
}

static bool layer_of(struct pw_loader *loader, const char *text, struct pw_place place, size_t n_possible, enum pw_layer *ret)
{
	const char *const *words;
	(void)pw_layer_words(&words);
	enum pw_layer layer;
	if (pw_layer_parse(text, &layer) && (size_t)layer < n_possible) {
		*ret = layer;
		return true;
	}
	pw_load_error(loader, place, PW_ID_NO_LAYER, pw_suggest(loader->arena, text, words, n_possible), "there is no layer \"%s\"", text);
	return false;
}

static void load_layer(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	const char *text = scalar(loader, key, val);
	enum pw_layer layer;
	if (text && layer_of(loader, text, pw_val_place(val), PW_LAYER_UNKNOWN + 1, &layer))
		pw_load_put(record, key->at, &layer, sizeof layer);
}

/* The index of a key in a map, -1. */
static int key_index(const struct pw_val *map, const char *key)
{
	for (size_t i = 0; i < pw_val_count(map); i++)
		if (!strcmp(pw_map_key(map, i), key))
			return (int)i;
	return -1;
}

static int find_name(struct pw_loader *loader, const struct pw_val *map, const char *text, struct pw_place place, const char *id, const char *what)
{
	int index = key_index(map, text);
	if (index >= 0)
		return index;
	const char *const *names = NULL;
	size_t n = pw_map_names(loader->arena, map, &names);
	pw_load_error(loader, place, id, pw_suggest(loader->arena, text, names, n), "there is no %s \"%s\"", what, text);
	return -1;
}

static int step_named(struct pw_loader *loader, const char *text, struct pw_place place)
{
	if (!loader->steps)
		return -1; /* that there are none is a complaint of its own */
	return find_name(loader, loader->steps, text, place, PW_ID_NO_STEP, "step");
}

static int verdict_named(struct pw_loader *loader, const char *text, struct pw_place place)
{
	return find_name(loader, loader->verdicts, text, place, PW_ID_NO_VERDICT, "verdict");
}

static void load_target(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	const char *text = scalar(loader, key, val);
	if (!text)
		return;
	bool callee = key->form != PW_FORM_STEP && !strcmp(text, PW_WORD_CALLEE);
	int index = callee ? PW_VERDICT_CALLEE : key->form == PW_FORM_STEP ? step_named(loader, text, pw_val_place(val)) : verdict_named(loader, text, pw_val_place(val));
	if (key->form == PW_FORM_VERDICT_ID)
		put_text(record, key->at, text);
	else
		pw_load_put(record, key->at, &index, sizeof index);
}

/* ---- lists ---- */

/* A list of `n` items, or a scalar as a list of one; 0 after a complaint. */
static size_t items_of(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val)
{
	size_t n = pw_val_is(val, PW_VAL_SEQ) ? pw_val_count(val) : pw_val_text(val) && key->form != PW_FORM_STEP_IDS ? 1 : 0;
	if (n == 0)
		pw_val_is(val, PW_VAL_SEQ) ? pw_load_error(loader, pw_val_place(val), PW_ID_EMPTY, "give it a value, or leave the key out",
							   "\"%s\" is an empty list", key->name)
					   : pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
	if (n <= LIST_MAX)
		return n;
	pw_load_error(loader, pw_val_place(val), PW_ID_TOO_MANY, NULL, "\"%s\" has %zu items, %d are possible", key->name, n, LIST_MAX);
	return 0;
}

static const struct pw_val *item_of(const struct pw_val *val, size_t i)
{
	return pw_val_is(val, PW_VAL_SEQ) ? pw_val_at(val, i) : val;
}

/* The text of an item, checked by the form of its list; NULL after a complaint. */
static const char *item_text(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *item)
{
	const char *text = key->form == PW_FORM_NAMES ? name(loader, key, item) : scalar(loader, key, item);
	if (text && key->form == PW_FORM_TEMPLATES && !check_template(loader, item))
		return NULL;
	if (text && key->form == PW_FORM_STEP_IDS && step_named(loader, text, pw_val_place(item)) < 0)
		return NULL;
	return text;
}

static void load_texts(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	size_t n = items_of(loader, key, val), have = 0;
	bool once = key->form == PW_FORM_NAMES || key->form == PW_FORM_TEXTS;
	const char **texts = n ? pw_arena_array(loader->arena, n, sizeof *texts) : NULL;
	for (size_t i = 0; texts && i < n; i++) {
		const struct pw_val *item = item_of(val, i);
		const char *text = item_text(loader, key, item);
		for (size_t k = 0; text && once && k < have; k++)
			if (!strcmp(texts[k], text)) {
				pw_load_error(loader, pw_val_place(item), PW_ID_TWICE, "keep one of the two", "\"%s\" is in the list twice", text);
				text = NULL;
			}
		if (text)
			texts[have++] = text;
	}
	put_list(record, key, texts, have);
}

/* "layer" or "layer/component" */
static bool read_claim(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, struct pw_play_claim *ret)
{
	const char *text = scalar(loader, key, val);
	const char *slash = text ? strchr(text, '/') : NULL;
	const char *layer = slash ? pw_arena_strndup(loader->arena, text, (size_t)(slash - text)) : text;
	ret->place = pw_val_place(val);
	ret->component = slash ? slash + 1 : NULL;
	if (!layer || !layer_of(loader, layer, ret->place, PW_LAYER_COUNT, &ret->layer))
		return false;
	if (!slash || pw_component_known(ret->layer, ret->component))
		return true;
	const char *const *names = NULL;
	size_t n = pw_components(ret->layer, &names);
	const char *near = pw_nearest(ret->component, names, n);
	pw_load_error(loader, ret->place, PW_ID_NO_COMPONENT, near ? pw_arena_printf(loader->arena, "did you mean \"%s/%s\"?", layer, near) : NULL,
		      "the layer %s has no component \"%s\"", layer, ret->component);
	return false;
}

static bool same_claim(const struct pw_play_claim *a, const struct pw_play_claim *b)
{
	if (a->layer != b->layer || !a->component || !b->component)
		return a->layer == b->layer && !a->component && !b->component;
	return !strcmp(a->component, b->component);
}

static void load_claims(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	size_t n = items_of(loader, key, val), have = 0;
	struct pw_play_claim *claims = n ? pw_arena_array(loader->arena, n, sizeof *claims) : NULL;
	for (size_t i = 0; claims && i < n; i++) {
		bool good = read_claim(loader, key, item_of(val, i), &claims[have]);
		for (size_t k = 0; good && k < have; k++)
			if (same_claim(&claims[k], &claims[have])) {
				pw_load_error_two(loader, claims[have].place, claims[k].place, PW_ID_TWICE, "keep one of the two", "this is in the list twice");
				good = false;
			}
		have += good;
	}
	put_list(record, key, claims, have);
}

static void load_values(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	if (!pw_val_is(val, PW_VAL_MAP)) {
		pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
		return;
	}
	check_templates(loader, val);
	pw_load_put(record, key->at, &val, sizeof val);
}

void pw_load_value(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	switch (key->form) {
	case PW_FORM_VERSION: load_version(loader, key, val); break;
	case PW_FORM_NAME: case PW_FORM_TEXT: case PW_FORM_TEMPLATE: case PW_FORM_COMPONENT: case PW_FORM_CHECK:
		load_text(loader, key, val, record);
		break;
	case PW_FORM_BOOL: load_bool(loader, key, val, record); break;
	case PW_FORM_DURATION: load_duration(loader, key, val, record); break;
	case PW_FORM_WORD: load_word(loader, key, val, record); break;
	case PW_FORM_TYPE: load_type(loader, key, val, record); break;
	case PW_FORM_LAYER: load_layer(loader, key, val, record); break;
	case PW_FORM_STEP: case PW_FORM_VERDICT: case PW_FORM_VERDICT_ID: load_target(loader, key, val, record); break;
	case PW_FORM_TEXTS: case PW_FORM_TEMPLATES: case PW_FORM_NAMES: case PW_FORM_STEP_IDS:
		load_texts(loader, key, val, record);
		break;
	case PW_FORM_CLAIMS: load_claims(loader, key, val, record); break;
	case PW_FORM_VALUES: load_values(loader, key, val, record); break;
	case PW_FORM_GIVEN: case PW_FORM_RECORD: case PW_FORM_TABLE: case PW_FORM_RECORDS: case PW_FORM_EDGES:
		break; /* load.c */
	}
}
