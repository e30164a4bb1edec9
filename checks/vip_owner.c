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
	{ "unheard_by", PW_TYPE_NODE, 0, NULL, NULL, "Another node, which has asked before and heard nobody" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "serves", PW_CLASS_OK, "A node answers for the address, and can serve the Service.", NULL, NULL },
	{ "without-endpoint", PW_CLASS_FAIL, "The node that answers for the address runs no ready endpoint, and externalTrafficPolicy is Local.", "a second announcer, or one that does not look at endpoints", "let a node with endpoints announce it, or use Cluster" },
	{ "nobody", PW_CLASS_FAIL, "Nobody answers ARP for the address, whichever of two nodes asks.", "the announcing speaker or its node is down, and none took over", "look at the speakers" },
	{ "unheard", PW_CLASS_WARN, "The asked node hears nobody, nor would it hear a speaker of its own.", "the asked node announces the address itself, or nobody does", "ask from another node" },
	{ "several", PW_CLASS_WARN, "More than one MAC answers for the address.", "two speakers, nodes that answer for every Service address (kube-proxy in IPVS mode without strictARP), or the address is given twice", "find who has those MACs" },
	{ "stranger", PW_CLASS_WARN, "A machine that is no node answers for the address; the MAC of each node is known.", "a balancer in the segment, or the address is given twice", "find the machine with that MAC" },
	{ "elsewhere", PW_CLASS_OK, "The address is not of the node's own segment: a balancer or router beyond has it.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "mac", PW_TYPE_STR, NULL, "MACs that answer, empty if none" },
	{ "owner", PW_TYPE_STR, NULL, "Node with that MAC, or with the address itself; empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int call(struct pw_ctx *ctx, const char *address, unsigned ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_spec spec = { .address = address, .port = DISCARD, .count = 1, .timeout_ms = ms, .reset = true };
	return pw_probe_tcp(ctx, &spec, ret, err);
}

/* kube-proxy in IPVS mode gives each node all Service addresses, on a link that is down: that makes none of them their owner. */
static bool is_of_ipvs(const struct pw_val *link)
{
	return !strcmp(pw_map_str(link, "name", ""), "kube-ipvs0");
}

static bool has_address(const struct pw_val *observation, const char *address)
{
	const struct pw_val *links = pw_map_get(observation, "links");
	for (size_t i = 0; i < pw_val_count(links); i++)
		if (!is_of_ipvs(pw_val_at(links, i)) && pw_link_has_address(pw_val_at(links, i), address))
			return true;
	return false;
}

/* The own address, without its length, in the segment that the address lies in; "" if there is none on the link. */
static const char *source_on(struct pw_arena *arena, const struct pw_val *link, const char *address)
{
	const struct pw_val *all = pw_map_get(link, "addresses");
	for (size_t i = 0; i < pw_val_count(all); i++) {
		const char *own = pw_val_text(pw_val_at(all, i));
		if (own && strchr(own, '/') && pw_address_in_cidr(address, own) > 0) {
			const char *source = pw_arena_printf(arena, "%.*s", (int)strcspn(own, "/"), own);
			return source ? source : "";
		}
	}
	return "";
}

/* The routing table says "local" of an address on kube-ipvs0; the links tell which segment it is of. */
static void ask_past_ipvs(struct pw_arena *arena, const struct pw_val *links, struct pw_arp_spec *spec)
{
	spec->source = "";
	for (size_t i = 0; i < pw_val_count(links) && !*spec->source; i++) {
		const struct pw_val *link = pw_val_at(links, i);
		spec->dev = pw_map_str(link, "name", "");
		if (!is_of_ipvs(link) && strcmp(spec->dev, "lo") != 0)
			spec->source = source_on(arena, link, spec->address);
	}
}

/* Asked on the wire where the address is of the own segment and this place may: the neighbour table also names an owner that has gone. */
static int ask_now(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arp_spec spec = { .address = pw_ctx_str(ctx, "address"), .tries = 3, .timeout_ms = ASK_MS };
	struct pw_val *route = pw_val_map(pw_ctx_arena(ctx));
	int rc = strchr(spec.address, ':') ? PW_OK : pw_route_get(ctx, spec.address, NULL, NULL, 0, route, err);
	spec.dev = pw_map_str(route, "dev", "");
	spec.source = pw_map_str(route, "src", "");
	if (!rc && !strcmp(pw_map_str(route, "type", ""), "local") && !has_address(observation, spec.address))
		ask_past_ipvs(pw_ctx_arena(ctx), pw_map_get(observation, "links"), &spec);
	else if (rc || strcmp(pw_map_str(route, "type", ""), "unicast") != 0 || *pw_map_str(route, "gateway", ""))
		return rc;
	if (!*spec.source)
		return PW_OK;
	struct pw_val *arp = pw_map_set_map(observation, "arp");
	if (pw_probe_arp(ctx, &spec, arp, err))
		pw_err_clear(err);
	pw_map_set_str(arp, "dev", spec.dev);
	return PW_OK;
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *neighbour = pw_ctx_str(ctx, "neighbour");
	int rc = call(ctx, pw_ctx_str(ctx, "address"), CALL_MS, pw_map_set_map(observation, "call"), err);
	if (!rc && neighbour && *neighbour)
		rc = call(ctx, neighbour, NEIGHBOUR_MS, pw_map_set_map(observation, "neighbour"), err);
	if (!rc)
		rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = ask_now(ctx, observation, err);
	if (!rc)
		rc = pw_read_neighbours(ctx, observation, err);
	return rc ? rc : pw_read_routes(ctx, AF_INET, observation, err);
}

/* The entry of the address that has a MAC, on one link or, with "", on any; NULL if there is none. */
static const struct pw_val *neighbour_of(const struct pw_val *neighbours, const char *address, const char *dev)
{
	const struct pw_val *found = NULL;
	for (size_t i = 0; i < pw_val_count(neighbours); i++) {
		const struct pw_val *entry = pw_val_at(neighbours, i);
		if (!strcmp(pw_map_str(entry, "address", ""), address) && *pw_map_str(entry, "mac", "") && (!*dev || !strcmp(pw_map_str(entry, "dev", ""), dev)))
			found = entry;
	}
	return found;
}

static const char *mac_of(const struct pw_val *neighbours, const char *address)
{
	return pw_map_str(neighbour_of(neighbours, address, ""), "mac", "");
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

/* Is each other node's MAC known where the address is asked for? A virtual router's MAC (VRRP) is of whoever plays that router. */
static bool is_no_node(struct pw_ctx *ctx, const struct pw_val *observation, const char *mac)
{
	size_t n;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const struct pw_val *neighbours = pw_map_get(observation, "neighbours"), *known = neighbour_of(neighbours, pw_ctx_str(ctx, "address"), "");
	const char *asked = pw_ctx_str(ctx, "node"), *dev = pw_map_str(pw_map_get(observation, "arp"), "dev", pw_map_str(known, "dev", ""));
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	if (pw_facts_known(facts, PW_FACT_NODES) != PW_KNOWN_YES || !strncasecmp(mac, "00:00:5e:", 9))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(nodes[i]->meta.name, asked) != 0 && (!*nodes[i]->internal_ip || !neighbour_of(neighbours, nodes[i]->internal_ip, dev)))
			return false;
	return true;
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

struct answers {
	const char *macs;       /* all that answer, "" if none */
	const char *owner;      /* the first node among them, "" if none */
	const char *unserving;  /* the first node among them that has no endpoint where it needs one, "" if none */
	size_t n;
};

static void add_owner(struct pw_ctx *ctx, const struct pw_service *svc, const char *node, struct answers *a)
{
	if (!*a->owner)
		a->owner = node;
	if (!*a->unserving && !serves_from(ctx, svc, node))
		a->unserving = node;
}

static void add_mac(struct pw_ctx *ctx, const struct pw_service *svc, const struct pw_val *neighbours, const char *mac, struct answers *a)
{
	const struct pw_node *node = node_with_mac(pw_ctx_facts(ctx), neighbours, mac);
	const char *macs = *a->macs ? pw_arena_printf(pw_ctx_arena(ctx), "%s, %s", a->macs, mac) : mac;
	a->macs = macs ? macs : mac;
	a->n++;
	if (node)
		add_owner(ctx, svc, node->meta.name, a);
}

static struct answers take_answers(struct pw_ctx *ctx, const struct pw_service *svc, const struct pw_val *observation)
{
	struct answers a = { .macs = "", .owner = "", .unserving = "" };
	const struct pw_val *neighbours = pw_map_get(observation, "neighbours"), *arp = pw_map_get(observation, "arp"), *now = pw_map_get(arp, "answers");
	const char *address = pw_ctx_str(ctx, "address"), *remembered = mac_of(neighbours, address);
	if (has_address(observation, address)) {
		add_owner(ctx, svc, pw_ctx_str(ctx, "node"), &a);
		a.n++;
	} else if (!pw_map_int(arp, "sent", 0) && *remembered) {
		add_mac(ctx, svc, neighbours, remembered, &a);
	}
	for (size_t i = 0; i < pw_val_count(now); i++)
		if (pw_val_text(pw_val_at(now, i)))
			add_mac(ctx, svc, neighbours, pw_val_text(pw_val_at(now, i)), &a);
	return a;
}

/* Asked by this check, or by the kernel for the call, which gave up. */
static bool was_asked(const struct pw_val *observation, const char *address)
{
	const struct pw_val *neighbours = pw_map_get(observation, "neighbours");
	if (pw_map_int(pw_map_get(observation, "arp"), "sent", 0))
		return true;
	for (size_t i = 0; i < pw_val_count(neighbours); i++) {
		const struct pw_val *entry = pw_val_at(neighbours, i);
		const char *state = pw_map_str(entry, "state", "");
		if (!strcmp(pw_map_str(entry, "address", ""), address) && (!strcmp(state, "failed") || !strcmp(state, "incomplete")))
			return true;
	}
	return false;
}

/* What a speaker sends leaves its node: it is not heard there, and a speaker has no need to put the address on a link. */
static void conclude_silence(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result)
{
	const char *address = pw_ctx_str(ctx, "address"), *asked = pw_ctx_str(ctx, "node"), *before = pw_ctx_str(ctx, "unheard_by");
	if (!was_asked(observation, address) && (strchr(address, ':') || is_of_own_segment(observation, address)))
		pw_result_unknown(result, "%s could not ask who has %s", asked, address);
	else if (!is_of_own_segment(observation, address))
		pw_result_set(result, "elsewhere", "%s is not of the segment of %s.", address, asked);
	else if (before && *before && strcmp(before, asked) != 0)
		pw_result_set(result, "nobody", "Nobody in the segment of %s answers for %s, neither to it nor to %s.", asked, address, before);
	else
		pw_result_set(result, "unheard", "Nobody else in the segment of %s answers for %s; what %s itself announces it does not hear.", asked, address, asked);
}

static void conclude(struct pw_ctx *ctx, const struct pw_service *svc, const struct pw_val *observation, struct pw_result *result)
{
	const char *address = pw_ctx_str(ctx, "address"), *asked = pw_ctx_str(ctx, "node");
	struct answers a = take_answers(ctx, svc, observation);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "mac", a.macs);
	pw_map_set_str(ev, "owner", *a.unserving ? a.unserving : a.owner);
	if (!a.n)
		conclude_silence(ctx, observation, result);
	else if (*a.unserving)
		pw_result_set(result, "without-endpoint", "Node %s answers for %s and runs no ready endpoint of %s/%s, whose externalTrafficPolicy is Local.", a.unserving,
			      address, svc->meta.ns, svc->meta.name);
	else if (a.n > 1)
		pw_result_set(result, "several", "%s%s%s answer for %s.", has_address(observation, address) ? asked : "", has_address(observation, address) ? " and " : "", a.macs,
			      address);
	else if (*a.owner)
		pw_result_set(result, "serves", "Node %s answers for %s.", a.owner, address);
	else if (is_no_node(ctx, observation, a.macs))
		pw_result_set(result, "stranger", "%s answers for %s, and it is the MAC of no node.", a.macs, address);
	else
		pw_result_unknown(result, "%s answers for %s, and no node that %s knows has that MAC", a.macs, address, asked);
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
