/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record written and read is the same record. */
#include "tap.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/json.h>
#include <run/run.h>

static struct pw_record make(struct pw_arena *arena)
{
	static struct pw_step_result one;
	static const struct pw_step_result *list[] = { &one };
	struct pw_val *evidence = pw_val_map(arena), *observation = pw_val_map(arena), *because = pw_val_seq(arena), *inputs = pw_val_map(arena);
	pw_map_set_int(evidence, "ms", 7);
	pw_map_set_str(observation, "raw", "x");
	pw_seq_add_str(because, "one");
	pw_map_set_str(inputs, "port", "80");
	one = (struct pw_step_result){ .id = "one", .check = "c", .vantage = "here", .outcome = "timeout", .says = "Silence.", .title = "T", .hop = "h",
		.klass = PW_CLASS_FAIL, .evidence = evidence, .observation = observation, .duration_ms = 9 };
	struct pw_record r = { .playbook = "p", .playbook_hash = "00ff", .cluster = "c", .cluster_uid = "u", .version = "1", .started_ms = 1767323045000,
			       .duration_ms = 5, .inputs = inputs, .status = PW_STATUS_FAULT, .steps = list, .n_steps = 1 };
	r.verdict.id = "v";
	r.verdict.layer = PW_LAYER_INFRASTRUCTURE;
	r.verdict.component = "l2";
	r.verdict.says = "Says.";
	r.verdict.because = because;
	r.ledger.rows[PW_LAYER_INFRASTRUCTURE] = (struct pw_ledger_row){ PW_LEDGER_AT_FAULT, { "one" }, 1 };
	return r;
}

/* By way of text, as a file would be. */
static struct pw_val *through_text(const struct pw_record *record, bool whole, struct pw_arena *arena)
{
	static const struct pw_json_limits limits = { 1 << 20, 32 };
	PW_CLEAN_BUF struct pw_buf text;
	struct pw_val *val = NULL;
	pw_buf_init(&text, 1 << 20);
	pw_json_write(&text, pw_record_to_val(record, whole, arena), 0);
	is_int(pw_json_parse(pw_buf_str(&text), text.len, NULL, &limits, arena, &val, NULL), PW_OK, "it parses");
	return val;
}

static void test_round_trip(struct pw_arena *arena)
{
	struct pw_record a = make(arena), b;
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *val = through_text(&a, true, arena);
	is_int(pw_record_from_val(val, arena, &b, &err), PW_OK, "a record is read");
	is_str(b.playbook_hash, "00ff", "hash");
	is_str(b.cluster_uid, "u", "cluster uid");
	is_int(b.started_ms, a.started_ms, "start");
	is_int(b.status, PW_STATUS_FAULT, "status");
	is_int(b.verdict.layer, PW_LAYER_INFRASTRUCTURE, "layer");
	is_str(b.verdict.component, "l2", "component");
	is_int(b.n_steps, 1, "steps");
	is_str(b.steps[0]->says, "Silence.", "sentence");
	is_int(b.steps[0]->klass, PW_CLASS_FAIL, "class");
	is_int(pw_map_int(b.steps[0]->evidence, "ms", 0), 7, "evidence");
	is_str(pw_map_str(b.steps[0]->observation, "raw", NULL), "x", "observation");
	is_int(b.ledger.rows[PW_LAYER_INFRASTRUCTURE].state, PW_LEDGER_AT_FAULT, "ledger");
	is_str(b.ledger.rows[PW_LAYER_INFRASTRUCTURE].because[0], "one", "ledger's reason");
	ok(pw_val_equal(pw_record_to_val(&b, true, arena), val), "and written again it is the same document");
	ok(!pw_map_get(pw_val_at(pw_map_get(through_text(&a, false, arena), "steps"), 0), "observation"), "observations only in the whole record");
}

static void test_refused(struct pw_arena *arena)
{
	struct pw_record a = make(arena), b;
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *val = through_text(&a, true, arena);
	pw_map_set_str(val, "schema", "packetwalk.result/2");
	is_int(pw_record_from_val(val, arena, &b, &err), PW_SYNTAX, "a schema from the future is refused");
	is_str(err.text, "not a record this version reads: schema is 'packetwalk.result/2'", "and named");
	pw_map_set_str(val, "schema", "packetwalk.result/1");
	pw_map_set_str(val, "status", "fine");
	is_int(pw_record_from_val(val, arena, &b, &err), PW_SYNTAX, "an unknown status is refused");
	is_int(pw_record_from_val(NULL, arena, &b, &err), PW_SYNTAX, "nothing is refused");
	is_int(pw_record_from_val(pw_val_str(arena, "x"), arena, &b, &err), PW_SYNTAX, "a string is refused");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 24);
	test_round_trip(arena);
	test_refused(arena);
	return tap_done();
}
