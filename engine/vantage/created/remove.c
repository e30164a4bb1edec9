/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removing a pod that is ours and nothing else: by name, checked by label, deleted by UID. */
#include "creation.h"

#include <poll.h>
#include <string.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

enum {
	TREE_MAX = 64 << 20,
	CALL_MS = 5000,          /* one kubectl, unless less is left */
	LOOK_MS = 250,           /* from one look to the next */
	COMES_MS = 2000,         /* how long a creation that was broken off may still come true */
};

static bool over(const struct pw_made_end *end)
{
	return pw_mono_ms() >= end->until_ms || (end->stop && end->stop(end->arg));
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

static int out_of_time(const struct pw_made_removal *r, struct pw_err *err)
{
	return pw_err_set(err, PW_TIMEOUT, "there was no time left to remove pod %s/%s", r->ns, r->name);
}

/* One look, and what follows from it. PW_ABSENT: it is not there. */
static int delete_once(const struct pw_made_removal *r, const struct pw_made_end *end, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
	struct pw_val *pod = NULL;
	int rc = pw_kube_get(r->kube, r->ns, r->name, call_ms(end), arena, &pod, err);
	if (rc < 0)
		return rc;
	const struct pw_val *meta = pw_map_get(pod, "metadata");
	if (!is_ours(pod, r->run))
		return pw_err_set(err, PW_UNSUPPORTED, "pod %s/%s does not carry the label of this run: it is not touched", r->ns, r->name);
	if (pw_map_get(meta, "deletionTimestamp"))
		return PW_OK;
	return pw_kube_delete(r->kube, r->ns, r->name, pw_map_str(meta, "uid", ""), call_ms(end), err);
}

int pw_made_delete(const struct pw_made_removal *r, const struct pw_made_end *end, bool *ret_ending, struct pw_err *err)
{
	int64_t comes_until = pw_mono_ms() + COMES_MS;
	int rc = PW_ABSENT;
	*ret_ending = false;
	while (rc == PW_ABSENT) {
		if (over(end))
			return out_of_time(r, err);
		pw_err_clear(err);
		rc = delete_once(r, end, err);
		if (rc != PW_ABSENT)
			break;
		if (!r->may_come || pw_mono_ms() >= comes_until)
			return PW_OK;
		(void)poll(NULL, 0, LOOK_MS);
	}
	*ret_ending = rc == PW_OK;
	return rc < 0 ? pw_err_wrap(err, "pod %s/%s", r->ns, r->name) : PW_OK;
}

int pw_made_wait_gone(const struct pw_made_removal *r, const struct pw_made_end *end, struct pw_err *err)
{
	while (!over(end)) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
		struct pw_val *pod = NULL;
		pw_err_clear(err);
		int rc = pw_kube_get(r->kube, r->ns, r->name, call_ms(end), arena, &pod, err);
		if (rc == PW_ABSENT || (rc == PW_OK && !is_ours(pod, r->run)))
			return PW_OK;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return pw_err_set(err, PW_TIMEOUT, "pod %s/%s is being deleted, but has not gone yet", r->ns, r->name);
}
