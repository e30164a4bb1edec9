/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every command stands on: its options, its two streams, and one place where errors are printed. */
#include "app.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <vantage/executor.h>

#include "config.h"
#include "creation.h"
#include "library.h"
#include "stream.h"

#define MAX_TABLES 16
#define REQUEST_TIMEOUT_MS 10000 /* as help says */
#define TEXT_MAX ((size_t)64 << 10) /* one message */

int pw_app_init(struct pw_app *app, const struct pw_cmd *cmd)
{
	memset(app, 0, sizeof *app);
	app->cmd = cmd;
	(void)setlocale(LC_CTYPE, "");
	pw_stream_init(&app->out, STDOUT_FILENO, NULL);
	pw_stream_init(&app->err, STDERR_FILENO, NULL);
	app->arena = pw_arena_new(PW_APP_ARENA_MAX);
	if (app->arena)
		app->pairs = pw_val_map(app->arena);
	return app->pairs ? PW_OK : PW_NOMEM;
}

void pw_app_close_probes(struct pw_app *app)
{
	pw_executor_free(app->executor);
	app->executor = NULL;
	pw_app_creation_end(app);
}

void pw_app_release(struct pw_app *app)
{
	pw_app_close_probes(app);
	pw_cluster_close(app->cluster);
	pw_library_free(app->library);
	pw_arena_free(app->arena);
}

/* ---- options ---- */

static size_t tables_of(const struct pw_app *app, const struct pw_opt **tables)
{
	const char *titles[MAX_TABLES];
	return pw_cmd_tables(app->cmd, tables, titles, MAX_TABLES);
}

static int take_pair(struct pw_app *app, const char *name, const char *value, struct pw_err *err)
{
	if (pw_map_get(app->pairs, name))
		return pw_err_set(err, PW_USAGE, "'%s' is given twice: %s and %s", name, pw_map_str(app->pairs, name, ""), value);
	pw_map_set_str(app->pairs, name, value);
	return PW_OK;
}

/* Takes the pairs out of the words and out of the options that `more` added. */
static int sort_words(struct pw_app *app, struct pw_err *err)
{
	const char **words = pw_arena_array(app->arena, app->args.n_words + 1, sizeof *words);
	if (!words)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	size_t n = 0;
	for (size_t i = 0; i < app->args.n_words; i++) {
		const char *word = app->args.words[i];
		size_t len = app->cmd->pairs ? pw_pair_name(word) : 0;
		if (!len) {
			words[n++] = word;
			continue;
		}
		int rc = take_pair(app, pw_arena_strndup(app->arena, word, len), word + len + 1, err);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < app->args.n_set; i++) {
		const struct pw_arg *arg = &app->args.set[i];
		if (!(arg->opt->flags & PW_OPT_INPUT))
			continue;
		int rc = take_pair(app, arg->opt->name, arg->value, err);
		if (rc)
			return rc;
	}
	app->words = words;
	app->n_words = n;
	return PW_OK;
}

static const char *first_word(const struct pw_app *app, const struct pw_args *args)
{
	for (size_t i = 0; i < args->n_words; i++)
		if (!app->cmd->pairs || !pw_pair_name(args->words[i]))
			return args->words[i];
	return NULL;
}

static bool asked(const struct pw_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_set; i++)
		if (strcmp(args->set[i].opt->name, name) == 0)
			return true;
	return false;
}

static int parse(struct pw_app *app, int argc, char **argv, struct pw_err *err)
{
	const struct pw_opt *tables[MAX_TABLES + 1];
	size_t n = tables_of(app, tables);
	struct pw_opt_list list = { app->arena, NULL, 0, 0 };
	int rc = pw_options_parse(argc, argv, tables, n, true, app->arena, &app->args, err);
	if (rc)
		return rc;
	if (asked(&app->args, "help") || asked(&app->args, "version"))
		return PW_OK; /* whatever else is wrong with the line */
	rc = pw_config_load(app, err);
	if (rc)
		return rc;
	if (app->cmd->more) {
		app->cmd->more(app, first_word(app, &app->args), &list);
		if (list.n)
			tables[n++] = list.opts;
	}
	rc = pw_options_parse(argc, argv, tables, n, false, app->arena, &app->args, err);
	return rc ? rc : sort_words(app, err);
}

static int judge_streams(struct pw_app *app, struct pw_err *err)
{
	const char *color = pw_app_opt(app, "color");
	if (color && strcmp(color, "auto") && strcmp(color, "always") && strcmp(color, "never"))
		return pw_err_set(err, PW_USAGE, "--color is auto, always or never, not '%s'", color);
	pw_stream_init(&app->out, STDOUT_FILENO, color);
	pw_stream_init(&app->err, STDERR_FILENO, color);
	return PW_OK;
}

