/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_POLICY_H
#define ENGINE_CLUSTER_POLICY_H

#include <cluster/model.h>

/* The pieces of NetworkPolicy evaluation, shared by the one-port question and the matrix. */

enum pw_truth { PW_NO, PW_MAYBE, PW_YES };
enum pw_truth pw_truth_and(enum pw_truth a, enum pw_truth b);
enum pw_truth pw_truth_or(enum pw_truth a, enum pw_truth b);

enum pw_policy_direction { PW_INGRESS, PW_EGRESS };

bool pw_requirement_match(const struct pw_requirement *requirement, const struct pw_labels *labels);
enum pw_truth pw_policy_namespace(const struct pw_facts *facts, const struct pw_selector *selector, const char *ns);
/* An end that is neither pod nor address is some pod of some namespace, of which nothing else is known. */
enum pw_truth pw_policy_peer_match(const struct pw_facts *facts, const char *policy_ns,
				   const struct pw_policy_peer *peer, const struct pw_peer *end);
enum pw_truth pw_policy_peers_match(const struct pw_facts *facts, const char *policy_ns,
				    const struct pw_policy_rule *rule, const struct pw_peer *end);
/* Named ports are those of `to`'s containers; an address outside (NULL) has none. */
bool pw_policy_port_match(const struct pw_policy_port *port, const struct pw_pod *to, const char *protocol, uint16_t number);
bool pw_policy_selects(const struct pw_policy *policy, enum pw_policy_direction direction, const struct pw_pod *pod);
size_t pw_policy_rules(const struct pw_policy *policy, enum pw_policy_direction direction, const struct pw_policy_rule **ret);
/* A port of `to`'s containers that the rule gives by name. */
bool pw_policy_rule_names(const struct pw_policy_rule *rule, const struct pw_pod *to, const struct pw_container_port *port);
/* Some container of the pod has a port of that name, protocol and number. NULL pod: no. */
bool pw_pod_has_named_port(const struct pw_pod *pod, const char *name, const char *protocol, uint16_t number);
/* The end's address (any of a pod's, or its node's for a host-network pod) is in the block. */
bool pw_end_in_cidr(const char *cidr, const struct pw_peer *end);

/* The same for policies over namespaces. */
enum pw_truth pw_cluster_policy_selects(const struct pw_facts *facts, const struct pw_cluster_policy *policy, const struct pw_pod *pod);
enum pw_truth pw_cluster_peers_match(const struct pw_facts *facts, const struct pw_cluster_policy *policy, const struct pw_cluster_rule *rule,
				     const struct pw_peer *end);
bool pw_cluster_ports_match(const struct pw_cluster_rule *rule, const struct pw_pod *to, const char *protocol, uint16_t number);
bool pw_cluster_rule_names(const struct pw_cluster_rule *rule, const struct pw_container_port *port);
size_t pw_cluster_policy_rules(const struct pw_cluster_policy *policy, enum pw_policy_direction direction, const struct pw_cluster_rule **ret);

/* Of a whole answer. PW_MAYBE: something that is not known, or not understood, decides. */
enum pw_truth pw_policy_verdict(const struct pw_policy_answer *answer);

#endif
