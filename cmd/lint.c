/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk lint [PLAYBOOK ...]: everything that can be proven wrong without running. */
#include "main/cmd.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <doc/json.h>
#include <doc/yaml.h>
#include <play/play.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)64 << 20)

static const char *const formats[] = { "text", "json", "sarif", NULL };

struct lint {
	struct pw_app *app;
	bool text;
	struct pw_val *results;    /* seq of problems, for json and sarif */
	size_t errors, warnings, files;
	int code;
};

/* SARIF wants relative URIs; an absolute path stays one. */
static struct pw_val *problem(struct pw_app *app, const struct pw_diag *d)
{
	struct pw_val *map = pw_val_map(app->arena);
	pw_map_set_str(map, "file", d->place.file);
	pw_map_set_int(map, "line", d->place.line);
	pw_map_set_int(map, "column", d->place.col);
	pw_map_set_str(map, "severity", d->severity ? "warning" : "error");
	pw_map_set_str(map, "id", d->id);
	pw_map_set_str(map, "text", d->text);
	if (d->fix)
		pw_map_set_str(map, "fix", d->fix);
	if (d->other.line) {
		struct pw_val *other = pw_map_set_map(map, "other");
		pw_map_set_str(other, "file", d->other.file);
		pw_map_set_int(other, "line", d->other.line);
		pw_map_set_int(other, "column", d->other.col);
	}
	return map;
}

static void collect(struct lint *lint, struct pw_diags *diags, const char *path, const char *text, size_t len)
{
	lint->errors += pw_diags_count(diags, 0);
	lint->warnings += pw_diags_count(diags, 1);
	if (lint->text) {
		pw_diags_print(lint->app, &lint->app->out, diags, path, text, len);
		return;
	}
	pw_diags_sort(diags);
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++)
		pw_seq_add(lint->results, problem(lint->app, pw_diags_at(diags, i)));
}

static void lint_one(struct lint *lint, const char *word)
{
	struct pw_app *app = lint->app;
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_FREE char *text = NULL, *path = NULL;
	size_t len = 0;
	struct pw_play *play = NULL;
	if (pw_library_text(app->library, word, &text, &len, &path, &err)) {
		lint->code = pw_fail_err(app, PW_EXIT_USAGE, &err);
		return;
	}
	const char *file = pw_arena_strdup(app->arena, path);
	struct pw_diags *diags = pw_diags_new(app->arena);
	int rc = pw_play_load(text, len, file, pw_library_env(app->library), app->arena, diags, &play, &err);
	if (rc == PW_OK && pw_play_lint(play, pw_library_env(app->library), diags) < 0)
		lint->code = pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory: the proofs for %s were not finished", path);
	else if (rc < 0 && !pw_diags_count(diags, 0))
		lint->code = pw_fail_err(app, 0, &err);
	lint->files++;
	collect(lint, diags, file, text, len);
	pw_play_free(play);
}

/* ---- SARIF 2.1.0: docs.oasis-open.org/sarif/sarif/v2.1.0 ---- */

static struct pw_val *location(struct pw_app *app, const struct pw_val *p)
{
	struct pw_val *map = pw_val_map(app->arena), *physical = pw_map_set_map(map, "physicalLocation");
	const char *file = pw_map_str(p, "file", "");
	pw_map_set_str(pw_map_set_map(physical, "artifactLocation"), "uri", strncmp(file, "./", 2) == 0 ? file + 2 : file);
	struct pw_val *region = pw_map_set_map(physical, "region");
	long long line = pw_map_int(p, "line", 1), column = pw_map_int(p, "column", 1);
	pw_map_set_int(region, "startLine", line > 0 ? line : 1);
	pw_map_set_int(region, "startColumn", column > 0 ? column : 1);
	return map;
}

