/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every outcome has an edge, no edge waits for what cannot come, and people are told what and why. */
#include <play/lint.h>

#include <string.h>

#include <base/text.h>
#include <doc/yaml.h>
#include <play/ids.h>
#include <play/loader.h>
#include <play/outcomes.h>

/* ---- outcomes ---- */

static bool in_words(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

/* Of a loop, the plain outcome is the likely slip. */
static const char *suggest_outcome(struct pw_lint *lint, const struct pw_play_step *step, const char *word, const char *const *words, size_t n)
{
	if (step->for_each) {
		const char *every = pw_arena_printf(lint->arena, PW_OUTCOME_EVERY "%s", word);
		if (every && in_words(words, n, every))
			return pw_arena_printf(lint->arena, "the step is a loop: write \"%s\"", every);
	}
	return pw_suggest(lint->arena, word, words, n);
}

static void check_declared(struct pw_lint *lint, const struct pw_play_step *step, const char *const *words, size_t n)
{
	for (size_t e = 0; e < step->n_edges; e++)
		for (size_t i = 0; i < step->edges[e].n_outcomes; i++) {
			const char *word = step->edges[e].outcomes[i];
			if (!in_words(words, n, word))
				pw_diags_add(lint->diags, 0, step->edges[e].place, PW_ID_NO_OUTCOME, suggest_outcome(lint, step, word, words, n),
					     "the step \"%s\" cannot end in \"%s\"", step->id, word);
		}
}

/* The verdict of a called playbook, where none is called. */
static void check_callee(struct pw_lint *lint, const struct pw_play_step *step)
{
	for (size_t e = 0; e < step->n_edges; e++)
		if (step->edges[e].verdict == PW_VERDICT_CALLEE && step->kind != PW_STEP_PLAYBOOK)
			pw_diags_add(lint->diags, 0, step->edges[e].place, PW_ID_NO_VERDICT, "name a verdict of this playbook",
				     "the step \"%s\" calls no playbook, so there is no verdict of one to take", step->id);
}

static void check_handled(struct pw_lint *lint, const struct pw_play_step *step, const char *const *words, size_t n)
{
	const char *missing = NULL;
	for (size_t i = 0; i < n; i++)
		if (!pw_play_edge_for(step, words[i]))
			missing = missing ? pw_arena_printf(lint->arena, "%s, %s", missing, words[i]) : words[i];
	if (missing)
		pw_diags_add(lint->diags, 0, pw_lint_place(lint, "steps", step->id, "on", step->place), PW_ID_UNHANDLED,
			     "add an edge for each, or else", "the step \"%s\" does not say what follows on %s", step->id, missing);
}

static void check_else(struct pw_lint *lint, const struct pw_play_step *step, const char *const *words, size_t n)
{
	const struct pw_play_edge *otherwise = NULL;
	const char *good = NULL, *bad = NULL;
	size_t left = 0;
	for (size_t e = 0; e < step->n_edges; e++)
		otherwise = step->edges[e].n_outcomes == 0 ? &step->edges[e] : otherwise;
	for (size_t i = 0; otherwise && i < n; i++) {
		if (pw_play_edge_for(step, words[i]) != otherwise)
			continue;
		enum pw_class klass = pw_play_outcome_class(step, words[i]);
		left++;
		good = klass == PW_CLASS_OK && !good ? words[i] : good;
		bad = klass == PW_CLASS_FAIL && !bad ? words[i] : bad;
	}
	if (otherwise && left == 0)
		pw_diags_add(lint->diags, 1, otherwise->place, PW_ID_IDLE_ELSE, "remove it", "every outcome of \"%s\" has an edge: else takes none", step->id);
	/* The verdict of the called playbook is as good or bad as what it found. */
	if (good && bad && otherwise->verdict != PW_VERDICT_CALLEE)
		pw_diags_add(lint->diags, 1, otherwise->place, PW_ID_SWALLOWS, "give one of them an edge of its own",
			     "else takes good and bad outcomes alike (%s, %s)", good, bad);
}

/* ---- for people ---- */

static void check_told(struct pw_lint *lint, const struct pw_play_step *step)
{
	const char *missing[3];
	size_t n = 0;
	if (!step->title)
		missing[n++] = "title";
	if (!step->why)
		missing[n++] = "why";
	if (!step->hop)
		missing[n++] = "hop";
	if (n > 0)
		pw_diags_add(lint->diags, 1, step->place, PW_ID_NOT_EXPLAINED, NULL, "the step \"%s\" has no %s%s%s%s%s", step->id, missing[0],
			     n > 1 ? ", no " : "", n > 1 ? missing[1] : "", n > 2 ? ", no " : "", n > 2 ? missing[2] : "");
}

bool pw_lint_steps(struct pw_lint *lint)
{
	for (size_t s = 0; s < lint->play->n_steps; s++) {
		const struct pw_play_step *step = &lint->play->steps[s];
		const char *const *words = NULL;
		size_t n = pw_play_outcomes(step, lint->arena, &words);
		check_callee(lint, step);
		if (n == 0 || step->n_edges == 0) /* the loader has said why */
			continue;
		check_declared(lint, step, words, n);
		check_handled(lint, step, words, n);
	}
	return !pw_arena_failed(lint->arena);
}

static void warn(struct pw_lint *lint, struct pw_place place, const char *id, const char *fix, const char *text, const char *name)
{
	pw_diags_add(lint->diags, 1, place, id, fix, "%s \"%s\"", text, name);
}

static void check_verdict(struct pw_lint *lint, size_t i)
{
	const struct pw_play_verdict *verdict = &lint->play->verdicts[i];
	bool blames = verdict->layer < PW_LAYER_COUNT, open = verdict->layer == PW_LAYER_UNKNOWN;
	if (!lint->entered[i] && !lint->wild)
		warn(lint, verdict->place, PW_ID_UNUSED_VERDICT, "lead an edge to it, or remove it", "no edge ends in the verdict", verdict->id);
	if (open && !verdict->settle)
		warn(lint, verdict->place, PW_ID_NO_SETTLE, "add settle: the observation that would decide", "nothing says what would settle the verdict", verdict->id);
	if (!open && (verdict->settle || verdict->n_could_be))
		warn(lint, verdict->place, PW_ID_SETTLED, "remove them, or write layer: unknown", "settle and could-be are for undecided verdicts, not for", verdict->id);
	if (blames && !verdict->n_actions)
		warn(lint, verdict->place, PW_ID_NO_REMEDY, "add do: what to change", "nothing says what to do about", verdict->id);
	if (blames && !verdict->component)
		warn(lint, verdict->place, PW_ID_NO_BLAME, "add component: what in the layer is to blame", "no component is named by the verdict", verdict->id);
}

static void check_file_name(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	const char *base = play->file;
	for (const char *p = play->file; *p; p++)
		if (*p == '/' || *p == ':')
			base = p + 1;
	const char *dot = strrchr(base, '.');
	if (!dot || (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".yml") != 0))
		return;
	size_t stem = (size_t)(dot - base);
	if (play->name && (strlen(play->name) != stem || memcmp(play->name, base, stem) != 0))
		pw_diags_add(lint->diags, 1, pw_val_place(pw_map_get(play->tree, "name")), PW_ID_FILE_NAME,
			     pw_arena_printf(lint->arena, "rename the file to %s.yaml", play->name),
			     "the playbook is called \"%s\" and would be found as \"%.*s\"", play->name, (int)stem, base);
}

void pw_lint_rest(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	for (size_t s = 0; s < play->n_steps; s++) {
		const char *const *words = NULL;
		size_t n = pw_play_outcomes(&play->steps[s], lint->arena, &words);
		check_told(lint, &play->steps[s]);
		check_else(lint, &play->steps[s], words, n);
	}
	for (size_t i = 0; i < play->n_verdicts; i++)
		check_verdict(lint, i);
	for (size_t i = 0; i < play->n_inputs; i++) {
		if (!lint->used[i])
			warn(lint, play->inputs[i].place, PW_ID_UNUSED_INPUT, "remove it", "nothing uses the input", play->inputs[i].name);
		if (!play->inputs[i].ask)
			warn(lint, play->inputs[i].place, PW_ID_NOT_EXPLAINED, "add ask: the question a person is asked", "no question is asked for the input",
			     play->inputs[i].name);
	}
	if (play->n_tests == 0)
		pw_diags_add(lint->diags, 1, pw_val_place(play->tree), PW_ID_NO_TESTS, "add tests: given outcomes, the verdict and path that must come out",
			     "the playbook has no tests");
	check_file_name(lint);
}
