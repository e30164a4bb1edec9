/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_EXPR_H
#define ENGINE_CLUSTER_EXPR_H

#include <packetwalk/facts.h>

/* Calico's selectors: "app == 'web' && !has(old) || zone in {'a', 'b'}". */

enum pw_expr_op {
	PW_EXPR_ALL, PW_EXPR_AND, PW_EXPR_OR, PW_EXPR_NOT, PW_EXPR_HAS, PW_EXPR_EQUAL, PW_EXPR_NOT_EQUAL, PW_EXPR_IN, PW_EXPR_NOT_IN,
	PW_EXPR_CONTAINS, PW_EXPR_STARTS, PW_EXPR_ENDS,
};
struct pw_expr {
	enum pw_expr_op op;
	const struct pw_expr *left, *right; /* NOT has the left one only */
	const char *key;
	struct pw_strings values;
};

/* NULL when it is not understood, or out of memory. Empty text selects all. */
const struct pw_expr *pw_expr_parse(const char *text, struct pw_arena *arena);
bool pw_expr_match(const struct pw_expr *expr, const struct pw_labels *labels);
/* Calls fn with each key that the expression asks for. */
void pw_expr_keys(const struct pw_expr *expr, void (*fn)(void *arg, const char *key), void *arg);

#endif
