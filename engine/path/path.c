/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hops of a flow, derived from Services, endpoints, nodes and policies. */
#include <path/path.h>

#include <string.h>

#define MAX_HOPS 12

struct build {
	const struct pw_facts *facts;
	struct pw_arena *arena;
	const struct pw_flow *flow;
	struct pw_hop *hops; size_t n;
	/* the example the drawing follows */
	const struct pw_pod *to;
	const char *to_address, *to_node, *protocol;
	unsigned to_port;
	size_t n_ready, n_backends;
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void add(struct build *build, const char *id, const char *title, const char *where, const char *note)
{
	if (build->n < MAX_HOPS)
		build->hops[build->n++] = (struct pw_hop){ id, or_empty(title), or_empty(where), or_empty(note) };
}

static const char *node_place(struct build *build, const char *node)
{
	return node[0] ? pw_arena_printf(build->arena, "node %s", node) : "node not known";
}

static const char *node_ip(const struct build *build, const char *name)
{
	const struct pw_node *node = pw_facts_node(build->facts, name);

	return node && node->internal_ip[0] ? node->internal_ip : name;
}

static const char *end_point(struct build *build, const char *address, unsigned port)
{
	if (!port)
		return address;
	return or_empty(pw_arena_printf(build->arena, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port));
}

static bool has_cluster_ip(const struct pw_service *service)
{
	return service && service->cluster_ip[0] && strcmp(service->cluster_ip, "None") != 0;
}

static const struct pw_service_port *service_port(const struct pw_flow *flow)
{
	const struct pw_service *service = flow->service;

	for (size_t i = 0; service && i < service->n_ports; i++)
		if (service->ports[i].port == flow->port && (!flow->protocol || strcmp(service->ports[i].protocol, flow->protocol) == 0))
			return &service->ports[i];
	return service && service->n_ports ? &service->ports[0] : NULL;
}

/* ---- which receiver the drawing follows ---- */

static const char *sender_node(const struct build *build)
{
	return build->flow->from ? build->flow->from->node : "";
}

/* A ready endpoint on another node shows the longest path. */
static const struct pw_backend *example(const struct build *build, const struct pw_backend *backends, size_t n)
{
	const struct pw_backend *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct pw_endpoint *endpoint = backends[i].endpoint;
		bool is_to = build->flow->to && strcmp(endpoint->target_name, build->flow->to->meta.name) == 0;
		bool far = endpoint->ready && strcmp(endpoint->node, sender_node(build)) != 0;

		if (is_to)
			return &backends[i];
		if (endpoint->ready && (!best || (far && strcmp(best->endpoint->node, sender_node(build)) == 0)))
			best = &backends[i];
	}
	return best;
}

static void choose_backend(struct build *build)
{
	const struct pw_backend *backends = NULL, *chosen;

	build->n_backends = pw_facts_backends(build->facts, build->flow->service, service_port(build->flow), build->arena, &backends);
	for (size_t i = 0; i < build->n_backends; i++)
		build->n_ready += backends[i].endpoint->ready;
	chosen = example(build, backends, build->n_backends);
	if (!chosen)
		return;
	build->to_address = chosen->endpoint->address;
	build->to_node = chosen->endpoint->node;
	build->to_port = chosen->port;
	if (!build->to)
		build->to = pw_facts_pod(build->facts, chosen->endpoint->target_ns, chosen->endpoint->target_name);
}

static void choose(struct build *build)
{
	const struct pw_flow *flow = build->flow;
	const struct pw_service_port *port = service_port(flow);

	build->to = flow->to;
	build->to_address = or_empty(flow->to_address);
	build->to_node = "";
	build->to_port = flow->port;
	build->protocol = flow->protocol ? flow->protocol : port ? port->protocol : "TCP";
	if (flow->service)
		choose_backend(build);
	if (!build->to && !flow->service)
		build->to = pw_facts_pod_by_ip(build->facts, build->to_address);
	if (!build->to)
		return;
	if (!build->to_address[0])
		build->to_address = build->to->ip;
	build->to_node = build->to->node;
}

