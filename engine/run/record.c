/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record as a document, and back. Keys are only ever added: people script against them. */
#include <run/run.h>

#include <string.h>

#include <base/text.h>

#define SCHEMA "packetwalk.result/1"

/* ---- writing ---- */

/* A promised key is there even when nothing is known: null. */
static void set_text(struct pw_val *map, const char *key, const char *text, struct pw_arena *arena)
{
	pw_map_set(map, key, pw_val_str(arena, text));
}

static void set_val(struct pw_val *map, const char *key, const struct pw_val *val, struct pw_val *otherwise)
{
	pw_map_set(map, key, val ? (struct pw_val *)val : otherwise);
}

static struct pw_val *verdict_val(const struct pw_record *record, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	set_text(map, "id", record->verdict.id, arena);
	set_text(map, "layer", pw_layer_word(record->verdict.layer), arena);
	set_text(map, "component", record->verdict.component, arena);
	set_text(map, "hop", record->verdict.hop, arena);
	set_text(map, "says", record->verdict.says, arena);
	set_val(map, "do", record->verdict.actions, pw_val_seq(arena));
	set_val(map, "because", record->verdict.because, pw_val_seq(arena));
	if (record->verdict.settle)
		set_text(map, "settle", record->verdict.settle, arena);
	if (pw_val_count(record->verdict.could_be))
		set_val(map, "could_be", record->verdict.could_be, NULL);
	return map;
}

static struct pw_val *layers_val(const struct pw_record *record, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
		const struct pw_ledger_row *row = &record->ledger.rows[layer];
		struct pw_val *one = pw_map_set_map(map, pw_layer_word((enum pw_layer)layer));
		pw_map_set_str(one, "state", pw_ledger_word(row->state));
		struct pw_val *seq = pw_map_set_seq(one, "because");
		for (size_t i = 0; i < row->n_because; i++)
			pw_seq_add_str(seq, row->because[i]);
	}
	return map;
}

static struct pw_val *step_val(const struct pw_step_result *step, bool whole, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	set_text(map, "id", step->id, arena);
	set_text(map, "check", step->check, arena);
	set_text(map, "title", step->title, arena);
	set_text(map, "hop", step->hop, arena);
	set_text(map, "vantage", step->vantage, arena);
	set_text(map, "outcome", step->outcome, arena);
	set_text(map, "class", pw_class_word(step->klass), arena);
	set_val(map, "evidence", step->evidence, pw_val_map(arena));
	set_text(map, "says", step->says, arena);
	pw_map_set_int(map, "duration_ms", step->duration_ms);
	if (whole && step->items) /* as the walk is fed them; what is made of them stands in the evidence */
		set_val(map, "items", step->items, NULL);
	if (whole)
		set_val(map, "observation", step->observation, pw_val_map(arena));
	return map;
}

struct pw_val *pw_record_to_val(const struct pw_record *record, bool whole, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	char started[32];
	pw_format_rfc3339(record->started_ms, started);
	set_text(map, "schema", SCHEMA, arena);
	set_text(map, "packetwalk", record->version, arena);
	set_text(map, "playbook", record->playbook, arena);
	set_text(map, "playbook_hash", record->playbook_hash, arena);
	set_text(map, "cluster", record->cluster, arena);
	set_text(map, "cluster_uid", record->cluster_uid, arena);
	set_text(map, "started", started, arena);
	pw_map_set_int(map, "duration_ms", record->duration_ms);
	set_val(map, "inputs", record->inputs, pw_val_map(arena));
	set_text(map, "status", pw_status_word(record->status), arena);
	pw_map_set_bool(map, "partial", record->partial);
	pw_map_set(map, "verdict", verdict_val(record, arena));
	pw_map_set(map, "layers", layers_val(record, arena));
	struct pw_val *steps = pw_map_set_seq(map, "steps");
	for (size_t i = 0; i < record->n_steps; i++)
		pw_seq_add(steps, step_val(record->steps[i], whole, arena));
	if (record->path_drawing)
		set_text(map, "path", record->path_drawing, arena);
	return pw_arena_failed(arena) ? NULL : map;
}

/* ---- reading ---- */

