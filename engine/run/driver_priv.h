/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_DRIVER_PRIV_H
#define ENGINE_RUN_DRIVER_PRIV_H

#include <run/driver.h>
#include <run/slots.h>

/* The parts of the driver: frames (one per playbook being walked), the list of results, the record. */

#define PW_DRIVER_JOBS 16 /* checks at once unless said; the executor's own default */

/* How a walk ended, filled in. */
struct pw_outcome_verdict {
	const char *id;
	enum pw_layer layer;
	const char *component, *hop, *says, *settle;
	struct pw_val *actions, *because, *could_be;
};

/* One playbook being walked. */
struct pw_frame {
	struct pw_frame *parent;
	const struct pw_play *play;
	const struct pw_play_step *call; /* the parent's step that called it, NULL at the top */
	const char *prefix;              /* of its step ids in the record: "" or "call/" */
	unsigned depth;
	struct pw_scope *scope;
	struct pw_walk *walk;
	struct pw_slots slots;
	/* The last playbook it called and what was found there: `verdict: callee` adopts it. */
	const struct pw_play_step *called;
	struct pw_outcome_verdict called_verdict;
	struct pw_ledger called_ledger;
};

struct pw_driver {
	struct pw_driver_config config;
	struct pw_frame *top;
	const struct pw_step_result **results; size_t n_results, cap_results; /* all frames, in the order of the walk */
	size_t n_known;                  /* results of config.known already walked again */
	unsigned next_task;
	struct pw_consent consent;
	enum pw_driver_end end;          /* PW_END_VERDICT while it runs */
	bool skip_next, alone;
	long long started_ms;            /* Unix time */
	int64_t mono_ms;
};

/* frames.c */
int pw_frame_start(struct pw_driver *driver, struct pw_err *err);
int pw_frame_call(struct pw_driver *driver, const struct pw_play_step *step, struct pw_err *err);
/* Instead of a call that is not possible: a verdict that says so, for `verdict: callee`. */
void pw_frame_not_called(struct pw_driver *driver, const struct pw_play_step *step, const char *says);
int pw_frame_return(struct pw_driver *driver, struct pw_step_result *ret, struct pw_err *err);
int pw_results_add(struct pw_driver *driver, const struct pw_step_result *result, struct pw_err *err);
/* Undoes the last `n` steps of the current playbook (fewer if there are not so many). */
int pw_results_rewind(struct pw_driver *driver, size_t n, struct pw_err *err);
const struct pw_step_result *pw_known_take(struct pw_driver *driver, const struct pw_frame *frame, const struct pw_play_step *step);
bool pw_known_has(const struct pw_driver *driver, const struct pw_frame *frame, const struct pw_play_step *step);

/* outcome.c */
int pw_frame_verdict(const struct pw_driver *driver, const struct pw_frame *frame, struct pw_outcome_verdict *ret,
		     struct pw_ledger *ret_ledger, struct pw_err *err);
enum pw_status pw_status_of(enum pw_layer layer);
int pw_record_finished(const struct pw_driver *driver, struct pw_record *ret, struct pw_err *err);
int pw_record_unfinished(const struct pw_driver *driver, struct pw_record *ret, struct pw_err *err);

#endif
