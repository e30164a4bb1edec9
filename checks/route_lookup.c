/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * route_lookup: where this node would send a packet for a pod, against the
 * node that owns the pod's address.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node that is asked" },
	{ "to", PW_TYPE_POD, 1, NULL, NULL, "The pod the packet is for" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Its address" },
	{ "from", PW_TYPE_ADDRESS, 0, NULL, NULL, "Address of the sender: rules of the node may route its packets otherwise" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "The route leads to the pod, its node, or an overlay device.", NULL, NULL },
	{ "no-route", PW_CLASS_FAIL, "The node has no route for the pod's address.", "the CNI agent did not set it, or something removed it", "restart the CNI agent" },
	{ "default-route", PW_CLASS_FAIL, "Only the default route matches: the packet leaves for the router, which knows nothing of pods unless the network routes them.", "the route of the peer's pod CIDR is missing", "restart the CNI agent, or look at the routes of the network" },
	{ "wrong-next-hop", PW_CLASS_FAIL, "The next hop is a node that does not own the pod's address, or no node at all.", "an old lease, or a hand-made route", "remove the route" },
	{ "stays-here", PW_CLASS_FAIL, "The pod is on another node, and the route keeps the packet on this one.", "address ranges overlap, or the bridge has another node's subnet", "look at the pod CIDRs" },
	{ "blocked", PW_CLASS_FAIL, "A blackhole, prohibit or unreachable route matches.", NULL, "remove the route" },
	{ "leaves", PW_CLASS_FAIL, "The pod is on this node, and the route sends the packet elsewhere.", "the bridge lost its address", "look at the bridge" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "dst", PW_TYPE_ADDRESS, NULL, "Address looked up" },
	{ "dev", PW_TYPE_STR, NULL, "Device chosen, empty if none" },
	{ "gateway", PW_TYPE_STR, NULL, "Next hop, empty if on-link" },
	{ "owner", PW_TYPE_STR, NULL, "Node that runs the pod" },
	{ "overlay", PW_TYPE_BOOL, NULL, "The device is a tunnel" },
	{ "to_router", PW_TYPE_BOOL, NULL, "The next hop is no node: a router of the network" },
	{ "src", PW_TYPE_STR, NULL, "Source address the kernel would choose" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *dst = pw_ctx_str(ctx, "address"), *from = pw_ctx_str(ctx, "from");
	int rc = pw_route_get(ctx, dst, NULL, NULL, 0, pw_map_set_map(observation, "route"), err);
	if (!rc && from && *from)
		rc = pw_route_transit(ctx, dst, from, pw_map_set_map(observation, "transit"), err);
	if (!rc)
		rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = pw_read_routes(ctx, strchr(dst, ':') ? AF_INET6 : AF_INET, observation, err);
	return rc;
}

static const char *link_kind(const struct pw_val *observation, const char *dev)
{
	return pw_map_str(pw_seq_find(pw_map_get(observation, "links"), "name", dev), "kind", "");
}

/* Devices behind which the pods of this node stand. */
static bool is_pod_side(const char *kind, const char *dev)
{
	return !strcmp(kind, "bridge") || !strcmp(kind, "veth") || !strcmp(kind, "netkit") || !strncmp(dev, "cali", 4) || !strncmp(dev, "lxc", 3);
}

static const char *default_gateway(const struct pw_val *observation)
{
	const struct pw_val *routes = pw_map_get(observation, "routes");
	return pw_map_str(pw_seq_find(routes, "dst", "default"), "gateway", "");
}

static bool is_pod_range_of_other(const struct pw_facts *facts, const char *node, const char *dst)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; strcmp(nodes[i]->meta.name, node) != 0 && c < nodes[i]->pod_cidrs.n; c++)
			if (!strcmp(nodes[i]->pod_cidrs.v[c], dst))
				return true;
	return false;
}

/* Does a CNI agent give this cluster's nodes their routes to each other's pods? Where none does, the network beyond
 * routes them (clouds, BGP), and the default route is the right one. */
static bool nodes_hold_routes(const struct pw_facts *facts, const struct pw_val *o, const char *node)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	const struct pw_val *routes = pw_map_get(o, "routes");
	for (size_t i = 0; i < n; i++)
		if (pw_labels_get(&nodes[i]->meta.annotations, "flannel.alpha.coreos.com/backend-type"))
			return true;
	for (size_t i = 0; i < pw_val_count(routes); i++) {
		const struct pw_val *route = pw_val_at(routes, i);
		const char *gateway = pw_map_str(route, "gateway", "");
		if (is_pod_range_of_other(facts, node, pw_map_str(route, "dst", "")) || (*gateway && pw_facts_node_by_ip(facts, gateway)) ||
		    pw_link_is_tunnel(link_kind(o, pw_map_str(route, "dev", ""))))
			return true;
	}
	return false;
}

/* The answer that counts: the one for the sender's packets, where it names a route. What it says of forwarding and of
 * reverse paths is not a matter of routes. */
static const struct pw_val *deciding(const struct pw_val *o)
{
	static const char *const words[] = { "ok", "no-route", "prohibited", "blackhole", "unreachable" };
	const struct pw_val *transit = pw_map_get(o, "transit");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(pw_map_str(transit, "result", ""), words[i]))
			return transit;
	return pw_map_get(o, "route");
}

