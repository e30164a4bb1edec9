/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_DRIVER_H
#define ENGINE_RUN_DRIVER_H

#include <packetwalk/facts.h>

#include <run/run.h>
#include <vantage/executor.h>

/*
 * Drives a walk to its verdict: starts checks, those that will be needed
 * ahead of their turn, waits, feeds results in the order of the walk, enters
 * called playbooks, and keeps what a record needs. It has no terminal: what
 * happens is told by events, what a person decides is asked by operations.
 * The wizard, a quiet run in CI and the tests use the same driver.
 */
struct pw_driver;
struct pw_inputs;

enum pw_driver_event_kind {
	PW_EV_STEP,     /* a step's turn has come: play, step, vantage unknown yet */
	PW_EV_WAIT,     /* waited more than 2 s: text says what for, elapsed_ms and limit_ms */
	PW_EV_RESULT,   /* a step ended: step, result */
	PW_EV_EDGE,     /* the walk moved on: edge, ledger; the record so far is pw_driver_record */
	PW_EV_ENTER,    /* a called playbook begins: play */
	PW_EV_LEAVE,    /* it ended: play; its result follows */
};

struct pw_driver_event {
	enum pw_driver_event_kind kind;
	const struct pw_driver *driver;
	const struct pw_play *play;
	const struct pw_play_step *step;
	const struct pw_step_result *result;
	const struct pw_play_edge *edge;
	const struct pw_ledger *ledger;
	const char *text;
	unsigned elapsed_ms, limit_ms;
	unsigned depth;               /* of called playbooks, 0: the one asked for */
	unsigned left_best, left_worst; /* steps left in this playbook, the current one included */
};

/* What a person says when asked. */
enum pw_driver_say { PW_SAY_GO, PW_SAY_SKIP, PW_SAY_REPEAT, PW_SAY_BACK, PW_SAY_QUIT };
enum pw_driver_signal { PW_SIGNAL_NONE, PW_SIGNAL_CANCEL, PW_SIGNAL_STOP };

struct pw_driver_ops {
	void (*event)(void *arg, const struct pw_driver_event *event); /* NULL: nobody listens */
	/* The answer to an `ask` step: PW_SAY_GO with *ret_answer (one of the step's, or "not-sure"), SKIP, BACK or QUIT. */
	enum pw_driver_say (*ask)(void *arg, const struct pw_play_step *step, const char *question, const char **ret_answer);
	/* May checks of this effect run from now on, though it is above max_effect? `does`: what this one would do. Asked once
	 * for each class. NULL: no. */
	bool (*consent)(void *arg, const struct pw_play_step *step, enum pw_effect effect, const char *does);
	/* Inputs of a called playbook that nothing gives (values[i].text NULL): sets those a person answers. NULL: nobody asks. */
	void (*inputs)(void *arg, struct pw_inputs *inputs);
	/* After a step was walked: GO on, SKIP the next, REPEAT it, go BACK before it, QUIT. NULL: go on. */
	enum pw_driver_say (*after)(void *arg, const struct pw_play_step *step, const struct pw_step_result *result);
	/* Asked whenever a wait was broken off: was there a signal, and what does it mean? NULL: never. */
	enum pw_driver_signal (*signal)(void *arg);
	void *arg;
};

struct pw_driver_config {
	const struct pw_play *play;
	struct pw_scope *scope;       /* with the inputs set */
	struct pw_arena *arena;       /* everything kept of the run */
	const struct pw_val *inputs;  /* texts, for the record */
	struct pw_executor *executor;
	const struct pw_facts *facts; /* NULL: no cluster */
	const char *default_ns, *cluster, *cluster_uid; /* NULL: none */
	const char *here;             /* vantage of steps without `at`; NULL: here */
	enum pw_effect max_effect;
	unsigned jobs;                /* 1: strictly one after the other; else checks are started ahead */
	int64_t deadline_ms;          /* pw_mono_ms() of the end of the run, 0: none */
	const struct pw_record *known; /* results to walk again instead of running (resume, replay), NULL */
	int wake_fd;                  /* readable when a signal came, -1 */
	struct pw_driver_ops ops;
};

enum pw_driver_end { PW_END_VERDICT, PW_END_DEADLINE, PW_END_STOPPED };

/* Object kinds the checks and inputs of a playbook, and of those it calls, read (enum pw_fact bits). */
unsigned pw_driver_kinds(const struct pw_play *play);

/* Walks. PW_OK with the record, also when it ended early (*ret_end): then it is partial. */
int pw_driver_run(const struct pw_driver_config *config, struct pw_record *ret, enum pw_driver_end *ret_end, struct pw_err *err);

/* For callbacks: the record so far, partial; and the pure walk of the playbook being walked. */
int pw_driver_record(const struct pw_driver *driver, struct pw_record *ret, struct pw_err *err);

#endif
