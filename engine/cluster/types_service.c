/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input type `service`, with the endpoints behind one of its ports. */
#include <cluster/types.h>

#include <stdio.h>
#include <string.h>

#include <base/text.h>

const char *const pw_service_fields[] = {
	"name", "namespace", "fqdn", "short", "type", "cluster_ip", "port", "port_name", "protocol", "target_port", "app_protocol",
	"node_port", "dns_ip", "headless", "external_name", "lb_ip", "lb_host", "selector", "internal_policy", "external_policy",
	"session_affinity", "endpoints", "all_endpoints", "nodes", "first_endpoint", "first_endpoint_node",
	"first_ip", "first_port", NULL,
};

static void set_endpoint(const struct pw_facts *facts, const struct pw_backend *backend, struct pw_arena *arena, struct pw_val *ret)
{
	const struct pw_endpoint *endpoint = backend->endpoint;

	pw_map_set_str(ret, "", pw_host_port(arena, endpoint->address, backend->port));
	pw_map_set_str(ret, "address", endpoint->address);
	pw_map_set_int(ret, "port", backend->port);
	pw_map_set_str(ret, "node", endpoint->node);
	pw_map_set_str(ret, "node_ip", pw_node_address(facts, endpoint->node));
	if (strcmp(endpoint->target_kind, "Pod") == 0)
		pw_map_set_strf(ret, "pod", "%s/%s", endpoint->target_ns, endpoint->target_name);
	else
		pw_map_set_str(ret, "pod", "");
	pw_map_set_bool(ret, "ready", endpoint->ready);
	pw_map_set_bool(ret, "serving", endpoint->serving);
	pw_map_set_bool(ret, "terminating", endpoint->terminating);
}

static bool listed(const struct pw_val *seq, const char *text)
{
	for (size_t i = 0; i < pw_val_count(seq); i++)
		if (strcmp(pw_val_text(pw_val_at(seq, i)), text) == 0)
			return true;
	return false;
}

static void set_endpoints(const struct pw_facts *facts, const struct pw_service *service, const struct pw_service_port *port,
			  struct pw_arena *arena, struct pw_val *map)
{
	const struct pw_backend *backends = NULL;
	size_t n = pw_facts_backends(facts, service, port, arena, &backends);
	struct pw_val *ready = pw_map_set_seq(map, "endpoints"), *all = pw_map_set_seq(map, "all_endpoints");
	struct pw_val *nodes = pw_map_set_seq(map, "nodes");
	const struct pw_backend *first = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct pw_endpoint *endpoint = backends[i].endpoint;

		set_endpoint(facts, &backends[i], arena, pw_seq_add_map(all));
		if (!endpoint->ready)
			continue;
		set_endpoint(facts, &backends[i], arena, pw_seq_add_map(ready));
		if (!first)
			first = &backends[i];
		if (endpoint->node[0] && !listed(nodes, endpoint->node))
			pw_seq_add_str(nodes, endpoint->node);
	}
	pw_map_set_str(map, "first_endpoint", first ? pw_host_port(arena, first->endpoint->address, first->port) : "");
	pw_map_set_str(map, "first_endpoint_node", first ? first->endpoint->node : "");
	pw_map_set_str(map, "first_ip", first ? first->endpoint->address : "");
	pw_map_set_int(map, "first_port", first ? first->port : 0);
}

static void set_port(const struct pw_service *service, const struct pw_service_port *port, struct pw_val *map)
{
	static const struct pw_service_port none = { "", "TCP", "", 0, 0, 0, "" };
	/* An alias needs no ports: whoever calls it dials what stands behind the other name, by HTTP unless told otherwise. */
	static const struct pw_service_port alias = { "", "TCP", "", 80, 0, 0, "" };

	if (!port)
		port = strcmp(service->type, "ExternalName") == 0 ? &alias : &none;
	pw_map_set_int(map, "port", port->port);
	pw_map_set_str(map, "port_name", port->name);
	pw_map_set_str(map, "protocol", port->protocol);
	pw_map_set_str(map, "app_protocol", port->app_protocol);
	pw_map_set_int(map, "node_port", port->node_port);
	if (port->target_name[0])
		pw_map_set_str(map, "target_port", port->target_name);
	else
		pw_map_set_int(map, "target_port", port->target_port ? port->target_port : port->port);
}

