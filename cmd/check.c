/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk check NAME [NAME=VALUE ...]: one check alone. */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <doc/json.h>
#include <out/kit/kit.h>
#include <run/where.h>
#include <run/ways.h>
#include <vantage/executor.h>

#include "main/creation.h"
#include "main/library.h"
#include "main/signals.h"
#include "main/walk.h"

#define TEXT_MAX ((size_t)64 << 20)
#define FIRST_REPORT_MS 2000
#define NEXT_REPORT_MS 5000

static const char *const formats[] = { "text", "json", NULL };

struct job {
	struct pw_app *app;
	const struct pw_check *check;
	const struct pw_facts *facts;
	struct pw_vantage vantage;
	const char *where;
	struct pw_val *params;
	enum pw_effect most;
	unsigned timeout_ms;
};

static void more(struct pw_app *app, const char *word, struct pw_opt_list *list)
{
	struct pw_library *library = pw_app_library(app);
	const struct pw_check *check = word && library ? pw_library_find_check(library, word) : NULL;
	for (const struct pw_param *p = check ? check->params : NULL; p && p->name; p++) {
		struct pw_opt opt = { .name = p->name, .value = pw_type_word(p->type), .help = p->help ? p->help : "",
				      .flags = PW_OPT_INPUT | PW_OPT_LOCAL };
		pw_opt_list_add(list, &opt);
	}
}

/* ---- what it needs ---- */

static int read_facts(struct job *job, const char *at, struct pw_err *err)
{
	struct pw_cluster *cluster = NULL;
	unsigned kinds = job->check->facts;
	if (at && strchr(at, '/') && !strchr(at, ':'))
		kinds |= PW_FACT_PODS; /* where a pod is, only its object says */
	if (at && !strpbrk(at, ":/") && strcmp(at, "here") != 0)
		kinds |= PW_FACT_NODES;
	if (at && pw_app_opt(job->app, "via"))
		kinds |= PW_FACT_PODS; /* an agent may have to be started in one */
	if (!kinds)
		return PW_OK;
	int rc = pw_app_cluster(job->app, &cluster, err);
	if (rc)
		return rc;
	if (job->most >= PW_EFFECT_CREATES)
		kinds |= pw_app_creation_facts(job->app);
	pw_note(job->app, "Reading %s", pw_cluster_describe(cluster));
	pw_signals_at_once(true);
	rc = pw_cluster_need(cluster, kinds, NULL, err);
	pw_signals_at_once(false);
	job->facts = rc ? NULL : pw_cluster_facts(cluster);
	return rc;
}

/* Lists are written a,b,c; maps are JSON. */
static struct pw_val *typed(struct job *job, const struct pw_param *param, const char *text)
{
	static const struct pw_json_limits limits = { (size_t)1 << 20, 32 };
	struct pw_arena *arena = job->app->arena;
	struct pw_val *val = NULL;
	if (param->type != PW_TYPE_LIST && param->type != PW_TYPE_MAP)
		return pw_val_str(arena, text);
	if ((*text == '[' || *text == '{') && pw_json_parse(text, strlen(text), param->name, &limits, arena, &val, NULL) == PW_OK)
		return val;
	if (param->type == PW_TYPE_MAP)
		return pw_val_str(arena, text); /* refused with its name below */
	val = pw_val_seq(arena);
	while (*text) {
		size_t len = strcspn(text, ",");
		pw_seq_add(val, pw_val_strn(arena, text, len));
		text += len + (text[len] == ',');
	}
	return val;
}

static int read_params(struct job *job, struct pw_err *err)
{
	struct pw_val *given = pw_val_map(job->app->arena);
	const struct pw_val *pairs = job->app->pairs;
	for (size_t i = 0; i < pw_val_count(pairs); i++) {
		static const struct pw_param unknown = { .name = NULL, .type = PW_TYPE_STR };
		const struct pw_param *param = job->check->params;
		while (param && param->name && strcmp(param->name, pw_map_key(pairs, i)) != 0)
			param++;
		pw_map_set(given, pw_map_key(pairs, i), typed(job, param && param->name ? param : &unknown, pw_val_text(pw_val_at(pairs, i))));
	}
	return pw_params_check(job->check, given, job->app->arena, &job->params, err);
}

/* ---- running ---- */

static int say_place(struct job *job, struct pw_err *err)
{
	PW_CLEAN_BUF struct pw_buf said;
	pw_buf_init(&said, 1024);
	pw_vantage_say(&job->vantage, &said);
	job->where = pw_arena_strdup(job->app->arena, pw_buf_str(&said));
	return job->where ? PW_OK : pw_err_set(err, PW_NOMEM, "out of memory");
}

