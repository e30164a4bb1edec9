/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_GIVEN_H
#define CMD_MAIN_GIVEN_H

#include <run/inputs.h>

#include "cmd.h"

/* What was given for the inputs of a playbook: on the command line, in the answers file, in the environment, in
 * configuration files; in this order. The same names answer its `ask` steps. */
struct pw_given {
	struct pw_app *app;
	const struct pw_play *play;
	const struct pw_val *answers; /* NULL: no answers file */
	const char *answers_file;
	const struct pw_val *saved;   /* inputs of a session that is resumed, NULL */
};

/* Reads --answers and refuses names that no input or question has. The exit code to end with, 0 to go on. */
int pw_given_init(struct pw_given *given, struct pw_app *app, const struct pw_play *play);
/* A pw_input_lookup_fn; `arg` is the pw_given. */
const char *pw_given_lookup(void *arg, const char *name, const char **ret_from);
/* Every input that is missing or not of its type, all at once, without touching a cluster. 0: nothing is wrong. */
int pw_given_check(struct pw_given *given, struct pw_inputs *inputs);
/* Says all inputs that are not set, with flag, environment variable and key; the exit code. */
int pw_given_missing(struct pw_given *given, const struct pw_inputs *inputs);
/* PACKETWALK_INPUT_NAME */
const char *pw_given_variable(struct pw_app *app, const char *name);
/* Inputs that only a called playbook has: as plain values where its call finds them, and among the texts of the record. */
void pw_given_pass_on(struct pw_given *given, struct pw_scope *scope, struct pw_val *texts);

#endif
