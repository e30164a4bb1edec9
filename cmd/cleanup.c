/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk cleanup: what a run that was killed has left in a cluster. */
#include "main/cmd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>
#include <vantage/created/made.h>
#include <vantage/created/remove.h>

#include "main/session.h"
#include "main/signals.h"

#define LIMIT_MS 60000     /* of all of it */
#define CALL_MS 10000
#define TEXT_MAX ((size_t)1 << 20)

struct sweep {
	struct pw_app *app;
	const char *dir;
	struct pw_made_ledger *ledgers; size_t n;
	struct pw_made_end end;
	bool dry_run, all, running_too;
	unsigned found, left;
};

static void say_line(void *arg, const char *line)
{
	struct sweep *sweep = arg;
	pw_outf(sweep->app, "%s\n", line);
}

static bool stopped(void *arg)
{
	struct pw_signals got = pw_signals_take();
	(void)arg;
	return got.ints || got.term;
}

static void name_object(const struct sweep *sweep, const char *what, const struct pw_made_object *object, const char *run, const char *cluster)
{
	PW_CLEAN_BUF struct pw_buf line;
	const struct { const char *before, *text; } parts[] = { { " pod ", object->ns }, { "/", object->name }, { " (run ", run }, { ", ", cluster } };
	pw_buf_init(&line, TEXT_MAX);
	pw_buf_puts(&line, what);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (i == 3 && !*cluster)
			continue;
		pw_buf_puts(&line, parts[i].before);
		pw_buf_escaped(&line, parts[i].text, strlen(parts[i].text));
	}
	pw_outf(sweep->app, "%s)\n", pw_buf_str(&line));
}

/* ---- the ledgers ---- */

/* May this one be removed? Says why not. */
static bool is_over(struct sweep *sweep, const struct pw_made_ledger *ledger, bool all)
{
	switch (pw_made_ledger_life(ledger)) {
	case PW_MADE_LIVES:
		pw_note(sweep->app, "Run %s still runs (process %ld): what it made is its own.", ledger->run, ledger->pid);
		return false;
	case PW_MADE_ELSEWHERE:
		if (!all)
			pw_note(sweep->app, "Run %s was started on another machine or in another container (%s): --all removes what it made.", ledger->run, ledger->host);
		return all;
	case PW_MADE_DEAD:
		break;
	}
	return true;
}

/* Nobody here can tell whether the run of this pod still runs, and it is not older than its run may be: left, and said. */
static bool may_be_used(struct sweep *sweep, const struct pw_val *pod, const char *ns, const char *name)
{
	PW_CLEAN_BUF struct pw_buf line;
	if (sweep->running_too || !pw_made_may_serve(pod, (int64_t)time(NULL)))
		return false;
	pw_buf_init(&line, TEXT_MAX);
	pw_buf_escaped(&line, ns, strlen(ns));
	pw_buf_putc(&line, '/');
	pw_buf_escaped(&line, name, strlen(name));
	pw_note(sweep->app, "Left: pod %s is within its time, so its run may still use it; the cluster ends it then, and --running-too removes it now.",
		pw_buf_str(&line));
	sweep->left++;
	return true;
}

/* Of a run elsewhere: is one of its pods within its time? */
static bool any_used(struct sweep *sweep, const struct pw_made_ledger *ledger, const struct pw_kube *kube)
{
	bool any = false;
	if (pw_made_ledger_life(ledger) != PW_MADE_ELSEWHERE)
		return false;
	for (size_t i = 0; i < ledger->n; i++) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TEXT_MAX * 64);
		struct pw_val *pod = NULL;
		if (pw_kube_get(kube, ledger->objects[i].ns, ledger->objects[i].name, CALL_MS, arena, &pod, NULL) == PW_OK)
			any = may_be_used(sweep, pod, ledger->objects[i].ns, ledger->objects[i].name) || any;
	}
	return any;
}

/* A kubeconfig may lead elsewhere by now; a pod that is not found there has not been removed. Says why it is not surely the same. */
static bool is_same_cluster(const struct sweep *sweep, const struct pw_made_ledger *ledger, const struct pw_kube *kube)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TEXT_MAX);
	if (!*ledger->cluster_uid && sweep->all)
		return true;
	if (!*ledger->cluster_uid) {
		(void)pw_fail(sweep->app, 0, "run %s could not read by what its cluster is known (the UID of namespace kube-system), so whether its "
			      "kubeconfig still leads there cannot be told: --all takes it for the same", ledger->run);
		return false;
	}
	const char *uid = pw_kube_cluster_uid(kube, CALL_MS, arena);
	if (!strcmp(uid, ledger->cluster_uid))
		return true;
	if (*uid)
		(void)pw_fail(sweep->app, 0, "run %s: its kubeconfig leads to another cluster now than %s", ledger->run, ledger->cluster);
	else
		(void)pw_fail(sweep->app, 0, "run %s: whether its kubeconfig still leads to %s cannot be told: namespace kube-system cannot be read",
			      ledger->run, ledger->cluster);
	return false;
}

static void sweep_ledger(struct sweep *sweep, struct pw_made_ledger *ledger)
{
	struct pw_err err = PW_ERR_INIT;
	const struct pw_kube kube = { .argv = ledger->kubectl, .kubeconfig = ledger->kubeconfig ? ledger->kubeconfig : "", .own_group = true };
	sweep->found += (unsigned)ledger->n;
	for (size_t i = 0; sweep->dry_run && i < ledger->n; i++)
		name_object(sweep, "Would remove", &ledger->objects[i], ledger->run, ledger->cluster);
	if (sweep->dry_run)
		return;
	if (!is_same_cluster(sweep, ledger, &kube)) {
		sweep->left += (unsigned)ledger->n;
	} else if (any_used(sweep, ledger, &kube)) {
		return;
	} else if (pw_made_remove(ledger, &kube, &sweep->end, &err) < 0) {
		(void)pw_fail_err(sweep->app, 0, &err);
		sweep->left++;
	}
}

