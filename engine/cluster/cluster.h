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
const char *pw_cluster_context(const struct pw_cluster *cluster);   /* of the kubeconfig; "" where there is none */
const char *pw_cluster_namespace(const struct pw_cluster *cluster); /* the default namespace */
const char *pw_cluster_notes(const struct pw_cluster *cluster);     /* files passed over and why, a line each; "" */
const char *pw_cluster_uid(struct pw_cluster *cluster);            /* uid of kube-system when known, else "" */

/* Makes sure these kinds are known (enum pw_fact bits), fetching those that are not, side by side, each in
 * a child process. A kind that cannot be had is no error: pw_facts_known says how it went. Errors are about
 * the source as a whole (no cluster at all: PW_NET, PW_AUTH). `ns` NULL: all namespaces. */
int pw_cluster_need(struct pw_cluster *cluster, unsigned kinds, const char *ns, struct pw_err *err);
/* From now on need gives up at this time of pw_mono_ms with PW_TIMEOUT; 0: only requests have a limit. */
void pw_cluster_set_deadline(struct pw_cluster *cluster, int64_t mono_ms);
const struct pw_facts *pw_cluster_facts(const struct pw_cluster *cluster); /* valid until close; grows with need */

#define PW_ALL_FACTS ((enum pw_fact)(PW_FACT_INGRESSES * 2 - 1)) /* every kind; ingresses are the last */
/* "pods", "networkpolicies": for messages. */
const char *pw_fact_word(enum pw_fact kind);

/* What is listed of an API server for these kinds. Returns how many there are, whatever `max` is. */
struct pw_cluster_resource {
	const char *version, *resource; /* "discovery.k8s.io/v1", "endpointslices"; the core group has none: "v1" */
	const char *ns;                 /* in this namespace only, or NULL: everywhere */
};
size_t pw_cluster_resources(unsigned kinds, struct pw_cluster_resource *ret, size_t max);

/* Building a model from objects (tests, bundles, agents): any API object or List; unknown kinds are ignored.
 * PW_SYNTAX names kind, namespace/name and field for objects an API server would reject. */
struct pw_facts *pw_facts_new(struct pw_arena *arena);
int pw_facts_add(struct pw_facts *facts, const struct pw_val *object, struct pw_err *err);
void pw_facts_finish(struct pw_facts *facts);  /* sorts and indexes; kinds seen become PW_KNOWN_YES */
/* Before adding: refuse what an API server would reject (manifests). Otherwise objects are read leniently. */
void pw_facts_set_strict(struct pw_facts *facts, bool strict);
/* Before adding: workloads also yield a pod made from their template (manifests, where no pod runs yet). */
void pw_facts_set_templates(struct pw_facts *facts, bool templates);
void pw_facts_set_now(struct pw_facts *facts, int64_t now);
void pw_facts_set_version(struct pw_facts *facts, const char *version);
int64_t pw_facts_newest(const struct pw_facts *facts); /* the latest time any object names, 0 if none */
bool pw_facts_failed(const struct pw_facts *facts);    /* out of memory while building: do not trust it */
enum pw_fact pw_fact_of_kind(const char *kind, const char *version); /* "Pod", "v1"; PW_FACT_NONE; version NULL: any */
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
 * Fields (a pod is "ns/name", "" when there is none; booleans are booleans):
 *   pod: name namespace node node_ip ip uid host_ip host_network labels(map) phase ready dns_policy service_account
 *     ports (list of {"": number, port, name, protocol})
 *     peer peer_ip            another ready pod of the same node
 *     far far_ip far_node     a ready pod on another node
 *     other_client            a ready pod to send in its place: of its namespace on its node, of its namespace, of its node
 *   service: name namespace fqdn short type cluster_ip headless external_name lb_ip lb_host (its name, else its address) selector(map) dns_ip (ClusterIP of the cluster DNS)
 *     internal_policy external_policy session_affinity
 *     port port_name protocol app_protocol node_port target_port   of the first port, or of the one in "ns/name:PORT"
 *     endpoints, all_endpoints  lists of {"": "ip:port", address, port, node, node_ip, pod, ready, serving, terminating};
 *                               the first list has the ready ones only; merged over slices, without duplicates
 *     nodes (names of nodes with ready endpoints), first_endpoint ("ip:port"), first_endpoint_node
 *   node: name ip external_ip pod_cidr ready kubelet_version kernel_version peer (another node) peer_ip
 *   namespace: name labels(map)      url: scheme host port path      duration: ms
 * A pod may be written "ns/name", "name", an address, "[ns/]deployment/name" (statefulset, daemonset, ...) or "[ns/]label=value";
 * a service "ns/name", "name", "name.ns[.svc...]" or an address, each with ":PORT"; a node by name or address.
 */
/* The same map for a Service when the port is known by other means; `port` NULL: the first. */
struct pw_val *pw_service_val(const struct pw_facts *facts, const struct pw_service *service,
			      const struct pw_service_port *port, struct pw_arena *arena);
/* The value of an input that names a Service which does not exist: its name and nothing else, so that a walk can say so.
 * NULL if the text cannot be the name of one, or out of memory. */
struct pw_val *pw_service_absent_val(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena);
/* By number or name; NULL. */
const struct pw_service_port *pw_service_port_find(const struct pw_service *service, const char *text);

#endif
