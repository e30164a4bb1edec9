/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_MATRIX_H
#define ENGINE_CLUSTER_MATRIX_H

#include <cluster/address.h>
#include <cluster/cluster.h>
#include <cluster/portset.h>

/*
 * Whole port sets between groups of pods and ranges of addresses. Here policies
 * alone are judged: a host-network pod is a pod like any other, and the node
 * of a pod is an address like any other.
 */

/* One line or column: the pods of one owner, one pod, or addresses outside. */
struct pw_group {
	const char *name;                 /* "ns/name[Kind]", "ns/pod", "10.0.0.0-10.255.255.255" */
	const struct pw_pod *const *pods; size_t n_pods; /* none: outside */
	struct pw_address first, last;    /* outside: both in */
	bool ingress;                     /* the ingress controller: some pod that is not among the objects */
};

/* As a sender: the ports that Ingresses and Routes lead to, as far as the policies admit any pod of any namespace. */
extern const struct pw_group pw_ingress_group; /* "{ingress-controller}" */

struct pw_matrix; /* peers and policies, prepared */
/* NULL when out of memory. The facts must be finished and must outlive it. */
struct pw_matrix *pw_matrix_new(const struct pw_facts *facts, struct pw_arena *arena);

/* Owners (and pods without one), by name. */
size_t pw_matrix_groups(const struct pw_matrix *matrix, const struct pw_group **ret);
/* "ns/pod", "ns/name[Kind]", an address, "a-b", a CIDR, "{ingress-controller}". PW_ABSENT when there is no such pod or owner. */
int pw_matrix_find(struct pw_matrix *matrix, const char *text, struct pw_group *ret, struct pw_err *err);
/* The outside, cut where any policy tells addresses apart: IPv4, and IPv6 if a policy names any. */
size_t pw_matrix_outside(const struct pw_matrix *matrix, const struct pw_group **ret);

/* What every member of `from` may open to every member of `to`. */
void pw_matrix_allowed(const struct pw_matrix *matrix, const struct pw_group *from, const struct pw_group *to,
		       struct pw_portsets *ret);

#endif
