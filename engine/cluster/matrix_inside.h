/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_MATRIX_INSIDE_H
#define ENGINE_CLUSTER_MATRIX_INSIDE_H

#include <cluster/matrix.h>
#include <cluster/policy.h>

/*
 * The inside of the matrix. Pods that no policy can tell apart are one class,
 * and policies are judged between points: the classes, then the ranges of
 * addresses outside, then the ingress controller. matrix_class.c finds the
 * classes and ranges, matrix_rule.c turns policies into sets of points,
 * matrix_allowed.c judges, matrix.c names.
 */

struct pw_kin {
	const struct pw_pod *pod;         /* one of them; not on the host's network, whatever the object says */
	const uint32_t *ranges; size_t n_ranges; /* where its addresses lie */
	uint32_t shape;                   /* of the named ports of its containers: equal numbers, equal ports */
	uint32_t fronts;                  /* the ports that Ingresses and Routes lead to */
	uint32_t program[2];              /* by enum pw_policy_direction */
	uint32_t door;                    /* equal numbers take in the same: one ingress program and one shape */
};

/* Classes stand by namespace, so those of one are a run. */
struct pw_run { const char *ns; uint32_t first, n; };

struct pw_mrule {
	enum pw_action action;
	const uint64_t *sure, *maybe;     /* points that it matches, or may match (NULL: none) */
	uint32_t ports;                   /* unless `named` */
	bool named;                       /* ports depend on the receiver's containers */
	const struct pw_policy_rule *rule;            /* one of these */
	const struct pw_cluster_rule *cluster_rule;
};

struct pw_mpolicy {
	int stage;                        /* of one stage the first match decides; what none matches goes on to the next */
	bool isolates[2];                 /* what none of its stage matches goes nowhere */
	struct pw_mrule *rules[2]; size_t n_rules[2];
	const uint64_t *subjects, *maybe; /* classes it selects, or may select (NULL: none) */
};

/* The policies of one direction that select a class, in order: 2 * number, + 1 where they only may. */
struct pw_program { const uint32_t *v; size_t n; };

/* What was lately found out, forgotten when another takes its place. */
struct pw_named_ports { const struct pw_mrule *rule; uint32_t shape, ports; };
#define PW_NAMED_PORTS 4096u

struct pw_matrix {
	const struct pw_facts *facts;
	struct pw_arena *arena, *rows;    /* rows: answers kept from line to line, dropped when they are many */
	struct pw_ports_pool *ports;
	struct pw_kin *classes; uint32_t n_classes;
	struct pw_run *runs; size_t n_runs;
	const struct pw_pod **shapes; uint32_t n_shapes; /* a pod of each shape; the first is no pod */
	uint32_t *class_of;               /* of each pod of the facts */
	struct pw_group *groups; size_t n_groups;
	struct pw_group *outside; size_t n_outside, n_shown;
	struct pw_address *cuts; size_t n_cuts; /* sorted: addresses from which on some policy may differ */
	struct pw_mpolicy *policies; size_t n_policies;
	struct pw_program *programs; uint32_t n_programs;
	const struct pw_kin **doors; size_t n_doors; /* a class of each */
	struct pw_reach *column;          /* room for one answer per door */
	struct pw_reach **egress_rows;    /* by program, over all points; NULL: not known now */
	struct pw_named_ports *named;
	uint32_t n_points;
	size_t n_words;                   /* of a set of points */
};

static inline uint32_t pw_point_outside(const struct pw_matrix *matrix, size_t range)
{
	return matrix->n_classes + (uint32_t)range;
}

static inline uint32_t pw_point_ingress(const struct pw_matrix *matrix)
{
	return matrix->n_points - 1;
}

static inline bool pw_bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static inline void pw_bit_set(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

/* The ranges that `first`..`last` lies in, a run. */
void pw_matrix_ranges(const struct pw_matrix *matrix, const struct pw_address *first, const struct pw_address *last,
		      size_t *ret_from, size_t *ret_to);

/* In this order; PW_NOMEM or PW_OK. */
int pw_matrix_make_outside(struct pw_matrix *matrix);
int pw_matrix_make_classes(struct pw_matrix *matrix);
int pw_matrix_make_policies(struct pw_matrix *matrix);
int pw_matrix_make_programs(struct pw_matrix *matrix);

#endif
