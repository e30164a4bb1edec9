/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is reached, what goes round in a circle, and which steps have run by when. */
#include <play/lint.h>

#include <string.h>

#include <doc/yaml.h>
#include <play/ids.h>

/* ---- reachability ---- */

static bool reach(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	int *queue = pw_arena_array(lint->arena, play->n_steps + 1, sizeof *queue);
	size_t n = 0;
	if (!queue)
		return false;
	lint->wild = play->start < 0;
	if (play->start >= 0) {
		queue[n++] = play->start;
		lint->reached[play->start] = true;
	}
	for (size_t i = 0; i < n; i++) {
		const struct pw_play_step *step = &play->steps[queue[i]];
		lint->wild = lint->wild || step->n_edges == 0;
		for (size_t e = 0; e < step->n_edges; e++) {
			const struct pw_play_edge *edge = &step->edges[e];
			if (edge->verdict >= 0)
				lint->entered[edge->verdict] = true;
			else if (edge->go < 0 && edge->verdict == -1)
				lint->wild = true;
			if (edge->go < 0 || lint->reached[edge->go])
				continue;
			lint->reached[edge->go] = true;
			queue[n++] = edge->go;
		}
	}
	return true;
}

static void complain_unreached(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	for (size_t i = 0; i < play->n_steps && !lint->wild; i++)
		if (!lint->reached[i])
			pw_diags_add(lint->diags, 0, play->steps[i].place, PW_ID_UNREACHABLE, "lead an edge to it, or remove it",
				     "no path from \"%s\" leads to the step \"%s\"", play->steps[play->start].id, play->steps[i].id);
}

/* ---- circles ---- */

enum colour { WHITE, GREY, BLACK };

struct search {
	struct pw_lint *lint;
	enum colour *colour;
	int *trail; size_t n;        /* the steps from the start to here */
};

static void complain_cycle(struct search *search, const struct pw_play_edge *edge)
{
	const struct pw_play *play = search->lint->play;
	enum { SHOWN = 12 }; /* as many as a line holds */
	const char *text = "";
	size_t from = 0;
	while (search->trail[from] != edge->go)
		from++;
	for (size_t i = from; i < search->n && text; i++)
		if (i - from < SHOWN || i + 1 == search->n)
			text = pw_arena_printf(search->lint->arena, "%s%s%s -> ", text, i - from < SHOWN ? "" : "... -> ", play->steps[search->trail[i]].id);
	pw_diags_add(search->lint->diags, 0, edge->place, PW_ID_CYCLE, "end in a verdict, or write the steps out as often as they may repeat",
		     "a walk can go round in a circle: %s%s", text ? text : "", play->steps[edge->go].id);
}

/* Depth first; the depth is that of the tree, at most PW_TABLE_MAX. */
static void visit(struct search *search, int index)
{
	const struct pw_play_step *step = &search->lint->play->steps[index];
	search->colour[index] = GREY;
	search->trail[search->n++] = index;
	for (size_t e = 0; e < step->n_edges; e++) {
		int go = step->edges[e].go;
		if (go >= 0 && search->colour[go] == WHITE)
			visit(search, go);
		else if (go >= 0 && search->colour[go] == GREY)
			complain_cycle(search, &step->edges[e]);
	}
	search->n--;
	search->colour[index] = BLACK;
}

static bool find_cycles(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	struct search search = {
		.lint = lint, .colour = pw_arena_array(lint->arena, play->n_steps + 1, sizeof *search.colour),
		.trail = pw_arena_array(lint->arena, play->n_steps + 1, sizeof *search.trail),
	};
	if (!search.colour || !search.trail)
		return false;
	for (size_t i = 0; i < play->n_steps; i++)
		if (search.colour[i] == WHITE)
			visit(&search, (int)i);
	return true;
}

/* ---- what has run ---- */

static uint64_t *ran_at(const struct pw_lint *lint, int step)
{
	return lint->ran + (size_t)step * lint->words;
}

/* target &= source + {step}; true if that changed it. */
static bool meet(const struct pw_lint *lint, uint64_t *target, const uint64_t *source, size_t step)
{
	bool changed = false;
	for (size_t w = 0; w < lint->words; w++) {
		uint64_t with = source[w] | (step / 64 == w ? (uint64_t)1 << (step % 64) : 0);
		changed = changed || (target[w] & with) != target[w];
		target[w] &= with;
	}
	return changed;
}

static bool flow_once(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	bool changed = false;
	for (size_t s = 0; s < play->n_steps; s++)
		for (size_t e = 0; lint->reached[s] && e < play->steps[s].n_edges; e++) {
			int go = play->steps[s].edges[e].go;
			if (go >= 0 && go != play->start)
				changed = meet(lint, ran_at(lint, go), ran_at(lint, (int)s), s) || changed;
		}
	return changed;
}

/* From "everything has run" downwards to the largest sets that are true: every step starts full but the first. */
static void find_ran(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	memset(lint->ran, 0xff, (play->n_steps + 1) * lint->words * sizeof *lint->ran);
	memset(lint->ran_before, 0xff, (play->n_verdicts + 1) * lint->words * sizeof *lint->ran_before);
	if (play->start >= 0)
		memset(ran_at(lint, play->start), 0, lint->words * sizeof *lint->ran);
	while (flow_once(lint))
		;
	for (size_t s = 0; s < play->n_steps; s++)
		for (size_t e = 0; lint->reached[s] && e < play->steps[s].n_edges; e++) {
			int verdict = play->steps[s].edges[e].verdict;
			if (verdict >= 0)
				(void)meet(lint, lint->ran_before + (size_t)verdict * lint->words, ran_at(lint, (int)s), s);
		}
}

bool pw_lint_flow(struct pw_lint *lint)
{
	if (!reach(lint) || !find_cycles(lint))
		return false;
	complain_unreached(lint);
	find_ran(lint);
	return true;
}
