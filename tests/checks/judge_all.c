/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every judge on recorded observations: tests/checks/NAME.yaml holds the cases of the check NAME (judge/case.h says
 * how they are written). Each outcome a check declares has a case, each evidence it declares is given in some case.
 */
#include <dirent.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include <base/registry.h>
#include <packetwalk/cleanup.h>
#include <vantage/executor.h>

#include "../unit/tap.h"
#include "judge/case.h"

enum { ARENA_MAX = 256 << 20, SEEN_MAX = 64 };

/* What the cases of one check have shown. */
struct seen { bool outcome[SEEN_MAX], evidence[SEEN_MAX], fixture; };

static void note(const struct pw_check *check, const struct judge_run *run, struct seen *seen)
{
	for (size_t i = 0; check->outcomes[i].word; i++)
		seen->outcome[i] |= run->result.outcome == &check->outcomes[i];
	for (size_t i = 0; check->evidence && check->evidence[i].name; i++)
		seen->evidence[i] |= pw_map_get(run->result.evidence, check->evidence[i].name) != NULL;
}

/* "/regular expression/" or a part of the text. */
static bool says(const char *text, const char *want)
{
	size_t len = strlen(want);
	char pattern[512];
	regex_t compiled;
	if (len < 2 || *want != '/' || want[len - 1] != '/')
		return strstr(text, want) != NULL;
	(void)snprintf(pattern, sizeof pattern, "%.*s", (int)len - 2, want + 1);
	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	bool found = !regexec(&compiled, text, 0, NULL, 0);
	regfree(&compiled);
	return found;
}

static bool same(const struct pw_val *got, const struct pw_val *want)
{
	double a, b;
	if (pw_val_is(got, PW_VAL_REAL) && pw_val_to_real(got, &a) && pw_val_to_real(want, &b))
		return a >= b && a <= b;
	return pw_val_equal(got, want);
}

static void show(const struct pw_val *val, struct pw_buf *out)
{
	long long whole;
	bool yes;
	double real;
	if (pw_val_text(val))
		pw_buf_escaped(out, pw_val_text(val), pw_val_text_len(val));
	else if (pw_val_to_int(val, &whole))
		pw_buf_printf(out, "%lld", whole);
	else if (pw_val_to_bool(val, &yes))
		pw_buf_puts(out, yes ? "true" : "false");
	else if (pw_val_to_real(val, &real))
		pw_buf_printf(out, "%g", real);
	else
		pw_buf_printf(out, "(kind %d, %zu items)", (int)pw_val_kind(val), pw_val_count(val));
}

/* What differs from the expectation, empty if nothing. */
static void compare(const struct judge_case *c, const struct judge_run *run, struct pw_buf *out)
{
	const struct pw_val *evidence = pw_map_get(c->expect, "evidence");
	const char *outcome = pw_map_str(c->expect, "outcome", ""), *want = pw_map_str(c->expect, "says", NULL);
	const char *text = run->result.says ? run->result.says : "";
	if (run->rc < 0)
		pw_buf_printf(out, "failed: %s", run->err.text);
	else if (strcmp(judge_outcome(run), outcome))
		pw_buf_printf(out, "outcome %s, wanted %s (%s)", judge_outcome(run), outcome, text);
	else if (!*text)
		pw_buf_puts(out, "no sentence");
	else if (want && !says(text, want))
		pw_buf_printf(out, "says \"%s\", wanted %s", text, want);
	for (size_t i = 0; !out->len && i < pw_val_count(evidence); i++) {
		const struct pw_val *got = pw_map_get(run->result.evidence, pw_map_key(evidence, i));
		if (got && same(got, pw_val_at(evidence, i)))
			continue;
		pw_buf_printf(out, "evidence %s is ", pw_map_key(evidence, i));
		show(got, out);
		pw_buf_puts(out, ", wanted ");
		show(pw_val_at(evidence, i), out);
	}
}

