/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * firewall_rules: walk one packet through a node's netfilter rules and name
 * the rule that stops it, and who wrote that rule.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/facts.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node whose rules are read" },
	{ "src", PW_TYPE_ADDRESS, 1, NULL, NULL, "Source address of the packet" },
	{ "dst", PW_TYPE_ADDRESS, 1, NULL, NULL, "Destination address, after translation" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Destination port, after translation" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol" },
	{ "path", PW_TYPE_CHOICE, 0, "forward", "forward|in|out", "Forwarded, for the node itself, or made by it" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "accepted", PW_CLASS_OK, "No rule of the node stops the packet.", NULL, NULL },
	{ "policy-drop", PW_CLASS_FAIL, "No rule accepts the packet, and the chain's own policy drops it.", "docker, ufw or hardening set the FORWARD policy to DROP and the CNI accepts nothing", "accept the pod CIDR in FORWARD" },
	{ "dropped", PW_CLASS_FAIL, "A rule that belongs to no Kubernetes component drops the packet.", "a host firewall", "remove or narrow the rule" },
	{ "rejected", PW_CLASS_FAIL, "A rule that belongs to no Kubernetes component rejects the packet.", "a host firewall", "remove or narrow the rule" },
	{ "enforcer-drop", PW_CLASS_FAIL, "A rule of the network policy enforcer drops or rejects the packet.", "a policy, or rules that do not follow the policies", "compare with the evaluation of the policies" },
	{ "legacy-drop", PW_CLASS_FAIL, "A rule in the legacy tables drops the packet, while the node's components use the nft ones.", "two iptables back ends on one node", "use one back end per node" },
	{ "bridge-drop", PW_CLASS_FAIL, "A bridge-family rule drops the frame.", "a filter between ports of the bridge", "remove the rule" },
	{ "kube-drop", PW_CLASS_FAIL, "A rule of kube-proxy drops or rejects the packet.", "no (local) endpoint, or an invalid connection state", "look at the Service's rules" },
	{ "masqueraded", PW_CLASS_WARN, "The packet passes, but its source is rewritten although both ends are pods.", "a masquerade rule without an exception for pod addresses", "exempt the pod CIDRs" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "rule", PW_TYPE_STR, NULL, "The deciding rule, empty if none" },
	{ "chain", PW_TYPE_STR, NULL, "Its table and chain" },
	{ "backend", PW_TYPE_STR, NULL, "nft, legacy or text" },
	{ "packets", PW_TYPE_INT, NULL, "Its packet counter, -1 if it has none" },
	{ "may_drop", PW_TYPE_STR, NULL, "Rules that would drop it if a condition held that a dump does not show" },
	{ "rules", PW_TYPE_INT, NULL, "Rules read" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *path = pw_ctx_str(ctx, "path");
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = pw_rules_read(ctx, rules, err);
	if (rc)
		return rc;
	struct pw_packet packet = {
		.src = pw_ctx_str(ctx, "src"), .dst = pw_ctx_str(ctx, "dst"), .protocol = pw_packet_protocol(pw_ctx_str(ctx, "protocol")),
		.dport = (unsigned)pw_ctx_int(ctx, "port"), .iif = "", .oif = "", .ctstate = "NEW",
		.local_out = !strcmp(path, "out"), .dst_local = !strcmp(path, "in"),
	};
	pw_map_set_int(observation, "rules", (long long)pw_rules_count(rules));
	rc = pw_rules_walk(rules, &packet, arena, pw_map_set_map(observation, "walk"), err);
	if (!rc)
		rc = pw_rules_find_drops(rules, &packet, arena, pw_map_set_map(observation, "drops"), err);
	return rc;
}

/* Who wrote a rule, by the names components give their chains and tables
 * (kube-proxy, kubelet: KUBE-*; kube-router: KUBE-POD-FW, KUBE-NWPLCY; Calico:
 * cali-*; kube-network-policies and others: a table of that name; Cilium, Antrea). */
enum owner { FOREIGN, KUBE_PROXY, ENFORCER };

static enum owner owner_of(const struct pw_val *decided)
{
	const char *table = pw_map_str(decided, "table", ""), *chain = pw_map_str(decided, "chain", "");
	static const char *const enforcers[] = { "KUBE-POD-FW", "KUBE-NWPLCY", "KUBE-ROUTER", "cali-", "CILIUM_", "ANTREA-", "WEAVE-NPC" };
	static const char *const tables[] = { "kube-network-policies", "kube-netpol", "calico", "netpol", "kube-router" };
	for (size_t i = 0; i < sizeof enforcers / sizeof *enforcers; i++)
		if (!strncmp(chain, enforcers[i], strlen(enforcers[i])))
			return ENFORCER;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (strstr(table, tables[i]))
			return ENFORCER;
	return pw_rule_is_kube_proxys(decided) ? KUBE_PROXY : FOREIGN;
}

