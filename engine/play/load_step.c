/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tables cannot say of steps, edges, inputs, verdicts and tests. */
#include <play/loader.h>

#include <string.h>

#include <base/text.h>
#include <play/components.h>
#include <play/ids.h>
#include <play/outcomes.h>
#include <run/scope.h>

#define ELSE "else"

/* ---- edges ---- */

/* A key of `on`: "resolved", "[timeout, reset]" or "else". False after a complaint. */
static bool read_outcomes(struct pw_loader *loader, const char *key, struct pw_place place, struct pw_play_edge *ret)
{
	size_t len = strlen(key), n = 0, max = 1;
	for (const char *p = key; *p; p++)
		max += *p == ',';
	if (max > PW_EDGES_MAX) {
		pw_load_error(loader, place, PW_ID_TOO_MANY, NULL, "there are %zu outcomes, %d are possible", max, PW_EDGES_MAX);
		return false;
	}
	const char **words = pw_arena_array(loader->arena, max, sizeof *words);
	bool list = len >= 2 && key[0] == '[' && key[len - 1] == ']';
	const char *end = key + len - list;
	if (!words)
		return false;
	if (!list && !strcmp(key, ELSE))
		return true;
	for (const char *p = key + list; p < end;) {
		size_t word = (size_t)((list ? strcspn(p, ",]") : strlen(p)));
		const char *text = pw_arena_strndup(loader->arena, p, word);
		if (!text)
			return false;
		if (!pw_is_name(text) || (list && !strcmp(text, ELSE))) {
			pw_load_error(loader, place, PW_ID_NAME, "write an outcome, a list of outcomes [a, b], or else alone", "\"%s\" is not an outcome", text);
			return false;
		}
		words[n++] = text;
		p += word;
		p += strspn(p, ", ");
	}
	ret->outcomes = words;
	ret->n_outcomes = n;
	return n > 0;
}

/* An outcome that is handled twice, by this edge or an earlier one. */
static void check_twice(struct pw_loader *loader, const struct pw_play_edge *edges, size_t n)
{
	const struct pw_play_edge *last = &edges[n - 1];
	for (size_t i = 0; i < last->n_outcomes; i++)
		for (size_t k = 0; k < n; k++) {
			size_t upto = k == n - 1 ? i : edges[k].n_outcomes;
			for (size_t m = 0; m < upto; m++)
				if (!strcmp(edges[k].outcomes[m], last->outcomes[i]))
					pw_load_error_two(loader, last->place, edges[k].place, PW_ID_TWICE, "keep one of the two",
							  "the outcome \"%s\" is handled twice", last->outcomes[i]);
		}
}

void pw_load_edges(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	size_t n = pw_val_count(val), have = 0;
	if (!pw_val_is(val, PW_VAL_MAP) || n == 0 || n > PW_EDGES_MAX) {
		if (n > PW_EDGES_MAX)
			pw_load_error(loader, pw_val_place(val), PW_ID_TOO_MANY, NULL, "there are %zu edges, %d are possible", n, PW_EDGES_MAX);
		else if (pw_val_is(val, PW_VAL_MAP))
			pw_load_error(loader, pw_val_place(val), PW_ID_EMPTY, NULL, "\"%s\" is empty, there must be at least one", key->name);
		else
			pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
		return;
	}
	struct pw_play_edge *edges = pw_arena_array(loader->arena, n, sizeof *edges);
	for (size_t i = 0; edges && i < n; i++) {
		struct pw_play_edge *edge = &edges[have];
		*edge = (struct pw_play_edge){ .go = -1, .verdict = -1, .place = pw_map_key_place(val, i) };
		bool good = read_outcomes(loader, pw_map_key(val, i), edge->place, edge);
		pw_load_record(loader, key->of, pw_val_at(val, i), edge->place, edge);
		if (!good)
			continue;
		have++;
		check_twice(loader, edges, have);
	}
	pw_load_put(record, key->at, &edges, sizeof edges);
	pw_load_put(record, key->at_n, &have, sizeof have);
}

/* ---- records, once read ---- */

static void resolve_check(struct pw_loader *loader, const struct pw_val *val, struct pw_play_step *step)
{
	const char *const *names = NULL;
	const struct pw_play_env *env = loader->env;
	step->decl = env->check ? env->check(env->arg, step->check) : NULL;
	if (step->decl)
		return;
	size_t n = env->check_names ? env->check_names(env->arg, &names) : 0;
	const char *fix = pw_suggest(loader->arena, step->check, names, n);
	pw_load_error(loader, pw_val_place(pw_map_get(val, "check")), PW_ID_NO_CHECK, fix ? fix : "packetwalk checks lists them",
		      "there is no check \"%s\"", step->check);
}

