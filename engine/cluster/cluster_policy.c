/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policies with actions and an order: whom they select and what their rules match. */
#include <cluster/policy.h>

#include <string.h>

/* Pods of `namespaces`; those that `pods` selects, if it is given. */
static enum pw_truth selects(const struct pw_facts *facts, const struct pw_selector *namespaces, const struct pw_selector *pods,
			     const struct pw_pod *pod)
{
	if (pods->present && !pw_selector_match(pods, &pod->meta.labels))
		return PW_NO;
	return pw_policy_namespace(facts, namespaces, pod->meta.ns);
}

enum pw_truth pw_cluster_policy_selects(const struct pw_facts *facts, const struct pw_cluster_policy *policy, const struct pw_pod *pod)
{
	enum pw_truth truth = PW_YES;

	if (pod->host_network || (policy->meta.ns[0] && strcmp(policy->meta.ns, pod->meta.ns) != 0) ||
	    (policy->pods.present && !pw_selector_match(&policy->pods, &pod->meta.labels)))
		return PW_NO;
	if (policy->namespaces.present || !policy->meta.ns[0])
		truth = pw_policy_namespace(facts, &policy->namespaces, pod->meta.ns);
	return policy->unclear[0] ? pw_truth_and(truth, PW_MAYBE) : truth;
}

/* A node stands behind an address of its own, and behind pods on its network. */
static bool is_node(const struct pw_facts *facts, const struct pw_selector *nodes, const struct pw_peer *end)
{
	const struct pw_node *node = NULL;

	if (!end->pod)
		node = pw_facts_node_by_ip(facts, end->address);
	else if (end->pod->host_network)
		node = pw_facts_node(facts, end->pod->node);
	return node && pw_selector_match(nodes, &node->meta.labels);
}

static bool is_host(const struct pw_facts *facts, const struct pw_peer *end)
{
	return end->pod ? end->pod->host_network : end->address && pw_facts_node_by_ip(facts, end->address);
}

static bool in_networks(const struct pw_cluster_peer *peer, const struct pw_peer *end)
{
	if (peer->networks_outside && end->pod && !end->pod->host_network)
		return false;
	for (size_t i = 0; i < peer->except.n; i++)
		if (pw_end_in_cidr(peer->except.v[i], end))
			return false;
	for (size_t i = 0; i < peer->networks.n; i++)
		if (pw_end_in_cidr(peer->networks.v[i], end))
			return true;
	return false;
}

/* Whether an address outside a node's is known not to be one depends on the nodes. */
static enum pw_truth is_outside(const struct pw_facts *facts, const struct pw_peer *end)
{
	if (end->pod || !end->address || is_host(facts, end))
		return PW_NO;
	return pw_facts_known(facts, PW_FACT_NODES) == PW_KNOWN_YES ? PW_YES : PW_MAYBE;
}

static enum pw_truth selected(const struct pw_facts *facts, const char *policy_ns, const struct pw_cluster_peer *peer, const struct pw_peer *end)
{
	bool own = !peer->namespaces.present && peer->pods.present && policy_ns[0];

	if (!end->pod && !end->address)
		return peer->namespaces.present && peer->namespaces.n == 0 && !peer->namespaces.expr && peer->pods.n == 0 && !peer->pods.expr ? PW_YES : PW_NO;
	if (peer->sets && (!end->pod || end->pod->host_network))
		return PW_MAYBE;
	if (!end->pod || end->pod->host_network || (!peer->namespaces.present && !own))
		return PW_NO;
	if (own)
		return strcmp(policy_ns, end->pod->meta.ns) == 0 && pw_selector_match(&peer->pods, &end->pod->meta.labels) ? PW_YES : PW_NO;
	return selects(facts, &peer->namespaces, &peer->pods, end->pod);
}

static enum pw_truth peer_match(const struct pw_facts *facts, const char *policy_ns, const struct pw_cluster_peer *peer, const struct pw_peer *end)
{
	if (peer->everyone)
		return PW_YES;
	if (peer->domains) /* names of what is outside */
		return end->pod ? PW_NO : PW_MAYBE;
	if (peer->hosts)
		return is_host(facts, end) ? PW_YES : PW_NO;
	if (peer->outside)
		return is_outside(facts, end);
	if (peer->networks.n)
		return in_networks(peer, end) ? PW_YES : PW_NO;
	if (peer->nodes.present)
		return is_node(facts, &peer->nodes, end) ? PW_YES : PW_NO;
	return selected(facts, policy_ns, peer, end);
}

enum pw_truth pw_cluster_peers_match(const struct pw_facts *facts, const struct pw_cluster_policy *policy, const struct pw_cluster_rule *rule,
				     const struct pw_peer *end)
{
	enum pw_truth truth = PW_NO;

	if (rule->action == PW_ACTION_NONE)
		return PW_NO;
	for (size_t i = 0; i < rule->n_peers && truth != PW_YES; i++)
		truth = pw_truth_or(truth, peer_match(facts, policy->meta.ns, &rule->peers[i], end));
	return rule->unclear[0] ? pw_truth_and(truth, PW_MAYBE) : truth;
}

static bool port_match(const struct pw_cluster_port *port, const struct pw_pod *to, const char *protocol, uint16_t number)
{
	if (port->protocol[0] && strcmp(port->protocol, protocol) != 0)
		return false;
	if (port->any_port)
		return true;
	if (!port->name[0])
		return number >= port->port && number <= port->end_port;
	return pw_pod_has_named_port(to, port->name, protocol, number);
}

bool pw_cluster_ports_match(const struct pw_cluster_rule *rule, const struct pw_pod *to, const char *protocol, uint16_t number)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (port_match(&rule->ports[i], to, protocol, number))
			return true;
	return rule->n_ports == 0;
}

size_t pw_cluster_policy_rules(const struct pw_cluster_policy *policy, enum pw_policy_direction direction, const struct pw_cluster_rule **ret)
{
	*ret = direction == PW_INGRESS ? policy->ingress : policy->egress;
	return direction == PW_INGRESS ? policy->n_ingress : policy->n_egress;
}

bool pw_cluster_rule_names(const struct pw_cluster_rule *rule, const struct pw_container_port *port)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i].name[0] && strcmp(rule->ports[i].name, port->name) == 0 &&
		    (!rule->ports[i].protocol[0] || strcmp(rule->ports[i].protocol, port->protocol) == 0))
			return true;
	return false;
}
