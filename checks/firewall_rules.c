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
	{ "answers", PW_TYPE_BOOL, 0, "true", NULL, "Walk the answers too (not for a tunnel's packets, which go to one port in both directions)" },
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
	{ "way", PW_TYPE_STR, NULL, "there or back: the direction it stops, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *path = pw_ctx_str(ctx, "path");
	struct pw_rules *rules = pw_rules_new(pw_ctx_arena(ctx));
	int rc = pw_rules_read(ctx, rules, err);
	if (rc)
		return rc;
	const struct pw_flow flow = {
		.src = pw_ctx_str(ctx, "src"), .dst = pw_ctx_str(ctx, "dst"), .protocol = pw_packet_protocol(pw_ctx_str(ctx, "protocol")),
		.port = (unsigned)pw_ctx_int(ctx, "port"), .from_here = !strcmp(path, "out"), .to_here = !strcmp(path, "in"), .answered = pw_ctx_bool(ctx, "answers"),
	};
	pw_map_set_int(observation, "rules", (long long)pw_rules_count(rules));
	pw_rules_problems(rules, pw_map_set_seq(observation, "problems"));
	return pw_flow_meet(ctx, rules, &flow, observation, err);
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

/* What stops the packets of one direction, or NULL. */
static const struct pw_val *stopper(const struct pw_val *way, bool *ret_reject)
{
	const struct pw_val *walk = pw_map_get(way, "walk"), *list = pw_val_get(way, "drops.drops");
	const char *outcome = pw_map_str(walk, "outcome", "");
	*ret_reject = !strcmp(outcome, "reject");
	if (stops(outcome))
		return pw_map_get(walk, "decided_by");
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const struct pw_val *drop = pw_val_at(list, i);
		*ret_reject = !strcmp(pw_map_str(drop, "verdict", ""), "reject");
		if (pw_map_bool(drop, "certain", false) && meets_packet(drop))
			return drop;
	}
	return NULL;
}

static size_t add_maybe(const struct pw_val *way, char *text, size_t size, size_t used)
{
	const struct pw_val *list = pw_val_get(way, "drops.drops");
	for (size_t i = 0; i < pw_val_count(list) && used < size; i++) {
		const struct pw_val *drop = pw_val_at(list, i);
		if (!pw_map_bool(drop, "certain", false) && meets_packet(drop))
			used += (size_t)snprintf(text + used, size - used, "%s%s %s: %s", used ? "; " : "", pw_map_str(drop, "table", ""), pw_map_str(drop, "chain", ""),
						 pw_map_str(drop, "rule", ""));
	}
	return used;
}

static void list_maybe(const struct pw_val *observation, struct pw_val *ev)
{
	char text[1024] = "";
	(void)add_maybe(pw_map_get(observation, "back"), text, sizeof text, add_maybe(observation, text, sizeof text, 0));
	pw_map_set_str(ev, "may_drop", text);
}

/* A program whose rules could not be read at all, and which may hold some for this packet; of one line of them the place is said
 * ("nft:12: why"). */
static const char *unread(const struct pw_val *problems, bool v6)
{
	for (size_t i = 0; i < pw_val_count(problems); i++) {
		const char *text = pw_val_text(pw_val_at(problems, i)), *colon = text ? strchr(text, ':') : NULL;
		if (colon && colon[1] == ' ' && strncmp(text, v6 ? "iptables" : "ip6tables", v6 ? 8 : 9) != 0)
			return text;
	}
	return NULL;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const char *node = pw_ctx_str(ctx, "node"), *dst = pw_ctx_str(ctx, "dst");
	const struct pw_val *walk = pw_map_get(observation, "walk"), *back = pw_map_get(observation, "back");
	if (!*pw_map_str(walk, "outcome", "")) {
		pw_result_unknown(result, "the rules of %s could not be walked", node);
		return PW_OK;
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "rules", pw_map_int(observation, "rules", 0));
	list_maybe(observation, ev);
	bool reject, answers = false;
	const struct pw_val *stop = stopper(observation, &reject);
	if (!stop) {
		stop = stopper(back, &reject);
		answers = stop != NULL;
	}
	put_rule(ev, stop);
	pw_map_set_str(ev, "way", !stop ? "" : answers ? "back" : "there");
	const char *missing = unread(pw_map_get(observation, "problems"), strchr(dst, ':') != NULL);
	/* What a pod sends to a node is masqueraded by design: the node is outside the pod network. */
	bool to_node = pw_facts_node_by_ip(pw_ctx_facts(ctx), dst) != NULL;
	if (stop)
		pw_result_set(result, pw_rule_drop_word(stop, reject), "%s %s %s%s port %lld in %s %s: %s", node, reject ? "rejects" : "drops",
			      answers ? "the answers of " : "", dst, pw_ctx_int(ctx, "port"), pw_map_str(stop, "table", ""), pw_map_str(stop, "chain", ""),
			      pw_map_str(stop, "rule", "chain policy"));
	else if (pw_map_bool(walk, "masquerade", false) && !to_node)
		pw_result_set(result, "masqueraded", "%s passes the packet, but rewrites its source %s.", node, pw_ctx_str(ctx, "src"));
	else if (missing)
		pw_result_unknown(result, "none of the %lld rules read on %s stops %s port %lld, and others could not be read (%s)", pw_map_int(observation, "rules", 0),
				  node, dst, pw_ctx_int(ctx, "port"), missing);
	else
		pw_result_set(result, "accepted", "None of the %lld rules on %s stops %s port %lld.", pw_map_int(observation, "rules", 0), node, dst,
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
