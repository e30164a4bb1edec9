/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_CREATED_REMOVE_H
#define ENGINE_VANTAGE_CREATED_REMOVE_H

#include <stdint.h>

#include "ledger.h"

/* Removing what is ours, and nothing else: found by name, known by label, deleted by UID. */

struct pw_made_end {
	int64_t until_ms;            /* pw_mono_ms(): no longer than this */
	bool (*stop)(void *arg);     /* asked between steps; NULL: never */
	bool stopped;                /* it said so once: that holds for all that is left */
	void (*say)(void *arg, const char *line); /* what is removed, what is left; NULL */
	void *arg;
};

/* All objects of a ledger. PW_OK: nothing of it is left, and it is off the disk; else the first that stays, and why: PW_TIMEOUT, no time;
 * PW_CANCELLED, it was stopped. */
int pw_made_remove(struct pw_made_ledger *ledger, const struct pw_kube *kube, struct pw_made_end *end, struct pw_err *err);

/* One pod, whatever a ledger says. PW_OK: the server has taken the deletion, or there is none (*ret_ending false);
 * PW_UNSUPPORTED: it does not carry the label of `run`. */
int pw_made_delete(const struct pw_kube *kube, const char *run, const struct pw_made_object *object, struct pw_made_end *end,
		   bool *ret_ending, struct pw_err *err);

#endif