static void finish_answers(struct pw_loader *loader, struct pw_play_step *step)
{
	if (!step->n_answers) {
		pw_load_error(loader, step->place, PW_ID_MISSING_KEY, NULL, "this step asks and has no \"answers\": the possible answers");
		return;
	}
	const char **all = pw_arena_array(loader->arena, step->n_answers + 1, sizeof *all);
	if (!all)
		return;
	size_t n = 0;
	for (size_t i = 0; i < step->n_answers; i++)
		if (strcmp(step->answers[i], PW_ANSWER_NOT_SURE) != 0)
			all[n++] = step->answers[i];
	all[n++] = PW_ANSWER_NOT_SURE;
	step->answers = all;
	step->n_answers = n;
}

static void step_done(struct pw_loader *loader, const struct pw_val *val, struct pw_play_step *step)
{
	step->kind = step->check ? PW_STEP_CHECK : pw_map_get(val, "playbook") ? PW_STEP_PLAYBOOK : PW_STEP_ASK;
	if (pw_map_get(val, "check"))
		step->kind = PW_STEP_CHECK;
	if (step->check)
		resolve_check(loader, val, step);
	if (step->kind == PW_STEP_ASK && step->ask)
		finish_answers(loader, step);
	if (step->for_each && !step->as)
		step->as = "item";
}

static void input_done(struct pw_loader *loader, const struct pw_val *val, struct pw_play_input *input)
{
	const struct pw_val *choices = pw_map_get(val, "choices");
	bool choice = input->type == PW_TYPE_CHOICE;
	if (!strcmp(input->name, "outcomes") || !strcmp(input->name, "evidence"))
		pw_load_error(loader, input->place, PW_ID_TAKEN, "choose another name", "\"%s\" has a meaning of its own in the tests", input->name);
	if (choice && !choices)
		pw_load_error(loader, input->place, PW_ID_MISSING_KEY, NULL, "this input is a choice and has no \"choices\"");
	if (!choice && choices)
		pw_load_error(loader, pw_val_place(choices), PW_ID_NEEDS, "write type: choice", "\"choices\" has a meaning only with type: choice");
}

static const char *other_layer(struct pw_loader *loader, const char *component)
{
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++)
		if (pw_component_known((enum pw_layer)layer, component))
			return pw_arena_printf(loader->arena, "it is a component of the layer %s", pw_layer_word((enum pw_layer)layer));
	return NULL;
}

static void verdict_done(struct pw_loader *loader, const struct pw_val *val, struct pw_play_verdict *verdict)
{
	const struct pw_val *written = pw_map_get(val, "component");
	const char *layer = pw_map_str(val, "layer", "");
	if (!verdict->component || strcmp(layer, pw_layer_word(verdict->layer)) != 0 || pw_component_known(verdict->layer, verdict->component))
		return; /* or the layer is wrong, and that has been said */
	const char *const *names = NULL;
	size_t n = pw_components(verdict->layer, &names);
	const char *near = pw_nearest(verdict->component, names, n);
	const char *fix = near ? pw_arena_printf(loader->arena, "did you mean \"%s\"?", near) : other_layer(loader, verdict->component);
	if (verdict->layer < PW_LAYER_COUNT)
		pw_load_error(loader, pw_val_place(written), PW_ID_NO_COMPONENT, fix, "the layer %s has no component \"%s\"",
			      pw_layer_word(verdict->layer), verdict->component);
	else
		pw_load_error(loader, pw_val_place(written), PW_ID_NO_COMPONENT,
			      verdict->layer == PW_LAYER_UNKNOWN ? "name the causes left in could-be" : "leave it out",
			      "the layer %s has no components", pw_layer_word(verdict->layer));
}

static void check_reserved(struct pw_loader *loader, struct pw_place place, const char *name, const char *word)
{
	if (name && !strcmp(name, word))
		pw_load_error(loader, place, PW_ID_TAKEN, "choose another name", "\"%s\" has a meaning of its own", word);
}

