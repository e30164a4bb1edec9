/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_MATRIX_H
#define ENGINE_CLUSTER_MATRIX_H

#include <cluster/address.h>
#include <cluster/cluster.h>
#include <cluster/ports.h>

/*
 * Whole port sets between groups of pods and ranges of addresses. Here policies
 * alone are judged: a host-network pod is a pod like any other, and the node
 * of a pod is an address like any other.
 */

/* One line or column: the pods of one owner, one pod, or addresses outside. */
struct pw_group {
	const char *name;                 /* "ns/name[Kind]", "ns/pod", "10.0.0.0-10.255.255.255" */
	const struct pw_pod *const *pods; size_t n_pods; /* none: outside */
	/* What stands for its members when policies are judged, each once; `n_again` more follow, for those that stand for several. */
	const uint32_t *points; size_t n_points, n_again;
	struct pw_address first, last;    /* outside: both in */
};

/* As a sender: the ports that Ingresses and Routes lead to, as far as the policies admit any pod of any namespace. */
#define PW_INGRESS_CONTROLLER "{ingress-controller}"

struct pw_matrix; /* peers and policies, prepared */
/* NULL when out of memory. The facts must be finished and must outlive it; most of it is the arena's. With a pool of several matrices
 * (NULL: one of its own) their answers can be compared. */
struct pw_matrix *pw_matrix_new(const struct pw_facts *facts, struct pw_arena *arena, struct pw_ports_pool *pool);
void pw_matrix_release(struct pw_matrix *matrix);
struct pw_ports_pool *pw_matrix_ports(const struct pw_matrix *matrix); /* that the answers are numbered in */

/* Owners (and pods without one), by name. */
size_t pw_matrix_groups(const struct pw_matrix *matrix, const struct pw_group **ret);
/* "ns/pod", "ns/name[Kind]", an address, "a-b", a CIDR, "{ingress-controller}". PW_ABSENT when there is no such pod or owner. */
int pw_matrix_find(struct pw_matrix *matrix, const char *text, struct pw_group *ret, struct pw_err *err);
/* The outside, cut where any policy tells addresses apart: IPv4, and IPv6 if a policy names any. */
size_t pw_matrix_outside(const struct pw_matrix *matrix, const struct pw_group **ret);

/* What every member of `from` may open to every member of `to`, and what depends on something that is not known. */
struct pw_reach { uint32_t allowed, unknown; };
struct pw_reach pw_matrix_allowed(struct pw_matrix *matrix, const struct pw_group *from, const struct pw_group *to);
/* The same for a whole line or column at once: one answer per group, one per range outside. */
int pw_matrix_to_groups(struct pw_matrix *matrix, const struct pw_group *from, struct pw_reach *ret);
void pw_matrix_to_outside(struct pw_matrix *matrix, const struct pw_group *from, struct pw_reach *ret);
void pw_matrix_from_outside(struct pw_matrix *matrix, const struct pw_group *to, struct pw_reach *ret);
/* From pods that are not among the objects, in any namespace and with any labels. */
struct pw_reach pw_matrix_from_anybody(struct pw_matrix *matrix, const struct pw_group *to);

#endif