static const char *word_for(const struct pw_val *decided, bool policy, bool reject)
{
	const char *table = pw_map_str(decided, "table", "");
	enum owner owner = owner_of(decided);
	if (owner == ENFORCER)
		return "enforcer-drop";
	if (owner == KUBE_PROXY)
		return "kube-drop";
	if (!strncmp(table, "bridge", 6))
		return "bridge-drop";
	if (!strcmp(pw_map_str(decided, "backend", ""), "legacy"))
		return "legacy-drop";
	if (policy)
		return "policy-drop";
	return reject ? "rejected" : "dropped";
}

static void put_rule(struct pw_val *ev, const struct pw_val *decided)
{
	pw_map_set_str(ev, "rule", pw_map_str(decided, "rule", ""));
	pw_map_set_strf(ev, "chain", "%s %s", pw_map_str(decided, "table", ""), pw_map_str(decided, "chain", ""));
	pw_map_set_str(ev, "backend", pw_map_str(decided, "backend", ""));
	pw_map_set_int(ev, "packets", pw_map_int(decided, "packets", -1));
}

static bool stops(const char *outcome)
{
	return !strcmp(outcome, "drop") || !strcmp(outcome, "reject");
}

/* A bridge or device hook is not on the walk through the IP hooks, and may still meet the packet. */
static bool meets_packet(const struct pw_val *drop)
{
	const char *table = pw_map_str(drop, "table", "");
	return pw_map_bool(drop, "on_path", false) || !strncmp(table, "bridge", 6);
}

static const struct pw_val *certain_drop(const struct pw_val *list)
{
	for (size_t i = 0; i < pw_val_count(list); i++)
		if (pw_map_bool(pw_val_at(list, i), "certain", false) && meets_packet(pw_val_at(list, i)))
			return pw_val_at(list, i);
	return NULL;
}

static void list_maybe(const struct pw_val *list, struct pw_val *ev)
{
	char text[1024] = "";
	size_t used = 0;
	for (size_t i = 0; i < pw_val_count(list) && used < sizeof text; i++)
		if (!pw_map_bool(pw_val_at(list, i), "certain", false) && meets_packet(pw_val_at(list, i)))
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s: %s", used ? "; " : "", pw_map_str(pw_val_at(list, i), "table", ""),
						 pw_map_str(pw_val_at(list, i), "chain", ""), pw_map_str(pw_val_at(list, i), "rule", ""));
	pw_map_set_str(ev, "may_drop", text);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *walk = pw_map_get(observation, "walk"), *list = pw_val_get(observation, "drops.drops");
	const char *outcome = pw_map_str(walk, "outcome", ""), *node = pw_ctx_str(ctx, "node");
	const struct pw_val *decided = pw_map_get(walk, "decided_by"), *other = certain_drop(list);
	if (!*outcome) {
		pw_result_unknown(result, "the rules of %s could not be walked", node);
		return PW_OK;
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "rules", pw_map_int(observation, "rules", 0));
	list_maybe(list, ev);
	if (!stops(outcome) && other)
		decided = other;
	if (stops(outcome) || other) {
		bool reject = !strcmp(outcome, "reject") || !strcmp(pw_map_str(decided, "verdict", ""), "reject");
		put_rule(ev, decided);
		const char *word = word_for(decided, !strcmp(pw_map_str(decided, "rule", ""), "policy DROP"), reject);
		pw_result_set(result, word, "%s %s %s port %lld in %s %s: %s", node, reject ? "rejects" : "drops", pw_ctx_str(ctx, "dst"), pw_ctx_int(ctx, "port"),
			      pw_map_str(decided, "table", ""), pw_map_str(decided, "chain", ""), pw_map_str(decided, "rule", "chain policy"));
		return PW_OK;
	}
	put_rule(ev, NULL);
	/* What a pod sends to a node is masqueraded by design: the node is outside the pod network. */
	bool to_node = pw_facts_node_by_ip(pw_ctx_facts(ctx), pw_ctx_str(ctx, "dst")) != NULL;
	if (pw_map_bool(walk, "masquerade", false) && !to_node)
		pw_result_set(result, "masqueraded", "%s passes the packet, but rewrites its source %s.", node, pw_ctx_str(ctx, "src"));
	else
		pw_result_set(result, "accepted", "None of the %lld rules on %s stops %s port %lld.", pw_map_int(observation, "rules", 0), node, pw_ctx_str(ctx, "dst"),
			      pw_ctx_int(ctx, "port"));
	return PW_OK;
}

const struct pw_check pw_check_firewall_rules = {
	PW_CHECK_HEAD("firewall_rules"),
	.summary = "Walk one packet through a node's netfilter rules and name the rule that stops it",
	.details = "Reads iptables (nft and legacy) and every other nft table; says whether the rule is kube-proxy's, the policy enforcer's, or nobody's that Kubernetes knows.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_NODES,
	.needs = PW_NEEDS_NET_ADMIN | PW_NEEDS_NET_RAW,
	.timeout_ms = 5000,
	.example = "check firewall_rules node=n2 src=10.244.1.5 dst=10.244.2.6 port=8080 --at node:n2",
	.probe = probe,
	.judge = judge,
};
