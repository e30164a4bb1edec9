/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calico's NetworkPolicy and GlobalNetworkPolicy: the fields that say who and
 * which ports. A rule with any other is kept as one that only may match, with
 * the name of the field.
 */
#include <cluster/model.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cluster/expr.h>

#define MAX_RULES 4096
#define NETWORK_POLICY_ORDER 1000.0 /* where Calico puts Kubernetes' own NetworkPolicies in the tier "default" */

static bool has(const struct pw_val *map, const char *key)
{
	const struct pw_val *val = pw_map_get(map, key);

	return !pw_val_absent(val) && !(pw_val_is(val, PW_VAL_SEQ) && pw_val_count(val) == 0) && !(pw_val_is(val, PW_VAL_STR) && !pw_val_text(val)[0]);
}

/* The first field of a map that is there and not among those known; "" if none. */
static const char *other_field(struct pw_facts *facts, const struct pw_val *map, const char *const *known, const char *prefix)
{
	for (size_t i = 0; pw_val_is(map, PW_VAL_MAP) && i < pw_val_count(map); i++) {
		const char *key = pw_map_key(map, i), *text;
		size_t k = 0;

		while (known[k] && strcmp(known[k], key) != 0)
			k++;
		if (known[k] || !has(map, key))
			continue;
		text = pw_arena_printf(facts->arena, "%s%.64s", prefix, key);
		return text ? text : "";
	}
	return "";
}

/* Returns whether the text is understood. */
static bool keep_expr(struct pw_facts *facts, const struct pw_val *map, const char *key, struct pw_selector *ret)
{
	ret->present = true;
	ret->expr = pw_expr_parse(pw_map_str(map, key, ""), facts->arena);
	if (ret->expr && ret->expr->op == PW_EXPR_ALL)
		ret->expr = NULL;
	else if (!ret->expr)
		return false;
	return true;
}

/* Whom source or destination name. Returns the field that is not evaluated, "" if all is. */
static const char *decode_entity(struct pw_facts *facts, const struct pw_val *entity, const char *ns, const char *prefix, struct pw_cluster_peer *ret)
{
	static const char *const known[] = { "nets", "notNets", "selector", "namespaceSelector", "ports", NULL };
	static const char *const all[] = { "0.0.0.0/0", "::/0" };
	bool selects = has(entity, "selector") || has(entity, "namespaceSelector");
	const char *other = other_field(facts, entity, known, prefix);

	ret->networks = pw_keep_strings(facts, pw_map_get(entity, "nets"));
	ret->except = pw_keep_strings(facts, pw_map_get(entity, "notNets"));
	ret->everyone = !selects && !ret->networks.n && !ret->except.n;
	if (ret->except.n && !ret->networks.n && !selects)
		ret->networks = (struct pw_strings){ all, 2 };
	ret->sets = selects; /* NetworkSets and GlobalNetworkSets have labels as pods do */
	if (!selects)
		return other;
	if (ret->networks.n || ret->except.n) { /* both have to hold: a peer here is one or the other */
		ret->networks.n = ret->except.n = 0;
		other = other[0] ? other : pw_arena_printf(facts->arena, "%snets beside a selector", prefix);
	}
	if (has(entity, "selector") && !keep_expr(facts, entity, "selector", &ret->pods))
		return pw_arena_printf(facts->arena, "%sselector", prefix);
	if (!ns[0] || has(entity, "namespaceSelector")) {
		if (!keep_expr(facts, entity, "namespaceSelector", &ret->namespaces))
			return pw_arena_printf(facts->arena, "%snamespaceSelector", prefix);
	} else {
		ret->pods.present = true;
	}
	return other;
}

/* "80", 80, "80:90", or a name. */
static void decode_port(struct pw_facts *facts, const struct pw_val *val, const char *protocol, struct pw_cluster_port *ret)
{
	const char *text = pw_keep(facts, val), *colon = strchr(text, ':');
	unsigned long first = strtoul(text, NULL, 10), last = colon ? strtoul(colon + 1, NULL, 10) : first;
	long long number;

	*ret = (struct pw_cluster_port){ .protocol = protocol, .name = "" };
	if (pw_val_to_int(val, &number)) {
		first = last = number > 0 ? (unsigned long)number : 0;
	} else if (!colon) {
		ret->name = text;
		return;
	}
	ret->port = (uint16_t)(first > UINT16_MAX ? UINT16_MAX : first);
	ret->end_port = (uint16_t)(last > UINT16_MAX ? UINT16_MAX : last);
}

