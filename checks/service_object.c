/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * service_object: what the Service object itself says about a call to one of
 * its ports, before any packet is sent.
 */
#include <string.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "Service, as namespace/name" },
	{ "port", PW_TYPE_PORT, 0, NULL, NULL, "Port the client dials; the first if left out" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol the client uses" },
	{ "from", PW_TYPE_POD, 0, NULL, NULL, "The client: to say whether it is a backend itself" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "cluster-ip", PW_CLASS_OK, "A Service with a ClusterIP that lists the port.", NULL, NULL },
	{ "headless", PW_CLASS_OK, "Headless: the name gives pod addresses, no port is translated.", NULL, NULL },
	{ "headless-port", PW_CLASS_FAIL, "Headless, and the port dialled is not the one the pods serve.", "a client that expects port mapping from a headless Service", "dial the targetPort, or give the Service a ClusterIP" },
	{ "external-name", PW_CLASS_OK, "ExternalName: an alias for a name elsewhere.", NULL, NULL },
	{ "port-not-listed", PW_CLASS_FAIL, "The Service lists no such port.", "the client dials the container port, or a port that was never defined", "dial a port of the Service" },
	{ "protocol-not-listed", PW_CLASS_FAIL, "The Service lists the port with another protocol.", "protocol left out or wrong in the Service", "add the port with that protocol" },
	{ "absent", PW_CLASS_FAIL, "There is no such Service.", "wrong name or namespace", "use the full name" },
	{ "absent-elsewhere", PW_CLASS_FAIL, "There is no such Service in that namespace, but one of that name in another.", "a short name used across namespaces", "use name.namespace" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "type", PW_TYPE_STR, NULL, "spec.type" },
	{ "cluster_ip", PW_TYPE_STR, NULL, "spec.clusterIP" },
	{ "ports", PW_TYPE_STR, NULL, "Ports listed, as name port/protocol" },
	{ "target", PW_TYPE_STR, NULL, "targetPort of the port dialled, a name or a number" },
	{ "external_name", PW_TYPE_STR, NULL, "spec.externalName, empty unless ExternalName" },
	{ "affinity", PW_TYPE_STR, NULL, "spec.sessionAffinity" },
	{ "internal_policy", PW_TYPE_STR, NULL, "spec.internalTrafficPolicy, Cluster unless said" },
	{ "endpoints", PW_TYPE_LIST, NULL, "Ready endpoints of the port dialled, each with address, port, node and pod" },
	{ "is_backend", PW_TYPE_BOOL, NULL, "The client is one of the endpoints" },
	{ "elsewhere", PW_TYPE_STR, NULL, "A Service of that name in another namespace, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static void list_ports(const struct pw_service *svc, struct pw_buf *out)
{
	for (size_t i = 0; i < svc->n_ports; i++)
		pw_buf_printf(out, "%s%s%s%u/%s", i ? ", " : "", svc->ports[i].name, *svc->ports[i].name ? " " : "",
			      svc->ports[i].port, svc->ports[i].protocol);
}

static const struct pw_service *named_elsewhere(const struct pw_facts *facts, const char *name)
{
	size_t n;
	const struct pw_service *const *all = pw_facts_services(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->meta.name, name))
			return all[i];
	return NULL;
}

static void judge_absent(const struct pw_facts *facts, const char *ref, struct pw_result *result)
{
	const char *slash = strchr(ref, '/');
	const struct pw_service *other = slash ? named_elsewhere(facts, slash + 1) : NULL;
	struct pw_val *ev = pw_result_evidence(result);
	if (!other) {
		pw_map_set_str(ev, "elsewhere", "");
		pw_result_set(result, "absent", "There is no Service %s.", ref);
		return;
	}
	pw_map_set_strf(ev, "elsewhere", "%s/%s", other->meta.ns, other->meta.name);
	pw_result_set(result, "absent-elsewhere", "There is no Service %s, but there is %s/%s.", ref, other->meta.ns, other->meta.name);
}

/* For loops over the backends of exactly the port dialled. */
static void list_endpoints(struct pw_ctx *ctx, const struct pw_service *svc, const struct pw_service_port *port, struct pw_val *list)
{
	const struct pw_backend *backends;
	size_t n = port ? pw_facts_backends(pw_ctx_facts(ctx), svc, port, pw_ctx_arena(ctx), &backends) : 0;
	for (size_t i = 0; i < n; i++) {
		const struct pw_endpoint *e = backends[i].endpoint;
		if (!e->ready)
			continue;
		struct pw_val *item = pw_seq_add_map(list);
		bool six = strchr(e->address, ':') != NULL;
		pw_map_set_strf(item, "", "%s%s%s:%u", six ? "[" : "", e->address, six ? "]" : "", backends[i].port);
		pw_map_set_str(item, "address", e->address);
		pw_map_set_int(item, "port", backends[i].port);
		pw_map_set_str(item, "node", e->node);
		if (!strcmp(e->target_kind, "Pod"))
			pw_map_set_strf(item, "pod", "%s/%s", *e->target_ns ? e->target_ns : svc->meta.ns, e->target_name);
		else
			pw_map_set_str(item, "pod", "");
	}
}

static bool is_among(const struct pw_val *endpoints, const char *pod)
{
	return pod && pw_seq_find(endpoints, "pod", pod);
}

/* A headless port works only if the number dialled is the one the pods serve. */
static bool headless_port_differs(const struct pw_facts *facts, const struct pw_service *svc, const struct pw_service_port *port,
				  struct pw_arena *arena, unsigned *ret_served)
{
	const struct pw_backend *backends;
	size_t n = pw_facts_backends(facts, svc, port, arena, &backends);
	*ret_served = n ? backends[0].port : *port->target_name ? 0 : port->target_port;
	return *ret_served && *ret_served != port->port;
}

static void judge_headless(struct pw_ctx *ctx, const struct pw_service *svc, const struct pw_service_port *port, struct pw_result *result)
{
	unsigned served = 0, dialled = (unsigned)pw_ctx_int(ctx, "port");
	if (port && headless_port_differs(pw_ctx_facts(ctx), svc, port, pw_ctx_arena(ctx), &served))
		pw_result_set(result, "headless-port", "%s/%s is headless, so its port %u is not translated: the pods serve %u.",
			      svc->meta.ns, svc->meta.name, port->port, served);
	else if (!port && dialled && svc->n_ports)
		pw_result_set(result, "headless-port", "%s/%s is headless and says nothing of port %u.", svc->meta.ns, svc->meta.name, dialled);
	else
		pw_result_set(result, "headless", "%s/%s is headless: its name gives the addresses of its pods.", svc->meta.ns, svc->meta.name);
}

static void give_evidence(struct pw_val *ev, const struct pw_service *svc, const struct pw_service_port *port, const char *ports)
{
	pw_map_set_str(ev, "type", svc->type);
	pw_map_set_str(ev, "cluster_ip", svc->cluster_ip);
	pw_map_set_str(ev, "ports", ports);
	pw_map_set_str(ev, "affinity", svc->session_affinity);
	pw_map_set_str(ev, "internal_policy", *svc->internal_policy ? svc->internal_policy : "Cluster");
	pw_map_set_str(ev, "external_name", svc->external_name);
	if (port && *port->target_name)
		pw_map_set_str(ev, "target", port->target_name);
	else if (port)
		pw_map_set_strf(ev, "target", "%u", port->target_port ? port->target_port : port->port);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *ref = pw_ctx_str(ctx, "service"), *protocol = pw_ctx_str(ctx, "protocol");
	if (!pw_facts_need(facts, PW_FACT_SERVICES, result))
		return PW_OK;
	const struct pw_service *svc = pw_facts_service_ref(facts, ref);
	if (!svc) {
		judge_absent(facts, ref, result);
		return PW_OK;
	}
	unsigned dialled = (unsigned)pw_ctx_int(ctx, "port");
	bool other = false;
	const struct pw_service_port *port = pw_service_find_port(svc, dialled, protocol, &other);
	PW_CLEAN_BUF struct pw_buf ports;
	pw_buf_init(&ports, 4096);
	list_ports(svc, &ports);
	give_evidence(pw_result_evidence(result), svc, port, pw_buf_str(&ports));
	struct pw_val *ev = pw_result_evidence(result), *endpoints = pw_map_set_seq(ev, "endpoints");
	list_endpoints(ctx, svc, port, endpoints);
	pw_map_set_bool(ev, "is_backend", is_among(endpoints, pw_ctx_str(ctx, "from")));
	if (!strcmp(svc->type, "ExternalName"))
		pw_result_set(result, "external-name", "%s is an alias (ExternalName) for %s.", ref, svc->external_name);
	else if (!strcmp(svc->cluster_ip, "None"))
		judge_headless(ctx, svc, port, result);
	else if (!port && other)
		pw_result_set(result, "protocol-not-listed", "%s lists port %u, but not for %s: %s.", ref, dialled, protocol, pw_buf_str(&ports));
	else if (!port)
		pw_result_set(result, "port-not-listed", "%s has no port %u; it lists %s.", ref, dialled, pw_buf_str(&ports));
	else
		pw_result_set(result, "cluster-ip", "%s is %s, port %u/%s.", ref, svc->cluster_ip, port->port, port->protocol);
	return PW_OK;
}

const struct pw_check pw_check_service_object = {
	PW_CHECK_HEAD("service_object"),
	.summary = "Ask the Service object whether the call can work at all",
	.details = "Reads type, ports, selector, headless and ExternalName, traffic policy and affinity.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES,
	.timeout_ms = 2000,
	.example = "check service_object service=shop/api port=80",
	.judge = judge,
};