static const char *or_cluster(const char *policy)
{
	return policy[0] ? policy : "Cluster";
}

struct pw_val *pw_service_val(const struct pw_facts *facts, const struct pw_service *service,
			      const struct pw_service_port *port, struct pw_arena *arena)
{
	const struct pw_service *dns = pw_facts_dns_service(facts);
	const struct pw_meta *meta = &service->meta;
	struct pw_val *map = pw_val_map(arena);

	if (!port && service->n_ports)
		port = &service->ports[0];
	pw_map_set_strf(map, "", "%s/%s", meta->ns, meta->name);
	pw_map_set_str(map, "name", meta->name);
	pw_map_set_str(map, "namespace", meta->ns);
	pw_map_set_strf(map, "fqdn", "%s.%s.svc.%s", meta->name, meta->ns, pw_facts_cluster_domain(facts));
	pw_map_set_strf(map, "short", "%s.%s", meta->name, meta->ns);
	pw_map_set_str(map, "type", service->type);
	pw_map_set_str(map, "cluster_ip", service->cluster_ip);
	pw_map_set_bool(map, "headless", strcmp(service->cluster_ip, "None") == 0);
	pw_map_set_str(map, "external_name", service->external_name);
	pw_map_set_str(map, "lb_ip", service->lb_ips.n ? service->lb_ips.v[0] : "");
	pw_map_set_str(map, "lb_host", service->lb_hosts.n ? service->lb_hosts.v[0] : service->lb_ips.n ? service->lb_ips.v[0] : "");
	pw_map_set_str(map, "dns_ip", dns ? dns->cluster_ip : "");
	pw_map_set_labels(map, "selector", &service->selector);
	pw_map_set_str(map, "internal_policy", or_cluster(service->internal_policy));
	pw_map_set_str(map, "external_policy", or_cluster(service->external_policy));
	pw_map_set_str(map, "session_affinity", service->session_affinity);
	set_port(service, port, map);
	set_endpoints(facts, service, port, arena, map);
	return map;
}

const struct pw_service_port *pw_service_port_find(const struct pw_service *service, const char *text)
{
	unsigned long long number;
	bool numeric = pw_parse_uint(text, UINT16_MAX, &number);

	for (size_t i = 0; i < service->n_ports; i++)
		if (numeric ? service->ports[i].port == number : strcmp(service->ports[i].name, text) == 0)
			return &service->ports[i];
	return NULL;
}

/* "name.ns", "name.ns.svc", "name.ns.svc.ZONE" */
static const struct pw_service *by_dns_name(const struct pw_facts *facts, const char *text, struct pw_arena *arena)
{
	const char *dot = strchr(text, '.');
	const char *name, *ns;
	size_t len;

	if (!dot || strchr(text, '/'))
		return NULL;
	len = strcspn(dot + 1, ".");
	if (dot[1 + len] && strncmp(dot + 1 + len, ".svc", 4) != 0)
		return NULL;
	name = pw_arena_strndup(arena, text, (size_t)(dot - text));
	ns = pw_arena_strndup(arena, dot + 1, len);
	return pw_facts_service(facts, ns, name);
}

static int service_metas(const struct pw_facts *facts, struct pw_arena *arena, const struct pw_meta ***ret, size_t *ret_n)
{
	size_t n;
	const struct pw_service *const *services = pw_facts_services(facts, &n);
	const struct pw_meta **metas = pw_arena_array(arena, n + 1, sizeof(*metas));

	if (!metas)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		metas[i] = &services[i]->meta;
	*ret = metas;
	*ret_n = n;
	return PW_OK;
}

