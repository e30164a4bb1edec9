/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Playbooks being walked, one inside the other, and the one list of results they make together. */
#include <run/driver_priv.h>

#include <string.h>

#include <run/inputs.h>

static int no_memory(struct pw_err *err) { return pw_err_set(err, PW_NOMEM, "out of memory"); }

static int push(struct pw_driver *d, const struct pw_play *play, struct pw_scope *scope, const struct pw_play_step *call,
		struct pw_err *err)
{
	struct pw_arena *arena = d->config.arena;
	struct pw_frame *frame = pw_arena_alloc(arena, sizeof *frame);
	if (!frame)
		return no_memory(err);
	frame->parent = d->top;
	frame->play = play;
	frame->call = call;
	frame->prefix = call ? pw_arena_printf(arena, "%s%s/", d->top->prefix, call->id) : "";
	frame->depth = d->top ? d->top->depth + 1 : 0;
	frame->scope = scope;
	frame->walk = pw_walk_new(play, scope, arena);
	frame->slots = (struct pw_slots){ .executor = d->config.executor, .arena = arena, .scope = scope, .facts = d->config.facts,
					  .here = d->config.here, .next_task = &d->next_task, .consent = &d->consent };
	if (!frame->walk || !frame->prefix)
		return no_memory(err);
	int rc = pw_slots_init(&frame->slots, play, err);
	if (!rc)
		d->top = frame;
	return rc;
}

int pw_frame_start(struct pw_driver *driver, struct pw_err *err)
{
	return push(driver, driver->config.play, driver->config.scope, NULL, err);
}

/* ---- calls ---- */

struct given { struct pw_driver *driver; const struct pw_val *with; };

static const char *text_of(const struct pw_val *val, struct pw_arena *arena)
{
	long long number;
	bool flag;
	if (pw_val_is(val, PW_VAL_MAP))
		val = pw_map_get(val, "");
	if (pw_val_text(val))
		return pw_val_text(val);
	if (pw_val_to_int(val, &number))
		return pw_arena_printf(arena, "%lld", number);
	if (pw_val_to_bool(val, &flag))
		return flag ? "true" : "false";
	return NULL;
}

/* What `with:` says, else the caller's value of the same name. */
static const char *lookup(void *arg, const char *name, const char **ret_from)
{
	const struct given *given = arg;
	struct pw_arena *arena = given->driver->config.arena;
	const char *text = text_of(pw_map_get(given->with, name), arena);
	*ret_from = given->driver->top->play->name;
	if (!text)
		text = text_of(pw_scope_get(given->driver->top->scope, name), arena);
	return text && *text ? text : NULL;
}

static int name_missing(const struct pw_inputs *inputs, struct pw_err *err)
{
	for (size_t i = 0; i < inputs->play->n_inputs; i++)
		if (!inputs->values[i].text && !inputs->play->inputs[i].optional)
			return pw_err_set(err, PW_ABSENT, "its input '%s' is not known", inputs->play->inputs[i].name);
	return PW_OK;
}

int pw_frame_call(struct pw_driver *driver, const struct pw_play_step *step, struct pw_err *err)
{
	struct pw_arena *arena = driver->config.arena;
	struct pw_val *with = NULL;
	struct pw_inputs inputs;
	size_t missing = 0;
	struct pw_scope *scope = pw_scope_new(arena);
	if (!step->callee)
		return pw_err_set(err, PW_ABSENT, "there is no playbook '%s'", step->playbook);
	if (!scope)
		return no_memory(err);
	int rc = step->with ? pw_scope_expand_val(driver->top->scope, step->with, arena, &with, err) : PW_OK;
	if (!rc)
		rc = pw_inputs_init(&inputs, step->callee, scope, arena, err);
	if (rc)
		return rc;
	inputs.facts = driver->config.facts;
	inputs.default_ns = driver->config.default_ns ? driver->config.default_ns : "default";
	struct given given = { driver, with };
	rc = pw_inputs_fill(&inputs, lookup, &given, &missing, err);
	if (!rc && missing && driver->config.ops.inputs)
		driver->config.ops.inputs(driver->config.ops.arg, &inputs);
	if (!rc && missing)
		rc = name_missing(&inputs, err);
	return rc ? rc : push(driver, step->callee, scope, step, err);
}

void pw_frame_not_called(struct pw_driver *driver, const struct pw_play_step *step, const char *says)
{
	struct pw_arena *arena = driver->config.arena;
	struct pw_frame *frame = driver->top;
	frame->called = step;
	memset(&frame->called_ledger, 0, sizeof frame->called_ledger);
	frame->called_verdict = (struct pw_outcome_verdict){ .id = "not-walked", .layer = PW_LAYER_UNKNOWN, .hop = step->hop, .says = says,
		.settle = pw_arena_printf(arena, "packetwalk run %s, with all of its inputs", step->playbook),
		.actions = pw_val_seq(arena), .because = pw_val_seq(arena), .could_be = pw_val_seq(arena) };
}

static void skip_known(struct pw_driver *d, const char *id)
{
	const struct pw_record *known = d->config.known;
	if (known && d->n_known < known->n_steps && strcmp(known->steps[d->n_known]->id, id) == 0)
		d->n_known++;
}

