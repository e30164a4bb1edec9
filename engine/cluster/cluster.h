/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_CLUSTER_H
#define ENGINE_CLUSTER_CLUSTER_H

#include <packetwalk/facts.h>

/* Where the cluster model comes from, and the model's life. */

struct pw_cluster_config {
	const char *source;       /* "kube:", "in-cluster:", "bundle:DIR", "manifests:DIR"; NULL: kube:, or in-cluster if there is no kubeconfig */
	const char *kubeconfig, *context, *namespace_, *as; /* NULL: as kubectl would; `as` impersonates */
	unsigned request_timeout_ms; /* 0: 10 s */
};

struct pw_cluster;
/* No network yet: finds and parses the configuration. */
int pw_cluster_open(const struct pw_cluster_config *config, struct pw_cluster **ret, struct pw_err *err);
void pw_cluster_close(struct pw_cluster *cluster);
const char *pw_cluster_describe(const struct pw_cluster *cluster);  /* "context prod (https://...)", "bundle ./b" */
const char *pw_cluster_namespace(const struct pw_cluster *cluster); /* the default namespace */
const char *pw_cluster_uid(struct pw_cluster *cluster);            /* uid of kube-system when known, else "" */

/* Makes sure these kinds are known (enum pw_fact bits), fetching those that are not, side by side, each in
 * a child process. A kind that cannot be had is no error: pw_facts_known says how it went. Errors are about
 * the source as a whole (no cluster at all: PW_NET, PW_AUTH). `ns` NULL: all namespaces. */
int pw_cluster_need(struct pw_cluster *cluster, unsigned kinds, const char *ns, struct pw_err *err);
const struct pw_facts *pw_cluster_facts(const struct pw_cluster *cluster); /* valid until close; grows with need */

/* Building a model from objects (tests, bundles, agents): any API object or List; unknown kinds are ignored.
 * PW_SYNTAX names kind, namespace/name and field for objects an API server would reject. */
struct pw_facts *pw_facts_new(struct pw_arena *arena);
int pw_facts_add(struct pw_facts *facts, const struct pw_val *object, struct pw_err *err);
void pw_facts_finish(struct pw_facts *facts);  /* sorts and indexes; kinds seen become PW_KNOWN_YES */
void pw_facts_set_known(struct pw_facts *facts, enum pw_fact kind, enum pw_known known, const char *gap);

/* Input types that name objects: how to parse, list and what fields they offer. */
struct pw_input_type {
	enum pw_type type;
	unsigned facts;           /* kinds needed */
	const char *const *fields; /* NULL-terminated: what ${input.FIELD} may be */
	/* `text` as a user typed it -> value map for pw_scope ("" is the canonical text). PW_ABSENT with the nearest names. */
	int (*resolve)(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err);
	/* Candidates for completion: seq of strings. */
	int (*candidates)(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret);
};
const struct pw_input_type *pw_input_type(enum pw_type type); /* every type has one; scalars have no facts */
/*
 * Fields: pod: name namespace node ip uid host_ip host_network labels(map) phase ports peer (another ready pod of the same node, "ns/name", "" if none)
 *           peer_ip; node_peer... see types.c
 *   service: name namespace fqdn type cluster_ip port (first) protocol target_port dns_ip (the cluster DNS ClusterIP) endpoints (list of {address, port, node, pod, ready})
 *   node: name ip pod_cidr peer (another node) peer_ip
 */

#endif