/* The same problem keeps its fingerprint when lines above it change. */
static void fingerprint(struct pw_val *result, const struct pw_val *p)
{
	struct pw_buf key;
	pw_buf_init(&key, 8192);
	pw_buf_printf(&key, "%s|%s|%s", pw_map_str(p, "id", ""), pw_map_str(p, "file", ""), pw_map_str(p, "text", ""));
	pw_map_set_strf(pw_map_set_map(result, "partialFingerprints"), "packetwalk/v1", "%016llx",
			(unsigned long long)pw_hash64(pw_buf_str(&key), key.len));
	pw_buf_release(&key);
}

static struct pw_val *sarif(struct lint *lint)
{
	struct pw_arena *arena = lint->app->arena;
	struct pw_val *top = pw_val_map(arena);
	pw_map_set_str(top, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	pw_map_set_str(top, "version", "2.1.0");
	struct pw_val *run = pw_seq_add_map(pw_map_set_seq(top, "runs"));
	struct pw_val *driver = pw_map_set_map(pw_map_set_map(run, "tool"), "driver");
	pw_map_set_str(driver, "name", "packetwalk");
	pw_map_set_str(driver, "version", PW_VERSION);
	struct pw_val *rules = pw_map_set_seq(driver, "rules"), *results = pw_map_set_seq(run, "results");
	for (size_t i = 0; i < pw_val_count(lint->results); i++) {
		const struct pw_val *p = pw_val_at(lint->results, i);
		const char *id = pw_map_str(p, "id", "PW0000");
		if (!pw_seq_find(rules, "id", id))
			pw_map_set_str(pw_seq_add_map(rules), "id", id);
		struct pw_val *result = pw_seq_add_map(results);
		pw_map_set_str(result, "ruleId", id);
		pw_map_set_str(result, "level", pw_map_str(p, "severity", "error"));
		pw_map_set_str(pw_map_set_map(result, "message"), "text", pw_map_str(p, "text", ""));
		pw_seq_add(pw_map_set_seq(result, "locations"), location(lint->app, p));
		fingerprint(result, p);
	}
	return top;
}

static void write_document(struct lint *lint, const char *format)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	pw_json_write(&out, strcmp(format, "sarif") == 0 ? sarif(lint) : lint->results, 2);
	pw_buf_putc(&out, '\n');
	pw_out_buf(lint->app, &out);
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	const char *format = NULL;
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	struct lint lint = { .app = app, .text = strcmp(format, "text") == 0, .results = pw_val_seq(app->arena) };
	const struct pw_playbook_ref *refs = NULL;
	size_t n = app->n_words ? 0 : pw_library_playbooks(library, &refs);
	for (size_t i = 0; i < n; i++)
		lint_one(&lint, refs[i].name);
	for (size_t i = 0; i < app->n_words; i++)
		lint_one(&lint, app->words[i]);
	if (!lint.text)
		write_document(&lint, format);
	pw_note(app, "%zu playbook%s: %zu error%s, %zu warning%s", lint.files, lint.files == 1 ? "" : "s", lint.errors,
		lint.errors == 1 ? "" : "s", lint.warnings, lint.warnings == 1 ? "" : "s");
	if (lint.code)
		return lint.code;
	return lint.errors || (lint.warnings && pw_app_flag(app, "strict")) ? PW_EXIT_PLAYBOOK : PW_EXIT_HEALTHY;
}

static const struct pw_opt options[] = {
	{ "strict", 0, NULL, "warnings too make the exit code 3", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = { "lint", "lint ./my.yaml", "lint ./my.yaml -o sarif > lint.sarif", NULL };

const struct pw_cmd pw_cmd_lint = {
	.name = "lint", .summary = "prove playbooks right: every outcome handled, every path ends, every ${...} there", .usage = "[PLAYBOOK ...]",
	.details = "Without words, all playbooks on the search path. Formats: text, json, sarif. Exit code 3 when there is an error.",
	.examples = examples, .options = options, .run = run, .groups = PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE,
};
