/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a playbook's own cases: the outcomes are given, the walker is the real
 * one. Evidence and input fields that a case does not give are made up, so
 * that every template on the way is filled in for real.
 */
#include <play/play.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <play/fields.h>
#include <play/outcomes.h>
#include <run/run.h>

enum { WHY_MAX = 400 }; /* bytes of the reason why a case failed */
#define CASE_MAX ((size_t)32 << 20) /* bytes of one case */

struct run {
	const struct pw_play *play;
	const struct pw_play_test *test;
	struct pw_arena *arena;         /* of this case */
	struct pw_scope *scope;
	struct pw_walk *walk;
	bool *taken;                    /* by edge, counted through all steps */
	char why[WHY_MAX];              /* empty: it passes so far */
	bool no_memory;
};

PW_PRINTF(2, 3) static void fail(struct run *run, const char *fmt, ...)
{
	struct pw_err text = PW_ERR_INIT;
	char whole[WHY_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(whole, sizeof whole, fmt, ap);
	va_end(ap);
	(void)pw_err_set(&text, PW_USAGE, "%s", whole); /* cut at a whole character */
	(void)snprintf(run->why, sizeof run->why, "%.*s", (int)sizeof run->why - 1, text.text);
}

/* ---- what is made up ---- */

static struct pw_val *placeholder(struct pw_arena *arena, const char *owner, const char *name, enum pw_type type, const struct pw_field *item);

static void add_fields(struct pw_val *map, struct pw_arena *arena, const char *owner, const struct pw_field *fields)
{
	for (const struct pw_field *f = fields; f && f->name; f++)
		pw_map_set(map, f->name, placeholder(arena, owner, f->name, f->type, f->item));
}

/* "<to.cluster_ip>": plainly not an observation. */
static struct pw_val *placeholder(struct pw_arena *arena, const char *owner, const char *name, enum pw_type type, const struct pw_field *item)
{
	struct pw_val *text = pw_val_str(arena, pw_arena_printf(arena, "<%s.%s>", owner, name));
	if (type == PW_TYPE_MAP)
		return pw_val_map(arena);
	if (type != PW_TYPE_LIST)
		return text;
	struct pw_val *list = pw_val_seq(arena), *entry = text;
	if (item) {
		entry = pw_val_map(arena);
		pw_map_set(entry, "", text);
		add_fields(entry, arena, owner, item);
	}
	pw_seq_add(list, entry);
	return list;
}

static void set_inputs(struct run *run)
{
	for (size_t i = 0; i < run->play->n_inputs; i++) {
		const struct pw_play_input *input = &run->play->inputs[i];
		const char *given = pw_val_text(pw_map_get(run->test->given, input->name));
		struct pw_val *map = pw_val_map(run->arena);
		pw_map_set_str(map, "", given ? given : pw_arena_printf(run->arena, "<%s>", input->name));
		add_fields(map, run->arena, input->name, pw_fields_of(input->type));
		pw_scope_set(run->scope, input->name, map);
	}
}

static struct pw_val *evidence_of(struct run *run, const struct pw_play_step *step)
{
	const struct pw_val *given = pw_map_get(pw_map_get(run->test->given, "evidence"), step->id);
	struct pw_val *map = given ? pw_val_copy(run->arena, given) : pw_val_map(run->arena);
	for (const struct pw_evidence *e = step->decl ? step->decl->evidence : NULL; e && e->name; e++)
		if (!pw_map_get(map, e->name))
			pw_map_set(map, e->name, placeholder(run->arena, step->id, e->name, e->type, NULL));
	return map;
}

static void add_made_item(struct run *run, struct pw_val *items, const struct pw_play_step *step, const char *outcome)
{
	struct pw_val *item = pw_seq_add_map(items);
	pw_map_set_strf(item, "item", "<%s of %s>", outcome, step->id);
	pw_map_set_str(item, "outcome", outcome);
	pw_map_set(item, "evidence", evidence_of(run, step));
}

/* The items of a loop that would end so: of every-X one, of a mixture one of the first two outcomes each. */
static struct pw_val *items_of(struct run *run, const struct pw_play_step *step, const char *outcome)
{
	struct pw_val *items = pw_val_seq(run->arena);
	size_t every = strlen(PW_OUTCOME_EVERY);
	const struct pw_outcome *declared = step->decl ? step->decl->outcomes : NULL;
	if (!strcmp(outcome, PW_OUTCOME_MIXED)) {
		for (size_t i = 0; declared && i < 2 && declared[i].word; i++)
			add_made_item(run, items, step, declared[i].word);
	} else if (strcmp(outcome, PW_OUTCOME_EMPTY) != 0) {
		add_made_item(run, items, step, strncmp(outcome, PW_OUTCOME_EVERY, every) ? outcome : outcome + every);
	}
	return items;
}

/* ---- templates on the way ---- */

static void expanded(struct run *run, const char *where, int rc, const struct pw_err *err)
{
	if (rc == PW_NOMEM)
		run->no_memory = true;
	else if (rc < 0 && !run->why[0])
		fail(run, "%s: %s", where, err->text);
}

static void expand_text(struct run *run, const char *where, const char *text)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_buf out;
	if (!text || run->why[0])
		return;
	pw_buf_init(&out, CASE_MAX);
	expanded(run, where, pw_scope_expand_text(run->scope, text, &out, &err), &err);
	pw_buf_release(&out);
}

