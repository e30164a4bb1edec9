/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every template of a playbook, at its place: what it names is there by then, and is what the place wants. */
#include <play/lint.h>

#include <string.h>

#include <base/type.h>
#include <doc/yaml.h>
#include <play/ids.h>
#include <play/loader.h>

struct use {
	struct pw_lint *lint;
	const struct pw_site *site;
	const struct pw_val *val;      /* the scalar the template is written in, NULL */
	struct pw_ref last;            /* the reference found last */
	bool good;                     /* all of them were found */
	size_t n;
};

static int use_ref(void *arg, const char *ref, size_t len, size_t offset)
{
	struct use *use = arg;
	struct pw_place place = pw_lint_ref_place(use->lint, use->val, use->site->place, offset);
	use->good = pw_ref_find(use->lint, use->site, place, ref, len, &use->last) && use->good;
	use->n++;
	return PW_OK;
}

/* Looks all references of a text up. A text that is no template at all was complained about by the loader. */
static struct use look_up(struct pw_lint *lint, const struct pw_site *site, const struct pw_val *val, const char *text)
{
	struct use use = { .lint = lint, .site = site, .val = val, .good = true };
	if (text && pw_template_refs(text, use_ref, &use, NULL) < 0)
		use.good = false;
	return use;
}

/* A text in a key of a step or verdict, only to be filled in. */
static void check_text(struct pw_lint *lint, const struct pw_site *site, const char *section, const char *id, const char *key, const char *text)
{
	if (text)
		(void)look_up(lint, site, pw_lint_val(lint, section, id, key), text);
}

/* ---- values for parameters and inputs ---- */

struct slot {
	enum pw_type type;
	const char *range;
	const char *const *choices; size_t n_choices; /* of an input */
	bool required;
	const char *what;              /* "the parameter port of tcp_connect" */
};

static struct pw_place place_of(const struct pw_val *val, const struct pw_site *site)
{
	struct pw_place place = pw_val_place(val);
	return place.line ? place : site->place;
}

static bool choices_fit(const struct pw_play_input *input, const struct slot *slot)
{
	for (size_t i = 0; i < input->n_choices; i++) {
		bool found = slot->range && pw_type_check(PW_TYPE_CHOICE, slot->range, input->choices[i], NULL) == PW_OK;
		for (size_t k = 0; k < slot->n_choices; k++)
			found = found || !strcmp(slot->choices[k], input->choices[i]);
		if (!found)
			return false;
	}
	return true;
}

static void check_ref_type(struct pw_lint *lint, const struct pw_site *site, const struct pw_val *val, const struct use *use, const struct slot *slot)
{
	const struct pw_ref *ref = &use->last;
	struct pw_place place = pw_lint_ref_place(lint, val, site->place, 0);
	bool choice = ref->input && slot->type == PW_TYPE_CHOICE && ref->type == PW_TYPE_CHOICE;
	if (!ref->any && (!pw_type_fits(ref->type, slot->type) || (choice && !choices_fit(ref->input, slot))))
		pw_diags_add(lint->diags, 0, place, PW_ID_REF_TYPE, NULL, "%s is of type %s, and %s wants %s", pw_val_text(val),
			     pw_type_word(ref->type), slot->what, choice ? "a choice among others" : pw_type_word(slot->type));
	if (slot->required && ref->optional)
		pw_diags_add(lint->diags, 0, place, PW_ID_OPTIONAL, "give the input a default, or make it required",
			     "%s may be left out, and %s must be given", pw_val_text(val), slot->what);
}

static void check_literal(struct pw_lint *lint, const struct pw_site *site, const struct pw_val *val, const struct slot *slot)
{
	struct pw_err why = PW_ERR_INIT;
	const char *text = pw_val_text(val);
	if (slot->n_choices) {
		for (size_t i = 0; i < slot->n_choices; i++)
			if (!strcmp(slot->choices[i], text))
				return;
		pw_diags_add(lint->diags, 0, place_of(val, site), PW_ID_PARAM_VALUE, pw_suggest(lint->arena, text, slot->choices, slot->n_choices),
			     "%s: \"%s\" is not one of its choices", slot->what, text);
	} else if (pw_type_check(slot->type, slot->range, text, &why) < 0) {
		pw_diags_add(lint->diags, 0, place_of(val, site), PW_ID_PARAM_VALUE, NULL, "%s: %s", slot->what, why.text);
	}
}

