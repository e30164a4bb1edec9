/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_JOB_H
#define ENGINE_VANTAGE_JOB_H

#include <stdint.h>

#include <proc/child.h>
#include <proc/wire.h>

#include "executor.h"

struct pw_via;

/* One task on its way through the executor: queued, maybe observed by an agent, run in a child, done. */

#define PW_FRAME_EXTRA 65536u    /* bytes of a frame besides the observation: evidence, sentence, names */
#define PW_KILL_GRACE_MS 500u    /* after its deadline a check may still say so itself; then it is killed */

enum pw_job_state { PW_JOB_QUEUED, PW_JOB_REMOTE, PW_JOB_CHILD, PW_JOB_DONE };

struct pw_job_limits { size_t max_output, max_memory; };

struct pw_job {
	struct pw_job *next;
	enum pw_job_state state;
	unsigned id;                 /* the caller's */
	unsigned serial;             /* ours, never used twice: the agent's id for it */
	struct pw_arena *arena;
	const struct pw_check *check;
	struct pw_vantage vantage;
	const char *where;           /* the vantage, for people */
	const struct pw_val *params, *observation;
	const struct pw_facts *facts;
	unsigned timeout_ms;
	bool probe_only;
	bool observed;               /* `observation` is there: judge it, do not probe */
	const struct pw_via *via;    /* PW_WAY_BORROW: the kubectl; and what is known of the container, NULL: nothing */
	const struct pw_val *container;

	int64_t started_ms, kill_ms; /* CLOCK_MONOTONIC */
	struct pw_child child;
	struct pw_wire_reader reader;
	struct pw_val *frame;        /* what the child said, NULL until then */
	struct pw_agent *agent;      /* PW_JOB_REMOTE: who observes */
	struct pw_buf log;           /* of the agent's child, or of ours */

	/* when done */
	int code;
	const char *outcome, *says, *reason;
	enum pw_class klass;
	const struct pw_val *evidence;
	unsigned duration_ms;
};

/* Copies the task. NULL and PW_NOMEM. */
int pw_job_new(const struct pw_task *task, const struct pw_job_limits *limits, struct pw_job **ret, struct pw_err *err);
void pw_job_free(struct pw_job *job); /* ends its child */

/* Does it look with what a container has? */
bool pw_job_borrows(const struct pw_job *job);
/* Starts the child. A failure ends the job. */
void pw_job_start(struct pw_job *job, const struct pw_job_limits *limits);
/* Its descriptors had news, or its time is up: reads, and ends the job if that was all. */
void pw_job_service(struct pw_job *job, int64_t now_ms);
/* The job is done without a judgement: code and reason. */
void pw_job_fail(struct pw_job *job, int code, const char *fmt, ...) PW_PRINTF(3, 4);
/* An agent observed: judge it here next. */
void pw_job_set_observation(struct pw_job *job, const struct pw_val *observation);
void pw_job_fill(const struct pw_job *job, struct pw_arena *arena, struct pw_task_done *ret);

/* The child's side: enter, probe, judge, one frame. Returns the exit status. */
struct pw_job_run { const struct pw_job *job; size_t max_output; };
int pw_job_child(void *arg, int out_fd);

#endif
