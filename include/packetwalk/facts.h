/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_FACTS_H
#define PACKETWALK_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <packetwalk/check.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * The cluster model: what packetwalk knows of the API objects, whatever they
 * were read from (API server, bundle, manifests). Field names follow the API
 * (kubernetes.io/docs/reference). Strings are never NULL: absent is "". Lists
 * are arrays with a count. Everything is borrowed from the model and hostile:
 * escape before display.
 */

/* How well one kind of object is known. */
enum pw_known {
	PW_KNOWN_NOT_ASKED,
	PW_KNOWN_YES,       /* whole, for the scope asked */
	PW_KNOWN_PART,      /* only some namespaces; see pw_facts_gap */
	PW_KNOWN_DENIED,    /* 403: `gap` names verb and resource */
	PW_KNOWN_ABSENT,    /* the server does not serve this kind */
	PW_KNOWN_FAILED,    /* network, syntax, ...: `gap` says what */
};

struct pw_label { const char *key, *value; };
struct pw_labels { const struct pw_label *v; size_t n; };
struct pw_strings { const char *const *v; size_t n; };

struct pw_meta {
	const char *ns, *name, *uid;      /* ns "" for cluster-scoped */
	const char *owner_kind, *owner_name; /* the controller owner reference */
	struct pw_labels labels, annotations;
	int64_t created;                  /* Unix seconds, 0 if unknown */
	bool terminating;                 /* deletionTimestamp set */
};

struct pw_namespace { struct pw_meta meta; };

struct pw_taint { const char *key, *value, *effect; };

struct pw_node {
	struct pw_meta meta;
	const char *internal_ip, *external_ip; /* first of each type */
	struct pw_strings addresses;      /* all IPs */
	struct pw_strings pod_cidrs;
	int ready;                        /* 1 True, 0 False, -1 Unknown or missing */
	const char *ready_reason, *ready_message;
	int64_t heartbeat;                /* lastHeartbeatTime of Ready, 0 unknown */
	bool network_unavailable, unschedulable;
	const struct pw_taint *taints; size_t n_taints;
	const char *kubelet_version, *kernel_version, *os_image, *runtime_version, *provider_id;
};

struct pw_container_port { const char *name, *protocol; uint16_t port, host_port; };

enum pw_handler { PW_HANDLER_NONE, PW_HANDLER_HTTP, PW_HANDLER_TCP, PW_HANDLER_EXEC, PW_HANDLER_GRPC };

struct pw_handler_spec {               /* a probe of the kubelet */
	enum pw_handler kind;
	const char *scheme, *path, *host;
	const char *port_name; uint16_t port; /* one of them */
	unsigned timeout_s, period_s, failure_threshold;
};

struct pw_container {
	const char *name, *image;
	const struct pw_container_port *ports; size_t n_ports;
	struct pw_handler_spec readiness, liveness;
	bool init;                        /* an init container (a sidecar if restart_always) */
	bool restart_always;
	bool ready, started;
	const char *state;                /* "running", "waiting", "terminated", "" */
	const char *reason, *message;     /* of the state */
	const char *last_reason, *last_message; int last_exit_code;
	unsigned restarts;
	int64_t started_at;               /* Unix seconds */
};

struct pw_host_alias { const char *ip; struct pw_strings names; };
struct pw_toleration { const char *key, *op, *value, *effect; int64_t seconds; /* -1: for ever */ };

struct pw_pod {
	struct pw_meta meta;
	const char *node, *phase, *ip, *host_ip;
	struct pw_strings ips;
	bool host_network, ready, scheduled;
	bool template;                    /* not a pod yet: what a workload of the manifests would make */
	const char *ready_reason, *ready_message; /* of condition Ready */
	const char *scheduled_reason, *scheduled_message;
	const char *status_reason, *status_message;
	const char *dns_policy;
	struct pw_strings dns_nameservers, dns_searches; /* spec.dnsConfig */
	struct pw_labels dns_options;
	const struct pw_host_alias *host_aliases; size_t n_host_aliases;
	const struct pw_container *containers; size_t n_containers; /* init ones first */
	const char *hostname, *subdomain, *service_account;
	const struct pw_toleration *tolerations; size_t n_tolerations;
	int sandbox;                      /* condition PodReadyToStartContainers: 1 True, 0 False, -1 not said */
};