static int choose_way(struct job *job, const struct pw_ways *ways, struct pw_err *err)
{
	const struct pw_consent consent = pw_consent_up_to(job->most);
	pw_way_plan(ways, job->facts, job->check, job->params, &job->vantage);
	struct pw_way_choice choice = pw_way_choose(ways, job->check, &job->vantage, &consent);
	job->vantage.way = choice.way;
	if (choice.allowed)
		return say_place(job, err);
	PW_CLEAN_BUF struct pw_buf does;
	pw_buf_init(&does, 1024);
	pw_way_say(&choice, job->check, &job->vantage, &does);
	return pw_err_set(err, PW_USAGE, "%s %s: that has the effect '%s', allow it with --max-effect %s", job->check->name, pw_buf_str(&does),
			  pw_effect_word(choice.effect), pw_effect_word(choice.effect));
}

static void report(const struct job *job, const struct pw_executor *executor, unsigned task, unsigned ms)
{
	PW_CLEAN_BUF struct pw_buf text;
	unsigned limit_ms = job->timeout_ms ? job->timeout_ms : job->check->timeout_ms;
	pw_buf_init(&text, 4096);
	if (!pw_executor_waits(executor, task, &text, &ms, &limit_ms))
		pw_buf_printf(&text, "%s at %s", job->check->name, job->where);
	pw_note(job->app, "waiting for %s, %u s of at most %u s", pw_buf_str(&text), ms / 1000, (limit_ms + 999) / 1000);
}

/* PW_OK with the result; PW_CANCELLED with *ret_code when a signal ended it. */
static int run_check(struct job *job, struct pw_task_done *ret, int *ret_code, struct pw_err *err)
{
	struct pw_executor *executor = NULL;
	int wake = pw_signals_start(), rc = pw_app_executor(job->app, &executor, err);
	if (!rc)
		rc = choose_way(job, pw_executor_ways(executor), err);
	struct pw_task task = { .id = 1, .check = job->check, .vantage = &job->vantage, .params = job->params, .facts = job->facts,
				.timeout_ms = job->timeout_ms };
	if (!rc)
		rc = pw_executor_start(executor, &task, err);
	int64_t begun = pw_mono_ms(), report_at = begun + FIRST_REPORT_MS;
	while (!rc) {
		int64_t now = pw_mono_ms();
		rc = pw_executor_wait(executor, report_at > now ? (int)(report_at - now) : 0, wake, job->app->arena, ret, err);
		if (rc == 1)
			return PW_OK;
		if (rc < 0)
			break;
		struct pw_signals got = pw_signals_take();
		if (got.ints || got.term) {
			*ret_code = got.term ? PW_EXIT_SIGTERM : PW_EXIT_SIGINT;
			return pw_err_set(err, PW_CANCELLED, "cancelled before it ended");
		}
		now = pw_mono_ms();
		if (now < report_at)
			continue;
		report(job, executor, task.id, (unsigned)(now - begun));
		report_at = now + NEXT_REPORT_MS;
	}
	return rc;
}

/* ---- the result ---- */

static struct pw_val *result_val(const struct job *job, const struct pw_task_done *done, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	pw_map_set_str(map, "schema", "packetwalk.check/1");
	pw_map_set_str(map, "packetwalk", PW_VERSION);
	pw_map_set_str(map, "check", job->check->name);
	pw_map_set_str(map, "vantage", job->where);
	pw_map_set(map, "params", job->params);
	pw_map_set_str(map, "outcome", done->outcome);
	pw_map_set_str(map, "class", pw_class_word(done->klass));
	pw_map_set_str(map, "says", done->says && *done->says ? done->says : done->reason);
	pw_map_set(map, "evidence", (struct pw_val *)done->evidence);
	pw_map_set(map, "observation", (struct pw_val *)done->observation);
	pw_map_set_int(map, "duration_ms", done->duration_ms);
	return map;
}

static const struct pw_outcome *declared(const struct pw_check *check, const char *word)
{
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++)
		if (strcmp(o->word, word) == 0)
			return o;
	return NULL;
}

static void add_json(struct pw_buf *out, const struct pw_val *val)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	pw_json_write(&text, val, 0);
	pw_buf_escaped(out, pw_buf_str(&text), text.len);
}

static void write_text(const struct job *job, const struct pw_task_done *done, struct pw_buf *out)
{
	struct pw_out_style style = pw_stream_style(&job->app->out);
	const struct pw_outcome *outcome = declared(job->check, done->outcome);
	struct pw_step_result step = { .id = job->check->name, .title = job->check->summary, .vantage = job->where, .klass = done->klass,
				       .outcome = done->outcome, .says = done->says && *done->says ? done->says : done->reason };
	pw_kit_step_lines(&step, &style, out);
	pw_buf_printf(out, "\nOutcome: %s", done->outcome);
	pw_buf_printf(out, "   (%u ms)\n", done->duration_ms);
	for (size_t i = 0; i < pw_val_count(done->evidence); i++) {
		pw_buf_printf(out, "  %s: ", pw_map_key(done->evidence, i));
		const struct pw_val *val = pw_val_at(done->evidence, i);
		if (pw_val_text(val))
			pw_kit_clean(out, pw_val_text(val), &style);
		else
			add_json(out, val);
		pw_buf_putc(out, '\n');
	}
	if (outcome && outcome->cause) {
		pw_buf_puts(out, "Likely cause: ");
		pw_kit_fold(out, outcome->cause, 14, 2, &style);
	}
	if (outcome && outcome->next) {
		pw_buf_puts(out, "Next: ");
		pw_kit_fold(out, outcome->next, 6, 2, &style);
	}
	if (done->log && *done->log && pw_app_verbose(job->app))
		pw_detail(job->app, "%s", done->log);
}

