/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inputs of a walk: typed, resolved to what they name, and put where ${...} finds them. */
#include <run/inputs.h>

#include <string.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <vantage/executor.h>

int pw_inputs_init(struct pw_inputs *inputs, const struct pw_play *play, struct pw_scope *scope, struct pw_arena *arena,
		   struct pw_err *err)
{
	memset(inputs, 0, sizeof *inputs);
	inputs->play = play;
	inputs->scope = scope;
	inputs->arena = arena;
	inputs->default_ns = "default";
	inputs->values = pw_arena_array(arena, play->n_inputs + 1, sizeof *inputs->values);
	if (!inputs->values)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	return PW_OK;
}

unsigned pw_inputs_kinds(const struct pw_play *play)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < play->n_inputs; i++) {
		const struct pw_input_type *type = pw_input_type(play->inputs[i].type);
		kinds |= type ? type->facts : 0;
	}
	return kinds;
}

static int look_choice(const struct pw_play_input *input, const char *text, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_buf list;
	for (size_t i = 0; i < input->n_choices; i++)
		if (strcmp(input->choices[i], text) == 0)
			return PW_OK;
	const char *near = pw_nearest(text, input->choices, input->n_choices);
	if (near)
		return pw_err_set(err, PW_USAGE, "%s: '%s' is not one of its choices; did you mean '%s'?", input->name, text, near);
	pw_buf_init(&list, sizeof err->text);
	for (size_t i = 0; i < input->n_choices; i++)
		pw_buf_printf(&list, "%s%s", i ? ", " : "", input->choices[i]);
	const char *copy = pw_arena_strdup(arena, pw_buf_str(&list));
	pw_buf_release(&list);
	return pw_err_set(err, PW_USAGE, "%s: '%s' is not one of %s", input->name, text, copy ? copy : "its choices");
}

int pw_inputs_look(const struct pw_inputs *inputs, size_t i, const char *text, struct pw_err *err)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	const struct pw_input_type *type = pw_input_type(input->type);
	if (input->type == PW_TYPE_CHOICE || input->n_choices)
		return look_choice(input, text, inputs->arena, err);
	if (type && type->facts)
		return PW_OK;
	if (pw_type_check(input->type, NULL, text, err))
		return pw_err_wrap(err, "%s", input->name);
	return PW_OK;
}

int pw_inputs_set(struct pw_inputs *inputs, size_t i, const char *text, const char *from, struct pw_err *err)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	const struct pw_input_type *type = pw_input_type(input->type);
	struct pw_val *val = NULL;
	int rc = pw_inputs_look(inputs, i, text, err);
	if (rc)
		return rc;
	if (type && type->facts && !inputs->facts)
		return pw_err_set(err, PW_UNSUPPORTED, "%s names a %s, and there is no cluster to look it up in", input->name,
				  pw_type_word(input->type));
	if (type && input->type != PW_TYPE_CHOICE)
		rc = type->resolve(inputs->facts, inputs->default_ns, text, inputs->arena, &val, err);
	else
		val = pw_val_str(inputs->arena, text);
	if (rc)
		return pw_err_wrap(err, "%s", input->name);
	pw_scope_set(inputs->scope, input->name, val);
	inputs->values[i].text = pw_arena_strdup(inputs->arena, text);
	inputs->values[i].from = pw_arena_strdup(inputs->arena, from);
	if (!inputs->values[i].text || !val)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	return PW_OK;
}

/* ---- objects that are not there ---- */

static bool declares_absent(const struct pw_check *check)
{
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++)
		if (strcmp(o->word, "absent") == 0)
			return true;
	return false;
}

bool pw_inputs_may_be_absent(const struct pw_inputs *inputs, size_t i)
{
	if (inputs->play->inputs[i].type != PW_TYPE_SERVICE || !inputs->facts ||
	    pw_facts_known(inputs->facts, PW_FACT_SERVICES) != PW_KNOWN_YES)
		return false;
	for (size_t s = 0; s < inputs->play->n_steps; s++) {
		const struct pw_check *check = inputs->play->steps[s].decl;
		if (check && (check->facts & PW_FACT_SERVICES) && declares_absent(check))
			return true;
	}
	return false;
}

int pw_inputs_set_absent(struct pw_inputs *inputs, size_t i, const char *text, const char *from, struct pw_err *err)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	struct pw_val *val = pw_service_absent_val(inputs->facts, inputs->default_ns, text, inputs->arena);
	if (!val)
		return pw_err_set(err, PW_USAGE, "%s: '%s' can not be the name of a Service", input->name, text);
	pw_scope_set(inputs->scope, input->name, val);
	inputs->values[i].text = pw_arena_strdup(inputs->arena, text);
	inputs->values[i].from = pw_arena_strdup(inputs->arena, from);
	return pw_arena_failed(inputs->arena) ? pw_err_set(err, PW_NOMEM, "out of memory") : PW_OK;
}

