/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a step can end in, and which edge that takes. */
#include <play/outcomes.h>

#include <string.h>

static const char *const loop_words[] = { PW_OUTCOME_MIXED, PW_OUTCOME_UNKNOWN, PW_OUTCOME_SKIPPED, PW_OUTCOME_EMPTY };
static const char *const call_words[] = { "fault", "healthy", "inconclusive" };
#define COUNT(words) (sizeof(words) / sizeof *(words))

static size_t of_check(const struct pw_play_step *step, struct pw_arena *arena, const char *const **ret)
{
	size_t n = 0;
	while (step->decl->outcomes && step->decl->outcomes[n].word)
		n++;
	const char **words = pw_arena_array(arena, n + COUNT(loop_words), sizeof *words);
	if (!words)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *word = step->decl->outcomes[i].word;
		words[i] = step->for_each ? pw_arena_printf(arena, PW_OUTCOME_EVERY "%s", word) : word;
		if (!words[i])
			return 0;
	}
	if (step->for_each) {
		memcpy(words + n, loop_words, sizeof loop_words);
		n += COUNT(loop_words);
	} else {
		words[n++] = PW_OUTCOME_UNKNOWN;
		words[n++] = PW_OUTCOME_SKIPPED;
	}
	*ret = words;
	return n;
}

size_t pw_play_outcomes(const struct pw_play_step *step, struct pw_arena *arena, const char *const **ret)
{
	switch (step->kind) {
	case PW_STEP_CHECK:
		return step->decl ? of_check(step, arena, ret) : 0;
	case PW_STEP_ASK:
		*ret = step->answers;
		return step->n_answers;
	case PW_STEP_PLAYBOOK:
		*ret = call_words;
		return COUNT(call_words);
	}
	return 0;
}

static const struct pw_outcome *declared(const struct pw_play_step *step, const char *word)
{
	for (const struct pw_outcome *o = step->decl ? step->decl->outcomes : NULL; o && o->word; o++)
		if (!strcmp(o->word, word))
			return o;
	return NULL;
}

static enum pw_class class_of_check(const struct pw_play_step *step, const char *outcome)
{
	size_t every = strlen(PW_OUTCOME_EVERY);
	if (!strcmp(outcome, PW_OUTCOME_SKIPPED))
		return PW_CLASS_SKIPPED;
	if (step->for_each && !strcmp(outcome, PW_OUTCOME_MIXED))
		return PW_CLASS_FAIL;
	const char *word = step->for_each && !strncmp(outcome, PW_OUTCOME_EVERY, every) ? outcome + every : outcome;
	const struct pw_outcome *o = declared(step, word);
	return o ? o->klass : PW_CLASS_UNKNOWN;
}

enum pw_class pw_play_outcome_class(const struct pw_play_step *step, const char *outcome)
{
	switch (step->kind) {
	case PW_STEP_CHECK:
		return class_of_check(step, outcome);
	case PW_STEP_ASK:
		return strcmp(outcome, PW_ANSWER_NOT_SURE) ? PW_CLASS_OK : PW_CLASS_UNKNOWN;
	case PW_STEP_PLAYBOOK:
		return !strcmp(outcome, "fault") ? PW_CLASS_FAIL : !strcmp(outcome, "healthy") ? PW_CLASS_OK : PW_CLASS_UNKNOWN;
	}
	return PW_CLASS_UNKNOWN;
}

bool pw_play_edge_names(const struct pw_play_edge *edge, const char *outcome)
{
	for (size_t i = 0; i < edge->n_outcomes; i++)
		if (!strcmp(edge->outcomes[i], outcome))
			return true;
	return false;
}

const struct pw_play_edge *pw_play_edge_for(const struct pw_play_step *step, const char *outcome)
{
	const struct pw_play_edge *otherwise = NULL;
	for (size_t i = 0; i < step->n_edges; i++) {
		const struct pw_play_edge *edge = &step->edges[i];
		if (pw_play_edge_names(edge, outcome))
			return edge;
		if (edge->n_outcomes == 0)
			otherwise = edge;
	}
	return otherwise;
}

static int index_of(const char *id, const void *items, size_t n, size_t size, size_t at_id)
{
	for (size_t i = 0; i < n; i++) {
		const char *name;
		memcpy(&name, (const char *)items + i * size + at_id, sizeof name);
		if (!strcmp(name, id))
			return (int)i;
	}
	return -1;
}

int pw_play_step_index(const struct pw_play *play, const char *id)
{
	return index_of(id, play->steps, play->n_steps, sizeof *play->steps, offsetof(struct pw_play_step, id));
}

int pw_play_verdict_index(const struct pw_play *play, const char *id)
{
	return index_of(id, play->verdicts, play->n_verdicts, sizeof *play->verdicts, offsetof(struct pw_play_verdict, id));
}