static int exit_of(const struct pw_task_done *done, const char *fail_on)
{
	switch (done->klass) {
	case PW_CLASS_FAIL:
		return PW_EXIT_FAULT;
	case PW_CLASS_WARN:
		return fail_on && strcmp(fail_on, "warn") == 0 ? PW_EXIT_FAULT : PW_EXIT_HEALTHY;
	case PW_CLASS_UNKNOWN:
		return PW_EXIT_INCONCLUSIVE;
	case PW_CLASS_ERROR:
		return PW_EXIT_ENVIRONMENT;
	case PW_CLASS_OK:
	case PW_CLASS_SKIPPED:
		break;
	}
	return PW_EXIT_HEALTHY;
}

static int write_result(const struct job *job, const struct pw_task_done *done, const char *format)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	if (strcmp(format, "json") == 0) {
		pw_json_write(&out, result_val(job, done, job->app->arena), 2);
		pw_buf_putc(&out, '\n');
	} else {
		write_text(job, done, &out);
	}
	pw_out_buf(job->app, &out);
	return exit_of(done, pw_app_opt(job->app, "fail-on"));
}

static int check_effect(struct job *job)
{
	const char *word = pw_app_opt(job->app, "max-effect");
	bool known = !word;
	job->most = PW_EFFECT_SENDS;
	for (int e = PW_EFFECT_NONE; word && e <= PW_EFFECT_PRIVILEGED; e++)
		if (strcmp(word, pw_effect_word((enum pw_effect)e)) == 0) {
			job->most = (enum pw_effect)e;
			known = true;
		}
	if (!known)
		return pw_fail(job->app, PW_EXIT_USAGE, "--max-effect '%s': none, reads, sends, execs, creates or privileged", word);
	if (job->check->effect <= job->most)
		return 0;
	return pw_fail(job->app, PW_EXIT_USAGE, "%s has the effect '%s': allow it with --max-effect %s", job->check->name,
		       pw_effect_word(job->check->effect), pw_effect_word(job->check->effect));
}

static int find_check(struct pw_app *app, const struct pw_check **ret)
{
	struct pw_library *library = pw_app_library(app);
	const char *const *names = NULL;
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (app->n_words != 1)
		return pw_fail(app, PW_EXIT_USAGE, app->n_words ? "one check at a time (parameters are NAME=VALUE)" :
			       "which check? 'packetwalk checks' lists them");
	*ret = pw_library_find_check(library, app->words[0]);
	size_t n = pw_library_check_names(library, &names);
	return *ret ? 0 : pw_fail_unknown(app, "check", app->words[0], names, n);
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	struct job job = { .app = app };
	struct pw_task_done done;
	const char *format = NULL, *at = pw_app_opt(app, "at");
	int code = find_check(app, &job.check), stopped = 0;
	if (!code)
		code = check_effect(&job);
	if (code)
		return code;
	if (pw_app_format(app, formats, &format, &err) || pw_app_duration(app, "timeout", 0, &job.timeout_ms, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if (read_params(&job, &err)) {
		code = pw_fail_err(app, PW_EXIT_USAGE, &err);
		pw_note(app, "'packetwalk checks %s' shows its parameters", job.check->name);
		return code;
	}
	if (read_facts(&job, at, &err))
		return pw_fail_err(app, err.code == PW_USAGE ? PW_EXIT_USAGE : PW_EXIT_ENVIRONMENT, &err);
	if (pw_where_text(job.facts, at ? at : "here", app->arena, &job.vantage, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if (run_check(&job, &done, &stopped, &err))
		return pw_fail_err(app, stopped ? stopped : err.code == PW_USAGE ? PW_EXIT_USAGE : PW_EXIT_ENVIRONMENT, &err);
	return write_result(&job, &done, format);
}

static const struct pw_opt options[] = {
	{ "max-effect", 0, "CLASS", "the most it may do: none, reads, sends (the default), execs, creates, privileged", PW_OPT_TRUSTED },
	{ "fail-on", 0, "CLASS", "exit 1 already on: warn; fail is the default", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = {
	"check tcp_connect address=10.0.0.1 port=80",
	"check dns_resolve name=kubernetes.default.svc --at shop/web",
	NULL,
};

const struct pw_cmd pw_cmd_check = {
	.name = "check", .summary = "run one check alone", .usage = "NAME [PARAM=VALUE ...]",
	.details = "Parameters are those that 'packetwalk checks NAME' shows. Lists are written a,b,c, maps as JSON. "
		   "Exit codes: 0 ok or warn, 1 fail, 4 it could not be determined.",
	.examples = examples, .options = options, .pairs = true, .more = more, .run = run,
	.groups = PW_OPTS_OUTPUT | PW_OPTS_PROBE | PW_OPTS_CLUSTER,
};
