/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person is asked, and what their answers do. */
#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <cluster/cluster.h>
#include <doc/json.h>
#include <out/kit/kit.h>

#include "prompt.h"
#include "walk.h"

#define TEXT_MAX ((size_t)1 << 20)

static void say(struct pw_walk_run *run, const char *text)
{
	struct pw_out_style style = pw_stream_style(&run->app->err);
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	pw_buf_puts(&out, "  ");
	pw_kit_fold(&out, text, 2, 2, &style);
	pw_progress_clear(run);
	pw_stream_write(&run->app->err, pw_buf_str(&out), out.len);
}

/* How a prompt that was not answered ends the run. */
static void note_quit(struct pw_walk_run *run, enum pw_prompted how)
{
	run->stop_code = how == PW_PROMPT_TERM ? PW_EXIT_SIGTERM : how == PW_PROMPT_INT ? PW_EXIT_SIGINT : PW_EXIT_INCONCLUSIVE;
}

static bool is_quit(enum pw_prompted how, char key)
{
	return how == PW_PROMPT_QUIT || how == PW_PROMPT_INT || how == PW_PROMPT_TERM || (how == PW_PROMPT_KEY && key == 'q');
}

/* ---- inputs ---- */

static const char *const *candidates_of(const struct pw_walk_run *run, struct pw_inputs *inputs, size_t i, size_t *ret_n)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	const struct pw_input_type *type = pw_input_type(input->type);
	struct pw_val *seq = NULL;
	*ret_n = input->n_choices;
	if (input->n_choices)
		return input->choices;
	if (!type || !type->candidates || (type->facts && !inputs->facts) ||
	    type->candidates(inputs->facts, run->any_namespace ? "" : inputs->default_ns, inputs->arena, &seq))
		return NULL;
	const char **list = pw_arena_array(inputs->arena, pw_val_count(seq) + 1, sizeof *list);
	for (size_t k = 0; list && k < pw_val_count(seq); k++)
		list[(*ret_n)++] = pw_val_text(pw_val_at(seq, k)) ? pw_val_text(pw_val_at(seq, k)) : "";
	return list;
}

static const char *describe(struct pw_inputs *inputs, size_t i, const char *const *candidates, size_t n)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	pw_buf_puts(&text, input->help ? input->help : input->ask ? input->ask : input->name);
	pw_buf_printf(&text, "\nGiven ahead: --%s VALUE, %s=VALUE, or the key '%s' of an answers file.", input->name, input->name, input->name);
	for (size_t k = 0; k < n && k < 12; k++) /* what fits; Tab shows all */
		pw_buf_printf(&text, "%s%s", k ? ", " : "\nFor example: ", candidates[k]);
	return pw_arena_strdup(inputs->arena, pw_buf_str(&text));
}

enum asked { ASKED_SET, ASKED_BACK, ASKED_LEFT, ASKED_QUIT };

static enum asked ask_input(struct pw_walk_run *run, struct pw_inputs *inputs, size_t i)
{
	const struct pw_play_input *input = &inputs->play->inputs[i];
	struct pw_err err = PW_ERR_INIT;
	const char *otherwise = NULL, *from = NULL, *text = NULL, *insisted = NULL;
	size_t n = 0;
	char key = 0;
	if (pw_inputs_default(inputs, i, &otherwise, &from, NULL) && pw_inputs_discover(inputs, i, &otherwise, &from, NULL))
		otherwise = from = NULL;
	const char *const *candidates = candidates_of(run, inputs, i, &n);
	run->asked = true;
	struct pw_prompt prompt = { .question = input->ask ? input->ask : input->name, .type = pw_type_word(input->type),
		.otherwise = otherwise, .from = from, .help = describe(inputs, i, candidates, candidates ? n : 0), .keys = "bswq",
		.candidates = candidates, .n_candidates = candidates ? n : 0, .remember = true };
	for (;;) {
		enum pw_prompted how = pw_prompt_ask(run->app, &prompt, &text, &key);
		if (is_quit(how, key)) {
			note_quit(run, how);
			return ASKED_QUIT;
		}
		if (how == PW_PROMPT_KEY && key == 'b')
			return ASKED_BACK;
		if (how == PW_PROMPT_KEY && key == 's' && input->optional)
			return ASKED_LEFT;
		if (how == PW_PROMPT_KEY) {
			say(run, key == 's' ? "This one is needed." : prompt.help);
			continue;
		}
		pw_err_clear(&err);
		int rc = pw_inputs_set(inputs, i, text, otherwise && strcmp(text, otherwise) == 0 ? from : "answered", &err);
		if (rc == PW_OK)
			return ASKED_SET;
		say(run, err.text);
		if (rc != PW_ABSENT || !pw_inputs_may_be_absent(inputs, i))
			continue;
		if (insisted && strcmp(insisted, text) == 0 && pw_inputs_set_absent(inputs, i, text, "answered", &err) == PW_OK)
			return ASKED_SET;
		insisted = text;
		say(run, "Answer the same again to walk all the same: that it is not there may be the fault.");
	}
}