static const char *protocol_of(struct pw_facts *facts, const struct pw_val *rule)
{
	static const struct { long long number; const char *word; } numbers[] = { { 6, "TCP" }, { 17, "UDP" }, { 132, "SCTP" } };
	long long number;

	if (!pw_val_to_int(pw_map_get(rule, "protocol"), &number))
		return pw_keep_key(facts, rule, "protocol");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].number == number)
			return numbers[i].word;
	return "other";
}

static void decode_ports(struct pw_facts *facts, const struct pw_val *list, const char *protocol, struct pw_cluster_rule *rule)
{
	struct pw_cluster_port *v = pw_keep_array(facts, list, MAX_RULES, sizeof(*v), &rule->n_ports);

	for (size_t i = 0; i < rule->n_ports; i++)
		decode_port(facts, pw_val_at(list, i), protocol, &v[i]);
	if (!rule->n_ports && protocol[0]) {
		v = pw_arena_alloc(facts->arena, sizeof(*v));
		if (!v)
			return;
		*v = (struct pw_cluster_port){ .protocol = protocol, .name = "", .any_port = true };
		rule->n_ports = 1;
	}
	rule->ports = v;
}

/* False for a rule that says nothing of connections: Log, and other protocols. */
static bool decode_rule(struct pw_facts *facts, const struct pw_val *rule, bool ingress, const char *ns, struct pw_cluster_rule *ret)
{
	static const struct { const char *word; enum pw_action action; } actions[] = {
		{ "Allow", PW_ACTION_ALLOW }, { "allow", PW_ACTION_ALLOW }, { "Deny", PW_ACTION_DENY }, { "deny", PW_ACTION_DENY }, { "Pass", PW_ACTION_PASS },
	};
	static const char *const known[] = { "action", "protocol", "source", "destination", "metadata", NULL }, *const ports_only[] = { "ports", NULL }, *const none[] = { NULL };
	const struct pw_val *source = pw_map_get(rule, "source"), *destination = pw_map_get(rule, "destination");
	const char *action = pw_map_str(rule, "action", ""), *protocol = protocol_of(facts, rule), *own;
	struct pw_cluster_peer *peer = pw_arena_alloc(facts->arena, sizeof(*peer));

	*ret = (struct pw_cluster_rule){ .name = "", .action = PW_ACTION_NONE, .unclear = "" };
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(action, actions[i].word) == 0)
			ret->action = actions[i].action;
	if (!peer || ret->action == PW_ACTION_NONE || (protocol[0] && strcmp(protocol, "TCP") != 0 && strcmp(protocol, "UDP") != 0 && strcmp(protocol, "SCTP") != 0))
		return false;
	ret->unclear = other_field(facts, rule, known, "");
	own = ingress ? other_field(facts, destination, ports_only, "destination.") : other_field(facts, source, none, "source.");
	ret->unclear = own[0] ? own : ret->unclear;
	if (ingress && has(source, "ports"))
		ret->unclear = "source.ports";
	own = decode_entity(facts, ingress ? source : destination, ns, ingress ? "source." : "destination.", peer);
	ret->unclear = own && own[0] ? own : ret->unclear;
	ret->peers = peer;
	ret->n_peers = 1;
	decode_ports(facts, pw_map_get(destination, "ports"), protocol, ret);
	return true;
}

static const struct pw_cluster_rule *decode_rules(struct pw_facts *facts, const struct pw_val *rules, bool ingress, const char *ns, size_t *ret_n)
{
	size_t n, kept = 0;
	struct pw_cluster_rule *v = pw_keep_array(facts, rules, MAX_RULES, sizeof(*v), &n);

	for (size_t i = 0; i < n; i++)
		kept += decode_rule(facts, pw_val_at(rules, i), ingress, ns, &v[kept]);
	*ret_n = kept;
	return v;
}