static void check_deep(struct pw_lint *lint, const struct pw_site *site, const struct pw_val *val)
{
	if (pw_val_text(val))
		(void)look_up(lint, site, val, pw_val_text(val));
	for (size_t i = 0; i < pw_val_count(val); i++)
		check_deep(lint, site, pw_val_at(val, i));
}

static void check_value(struct pw_lint *lint, const struct pw_site *site, const struct pw_val *val, const struct slot *slot)
{
	const char *text = pw_val_text(val);
	size_t len;
	if (!text) {
		bool list = pw_val_is(val, PW_VAL_SEQ), map = pw_val_is(val, PW_VAL_MAP);
		if (pw_val_is(val, PW_VAL_NULL) || (list && slot->type != PW_TYPE_LIST) || (map && slot->type != PW_TYPE_MAP))
			pw_diags_add(lint->diags, 0, place_of(val, site), PW_ID_PARAM_VALUE, NULL, "%s is %s, it wants %s", slot->what,
				     list ? "a list" : map ? "a map" : "empty", pw_type_word(slot->type));
		check_deep(lint, site, val);
		return;
	}
	struct use use = look_up(lint, site, val, text);
	if (use.n == 0 && use.good)
		check_literal(lint, site, val, slot);
	else if (use.good && pw_template_whole(text, &len))
		check_ref_type(lint, site, val, &use, slot);
}

/* ---- parameters ---- */

static struct pw_place key_place(const struct pw_val *map, size_t i, const struct pw_site *site)
{
	struct pw_place place = pw_map_key_place(map, i);
	return place.line ? place : site->place;
}

static void check_params(struct pw_lint *lint, const struct pw_site *site, const struct pw_play_step *step)
{
	bool with_read = step->with || !pw_lint_val(lint, "steps", step->id, "with"); /* or it is no map, and that has been said */
	const char *names[64]; /* as many as a declaration may have (vantage/validate.c) */
	size_t n = 0;
	for (const struct pw_param *p = step->decl->params; p && p->name && n < 64; p++) {
		names[n++] = p->name;
		if (p->required && with_read && !pw_map_get(step->with, p->name))
			pw_diags_add(lint->diags, 0, step->place, PW_ID_PARAM_MISSING, pw_arena_printf(lint->arena, "%s: %s", p->name, p->help),
				     "the check %s needs \"%s\"", step->check, p->name);
	}
	for (size_t i = 0; i < pw_val_count(step->with); i++) {
		const char *key = pw_map_key(step->with, i);
		const struct pw_param *p = step->decl->params;
		while (p && p->name && strcmp(p->name, key) != 0)
			p++;
		if (!p || !p->name) {
			pw_diags_add(lint->diags, 0, key_place(step->with, i, site), PW_ID_NO_PARAM, pw_suggest(lint->arena, key, names, n),
				     "the check %s has no parameter \"%s\"", step->check, key);
			check_deep(lint, site, pw_val_at(step->with, i));
			continue;
		}
		const char *what = pw_arena_printf(lint->arena, "the parameter \"%s\" of %s", p->name, step->check);
		struct slot slot = { .type = p->type, .range = p->range, .required = p->required, .what = what ? what : p->name };
		check_value(lint, site, pw_val_at(step->with, i), &slot);
	}
}

/* ---- at, for ---- */

static void check_at(struct pw_lint *lint, const struct pw_site *site, const struct pw_play_step *step)
{
	const struct pw_val *val = pw_lint_val(lint, "steps", step->id, "at");
	struct use use = look_up(lint, site, val, step->at);
	size_t len;
	if (!use.n || !use.good || !pw_template_whole(step->at, &len) || use.last.any)
		return;
	enum pw_type type = use.last.type;
	if (type != PW_TYPE_POD && type != PW_TYPE_NODE && type != PW_TYPE_STR)
		pw_diags_add(lint->diags, 0, pw_lint_ref_place(lint, val, step->place, 0), PW_ID_NOT_A_PLACE, "name a pod or a node",
			     "%s is of type %s: a check cannot run there", step->at, pw_type_word(type));
	if (use.last.optional)
		pw_diags_add(lint->diags, 0, pw_lint_ref_place(lint, val, step->place, 0), PW_ID_OPTIONAL, "give the input a default, or make it required",
			     "%s may be left out, and then there is nowhere to run the check", step->at);
}