static void show_known(struct pw_walk_run *run, const struct pw_inputs *inputs, size_t i)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	pw_buf_printf(&text, "%s: %s (%s)", inputs->play->inputs[i].name, inputs->values[i].text, inputs->values[i].from);
	say(run, pw_buf_str(&text));
}

bool pw_wizard_inputs(struct pw_walk_run *run, struct pw_inputs *inputs, bool all)
{
	bool guided = run->guided && all; /* of a called playbook only what is needed is asked */
	size_t n = inputs->play->n_inputs, *asked = pw_arena_array(inputs->arena, n + 1, sizeof *asked), n_asked = 0;
	for (size_t i = 0; asked && i < n; i++) {
		struct pw_err err = PW_ERR_INIT;
		const char *from = NULL, *text = pw_given_lookup(&run->given, inputs->play->inputs[i].name, &from);
		if (inputs->values[i].text && !all)
			continue;
		int rc = text ? pw_inputs_set(inputs, i, text, from, &err) : PW_ABSENT;
		if (rc == PW_OK) {
			show_known(run, inputs, i);
			continue;
		}
		if (text && rc == PW_ABSENT && pw_inputs_may_be_absent(inputs, i) && pw_inputs_set_absent(inputs, i, text, from, NULL) == PW_OK) {
			say(run, err.text);
			show_known(run, inputs, i);
			continue;
		}
		if (text)
			say(run, err.text);
		/* Outside the wizard a default that can be known is no question. */
		if (!text && !guided && pw_inputs_default(inputs, i, &text, &from, NULL) == PW_OK &&
		    pw_inputs_set(inputs, i, text, from, NULL) == PW_OK)
			continue;
		if (!text && !guided && inputs->play->inputs[i].optional) {
			pw_inputs_leave(inputs, i);
			continue;
		}
		enum asked how = ask_input(run, inputs, i);
		if (how == ASKED_QUIT)
			return false;
		if (how == ASKED_LEFT)
			pw_inputs_leave(inputs, i);
		if (how == ASKED_SET)
			asked[n_asked++] = i;
		if (how == ASKED_BACK)
			i = (n_asked ? asked[--n_asked] : i) - 1; /* asked again, or this one once more */
	}
	return true;
}

/* ---- steps ---- */

/* The answers, "not-sure" always among them. */
static const char *const *answer_list(const struct pw_play_step *step, struct pw_arena *arena, size_t *ret_n)
{
	const char **list = pw_arena_array(arena, step->n_answers + 1, sizeof *list);
	bool has = false;
	for (size_t i = 0; list && i < step->n_answers; i++) {
		list[i] = step->answers[i];
		has = has || strcmp(list[i], "not-sure") == 0;
	}
	if (list && !has)
		list[step->n_answers] = "not-sure";
	*ret_n = list ? step->n_answers + !has : 0;
	return list;
}

static const char *answers_text(const char *const *list, size_t n, struct pw_arena *arena)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 8192);
	for (size_t i = 0; i < n; i++)
		pw_buf_printf(&text, "%s%s", i ? "/" : "", list[i]);
	return pw_arena_strdup(arena, pw_buf_str(&text));
}

static const char *match_answer(const struct pw_play_step *step, const char *text)
{
	for (size_t i = 0; i < step->n_answers; i++)
		if (strcmp(step->answers[i], text) == 0)
			return step->answers[i];
	return strcmp(text, "not-sure") == 0 ? "not-sure" : NULL;
}

