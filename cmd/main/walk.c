/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run: inputs, cluster, walk, result. First something is said, then the network is touched. */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <run/drawing.h>

#include "creation.h"
#include "library.h"
#include "signals.h"

#define MAX_EFFECT_OTHERWISE "sends"

static int parse_effect(struct pw_walk_run *run)
{
	const char *names[PW_EFFECT_PRIVILEGED + 1], *word = pw_app_opt(run->app, "max-effect");
	if (!word)
		word = MAX_EFFECT_OTHERWISE;
	for (int e = PW_EFFECT_NONE; e <= PW_EFFECT_PRIVILEGED; e++) {
		names[e] = pw_effect_word((enum pw_effect)e);
		if (strcmp(names[e], word) == 0) {
			run->max_effect = (enum pw_effect)e;
			return 0;
		}
	}
	return pw_fail_unknown(run->app, "effect class for --max-effect", word, names, PW_EFFECT_PRIVILEGED + 1);
}

/* ---- callbacks of the driver ---- */

static void on_event(void *arg, const struct pw_driver_event *event)
{
	struct pw_walk_run *run = arg;
	struct pw_record record;
	pw_progress_event(run, event);
	if (event->kind == PW_EV_EDGE && pw_driver_record(event->driver, &record, NULL) == PW_OK)
		pw_session_save(run->app, &run->session, &record);
}

static enum pw_driver_say on_ask(void *arg, const struct pw_play_step *step, const char *question, const char **ret_answer)
{
	return pw_wizard_ask(arg, step, question, ret_answer);
}

static bool on_consent(void *arg, const struct pw_play_step *step, enum pw_effect effect, const char *does)
{
	return pw_wizard_consent(arg, step, effect, does);
}

static void on_inputs(void *arg, struct pw_inputs *inputs)
{
	struct pw_walk_run *run = arg;
	if (!run->interactive || !pw_wizard_inputs(run, inputs, false))
		return;
	/* What was answered here is part of the run: for the command that repeats it, and for resuming. */
	for (size_t i = 0; i < inputs->play->n_inputs; i++)
		if (inputs->values[i].text && strcmp(inputs->values[i].from, "answered") == 0 &&
		    !pw_map_get(run->texts, inputs->play->inputs[i].name))
			pw_map_set_str(run->texts, inputs->play->inputs[i].name, inputs->values[i].text);
}

static enum pw_driver_say on_after(void *arg, const struct pw_play_step *step, const struct pw_step_result *result)
{
	return pw_wizard_after(arg, step, result);
}

static enum pw_driver_signal on_signal(void *arg)
{
	struct pw_walk_run *run = arg;
	struct pw_signals got = pw_signals_take();
	if (got.term)
		run->stop_code = PW_EXIT_SIGTERM;
	else if (got.ints && (got.again || !run->interactive))
		run->stop_code = PW_EXIT_SIGINT;
	if (run->stop_code)
		return PW_SIGNAL_STOP;
	run->cancelled = run->cancelled || got.ints;
	return got.ints ? PW_SIGNAL_CANCEL : PW_SIGNAL_NONE;
}

/* ---- before the walk ---- */

static void announce(struct pw_walk_run *run)
{
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, 8192);
	const char *title = run->play->title ? run->play->title : run->play->name;
	pw_buf_escaped(&line, title, strlen(title));
	pw_buf_printf(&line, " (playbook %s, packetwalk %s)", run->play->name, PW_VERSION);
	pw_note(run->app, "%s", pw_buf_str(&line));
}

static void say_reading(struct pw_walk_run *run, unsigned kinds)
{
	PW_CLEAN_BUF struct pw_buf line, where;
	const char *from = pw_cluster_describe(run->app->cluster);
	pw_buf_init(&line, 8192);
	pw_buf_init(&where, 8192);
	for (unsigned bit = 1; bit <= PW_ALL_FACTS; bit <<= 1)
		if (kinds & bit)
			pw_buf_printf(&line, "%s%s", line.len ? ", " : "", pw_fact_word((enum pw_fact)bit));
	pw_buf_escaped(&where, from, strlen(from));
	pw_note(run->app, "Reading %s from %s", pw_buf_str(&line), pw_buf_str(&where));
}

