/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_SLOTS_H
#define ENGINE_RUN_SLOTS_H

#include <packetwalk/facts.h>

#include <run/run.h>
#include <run/ways.h>

/*
 * The checks of one walk as they run: a slot per step, started ahead of its
 * turn or at it, collected in any order, read in the order of the walk. A
 * step is made of the same templates whenever it is started, so starting
 * early never changes what it finds.
 */
enum pw_slot_state { PW_SLOT_IDLE, PW_SLOT_RUNNING, PW_SLOT_DONE };

struct pw_slot_item {
	unsigned task;                /* id at the executor, 0: never started */
	const struct pw_val *value;   /* the loop variable, NULL without a loop */
	const char *vantage;          /* for people */
	bool done;
	struct pw_task_done result;
};

struct pw_slot {
	const struct pw_play_step *step;
	enum pw_slot_state state;
	struct pw_slot_item *items; size_t n_items;
	size_t n_left;                /* items still running */
	int64_t started_ms;           /* monotonic */
	unsigned limit_ms;            /* the longest deadline of its checks */
	bool in_turn_only;            /* an item of its loop cannot run: said in its turn, not tried ahead again and again */
};

struct pw_slots {
	struct pw_executor *executor; /* shared by all walks of a run */
	struct pw_arena *arena;
	struct pw_scope *scope;
	const struct pw_facts *facts;
	const char *here;
	struct pw_slot *slots; size_t n; /* by step index */
	const struct pw_consent *consent; /* what is allowed so far, shared by all walks of a run */
	unsigned *next_task;          /* ids, shared by all walks of a run */
};

/* What stands in the way of a step: the first of its checks that has no allowed way to its place. */
struct pw_slot_wants {
	struct pw_way_choice choice;
	const char *does, *exactly;   /* what allowing it means; and which object would be made */
	bool refused;                 /* a person said no to that class already */
	bool all;                     /* none of its checks may run */
};

int pw_slots_init(struct pw_slots *slots, const struct pw_play *play, struct pw_err *err); /* the rest is set by the caller */

/* Starts a step's check, or one per item of its loop. An error means it cannot run now: PW_ABSENT (something it
 * needs is not known or does not exist), PW_USAGE (bad parameters), or the executor's. In its turn, an item of a loop
 * that cannot run is a result of its own; ahead of it, it means that the step is not ripe, and nothing is started. */
int pw_slots_start(struct pw_slots *slots, size_t index, bool ahead, struct pw_err *err);
/* Is there a check of the step that may not run as things stand? false also where its place is not known. */
bool pw_slots_wants(struct pw_slots *slots, size_t index, struct pw_slot_wants *ret);
/* Does it read ${this}, the step that ended last? Then it is made of something else before its turn. */
bool pw_slots_reads_this(const struct pw_play_step *step);
/* Takes a finished task if it belongs here. */
bool pw_slots_take(struct pw_slots *slots, const struct pw_task_done *done);
/* Gives up on a running step; its slot is idle again. */
void pw_slots_cancel(struct pw_slots *slots, size_t index);
void pw_slots_cancel_all(struct pw_slots *slots);
void pw_slots_forget(struct pw_slots *slots, size_t index); /* cancels or drops the result: to be run again */

/* The result of a step whose slot is done. Loops are rolled up. */
int pw_slots_result(const struct pw_slots *slots, size_t index, struct pw_step_result *ret, struct pw_err *err);

#endif