static bool lists(const struct pw_val *types, const char *word)
{
	for (size_t i = 0; i < pw_val_count(types); i++)
		if (pw_val_text(pw_val_at(types, i)) && strcmp(pw_val_text(pw_val_at(types, i)), word) == 0)
			return true;
	return false;
}

static void decode_types(const struct pw_val *spec, struct pw_cluster_policy *policy)
{
	const struct pw_val *types = pw_map_get(spec, "types");

	if (pw_val_is(types, PW_VAL_SEQ) && pw_val_count(types)) {
		policy->isolates[0] = lists(types, "Ingress");
		policy->isolates[1] = lists(types, "Egress");
	} else {
		policy->isolates[1] = has(spec, "egress");
		policy->isolates[0] = has(spec, "ingress") || !policy->isolates[1];
	}
}

static void decode_subject(struct pw_facts *facts, const struct pw_val *spec, struct pw_cluster_policy *policy)
{
	static const char *const known[] = {
		"tier", "order", "selector", "namespaceSelector", "types", "ingress", "egress", "performanceHints", NULL,
	};

	policy->unclear = other_field(facts, spec, known, "spec.");
	if (!keep_expr(facts, spec, "selector", &policy->pods))
		policy->unclear = "spec.selector";
	if (!keep_expr(facts, spec, "namespaceSelector", &policy->namespaces))
		policy->unclear = "spec.namespaceSelector";
}

int pw_decode_calico(struct pw_facts *facts, const struct pw_val *object, const char *kind)
{
	const struct pw_val *spec = pw_map_get(object, "spec");
	struct pw_cluster_policy *policy = pw_arena_alloc(facts->arena, sizeof(*policy));
	double order = INFINITY;

	if (!policy)
		return PW_NOMEM;
	if (strcmp(kind, "GlobalNetworkPolicy") == 0)
		pw_keep_meta(facts, object, &policy->meta);
	else
		pw_keep_namespaced_meta(facts, object, &policy->meta);
	policy->kind = strcmp(kind, "GlobalNetworkPolicy") == 0 ? "GlobalNetworkPolicy" : "Calico NetworkPolicy";
	policy->tier = pw_keep_key(facts, spec, "tier");
	if (!policy->tier[0])
		policy->tier = "default";
	(void)pw_val_to_real(pw_map_get(spec, "order"), &order);
	policy->priority = order;
	policy->stage = strcmp(policy->tier, "default") == 0 ? PW_STAGE_NETWORK : PW_STAGE_TIERS; /* finish knows the order of tiers */
	policy->after_network = policy->stage == PW_STAGE_NETWORK && order >= NETWORK_POLICY_ORDER;
	decode_subject(facts, spec, policy);
	decode_types(spec, policy);
	policy->ingress = decode_rules(facts, pw_map_get(spec, "ingress"), true, policy->meta.ns, &policy->n_ingress);
	policy->egress = decode_rules(facts, pw_map_get(spec, "egress"), false, policy->meta.ns, &policy->n_egress);
	return pw_table_store(facts, &facts->tables[PW_CLUSTER_POLICIES], policy->meta.ns, policy->meta.name, policy->kind, policy);
}

int pw_decode_tier(struct pw_facts *facts, const struct pw_val *object, const char *kind)
{
	const struct pw_val *spec = pw_map_get(object, "spec");
	struct pw_calico_tier *tier = pw_arena_alloc(facts->arena, sizeof(*tier));
	struct pw_meta meta = { 0 };

	if (!tier)
		return PW_NOMEM;
	pw_keep_meta(facts, object, &meta);
	tier->name = meta.name;
	tier->order = INFINITY;
	(void)pw_val_to_real(pw_map_get(spec, "order"), &tier->order);
	tier->passes = strcmp(pw_map_str(spec, "defaultAction", ""), "Pass") == 0;
	return pw_table_store(facts, &facts->tables[PW_CALICO_TIERS], "", meta.name, kind, tier);
}
