/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * way_out: what a node does with a pod's packet for an address outside the
 * cluster: which route it takes, whether Service rules catch it, and whether
 * its source is rewritten to an address the outside can answer.
 */
#include <string.h>
#include <sys/socket.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node that is asked" },
	{ "src", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the pod" },
	{ "dst", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address outside" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port there" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol" },
	{ "whose", PW_TYPE_CHOICE, 0, "pod", "pod|node", "Whose packet: the node routes a pod's as one in transit" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "rewritten", PW_CLASS_OK, "The packet leaves by an uplink, and its source becomes an address of the node.", NULL, NULL },
	{ "source-kept", PW_CLASS_WARN, "The packet leaves by an uplink with the pod's own address, which only a network that routes pod addresses can answer.", "a masquerade rule is missing, or exempts this destination", "look at the CNI's masquerade settings" },
	{ "into-pods", PW_CLASS_FAIL, "The route leads to this node's pods or into the overlay, not out.", "the pod address range overlaps a real network", "give one of them another range" },
	{ "taken-by-service", PW_CLASS_FAIL, "A Service rule translates, drops or rejects the packet.", "the Service address range overlaps a real network", "give one of them another range" },
	{ "no-route", PW_CLASS_FAIL, "The node has no route for the address, no default route either.", "the route was removed, or DHCP gave none", "restore the default route" },
	{ "blocked", PW_CLASS_FAIL, "A blackhole, prohibit or unreachable route matches.", NULL, "remove the route" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "dev", PW_TYPE_STR, NULL, "Device chosen, empty if none" },
	{ "gateway", PW_TYPE_STR, NULL, "Next hop, empty if on-link" },
	{ "by_router", PW_TYPE_BOOL, NULL, "The next hop is a router" },
	{ "rewritten", PW_TYPE_BOOL, NULL, "The source is rewritten" },
	{ "rule", PW_TYPE_STR, NULL, "The Service rule that takes it, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *dst = pw_ctx_str(ctx, "dst");
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_rules *rules = pw_rules_new(arena);
	struct pw_val *route = pw_map_set_map(observation, "route"), *transit = pw_map_set_map(observation, "transit");
	int rc = pw_route_get(ctx, dst, NULL, NULL, 0, route, err);
	if (!rc && !strcmp(pw_ctx_str(ctx, "whose"), "pod"))
		rc = pw_route_transit(ctx, dst, pw_ctx_str(ctx, "src"), transit, err);
	if (!rc)
		rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = pw_read_routes(ctx, strchr(dst, ':') ? AF_INET6 : AF_INET, observation, err);
	if (!rc)
		rc = pw_rules_read(ctx, rules, err);
	const struct pw_packet packet = {
		.src = pw_ctx_str(ctx, "src"), .dst = dst, .protocol = pw_packet_protocol(pw_ctx_str(ctx, "protocol")),
		.dport = (unsigned)pw_ctx_int(ctx, "port"), .iif = pw_map_str(transit, "iif", ""), .oif = pw_map_str(route, "dev", ""), .ctstate = "NEW",
	};
	return rc ? rc : pw_rules_walk(rules, &packet, arena, pw_map_set_map(observation, "walk"), err);
}

static bool in_pod_range(const struct pw_facts *facts, const char *dst)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < nodes[i]->pod_cidrs.n; c++)
			if (pw_address_in_cidr(dst, nodes[i]->pod_cidrs.v[c]) == 1)
				return true;
	return false;
}