/* The objects that inputs and checks need; nothing is asked of a cluster that nothing needs. */
static int read_cluster(struct pw_walk_run *run)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_cluster *cluster = NULL;
	unsigned kinds = pw_driver_kinds(run->play);
	if (!kinds)
		return 0;
	int rc = pw_app_cluster(run->app, &cluster, &err);
	if (!rc && (run->interactive || run->max_effect >= PW_EFFECT_CREATES))
		kinds |= pw_app_creation_facts(run->app);
	if (!rc) {
		say_reading(run, kinds);
		pw_cluster_set_deadline(cluster, run->deadline_ms);
		pw_signals_at_once(true);
		rc = pw_cluster_need(cluster, kinds, NULL, &err);
		pw_signals_at_once(false);
	}
	if (!rc)
		return 0;
	pw_outputs_bail(&run->outputs, run->app, err.text);
	if (run->deadline_ms && pw_mono_ms() >= run->deadline_ms)
		return pw_fail(run->app, PW_EXIT_DEADLINE, "the deadline of the run passed while the cluster was read: %s", err.text);
	return pw_fail_err(run->app, rc == PW_USAGE ? PW_EXIT_USAGE : PW_EXIT_ENVIRONMENT, &err);
}

/* Without a person: everything that is wrong is said, then the run ends. */
static int fill_inputs(struct pw_walk_run *run)
{
	struct pw_inputs *inputs = &run->inputs;
	bool missing = false;
	int code = 0;
	for (size_t i = 0; i < run->play->n_inputs; i++) {
		struct pw_err err = PW_ERR_INIT;
		const char *from = NULL, *text = pw_given_lookup(&run->given, run->play->inputs[i].name, &from);
		bool was_given = text != NULL;
		if (!text && pw_inputs_default(inputs, i, &text, &from, &err))
			text = NULL;
		pw_err_clear(&err);
		int rc = text ? pw_inputs_set(inputs, i, text, from, &err) : PW_OK;
		if (rc == PW_ABSENT && was_given && pw_inputs_may_be_absent(inputs, i)) {
			pw_note(run->app, "packetwalk: note: %s", err.text);
			rc = pw_inputs_set_absent(inputs, i, text, from, &err);
		}
		if (rc)
			code = was_given ? pw_fail(run->app, PW_EXIT_USAGE, "%s (from the %s)", err.text, from) : pw_fail_err(run->app, PW_EXIT_USAGE, &err);
		else if (!text && run->play->inputs[i].optional)
			pw_inputs_leave(inputs, i);
		else if (!text)
			missing = true;
	}
	if (missing && !code)
		code = pw_given_missing(&run->given, inputs);
	return code;
}

static void explain_inputs(struct pw_walk_run *run)
{
	for (size_t i = 0; i < run->play->n_inputs; i++) {
		PW_CLEAN_BUF struct pw_buf line;
		const struct pw_input_value *value = &run->inputs.values[i];
		pw_buf_init(&line, 65536);
		pw_buf_printf(&line, "  %s = ", run->play->inputs[i].name);
		pw_buf_escaped(&line, value->text ? value->text : "(left out)", value->text ? strlen(value->text) : 10);
		if (value->from)
			pw_buf_printf(&line, "   (%s)", value->from);
		pw_buf_putc(&line, '\n');
		pw_stream_write(&run->app->err, pw_buf_str(&line), line.len);
	}
}

/* Quit before the first step: what was answered is kept. */
static void save_answers(struct pw_walk_run *run)
{
	struct pw_app *app = run->app;
	struct pw_record record = { .playbook = run->play->name, .playbook_hash = run->play->hash, .version = PW_VERSION,
		.cluster = app->cluster ? pw_cluster_describe(app->cluster) : "", .cluster_uid = app->cluster ? pw_cluster_uid(app->cluster) : "",
		.started_ms = pw_now_ms(), .inputs = pw_inputs_val(&run->inputs), .status = PW_STATUS_INCONCLUSIVE, .partial = true };
	record.verdict.id = "unfinished";
	record.verdict.layer = PW_LAYER_UNKNOWN;
	record.verdict.says = "The walk was stopped before its first step.";
	pw_session_new(app, run->word, &run->session);
	pw_session_save(app, &run->session, &record);
	if (run->session.id)
		pw_note(app, "The answers are saved. To go on: packetwalk resume %s", run->session.id);
}

static int prepare_inputs(struct pw_walk_run *run, struct pw_scope *scope)
{
	struct pw_err err = PW_ERR_INIT;
	if (!scope || pw_inputs_init(&run->inputs, run->play, scope, run->app->arena, &err))
		return pw_fail(run->app, PW_EXIT_ENVIRONMENT, "out of memory");
	int code = pw_given_init(&run->given, run->app, run->play);
	if (run->known)
		run->given.saved = run->known->inputs;
	if (!code)
		code = pw_given_check(&run->given, &run->inputs);
	if (code)
		return code;
	announce(run);
	code = read_cluster(run);
	if (code)
		return code;
	if (run->app->cluster) {
		run->inputs.facts = pw_cluster_facts(run->app->cluster);
		run->inputs.default_ns = pw_cluster_namespace(run->app->cluster);
		run->any_namespace = pw_app_flag(run->app, "all-namespaces");
	}
	if (!run->interactive)
		code = fill_inputs(run);
	else if (!pw_wizard_inputs(run, &run->inputs, true)) {
		save_answers(run);
		code = run->stop_code;
	}
	if (!code && pw_app_flag(run->app, "explain-inputs"))
		explain_inputs(run);
	run->texts = pw_inputs_val(&run->inputs);
	pw_given_pass_on(&run->given, scope, run->texts);
	return code;
}

