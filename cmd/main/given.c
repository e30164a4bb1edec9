/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inputs from everywhere but a person. */
#include "given.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <doc/yaml.h>

#define ANSWERS_MAX ((size_t)1 << 20)
#define MAX_NAMES 512
#define MAX_DEPTH 8

const char *pw_given_variable(struct pw_app *app, const char *name)
{
	char *text = pw_arena_printf(app->arena, "PACKETWALK_INPUT_%s", name);
	for (char *c = text; c && *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return text;
}

/* ---- names ---- */

static void add_name(const char **names, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(names[i], name) == 0)
			return;
	if (*n < MAX_NAMES)
		names[(*n)++] = name;
}

/* Inputs and questions of a playbook and of those it calls. */
static void collect_names(const struct pw_play *play, const char **names, size_t *n, unsigned depth)
{
	for (size_t i = 0; i < play->n_inputs; i++)
		add_name(names, n, play->inputs[i].name);
	for (size_t i = 0; i < play->n_steps; i++) {
		if (play->steps[i].kind == PW_STEP_ASK)
			add_name(names, n, play->steps[i].id);
		if (play->steps[i].callee && depth < MAX_DEPTH)
			collect_names(play->steps[i].callee, names, n, depth + 1);
	}
}

static bool is_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int check_names(struct pw_given *given)
{
	const char *names[MAX_NAMES];
	size_t n = 0;
	int code = 0;
	collect_names(given->play, names, &n, 0);
	for (size_t i = 0; i < pw_val_count(given->app->pairs); i++)
		if (!is_name(names, n, pw_map_key(given->app->pairs, i)))
			code = pw_fail_unknown(given->app, "input", pw_map_key(given->app->pairs, i), names, n);
	for (size_t i = 0; i < pw_val_count(given->answers); i++) {
		const char *key = pw_map_key(given->answers, i);
		if (is_name(names, n, key))
			continue;
		struct pw_err err = PW_ERR_INIT;
		struct pw_place place = pw_map_key_place(given->answers, i);
		const char *near = pw_nearest(key, names, n);
		(void)pw_err_at(&err, PW_USAGE, given->answers_file, place.line, place.col, "unknown input '%s'%s%s%s", key,
				near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		code = pw_fail_err(given->app, PW_EXIT_USAGE, &err);
	}
	if (code) {
		PW_CLEAN_BUF struct pw_buf list;
		pw_buf_init(&list, 65536);
		for (size_t i = 0; i < n; i++)
			pw_buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
		pw_note(given->app, "%s takes: %s", given->play->name, n ? pw_buf_str(&list) : "no inputs");
	}
	return code;
}

static int load_answers(struct pw_given *given)
{
	const char *file = pw_app_opt(given->app, "answers");
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	if (!file)
		return 0;
	given->answers_file = strcmp(file, "-") == 0 ? "<stdin>" : file;
	if (pw_file_read(file, ANSWERS_MAX, &text, &len, &err))
		return pw_fail_err(given->app, PW_EXIT_USAGE, &err);
	struct pw_diags *diags = pw_diags_new(given->app->arena);
	if (pw_yaml_parse(text, len, given->answers_file, &pw_yaml_playbook_limits, given->app->arena, diags, &given->answers, &err))
		return pw_fail_err(given->app, PW_EXIT_USAGE, &err);
	if (pw_diags_count(diags, 0)) {
		const struct pw_diag *d = pw_diags_at(diags, 0);
		(void)pw_err_at(&err, PW_USAGE, given->answers_file, d->place.line, d->place.col, "%s", d->text);
		return pw_fail_err(given->app, PW_EXIT_USAGE, &err);
	}
	if (pw_val_is(given->answers, PW_VAL_MAP) || pw_val_is(given->answers, PW_VAL_NULL))
		return 0;
	(void)pw_err_at(&err, PW_USAGE, given->answers_file, 1, 1, "an answers file is a map of input names");
	return pw_fail_err(given->app, PW_EXIT_USAGE, &err);
}

int pw_given_init(struct pw_given *given, struct pw_app *app, const struct pw_play *play)
{
	memset(given, 0, sizeof *given);
	given->app = app;
	given->play = play;
	int code = load_answers(given);
	return code ? code : check_names(given);
}

const char *pw_given_lookup(void *arg, const char *name, const char **ret_from)
{
	const struct pw_given *given = arg;
	const char *text = pw_map_str(given->app->pairs, name, NULL);
	*ret_from = "command line";
	if (text)
		return text;
	text = pw_map_str(given->answers, name, NULL);
	*ret_from = given->answers_file;
	if (text)
		return text;
	const char *variable = pw_given_variable(given->app, name);
	text = variable ? getenv(variable) : NULL;
	*ret_from = variable;
	if (text && *text)
		return text;
	text = pw_map_str(given->saved, name, NULL);
	*ret_from = "session";
	return text ? text : pw_app_config_input(given->app, name, ret_from);
}

/* ---- what is wrong ---- */

static void say_missing(struct pw_app *app, const struct pw_play_input *input, struct pw_buf *out)
{
	pw_buf_printf(out, "  %s (%s): ", input->name, pw_type_word(input->type));
	pw_buf_escaped(out, input->ask ? input->ask : "", input->ask ? strlen(input->ask) : 0);
	pw_buf_printf(out, "\n      --%s VALUE, or %s=VALUE; environment %s; answers key '%s'\n", input->name, input->name,
		      pw_given_variable(app, input->name), input->name);
}

int pw_given_missing(struct pw_given *given, const struct pw_inputs *inputs)
{
	PW_CLEAN_BUF struct pw_buf list;
	const struct pw_play *play = given->play;
	size_t n = 0;
	pw_buf_init(&list, (size_t)1 << 20);
	for (size_t i = 0; i < play->n_inputs; i++)
		if (!inputs->values[i].text && !play->inputs[i].optional) {
			say_missing(given->app, &play->inputs[i], &list);
			n++;
		}
	int code = pw_fail(given->app, PW_EXIT_USAGE, n == 1 ? "an input is missing:" : "%zu inputs are missing:", n);
	pw_stream_write(&given->app->err, pw_buf_str(&list), list.len);
	return code;
}

/* Could a default fill it, once the cluster is known? */
static bool has_default(const struct pw_play_input *input) { return input->otherwise || input->optional; }

int pw_given_check(struct pw_given *given, struct pw_inputs *inputs)
{
	const struct pw_play *play = given->play;
	bool missing = false;
	int code = 0;
	const char **texts = pw_arena_array(given->app->arena, play->n_inputs + 1, sizeof *texts);
	if (!texts)
		return pw_fail(given->app, PW_EXIT_ENVIRONMENT, "out of memory");
	for (size_t i = 0; i < play->n_inputs; i++) {
		const char *from = NULL;
		struct pw_err err = PW_ERR_INIT;
		texts[i] = pw_given_lookup(given, play->inputs[i].name, &from);
		if (!texts[i])
			missing = missing || !has_default(&play->inputs[i]);
		else if (pw_inputs_look(inputs, i, texts[i], &err))
			code = pw_fail(given->app, PW_EXIT_USAGE, "%s (from the %s)", err.text, from);
	}
	if (!missing || pw_app_interactive(given->app))
		return code;
	/* Those that were given, or may still come by a default, are not missing. */
	struct pw_inputs look = *inputs;
	struct pw_input_value *values = pw_arena_array(given->app->arena, play->n_inputs + 1, sizeof *values);
	for (size_t i = 0; values && i < play->n_inputs; i++)
		values[i].text = texts[i] ? texts[i] : has_default(&play->inputs[i]) ? "" : NULL;
	look.values = values;
	return values ? pw_given_missing(given, &look) : pw_fail(given->app, PW_EXIT_ENVIRONMENT, "out of memory");
}

static void pass_on(struct pw_given *given, const struct pw_play *play, struct pw_scope *scope, struct pw_val *texts, unsigned depth)
{
	const char *from;
	for (size_t s = 0; s < play->n_steps; s++) {
		const struct pw_play *callee = play->steps[s].callee;
		for (size_t i = 0; callee && i < callee->n_inputs; i++) {
			const char *name = callee->inputs[i].name, *text = pw_given_lookup(given, name, &from);
			if (!text || pw_scope_get(scope, name))
				continue;
			pw_scope_set(scope, name, pw_val_str(given->app->arena, text));
			pw_map_set_str(texts, name, text);
		}
		if (callee && depth < MAX_DEPTH)
			pass_on(given, callee, scope, texts, depth + 1);
	}
}

void pw_given_pass_on(struct pw_given *given, struct pw_scope *scope, struct pw_val *texts)
{
	pass_on(given, given->play, scope, texts, 0);
}
