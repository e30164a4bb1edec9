/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_CTX_PRIV_H
#define ENGINE_VANTAGE_CTX_PRIV_H

#include <stdint.h>

#include <packetwalk/ctx.h>

/* What ctx.h keeps from checks. Built by whoever runs one: the executor's children, and tests of a judge. */

struct pw_ctx {
	const struct pw_check *check;
	const struct pw_val *params;    /* completed by pw_params_check */
	const struct pw_facts *facts;   /* NULL: none were asked for; an empty model is made on demand */
	struct pw_arena *arena;
	int64_t deadline_ms;            /* CLOCK_MONOTONIC */
	const char *vantage;            /* for people */
	int root_fd;                    /* O_PATH of the vantage's root folder, -1 if it cannot be had */
	const char *no_root;            /* then: why */
	const struct pw_val *files;     /* instead of a root folder: texts by path, of a container; NULL: none were borrowed */
};

struct pw_result {
	const struct pw_check *check;
	struct pw_arena *arena;
	const struct pw_outcome *outcome; /* NULL until set, and when unknown */
	bool unknown;
	const char *says;
	struct pw_val *evidence;
	struct pw_err err;              /* a defect of the judge: undeclared outcome, two outcomes */
};

/* A context at "here", with the root folder of this process not opened (root_fd -1). */
void pw_ctx_init(struct pw_ctx *ctx, const struct pw_check *check, const struct pw_val *params,
		 const struct pw_facts *facts, struct pw_arena *arena, unsigned timeout_ms);
void pw_result_init(struct pw_result *result, const struct pw_check *check, struct pw_arena *arena);

/* Runs the judge and checks what it did: exactly one outcome, declared, evidence declared. PW_INTERNAL names the check. */
int pw_judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err);

/* Is every key of `evidence` declared by `check`? PW_INTERNAL names check and key. */
int pw_evidence_check(const struct pw_check *check, const struct pw_val *evidence, struct pw_err *err);
/* The declared outcome, NULL if there is none of that word. */
const struct pw_outcome *pw_outcome_find(const struct pw_check *check, const char *word);

#endif