static void test_case(const struct pw_check *check, const struct judge_case *c, struct seen *seen)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	PW_CLEAN_BUF struct pw_buf wrong;
	struct judge_run run = { .err = PW_ERR_INIT };
	pw_buf_init(&wrong, 8192);
	const struct pw_facts *facts = judge_facts(check, c, c->objects, arena, &run.err);
	if (!facts) {
		ok(false, "%s: %s: %s", check->name, c->title, run.err.text);
		return;
	}
	judge_run(check, c->params, facts, c->observation, arena, &run);
	compare(c, &run, &wrong);
	if (!wrong.len && judge_evidence_types(check, run.result.evidence, &run.err) < 0)
		pw_buf_puts(&wrong, run.err.text);
	if (run.rc == PW_OK)
		note(check, &run, seen);
	if (!ok(!wrong.len, "%s: %s", check->name, c->title))
		printf("  # tests/checks/%s.yaml:%u: %s\n", check->name, c->line, pw_buf_str(&wrong));
	pw_buf_clear(&wrong);
	size_t runs = judge_hostile(check, c, !seen->fixture, &wrong);
	seen->fixture |= c->n_shared > 0;
	if (!ok(!wrong.len, "%s: %s: %zu times hostile", check->name, c->title, runs))
		printf("  # tests/checks/%s.yaml:%u: %s\n", check->name, c->line, pw_buf_str(&wrong));
}

static void test_coverage(const struct pw_check *check, const struct seen *seen)
{
	PW_CLEAN_BUF struct pw_buf missing;
	pw_buf_init(&missing, 8192);
	for (size_t i = 0; check->outcomes[i].word; i++)
		if (!seen->outcome[i])
			pw_buf_printf(&missing, "%s%s", missing.len ? ", " : "", check->outcomes[i].word);
	if (!ok(!missing.len, "%s: every outcome has a case", check->name))
		printf("  # without: %s\n", pw_buf_str(&missing));
	pw_buf_clear(&missing);
	for (size_t i = 0; check->evidence && check->evidence[i].name; i++)
		if (!seen->evidence[i])
			pw_buf_printf(&missing, "%s%s", missing.len ? ", " : "", check->evidence[i].name);
	if (!ok(!missing.len, "%s: every evidence is given in some case", check->name))
		printf("  # without: %s\n", pw_buf_str(&missing));
}

static void test_check(const struct pw_check *check)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_err err = PW_ERR_INIT;
	struct judge_case *cases = NULL;
	struct seen seen = { .outcome = { false } };
	size_t n = 0;
	if (!ok(pw_check_validate(check, check->name, &err) == PW_OK, "%s: its declaration is sane", check->name))
		printf("  # %s\n", err.text);
	pw_err_clear(&err);
	if (!ok(judge_load(check, arena, &cases, &n, &err) == PW_OK, "%s: has cases", check->name)) {
		printf("  # %s:%u:%u: %s\n", err.file, err.line, err.col, err.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		test_case(check, &cases[i], &seen);
	test_coverage(check, &seen);
}

static bool is_check(const char *name, size_t len)
{
	for (size_t i = 0; pw_check_registry[i]; i++)
		if (strlen(pw_check_registry[i]->name) == len && !strncmp(pw_check_registry[i]->name, name, len))
			return true;
	return false;
}

/* Cases of a check that was renamed or removed would never run. */
static void test_files(void)
{
	DIR *folder = opendir("tests/checks");
	if (!ok(folder, "tests/checks can be listed"))
		return;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		size_t len = strlen(entry->d_name), end = strlen(".yaml");
		if (len > end && !strcmp(entry->d_name + len - end, ".yaml") && !is_check(entry->d_name, len - end))
			ok(false, "tests/checks/%s has a check of its name", entry->d_name);
	}
	(void)closedir(folder);
}

/* Without arguments all checks, else those named. */
int main(int argc, char **argv)
{
	for (size_t i = 0; pw_check_registry[i]; i++) {
		bool wanted = argc < 2;
		for (int a = 1; a < argc; a++)
			wanted |= !strcmp(argv[a], pw_check_registry[i]->name);
		if (wanted)
			test_check(pw_check_registry[i]);
	}
	if (argc < 2)
		test_files();
	return tap_done();
}
