/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The endpoints of a Service port, the cluster's DNS Service, and its zone. */
#include <cluster/model.h>

#include <stdlib.h>
#include <string.h>

static int compare_service(const struct pw_slice *slice, const struct pw_meta *service)
{
	int d = strcmp(slice->meta.ns, service->ns);

	return d ? d : strcmp(slice->service, service->name);
}

size_t pw_facts_slices_of(const struct pw_facts *facts, const struct pw_service *service, const struct pw_slice *const **ret)
{
	size_t low = 0, high = facts->n_by_service, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_service(facts->by_service[middle], &service->meta) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < facts->n_by_service && compare_service(facts->by_service[low + n], &service->meta) == 0)
		n++;
	*ret = n ? &facts->by_service[low] : NULL;
	return n;
}

/* A slice's port belongs to the Service port of its name and protocol. A
 * Service without ports (headless) goes by the slice's first, if it has one. */
static bool slice_port(const struct pw_slice *slice, const struct pw_service_port *port, uint16_t *ret)
{
	if (!port) {
		*ret = slice->n_ports ? slice->ports[0].port : 0;
		return true;
	}
	for (size_t i = 0; i < slice->n_ports; i++)
		if (strcmp(slice->ports[i].name, port->name) == 0 && strcmp(slice->ports[i].protocol, port->protocol) == 0) {
			*ret = slice->ports[i].port;
			return true;
		}
	return false;
}

/* Better first: ready before serving before the rest. */
static unsigned standing(const struct pw_endpoint *endpoint)
{
	return endpoint->ready ? 0 : endpoint->serving ? 1 : 2;
}

static int compare_backends(const void *pa, const void *pb)
{
	const struct pw_backend *a = pa, *b = pb;
	int d = strcmp(a->endpoint->address, b->endpoint->address);

	if (d == 0)
		d = (a->port > b->port) - (a->port < b->port);
	if (d == 0)
		d = (int)standing(a->endpoint) - (int)standing(b->endpoint);
	if (d == 0) /* a stable order, whatever the slices' */
		d = strcmp(a->endpoint->target_name, b->endpoint->target_name);
	return d;
}

/* Endpoints may legally stand in two slices while they move from one to the other. */
static size_t drop_duplicates(struct pw_backend *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && v[kept - 1].port == v[i].port &&
		    strcmp(v[kept - 1].endpoint->address, v[i].endpoint->address) == 0)
			continue;
		v[kept++] = v[i];
	}
	return kept;
}

size_t pw_facts_backends(const struct pw_facts *facts, const struct pw_service *service,
			 const struct pw_service_port *port, struct pw_arena *arena,
			 const struct pw_backend **ret)
{
	const struct pw_slice *const *slices;
	size_t n_slices = pw_facts_slices_of(facts, service, &slices), cap = 0, n = 0;
	struct pw_backend *v;

	if (!port && service->n_ports)
		port = &service->ports[0];
	for (size_t i = 0; i < n_slices; i++)
		cap += slices[i]->n_endpoints;
	if (cap == 0)
		return 0;
	v = pw_arena_array(arena, cap, sizeof(*v));
	if (!v)
		return 0;
	for (size_t i = 0; i < n_slices; i++) {
		uint16_t number;

		if (!slice_port(slices[i], port, &number))
			continue;
		for (size_t j = 0; j < slices[i]->n_endpoints; j++)
			if (slices[i]->endpoints[j].address[0])
				v[n++] = (struct pw_backend){ slices[i], &slices[i]->endpoints[j], number };
	}
	qsort(v, n, sizeof(*v), compare_backends);
	*ret = v;
	return drop_duplicates(v, n);
}

static bool serves_dns(const struct pw_service *service)
{
	for (size_t i = 0; i < service->n_ports; i++)
		if (service->ports[i].port == 53 && strcmp(service->ports[i].protocol, "UDP") == 0)
			return true;
	return false;
}

/* How much a Service looks like the cluster's DNS; 0 not at all. */
static unsigned dns_score(const struct pw_service *service)
{
	const char *app = pw_labels_get(&service->selector, "k8s-app");
	bool system = strcmp(service->meta.ns, "kube-system") == 0;

	if (!serves_dns(service))
		return 0;
	if (app && strcmp(app, "kube-dns") == 0 && service->cluster_ip[0] && strcmp(service->cluster_ip, "None") != 0)
		return system ? 4 : 3;
	return system ? 2 : 1;
}

const struct pw_service *pw_facts_dns_service(const struct pw_facts *facts)
{
	const struct pw_service *best = pw_facts_service(facts, "kube-system", "kube-dns");
	size_t n;
	const struct pw_service *const *services = pw_facts_services(facts, &n);
	unsigned best_score = 0;

	if (best)
		return best;
	for (size_t i = 0; i < n; i++)
		if (dns_score(services[i]) > best_score) {
			best = services[i];
			best_score = dns_score(best);
		}
	return best;
}

/* ---- Corefile ---- */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* The zone among the words up to the end of the line: not the reverse ones. */
static const char *zone_word(const char *at, struct pw_arena *arena)
{
	for (;;) {
		size_t len;
		char *zone;

		at = skip_blanks(at);
		len = strcspn(at, " \t\r\n{#");
		if (len == 0)
			return "";
		zone = pw_arena_strndup(arena, at, len);
		if (!zone)
			return "";
		if (!strstr(zone, ".arpa") && zone[0] != '/') {
			if (len > 1 && zone[len - 1] == '.')
				zone[len - 1] = '\0';
			return zone;
		}
		at += len;
	}
}

const char *pw_corefile_zone(const char *corefile, struct pw_arena *arena)
{
	static const char plugin[] = "kubernetes";
	const size_t len = sizeof(plugin) - 1;

	for (const char *line = corefile; line; line = strchr(line, '\n')) {
		const char *at;

		if (*line == '\n')
			line++;
		at = skip_blanks(line);
		if (strncmp(at, plugin, len) == 0 && (at[len] == ' ' || at[len] == '\t'))
			return zone_word(at + len, arena);
	}
	return "";
}
