/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a judge is given may be anything: each value in turn becomes what no probe would say. */
#include "case.h"

#include <float.h>
#include <limits.h>
#include <string.h>

#include <packetwalk/cleanup.h>

enum { ARENA_MAX = 64 << 20, LONG_TEXT = 5000 };

enum mutation { LEFT_OUT, NO_VALUE, LARGEST, SMALLEST, HUGE_REAL, TRUE_VALUE, CONTROL_BYTES, LONG_STRING, EMPTY_TEXT, EMPTY_LIST, EMPTY_MAP, MUTATIONS };

static const char *const words[MUTATIONS] = { "left out", "null", "the largest number", "the smallest number", "a huge real", "true",
	"control bytes", "a long text", "an empty text", "an empty list", "an empty map" };

static struct pw_val *made(struct pw_arena *arena, enum mutation how)
{
	char text[LONG_TEXT + 1];
	switch (how) {
	case LARGEST: return pw_val_int(arena, LLONG_MAX);
	case SMALLEST: return pw_val_int(arena, LLONG_MIN);
	case HUGE_REAL: return pw_val_real(arena, DBL_MAX);
	case TRUE_VALUE: return pw_val_bool(arena, true);
	case CONTROL_BYTES: return pw_val_strn(arena, "\x1b[2J%s%n\x01\xff\xc0\0/:", 14);
	case LONG_STRING:
		memset(text, 'x', LONG_TEXT);
		text[LONG_TEXT] = '\0';
		return pw_val_str(arena, text);
	case EMPTY_TEXT: return pw_val_str(arena, "");
	case EMPTY_LIST: return pw_val_seq(arena);
	case EMPTY_MAP: return pw_val_map(arena);
	default: return pw_val_null(arena);
	}
}

/* A copy in which the value number `target`, counted in the order of the document, is another. */
struct mutant { struct pw_arena *arena; size_t at, target; enum mutation how; char path[256]; };

static struct pw_val *mutated(struct mutant *m, const struct pw_val *val, const char *path)
{
	if (m->at++ == m->target) {
		(void)strncpy(m->path, path, sizeof m->path - 1);
		return m->how == LEFT_OUT ? NULL : made(m->arena, m->how);
	}
	bool map = pw_val_is(val, PW_VAL_MAP);
	if (!map && !pw_val_is(val, PW_VAL_SEQ))
		return pw_val_copy(m->arena, val);
	struct pw_val *ret = map ? pw_val_map(m->arena) : pw_val_seq(m->arena);
	for (size_t i = 0; i < pw_val_count(val); i++) {
		const char *key = map ? pw_map_key(val, i) : "";
		const char *below = map ? pw_arena_printf(m->arena, "%s.%s", path, key) : pw_arena_printf(m->arena, "%s.%zu", path, i);
		struct pw_val *item = mutated(m, pw_val_at(val, i), below);
		if (item && map)
			pw_map_set(ret, key, item);
		else if (item)
			pw_seq_add(ret, item);
	}
	return ret;
}

static size_t count_values(const struct pw_val *val)
{
	size_t n = 1;
	for (size_t i = 0; i < pw_val_count(val); i++)
		n += count_values(pw_val_at(val, i));
	return n;
}

/* Is the end of a run in order? A refusal of the parameters is. */
static bool in_order(const struct pw_check *check, struct judge_run *run)
{
	if (run->rc == PW_USAGE && !run->result.check)
		return true;
	if (run->rc < 0)
		return false;
	if (!run->result.says || !*run->result.says)
		return pw_err_set(&run->err, PW_INTERNAL, "no sentence") == PW_OK;
	return judge_evidence_types(check, run->result.evidence, &run->err) == PW_OK;
}

static void tell(struct pw_buf *wrong, const struct mutant *m, const char *what, const struct judge_run *run)
{
	if (!wrong->len)
		pw_buf_printf(wrong, "%s%s is %s: %s", what, m->path, words[m->how], run->err.text);
}

enum part { OBSERVATION, PARAMS, CLUSTER };

/* The model of the case is built once where it is not what changes. `from`: the first value that does. */
static size_t each_value(const struct pw_check *check, const struct judge_case *c, enum part part, size_t from, const struct pw_facts *facts,
			 struct pw_buf *wrong)
{
	static const char *const names[] = { "observation", "params", "cluster" };
	const struct pw_val *whole = part == OBSERVATION ? c->observation : part == PARAMS ? c->params : c->objects;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	size_t n = count_values(whole), runs = 0;
	for (size_t i = from; i < n; i++)
		for (int how = 0; how < MUTATIONS; how++, runs++) {
			struct mutant m = { .arena = arena, .target = i, .how = (enum mutation)how };
			struct judge_run run;
			pw_arena_clear(arena);
			const struct pw_val *val = mutated(&m, whole, "");
			const struct pw_facts *model = part == CLUSTER ? judge_facts(check, c, val, arena, NULL) : facts;
			judge_run(check, part == PARAMS ? val : c->params, model, part == OBSERVATION ? val : c->observation, arena, &run);
			if (!in_order(check, &run))
				tell(wrong, &m, names[part], &run);
		}
	return runs;
}

static size_t own_objects(const struct judge_case *c)
{
	size_t n = 1; /* the list itself */
	for (size_t i = 0; i < c->n_shared; i++)
		n += count_values(pw_val_at(c->objects, i));
	return n;
}

size_t judge_hostile(const struct pw_check *check, const struct judge_case *c, bool shared, struct pw_buf *ret_wrong)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_err err = PW_ERR_INIT;
	const struct pw_facts *facts = judge_facts(check, c, c->objects, arena, &err);
	size_t runs = 0;
	if (!facts) {
		pw_buf_puts(ret_wrong, err.text);
		return 0;
	}
	if (check->probe)
		runs += each_value(check, c, OBSERVATION, 0, facts, ret_wrong);
	runs += each_value(check, c, PARAMS, 0, facts, ret_wrong);
	if (check->facts)
		runs += each_value(check, c, CLUSTER, shared ? 0 : own_objects(c), facts, ret_wrong);
	return runs;
}