int pw_frame_return(struct pw_driver *driver, struct pw_step_result *ret, struct pw_err *err)
{
	static const enum pw_class classes[] = { [PW_STATUS_HEALTHY] = PW_CLASS_OK, [PW_STATUS_FAULT] = PW_CLASS_FAIL,
						 [PW_STATUS_INCONCLUSIVE] = PW_CLASS_UNKNOWN };
	struct pw_frame *frame = driver->top, *parent = frame->parent;
	struct pw_arena *arena = driver->config.arena;
	struct pw_outcome_verdict verdict;
	int rc = pw_frame_verdict(driver, frame, &verdict, &parent->called_ledger, err);
	if (rc)
		return rc;
	pw_slots_cancel_all(&frame->slots);
	enum pw_status status = pw_status_of(verdict.layer);
	parent->called = frame->call;
	parent->called_verdict = verdict;
	driver->top = parent;
	struct pw_val *evidence = pw_val_map(arena);
	pw_map_set_str(evidence, "verdict", verdict.id);
	pw_map_set_str(evidence, "layer", pw_layer_word(verdict.layer));
	pw_map_set_str(evidence, "component", verdict.component);
	pw_map_set_str(evidence, "hop", verdict.hop);
	pw_map_set_str(evidence, "says", verdict.says);
	*ret = (struct pw_step_result){ .id = frame->call->id, .check = pw_arena_printf(arena, "playbook %s", frame->play->name),
		.title = frame->call->title, .hop = frame->call->hop, .outcome = pw_status_word(status), .klass = classes[status],
		.says = verdict.says, .evidence = evidence, .observation = pw_val_map(arena) };
	const char *id = pw_arena_printf(arena, "%s%s", parent->prefix, frame->call->id);
	if (!ret->check || !evidence || !id)
		return no_memory(err);
	skip_known(driver, id);
	return PW_OK;
}

/* ---- results ---- */

int pw_results_add(struct pw_driver *driver, const struct pw_step_result *result, struct pw_err *err)
{
	struct pw_arena *arena = driver->config.arena;
	struct pw_step_result *copy = pw_arena_alloc(arena, sizeof *copy);
	if (driver->n_results == driver->cap_results) {
		size_t cap = driver->cap_results ? driver->cap_results * 2 : 32;
		const struct pw_step_result **grown = pw_arena_array(arena, cap, sizeof *grown);
		if (!grown)
			return no_memory(err);
		if (driver->n_results)
			memcpy(grown, driver->results, driver->n_results * sizeof *grown);
		driver->results = grown;
		driver->cap_results = cap;
	}
	if (!copy)
		return no_memory(err);
	*copy = *result;
	copy->id = pw_arena_printf(arena, "%s%s", driver->top->prefix, result->id);
	if (!copy->id || !copy->outcome || !copy->says)
		return no_memory(err);
	driver->results[driver->n_results++] = copy;
	return PW_OK;
}

/* Cuts the list before the last result with this id. */
static void cut_results(struct pw_driver *d, const char *id)
{
	for (size_t i = d->n_results; i > 0; i--)
		if (strcmp(d->results[i - 1]->id, id) == 0) {
			d->n_results = i - 1;
			return;
		}
}

int pw_results_rewind(struct pw_driver *driver, size_t n, struct pw_err *err)
{
	struct pw_frame *frame = driver->top;
	const struct pw_step_result *const *walked = NULL;
	size_t have = pw_walk_results(frame->walk, &walked);
	if (n > have)
		n = have;
	if (!n)
		return PW_OK;
	const char *first = walked[have - n]->id;
	/* All of them: what was started ahead was made of what is dropped now. */
	for (size_t i = 0; i < frame->slots.n; i++)
		pw_slots_forget(&frame->slots, i);
	const char *id = pw_arena_printf(driver->config.arena, "%s%s", frame->prefix, first);
	if (!id)
		return no_memory(err);
	cut_results(driver, id);
	/* A called playbook's own results stand before the call's. */
	size_t len = strlen(id);
	while (driver->n_results && strncmp(driver->results[driver->n_results - 1]->id, id, len) == 0 &&
	       driver->results[driver->n_results - 1]->id[len] == '/')
		driver->n_results--;
	return pw_walk_rewind(frame->walk, first, err);
}

/* ---- results known from before ---- */

static bool same_step(const struct pw_step_result *result, const struct pw_frame *frame, const struct pw_play_step *step)
{
	size_t prefix = strlen(frame->prefix);
	return strncmp(result->id, frame->prefix, prefix) == 0 && strcmp(result->id + prefix, step->id) == 0;
}

const struct pw_step_result *pw_known_take(struct pw_driver *driver, const struct pw_frame *frame, const struct pw_play_step *step)
{
	const struct pw_record *known = driver->config.known;
	if (!known || driver->n_known >= known->n_steps)
		return NULL;
	if (same_step(known->steps[driver->n_known], frame, step))
		return known->steps[driver->n_known++];
	driver->n_known = known->n_steps; /* the walk went another way: the rest says nothing about it */
	return NULL;
}

bool pw_known_has(const struct pw_driver *driver, const struct pw_frame *frame, const struct pw_play_step *step)
{
	const struct pw_record *known = driver->config.known;
	for (size_t i = driver->n_known; known && i < known->n_steps; i++)
		if (same_step(known->steps[i], frame, step))
			return true;
	return false;
}