static bool find_word(const char *word, const char *const *words, size_t n, size_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (word && words[i] && strcmp(words[i], word) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static int bad(struct pw_err *err, const char *what, const char *got)
{
	return pw_err_set(err, PW_SYNTAX, "not a record this version reads: %s is '%s'", what, got ? got : "missing");
}

static int read_class(const struct pw_val *map, enum pw_class *ret, struct pw_err *err)
{
	const char *word = pw_map_str(map, "class", NULL);
	for (int k = PW_CLASS_OK; k <= PW_CLASS_ERROR; k++)
		if (word && strcmp(word, pw_class_word((enum pw_class)k)) == 0) {
			*ret = (enum pw_class)k;
			return PW_OK;
		}
	return bad(err, "the class of a step", word);
}

static unsigned millis(const struct pw_val *map)
{
	long long ms = pw_map_int(map, "duration_ms", 0);
	return ms > 0 && ms <= 0x7fffffff ? (unsigned)ms : 0;
}

static int read_step(const struct pw_val *map, struct pw_step_result *ret, struct pw_err *err)
{
	*ret = (struct pw_step_result){ .id = pw_map_str(map, "id", NULL), .check = pw_map_str(map, "check", NULL),
		.vantage = pw_map_str(map, "vantage", NULL), .outcome = pw_map_str(map, "outcome", NULL),
		.says = pw_map_str(map, "says", ""), .title = pw_map_str(map, "title", NULL), .hop = pw_map_str(map, "hop", NULL),
		.evidence = pw_map_get(map, "evidence"), .observation = pw_map_get(map, "observation"), .duration_ms = millis(map),
		.items = pw_map_get(map, "items") };
	if (!ret->id || !ret->outcome)
		return bad(err, ret->id ? "the outcome of a step" : "the id of a step", NULL);
	return read_class(map, &ret->klass, err);
}

static int read_steps(const struct pw_val *seq, struct pw_arena *arena, struct pw_record *ret, struct pw_err *err)
{
	size_t n = pw_val_count(seq);
	const struct pw_step_result **list = pw_arena_array(arena, n + 1, sizeof *list);
	struct pw_step_result *steps = pw_arena_array(arena, n + 1, sizeof *steps);
	if (!list || !steps)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int rc = read_step(pw_val_at(seq, i), &steps[i], err);
		if (rc)
			return rc;
		list[i] = &steps[i];
	}
	ret->steps = list;
	ret->n_steps = n;
	return PW_OK;
}

static int read_ledger(const struct pw_val *layers, struct pw_ledger *ledger, struct pw_err *err)
{
	static const enum pw_ledger_state states[] = { PW_LEDGER_UNTESTED, PW_LEDGER_CLEARED, PW_LEDGER_SUSPECTED, PW_LEDGER_AT_FAULT };
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
		struct pw_ledger_row *row = &ledger->rows[layer];
		const struct pw_val *map = pw_map_get(layers, pw_layer_word((enum pw_layer)layer));
		const struct pw_val *why = pw_map_get(map, "because");
		const char *words[sizeof states / sizeof *states];
		size_t at = 0;
		for (size_t i = 0; i < sizeof states / sizeof *states; i++)
			words[i] = pw_ledger_word(states[i]);
		if (!find_word(pw_map_str(map, "state", NULL), words, sizeof states / sizeof *states, &at))
			return bad(err, "the state of a layer", pw_map_str(map, "state", NULL));
		row->state = states[at];
		for (size_t i = 0; i < pw_val_count(why) && i < sizeof row->because / sizeof *row->because; i++)
			if (pw_val_text(pw_val_at(why, i)))
				row->because[row->n_because++] = pw_val_text(pw_val_at(why, i));
	}
	return PW_OK;
}

static int read_verdict(const struct pw_val *map, struct pw_record *ret, struct pw_err *err)
{
	const char *layer = pw_map_str(map, "layer", NULL);
	if (!layer || !pw_layer_parse(layer, &ret->verdict.layer))
		return bad(err, "the layer of the verdict", layer);
	ret->verdict.id = pw_map_str(map, "id", "");
	ret->verdict.component = pw_map_str(map, "component", NULL);
	ret->verdict.hop = pw_map_str(map, "hop", NULL);
	ret->verdict.says = pw_map_str(map, "says", "");
	ret->verdict.settle = pw_map_str(map, "settle", NULL);
	ret->verdict.actions = pw_map_get(map, "do");
	ret->verdict.because = pw_map_get(map, "because");
	ret->verdict.could_be = pw_map_get(map, "could_be");
	return PW_OK;
}

int pw_record_from_val(const struct pw_val *val, struct pw_arena *arena, struct pw_record *ret, struct pw_err *err)
{
	const char *schema = pw_map_str(val, "schema", NULL), *status = pw_map_str(val, "status", NULL);
	struct pw_record record = { .playbook = pw_map_str(val, "playbook", ""), .playbook_hash = pw_map_str(val, "playbook_hash", ""),
		.cluster = pw_map_str(val, "cluster", ""), .cluster_uid = pw_map_str(val, "cluster_uid", ""),
		.version = pw_map_str(val, "packetwalk", ""), .started_ms = pw_parse_rfc3339(pw_map_str(val, "started", "")) * 1000,
		.duration_ms = millis(val), .inputs = pw_map_get(val, "inputs"), .partial = pw_map_bool(val, "partial", false),
		.path_drawing = pw_map_str(val, "path", NULL) };
	const char *words[PW_STATUS_INCONCLUSIVE + 1];
	size_t at = 0;
	for (int i = 0; i <= PW_STATUS_INCONCLUSIVE; i++)
		words[i] = pw_status_word((enum pw_status)i);
	if (!schema || strcmp(schema, SCHEMA) != 0)
		return bad(err, "schema", schema);
	if (!find_word(status, words, PW_STATUS_INCONCLUSIVE + 1, &at))
		return bad(err, "status", status);
	record.status = (enum pw_status)at;
	int rc = read_verdict(pw_map_get(val, "verdict"), &record, err);
	if (!rc)
		rc = read_ledger(pw_map_get(val, "layers"), &record.ledger, err);
	if (!rc)
		rc = read_steps(pw_map_get(val, "steps"), arena, &record, err);
	if (!rc)
		*ret = record;
	return rc;
}