/* ---- defaults ---- */

struct origin { const struct pw_inputs *inputs; const char *text; };

/* "Service shop/api" for a default that is taken from the input `to`. */
static int name_origin(void *arg, const char *ref, size_t len, size_t offset)
{
	struct origin *origin = arg;
	const struct pw_play *play = origin->inputs->play;
	size_t name = 0;
	(void)offset;
	while (name < len && ref[name] != '.')
		name++;
	for (size_t i = 0; i < play->n_inputs && !origin->text; i++)
		if (strlen(play->inputs[i].name) == name && memcmp(play->inputs[i].name, ref, name) == 0)
			origin->text = pw_arena_printf(origin->inputs->arena, "from %s %s", pw_type_word(play->inputs[i].type),
						       origin->inputs->values[i].text ? origin->inputs->values[i].text : play->inputs[i].name);
	return 0;
}

int pw_inputs_default(struct pw_inputs *inputs, size_t i, const char **ret_text, const char **ret_from, struct pw_err *err)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	struct origin origin = { inputs, NULL };
	struct pw_buf text;
	if (!input->otherwise)
		return pw_err_set(err, PW_ABSENT, "%s has no default", input->name);
	pw_buf_init(&text, 65536);
	int rc = pw_scope_expand_text(inputs->scope, input->otherwise, &text, err);
	if (!rc)
		rc = pw_template_refs(input->otherwise, name_origin, &origin, err);
	const char *copy = rc ? NULL : pw_arena_strdup(inputs->arena, pw_buf_str(&text));
	pw_buf_release(&text);
	if (rc)
		return rc == PW_NOMEM ? rc : PW_ABSENT;
	if (!copy)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	if (!*copy)
		return pw_err_set(err, PW_ABSENT, "%s: its default %s is empty here", input->name, input->otherwise);
	*ret_text = copy;
	*ret_from = origin.text ? origin.text : "playbook default";
	return PW_OK;
}

int pw_inputs_discover(struct pw_inputs *inputs, size_t i, const char **ret_text, const char **ret_from, struct pw_err *err)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	const struct pw_input_type *type = pw_input_type(input->type);
	struct pw_val *all = NULL;
	if (!type || !type->facts || !inputs->facts || !type->candidates)
		return pw_err_set(err, PW_ABSENT, "%s is nothing the cluster can tell", input->name);
	int rc = type->candidates(inputs->facts, inputs->default_ns, inputs->arena, &all);
	if (rc)
		return pw_err_set(err, rc, "out of memory");
	if (pw_val_count(all) != 1 || !pw_val_text(pw_val_at(all, 0)))
		return pw_err_set(err, PW_ABSENT, "there are %zu to choose from", pw_val_count(all));
	*ret_text = pw_val_text(pw_val_at(all, 0));
	*ret_from = pw_arena_printf(inputs->arena, "the only %s there is", pw_type_word(input->type));
	return *ret_from ? PW_OK : pw_err_set(err, PW_NOMEM, "out of memory");
}

void pw_inputs_leave(struct pw_inputs *inputs, size_t i)
{
	pw_scope_set(inputs->scope, inputs->play->inputs[i].name, pw_val_str(inputs->arena, ""));
}

int pw_inputs_fill(struct pw_inputs *inputs, pw_input_lookup_fn lookup, void *arg, size_t *ret_missing, struct pw_err *err)
{
	size_t missing = 0;
	for (size_t i = 0; i < inputs->play->n_inputs; i++) {
		const struct pw_play_input *input = &inputs->play->inputs[i];
		const char *from = NULL, *text = lookup(arg, input->name, &from);
		int rc = PW_OK;
		if (!text)
			rc = pw_inputs_default(inputs, i, &text, &from, err);
		if (rc == PW_NOMEM)
			return rc;
		pw_err_clear(rc ? err : NULL);
		rc = text ? pw_inputs_set(inputs, i, text, from, err) : PW_OK;
		if (rc == PW_ABSENT && pw_inputs_may_be_absent(inputs, i)) {
			pw_err_clear(err);
			rc = pw_inputs_set_absent(inputs, i, text, from, err);
		}
		if (rc)
			return rc;
		if (!text && input->optional)
			pw_inputs_leave(inputs, i);
		missing += !text && !input->optional;
	}
	*ret_missing = missing;
	return PW_OK;
}

struct pw_val *pw_inputs_val(const struct pw_inputs *inputs)
{
	struct pw_val *map = pw_val_map(inputs->arena);
	for (size_t i = 0; i < inputs->play->n_inputs; i++)
		if (inputs->values[i].text)
			pw_map_set_str(map, inputs->play->inputs[i].name, inputs->values[i].text);
	return map;
}
