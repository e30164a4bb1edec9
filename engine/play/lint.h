/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_LINT_H
#define ENGINE_PLAY_LINT_H

#include <stdint.h>

#include <play/fields.h>
#include <play/play.h>

/* The proofs, shared by the lint_*.c files. All of it lives in a scratch arena. */
struct pw_lint {
	const struct pw_play *play;
	const struct pw_play_env *env;
	struct pw_diags *diags;
	struct pw_arena *arena;
	bool *reached;               /* by step */
	bool *entered;               /* by verdict: some edge that is reached ends in it */
	bool *used;                  /* by input */
	bool partly;                 /* the loader found errors: what may follow from them is not said, nor any warning */
	bool wild;                   /* an edge or the start leads nowhere (a complaint of the loader): no step is blamed for being out of reach */
	size_t words;                /* of one set of steps */
	uint64_t *ran;               /* by step: the steps that every path to it has run */
	uint64_t *ran_before;        /* by verdict: the same */
};

static inline bool pw_set_has(const uint64_t *set, size_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static inline void pw_set_add(uint64_t *set, size_t i)
{
	set[i / 64] |= (uint64_t)1 << (i % 64);
}

/* The proofs of a playbook that the loader found errors in. */
int pw_lint_partly(const struct pw_play *play, const struct pw_play_env *env, struct pw_diags *diags);

/* lint_flow.c: reachability, circles, what ran where. False: out of memory. */
bool pw_lint_flow(struct pw_lint *lint);
/* lint_claims.c: verdicts against what was cleared. */
bool pw_lint_claims(struct pw_lint *lint);
/* lint_steps.c: outcomes; and last, so that they never take the room of an error, all warnings. */
bool pw_lint_steps(struct pw_lint *lint);
void pw_lint_rest(struct pw_lint *lint);
/* lint_refs.c: every template, where it stands. */
bool pw_lint_refs(struct pw_lint *lint);

/* ---- references (ref.c) ---- */

/* Where a template stands. */
struct pw_site {
	struct pw_place place;       /* when the value has none */
	const uint64_t *ran;         /* steps that have run by then; NULL: none (inputs) */
	const struct pw_play_step *loop; /* its loop variable can be seen; NULL */
	size_t inputs;               /* how many of the inputs can be seen */
	const bool *last;            /* by step: it may be the one that ended last, ${this}; NULL: none has */
};

/* What a reference is. */
struct pw_ref {
	bool any;                    /* not known until it runs; fits everywhere */
	enum pw_type type;
	const struct pw_field *item; /* of a list: the fields of its items; NULL: plain or not known */
	const struct pw_play_input *input; /* it is this input itself */
	bool optional;               /* it may be empty: an optional input */
};

/* Looks a reference up; complains at `place` and answers false if there is no such thing at this site. */
bool pw_ref_find(struct pw_lint *lint, const struct pw_site *site, struct pw_place place, const char *ref, size_t len, struct pw_ref *ret);
bool pw_type_fits(enum pw_type from, enum pw_type to);

/* Places: of a key's value within steps, verdicts or inputs; the record's own if it is not there. */
struct pw_place pw_lint_place(const struct pw_lint *lint, const char *section, const char *id, const char *key, struct pw_place otherwise);
const struct pw_val *pw_lint_val(const struct pw_lint *lint, const char *section, const char *id, const char *key);
/* The place of a reference within a scalar, if the scalar stands on one line as it is. */
struct pw_place pw_lint_ref_place(const struct pw_lint *lint, const struct pw_val *val, struct pw_place otherwise, size_t offset);

#endif