/* ---- the hops ---- */

static void add_resolver(struct build *build)
{
	const struct pw_service *service = build->flow->service, *dns = pw_facts_dns_service(build->facts);

	if (!service)
		return;
	add(build, "resolver", "Name lookup", build->flow->from ? "sending pod" : "sender",
	    pw_arena_printf(build->arena, "asks %s for %s.%s.svc.%s", dns ? dns->cluster_ip : "its name server", service->meta.name,
			    service->meta.ns, pw_facts_cluster_domain(build->facts)));
}

static const char *container_of(const struct pw_pod *pod, unsigned port)
{
	for (size_t i = 0; pod && i < pod->n_containers; i++)
		for (size_t j = 0; j < pod->containers[i].n_ports; j++)
			if (pod->containers[i].ports[j].port == port)
				return pod->containers[i].name;
	return "";
}

static void add_pod_out(struct build *build)
{
	const struct pw_pod *pod = build->flow->from;

	if (!pod) {
		add(build, "pod-out", "Sender outside the cluster", or_empty(build->flow->from_address), "");
		return;
	}
	if (pod->host_network)
		add(build, "pod-out", pw_arena_printf(build->arena, "Pod %s/%s", pod->meta.ns, pod->meta.name), node_place(build, pod->node),
		    pw_arena_printf(build->arena, "on the node's own network, %s", pod->ip));
	else
		add(build, "pod-out", pw_arena_printf(build->arena, "Pod %s/%s", pod->meta.ns, pod->meta.name), node_place(build, pod->node),
		    pw_arena_printf(build->arena, "%s, through eth0 and its veth to the node", pod->ip[0] ? pod->ip : "no address yet"));
}

static const char *ruling_note(struct build *build, const struct pw_ruling *ruling)
{
	const struct pw_meta *meta = ruling->policy ? &ruling->policy->meta : NULL;
	const struct pw_cluster_policy *cluster = ruling->cluster_policy;

	if (ruling->undecidable)
		return "not all policies or labels are known";
	if (cluster && ruling->rule == SIZE_MAX)
		return pw_arena_printf(build->arena, "DENIED: %s %s isolates the pod and no rule allows this", cluster->kind, cluster->meta.name);
	if (cluster)
		return pw_arena_printf(build->arena, "%s by %s %s, rule %zu", ruling->allowed ? "allowed" : "DENIED", cluster->kind,
				       cluster->meta.name, ruling->rule + 1);
	if (!meta)
		return "";
	if (ruling->allowed)
		return pw_arena_printf(build->arena, "allowed by %s/%s, rule %zu", meta->ns, meta->name, ruling->rule + 1);
	return pw_arena_printf(build->arena, "DENIED: %s/%s isolates the pod and no rule allows this", meta->ns, meta->name);
}

static void add_policy(struct build *build, bool egress)
{
	struct pw_peer from = { build->flow->from, build->flow->from_address }, to = { build->to, build->to_address };
	struct pw_policy_answer answer;
	const struct pw_ruling *ruling = egress ? &answer.egress : &answer.ingress;

	pw_policy_ask(build->facts, &from, &to, build->protocol, (uint16_t)build->to_port, &answer);
	if (ruling->exempt[0] || (!ruling->isolated && !ruling->undecidable && !ruling->cluster_policy))
		return;
	add(build, egress ? "policy-out" : "policy-in", egress ? "NetworkPolicy, egress of the sender" : "NetworkPolicy, ingress of the receiver",
	    node_place(build, egress ? sender_node(build) : build->to_node), ruling_note(build, ruling));
}