static void check_for(struct pw_lint *lint, const struct pw_site *site, const struct pw_play_step *step)
{
	const struct pw_val *val = pw_lint_val(lint, "steps", step->id, "for");
	struct use use = look_up(lint, site, val, step->for_each);
	size_t len;
	if (!pw_template_whole(step->for_each, &len))
		pw_diags_add(lint->diags, 0, place_of(val, site), PW_ID_NOT_A_LIST, "write one ${reference} to a list", "\"%s\" is not a list", step->for_each);
	else if (use.good && !use.last.any && use.last.type != PW_TYPE_LIST)
		pw_diags_add(lint->diags, 0, pw_lint_ref_place(lint, val, step->place, 0), PW_ID_NOT_A_LIST, NULL, "%s is of type %s, not a list",
			     step->for_each, pw_type_word(use.last.type));
}

/* ---- calls ---- */

static const struct pw_play_input *find_input(const struct pw_play *play, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < play->n_inputs; i++)
		if (!strcmp(play->inputs[i].name, name)) {
			if (ret_index)
				*ret_index = i;
			return &play->inputs[i];
		}
	return NULL;
}

static bool asks_for(const struct pw_play_step *step, const char *name)
{
	for (size_t i = 0; i < step->n_asks; i++)
		if (!strcmp(step->asks[i], name))
			return true;
	return false;
}

/* An input that is not given takes the caller's of the same name. */
static void check_passed_on(struct pw_lint *lint, const struct pw_play_step *step, const struct pw_play_input *wanted)
{
	size_t index = 0;
	const struct pw_play_input *own = find_input(lint->play, wanted->name, &index);
	bool needed = !wanted->optional && !wanted->otherwise;
	if (own)
		lint->used[index] = true;
	if (own && !pw_type_fits(own->type, wanted->type))
		pw_diags_add_two(lint->diags, 0, step->place, own->place, PW_ID_REF_TYPE, "give it under \"given\"",
				 "the input \"%s\" is of type %s here, and the playbook %s wants %s", wanted->name, pw_type_word(own->type),
				 step->playbook, pw_type_word(wanted->type));
	if (needed && !own && asks_for(step, wanted->name))
		return;
	if (needed && !own)
		pw_diags_add(lint->diags, 0, step->place, PW_ID_INPUT_MISSING, "give it under \"given\"",
			     "the playbook %s needs the input \"%s\"", step->playbook, wanted->name);
	else if (needed && own && own->optional && !own->otherwise)
		pw_diags_add_two(lint->diags, 0, step->place, own->place, PW_ID_OPTIONAL, "give the input a default, or make it required",
				 "the input \"%s\" may be left out, and the playbook %s needs it", wanted->name, step->playbook);
}

static void check_call(struct pw_lint *lint, const struct pw_site *site, const struct pw_play_step *step)
{
	const struct pw_play *callee = step->callee;
	if (!callee) {
		check_deep(lint, site, step->with);
		return;
	}
	const char **names = pw_arena_array(lint->arena, callee->n_inputs + 1, sizeof *names);
	for (size_t i = 0; names && i < callee->n_inputs; i++) {
		names[i] = callee->inputs[i].name;
		if (!pw_map_get(step->with, names[i]))
			check_passed_on(lint, step, &callee->inputs[i]);
	}
	const struct pw_val *asks = pw_lint_val(lint, "steps", step->id, "asks");
	for (size_t i = 0; names && i < step->n_asks; i++)
		if (!find_input(callee, step->asks[i], NULL))
			pw_diags_add(lint->diags, 0, place_of(pw_val_is(asks, PW_VAL_SEQ) ? pw_val_at(asks, i) : asks, site), PW_ID_NO_INPUT, pw_suggest(lint->arena, step->asks[i], names, callee->n_inputs),
				     "the playbook %s has no input \"%s\" to ask for", step->playbook, step->asks[i]);
	for (size_t i = 0; names && i < pw_val_count(step->with); i++) {
		const char *key = pw_map_key(step->with, i);
		const struct pw_play_input *input = find_input(callee, key, NULL);
		if (!input) {
			pw_diags_add(lint->diags, 0, key_place(step->with, i, site), PW_ID_NO_INPUT, pw_suggest(lint->arena, key, names, callee->n_inputs),
				     "the playbook %s has no input \"%s\"", step->playbook, key);
			check_deep(lint, site, pw_val_at(step->with, i));
			continue;
		}
		const char *what = pw_arena_printf(lint->arena, "the input \"%s\" of %s", key, step->playbook);
		struct slot slot = { .type = input->type, .choices = input->choices, .n_choices = input->n_choices,
				     .required = !input->optional && !input->otherwise, .what = what ? what : key };
		check_value(lint, site, pw_val_at(step->with, i), &slot);
	}
}

/* ---- all of it ---- */