/* Whose packets a routing rule of the node refuses, if it is this sender's. */
static const char *refused_block(const struct pw_val *o, const char *from)
{
	const struct pw_val *rule = from && *from ? pw_routes_refusal(o, from, pw_map_str(pw_map_get(o, "route"), "dst", "")) : NULL;
	const char *block = pw_map_str(rule, "from", "");
	return !rule ? NULL : *block && strcmp(block, "default") ? block : "everybody";
}

static void conclude(const struct pw_facts *facts, const struct pw_val *o, const char *node, const struct pw_pod *pod, const char *refused, struct pw_result *result)
{
	const struct pw_val *route = deciding(o);
	const char *how = pw_map_str(route, "result", ""), *dev = pw_map_str(route, "dev", ""), *gateway = pw_map_str(route, "gateway", "");
	const char *kind = link_kind(o, dev), *fallback = default_gateway(o);
	const struct pw_node *hop = *gateway ? pw_facts_node_by_ip(facts, gateway) : NULL;
	bool here = !strcmp(pod->node, node);
	if (refused)
		pw_result_set(result, "blocked", "A routing rule on %s refuses what comes from %s.", node, refused);
	else if (!strcmp(how, "no-route") || (!strcmp(how, "unreachable") && !*dev))
		pw_result_set(result, !strcmp(how, "no-route") ? "no-route" : "blocked", "%s has no usable route for %s.", node, pod->ip);
	else if (!strcmp(how, "prohibited") || !strcmp(how, "blackhole") || !strcmp(how, "unreachable"))
		pw_result_set(result, "blocked", "A %s route on %s matches %s.", how, node, pod->ip);
	else if (strcmp(how, "ok"))
		pw_result_unknown(result, "what the kernel of %s answers for %s cannot be told (%s)", node, pod->ip, *how ? how : "nothing");
	else if (pod->host_network)
		pw_result_set(result, "ok", "%s is on the host network of %s, and %s reaches %s by %s.", pod->meta.name, pod->node, node, pod->ip, *dev ? dev : "itself");
	else if (!strncmp(dev, "cilium_", strlen("cilium_")))
		pw_result_unknown(result, "%s gives %s to %s, where Cilium's programs and not the routes decide", node, pod->ip, dev);
	else if (here && !is_pod_side(kind, dev))
		pw_result_set(result, "leaves", "%s runs on %s, whose route for %s leaves by %s.", pod->meta.name, node, pod->ip, dev);
	else if (here)
		pw_result_set(result, "ok", "%s reaches %s by %s.", node, pod->ip, dev);
	else if (pw_link_is_tunnel(kind))
		pw_result_set(result, "ok", "%s sends %s into the overlay device %s.", node, pod->ip, dev);
	else if (!strcmp(kind, "bridge") && !*gateway)
		pw_result_set(result, "stays-here", "%s runs on %s, but the route of %s keeps %s on its own %s.", pod->meta.name, pod->node, node, pod->ip, dev);
	else if (hop && !strcmp(hop->meta.name, pod->node))
		pw_result_set(result, "ok", "%s sends %s to %s, the address of %s.", node, pod->ip, gateway, pod->node);
	else if (!hop && !nodes_hold_routes(facts, o, node))
		pw_result_unknown(result, "%s gives %s to the network (%s), and no CNI agent sets routes between the nodes: whether the network "
				  "brings it to %s cannot be told here", node, pod->ip, *gateway ? gateway : dev, pod->node);
	else if (*gateway && !strcmp(gateway, fallback))
		pw_result_set(result, "default-route", "%s has no route for the pods of %s: %s leaves by the default route to %s.", node, pod->node, pod->ip, gateway);
	else
		pw_result_set(result, "wrong-next-hop", "%s sends %s to %s%s%s%s, but it belongs to %s.", node, pod->ip, *gateway ? gateway : dev, hop ? " (" : "",
			      hop ? hop->meta.name : "", hop ? ")" : "", pod->node);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_PODS | PW_FACT_NODES, result))
		return PW_OK;
	const struct pw_pod *pod = pw_facts_pod_ref(facts, pw_ctx_str(ctx, "to"));
	const struct pw_val *route = deciding(observation);
	if (!pod || !route) {
		pw_result_unknown(result, "there is no pod %s", pw_ctx_str(ctx, "to"));
		return PW_OK;
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "dst", pod->ip);
	pw_map_set_str(ev, "dev", pw_map_str(route, "dev", ""));
	pw_map_set_str(ev, "gateway", pw_map_str(route, "gateway", ""));
	pw_map_set_str(ev, "owner", pod->node);
	pw_map_set_bool(ev, "overlay", pw_link_is_tunnel(link_kind(observation, pw_map_str(route, "dev", ""))));
	const char *gateway = pw_map_str(route, "gateway", "");
	pw_map_set_bool(ev, "to_router", *gateway && !pw_link_is_tunnel(link_kind(observation, pw_map_str(route, "dev", ""))) && !pw_facts_node_by_ip(facts, gateway));
	pw_map_set_str(ev, "src", pw_map_str(route, "src", ""));
	conclude(facts, observation, pw_ctx_str(ctx, "node"), pod, refused_block(observation, pw_ctx_str(ctx, "from")), result);
	return PW_OK;
}

const struct pw_check pw_check_route_lookup = {
	PW_CHECK_HEAD("route_lookup"),
	.summary = "Ask a node's kernel where it would send a packet for a pod",
	.details = "Compares the answer with the node that runs the pod.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_NODES,
	.timeout_ms = 3000,
	.example = "check route_lookup node=n1 to=shop/api-2 address=10.244.2.5 --at node:n1",
	.probe = probe,
	.judge = judge,
};
