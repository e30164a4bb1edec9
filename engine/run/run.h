/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_RUN_H
#define ENGINE_RUN_RUN_H

#include <play/play.h>
#include <run/scope.h>

/*
 * The walker: a pure state machine. It knows the playbook, the scope, the
 * ledger and what was walked; it starts nothing and waits for nothing. Run,
 * wizard, test and replay drive it: ask it what it wants, tell it what happened.
 */

enum pw_ledger_state { PW_LEDGER_UNTESTED, PW_LEDGER_CLEARED, PW_LEDGER_SUSPECTED, PW_LEDGER_AT_FAULT };
const char *pw_ledger_word(enum pw_ledger_state state); /* "untested", "cleared", "suspected", "at-fault" */

struct pw_ledger_row { enum pw_ledger_state state; const char *because[32]; size_t n_because; };
struct pw_ledger { struct pw_ledger_row rows[PW_LAYER_COUNT]; };

struct pw_step_result {
	const char *id, *check, *vantage, *outcome, *says, *title, *hop;
	enum pw_class klass;
	const struct pw_val *evidence, *observation;
	unsigned duration_ms;
	const struct pw_val *items;  /* loops: seq of {item, outcome, says, evidence}; NULL */
};

struct pw_walk;
/* Everything is kept in `arena`, which must outlive the walk, as must the texts and values of the results fed. NULL: out of memory. */
struct pw_walk *pw_walk_new(const struct pw_play *play, struct pw_scope *scope, struct pw_arena *arena);

enum pw_walk_want { PW_WALK_CHECK, PW_WALK_ASK, PW_WALK_CALL, PW_WALK_DONE };
enum pw_walk_want pw_walk_want(const struct pw_walk *walk);
const struct pw_play_step *pw_walk_step(const struct pw_walk *walk);       /* the current one; NULL when done */
const struct pw_play_verdict *pw_walk_verdict(const struct pw_walk *walk); /* when done; NULL if it is the callee's */
bool pw_walk_adopts_callee(const struct pw_walk *walk); /* done, with the verdict of the playbook the last step called */

/*
 * The current step ended. Evidence enters the scope under the step's id, the edge is taken, the ledger moves.
 * PW_SYNTAX if the outcome is not one of the step's, or no edge takes it.
 * ${step} is what it says; ${step.KEY} its evidence (null for a declared key that was not found), and unless the check
 * declares them, ${step.outcome} and ${step.says}. A loop has ${step.items}, .where, .differs and .first (pw_loop_evidence),
 * an ask has .answer, a playbook .verdict .layer .component .hop. ${this} is the step that ended last.
 */
int pw_walk_feed(struct pw_walk *walk, const struct pw_step_result *result, struct pw_err *err);
/* Back to before a step that was walked (`b`): drops it and what followed. */
int pw_walk_rewind(struct pw_walk *walk, const char *step_id, struct pw_err *err);

const struct pw_ledger *pw_walk_ledger(const struct pw_walk *walk);
size_t pw_walk_results(const struct pw_walk *walk, const struct pw_step_result *const **ret);
/* Steps that can still be reached from the current one, nearest first (for prefetch and "steps left"). Indexes into play->steps. */
size_t pw_walk_reachable(const struct pw_walk *walk, struct pw_arena *arena, const int **ret);
/* Longest and shortest number of steps left, the current one included. */
void pw_walk_left(const struct pw_walk *walk, unsigned *ret_best, unsigned *ret_worst);

/*
 * Rolls the outcomes of a loop up: "every-X" if all ended in X; "mixed" if two known ones differ; "unknown" if one is not
 * known and the others do not differ (nothing is proven of it), or on out of memory; "skipped" if all were skipped, those
 * skipped beside others do not count; "empty" if there are none.
 */
const char *pw_loop_outcome(const char *const *outcomes, size_t n, struct pw_arena *arena);
/*
 * What a loop leaves, from `items` as in pw_step_result:
 *   items    [{"": text of the item, its fields, item, outcome, says, evidence: {...}}]
 *   where    {OUTCOME: [text of each item that ended so]}, every word of `words` there, perhaps empty
 *   differs  "refused: shop/api-2; connected: shop/api-1", the rarer first; the empty text if all ended alike
 *   first    the first item of the rarest outcome: where to look. The empty text if there are no items
 * NULL: out of memory.
 */
struct pw_val *pw_loop_evidence(const struct pw_val *items, const char *const *words, size_t n_words, struct pw_arena *arena);

/* ---- a whole run, and what it leaves ---- */
enum pw_status { PW_STATUS_HEALTHY, PW_STATUS_FAULT, PW_STATUS_INCONCLUSIVE };
const char *pw_status_word(enum pw_status status); /* "healthy", "fault", "inconclusive" */

struct pw_record {
	const char *playbook, *playbook_hash, *cluster, *cluster_uid, *version;
	long long started_ms;        /* Unix time */
	unsigned duration_ms;
	const struct pw_val *inputs; /* map name -> text as answered */
	enum pw_status status;
	bool partial;                /* ended early: deadline, signal, quit */
	struct { const char *id; enum pw_layer layer; const char *component, *hop, *says; const struct pw_val *actions, *because; const char *settle; const struct pw_val *could_be; } verdict;
	struct pw_ledger ledger;
	const struct pw_step_result *const *steps; size_t n_steps;
	const char *path_drawing;    /* text drawing with the broken hop marked, or NULL */
};

/* JSON of the contract (`packetwalk.result/1`), with observations when `whole` (the record file). */
struct pw_val *pw_record_to_val(const struct pw_record *record, bool whole, struct pw_arena *arena);
int pw_record_from_val(const struct pw_val *val, struct pw_arena *arena, struct pw_record *ret, struct pw_err *err);

#endif