/* ---- what carries the label ---- */

static bool is_alive(const struct sweep *sweep, const char *run)
{
	for (size_t i = 0; i < sweep->n; i++)
		if (!strcmp(sweep->ledgers[i].run, run) && pw_made_ledger_life(&sweep->ledgers[i]) == PW_MADE_LIVES)
			return true;
	return false;
}

static void sweep_pod(struct sweep *sweep, const struct pw_kube *kube, const struct pw_val *pod)
{
	struct pw_err err = PW_ERR_INIT;
	bool ending;
	const struct pw_val *meta = pw_map_get(pod, "metadata");
	const char *run = pw_map_str(pw_map_get(meta, "labels"), PW_MADE_RUN_LABEL, "");
	const struct pw_made_object object = { .ns = pw_map_str(meta, "namespace", ""), .name = pw_map_str(meta, "name", "") };
	if (is_alive(sweep, run) || pw_map_get(meta, "deletionTimestamp"))
		return;
	if (may_be_used(sweep, pod, object.ns, object.name))
		return;
	sweep->found++;
	name_object(sweep, sweep->dry_run ? "Would remove" : "Removing", &object, run, "");
	if (sweep->dry_run || pw_made_delete(kube, run, &object, &sweep->end, &ending, &err) == PW_OK)
		return;
	(void)pw_fail_err(sweep->app, 0, &err);
	sweep->left++;
}

static void sweep_cluster(struct sweep *sweep)
{
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TEXT_MAX * 64);
	const struct pw_val *items = NULL;
	const char *const *argv = pw_app_kubectl_argv(sweep->app);
	const struct pw_kube kube = { .argv = argv, .own_group = true };
	if (!argv || pw_kube_list(&kube, CALL_MS, arena, &items, &err) < 0) {
		(void)pw_fail(sweep->app, 0, "%s", argv ? err.text : "out of memory");
		sweep->left++;
		return;
	}
	for (size_t i = 0; i < pw_val_count(items) && !sweep->end.stopped; i++)
		sweep_pod(sweep, &kube, pw_val_at(items, i));
}

/* ---- the command ---- */

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_BUF struct pw_buf notes;
	bool all = pw_app_flag(app, "all");
	struct sweep sweep = { .app = app, .dir = pw_state_dir(app, PW_CREATED_DIR), .dry_run = pw_app_flag(app, "dry-run"), .all = all,
		.running_too = pw_app_flag(app, "running-too") };
	sweep.end = (struct pw_made_end){ .until_ms = pw_mono_ms() + LIMIT_MS, .stop = stopped, .say = say_line, .arg = &sweep };
	if (app->n_words)
		return pw_fail(app, PW_EXIT_USAGE, "cleanup takes no words, only options");
	if (!sweep.dir)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "there is no state folder (XDG_STATE_HOME, HOME), so no run could write down what it made");
	pw_buf_init(&notes, TEXT_MAX);
	(void)pw_signals_start();
	if (pw_made_ledgers(sweep.dir, app->arena, &sweep.ledgers, &sweep.n, &notes, &err) < 0)
		return pw_fail_err(app, PW_EXIT_ENVIRONMENT, &err);
	if (notes.len)
		pw_note(app, "%.*s", (int)(notes.len - 1), pw_buf_str(&notes));
	for (size_t i = 0; i < sweep.n && !sweep.end.stopped; i++)
		if (is_over(&sweep, &sweep.ledgers[i], all))
			sweep_ledger(&sweep, &sweep.ledgers[i]);
	if (all && !sweep.end.stopped)
		sweep_cluster(&sweep);
	if (sweep.end.stopped)
		pw_note(app, "Stopped: what was not yet looked at is left.");
	if (!sweep.found && !sweep.left && !sweep.end.stopped)
		pw_outf(app, "Nothing is left%s.\n", all ? "" : " by runs of this user on this machine");
	return sweep.left || sweep.end.stopped ? PW_EXIT_ENVIRONMENT : PW_EXIT_HEALTHY;
}

static const struct pw_opt options[] = {
	{ "all", 0, NULL, "also what carries packetwalk's label in the cluster, whoever made it, and what runs on other machines wrote down", PW_OPT_LOCAL },
	{ "running-too", 0, NULL, "with --all: also pods within their time, whose runs may still run elsewhere", PW_OPT_LOCAL },
	{ "dry-run", 0, NULL, "say what would be removed, and remove nothing", PW_OPT_LOCAL },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = { "cleanup", "cleanup --all --context prod --dry-run", NULL };

const struct pw_cmd pw_cmd_cleanup = {
	.name = "cleanup", .summary = "remove what a run that was killed has left in a cluster",
	.details = "A run writes down what it is going to make before it makes it, and removes it at its end. Where it had no end, this does. What "
		   "runs that still run here have made is not touched, and a pod is deleted only if it carries the label of that run. Of runs "
		   "elsewhere (--all) nobody here can tell whether they still run: their pods are left until they are older than their own "
		   "limit (activeDeadlineSeconds), unless --running-too is given. Exit 0 when nothing is left, 5 when something is.",
	.examples = examples, .options = options, .run = run, .groups = PW_OPTS_CLUSTER,
};
