/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk test [PLAYBOOK ...]: the cases a playbook carries, without a cluster. */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/json.h>
#include <play/play.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)16 << 20)

static const char *const formats[] = { "text", "tap", "json", NULL };

struct suite {
	struct pw_app *app;
	const char *format;
	const struct pw_play *play;
	struct pw_val *playbooks, *cases;
	size_t n, passed, failed;
	struct pw_buf out;
};

static void add_case(struct suite *s, const struct pw_play_test *test, bool passed, const char *why)
{
	struct pw_val *one = pw_seq_add_map(s->cases);
	pw_map_set_str(one, "verdict", test->verdict);
	pw_map_set_int(one, "line", test->place.line);
	pw_map_set_bool(one, "passed", passed);
	if (!passed)
		pw_map_set_str(one, "why", why);
}

static void on_case(void *arg, size_t index, const struct pw_play_test *test, bool passed, const char *why)
{
	struct suite *s = arg;
	bool tap = strcmp(s->format, "tap") == 0;
	(void)index;
	s->n++;
	s->passed += passed;
	s->failed += !passed;
	add_case(s, test, passed, why);
	if (tap)
		pw_buf_printf(&s->out, "%s %zu - %s:%u %s\n", passed ? "ok" : "not ok", s->n, s->play->name, test->place.line, test->verdict);
	else if (!passed)
		pw_buf_printf(&s->out, "%s:%u:%u: FAIL: expected %s\n", s->play->file, test->place.line, test->place.col, test->verdict);
	if (passed || !why)
		return;
	pw_buf_puts(&s->out, tap ? "# " : "    ");
	pw_buf_escaped(&s->out, why, strlen(why));
	pw_buf_putc(&s->out, '\n');
}

static unsigned percent(const struct pw_play_coverage *c) { return c->edges ? (unsigned)(c->taken * 100 / c->edges) : 100; }

static void add_playbook(struct suite *s, const struct pw_play_coverage *coverage)
{
	struct pw_val *one = pw_seq_add_map(s->playbooks);
	pw_map_set_str(one, "playbook", s->play->name);
	pw_map_set_str(one, "file", s->play->file);
	pw_map_set_int(one, "edges", (long long)coverage->edges);
	pw_map_set_int(one, "taken", (long long)coverage->taken);
	pw_map_set(one, "missed", coverage->missed);
	pw_map_set(one, "cases", s->cases);
}

static void say_coverage(struct suite *s, const struct pw_play_coverage *coverage, bool enough)
{
	if (strcmp(s->format, "text") != 0)
		return;
	pw_buf_printf(&s->out, "%s: %zu tests, %zu of %zu edges taken (%u%%)\n", s->play->name, pw_val_count(s->cases), coverage->taken,
		      coverage->edges, percent(coverage));
	for (size_t i = 0; (!enough || pw_app_verbose(s->app)) && i < pw_val_count(coverage->missed); i++) {
		const char *missed = pw_val_text(pw_val_at(coverage->missed, i));
		pw_buf_puts(&s->out, "    not taken: ");
		pw_buf_escaped(&s->out, missed ? missed : "", missed ? strlen(missed) : 0);
		pw_buf_putc(&s->out, '\n');
	}
}

static int test_one(struct suite *s, const char *word, unsigned least)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_play_coverage coverage = { 0, 0, NULL };
	int code = pw_library_load(s->app, word, &s->play);
	if (code)
		return code;
	s->cases = pw_val_seq(s->app->arena);
	size_t failed = s->failed;
	if (pw_play_run_tests(s->play, s->app->arena, on_case, s, &coverage, &err))
		return pw_fail_err(s->app, 0, &err);
	bool enough = percent(&coverage) >= least;
	add_playbook(s, &coverage);
	say_coverage(s, &coverage, enough);
	if (!enough)
		return pw_fail(s->app, PW_EXIT_FAULT, "%s: its tests take %u%% of the edges, and --min-coverage is %u%%", s->play->name,
			       percent(&coverage), least);
	return s->failed > failed ? PW_EXIT_FAULT : PW_EXIT_HEALTHY;
}

static void write_out(struct suite *s)
{
	if (strcmp(s->format, "json") == 0) {
		pw_buf_clear(&s->out);
		pw_json_write(&s->out, s->playbooks, 2);
		pw_buf_putc(&s->out, '\n');
	} else if (strcmp(s->format, "tap") == 0) {
		pw_outf(s->app, "TAP version 14\n1..%zu\n", s->n);
	} else {
		pw_buf_printf(&s->out, "%zu passed, %zu failed\n", s->passed, s->failed);
	}
	pw_out_buf(s->app, &s->out);
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	struct suite s = { .app = app, .playbooks = pw_val_seq(app->arena) };
	unsigned least = 0;
	int code = 0;
	if (pw_app_format(app, formats, &s.format, &err) || pw_app_number(app, "min-coverage", 0, 100, &least, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	pw_buf_init(&s.out, TEXT_MAX);
	const struct pw_playbook_ref *refs = NULL;
	size_t n = app->n_words ? 0 : pw_library_playbooks(library, &refs);
	for (size_t i = 0; i < n + app->n_words; i++) {
		int one = test_one(&s, i < n ? refs[i].name : app->words[i - n], least);
		code = one > code ? one : code; /* the gravest: 1 failed, 2 not there, 3 invalid */
	}
	write_out(&s);
	pw_buf_release(&s.out);
	return code;
}

static const struct pw_opt options[] = {
	{ "min-coverage", 0, "PERCENT", "fail when the tests of a playbook take fewer of its edges", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = { "test ./my.yaml", "test --min-coverage 90", "test -o tap", NULL };

const struct pw_cmd pw_cmd_test = {
	.name = "test", .summary = "run the test cases playbooks carry, and count the edges they take", .usage = "[PLAYBOOK ...]",
	.details = "Without words, all playbooks on the search path. Nothing is sent: outcomes are those the cases give. Exit code 1 when a "
		   "case fails, 3 when a playbook is invalid.",
	.examples = examples, .options = options, .run = run, .groups = PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE,
};