static void add_kube_proxy(struct build *build)
{
	const struct pw_service *service = build->flow->service;
	const char *virtual, *node = sender_node(build);

	if (!has_cluster_ip(service))
		return;
	virtual = end_point(build, service->cluster_ip, build->flow->port ? build->flow->port : service->n_ports ? service->ports[0].port : 0);
	if (build->n_ready == 0)
		add(build, "kube-proxy", "Service address to endpoint", node_place(build, node),
		    pw_arena_printf(build->arena, "%s has no ready endpoint (%zu not ready)", virtual, build->n_backends));
	else
		add(build, "kube-proxy", "Service address to endpoint", node_place(build, node),
		    pw_arena_printf(build->arena, "%s becomes %s%s", virtual, end_point(build, build->to_address, build->to_port),
				    build->n_ready > 1 ? pw_arena_printf(build->arena, " (one of %zu ready)", build->n_ready) : ""));
}

static const char *pod_network(const struct build *build)
{
	const struct pw_node *node = pw_facts_node(build->facts, build->to_node);

	return node && node->pod_cidrs.n ? node->pod_cidrs.v[0] : build->to_address;
}

/* Between two nodes, or out of the cluster. */
static void add_network(struct build *build)
{
	const char *from = sender_node(build), *to = build->to_node;
	bool inside = build->to != NULL || to[0];

	if (from[0] && to[0] && strcmp(from, to) == 0) {
		add(build, "node-out", "Node", node_place(build, from), "both pods are here: bridge or routes of the node only");
		return;
	}
	if (from[0])
		add(build, "node-out", "Sender's node", node_place(build, from),
		    inside ? pw_arena_printf(build->arena, "routes %s towards %s", pod_network(build), to[0] ? to : "another node") :
			     "routes it out of the cluster, usually with the node's address as the source");
	if (inside && from[0])
		add(build, "overlay", "Pod network between the nodes", "CNI",
		    pw_arena_printf(build->arena, "tunnel or routes from %s to %s", from, to[0] ? to : "another node"));
	add(build, "underlay", "Network between the machines", "infrastructure",
	    pw_arena_printf(build->arena, "%s to %s", from[0] ? node_ip(build, from) : or_empty(build->flow->from_address),
			    to[0] ? node_ip(build, to) : build->to_address));
	if (to[0])
		add(build, "node-in", "Receiver's node", node_place(build, to),
		    build->to && build->to->host_network ? "delivers it to a process of the node" : "unpacks or forwards it to the pod's veth");
}

static void add_receiver(struct build *build)
{
	const struct pw_pod *pod = build->to;
	const char *container = container_of(pod, build->to_port);

	if (pod)
		add(build, "pod-in", pw_arena_printf(build->arena, "Pod %s/%s", pod->meta.ns, pod->meta.name), node_place(build, pod->node),
		    pw_arena_printf(build->arena, "%s%s", pod->ip, pod->host_network ? ", on the node's own network" : ", through its veth and eth0"));
	add(build, "application", pod ? "Application" : build->to_node[0] ? "Endpoint" : "Server outside the cluster",
	    end_point(build, build->to_address, build->to_port),
	    container[0] ? pw_arena_printf(build->arena, "container %s listens on %u/%s", container, build->to_port, build->protocol) :
			   pw_arena_printf(build->arena, "a process listens on %u/%s", build->to_port, build->protocol));
}

size_t pw_path_hops(const struct pw_facts *facts, const struct pw_flow *flow, struct pw_arena *arena, const struct pw_hop **ret)
{
	struct build build = { .facts = facts, .arena = arena, .flow = flow };

	build.hops = pw_arena_array(arena, MAX_HOPS, sizeof(*build.hops));
	if (!build.hops)
		return 0;
	choose(&build);
	add_resolver(&build);
	add_pod_out(&build);
	add_policy(&build, true);
	add_kube_proxy(&build);
	if (build.to_address[0]) {
		add_network(&build);
		add_policy(&build, false);
		add_receiver(&build);
	}
	*ret = build.hops;
	return pw_arena_failed(arena) ? 0 : build.n;
}
