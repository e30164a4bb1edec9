/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_CHECKS_JUDGE_CASE_H
#define TESTS_CHECKS_JUDGE_CASE_H

#include <packetwalk/buf.h>
#include <packetwalk/check.h>
#include <packetwalk/facts.h>
#include <vantage/ctx_priv.h>

/*
 * A case of tests/checks/NAME.yaml, a list of
 *
 *     - title: what is the matter
 *       params: {pod: shop/web}
 *       cluster: shop              # a file of tests/checks/cluster/, or a list of objects; the list may begin with
 *                                  # such a file, and of two objects of one name the later counts
 *       unknown: [pods]            # kinds of object that may not be read
 *       partly: [namespaces]       # and those of which only some may
 *       observation: {links: []}   # as the probe gives it
 *       expect: {outcome: ok, says: part of the sentence or /regular expression/, evidence: {mtu: 1450}}
 *
 * Plain scalars are numbers and booleans where they look like it, as in JSON; quoted ones are text.
 */
struct judge_case {
	const char *title;
	unsigned line;
	const struct pw_val *params;      /* as given */
	const struct pw_val *objects;     /* seq, those of a fixture first */
	size_t n_shared;                  /* so many of them are of a fixture */
	const struct pw_val *unknown, *partly; /* seqs of words */
	const struct pw_val *observation; /* a map */
	const struct pw_val *expect;
};

/* What one run of a judge came to. Lives in the arena it was run in. */
struct judge_run {
	struct pw_ctx ctx;
	struct pw_result result;
	int rc;
	struct pw_err err;
};

/* The cases of a check, in `arena`. Errors carry file, line and column. *ret_count is at least 1. */
int judge_load(const struct pw_check *check, struct pw_arena *arena, struct judge_case **ret, size_t *ret_count, struct pw_err *err);

/* The model of a case. Kinds the check reads and the case does not have are known to be empty. */
struct pw_facts *judge_facts(const struct pw_check *check, const struct judge_case *c, const struct pw_val *objects,
			     struct pw_arena *arena, struct pw_err *err);

/* Judges, by the same way as the executor. `params` as given. */
void judge_run(const struct pw_check *check, const struct pw_val *params, const struct pw_facts *facts, const struct pw_val *observation,
	       struct pw_arena *arena, struct judge_run *ret);
const char *judge_outcome(const struct judge_run *run); /* "" if it failed */

/* Does each value have the type its declaration gives? Says the first that does not in `err`. */
int judge_evidence_types(const struct pw_check *check, const struct pw_val *evidence, struct pw_err *err);

/*
 * Hostile observations: every value of the observation, of list parameters and of the cluster's objects in turn is
 * left out or replaced. The judge must still end in a declared outcome or in unknown, with a sentence.
 * Objects of a fixture are spared unless `shared` is set: once per check is enough.
 * Returns the number of runs; the first that went wrong is told in `ret_wrong` (empty if none).
 */
size_t judge_hostile(const struct pw_check *check, const struct judge_case *c, bool shared, struct pw_buf *ret_wrong);

#endif