static void expand_step(struct run *run, const struct pw_play_step *step)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *list = NULL, *with;
	expand_text(run, step->id, step->ask);
	if (step->for_each)
		expanded(run, step->id, pw_scope_expand(run->scope, step->for_each, run->arena, &list, &err), &err);
	struct pw_val *none = pw_val_str(run->arena, "<item>");
	if (step->for_each)
		pw_scope_set(run->scope, step->as, pw_val_count(list) ? pw_val_at(list, 0) : none);
	expand_text(run, step->id, step->at);
	if (step->with)
		expanded(run, step->id, pw_scope_expand_val(run->scope, step->with, run->arena, &with, &err), &err);
	if (step->for_each)
		pw_scope_unset(run->scope, step->as);
}

static void expand_verdict(struct run *run, const struct pw_play_verdict *verdict)
{
	expand_text(run, verdict->id, verdict->says);
	expand_text(run, verdict->id, verdict->settle);
	for (size_t i = 0; i < verdict->n_actions; i++)
		expand_text(run, verdict->id, verdict->actions[i]);
}

/* ---- one case ---- */

static size_t edge_number(const struct pw_play *play, const struct pw_play_step *step, const struct pw_play_edge *edge)
{
	size_t number = (size_t)(edge - step->edges);
	for (const struct pw_play_step *s = play->steps; s < step; s++)
		number += s->n_edges;
	return number;
}

static int walk_step(struct run *run, struct pw_err *err)
{
	const struct pw_play_step *step = pw_walk_step(run->walk);
	const char *outcome = pw_val_text(pw_map_get(pw_map_get(run->test->given, "outcomes"), step->id));
	expand_step(run, step);
	if (!outcome && !run->why[0])
		fail(run, "the walk reaches the step \"%s\", and the case gives no outcome for it", step->id);
	if (run->why[0])
		return PW_OK;
	struct pw_step_result result = {
		.id = step->id, .check = step->check, .vantage = "here", .outcome = outcome, .title = step->title, .hop = step->hop,
		.says = pw_arena_printf(run->arena, "<%s>", step->id), .klass = pw_play_outcome_class(step, outcome),
		.evidence = evidence_of(run, step), .items = step->for_each ? items_of(run, step, outcome) : NULL,
	};
	const struct pw_play_edge *edge = pw_play_edge_for(step, outcome);
	struct pw_err why = PW_ERR_INIT;
	int rc = pw_walk_feed(run->walk, &result, &why);
	if (rc == PW_SYNTAX) {
		fail(run, "%s", why.text);
		return PW_OK;
	}
	if (rc < 0)
		return pw_err_set(err, rc, "%s", why.text);
	run->taken[edge_number(run->play, step, edge)] = true;
	expand_text(run, step->id, edge->says);
	return PW_OK;
}

static void compare_path(struct run *run)
{
	const struct pw_play_test *test = run->test;
	const struct pw_step_result *const *walked;
	size_t n = pw_walk_results(run->walk, &walked);
	for (size_t i = 0; i < test->n_path; i++)
		if (i >= n || strcmp(walked[i]->id, test->path[i]) != 0) {
			fail(run, "step %zu of the path is %s%s%s, not \"%s\"", i + 1, i < n ? "\"" : "", i < n ? walked[i]->id : "missing",
			     i < n ? "\"" : "", test->path[i]);
			return;
		}
	if (test->n_path && n > test->n_path)
		fail(run, "the path goes on: step %zu is \"%s\"", test->n_path + 1, walked[test->n_path]->id);
}

