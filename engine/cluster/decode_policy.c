/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetworkPolicies of networking.k8s.io/v1. */
#include <cluster/model.h>

#include <string.h>

#define MAX_RULES 4096  /* rules of a policy, peers and ports of a rule */

static void decode_ports(struct pw_facts *facts, const struct pw_val *ports, struct pw_policy_rule *rule)
{
	struct pw_policy_port *v = pw_keep_array(facts, ports, MAX_RULES, sizeof(*v), &rule->n_ports);

	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct pw_val *port = pw_val_at(ports, i);
		const struct pw_val *number = pw_map_get(port, "port");

		v[i].protocol = pw_keep_key(facts, port, "protocol");
		if (!v[i].protocol[0])
			v[i].protocol = "TCP";
		v[i].any_port = pw_val_absent(number);
		pw_keep_port(facts, number, &v[i].port, &v[i].name);
		v[i].end_port = (uint16_t)pw_map_uint(port, "endPort", UINT16_MAX, 0);
	}
	rule->ports = v;
}

static void decode_peer(struct pw_facts *facts, const struct pw_val *peer, struct pw_policy_peer *ret)
{
	const struct pw_val *pods = pw_map_get(peer, "podSelector"), *namespaces = pw_map_get(peer, "namespaceSelector");
	const struct pw_val *block = pw_map_get(peer, "ipBlock");

	ret->cidr = pw_keep_key(facts, block, "cidr");
	ret->except = pw_keep_strings(facts, pw_map_get(block, "except"));
	if (!pw_val_absent(pods))
		pw_keep_selector(facts, pods, &ret->pods);
	if (!pw_val_absent(namespaces))
		pw_keep_selector(facts, namespaces, &ret->namespaces);
}

static const struct pw_policy_rule *decode_rules(struct pw_facts *facts, const struct pw_val *rules, const char *peers_key, size_t *ret_n)
{
	struct pw_policy_rule *v = pw_keep_array(facts, rules, MAX_RULES, sizeof(*v), ret_n);

	for (size_t i = 0; i < *ret_n; i++) {
		const struct pw_val *peers = pw_map_get(pw_val_at(rules, i), peers_key);
		struct pw_policy_peer *peer = pw_keep_array(facts, peers, MAX_RULES, sizeof(*peer), &v[i].n_peers);

		for (size_t j = 0; j < v[i].n_peers; j++)
			decode_peer(facts, pw_val_at(peers, j), &peer[j]);
		v[i].peers = peer;
		decode_ports(facts, pw_map_get(pw_val_at(rules, i), "ports"), &v[i]);
	}
	return v;
}

static bool lists(const struct pw_val *types, const char *word)
{
	for (size_t i = 0; i < pw_val_count(types); i++) {
		const char *text = pw_val_text(pw_val_at(types, i));

		if (text && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

int pw_decode_policy(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *types = pw_map_get(spec, "policyTypes");
	struct pw_policy *policy = pw_arena_alloc(facts->arena, sizeof(*policy));

	if (!policy)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &policy->meta);
	pw_keep_selector(facts, pw_map_get(spec, "podSelector"), &policy->pods);
	policy->ingress = decode_rules(facts, pw_map_get(spec, "ingress"), "from", &policy->n_ingress);
	policy->egress = decode_rules(facts, pw_map_get(spec, "egress"), "to", &policy->n_egress);
	if (pw_val_is(types, PW_VAL_SEQ) && pw_val_count(types) > 0) {
		policy->ingress_applies = lists(types, "Ingress");
		policy->egress_applies = lists(types, "Egress");
	} else {
		/* SetDefaults_NetworkPolicy: Ingress always, Egress if there are egress rules. */
		policy->ingress_applies = true;
		policy->egress_applies = policy->n_egress > 0;
	}
	return pw_facts_store(facts, PW_FACT_POLICIES, policy->meta.ns, policy->meta.name, "", policy);
}
