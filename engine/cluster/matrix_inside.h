/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_MATRIX_INSIDE_H
#define ENGINE_CLUSTER_MATRIX_INSIDE_H

#include <cluster/matrix.h>
#include <cluster/policy.h>

/* The inside of the matrix: matrix.c prepares it, matrix_allowed.c evaluates it. */

/* A pod with the policies that select it. */
struct pw_member {
	struct pw_pod pod;      /* a copy that is not on the host's network */
	const struct pw_policy **by[2]; size_t n[2]; /* by enum pw_policy_direction */
	const struct pw_cluster_policy **cluster; size_t n_cluster; /* in the order they decide */
};

struct pw_matrix {
	const struct pw_facts *facts;
	struct pw_arena *arena;
	struct pw_member *members; size_t n_members;
	struct pw_group *groups; size_t n_groups;
	struct pw_group *outside; size_t n_outside;
	struct pw_address *cuts; size_t n_cuts; /* sorted: addresses from which on some policy may differ */
};

#endif