int pw_app_parse(struct pw_app *app, int argc, char **argv)
{
	struct pw_err err = PW_ERR_INIT;
	if (parse(app, argc, argv, &err) || judge_streams(app, &err)) {
		int code = pw_fail_err(app, PW_EXIT_USAGE, &err);
		if (!err.file[0])
			pw_note(app, "'packetwalk help %s' shows what it takes", app->cmd->name);
		return code;
	}
	if (asked(&app->args, "version")) {
		pw_outf(app, "packetwalk %s\n", PW_VERSION);
		return PW_EXIT_HEALTHY;
	}
	if (!asked(&app->args, "help"))
		return -1;
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX * 4);
	pw_help_write(app, app->cmd, &text);
	pw_out_buf(app, &text);
	return PW_EXIT_HEALTHY;
}

static const char *from_env(const char *name)
{
	char variable[80] = "PACKETWALK_";
	size_t n = strlen(variable);
	for (; *name && n + 1 < sizeof variable; name++)
		variable[n++] = *name == '-' ? '_' : (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	variable[n] = '\0';
	return getenv(variable);
}

static const struct pw_arg *last_set(const struct pw_app *app, const char *name)
{
	for (size_t i = app->args.n_set; i > 0; i--)
		if (strcmp(app->args.set[i - 1].opt->name, name) == 0)
			return &app->args.set[i - 1];
	return NULL;
}

const char *pw_app_opt(struct pw_app *app, const char *name)
{
	const struct pw_arg *arg = last_set(app, name);
	if (arg)
		return arg->value;
	const char *env = from_env(name);
	if (env && *env)
		return env;
	return pw_val_text(pw_config_get(app, name, NULL));
}

bool pw_app_flag(struct pw_app *app, const char *name)
{
	if (last_set(app, name))
		return true;
	const char *env = from_env(name);
	if (env && *env)
		return strcmp(env, "0") != 0 && strcmp(env, "false") != 0 && strcmp(env, "no") != 0;
	bool value = false;
	(void)pw_val_to_bool(pw_config_get(app, name, NULL), &value);
	return value;
}

size_t pw_app_opt_all(struct pw_app *app, const char *name, const char *const **ret)
{
	const struct pw_val *config = pw_config_get(app, name, NULL);
	size_t most = app->args.n_set + pw_val_count(config) + 1, n = 0;
	const char **values = pw_arena_array(app->arena, most, sizeof *values);
	if (!values)
		return 0;
	for (size_t i = 0; i < app->args.n_set; i++)
		if (strcmp(app->args.set[i].opt->name, name) == 0)
			values[n++] = app->args.set[i].value;
	const char *env = from_env(name);
	if (!n && env && *env)
		values[n++] = env;
	if (!n && pw_val_text(config))
		values[n++] = pw_val_text(config);
	for (size_t i = 0, have = n; !have && i < pw_val_count(config); i++)
		if (pw_val_text(pw_val_at(config, i)))
			values[n++] = pw_val_text(pw_val_at(config, i));
	*ret = values;
	return n;
}

/* "--jobs", or "PACKETWALK_JOBS or the configuration" when the line has no such option. */
static const char *origin(const struct pw_app *app, const char *name)
{
	if (last_set(app, name))
		return "";
	return from_env(name) ? " (from the environment)" : " (from a configuration file)";
}

int pw_app_number(struct pw_app *app, const char *name, unsigned otherwise, unsigned max, unsigned *ret, struct pw_err *err)
{
	const char *text = pw_app_opt(app, name);
	unsigned long long value = otherwise;
	if (text && !pw_parse_uint(text, max, &value))
		return pw_err_set(err, PW_USAGE, "--%s is a number up to %u, not '%s'%s", name, max, text, origin(app, name));
	*ret = (unsigned)value;
	return PW_OK;
}

int pw_app_duration(struct pw_app *app, const char *name, unsigned otherwise_ms, unsigned *ret_ms, struct pw_err *err)
{
	const char *text = pw_app_opt(app, name);
	unsigned value = otherwise_ms;
	if (text && !pw_parse_duration(text, &value))
		return pw_err_set(err, PW_USAGE, "--%s is a duration like 500ms, 10s or 2m, not '%s'%s", name, text, origin(app, name));
	*ret_ms = value;
	return PW_OK;
}

bool pw_app_verbose(struct pw_app *app) { return pw_app_flag(app, "verbose"); }
bool pw_app_quiet(struct pw_app *app) { return pw_app_flag(app, "quiet"); }

bool pw_app_interactive(struct pw_app *app)
{
	return app->err.tty && isatty(STDIN_FILENO) == 1 && !pw_app_flag(app, "no-input");
}

int pw_app_format(struct pw_app *app, const char *const *names, const char **ret, struct pw_err *err)
{
	const char *asked_for = pw_app_opt(app, "output");
	size_t n = 0;
	PW_CLEAN_BUF struct pw_buf list;
	pw_buf_init(&list, TEXT_MAX);
	for (; names[n]; n++) {
		if (!asked_for || strcmp(asked_for, names[n]) == 0) {
			*ret = names[n];
			return PW_OK;
		}
		pw_buf_printf(&list, "%s%s", n ? ", " : "", names[n]);
	}
	return pw_err_set(err, PW_USAGE, "-o '%s': this command writes %s", asked_for, pw_buf_str(&list));
}

/* ---- what checks need ---- */

int pw_app_cluster(struct pw_app *app, struct pw_cluster **ret, struct pw_err *err)
{
	if (!app->cluster) {
		struct pw_cluster_config config = {
			.source = pw_app_opt(app, "cluster"), .kubeconfig = pw_app_opt(app, "kubeconfig"),
			.context = pw_app_opt(app, "context"), .namespace_ = pw_app_opt(app, "namespace"),
			.as = pw_app_opt(app, "as"), .request_timeout_ms = 0,
		};
		unsigned whole = 0;
		int rc = pw_app_duration(app, "request-timeout", REQUEST_TIMEOUT_MS, &config.request_timeout_ms, err);
		if (!rc)
			rc = pw_app_duration(app, "timeout", 0, &whole, err);
		if (whole && whole < config.request_timeout_ms)
			config.request_timeout_ms = whole; /* no request may outlast the run */
		if (!rc)
			rc = pw_cluster_open(&config, &app->cluster, err);
		if (rc)
			return rc;
	}
	*ret = app->cluster;
	return PW_OK;
}

const char *const *pw_app_kubectl(struct pw_app *app)
{
	static const char *const names[] = { "kubeconfig", "context", "as" };
	enum { NAMES = sizeof names / sizeof *names };
	const char **options = pw_arena_array(app->arena, NAMES + 1, sizeof *options);
	size_t n = 0;
	for (size_t i = 0; options && i < NAMES; i++) {
		const char *value = pw_app_opt(app, names[i]);
		if (value)
			options[n++] = pw_arena_printf(app->arena, "--%s=%s", names[i], value);
	}
	return options;
}

/* "kubectl", or another program that --via kubectl:PROGRAM names. */
static const char *kubectl_program(struct pw_app *app)
{
	static const char prefix[] = "kubectl:";
	const char *via = pw_app_opt(app, "via");
	return via && !strncmp(via, prefix, sizeof prefix - 1) && via[sizeof prefix - 1] ? via + sizeof prefix - 1 : "kubectl";
}

const char *const *pw_app_kubectl_argv(struct pw_app *app)
{
	enum { ARGS = 6 };
	const char **argv = pw_arena_array(app->arena, ARGS, sizeof *argv), *file = pw_app_opt(app, "kubeconfig"), *as = pw_app_opt(app, "as");
	const char *context = pw_app_opt(app, "context");
	PW_CLEAN_FREE char *path = file ? realpath(file, NULL) : NULL;
	size_t n = 0;
	if (!context && app->cluster && *pw_cluster_context(app->cluster))
		context = pw_cluster_context(app->cluster); /* the current one may be another tomorrow */
	if (!argv)
		return NULL;
	argv[n++] = kubectl_program(app);
	if (file)
		argv[n++] = pw_arena_printf(app->arena, "--kubeconfig=%s", path ? path : file);
	if (context)
		argv[n++] = pw_arena_printf(app->arena, "--context=%s", context);
	if (as)
		argv[n++] = pw_arena_printf(app->arena, "--as=%s", as);
	return pw_arena_failed(app->arena) ? NULL : argv;
}

int pw_app_executor(struct pw_app *app, struct pw_executor **ret, struct pw_err *err)
{
	if (!app->executor) {
		struct pw_library *library = pw_app_library(app);
		struct pw_executor_config config = { .via = pw_app_opt(app, "via"), .kubectl = pw_app_kubectl(app),
			.find_check = pw_library_find_check, .find_arg = library };
		const char *from = pw_app_opt(app, "cluster");
		if (config.via && !strncmp(config.via, "kubectl", strlen("kubectl")) && from && (!strncmp(from, "bundle:", 7) || !strncmp(from, "manifests:", 10)) &&
		    !pw_app_opt(app, "context"))
			return pw_err_set(err, PW_USAGE, "--via kubectl with --cluster %s: say with --context which cluster that is", from);
		config.found_kubectl = !config.via && pw_app_finds_kubectl(app);
		int rc = pw_app_number(app, "jobs", 0, 256, &config.jobs, err);
		if (!rc)
			rc = pw_app_creation(app, &config.creation, err);
		if (rc)
			return rc;
		app->executor = pw_executor_new(&config, err);
		if (!app->executor)
			return err->code;
	}
	*ret = app->executor;
	return PW_OK;
}

/* ---- output ---- */

void pw_out_buf(struct pw_app *app, const struct pw_buf *text)
{
	if (!pw_buf_ok(text) && !app->out.failed)
		app->out.failed = ENOMEM;
	pw_stream_write(&app->out, pw_buf_str(text), text->len);
}

PW_PRINTF(2, 0) static void vformat(struct pw_stream *stream, const char *fmt, va_list ap, const char *tail)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	pw_buf_vprintf(&text, fmt, ap);
	pw_buf_puts(&text, tail);
	pw_stream_write(stream, pw_buf_str(&text), text.len);
}