enum pw_driver_say pw_wizard_ask(struct pw_walk_run *run, const struct pw_play_step *step, const char *question, const char **ret_answer)
{
	const char *from = NULL, *given = pw_given_lookup(&run->given, step->id, &from), *text = NULL;
	const char *known = given ? match_answer(step, given) : NULL;
	if (known)
		*ret_answer = known;
	if (given && !known)
		pw_note(run->app, "packetwalk: note: '%s' (from the %s) is no answer to %s; it is taken as not-sure", given, from, step->id);
	if (given || !run->interactive)
		return PW_SAY_GO;
	size_t n = 0;
	const char *const *list = answer_list(step, run->app->arena, &n);
	struct pw_prompt prompt = { .question = question, .type = answers_text(list, n, run->app->arena), .otherwise = "not-sure",
		.help = step->why, .keys = "bswq", .candidates = list, .n_candidates = n };
	run->asked = true;
	pw_progress_clear(run);
	for (;;) {
		char key = 0;
		enum pw_prompted how = pw_prompt_ask(run->app, &prompt, &text, &key);
		if (is_quit(how, key)) {
			note_quit(run, how);
			return PW_SAY_QUIT;
		}
		if (how == PW_PROMPT_KEY && key == 'b')
			return PW_SAY_BACK;
		if (how == PW_PROMPT_KEY && key == 's')
			return PW_SAY_GO; /* as not-sure */
		if (how == PW_PROMPT_KEY)
			say(run, step->why ? step->why : "The answer decides which way the walk goes.");
		else if (match_answer(step, text)) {
			*ret_answer = match_answer(step, text);
			return PW_SAY_GO;
		} else
			say(run, pw_arena_printf(run->app->arena, "'%s' is none of %s.", text, prompt.type));
	}
}

bool pw_wizard_consent(struct pw_walk_run *run, const struct pw_play_step *step, enum pw_effect effect, const char *does)
{
	if (!run->interactive)
		return false;
	static const char *const yes_no[] = { "yes", "no" };
	const char *text = NULL;
	char key = 0;
	struct pw_prompt prompt = { .type = "yes/no", .otherwise = "no", .help = step->why, .keys = "", .candidates = yes_no, .n_candidates = 2,
		.question = pw_arena_printf(run->app->arena, "%s: the check %s %s. Allow checks of this class (%s)?",
					    step->title ? step->title : step->id, step->check, does, pw_effect_word(effect)) };
	pw_progress_clear(run);
	return pw_prompt_ask(run->app, &prompt, &text, &key) == PW_PROMPT_TEXT && (strcmp(text, "yes") == 0 || strcmp(text, "y") == 0);
}

static void show_evidence(struct pw_walk_run *run, const struct pw_step_result *result)
{
	PW_CLEAN_BUF struct pw_buf text, line;
	pw_buf_init(&text, TEXT_MAX);
	pw_buf_init(&line, TEXT_MAX);
	pw_json_write(&text, result->evidence, 2);
	for (const char *at = pw_buf_str(&text); *at;) { /* escaped line by line: JSON keeps control bytes out, not bidi controls */
		size_t len = strcspn(at, "\n");
		pw_buf_puts(&line, "  ");
		pw_buf_escaped(&line, at, len);
		pw_buf_putc(&line, '\n');
		at += len + (at[len] == '\n');
	}
	pw_stream_write(&run->app->err, pw_buf_str(&line), line.len);
}

/* The keys after a step; `fresh`: what Enter does is going on. */
static enum pw_driver_say step_prompt(struct pw_walk_run *run, const char *question, const struct pw_play_step *step,
				      const struct pw_step_result *result)
{
	struct pw_prompt prompt = { .question = question, .otherwise = "go on", .help = step->why, .keys = "bsrweqc" };
	for (;;) {
		const char *text = NULL;
		char key = 0;
		enum pw_prompted how = pw_prompt_ask(run->app, &prompt, &text, &key);
		if (is_quit(how, key)) {
			note_quit(run, how);
			return PW_SAY_QUIT;
		}
		if (how == PW_PROMPT_TEXT && strcmp(text, prompt.otherwise) != 0) {
			say(run, "That is none of the keys: Enter goes on, ? lists them.");
			continue;
		}
		if (how == PW_PROMPT_TEXT)
			return PW_SAY_GO;
		switch (key) {
		case 'b': return PW_SAY_BACK;
		case 's': return PW_SAY_SKIP;
		case 'r': return PW_SAY_REPEAT;
		case 'c': run->guided = false; return PW_SAY_GO;
		case 'e': show_evidence(run, result); break;
		default: say(run, step->why ? step->why : "The playbook does not say."); break;
		}
	}
}

enum pw_driver_say pw_wizard_after(struct pw_walk_run *run, const struct pw_play_step *step, const struct pw_step_result *result)
{
	bool cancelled = run->cancelled;
	run->cancelled = false;
	if (!run->interactive || (!run->guided && !cancelled) || (step->kind == PW_STEP_ASK && !cancelled))
		return PW_SAY_GO;
	pw_progress_clear(run);
	return step_prompt(run, cancelled ? "Cancelled. Go on, repeat it, or save and quit?" : "Next", step, result);
}