static void compare(struct run *run)
{
	const struct pw_play_verdict *verdict = pw_walk_verdict(run->walk);
	const char *id = verdict ? verdict->id : PW_WORD_CALLEE;
	if (strcmp(id, run->test->verdict) != 0)
		fail(run, "the verdict is \"%s\", not \"%s\"", id, run->test->verdict);
	if (!run->why[0])
		compare_path(run);
	if (!run->why[0] && verdict)
		expand_verdict(run, verdict);
}

static int run_case(struct run *run, struct pw_err *err)
{
	run->scope = pw_scope_new(run->arena);
	run->walk = run->scope ? pw_walk_new(run->play, run->scope, run->arena) : NULL;
	if (!run->walk)
		return pw_err_set(err, PW_NOMEM, "out of memory while testing %s", run->play->name);
	set_inputs(run);
	int rc = PW_OK;
	/* A playbook that goes round in a circle is no reason to do so. */
	for (size_t i = 0; rc == PW_OK && !run->why[0] && !run->no_memory && pw_walk_want(run->walk) != PW_WALK_DONE; i++) {
		rc = walk_step(run, err);
		if (i > run->play->n_steps && !run->why[0])
			fail(run, "the walk goes round in a circle at \"%s\"", run->play->steps[run->play->start].id);
	}
	if (rc == PW_OK && !run->why[0] && !run->no_memory)
		compare(run);
	if (rc == PW_OK && (run->no_memory || pw_arena_failed(run->arena)))
		rc = pw_err_set(err, PW_NOMEM, "out of memory while testing %s", run->play->name);
	return rc;
}

/* ---- coverage ---- */

static void add_missed(struct pw_val *missed, struct pw_arena *arena, const struct pw_play_step *step, const struct pw_play_edge *edge)
{
	const char *text = pw_arena_printf(arena, "%s: %s", step->id, edge->n_outcomes ? edge->outcomes[0] : "else");
	for (size_t i = 1; i < edge->n_outcomes && text; i++)
		text = pw_arena_printf(arena, "%s, %s", text, edge->outcomes[i]);
	pw_seq_add_str(missed, text);
}

static int count(const struct pw_play *play, const bool *taken, struct pw_arena *arena, struct pw_play_coverage *ret, struct pw_err *err)
{
	struct pw_play_coverage coverage = { .missed = pw_val_seq(arena) };
	for (size_t s = 0; s < play->n_steps; s++)
		for (size_t e = 0; e < play->steps[s].n_edges; e++) {
			if (taken[coverage.edges++])
				coverage.taken++;
			else
				add_missed(coverage.missed, arena, &play->steps[s], &play->steps[s].edges[e]);
		}
	if (!coverage.missed || pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "out of memory while testing %s", play->name);
	*ret = coverage;
	return PW_OK;
}

static size_t count_edges(const struct pw_play *play)
{
	size_t n = 0;
	for (size_t s = 0; s < play->n_steps; s++)
		n += play->steps[s].n_edges;
	return n;
}

int pw_play_run_tests(const struct pw_play *play, struct pw_arena *arena, pw_play_case_fn fn, void *arg,
		      struct pw_play_coverage *ret, struct pw_err *err)
{
	struct run run = { .play = play, .arena = pw_arena_new(CASE_MAX), .taken = calloc(count_edges(play) + 1, sizeof *run.taken) };
	int rc = run.arena && run.taken ? PW_OK : pw_err_set(err, PW_NOMEM, "out of memory while testing %s", play->name);
	for (size_t i = 0; rc == PW_OK && i < play->n_tests; i++) {
		run.test = &play->tests[i];
		run.why[0] = '\0';
		pw_arena_clear(run.arena);
		rc = run_case(&run, err);
		if (rc == PW_OK && fn)
			fn(arg, i, run.test, !run.why[0], run.why[0] ? run.why : NULL);
	}
	if (rc == PW_OK)
		rc = count(play, run.taken, arena, ret, err);
	pw_arena_free(run.arena);
	free(run.taken);
	return rc;
}
