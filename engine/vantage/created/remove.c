/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a pod that a run made: looked at, deleted if it is ours, watched until it is gone. */
#include "remove.h"

#include <poll.h>
#include <string.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

#include "made.h"

enum {
	TREE_MAX = 64 << 20,
	CALL_MS = 5000,          /* one kubectl, unless less is left */
	LOOK_MS = 250,           /* from one look to the next */
	COMES_MS = 2000,         /* how long a creation that was broken off may still come true */
	ENDS_MS = 5000,          /* how long the kubelet is waited for */
	LINE_MAX_BYTES = 2048,
};

/* Who is asked may forget that it said so (a signal is taken once): it is remembered here. */
static int over(struct pw_made_end *end)
{
	end->stopped = end->stopped || (end->stop && end->stop(end->arg));
	return end->stopped ? PW_CANCELLED : pw_mono_ms() >= end->until_ms ? PW_TIMEOUT : PW_OK;
}

static unsigned call_ms(const struct pw_made_end *end)
{
	int64_t left = end->until_ms - pw_mono_ms();
	return left <= 0 ? 1 : left < CALL_MS ? (unsigned)left : CALL_MS;
}

static bool is_ours(const struct pw_val *pod, const char *run)
{
	const struct pw_val *labels = pw_map_get(pw_map_get(pod, "metadata"), "labels");
	return !strcmp(pw_map_str(labels, PW_MADE_BY_LABEL, ""), PW_MADE_BY) && !strcmp(pw_map_str(labels, PW_MADE_RUN_LABEL, ""), run);
}

/* One look, and what follows from it. PW_ABSENT: it is not there. */
static int delete_once(const struct pw_kube *kube, const char *run, const struct pw_made_object *o, const struct pw_made_end *end, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
	struct pw_val *pod = NULL;
	int rc = pw_kube_get(kube, o->ns, o->name, call_ms(end), arena, &pod, err);
	if (rc < 0)
		return rc;
	const struct pw_val *meta = pw_map_get(pod, "metadata");
	if (!is_ours(pod, run))
		return pw_err_set(err, PW_UNSUPPORTED, "it does not carry the label of this run");
	if (pw_map_get(meta, "deletionTimestamp"))
		return PW_OK;
	return pw_kube_delete(kube, o->ns, o->name, pw_map_str(meta, "uid", ""), call_ms(end), err);
}

int pw_made_delete(const struct pw_kube *kube, const char *run, const struct pw_made_object *object, struct pw_made_end *end,
		   bool *ret_ending, struct pw_err *err)
{
	int64_t comes_until = pw_mono_ms() + COMES_MS;
	*ret_ending = false;
	for (;;) {
		int late = over(end);
		if (late)
			return pw_err_set(err, late, late == PW_CANCELLED ? "it was stopped before this was removed" : "there was no time left to remove it");
		pw_err_clear(err);
		int rc = delete_once(kube, run, object, end, err);
		*ret_ending = rc == PW_OK;
		if (rc != PW_ABSENT)
			return rc;
		pw_err_clear(err);
		if (!object->may_come || pw_mono_ms() >= comes_until)
			return PW_OK;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static bool wait_gone(const struct pw_kube *kube, const char *run, const struct pw_made_object *object, struct pw_made_end *end)
{
	while (over(end) == PW_OK) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
		struct pw_val *pod = NULL;
		int rc = pw_kube_get(kube, object->ns, object->name, call_ms(end), arena, &pod, NULL);
		if (rc == PW_ABSENT || (rc == PW_OK && !is_ours(pod, run)))
			return true;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return false;
}

static void say(const struct pw_made_end *end, const char *what, const struct pw_made_object *object, const char *why)
{
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, LINE_MAX_BYTES);
	pw_buf_printf(&line, "%s pod ", what);
	pw_buf_escaped(&line, object->ns, strlen(object->ns));
	pw_buf_putc(&line, '/');
	pw_buf_escaped(&line, object->name, strlen(object->name));
	pw_buf_printf(&line, "%s%s", *why ? ": " : "", why);
	if (end->say)
		end->say(end->arg, pw_buf_str(&line));
}

/* The deletion of one. What is not ours is no entry of ours. */
static int begin(struct pw_made_ledger *ledger, struct pw_made_object *object, const struct pw_kube *kube, struct pw_made_end *end,
		 bool *ret_ending, struct pw_err *err)
{
	say(end, "Removing", object, "");
	int rc = pw_made_delete(kube, ledger->run, object, end, ret_ending, err);
	if (rc == PW_UNSUPPORTED)
		say(end, "Left alone:", object, err->text);
	if (rc == PW_UNSUPPORTED || (rc == PW_OK && !*ret_ending))
		rc = pw_made_ledger_done(ledger, object, err);
	if (rc < 0)
		say(end, "Left:", object, err->text);
	return rc;
}

/* The server has taken the deletion: what is left of it is the kubelet's part, and nothing for a ledger. */
static int finish(struct pw_made_ledger *ledger, struct pw_made_object *object, const struct pw_kube *kube, struct pw_made_end *end,
		  struct pw_err *err)
{
	struct pw_made_end soon = *end;
	if (soon.until_ms > pw_mono_ms() + ENDS_MS)
		soon.until_ms = pw_mono_ms() + ENDS_MS;
	if (!wait_gone(kube, ledger->run, object, &soon))
		say(end, "Being deleted, not gone yet:", object, "");
	end->stopped = soon.stopped;
	return pw_made_ledger_done(ledger, object, err);
}

int pw_made_remove(struct pw_made_ledger *ledger, const struct pw_kube *kube, struct pw_made_end *end, struct pw_err *err)
{
	bool ending[PW_MADE_MAX] = { false };
	int worst = PW_OK;
	for (size_t i = 0; i < ledger->n; i++) {
		struct pw_err why = PW_ERR_INIT;
		int rc = ledger->objects[i].done ? PW_OK : begin(ledger, &ledger->objects[i], kube, end, &ending[i], &why);
		if (rc < 0 && !worst)
			worst = pw_err_set(err, rc, "pod %s/%s: %s", ledger->objects[i].ns, ledger->objects[i].name, why.text);
	}
	for (size_t i = 0; i < ledger->n; i++) {
		struct pw_err why = PW_ERR_INIT;
		int rc = ending[i] ? finish(ledger, &ledger->objects[i], kube, end, &why) : PW_OK;
		if (rc < 0 && !worst)
			worst = pw_err_set(err, rc, "%s", why.text);
	}
	return worst;
}
