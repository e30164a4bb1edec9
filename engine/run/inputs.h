/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_INPUTS_H
#define ENGINE_RUN_INPUTS_H

#include <stdbool.h>

#include <packetwalk/facts.h>

#include <play/play.h>
#include <run/scope.h>

/*
 * The inputs of one walk: where each value came from, held to its type, and
 * put into the scope. Asking people and reading the environment is the
 * caller's; it says through `lookup` what was given.
 */
struct pw_input_value {
	const char *text;   /* as given; NULL: not set yet */
	const char *from;   /* for people: "--from", "answers.yaml", "playbook default", "to, Service shop/api" */
};

struct pw_inputs {
	const struct pw_play *play;
	struct pw_scope *scope;          /* filled as inputs are set */
	struct pw_arena *arena;
	const struct pw_facts *facts;    /* NULL: no cluster; inputs that name objects can not be set */
	const char *default_ns;
	struct pw_input_value *values;   /* one per input of the playbook */
};

/* What was given for an input, with where; NULL: nothing. */
typedef const char *(*pw_input_lookup_fn)(void *arg, const char *name, const char **ret_from);

int pw_inputs_init(struct pw_inputs *inputs, const struct pw_play *play, struct pw_scope *scope, struct pw_arena *arena,
		   struct pw_err *err); /* nothing to release: all in the arena */

/* Object kinds that the types of the inputs need (enum pw_fact bits). */
unsigned pw_inputs_kinds(const struct pw_play *play);

/* Sets one: PW_USAGE with the rule and the nearest value when it is not of its type, PW_ABSENT when the object is not there. */
int pw_inputs_set(struct pw_inputs *inputs, size_t i, const char *text, const char *from, struct pw_err *err);
/* As pw_inputs_set, but only looks: without a cluster, for scalars alone (objects pass). */
int pw_inputs_look(const struct pw_inputs *inputs, size_t i, const char *text, struct pw_err *err);

/* An object that is not there can be the very fault that is looked for. True when the playbook has a check that tells
 * (a declared outcome `absent` over objects of that kind), and the input names a Service. */
bool pw_inputs_may_be_absent(const struct pw_inputs *inputs, size_t i);
/* Sets one to an object that is not there: its name and namespace are known, every other field is empty. */
int pw_inputs_set_absent(struct pw_inputs *inputs, size_t i, const char *text, const char *from, struct pw_err *err);

/* The playbook's default, filled in from what is set so far. PW_ABSENT: it has none, or one that cannot be known yet. */
int pw_inputs_default(struct pw_inputs *inputs, size_t i, const char **ret_text, const char **ret_from, struct pw_err *err);
/* The only candidate there is, when there is exactly one. PW_ABSENT otherwise. */
int pw_inputs_discover(struct pw_inputs *inputs, size_t i, const char **ret_text, const char **ret_from, struct pw_err *err);

/* An optional input left out: known and empty. */
void pw_inputs_leave(struct pw_inputs *inputs, size_t i);

/* Sets all that lookup, then defaults, give. *ret_missing: how many required ones stay unset (values[i].text NULL).
 * The first bad value is the error; PW_OK with missing ones otherwise. */
int pw_inputs_fill(struct pw_inputs *inputs, pw_input_lookup_fn lookup, void *arg, size_t *ret_missing, struct pw_err *err);

/* Map of name -> text, for the record. */
struct pw_val *pw_inputs_val(const struct pw_inputs *inputs);

#endif
