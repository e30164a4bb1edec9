/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walker: where the walk stands, what it wants, and what follows from what happened. */
#include <run/run.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <play/outcomes.h>
#include <run/ledger.h>

struct pw_walk {
	const struct pw_play *play;
	struct pw_scope *scope;
	struct pw_arena *arena;
	int step, verdict;              /* exactly one is not -1; verdict may be PW_VERDICT_CALLEE */
	struct pw_book book;
	const struct pw_step_result **results;
	struct pw_book *before;         /* the ledger before each result */
	size_t n, cap;
};

static int no_memory(struct pw_err *err)
{
	return pw_err_set(err, PW_NOMEM, "out of memory while walking");
}

struct pw_walk *pw_walk_new(const struct pw_play *play, struct pw_scope *scope, struct pw_arena *arena)
{
	struct pw_walk *walk = pw_arena_alloc(arena, sizeof *walk);
	if (!walk)
		return NULL;
	walk->play = play;
	walk->scope = scope;
	walk->arena = arena;
	walk->step = play->start;
	walk->verdict = -1;
	return walk;
}

const struct pw_play_step *pw_walk_step(const struct pw_walk *walk)
{
	return walk->step >= 0 ? &walk->play->steps[walk->step] : NULL;
}

const struct pw_play_verdict *pw_walk_verdict(const struct pw_walk *walk)
{
	return walk->verdict >= 0 ? &walk->play->verdicts[walk->verdict] : NULL;
}

bool pw_walk_adopts_callee(const struct pw_walk *walk)
{
	return walk->step < 0 && walk->verdict == PW_VERDICT_CALLEE;
}

enum pw_walk_want pw_walk_want(const struct pw_walk *walk)
{
	const struct pw_play_step *step = pw_walk_step(walk);
	if (!step)
		return PW_WALK_DONE;
	switch (step->kind) {
	case PW_STEP_CHECK: return PW_WALK_CHECK;
	case PW_STEP_ASK: return PW_WALK_ASK;
	case PW_STEP_PLAYBOOK: break;
	}
	return PW_WALK_CALL;
}

const struct pw_ledger *pw_walk_ledger(const struct pw_walk *walk)
{
	return &walk->book.ledger;
}

size_t pw_walk_results(const struct pw_walk *walk, const struct pw_step_result *const **ret)
{
	*ret = walk->results;
	return walk->n;
}

/* ---- what a step leaves in the scope ---- */

static void set_unless(struct pw_val *map, const char *key, const char *text)
{
	if (!pw_map_get(map, key))
		pw_map_set_str(map, key, text ? text : "");
}

/* What the check declares and did not find is known to be not there. */
static void fill_declared(struct pw_val *map, const struct pw_play_step *step, struct pw_arena *arena)
{
	for (const struct pw_evidence *e = step->decl ? step->decl->evidence : NULL; e && e->name; e++)
		if (!pw_map_get(map, e->name))
			pw_map_set(map, e->name, pw_val_null(arena));
}

static struct pw_val *loop_map(const struct pw_play_step *step, const struct pw_step_result *result, struct pw_arena *arena)
{
	size_t n = 0;
	while (step->decl && step->decl->outcomes[n].word)
		n++;
	const char **words = pw_arena_array(arena, n + 2, sizeof *words);
	if (!words)
		return NULL;
	for (size_t i = 0; i < n; i++)
		words[i] = step->decl->outcomes[i].word;
	words[n++] = PW_OUTCOME_UNKNOWN;
	words[n++] = PW_OUTCOME_SKIPPED;
	return pw_loop_evidence(result->items, words, n, arena);
}

static struct pw_val *left_behind(const struct pw_play_step *step, const struct pw_step_result *result, struct pw_arena *arena)
{
	static const char *const called[] = { "verdict", "layer", "component", "hop" };
	bool loop = step->kind == PW_STEP_CHECK && step->for_each;
	struct pw_val *map = loop ? loop_map(step, result, arena)
			   : result->evidence ? pw_val_copy(arena, result->evidence) : pw_val_map(arena);
	if (!loop)
		fill_declared(map, step, arena);
	if (step->kind == PW_STEP_ASK)
		set_unless(map, "answer", result->outcome);
	for (size_t i = 0; step->kind == PW_STEP_PLAYBOOK && i < sizeof called / sizeof *called; i++)
		set_unless(map, called[i], NULL);
	set_unless(map, "outcome", result->outcome);
	set_unless(map, "says", result->says);
	pw_map_set_str(map, "", result->says ? result->says : "");
	return map;
}

/* ---- moving ---- */

static bool grow(struct pw_walk *walk)
{
	if (walk->n < walk->cap)
		return true;
	size_t cap = walk->cap ? walk->cap * 2 : 16;
	const struct pw_step_result **results = pw_arena_array(walk->arena, cap, sizeof *results);
	struct pw_book *before = pw_arena_array(walk->arena, cap, sizeof *before);
	if (!results || !before)
		return false;
	if (walk->n > 0) {
		memcpy(results, walk->results, walk->n * sizeof *results);
		memcpy(before, walk->before, walk->n * sizeof *before);
	}
	walk->results = results;
	walk->before = before;
	walk->cap = cap;
	return true;
}

static bool is_outcome(const struct pw_play_step *step, const char *outcome, struct pw_arena *arena)
{
	const char *const *words = NULL;
	size_t n = pw_play_outcomes(step, arena, &words);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], outcome))
			return true;
	return false;
}