/* A tunnel is an overlay by its name (facts: interface names of CNIs), or when it is the way to a range of pods; else it may be a VPN. */
static bool is_overlay(const char *dev)
{
	static const char *const prefixes[] = { "flannel", "vxlan.calico", "vxlan-v6.calico", "tunl0", "wireguard.cali", "cilium_", "antrea-", "genev_sys", "ovn-k8s" };
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (!strncmp(dev, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* Bridges and veths lead to this node's pods, overlays to other nodes'. */
static bool leads_to_pods(const struct pw_facts *facts, const struct pw_val *observation, const char *dev, const char *dst)
{
	const char *kind = pw_map_str(pw_seq_find(pw_map_get(observation, "links"), "name", dev), "kind", "");
	if (pw_link_is_tunnel(kind))
		return is_overlay(dev) || in_pod_range(facts, dst);
	return !strcmp(kind, "bridge") || !strcmp(kind, "veth") || !strcmp(kind, "netkit");
}

/* What the node does with the pod's own packets, where the kernel names a route for them; what it says of forwarding and of reverse
 * paths is no matter of routes. */
static const struct pw_val *deciding(const struct pw_val *observation)
{
	static const char *const words[] = { "ok", "no-route", "prohibited", "blackhole", "unreachable" };
	const struct pw_val *transit = pw_map_get(observation, "transit");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(pw_map_str(transit, "result", ""), words[i]))
			return transit;
	return pw_map_get(observation, "route");
}

/* A range that overlaps shows in the kernel's answer only if a bridge or tunnel is not also the uplink (br-ex, a VPN). */
static bool is_uplink(const struct pw_facts *facts, const struct pw_val *observation, const char *node, const char *dev)
{
	const struct pw_node *own = pw_facts_node(facts, node);
	return own && pw_link_has_address(pw_seq_find(pw_map_get(observation, "links"), "name", dev), own->internal_ip);
}

static bool has_cilium(const struct pw_val *observation)
{
	const struct pw_val *links = pw_map_get(observation, "links");
	for (size_t i = 0; i < pw_val_count(links); i++)
		if (!strncmp(pw_map_str(pw_val_at(links, i), "name", ""), "cilium_", strlen("cilium_")))
			return true;
	return false;
}

static bool taken(const struct pw_val *walk)
{
	const char *outcome = pw_map_str(walk, "outcome", "");
	bool takes = !strcmp(outcome, "drop") || !strcmp(outcome, "reject") || !strcmp(outcome, "dnat");
	return takes && pw_rule_is_kube_proxys(pw_map_get(walk, "decided_by"));
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const struct pw_val *route = deciding(observation), *walk = pw_map_get(observation, "walk");
	const char *how = pw_map_str(route, "result", ""), *dev = pw_map_str(route, "dev", ""), *node = pw_ctx_str(ctx, "node"), *dst = pw_ctx_str(ctx, "dst");
	bool by_service = taken(walk), rewritten = pw_map_bool(walk, "masquerade", false);
	if (!pw_facts_need(facts, PW_FACT_NODES, result))
		return PW_OK;
	const char *rule = by_service ? pw_map_str(pw_map_get(walk, "decided_by"), "rule", "") : "";
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "dev", dev);
	pw_map_set_str(ev, "gateway", pw_map_str(route, "gateway", ""));
	pw_map_set_bool(ev, "by_router", *pw_map_str(route, "gateway", "") != '\0');
	pw_map_set_bool(ev, "rewritten", rewritten);
	pw_map_set_str(ev, "rule", rule);
	if (by_service)
		pw_result_set(result, "taken-by-service", "A Service rule of %s takes %s port %lld: %s", node, dst, pw_ctx_int(ctx, "port"), *rule ? rule : "translated");
	else if (!strcmp(pw_ctx_str(ctx, "whose"), "pod") && pw_routes_refusal(observation, pw_ctx_str(ctx, "src"), dst))
		pw_result_set(result, "blocked", "A routing rule on %s refuses what %s sends to %s.", node, pw_ctx_str(ctx, "src"), dst);
	else if (!strcmp(how, "no-route") || (!strcmp(how, "unreachable") && !*dev))
		pw_result_set(result, "no-route", "%s has no route for %s.", node, dst);
	else if (!strcmp(how, "prohibited") || !strcmp(how, "blackhole") || !strcmp(how, "unreachable"))
		pw_result_set(result, "blocked", "A %s route on %s matches %s.", how, node, dst);
	else if (strcmp(how, "ok"))
		pw_result_unknown(result, "what the kernel of %s answers for %s cannot be told (%s)", node, dst, *how ? how : "nothing");
	else if (leads_to_pods(facts, observation, dev, dst) && !is_uplink(facts, observation, node, dev))
		pw_result_set(result, "into-pods", "%s sends %s to %s, where pods are.", node, dst, dev);
	else if (!rewritten && has_cilium(observation))
		pw_result_unknown(result, "on %s Cilium's programs rewrite sources, and netfilter rules do not show whether", node);
	else if (rewritten)
		pw_result_set(result, "rewritten", "%s sends %s out by %s and puts its own address in place of the pod's.", node, dst, dev);
	else
		pw_result_set(result, "source-kept", "%s sends %s out by %s with the pod's address %s.", node, dst, dev, pw_ctx_str(ctx, "src"));
	return PW_OK;
}

const struct pw_check pw_check_way_out = {
	PW_CHECK_HEAD("way_out"),
	.summary = "Say what a node does with a pod's packet for an address outside the cluster",
	.details = "Asks the kernel for the route, and walks the node's netfilter rules for a Service rule that takes the packet and for one that rewrites its source.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.needs = PW_NEEDS_NET_ADMIN | PW_NEEDS_NET_RAW,
	.facts = PW_FACT_NODES,
	.timeout_ms = 5000,
	.example = "check way_out node=n1 src=10.244.1.5 dst=203.0.113.10 port=80 --at node:n1",
	.probe = probe,
	.judge = judge,
};
