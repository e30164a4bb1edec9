/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results to stdout and files, and the exit code. */
#include "outputs.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/json.h>

#include "session.h"
#include "walk.h"

#define RESULT_MAX ((size_t)256 << 20)

static int add(struct pw_outputs *outputs, struct pw_app *app, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text), n = 0;
	const char *name = pw_arena_strndup(app->arena, text, len), *file = equals ? equals + 1 : NULL;
	const char *names[64];
	for (; pw_out_registry[n] && n < sizeof names / sizeof *names; n++)
		names[n] = pw_out_registry[n]->name;
	const struct pw_out *format = name ? pw_out_find(name) : NULL;
	if (!format)
		return pw_fail_unknown(app, "output format", name ? name : text, names, n);
	if (outputs->n == PW_MAX_OUTPUTS)
		return pw_fail(app, PW_EXIT_USAGE, "-o is given more than %d times", PW_MAX_OUTPUTS);
	if (file && (!*file || strcmp(file, "-") == 0))
		file = NULL;
	for (size_t i = 0; !file && i < outputs->n; i++)
		if (!outputs->list[i].file)
			return pw_fail(app, PW_EXIT_USAGE, "-o %s and -o %s can not both go to standard output: give one a file, -o %s=FILE",
				       outputs->list[i].format->name, name, name);
	outputs->list[outputs->n].format = format;
	outputs->list[outputs->n++].file = file;
	if (!file && strcmp(name, "nagios") == 0)
		outputs->nagios = true;
	return 0;
}

int pw_outputs_init(struct pw_outputs *outputs, struct pw_app *app)
{
	const char *const *texts = NULL;
	size_t n = pw_app_opt_all(app, "output", &texts);
	bool standard = false;
	int code = 0;
	memset(outputs, 0, sizeof *outputs);
	for (size_t i = 0; i < n && !code; i++)
		code = add(outputs, app, texts[i]);
	for (size_t i = 0; i < outputs->n; i++)
		standard = standard || !outputs->list[i].file;
	if (!standard && !code)
		code = add(outputs, app, "text");
	outputs->fail_on = pw_app_opt(app, "fail-on");
	if (!outputs->fail_on)
		outputs->fail_on = "fail";
	if (!code && strcmp(outputs->fail_on, "fail") && strcmp(outputs->fail_on, "warn") && strcmp(outputs->fail_on, "unknown"))
		code = pw_fail(app, PW_EXIT_USAGE, "--fail-on is fail, warn or unknown, not '%s'", outputs->fail_on);
	outputs->exit_layer = pw_app_flag(app, "exit-layer");
	outputs->exit_zero = pw_app_flag(app, "exit-zero");
	outputs->record = pw_app_opt(app, "record");
	return code;
}

static int write_file(struct pw_app *app, const char *path, unsigned mode, const struct pw_buf *text)
{
	struct pw_err err = PW_ERR_INIT;
	return pw_file_replace(path, mode, text, &err) ? pw_fail_err(app, PW_EXIT_ENVIRONMENT, &err) : 0;
}

static int write_record(struct pw_app *app, const char *path, const struct pw_record *record)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(RESULT_MAX);
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, RESULT_MAX);
	struct pw_val *val = arena ? pw_record_to_val(record, true, arena) : NULL;
	if (!val)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "cannot write %s: out of memory", path);
	pw_json_write(&text, val, 1);
	pw_buf_putc(&text, '\n');
	return write_file(app, path, 0600, &text); /* observations may hold what a report would not */
}

int pw_outputs_write(const struct pw_outputs *outputs, struct pw_app *app, const struct pw_record *record, bool shown)
{
	int code = 0;
	for (size_t i = 0; i < outputs->n; i++) {
		const char *file = outputs->list[i].file;
		struct pw_out_style style = { .utf8 = true, .width = 80 };
		PW_CLEAN_BUF struct pw_buf text;
		pw_buf_init(&text, RESULT_MAX);
		if (!file) {
			style = pw_stream_style(&app->out);
			style.shown = shown;
		}
		style.warn_fails = strcmp(outputs->fail_on, "warn") == 0;
		outputs->list[i].format->write(record, &style, &text);
		if (!file)
			pw_out_buf(app, &text);
		else if (write_file(app, file, 0666, &text))
			code = PW_EXIT_ENVIRONMENT;
	}
	if (outputs->record && write_record(app, outputs->record, record))
		code = PW_EXIT_ENVIRONMENT;
	return code;
}

static bool has_class(const struct pw_record *record, enum pw_class klass)
{
	for (size_t i = 0; i < record->n_steps; i++)
		if (record->steps[i]->klass == klass)
			return true;
	return false;
}

static int fault_code(const struct pw_outputs *outputs, const struct pw_record *record)
{
	if (!outputs->exit_layer)
		return PW_EXIT_FAULT;
	if (record->status != PW_STATUS_FAULT || record->verdict.layer >= PW_LAYER_COUNT)
		return PW_EXIT_LAYER;
	return PW_EXIT_LAYER + 1 + (int)record->verdict.layer; /* the enum has the order that is promised */
}

int pw_outputs_exit(const struct pw_outputs *outputs, struct pw_app *app, const struct pw_record *record)
{
	bool warn = strcmp(outputs->fail_on, "warn") == 0, unknown = strcmp(outputs->fail_on, "unknown") == 0;
	if (outputs->exit_zero) {
		pw_note(app, "--exit-zero: the exit code is 0 whatever was found");
		return PW_EXIT_HEALTHY;
	}
	if (outputs->nagios) /* 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN */
		return record->status == PW_STATUS_FAULT ? 2 : record->status == PW_STATUS_INCONCLUSIVE ? 3 :
		       warn && has_class(record, PW_CLASS_WARN) ? 1 : 0;
	switch (record->status) {
	case PW_STATUS_FAULT:
		return fault_code(outputs, record);
	case PW_STATUS_INCONCLUSIVE:
		return warn || unknown ? fault_code(outputs, record) : PW_EXIT_INCONCLUSIVE;
	case PW_STATUS_HEALTHY:
		break;
	}
	return warn && has_class(record, PW_CLASS_WARN) ? fault_code(outputs, record) : PW_EXIT_HEALTHY;
}

void pw_outputs_bail(const struct pw_outputs *outputs, struct pw_app *app, const char *reason)
{
	PW_CLEAN_BUF struct pw_buf clean;
	pw_buf_init(&clean, 8192);
	pw_buf_escaped(&clean, reason, strlen(reason));
	for (size_t i = 0; i < outputs->n; i++)
		if (!outputs->list[i].file && strcmp(outputs->list[i].format->name, "tap") == 0)
			pw_outf(app, "TAP version 14\nBail out! %s\n", pw_buf_str(&clean));
		else if (!outputs->list[i].file && outputs->nagios)
			pw_outf(app, "PACKETWALK UNKNOWN - %s\n", pw_buf_str(&clean));
}
