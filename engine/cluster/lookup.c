/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Look-ups that judges share: references, ports, and "is this known at all". */
#include <packetwalk/lookup.h>

#include <string.h>

#include <cluster/address.h>

/* namespace (63) + '/' + name (253), RFC 1123. */
#define REF_MAX 320

static bool split_ref(const char *ref, char ns[REF_MAX], const char **ret_name)
{
	const char *slash = ref ? strchr(ref, '/') : NULL;
	if (!slash || (size_t)(slash - ref) >= REF_MAX)
		return false;
	memcpy(ns, ref, (size_t)(slash - ref));
	ns[slash - ref] = '\0';
	*ret_name = slash + 1;
	return true;
}

const struct pw_service *pw_facts_service_ref(const struct pw_facts *facts, const char *ref)
{
	char ns[REF_MAX];
	const char *name;
	return split_ref(ref, ns, &name) ? pw_facts_service(facts, ns, name) : NULL;
}

const struct pw_pod *pw_facts_pod_ref(const struct pw_facts *facts, const char *ref)
{
	char ns[REF_MAX];
	const char *name;
	return split_ref(ref, ns, &name) ? pw_facts_pod(facts, ns, name) : NULL;
}

int pw_address_in_cidr(const char *address, const char *cidr)
{
	char text[46] = ""; /* INET6_ADDRSTRLEN */
	struct pw_address parsed;
	struct pw_cidr block;
	size_t len = strcspn(address, "/");
	if (len >= sizeof text)
		return -1;
	memcpy(text, address, len);
	return pw_address_parse(text, &parsed) && pw_cidr_parse(cidr, &block) ? pw_cidr_holds(&block, &parsed) : -1;
}

int pw_facts_in_pod_cidr(const struct pw_facts *facts, const char *ip)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	struct pw_address address;
	struct pw_cidr cidr;
	int inside = -1;
	if (!pw_address_parse(ip, &address))
		return 0;
	for (size_t i = 0; i < n && inside < 1; i++)
		for (size_t c = 0; c < nodes[i]->pod_cidrs.n && inside < 1; c++)
			if (pw_cidr_parse(nodes[i]->pod_cidrs.v[c], &cidr))
				inside = pw_cidr_holds(&cidr, &address);
	return inside;
}

bool pw_facts_need(const struct pw_facts *facts, unsigned kinds, struct pw_result *result)
{
	for (unsigned bit = 1; bit && bit <= kinds; bit <<= 1) {
		if (!(kinds & bit))
			continue;
		enum pw_known known = pw_facts_known(facts, (enum pw_fact)bit);
		if (known == PW_KNOWN_YES || known == PW_KNOWN_PART)
			continue;
		const char *gap = pw_facts_gap(facts, (enum pw_fact)bit);
		pw_result_unknown(result, "%s", *gap ? gap : "the cluster's objects were not read");
		return false;
	}
	return true;
}

const struct pw_service_port *pw_service_find_port(const struct pw_service *service, unsigned port, const char *protocol, bool *ret_other)
{
	*ret_other = false;
	for (size_t i = 0; i < service->n_ports; i++) {
		const struct pw_service_port *p = &service->ports[i];
		if (port && p->port != port)
			continue;
		if (!strcmp(p->protocol, protocol))
			return p;
		*ret_other = true;
	}
	return NULL;
}

unsigned pw_pod_target_port(const struct pw_pod *pod, const struct pw_service_port *port)
{
	if (!*port->target_name)
		return port->target_port ? port->target_port : port->port;
	for (size_t c = 0; c < pod->n_containers; c++) {
		const struct pw_container *container = &pod->containers[c];
		for (size_t i = 0; i < container->n_ports; i++)
			if (!strcmp(container->ports[i].name, port->target_name) && !strcmp(container->ports[i].protocol, port->protocol))
				return container->ports[i].port;
	}
	return 0;
}

bool pw_pod_running(const struct pw_pod *pod)
{
	return !strcmp(pod->phase, "Running") && !pod->meta.terminating;
}

/* Names the injectors give: Istio, Linkerd, Kuma, Consul, Open Service Mesh. */
const char *pw_pod_mesh_proxy(const struct pw_pod *pod)
{
	static const char *const names[] = { "istio-proxy", "linkerd-proxy", "kuma-sidecar", "consul-dataplane", "envoy-sidecar", "envoy" };
	for (size_t c = 0; pod && c < pod->n_containers; c++)
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (!strcmp(pod->containers[c].name, names[i]))
				return names[i];
	return "";
}
