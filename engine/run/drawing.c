/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the inputs of a walk to a drawing of its path. */
#include <run/drawing.h>

#include <ctype.h>
#include <string.h>

#include <path/path.h>

static const char *field(const struct pw_scope *scope, const char *ref)
{
	const struct pw_val *val = pw_scope_get(scope, ref);
	const char *text = pw_val_is(val, PW_VAL_MAP) ? pw_map_str(val, "", NULL) : pw_val_text(val);
	return text && *text ? text : NULL;
}

static const struct pw_pod *pod_of(const struct pw_facts *facts, const struct pw_scope *scope, const char *ns_ref, const char *name_ref)
{
	const char *ns = field(scope, ns_ref), *name = field(scope, name_ref);
	return ns && name ? pw_facts_pod(facts, ns, name) : NULL;
}

/* The words of a hop in any spelling: "kube-proxy on n1" marks the hop "kube-proxy". */
static const char *broken_hop(const struct pw_record *record, const struct pw_hop *hops, size_t n)
{
	const char *hop = record->status == PW_STATUS_FAULT ? record->verdict.hop : NULL;
	for (size_t i = 0; hop && i < n; i++)
		if (strcmp(hops[i].id, hop) == 0)
			return hops[i].id;
	for (size_t i = 0; hop && i < n; i++) {
		size_t len = strlen(hops[i].id);
		if (strncmp(hop, hops[i].id, len) == 0 && !isalnum((unsigned char)hop[len]))
			return hops[i].id;
	}
	return NULL;
}

static unsigned port_of(const struct pw_scope *scope, const struct pw_service *service)
{
	const struct pw_val *val = pw_scope_get(scope, "port");
	long long port = 0;
	if (pw_val_is(val, PW_VAL_MAP))
		val = pw_map_get(val, "");
	if (pw_val_to_int(val, &port) && port > 0 && port <= 65535)
		return (unsigned)port;
	return service && service->n_ports ? service->ports[0].port : 0;
}

const char *pw_record_drawing(const struct pw_record *record, const struct pw_facts *facts, const struct pw_scope *scope,
			      bool utf8, struct pw_arena *arena)
{
	struct pw_flow flow;
	const struct pw_hop *hops = NULL;
	struct pw_buf out;
	if (!facts)
		return NULL;
	memset(&flow, 0, sizeof flow);
	flow.from = pod_of(facts, scope, "from.namespace", "from.name");
	const char *ns = field(scope, "to.namespace"), *name = field(scope, "to.name"), *protocol = field(scope, "protocol");
	/* A Service and a pod may share a name: a Service has a fqdn, a pod a node. */
	if (ns && name && field(scope, "to.fqdn"))
		flow.service = pw_facts_service(facts, ns, name);
	else if (ns && name)
		flow.to = pw_facts_pod(facts, ns, name);
	else
		flow.to_address = field(scope, "to");
	if (!flow.from || (!flow.service && !flow.to && !flow.to_address))
		return NULL;
	flow.protocol = protocol ? protocol : "TCP";
	flow.port = port_of(scope, flow.service);
	size_t n = pw_path_hops(facts, &flow, arena, &hops);
	if (!n)
		return NULL;
	pw_buf_init(&out, 65536);
	pw_path_draw(hops, n, broken_hop(record, hops, n), PW_PATH_TEXT, utf8, &out);
	const char *text = pw_buf_ok(&out) ? pw_arena_strdup(arena, pw_buf_str(&out)) : NULL;
	pw_buf_release(&out);
	return text;
}