/* Names that ${...} looks up must each stand for one thing. */
static void check_names(struct pw_loader *loader, const struct pw_play *play)
{
	for (size_t i = 0; i < play->n_inputs; i++)
		check_reserved(loader, play->inputs[i].place, play->inputs[i].name, PW_SCOPE_THIS);
	for (size_t i = 0; i < play->n_verdicts; i++)
		check_reserved(loader, play->verdicts[i].place, play->verdicts[i].id, PW_WORD_CALLEE);
	for (size_t s = 0; s < play->n_steps; s++) {
		const struct pw_play_step *step = &play->steps[s];
		check_reserved(loader, step->place, step->id, PW_SCOPE_THIS);
		check_reserved(loader, step->place, step->as, PW_SCOPE_THIS);
		for (size_t i = 0; i < play->n_inputs; i++) {
			const struct pw_play_input *input = &play->inputs[i];
			if (!strcmp(step->id, input->name))
				pw_load_error_two(loader, step->place, input->place, PW_ID_TAKEN, "rename one of the two",
						  "the step \"%s\" has the name of an input: ${%s} could be either", step->id, step->id);
			if (step->as && !strcmp(step->as, input->name))
				pw_load_error_two(loader, step->place, input->place, PW_ID_TAKEN, "choose another name with \"as\"",
						  "the loop variable \"%s\" has the name of an input", step->as);
		}
		int same = step->as ? pw_play_step_index(play, step->as) : -1;
		if (same >= 0)
			pw_load_error_two(loader, step->place, play->steps[same].place, PW_ID_TAKEN, "choose another name with \"as\"",
					  "the loop variable \"%s\" has the name of a step", step->as);
	}
}

void pw_load_record_done(struct pw_loader *loader, const struct pw_schema *schema, const struct pw_val *val, void *record)
{
	if (schema == &pw_schema_step)
		step_done(loader, val, record);
	else if (schema == &pw_schema_input)
		input_done(loader, val, record);
	else if (schema == &pw_schema_verdict)
		verdict_done(loader, val, record);
	else if (schema == &pw_schema_playbook)
		check_names(loader, record);
}

/* ---- tests ---- */

static void check_outcome(struct pw_loader *loader, const struct pw_play_step *step, const struct pw_val *val)
{
	const char *const *words = NULL, *text = pw_val_text(val);
	size_t n = pw_play_outcomes(step, loader->arena, &words);
	if (!text) {
		pw_load_wrong(loader, step->id, "an outcome", val);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], text))
			return;
	if (n > 0)
		pw_load_error(loader, pw_val_place(val), PW_ID_NO_OUTCOME, pw_suggest(loader->arena, text, words, n),
			      "the step \"%s\" cannot end in \"%s\"", step->id, text);
}

/* `outcomes` or `evidence`: a map by step. */
static void check_by_step(struct pw_loader *loader, const char *name, const struct pw_val *map, bool outcomes)
{
	const char *const *names = NULL;
	size_t n = pw_map_names(loader->arena, loader->steps, &names);
	if (!pw_val_is(map, PW_VAL_MAP))
		pw_load_wrong(loader, name, "a map of steps", map);
	for (size_t i = 0; pw_val_is(map, PW_VAL_MAP) && i < pw_val_count(map); i++) {
		const char *id = pw_map_key(map, i);
		int index = pw_play_step_index(loader->play, id);
		if (index < 0)
			pw_load_error(loader, pw_map_key_place(map, i), PW_ID_NO_STEP, pw_suggest(loader->arena, id, names, n), "there is no step \"%s\"", id);
		else if (outcomes)
			check_outcome(loader, &loader->play->steps[index], pw_val_at(map, i));
		else if (!pw_val_is(pw_val_at(map, i), PW_VAL_MAP))
			pw_load_wrong(loader, id, "a map of evidence", pw_val_at(map, i));
	}
}

static void check_given_input(struct pw_loader *loader, const struct pw_val *given, size_t i)
{
	const struct pw_play *play = loader->play;
	const char *word = pw_map_key(given, i);
	const char **names = pw_arena_array(loader->arena, play->n_inputs + 2, sizeof *names);
	size_t n = 0;
	if (!names)
		return;
	for (; n < play->n_inputs; n++) {
		names[n] = play->inputs[n].name;
		if (strcmp(names[n], word) != 0)
			continue;
		if (!pw_val_text(pw_val_at(given, i)))
			pw_load_wrong(loader, word, "text", pw_val_at(given, i));
		return;
	}
	names[n++] = "outcomes";
	names[n++] = "evidence";
	pw_load_error(loader, pw_map_key_place(given, i), PW_ID_NO_INPUT, pw_suggest(loader->arena, word, names, n), "there is no input \"%s\"", word);
}

void pw_load_given(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record)
{
	if (!pw_val_is(val, PW_VAL_MAP)) {
		pw_load_wrong(loader, key->name, pw_form_says(key->form), val);
		return;
	}
	for (size_t i = 0; i < pw_val_count(val); i++) {
		const char *word = pw_map_key(val, i);
		if (!strcmp(word, "outcomes") || !strcmp(word, "evidence"))
			check_by_step(loader, word, pw_val_at(val, i), word[0] == 'o');
		else
			check_given_input(loader, val, i);
	}
	pw_load_put(record, key->at, &val, sizeof val);
}