struct pw_service_port {
	const char *name, *protocol, *app_protocol;
	uint16_t port, node_port;
	uint16_t target_port; const char *target_name; /* one of them; both empty means = port */
};

struct pw_service {
	struct pw_meta meta;
	const char *type;                 /* ClusterIP, NodePort, LoadBalancer, ExternalName */
	const char *cluster_ip;           /* "None" for headless, "" if none */
	struct pw_strings cluster_ips, external_ips, ip_families, lb_source_ranges, lb_ips, lb_hosts;
	const char *ip_family_policy, *external_name, *session_affinity;
	const char *internal_policy, *external_policy; /* "Cluster" or "Local"; "" means Cluster */
	unsigned affinity_timeout_s; uint16_t health_check_node_port;
	bool publish_not_ready;
	struct pw_labels selector;
	const struct pw_service_port *ports; size_t n_ports;
};

struct pw_endpoint {
	const char *address;              /* addresses[0] */
	struct pw_strings addresses;
	const char *node, *hostname, *zone;
	bool ready, serving, terminating; /* nil already resolved as the API says */
	const char *target_kind, *target_ns, *target_name, *target_uid;
};

struct pw_slice_port { const char *name, *protocol; uint16_t port; };

struct pw_slice {
	struct pw_meta meta;
	const char *service;              /* label kubernetes.io/service-name */
	const char *managed_by;           /* label endpointslice.kubernetes.io/managed-by */
	const char *address_type;
	const struct pw_endpoint *endpoints; size_t n_endpoints;
	const struct pw_slice_port *ports; size_t n_ports;
};

enum pw_op { PW_OP_IN, PW_OP_NOT_IN, PW_OP_EXISTS, PW_OP_NOT_EXISTS };
struct pw_requirement { const char *key; enum pw_op op; struct pw_strings values; };
/* matchLabels are folded into requirements. present=false: no selector given
 * (matches nothing or has a meaning of its own); present with n=0 matches all. */
struct pw_expr;
struct pw_selector { bool present; const struct pw_requirement *v; size_t n; const struct pw_expr *expr; /* has to hold too, NULL if none */ };

struct pw_policy_port { const char *protocol; const char *name; uint16_t port, end_port; bool any_port; };
struct pw_policy_peer {
	struct pw_selector pods, namespaces;
	const char *cidr; struct pw_strings except; /* cidr "" unless an ipBlock */
};
struct pw_policy_rule {
	const struct pw_policy_peer *peers; size_t n_peers; /* none: any peer */
	const struct pw_policy_port *ports; size_t n_ports; /* none: any port */
};
struct pw_policy {
	struct pw_meta meta;
	struct pw_selector pods;
	bool ingress_applies, egress_applies; /* policyTypes with its defaults resolved */
	const struct pw_policy_rule *ingress, *egress; size_t n_ingress, n_egress;
};

/* Policies whose rules have actions and an order: AdminNetworkPolicy, BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1),
 * ClusterNetworkPolicy (v1alpha2), Calico's and Cilium's own. Of one stage the first match decides; what none matches goes on to the
 * next, unless a policy that selects the pod isolates it. NetworkPolicies stand in PW_STAGE_NETWORK, among those of Calico and Cilium. */
enum pw_stage { PW_STAGE_ADMIN, PW_STAGE_CLUSTER_ADMIN, PW_STAGE_TIERS, PW_STAGE_NETWORK = PW_STAGE_TIERS + 1000,
	PW_STAGE_TIERS_AFTER, PW_STAGE_BASELINE_ADMIN = PW_STAGE_TIERS_AFTER + 1000, PW_STAGE_CLUSTER_BASELINE };
