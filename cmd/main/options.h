/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_OPTIONS_H
#define CMD_MAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/arena.h>
#include <packetwalk/err.h>

/* Table-driven command line options. Long forms for all, in any order, never abbreviated. */

enum pw_opt_flags {
	PW_OPT_MANY = 1,      /* may be given again; all values count */
	PW_OPT_MAYBE = 2,     /* its value may be left out: the next word is taken unless it looks like an option */
	PW_OPT_LOCAL = 4,     /* only on the command line: not from environment or configuration */
	PW_OPT_TRUSTED = 16,  /* may start programs or widen what is allowed: not from a project's configuration file */
	PW_OPT_INPUT = 8,     /* an input of a playbook or parameter of a check: ends up in the pairs */
};

struct pw_opt {
	const char *name;     /* without the dashes; NULL ends a table */
	char letter;          /* 0: none */
	const char *value;    /* what its value is called in help; NULL: a flag */
	const char *help;
	unsigned flags;
};

/* A table that grows. */
struct pw_opt_list {
	struct pw_arena *arena;
	struct pw_opt *opts;  /* ended by a NULL name once something was added; NULL before */
	size_t n, cap;
};
void pw_opt_list_add(struct pw_opt_list *list, const struct pw_opt *opt);

struct pw_arg { const struct pw_opt *opt; const char *value; /* "" for a flag or a value left out */ };

struct pw_args {
	const struct pw_arg *set; size_t n_set; /* in the order given */
	const char *const *words; size_t n_words;
};

/* Parses argv[0..argc) against the tables. `lenient`: unknown options are skipped (with a value, if one seems
 * to follow) instead of refused. PW_USAGE names the option and the nearest one. Arrays live in the arena. */
int pw_options_parse(int argc, char **argv, const struct pw_opt *const *tables, size_t n_tables, bool lenient,
		     struct pw_arena *arena, struct pw_args *ret, struct pw_err *err);

const struct pw_opt *pw_opt_find(const struct pw_opt *const *tables, size_t n_tables, const char *name, size_t len);

/* NAME=VALUE: the length of NAME, 0 if the word is not one. */
size_t pw_pair_name(const char *word);

#endif