static int find_edge(const struct pw_walk *walk, const struct pw_step_result *result, const struct pw_play_edge **ret, struct pw_err *err)
{
	const struct pw_play_step *step = pw_walk_step(walk);
	if (!step)
		return pw_err_set(err, PW_INTERNAL, "the walk has ended, it takes no more results");
	if (!result->outcome || !is_outcome(step, result->outcome, walk->arena))
		return pw_arena_failed(walk->arena) ? no_memory(err)
			: pw_err_set(err, PW_SYNTAX, "the step %s cannot end in \"%s\"", step->id, result->outcome ? result->outcome : "");
	const struct pw_play_edge *edge = pw_play_edge_for(step, result->outcome);
	if (!edge || (edge->go < 0 && edge->verdict == -1))
		return pw_err_set(err, PW_SYNTAX, "the step %s ended in \"%s\", and its \"on\" has neither that nor else", step->id, result->outcome);
	*ret = edge;
	return PW_OK;
}

int pw_walk_feed(struct pw_walk *walk, const struct pw_step_result *result, struct pw_err *err)
{
	const struct pw_play_step *step = pw_walk_step(walk);
	const struct pw_play_edge *edge = NULL;
	int rc = find_edge(walk, result, &edge, err);
	if (rc < 0)
		return rc;
	struct pw_step_result *kept = pw_arena_alloc(walk->arena, sizeof *kept);
	struct pw_val *scope = left_behind(step, result, walk->arena);
	struct pw_book book;
	if (!kept || !scope || !grow(walk) || !pw_book_copy(&book, &walk->book, walk->arena) ||
	    !pw_book_take(&book, edge, step->id, walk->arena) ||
	    (edge->verdict >= 0 && !pw_book_close(&book, &walk->play->verdicts[edge->verdict], step->id, walk->arena)) ||
	    pw_arena_failed(walk->arena))
		return no_memory(err);
	pw_scope_set(walk->scope, step->id, scope);
	pw_scope_set(walk->scope, PW_SCOPE_THIS, scope);
	if (pw_scope_get(walk->scope, step->id) != scope || pw_scope_get(walk->scope, PW_SCOPE_THIS) != scope)
		return no_memory(err);
	*kept = *result;
	kept->id = step->id;
	walk->before[walk->n] = walk->book;
	walk->results[walk->n++] = kept;
	walk->book = book;
	walk->step = edge->go;
	walk->verdict = edge->verdict;
	return PW_OK;
}

int pw_walk_rewind(struct pw_walk *walk, const char *step_id, struct pw_err *err)
{
	size_t to = 0;
	while (to < walk->n && strcmp(walk->results[to]->id, step_id) != 0)
		to++;
	if (to == walk->n)
		return pw_err_set(err, PW_USAGE, "the step %s was not walked, so there is no way back to it", step_id);
	for (size_t i = to; i < walk->n; i++)
		pw_scope_unset(walk->scope, walk->results[i]->id);
	if (to > 0)
		pw_scope_set(walk->scope, PW_SCOPE_THIS, pw_scope_get(walk->scope, walk->results[to - 1]->id));
	else
		pw_scope_unset(walk->scope, PW_SCOPE_THIS);
	walk->book = walk->before[to];
	walk->n = to;
	walk->step = pw_play_step_index(walk->play, step_id);
	walk->verdict = -1;
	return PW_OK;
}

/* ---- what lies ahead ---- */

size_t pw_walk_reachable(const struct pw_walk *walk, struct pw_arena *arena, const int **ret)
{
	const struct pw_play *play = walk->play;
	int *queue = pw_arena_array(arena, play->n_steps + 1, sizeof *queue);
	bool *seen = pw_arena_array(arena, play->n_steps + 1, sizeof *seen);
	size_t n = 0;
	if (!queue || !seen || walk->step < 0)
		return 0;
	queue[n++] = walk->step;
	seen[walk->step] = true;
	for (size_t i = 0; i < n; i++) {
		const struct pw_play_step *step = &play->steps[queue[i]];
		for (size_t e = 0; e < step->n_edges; e++) {
			int go = step->edges[e].go;
			if (go < 0 || seen[go])
				continue;
			seen[go] = true;
			queue[n++] = go;
		}
	}
	*ret = queue;
	return n;
}

struct left { unsigned best, worst; enum { NEW, OPEN, DONE } state; };

/* Steps from here to an end. A step met again before it is done would be a circle, which the linter refuses: it counts as an end. */
static struct left measure(const struct pw_play *play, int index, struct left *all)
{
	struct left *left = &all[index];
	if (left->state != NEW)
		return *left;
	left->state = OPEN;
	unsigned best = UINT_MAX, worst = 0;
	const struct pw_play_step *step = &play->steps[index];
	for (size_t e = 0; e < step->n_edges; e++) {
		struct left next = step->edges[e].go >= 0 ? measure(play, step->edges[e].go, all) : (struct left){ 0, 0, DONE };
		best = next.best < best ? next.best : best;
		worst = next.worst > worst ? next.worst : worst;
	}
	*left = (struct left){ (best == UINT_MAX ? 0 : best) + 1, worst + 1, DONE };
	return *left;
}

void pw_walk_left(const struct pw_walk *walk, unsigned *ret_best, unsigned *ret_worst)
{
	/* Asked again at every step: not from the arena, which only grows. */
	struct left *all = walk->step < 0 ? NULL : calloc(walk->play->n_steps, sizeof *all);
	struct left left = all ? measure(walk->play, walk->step, all) : (struct left){ 0, 0, DONE };
	free(all);
	*ret_best = left.best;
	*ret_worst = left.worst;
}