enum pw_action { PW_ACTION_ALLOW, PW_ACTION_DENY, PW_ACTION_PASS, PW_ACTION_NONE /* not understood: no match */ };
struct pw_cluster_peer {              /* one of: namespaces (with pods); nodes; networks; outside; hosts; everyone */
	struct pw_selector namespaces, pods, nodes; /* no namespaces, but pods: of the policy's own namespace */
	struct pw_strings networks, except;
	bool domains;                 /* by DNS name: not evaluated */
	bool everyone, outside, hosts; /* all; what is neither pod nor node; nodes and pods on their network */
	bool networks_outside;        /* networks hold no pods */
	bool sets;                    /* whom namespaces and pods select are also sets of addresses, which are not read */
};
struct pw_cluster_port { const char *protocol; const char *name; uint16_t port, end_port; bool any_port; }; /* name: of any protocol unless one is given */
struct pw_cluster_rule {
	const char *name;
	enum pw_action action;
	const struct pw_cluster_peer *peers; size_t n_peers; /* none: matches nobody */
	const struct pw_cluster_port *ports; size_t n_ports; /* none: any port */
	const char *unclear;          /* the field of it that is not evaluated, "" if none: what it matches it only may match */
};
struct pw_cluster_policy {
	struct pw_meta meta;          /* ns "": of all namespaces */
	const char *kind;
	int stage;                    /* enum pw_stage; a tier of Calico has a number of its own */
	const char *tier;             /* of Calico, "" otherwise */
	bool after_network;           /* PW_STAGE_NETWORK: behind the NetworkPolicies */
	double priority;              /* lower first */
	bool isolates[2];             /* ingress, egress */
	struct pw_selector namespaces, pods; /* subject; pods not present: all pods of the namespaces */
	const char *unclear;          /* the field of the subject that is not evaluated, "" if none: whom it selects it only may select */
	const struct pw_cluster_rule *ingress, *egress; size_t n_ingress, n_egress;
};

struct pw_workload {                  /* Deployment, ReplicaSet, StatefulSet, DaemonSet */
	struct pw_meta meta;
	const char *kind;
	int replicas, ready, available, updated; /* DaemonSet: desiredNumberScheduled etc. */
	struct pw_selector selector;
	struct pw_labels template_labels;
};

struct pw_ingress_path {              /* where a rule leads, or the default backend: host and path "" */
	const char *host, *path, *type;   /* type: Exact, Prefix, ImplementationSpecific; host may begin with "*." */
	const char *service, *port_name; uint16_t port;
};
struct pw_ingress_tls { struct pw_strings hosts; const char *secret; };
struct pw_ingress {
	struct pw_meta meta;
	const char *class;                /* spec.ingressClassName, or the annotation before it; "" if none */
	const struct pw_ingress_path *paths; size_t n_paths;
	const struct pw_ingress_tls *tls; size_t n_tls;
	const char *address;              /* first of status.loadBalancer: a controller took it up */
};
struct pw_ingress_class { struct pw_meta meta; const char *controller; bool is_default; };

struct pw_configmap { struct pw_meta meta; struct pw_labels data; };

struct pw_event {
	const char *kind, *ns, *name, *reason, *message, *type;
	unsigned count; int64_t last;
	const char *uid;                  /* of the object it is about: names are used again */
};

struct pw_facts;

enum pw_known pw_facts_known(const struct pw_facts *facts, enum pw_fact kind);
const char *pw_facts_gap(const struct pw_facts *facts, enum pw_fact kind); /* what is missing and why; "" */
int64_t pw_facts_now(const struct pw_facts *facts);       /* when the model was read, Unix seconds */
const char *pw_facts_version(const struct pw_facts *facts);   /* API server gitVersion or "" */
const char *pw_facts_cluster_domain(const struct pw_facts *facts); /* "cluster.local" unless known better */

/* All of a kind, in a stable order (namespace, name). */
#define PW_FACTS_LIST(type, plural) \
	const struct type *const *pw_facts_##plural(const struct pw_facts *facts, size_t *ret_count)
