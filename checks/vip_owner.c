/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vip_owner: which node answers ARP for a load balancer's address that lies in
 * the nodes' own segment, and can it serve? The address is called on a port
 * that no Service rule takes, so that the packet has to find its way by ARP;
 * the MAC it finds is compared with those of the nodes.
 */
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>
#include <packetwalk/probe.h>

enum { DISCARD = 9, CALL_MS = 3500 /* three ARP requests take 3 s */, NEIGHBOUR_MS = 300, ASK_MS = 500 };

static const struct pw_param params[] = {
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of its load balancer" },
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node that is asked" },
	{ "neighbour", PW_TYPE_ADDRESS, 0, NULL, NULL, "Address of another node, so that its MAC is known there" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "serves", PW_CLASS_OK, "A node answers for the address, and can serve the Service.", NULL, NULL },
	{ "without-endpoint", PW_CLASS_FAIL, "The node that answers for the address runs no ready endpoint, and externalTrafficPolicy is Local.", "a second announcer, or one that does not look at endpoints", "let a node with endpoints announce it, or use Cluster" },
	{ "nobody", PW_CLASS_FAIL, "Nobody answers ARP for the address.", "the announcing speaker or its node is down, and none took over", "look at the speakers" },
	{ "stranger", PW_CLASS_FAIL, "A machine that is no node answers for the address.", "the address is given twice", "find the machine with that MAC" },
	{ "elsewhere", PW_CLASS_OK, "The address is not of the node's own segment: a balancer or router beyond has it.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "mac", PW_TYPE_STR, NULL, "MAC that answers, empty if none" },
	{ "owner", PW_TYPE_STR, NULL, "Node with that MAC, or with the address itself; empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int call(struct pw_ctx *ctx, const char *address, unsigned ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_spec spec = { .address = address, .port = DISCARD, .count = 1, .timeout_ms = ms, .reset = true };
	return pw_probe_tcp(ctx, &spec, ret, err);
}

/* Asked on the wire where the address is of the own segment and this place may: the neighbour table also names an owner that has gone. */
static int ask_now(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arp_spec spec = { .address = pw_ctx_str(ctx, "address"), .tries = 3, .timeout_ms = ASK_MS };
	struct pw_val *route = pw_val_map(pw_ctx_arena(ctx));
	int rc = strchr(spec.address, ':') ? PW_OK : pw_route_get(ctx, spec.address, NULL, NULL, 0, route, err);
	spec.dev = pw_map_str(route, "dev", "");
	spec.source = pw_map_str(route, "src", "");
	if (rc || strcmp(pw_map_str(route, "type", ""), "unicast") != 0 || *pw_map_str(route, "gateway", "") || !*spec.source)
		return rc;
	if (pw_probe_arp(ctx, &spec, pw_map_set_map(observation, "arp"), err))
		pw_err_clear(err);
	return PW_OK;
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *neighbour = pw_ctx_str(ctx, "neighbour");
	int rc = call(ctx, pw_ctx_str(ctx, "address"), CALL_MS, pw_map_set_map(observation, "call"), err);
	if (!rc && neighbour && *neighbour)
		rc = call(ctx, neighbour, NEIGHBOUR_MS, pw_map_set_map(observation, "neighbour"), err);
	if (!rc)
		rc = ask_now(ctx, observation, err);
	if (!rc)
		rc = pw_read_neighbours(ctx, observation, err);
	if (!rc)
		rc = pw_read_links(ctx, observation, err);
	return rc ? rc : pw_read_routes(ctx, AF_INET, observation, err);
}

static const char *mac_of(const struct pw_val *neighbours, const char *address)
{
	const char *mac = "";
	for (size_t i = 0; i < pw_val_count(neighbours); i++) {
		const struct pw_val *entry = pw_val_at(neighbours, i);
		if (!strcmp(pw_map_str(entry, "address", ""), address) && *pw_map_str(entry, "mac", ""))
			mac = pw_map_str(entry, "mac", "");
	}
	return mac;
}

static bool has_address(const struct pw_val *observation, const char *address)
{
	const struct pw_val *links = pw_map_get(observation, "links");
	for (size_t i = 0; i < pw_val_count(links); i++)
		if (pw_link_has_address(pw_val_at(links, i), address))
			return true;
	return false;
}

/* The most specific route that is not by a gateway leads into a segment of the node's own. */
static bool is_of_own_segment(const struct pw_val *observation, const char *address)
{
	const struct pw_val *routes = pw_map_get(observation, "routes");
	for (size_t i = 0; i < pw_val_count(routes); i++) {
		const struct pw_val *route = pw_val_at(routes, i);
		if (!*pw_map_str(route, "gateway", "") && pw_map_int(route, "table", 254) == 254 && !strcmp(pw_map_str(route, "type", "unicast"), "unicast") &&
		    pw_address_in_cidr(address, pw_map_str(route, "dst", "")) > 0)
			return true;
	}
	return false;
}

static const struct pw_node *node_with_mac(const struct pw_facts *facts, const struct pw_val *neighbours, const char *mac)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (*nodes[i]->internal_ip && !strcasecmp(mac_of(neighbours, nodes[i]->internal_ip), mac))
			return nodes[i];
	return NULL;
}

static bool serves_from(struct pw_ctx *ctx, const struct pw_service *svc, const char *node)
{
	const struct pw_backend *backends = NULL;
	size_t n = pw_facts_backends(pw_ctx_facts(ctx), svc, NULL, pw_ctx_arena(ctx), &backends);
	if (strcmp(svc->external_policy, "Local") != 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (backends[i].endpoint->ready && !strcmp(backends[i].endpoint->node, node))
			return true;
	return false;
}

static void conclude(struct pw_ctx *ctx, const struct pw_service *svc, const struct pw_val *observation, struct pw_result *result)
{
	const char *address = pw_ctx_str(ctx, "address"), *asked = pw_ctx_str(ctx, "node");
	const struct pw_val *neighbours = pw_map_get(observation, "neighbours");
	const struct pw_val *arp = pw_map_get(observation, "arp");
	const char *now = pw_val_text(pw_val_at(pw_map_get(arp, "answers"), 0));
	const char *mac = pw_map_int(arp, "sent", 0) ? (now ? now : "") : mac_of(neighbours, address);
	const struct pw_node *node = *mac ? node_with_mac(pw_ctx_facts(ctx), neighbours, mac) : NULL;
	const char *owner = has_address(observation, address) ? asked : node ? node->meta.name : "";
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "mac", mac);
	pw_map_set_str(ev, "owner", owner);
	if (!*owner && !*mac && !is_of_own_segment(observation, address))
		pw_result_set(result, "elsewhere", "%s is not of the segment of %s.", address, asked);
	else if (!*owner && !*mac)
		pw_result_set(result, "nobody", "Nobody in the segment of %s answers for %s.", asked, address);
	else if (!*owner)
		pw_result_set(result, "stranger", "%s answers for %s, and no node that %s knows has that MAC.", mac, address, asked);
	else if (!serves_from(ctx, svc, owner))
		pw_result_set(result, "without-endpoint", "Node %s answers for %s and runs no ready endpoint of %s/%s, whose externalTrafficPolicy is Local.", owner,
			      address, svc->meta.ns, svc->meta.name);
	else
		pw_result_set(result, "serves", "Node %s answers for %s.", owner, address);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_NODES, result))
		return PW_OK;
	const struct pw_service *svc = pw_facts_service_ref(facts, pw_ctx_str(ctx, "service"));
	if (svc)
		conclude(ctx, svc, observation, result);
	else
		pw_result_unknown(result, "there is no Service %s", pw_ctx_str(ctx, "service"));
	return PW_OK;
}

const struct pw_check pw_check_vip_owner = {
	PW_CHECK_HEAD("vip_owner"),
	.summary = "Find the node that answers ARP for a load balancer's address",
	.details = "For addresses that a speaker announces in the nodes' own segment (MetalLB's layer 2 mode, kube-vip).",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.needs = PW_NEEDS_NET_RAW,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_NODES,
	.timeout_ms = 8000,
	.example = "check vip_owner service=shop/api-lb address=192.168.50.200 node=n1 --at node:n1",
	.probe = probe,
	.judge = judge,
};
