/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kube-proxy as its documentation and its own tests have it: which endpoints a
 * traffic policy leaves, what happens when it leaves none, who is masqueraded,
 * and what the two rule modes do with closed ports.
 */
#include <cluster/proxy.h>

#include <string.h>

#include <cluster/model.h>

const char *const pw_proxy_words[] = { "none", "dnat", "reject", "drop" };

/* By which of a Service's addresses a packet came. */
enum door { DOOR_CLUSTER_IP, DOOR_EXTERNAL_IP, DOOR_LOAD_BALANCER, DOOR_NODE_PORT };

struct ask {
	const struct pw_facts *facts;
	const struct pw_proxy_node *node;
	const struct pw_proxy_packet *packet;
	struct pw_arena *arena;
	struct pw_proxy_answer *answer;
};

static bool same_address(const char *a, const char *b)
{
	struct pw_address x, y;

	return pw_address_parse(a, &x) && pw_address_parse(b, &y) && pw_address_compare(&x, &y) == 0;
}

static bool is_among(const struct pw_strings *addresses, const char *address)
{
	for (size_t i = 0; i < addresses->n; i++)
		if (same_address(addresses->v[i], address))
			return true;
	return false;
}

/* kube-proxy takes blanks around a block; the API lets them through. */
static bool parse_block(const char *text, struct pw_cidr *ret)
{
	char word[64]; /* the longest IPv6 block has 43 bytes */
	size_t len;

	text += strspn(text, " \t");
	len = strcspn(text, " \t");
	if (len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	return pw_cidr_parse(word, ret);
}

static bool in_any(const struct pw_strings *blocks, const char *text)
{
	struct pw_address address;
	struct pw_cidr block;

	for (size_t i = 0; pw_address_parse(text, &address) && i < blocks->n; i++)
		if (parse_block(blocks->v[i], &block) && pw_cidr_holds(&block, &address))
			return true;
	return false;
}

/* ---- endpoints ---- */

static bool is_local(const struct ask *ask, const struct pw_endpoint *endpoint)
{
	return ask->node->name && strcmp(endpoint->node, ask->node->name) == 0;
}

/* Ready ones; while there is none, those that still serve while they end. */
static size_t choose(const struct ask *ask, const struct pw_backend *all, size_t n, bool local, const struct pw_backend **ret)
{
	struct pw_backend *chosen = pw_arena_array(ask->arena, n + 1, sizeof(*chosen));
	size_t kept = 0;

	for (unsigned pass = 0; chosen && pass < 2 && kept == 0; pass++)
		for (size_t i = 0; i < n; i++) {
			const struct pw_endpoint *endpoint = all[i].endpoint;
			bool fit = pass == 0 ? endpoint->ready : endpoint->serving && endpoint->terminating;

			if (fit && (!local || is_local(ask, endpoint)))
				chosen[kept++] = all[i];
		}
	*ret = chosen;
	return kept;
}

/* All endpoints of a family: a Service of two has slices of both. */
static size_t of_family(const struct ask *ask, struct pw_backend *all, size_t n)
{
	struct pw_address dst, address;
	size_t kept = 0;

	if (!pw_address_parse(ask->packet->dst, &dst))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (pw_address_parse(all[i].endpoint->address, &address) && address.family == dst.family)
			all[kept++] = all[i];
	return kept;
}

/* ---- one Service port ---- */

static bool is_local_policy(const char *policy)
{
	return strcmp(policy, "Local") == 0;
}

/* Ranges hold for the load balancer's addresses only; its own address as a source is a packet of this node. */
static bool is_refused(const struct ask *ask, const struct pw_service *service, enum door door)
{
	const struct pw_strings *ranges = &service->lb_source_ranges;

	if (door != DOOR_LOAD_BALANCER || ranges->n == 0 || in_any(ranges, ask->packet->src))
		return false;
	return !(same_address(ask->packet->src, ask->packet->dst) && ask->node->ips.n && in_any(ranges, ask->node->ips.v[0]));
}

static void settle(const struct ask *ask, enum pw_proxy_outcome outcome, const char *why)
{
	ask->answer->outcome = outcome;
	ask->answer->why = why;
}

/* Without need no source is rewritten. A pod that is led to itself would answer itself: then it is. */
static bool is_hairpin(const struct ask *ask)
{
	for (size_t i = 0; i < ask->answer->n_backends; i++)
		if (!same_address(ask->answer->backends[i].endpoint->address, ask->packet->src))
			return false;
	return true;
}

static void ask_port(const struct ask *ask, const struct pw_service *service, const struct pw_service_port *port, enum door door)
{
	bool outside = door != DOOR_CLUSTER_IP, from_pod = in_any(&ask->node->pod_cidrs, ask->packet->src);
	bool from_node = is_among(&ask->node->ips, ask->packet->src);
	bool local = is_local_policy(outside ? service->external_policy : service->internal_policy);
	const struct pw_backend *all = NULL, *any;
	size_t n = pw_facts_backends(ask->facts, service, port, ask->arena, &all);
	struct pw_backend *copy = pw_arena_array(ask->arena, n + 1, sizeof(*copy));

	ask->answer->service = service;
	if (!copy)
		return;
	for (size_t i = 0; i < n; i++)
		copy[i] = all[i];
	n = of_family(ask, copy, n);
	if (is_refused(ask, service, door)) {
		settle(ask, PW_PROXY_DROP, "spec.loadBalancerSourceRanges does not hold the sender");
		return;
	}
	if (choose(ask, copy, n, false, &any) == 0) {
		settle(ask, PW_PROXY_REJECT, "the Service has no endpoint that is ready or still serves");
		return;
	}
	/* What comes from this node or its pods needs no load balancer: it may go to any node. */
	if (local && outside && (from_pod || from_node))
		local = false;
	ask->answer->n_backends = choose(ask, copy, n, local, &ask->answer->backends);
	if (ask->answer->n_backends == 0) {
		settle(ask, PW_PROXY_DROP, "the traffic policy is Local, and no endpoint is on this node");
		return;
	}
	settle(ask, PW_PROXY_DNAT, local ? "to the endpoints of this node: the traffic policy is Local" : "to any endpoint");
	if (outside)
		ask->answer->masquerade = is_local_policy(service->external_policy) ? !from_pod && from_node : true;
	else
		ask->answer->masquerade = ask->node->pod_cidrs.n && !from_pod;
	ask->answer->masquerade = ask->answer->masquerade || is_hairpin(ask);
}

/* ---- whose address ---- */

static bool has_node_ports(const struct ask *ask, const char *address)
{
	if (!is_among(&ask->node->ips, address))
		return false;
	return ask->node->nodeport_addresses.n == 0 || in_any(&ask->node->nodeport_addresses, address);
}

/* True when the packet is for an address of the Service (`ret_door`), whatever the port. */
static bool leads_in(const struct pw_service *service, const char *dst, enum door *ret_door)
{
	*ret_door = DOOR_CLUSTER_IP;
	if (same_address(service->cluster_ip, dst) || is_among(&service->cluster_ips, dst))
		return true;
	*ret_door = DOOR_EXTERNAL_IP;
	if (is_among(&service->external_ips, dst))
		return true;
	*ret_door = DOOR_LOAD_BALANCER;
	return is_among(&service->lb_ips, dst);
}

static bool ask_service(const struct ask *ask, const struct pw_service *service, bool *ret_closed)
{
	const struct pw_proxy_packet *packet = ask->packet;
	enum door door;
	bool by_address = leads_in(service, packet->dst, &door), node = has_node_ports(ask, packet->dst);

	for (size_t i = 0; i < service->n_ports; i++) {
		const struct pw_service_port *port = &service->ports[i];

		if (strcmp(port->protocol, packet->protocol) != 0)
			continue;
		if (by_address && port->port == packet->port) {
			ask_port(ask, service, port, door);
			return true;
		}
		if (node && port->node_port && port->node_port == packet->port) {
			ask_port(ask, service, port, DOOR_NODE_PORT);
			return true;
		}
	}
	if (by_address && door == DOOR_CLUSTER_IP) {
		*ret_closed = true;
		ask->answer->service = service;
	}
	return false;
}

bool pw_proxy_ask(const struct pw_facts *facts, const struct pw_proxy_node *node, const struct pw_proxy_packet *packet,
		  struct pw_arena *arena, struct pw_proxy_answer *ret)
{
	struct ask ask = { facts, node, packet, arena, ret };
	size_t n;
	const struct pw_service *const *services = pw_facts_services(facts, &n);
	bool closed = false;

	*ret = (struct pw_proxy_answer){ .why = "the address is no Service's, and the port no node port" };
	for (size_t i = 0; i < n; i++)
		if (ask_service(&ask, services[i], &closed))
			return !pw_arena_failed(arena);
	if (closed)
		settle(&ask, node->nftables ? PW_PROXY_REJECT : PW_PROXY_NONE, "the Service has no such port");
	else if (node->nftables && in_any(&node->service_cidrs, packet->dst))
		settle(&ask, PW_PROXY_DROP, "no Service has this address of the Service range");
	return !pw_arena_failed(arena);
}
