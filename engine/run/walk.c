/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walker: state and event in, next state out. It starts nothing and waits for nothing. */
#include <run/run.h>

#include <stdio.h>
#include <string.h>

#include <run/ledger.h>

/* Where the walk stood before a step, to go back to. */
struct walked { int step; const struct pw_step_result *result; struct pw_ledger before; };

struct pw_walk {
	const struct pw_play *play;
	struct pw_scope *scope;
	struct pw_arena *arena;
	int step;                         /* index, -1 when done */
	int verdict;                      /* index, PW_VERDICT_CALLEE, or -1 */
	struct pw_ledger ledger;
	struct walked *trail;             /* n_steps of them: a playbook has no cycles */
	const struct pw_step_result **results;
	size_t n;
};

struct pw_walk *pw_walk_new(const struct pw_play *play, struct pw_scope *scope, struct pw_arena *arena)
{
	struct pw_walk *walk = pw_arena_alloc(arena, sizeof *walk);
	if (!walk)
		return NULL;
	*walk = (struct pw_walk){ .play = play, .scope = scope, .arena = arena, .step = play->start, .verdict = -1 };
	walk->trail = pw_arena_array(arena, play->n_steps, sizeof *walk->trail);
	walk->results = pw_arena_array(arena, play->n_steps, sizeof *walk->results);
	return walk->trail && walk->results ? walk : NULL;
}

enum pw_walk_want pw_walk_want(const struct pw_walk *walk)
{
	if (walk->step < 0)
		return PW_WALK_DONE;
	switch (walk->play->steps[walk->step].kind) {
	case PW_STEP_ASK: return PW_WALK_ASK;
	case PW_STEP_PLAYBOOK: return PW_WALK_CALL;
	default: return PW_WALK_CHECK;
	}
}

const struct pw_play_step *pw_walk_step(const struct pw_walk *walk)
{
	return walk->step < 0 ? NULL : &walk->play->steps[walk->step];
}

const struct pw_play_verdict *pw_walk_verdict(const struct pw_walk *walk)
{
	return walk->step < 0 && walk->verdict >= 0 ? &walk->play->verdicts[walk->verdict] : NULL;
}

bool pw_walk_adopts_callee(const struct pw_walk *walk)
{
	return walk->step < 0 && walk->verdict == PW_VERDICT_CALLEE;
}

/* Evidence, plus what every step offers. */
static const struct pw_val *scope_value(struct pw_walk *walk, const struct pw_step_result *result)
{
	struct pw_val *value = result->evidence ? pw_val_copy(walk->arena, result->evidence) : pw_val_map(walk->arena);
	if (!pw_val_is(value, PW_VAL_MAP))
		value = pw_val_map(walk->arena);
	pw_map_set_str(value, "says", result->says ? result->says : "");
	pw_map_set_str(value, "outcome", result->outcome);
	pw_map_set_str(value, "vantage", result->vantage ? result->vantage : "");
	if (result->items)
		pw_map_set(value, "items", pw_val_copy(walk->arena, result->items));
	return value;
}

static void take_edge(struct pw_walk *walk, const struct pw_play_step *step, const struct pw_play_edge *edge)
{
	for (size_t i = 0; i < edge->n_clears; i++)
		pw_ledger_clear(&walk->ledger, &edge->clears[i], step->id);
	for (size_t i = 0; i < edge->n_suspects; i++)
		pw_ledger_suspect(&walk->ledger, &edge->suspects[i], step->id);
	walk->step = edge->go;
	walk->verdict = edge->go < 0 ? edge->verdict : -1;
	if (walk->verdict >= 0)
		pw_ledger_conclude(&walk->ledger, walk->play->verdicts[walk->verdict].layer, step->id);
}

