/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ingresses and Routes, as far as they say which pods and ports they lead to. */
#include <cluster/front.h>

#include <stdio.h>
#include <string.h>

#define MAX_RULES 4096  /* rules of an Ingress, paths of a rule */

static int store(struct pw_facts *facts, const struct pw_meta *meta, const struct pw_front *front)
{
	struct pw_table *table = &facts->tables[PW_FRONTS];
	struct pw_front *copy = pw_arena_alloc(facts->arena, sizeof(*copy));
	char number[24];

	if (!copy)
		return PW_NOMEM;
	*copy = *front;
	(void)snprintf(number, sizeof(number), "%zu", table->n); /* many of one object */
	return pw_table_store(facts, table, meta->ns, meta->name, pw_keep_text(facts, number), copy);
}

/* networking.k8s.io/v1: {service: {name, port: {number | name}}}; v1beta1: {serviceName, servicePort} */
static int store_backend(struct pw_facts *facts, const struct pw_meta *meta, const struct pw_val *backend)
{
	const struct pw_val *service = pw_map_get(backend, "service"), *port = pw_map_get(service, "port");
	struct pw_front front = { .ns = meta->ns, .port_name = "" };

	if (!pw_val_absent(service)) {
		front.service = pw_keep_key(facts, service, "name");
		front.port = (uint16_t)pw_map_uint(port, "number", UINT16_MAX, 0);
		front.port_name = pw_keep_key(facts, port, "name");
	} else {
		front.service = pw_keep_key(facts, backend, "serviceName");
		pw_keep_port(facts, pw_map_get(backend, "servicePort"), &front.port, &front.port_name);
	}
	return front.service[0] ? store(facts, meta, &front) : PW_OK;
}

static size_t count(const struct pw_val *seq)
{
	size_t n = pw_val_is(seq, PW_VAL_SEQ) ? pw_val_count(seq) : 0;

	return n < MAX_RULES ? n : MAX_RULES;
}

int pw_front_ingress(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *rules = pw_map_get(spec, "rules"), *otherwise;
	struct pw_meta meta = { 0 };
	int rc = PW_OK;

	pw_keep_namespaced_meta(facts, object, &meta);
	otherwise = pw_map_get(spec, "defaultBackend");
	if (pw_val_absent(otherwise))
		otherwise = pw_map_get(spec, "backend");
	if (!pw_val_absent(otherwise))
		rc = store_backend(facts, &meta, otherwise);
	for (size_t i = 0; rc == PW_OK && i < count(rules); i++) {
		const struct pw_val *paths = pw_val_get(pw_val_at(rules, i), "http.paths");

		for (size_t j = 0; rc == PW_OK && j < count(paths); j++)
			rc = store_backend(facts, &meta, pw_map_get(pw_val_at(paths, j), "backend"));
	}
	return rc;
}

static int store_route(struct pw_facts *facts, const struct pw_meta *meta, const struct pw_val *spec, const struct pw_val *to)
{
	struct pw_front front = { .ns = meta->ns, .port_name = "", .by_target = true };

	if (strcmp(pw_map_str(to, "kind", "Service"), "Service") != 0)
		return PW_OK;
	front.service = pw_keep_key(facts, to, "name");
	pw_keep_port(facts, pw_val_get(spec, "port.targetPort"), &front.port, &front.port_name);
	return front.service[0] ? store(facts, meta, &front) : PW_OK;
}

int pw_decode_route(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *others = pw_map_get(spec, "alternateBackends");
	struct pw_meta meta = { 0 };
	int rc;

	pw_keep_namespaced_meta(facts, object, &meta);
	rc = store_route(facts, &meta, spec, pw_map_get(spec, "to"));
	for (size_t i = 0; rc == PW_OK && i < count(others); i++)
		rc = store_route(facts, &meta, spec, pw_val_at(others, i));
	return rc;
}

/* ---- */

/* A Route's target port is a name of the Service's ports, or a name or number of the pods'. */
static bool leads_to(const struct pw_front *front, const struct pw_service_port *port)
{
	if (!front->port && !front->port_name[0])
		return true;
	if (front->port)
		return port->port == front->port || (front->by_target && port->target_port == front->port);
	return strcmp(port->name, front->port_name) == 0 || (front->by_target && strcmp(port->target_name, front->port_name) == 0);
}

static void add_target(const struct pw_pod *pod, const struct pw_service_port *port, struct pw_ports_pool *pool, struct pw_ports_sum *sum)
{
	int protocol = pw_protocol_index(port->protocol);
	unsigned number = port->target_port ? port->target_port : port->port;

	if (protocol < 0)
		return;
	if (!port->target_name[0]) {
		pw_ports_add(pool, sum, pw_ports_range(pool, protocol, number, number));
		return;
	}
	for (size_t i = 0; i < pod->n_containers; i++)
		for (size_t j = 0; j < pod->containers[i].n_ports; j++) {
			const struct pw_container_port *named = &pod->containers[i].ports[j];

			if (strcmp(named->name, port->target_name) == 0 && strcmp(named->protocol, port->protocol) == 0)
				pw_ports_add(pool, sum, pw_ports_range(pool, protocol, named->port, named->port));
		}
}

uint32_t pw_front_ports(const struct pw_facts *facts, const struct pw_pod *pod, struct pw_ports_pool *pool)
{
	const struct pw_table *table = &facts->tables[PW_FRONTS];
	struct pw_ports_sum sum = { .n = 0 };

	for (size_t i = 0; i < table->n_list; i++) {
		const struct pw_front *front = table->list[i];
		const struct pw_service *service = strcmp(front->ns, pod->meta.ns) == 0 ? pw_facts_service(facts, front->ns, front->service) : NULL;

		if (!service || service->selector.n == 0 || !pw_labels_match(&service->selector, &pod->meta.labels))
			continue;
		for (size_t j = 0; j < service->n_ports; j++)
			if (leads_to(front, &service->ports[j]))
				add_target(pod, &service->ports[j], pool, &sum);
	}
	return pw_ports_total(pool, &sum);
}