/* A record fits a playbook and a cluster; walked over others it would lie. */
static int check_resume(struct pw_walk_run *run)
{
	const struct pw_record *known = run->known;
	const char *uid = run->app->cluster ? pw_cluster_uid(run->app->cluster) : "";
	if (!known)
		return 0;
	if (strcmp(known->playbook_hash, run->play->hash) != 0)
		return pw_fail(run->app, PW_EXIT_USAGE, "the playbook %s has changed since the session was saved: start a new run", run->play->name);
	if (*known->cluster_uid && strcmp(known->cluster_uid, uid) != 0)
		return pw_fail(run->app, PW_EXIT_USAGE, "the session was saved in another cluster (%s): choose that one, or start a new run",
			       known->cluster);
	return 0;
}

/* ---- the walk ---- */

static int finish(struct pw_walk_run *run, struct pw_record *record, enum pw_driver_end end)
{
	struct pw_app *app = run->app;
	pw_progress_clear(run);
	record->path_drawing = pw_record_drawing(record, run->inputs.facts, run->inputs.scope, app->out.utf8, app->arena);
	pw_session_save(app, &run->session, record);
	if (run->shown)
		pw_stream_write(&app->err, "\n", 1);
	int code = pw_outputs_write(&run->outputs, app, record, run->shown);
	if (end != PW_END_VERDICT && run->session.id)
		pw_note(app, "The session is saved. To go on: packetwalk resume %s", run->session.id);
	if (end == PW_END_VERDICT)
		pw_wizard_farewell(run, record);
	if (code)
		return code;
	if (end == PW_END_DEADLINE)
		return PW_EXIT_DEADLINE;
	if (end == PW_END_STOPPED)
		return run->stop_code ? run->stop_code : PW_EXIT_INCONCLUSIVE;
	return pw_outputs_exit(&run->outputs, app, record);
}

static int walk(struct pw_walk_run *run, unsigned jobs)
{
	struct pw_app *app = run->app;
	struct pw_err err = PW_ERR_INIT;
	struct pw_executor *executor = NULL;
	struct pw_record record;
	enum pw_driver_end end = PW_END_VERDICT;
	if (pw_app_executor(app, &executor, &err))
		return pw_fail_err(app, 0, &err);
	pw_session_new(app, run->word, &run->session);
	run->shown = app->out.tty && app->err.tty && !pw_app_quiet(app);
	struct pw_driver_config config = {
		.play = run->play, .scope = run->inputs.scope, .arena = app->arena, .inputs = run->texts,
		.executor = executor, .facts = run->inputs.facts, .default_ns = run->inputs.default_ns,
		.cluster = app->cluster ? pw_cluster_describe(app->cluster) : NULL,
		.cluster_uid = app->cluster ? pw_cluster_uid(app->cluster) : NULL, .here = pw_app_opt(app, "at"),
		.max_effect = run->max_effect, .jobs = jobs, .deadline_ms = run->deadline_ms, .known = run->known, .wake_fd = pw_signals_start(),
		.ops = { .event = on_event, .ask = on_ask, .consent = on_consent, .inputs = on_inputs, .after = on_after,
			 .signal = on_signal, .arg = run },
	};
	int rc = pw_driver_run(&config, &record, &end, &err);
	pw_progress_clear(run);
	if (rc)
		return pw_fail_err(app, rc == PW_SYNTAX ? PW_EXIT_PLAYBOOK : PW_EXIT_ENVIRONMENT, &err);
	return finish(run, &record, end);
}

int pw_walk_main(struct pw_walk_run *run)
{
	struct pw_app *app = run->app;
	struct pw_err err = PW_ERR_INIT;
	unsigned timeout = 0, jobs = 0;
	run->interactive = pw_app_interactive(app);
	run->guided = run->wizard = run->guided && run->interactive;
	int code = pw_outputs_init(&run->outputs, app);
	if (!code)
		code = parse_effect(run);
	if (code)
		return code;
	if (pw_app_duration(app, "timeout", 0, &timeout, &err) || pw_app_number(app, "jobs", 0, 256, &jobs, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	run->deadline_ms = timeout ? pw_mono_ms() + timeout : 0;
	(void)pw_signals_start();
	code = prepare_inputs(run, pw_scope_new(app->arena));
	if (!code)
		code = check_resume(run);
	return code ? code : walk(run, jobs);
}