static int no_port(const struct pw_service *service, const char *port, struct pw_err *err)
{
	char list[160] = "";
	size_t len = 0;

	for (size_t i = 0; i < service->n_ports && len + 32 < sizeof(list); i++) {
		const char *protocol = service->ports[i].protocol;

		list[len] = '\0';
		/* protocol is hostile text: at most 8 bytes of it */
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%u/%.8s", i ? ", " : "", service->ports[i].port, protocol);
	}
	return pw_err_set(err, PW_ABSENT, "service %s/%s has no port %s%s%s", service->meta.ns, service->meta.name, port,
			  len ? "; it has " : "; it has none", list);
}

int pw_service_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
		       struct pw_val **ret, struct pw_err *err)
{
	const struct pw_service *service = pw_facts_service_by_ip(facts, text);
	const char *colon = service ? NULL : strrchr(text, ':'), *ns, *name;
	const struct pw_service_port *port = NULL;
	const struct pw_meta **metas;
	size_t n;

	if (colon)
		text = pw_arena_strndup(arena, text, (size_t)(colon - text));
	if (text && strncmp(text, "service/", 8) == 0)
		text += 8;
	else if (text && strncmp(text, "svc/", 4) == 0)
		text += 4;
	if (!text)
		return pw_err_set(err, PW_NOMEM, "out of memory while looking for a Service");
	if (!pw_split_name(text, default_ns, arena, &ns, &name))
		return pw_err_set(err, PW_USAGE, "that does not name a Service: write NAMESPACE/NAME, NAME, NAME.NAMESPACE or its ClusterIP");
	if (!service)
		service = pw_facts_service(facts, ns, name);
	if (!service)
		service = by_dns_name(facts, text, arena);
	if (!service && colon)
		service = pw_facts_service_by_ip(facts, text);
	if (!service) {
		if (service_metas(facts, arena, &metas, &n) != PW_OK)
			return pw_err_set(err, PW_NOMEM, "out of memory while looking for Service %s", text);
		return pw_absent(facts, PW_FACT_SERVICES, "Service", ns, name, metas, n, arena, err);
	}
	if (colon && !(port = pw_service_port_find(service, colon + 1)))
		return no_port(service, colon + 1, err);
	*ret = pw_service_val(facts, service, port, arena);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "out of memory while describing Service %s", text) : PW_OK;
}

struct pw_val *pw_service_absent_val(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena)
{
	const struct pw_service *dns = pw_facts_dns_service(facts);
	const char *ns, *name;
	struct pw_val *map;

	if (!pw_split_name(text, default_ns, arena, &ns, &name))
		return NULL;
	map = pw_val_map(arena);
	for (size_t i = 0; pw_service_fields[i]; i++)
		pw_map_set_str(map, pw_service_fields[i], "");
	pw_map_set_strf(map, "", "%s/%s", ns, name);
	pw_map_set_str(map, "name", name);
	pw_map_set_str(map, "namespace", ns);
	pw_map_set_strf(map, "fqdn", "%s.%s.svc.%s", name, ns, pw_facts_cluster_domain(facts));
	pw_map_set_strf(map, "short", "%s.%s", name, ns);
	pw_map_set_str(map, "dns_ip", dns ? dns->cluster_ip : "");
	pw_map_set_str(map, "protocol", "TCP"); /* the API's default */
	pw_map_set_int(map, "port", 80);        /* asked about only after it is clear that there is no such Service */
	(void)pw_map_set_seq(map, "endpoints");
	(void)pw_map_set_seq(map, "all_endpoints");
	(void)pw_map_set_seq(map, "nodes");
	return map;
}

int pw_service_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret)
{
	const struct pw_meta **metas;
	size_t n;

	if (service_metas(facts, arena, &metas, &n) != PW_OK)
		return PW_NOMEM;
	return pw_list_candidates(metas, n, default_ns, arena, ret);
}