int pw_walk_feed(struct pw_walk *walk, const struct pw_step_result *result, struct pw_err *err)
{
	if (walk->step < 0)
		return pw_err_set(err, PW_INTERNAL, "the walk is over and was fed another result");
	const struct pw_play_step *step = &walk->play->steps[walk->step];
	const struct pw_play_edge *edge = pw_play_edge_for(step, result->outcome);
	if (!edge)
		return pw_err_set(err, PW_SYNTAX, "step %s ended in \"%s\", and the playbook says nothing of that", step->id, result->outcome);
	if (walk->n >= walk->play->n_steps)
		return pw_err_set(err, PW_SYNTAX, "the walk came back to step %s: a playbook may not go round in circles", step->id);
	const struct pw_val *value = scope_value(walk, result);
	pw_scope_set(walk->scope, step->id, value);
	pw_scope_set(walk->scope, "this", value);
	walk->trail[walk->n] = (struct walked){ .step = walk->step, .result = result, .before = walk->ledger };
	walk->results[walk->n++] = result;
	take_edge(walk, step, edge);
	return pw_arena_failed(walk->arena) ? pw_err_set(err, PW_NOMEM, "walking: out of memory") : PW_OK;
}

int pw_walk_rewind(struct pw_walk *walk, const char *step_id, struct pw_err *err)
{
	for (size_t i = 0; i < walk->n; i++) {
		if (strcmp(walk->play->steps[walk->trail[i].step].id, step_id))
			continue;
		for (size_t j = i; j < walk->n; j++)
			pw_scope_unset(walk->scope, walk->play->steps[walk->trail[j].step].id);
		walk->step = walk->trail[i].step;
		walk->verdict = -1;
		walk->ledger = walk->trail[i].before;
		walk->n = i;
		return PW_OK;
	}
	return pw_err_set(err, PW_ABSENT, "step %s was not walked", step_id);
}

const struct pw_ledger *pw_walk_ledger(const struct pw_walk *walk)
{
	return &walk->ledger;
}

size_t pw_walk_results(const struct pw_walk *walk, const struct pw_step_result *const **ret)
{
	*ret = walk->results;
	return walk->n;
}

size_t pw_walk_reachable(const struct pw_walk *walk, struct pw_arena *arena, const int **ret)
{
	size_t total = walk->play->n_steps, n = 0;
	int *queue = pw_arena_array(arena, total ? total : 1, sizeof *queue);
	bool *seen = pw_arena_array(arena, total ? total : 1, sizeof *seen);
	if (!queue || !seen || walk->step < 0)
		return 0;
	queue[n++] = walk->step;
	seen[walk->step] = true;
	for (size_t i = 0; i < n; i++) {
		const struct pw_play_step *step = &walk->play->steps[queue[i]];
		for (size_t e = 0; e < step->n_edges; e++) {
			int go = step->edges[e].go;
			if (go >= 0 && !seen[go]) {
				seen[go] = true;
				queue[n++] = go;
			}
		}
	}
	*ret = queue;
	return n;
}

/* Depth-first with a memo; 0 marks "not known yet", and a cycle ends the path. */
static void count_left(const struct pw_play *play, int at, unsigned *best, unsigned *worst)
{
	if (best[at])
		return;
	best[at] = worst[at] = 1;
	unsigned shortest = 0, longest = 0;
	bool ends = false;
	for (size_t e = 0; e < play->steps[at].n_edges; e++) {
		int go = play->steps[at].edges[e].go;
		if (go < 0) {
			ends = true;
			continue;
		}
		count_left(play, go, best, worst);
		shortest = !shortest || best[go] < shortest ? best[go] : shortest;
		longest = worst[go] > longest ? worst[go] : longest;
	}
	best[at] = 1 + (ends ? 0 : shortest);
	worst[at] = 1 + longest;
}

void pw_walk_left(const struct pw_walk *walk, unsigned *ret_best, unsigned *ret_worst)
{
	*ret_best = *ret_worst = 0;
	size_t total = walk->play->n_steps;
	unsigned *best = pw_arena_array(walk->arena, total ? total : 1, sizeof *best);
	unsigned *worst = pw_arena_array(walk->arena, total ? total : 1, sizeof *worst);
	if (walk->step < 0 || !best || !worst)
		return;
	count_left(walk->play, walk->step, best, worst);
	*ret_best = best[walk->step];
	*ret_worst = worst[walk->step];
}