/* ---- the end ---- */

/* As one word of a shell. */
static void shell_word(struct pw_buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
	if (*text && strspn(text, plain) == strlen(text)) {
		pw_buf_puts(out, text);
		return;
	}
	pw_buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			pw_buf_puts(out, "'\\''");
		else
			pw_buf_putc(out, *text);
	}
	pw_buf_putc(out, '\'');
}

static void write_answers(struct pw_walk_run *run, const struct pw_record *record, const char *file)
{
	PW_CLEAN_BUF struct pw_buf text;
	struct pw_err err = PW_ERR_INIT;
	pw_buf_init(&text, TEXT_MAX);
	pw_buf_printf(&text, "# Answers for: packetwalk run %s --answers FILE\n", run->word);
	for (size_t i = 0; i < pw_val_count(record->inputs); i++) {
		const char *value = pw_val_text(pw_val_at(record->inputs, i));
		pw_buf_printf(&text, "%s: ", pw_map_key(record->inputs, i));
		pw_json_write_str(&text, value ? value : "", value ? strlen(value) : 0); /* a JSON string is a YAML string */
		pw_buf_putc(&text, '\n');
	}
	for (size_t i = 0; i < record->n_steps; i++) {
		if (!record->steps[i]->check && !strchr(record->steps[i]->id, '/'))
			pw_buf_printf(&text, "%s: \"%s\"\n", record->steps[i]->id, record->steps[i]->outcome);
	}
	if (pw_file_replace(file, 0600, &text, &err))
		say(run, err.text);
	else
		say(run, pw_arena_printf(run->app->arena, "Written: %s", file));
}

static void add_word(struct pw_buf *out, const char *text)
{
	pw_buf_putc(out, ' ');
	shell_word(out, text);
}

static void add_pair(struct pw_buf *out, const char *name, const char *value)
{
	PW_CLEAN_BUF struct pw_buf pair;
	pw_buf_init(&pair, TEXT_MAX);
	pw_buf_printf(&pair, "%s=%s", name, value ? value : "");
	add_word(out, pw_buf_str(&pair));
}

/* The options of this run that matter to another one. */
static void add_options(struct pw_walk_run *run, struct pw_buf *out)
{
	static const char *const left_out[] = { "step", "resume", "no-input", "answers", "explain-inputs" };
	for (size_t i = 0; i < run->app->args.n_set; i++) {
		const struct pw_arg *arg = &run->app->args.set[i];
		bool skip = arg->opt->flags & PW_OPT_INPUT;
		for (size_t k = 0; k < sizeof left_out / sizeof *left_out; k++)
			skip = skip || strcmp(arg->opt->name, left_out[k]) == 0;
		if (skip)
			continue;
		pw_buf_printf(out, " --%s", arg->opt->name);
		if (arg->opt->value)
			add_word(out, arg->value);
	}
}

static void say_command(struct pw_walk_run *run, const struct pw_record *record)
{
	PW_CLEAN_BUF struct pw_buf command, clean;
	pw_buf_init(&command, TEXT_MAX);
	pw_buf_init(&clean, TEXT_MAX);
	pw_buf_puts(&command, "packetwalk run");
	add_word(&command, run->word);
	for (size_t i = 0; i < pw_val_count(record->inputs); i++)
		add_pair(&command, pw_map_key(record->inputs, i), pw_val_text(pw_val_at(record->inputs, i)));
	for (size_t i = 0; i < record->n_steps; i++)
		if (!record->steps[i]->check && !strchr(record->steps[i]->id, '/'))
			add_pair(&command, record->steps[i]->id, record->steps[i]->outcome);
	add_options(run, &command);
	pw_buf_puts(&command, " --no-input");
	pw_buf_puts(&clean, "\nThe same run without questions:\n  ");
	pw_buf_escaped(&clean, pw_buf_str(&command), command.len);
	pw_buf_putc(&clean, '\n');
	pw_stream_write(&run->app->err, pw_buf_str(&clean), clean.len);
}

void pw_wizard_farewell(struct pw_walk_run *run, const struct pw_record *record)
{
	const char *file = NULL;
	char key = 0;
	if (!run->interactive || (!run->wizard && !run->asked))
		return;
	say_command(run, record);
	struct pw_prompt prompt = { .question = "Write the answers to a file, for --answers? Its name, or Enter for no file", .otherwise = "no",
				    .keys = "" };
	if (run->wizard && pw_prompt_ask(run->app, &prompt, &file, &key) == PW_PROMPT_TEXT && strcmp(file, "no") != 0)
		write_answers(run, record, file);
}