void pw_outf(struct pw_app *app, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vformat(&app->out, fmt, ap, "");
	va_end(ap);
}

void pw_note(struct pw_app *app, const char *fmt, ...)
{
	if (pw_app_quiet(app))
		return;
	va_list ap;
	va_start(ap, fmt);
	vformat(&app->err, fmt, ap, "\n");
	va_end(ap);
}

void pw_detail(struct pw_app *app, const char *fmt, ...)
{
	if (!pw_app_verbose(app))
		return;
	va_list ap;
	va_start(ap, fmt);
	vformat(&app->err, fmt, ap, "\n");
	va_end(ap);
}

/* ---- errors ---- */

static void print_error(struct pw_app *app, const char *place, const char *text)
{
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, TEXT_MAX);
	pw_buf_puts(&line, pw_paint(&app->err, "bold"));
	pw_buf_escaped(&line, place, strlen(place));
	pw_buf_puts(&line, pw_paint(&app->err, "red"));
	pw_buf_puts(&line, "error: ");
	pw_buf_puts(&line, pw_paint(&app->err, "off"));
	pw_buf_escaped(&line, text, strlen(text));
	pw_buf_putc(&line, '\n');
	pw_stream_write(&app->err, pw_buf_str(&line), line.len);
	app->reported = true;
}