PW_FACTS_LIST(pw_namespace, namespaces);
PW_FACTS_LIST(pw_node, nodes);
PW_FACTS_LIST(pw_pod, pods);
PW_FACTS_LIST(pw_service, services);
PW_FACTS_LIST(pw_slice, slices);
PW_FACTS_LIST(pw_policy, policies);
PW_FACTS_LIST(pw_cluster_policy, cluster_policies); /* in the order they decide; known as PW_FACT_POLICIES */
PW_FACTS_LIST(pw_workload, workloads);
PW_FACTS_LIST(pw_configmap, configmaps);
PW_FACTS_LIST(pw_event, events);
PW_FACTS_LIST(pw_ingress, ingresses);
PW_FACTS_LIST(pw_ingress_class, ingress_classes); /* known as PW_FACT_INGRESSES */

/* One, or NULL. */
const struct pw_namespace *pw_facts_namespace(const struct pw_facts *facts, const char *name);
const struct pw_node *pw_facts_node(const struct pw_facts *facts, const char *name);
const struct pw_pod *pw_facts_pod(const struct pw_facts *facts, const char *ns, const char *name);
const struct pw_service *pw_facts_service(const struct pw_facts *facts, const char *ns, const char *name);
const struct pw_configmap *pw_facts_configmap(const struct pw_facts *facts, const char *ns, const char *name);
const struct pw_pod *pw_facts_pod_by_ip(const struct pw_facts *facts, const char *ip); /* not host-network, not finished */
const struct pw_node *pw_facts_node_by_ip(const struct pw_facts *facts, const char *ip);
const struct pw_service *pw_facts_service_by_ip(const struct pw_facts *facts, const char *ip);

/* The Service kube-system/kube-dns, or the one that selects k8s-app=kube-dns or serves 53; NULL. */
const struct pw_service *pw_facts_dns_service(const struct pw_facts *facts);

const char *pw_labels_get(const struct pw_labels *labels, const char *key); /* NULL if absent */
bool pw_labels_match(const struct pw_labels *selector, const struct pw_labels *labels); /* all of selector in labels */
bool pw_selector_match(const struct pw_selector *selector, const struct pw_labels *labels);

/* Endpoints of one Service port, merged over its slices, de-duplicated. */
struct pw_backend { const struct pw_slice *slice; const struct pw_endpoint *endpoint; uint16_t port; };
/* `port` NULL: the first. Arrays live in `arena`. Returns the count; 0 also when out of memory. */
size_t pw_facts_backends(const struct pw_facts *facts, const struct pw_service *service,
			 const struct pw_service_port *port, struct pw_arena *arena,
			 const struct pw_backend **ret);

/* NetworkPolicy, networking.k8s.io/v1, additive, and the cluster policies before and after. An end of a connection: a pod
 * (pod set), or an address outside (pod NULL). */
struct pw_peer { const struct pw_pod *pod; const char *address; };
struct pw_ruling {
	bool allowed;
	bool isolated;                        /* some policy selects the pod in this direction */
	const struct pw_policy *policy;       /* allowed: the one that allows; denied: one that isolates */
	size_t rule;                          /* index of the allowing rule, or of the cluster policy's; SIZE_MAX: it isolates, and none matches */
	const struct pw_cluster_policy *cluster_policy; /* set: this one decided, and `policy` is NULL */
	bool undecidable;                     /* policies or labels were not known, or not understood */
	const char *exempt;                   /* why policies have no say here ("host network", "own node", "itself",
	                                       * "outside the cluster"); "" when they do */
	const struct pw_cluster_policy *unclear; /* the policy of which `unclear_field` is not evaluated, NULL if none */
	const char *unclear_field;
};
struct pw_policy_answer { struct pw_ruling egress, ingress; bool allowed; };
/* `port` is the pod's port (after DNAT); protocol "TCP", "UDP", "SCTP". */
void pw_policy_ask(const struct pw_facts *facts, const struct pw_peer *from, const struct pw_peer *to,
		   const char *protocol, uint16_t port, struct pw_policy_answer *ret);

#pragma GCC visibility pop

#endif
