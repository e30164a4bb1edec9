/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services and EndpointSlices. */
#include <cluster/model.h>

#include <string.h>

#define MAX_PORTS 1024       /* of a Service or slice; the API allows 100 for a slice */
#define MAX_ENDPOINTS 10000  /* of one slice; the API allows 1000 */

static const char *or_default(const char *text, const char *otherwise)
{
	return text[0] ? text : otherwise;
}

static void decode_service_ports(struct pw_facts *facts, const struct pw_val *ports, struct pw_service *service)
{
	size_t n;
	struct pw_service_port *v = pw_keep_array(facts, ports, MAX_PORTS, sizeof(*v), &n);

	for (size_t i = 0; i < n; i++) {
		const struct pw_val *port = pw_val_at(ports, i);

		v[i].name = pw_keep_key(facts, port, "name");
		v[i].protocol = or_default(pw_keep_key(facts, port, "protocol"), "TCP");
		v[i].app_protocol = pw_keep_key(facts, port, "appProtocol");
		v[i].port = (uint16_t)pw_map_uint(port, "port", UINT16_MAX, 0);
		v[i].node_port = (uint16_t)pw_map_uint(port, "nodePort", UINT16_MAX, 0);
		pw_keep_port(facts, pw_map_get(port, "targetPort"), &v[i].target_port, &v[i].target_name);
	}
	service->ports = v;
	service->n_ports = n;
}

/* A load balancer is known by addresses ("ip"), or by a name ("hostname"). */
static struct pw_strings decode_ingress(struct pw_facts *facts, const struct pw_val *ingress, const char *key)
{
	size_t n, kept = 0;
	const char **v = pw_keep_array(facts, ingress, MAX_PORTS, sizeof(*v), &n);

	for (size_t i = 0; i < n; i++) {
		v[kept] = pw_keep_key(facts, pw_val_at(ingress, i), key);
		if (v[kept][0])
			kept++;
	}
	return (struct pw_strings){ v, kept };
}

static void decode_addresses(struct pw_facts *facts, const struct pw_val *spec, const struct pw_val *object, struct pw_service *service)
{
	service->cluster_ip = pw_keep_key(facts, spec, "clusterIP");
	service->cluster_ips = pw_keep_strings(facts, pw_map_get(spec, "clusterIPs"));
	if (!service->cluster_ip[0] && service->cluster_ips.n)
		service->cluster_ip = service->cluster_ips.v[0];
	service->external_ips = pw_keep_strings(facts, pw_map_get(spec, "externalIPs"));
	service->ip_families = pw_keep_strings(facts, pw_map_get(spec, "ipFamilies"));
	service->ip_family_policy = pw_keep_key(facts, spec, "ipFamilyPolicy");
	service->lb_source_ranges = pw_keep_strings(facts, pw_map_get(spec, "loadBalancerSourceRanges"));
	service->lb_ips = decode_ingress(facts, pw_val_get(object, "status.loadBalancer.ingress"), "ip");
	service->lb_hosts = decode_ingress(facts, pw_val_get(object, "status.loadBalancer.ingress"), "hostname");
}

int pw_decode_service(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *spec = pw_map_get(object, "spec");
	struct pw_service *service = pw_arena_alloc(facts->arena, sizeof(*service));

	if (!service)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &service->meta);
	service->type = or_default(pw_keep_key(facts, spec, "type"), "ClusterIP");
	decode_addresses(facts, spec, object, service);
	service->external_name = pw_keep_key(facts, spec, "externalName");
	service->session_affinity = or_default(pw_keep_key(facts, spec, "sessionAffinity"), "None");
	service->affinity_timeout_s = pw_map_uint(pw_val_get(spec, "sessionAffinityConfig.clientIP"), "timeoutSeconds",
						  86400, 10800); /* core/v1: default 3 h, at most a day */
	service->internal_policy = pw_keep_key(facts, spec, "internalTrafficPolicy");
	service->external_policy = pw_keep_key(facts, spec, "externalTrafficPolicy");
	service->health_check_node_port = (uint16_t)pw_map_uint(spec, "healthCheckNodePort", UINT16_MAX, 0);
	service->publish_not_ready = pw_map_bool(spec, "publishNotReadyAddresses", false);
	service->selector = pw_keep_labels(facts, pw_map_get(spec, "selector"));
	decode_service_ports(facts, pw_map_get(spec, "ports"), service);
	return pw_facts_store(facts, PW_FACT_SERVICES, service->meta.ns, service->meta.name, "", service);
}

static void decode_endpoint(struct pw_facts *facts, const struct pw_val *endpoint, struct pw_endpoint *ret)
{
	const struct pw_val *conditions = pw_map_get(endpoint, "conditions"), *target = pw_map_get(endpoint, "targetRef");

	ret->addresses = pw_keep_strings(facts, pw_map_get(endpoint, "addresses"));
	ret->address = ret->addresses.n ? ret->addresses.v[0] : "";
	ret->node = pw_keep_key(facts, endpoint, "nodeName");
	ret->hostname = pw_keep_key(facts, endpoint, "hostname");
	ret->zone = pw_keep_key(facts, endpoint, "zone");
	/* discovery/v1: ready and serving not given mean true, terminating means false. */
	ret->ready = pw_map_bool(conditions, "ready", true);
	ret->serving = pw_map_bool(conditions, "serving", true);
	ret->terminating = pw_map_bool(conditions, "terminating", false);
	ret->target_kind = pw_keep_key(facts, target, "kind");
	ret->target_ns = pw_keep_key(facts, target, "namespace");
	ret->target_name = pw_keep_key(facts, target, "name");
	ret->target_uid = pw_keep_key(facts, target, "uid");
}

int pw_decode_slice(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *endpoints = pw_map_get(object, "endpoints"), *ports = pw_map_get(object, "ports");
	struct pw_slice *slice = pw_arena_alloc(facts->arena, sizeof(*slice));
	struct pw_endpoint *endpoint;
	struct pw_slice_port *port;
	const char *text;

	if (!slice)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &slice->meta);
	text = pw_labels_get(&slice->meta.labels, "kubernetes.io/service-name");
	slice->service = text ? text : "";
	text = pw_labels_get(&slice->meta.labels, "endpointslice.kubernetes.io/managed-by");
	slice->managed_by = text ? text : "";
	slice->address_type = pw_keep_key(facts, object, "addressType");
	endpoint = pw_keep_array(facts, endpoints, MAX_ENDPOINTS, sizeof(*endpoint), &slice->n_endpoints);
	for (size_t i = 0; i < slice->n_endpoints; i++)
		decode_endpoint(facts, pw_val_at(endpoints, i), &endpoint[i]);
	slice->endpoints = endpoint;
	port = pw_keep_array(facts, ports, MAX_PORTS, sizeof(*port), &slice->n_ports);
	for (size_t i = 0; i < slice->n_ports; i++) {
		port[i].name = pw_keep_key(facts, pw_val_at(ports, i), "name");
		port[i].protocol = or_default(pw_keep_key(facts, pw_val_at(ports, i), "protocol"), "TCP");
		port[i].port = (uint16_t)pw_map_uint(pw_val_at(ports, i), "port", UINT16_MAX, 0);
	}
	slice->ports = port;
	return pw_facts_store(facts, PW_FACT_SLICES, slice->meta.ns, slice->meta.name, "", slice);
}