int pw_fail(struct pw_app *app, int exit_code, const char *fmt, ...)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	va_list ap;
	va_start(ap, fmt);
	pw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	print_error(app, "packetwalk: ", pw_buf_str(&text));
	return exit_code;
}

static int exit_for(int code)
{
	switch (code) {
	case PW_USAGE:
	case PW_ABSENT:
		return PW_EXIT_USAGE;
	case PW_SYNTAX:
		return PW_EXIT_PLAYBOOK;
	default:
		return PW_EXIT_ENVIRONMENT;
	}
}

int pw_fail_err(struct pw_app *app, int exit_code, const struct pw_err *err)
{
	char place[sizeof err->file + 32] = "packetwalk: ";
	if (err->file[0] && err->line)
		(void)snprintf(place, sizeof place, "%s:%u:%u: ", err->file, err->line, err->col ? err->col : 1);
	else if (err->file[0])
		(void)snprintf(place, sizeof place, "%s: ", err->file);
	print_error(app, place, err->text[0] ? err->text : pw_code_word(err->code));
	if (err->code == PW_INTERNAL)
		pw_note(app, "This is a defect of packetwalk %s or a plugin, not of the cluster. Please report it with the line above.", PW_VERSION);
	return exit_code ? exit_code : exit_for(err->code);
}

int pw_fail_unknown(struct pw_app *app, const char *kind, const char *word, const char *const *names, size_t n)
{
	const char *near = pw_nearest(word, names, n);
	if (near)
		return pw_fail(app, PW_EXIT_USAGE, "unknown %s '%s'; did you mean '%s'?", kind, word, near);
	return pw_fail(app, PW_EXIT_USAGE, "unknown %s '%s'", kind, word);
}

int pw_app_finish(struct pw_app *app, int code)
{
	/* A full disk or quota may only show now. */
	if (close(STDOUT_FILENO) != 0 && !app->out.failed)
		app->out.failed = errno;
	if (!app->out.failed || app->out.failed == EPIPE) /* `| head` has seen enough */
		return code;
	return pw_fail(app, PW_EXIT_ENVIRONMENT, "cannot write the result to standard output: %s", strerror(app->out.failed));
}
