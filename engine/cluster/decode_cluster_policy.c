/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policies of policy.networking.k8s.io: v1alpha1 (admin, baseline) and v1alpha2 (cluster) come to one form. */
#include <cluster/model.h>

#include <string.h>

#define MAX_RULES 4096   /* rules of a policy, peers and ports of a rule; the API allows 100, 25 and 25 */
#define MAX_PRIORITY 100000

static enum pw_action decode_action(const char *word)
{
	if (strcmp(word, "Allow") == 0 || strcmp(word, "Accept") == 0)
		return PW_ACTION_ALLOW;
	if (strcmp(word, "Deny") == 0)
		return PW_ACTION_DENY;
	return strcmp(word, "Pass") == 0 ? PW_ACTION_PASS : PW_ACTION_NONE;
}

/* `namespaces`, or `pods` with its two selectors; both in a subject and in a peer. */
static void decode_pods(struct pw_facts *facts, const struct pw_val *val, struct pw_selector *namespaces, struct pw_selector *pods)
{
	const struct pw_val *of_namespaces = pw_map_get(val, "namespaces"), *of_pods = pw_map_get(val, "pods");

	if (!pw_val_absent(of_pods)) {
		pw_keep_selector(facts, pw_map_get(of_pods, "namespaceSelector"), namespaces);
		pw_keep_selector(facts, pw_map_get(of_pods, "podSelector"), pods);
	} else if (!pw_val_absent(of_namespaces)) {
		pw_keep_selector(facts, of_namespaces, namespaces);
	}
}

static void decode_peer(struct pw_facts *facts, const struct pw_val *peer, struct pw_cluster_peer *ret)
{
	const struct pw_val *nodes = pw_map_get(peer, "nodes");

	decode_pods(facts, peer, &ret->namespaces, &ret->pods);
	if (!pw_val_absent(nodes))
		pw_keep_selector(facts, nodes, &ret->nodes);
	ret->networks = pw_keep_strings(facts, pw_map_get(peer, "networks"));
	ret->domains = !pw_val_absent(pw_map_get(peer, "domainNames"));
}

static uint16_t port_of(const struct pw_val *map, const char *key)
{
	return (uint16_t)pw_map_uint(map, key, UINT16_MAX, 0);
}

static const char *protocol_of(struct pw_facts *facts, const struct pw_val *map)
{
	const char *protocol = pw_keep_key(facts, map, "protocol");

	return protocol[0] ? protocol : "TCP";
}

/* v1alpha1: {portNumber: {protocol, port}} | {portRange: {protocol, start, end}} | {namedPort} */
static void decode_port(struct pw_facts *facts, const struct pw_val *port, struct pw_cluster_port *ret)
{
	const struct pw_val *number = pw_map_get(port, "portNumber"), *range = pw_map_get(port, "portRange");

	ret->protocol = "";
	ret->name = pw_keep_key(facts, port, "namedPort");
	if (pw_val_is(number, PW_VAL_MAP)) {
		ret->protocol = protocol_of(facts, number);
		ret->port = ret->end_port = port_of(number, "port");
	} else if (pw_val_is(range, PW_VAL_MAP)) {
		ret->protocol = protocol_of(facts, range);
		ret->port = port_of(range, "start");
		ret->end_port = port_of(range, "end");
	}
}

/* v1alpha2: {tcp|udp|sctp: {destinationPort: {number | range: {start, end}}}} | {destinationNamedPort} */
static void decode_protocol(struct pw_facts *facts, const struct pw_val *protocol, struct pw_cluster_port *ret)
{
	static const struct { const char *key, *word; } words[] = { { "tcp", "TCP" }, { "udp", "UDP" }, { "sctp", "SCTP" } };
	const struct pw_val *port = NULL, *range;

	ret->protocol = "";
	ret->name = pw_keep_key(facts, protocol, "destinationNamedPort");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (pw_val_absent(pw_map_get(protocol, words[i].key)))
			continue;
		ret->protocol = words[i].word;
		port = pw_map_get(pw_map_get(protocol, words[i].key), "destinationPort");
		ret->any_port = pw_val_absent(port);
		break;
	}
	range = pw_map_get(port, "range");
	ret->port = ret->end_port = port_of(port, "number");
	if (pw_val_is(range, PW_VAL_MAP)) {
		ret->port = port_of(range, "start");
		ret->end_port = port_of(range, "end");
	}
}

static const struct pw_cluster_rule *decode_rules(struct pw_facts *facts, const struct pw_val *rules, const char *peers_key, size_t *ret_n)
{
	struct pw_cluster_rule *v = pw_keep_array(facts, rules, MAX_RULES, sizeof(*v), ret_n);

	for (size_t i = 0; i < *ret_n; i++) {
		const struct pw_val *rule = pw_val_at(rules, i), *peers = pw_map_get(rule, peers_key);
		const struct pw_val *ports = pw_map_get(rule, "ports"), *protocols = pw_map_get(rule, "protocols");
		bool newer = pw_val_absent(ports);
		struct pw_cluster_peer *peer = pw_keep_array(facts, peers, MAX_RULES, sizeof(*peer), &v[i].n_peers);
		struct pw_cluster_port *port = pw_keep_array(facts, newer ? protocols : ports, MAX_RULES, sizeof(*port), &v[i].n_ports);

		v[i].name = pw_keep_key(facts, rule, "name");
		v[i].unclear = "";
		v[i].action = decode_action(pw_map_str(rule, "action", ""));
		for (size_t j = 0; j < v[i].n_peers; j++)
			decode_peer(facts, pw_val_at(peers, j), &peer[j]);
		for (size_t j = 0; j < v[i].n_ports; j++) {
			if (newer)
				decode_protocol(facts, pw_val_at(protocols, j), &port[j]);
			else
				decode_port(facts, pw_val_at(ports, j), &port[j]);
		}
		v[i].peers = peer;
		v[i].ports = port;
	}
	return v;
}

static enum pw_stage stage_of(const char *kind, const struct pw_val *spec)
{
	if (strcmp(kind, "AdminNetworkPolicy") == 0)
		return PW_STAGE_ADMIN;
	if (strcmp(kind, "BaselineAdminNetworkPolicy") == 0)
		return PW_STAGE_BASELINE_ADMIN;
	return strcmp(pw_map_str(spec, "tier", ""), "Baseline") == 0 ? PW_STAGE_CLUSTER_BASELINE : PW_STAGE_CLUSTER_ADMIN;
}

int pw_decode_cluster_policy(struct pw_facts *facts, const struct pw_val *object, const char *kind)
{
	const struct pw_val *spec = pw_map_get(object, "spec");
	struct pw_cluster_policy *policy = pw_arena_alloc(facts->arena, sizeof(*policy));

	if (!policy)
		return PW_NOMEM;
	pw_keep_meta(facts, object, &policy->meta);
	policy->meta.ns = "";
	policy->kind = kind;
	policy->tier = policy->unclear = "";
	policy->stage = (int)stage_of(kind, spec);
	policy->priority = pw_map_uint(spec, "priority", MAX_PRIORITY, 0);
	decode_pods(facts, pw_map_get(spec, "subject"), &policy->namespaces, &policy->pods);
	policy->ingress = decode_rules(facts, pw_map_get(spec, "ingress"), "from", &policy->n_ingress);
	policy->egress = decode_rules(facts, pw_map_get(spec, "egress"), "to", &policy->n_egress);
	return pw_table_store(facts, &facts->tables[PW_CLUSTER_POLICIES], "", policy->meta.name, kind, policy);
}