static void check_inputs(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	for (size_t i = 0; i < play->n_inputs; i++) {
		const struct pw_play_input *input = &play->inputs[i];
		const struct pw_val *val = pw_lint_val(lint, "inputs", input->name, "default");
		const char *what = pw_arena_printf(lint->arena, "the default of \"%s\"", input->name);
		struct pw_site site = { .place = input->place, .inputs = i };
		struct slot slot = { .type = input->type, .choices = input->choices, .n_choices = input->n_choices, .what = what ? what : input->name };
		if (input->otherwise && pw_val_text(val))
			check_value(lint, &site, val, &slot);
	}
}

/* The steps from which an edge leads to this step, or this verdict. */
static const bool *steps_before(struct pw_lint *lint, int go, int verdict)
{
	const struct pw_play *play = lint->play;
	bool *last = pw_arena_array(lint->arena, play->n_steps + 1, sizeof *last);
	for (size_t s = 0; last && s < play->n_steps; s++)
		for (size_t e = 0; lint->reached[s] && e < play->steps[s].n_edges; e++) {
			const struct pw_play_edge *edge = &play->steps[s].edges[e];
			last[s] = last[s] || (edge->go >= 0 && edge->go == go) || (edge->verdict >= 0 && edge->verdict == verdict);
		}
	return last;
}

static void check_edges(struct pw_lint *lint, const struct pw_play_step *step, const uint64_t *ran)
{
	uint64_t *after = pw_arena_array(lint->arena, lint->words, sizeof *after);
	const struct pw_val *on = pw_lint_val(lint, "steps", step->id, "on");
	bool *last = pw_arena_array(lint->arena, lint->play->n_steps + 1, sizeof *last);
	if (!after || !last)
		return;
	last[step - lint->play->steps] = true;
	memcpy(after, ran, lint->words * sizeof *after);
	pw_set_add(after, (size_t)(step - lint->play->steps));
	for (size_t e = 0; e < step->n_edges; e++) {
		const struct pw_play_edge *edge = &step->edges[e];
		struct pw_site site = { .place = edge->place, .ran = after, .inputs = lint->play->n_inputs, .last = last };
		for (size_t i = 0; edge->says && i < pw_val_count(on); i++) {
			struct pw_place place = pw_map_key_place(on, i);
			if (place.line == edge->place.line && place.col == edge->place.col)
				(void)look_up(lint, &site, pw_map_get(pw_val_at(on, i), "says"), edge->says);
		}
	}
}

static void check_step(struct pw_lint *lint, size_t index)
{
	const struct pw_play_step *step = &lint->play->steps[index];
	const uint64_t *ran = lint->ran + index * lint->words;
	struct pw_site site = { .place = step->place, .ran = ran, .inputs = lint->play->n_inputs, .last = steps_before(lint, (int)index, -1) };
	if (step->kind == PW_STEP_CHECK && step->for_each) {
		check_for(lint, &site, step);
		site.loop = step;
	}
	if (step->kind == PW_STEP_CHECK && step->at)
		check_at(lint, &site, step);
	if (step->kind == PW_STEP_CHECK && step->decl)
		check_params(lint, &site, step);
	else if (step->kind == PW_STEP_CHECK)
		check_deep(lint, &site, step->with);
	else if (step->kind == PW_STEP_PLAYBOOK)
		check_call(lint, &site, step);
	check_text(lint, &site, "steps", step->id, "ask", step->ask);
	check_edges(lint, step, ran);
}

static void check_verdict(struct pw_lint *lint, size_t index)
{
	const struct pw_play_verdict *verdict = &lint->play->verdicts[index];
	struct pw_site site = { .place = verdict->place, .ran = lint->ran_before + index * lint->words, .inputs = lint->play->n_inputs,
				.last = steps_before(lint, -1, (int)index) };
	check_text(lint, &site, "verdicts", verdict->id, "says", verdict->says);
	check_text(lint, &site, "verdicts", verdict->id, "settle", verdict->settle);
	const struct pw_val *list = pw_lint_val(lint, "verdicts", verdict->id, "do");
	for (size_t i = 0; i < verdict->n_actions; i++)
		(void)look_up(lint, &site, pw_val_is(list, PW_VAL_SEQ) ? pw_val_at(list, i) : list, verdict->actions[i]);
}

bool pw_lint_refs(struct pw_lint *lint)
{
	check_inputs(lint);
	for (size_t i = 0; i < lint->play->n_steps; i++)
		check_step(lint, i);
	for (size_t i = 0; i < lint->play->n_verdicts; i++)
		check_verdict(lint, i);
	return !pw_arena_failed(lint->arena);
}
