/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input types `node` and `namespace`. */
#include <cluster/types.h>

#include <string.h>

#include <cluster/valid.h>

const char *const pw_node_fields[] = {
	"name", "ip", "external_ip", "pod_cidr", "ready", "kubelet_version", "kernel_version", "peer", "peer_ip", NULL,
};
const char *const pw_namespace_fields[] = { "name", "labels", NULL };

static const struct pw_node *other_node(const struct pw_facts *facts, const struct pw_node *node)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n), *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (nodes[i] != node && (!found || (found->ready != 1 && nodes[i]->ready == 1)))
			found = nodes[i];
	return found;
}

static struct pw_val *node_val(const struct pw_facts *facts, const struct pw_node *node, struct pw_arena *arena)
{
	const struct pw_node *peer = other_node(facts, node);
	struct pw_val *map = pw_val_map(arena);

	pw_map_set_str(map, "", node->meta.name);
	pw_map_set_str(map, "name", node->meta.name);
	pw_map_set_str(map, "ip", pw_node_address(facts, node->meta.name));
	pw_map_set_str(map, "external_ip", node->external_ip);
	pw_map_set_str(map, "pod_cidr", node->pod_cidrs.n ? node->pod_cidrs.v[0] : "");
	pw_map_set_bool(map, "ready", node->ready == 1);
	pw_map_set_str(map, "kubelet_version", node->kubelet_version);
	pw_map_set_str(map, "kernel_version", node->kernel_version);
	pw_map_set_str(map, "peer", peer ? peer->meta.name : "");
	pw_map_set_str(map, "peer_ip", peer ? pw_node_address(facts, peer->meta.name) : "");
	return map;
}

static int node_metas(const struct pw_facts *facts, struct pw_arena *arena, const struct pw_meta ***ret, size_t *ret_n)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	const struct pw_meta **metas = pw_arena_array(arena, n + 1, sizeof(*metas));

	if (!metas)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		metas[i] = &nodes[i]->meta;
	*ret = metas;
	*ret_n = n;
	return PW_OK;
}

int pw_node_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
		    struct pw_val **ret, struct pw_err *err)
{
	const char *name = strncmp(text, "node/", 5) == 0 ? text + 5 : text;
	const struct pw_node *node = pw_facts_node(facts, name);
	const struct pw_meta **metas;
	size_t n;

	(void)default_ns; /* nodes have no namespace */
	if (!node)
		node = pw_facts_node_by_ip(facts, name);
	if (!node) {
		if (node_metas(facts, arena, &metas, &n) != PW_OK)
			return pw_err_set(err, PW_NOMEM, "out of memory while looking for node %s", name);
		return pw_absent(facts, PW_FACT_NODES, "node", "", name, metas, n, arena, err);
	}
	*ret = node_val(facts, node, arena);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "out of memory while describing node %s", name) : PW_OK;
}

int pw_node_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret)
{
	const struct pw_meta **metas;
	size_t n;

	if (node_metas(facts, arena, &metas, &n) != PW_OK)
		return PW_NOMEM;
	return pw_list_candidates(metas, n, default_ns, arena, ret);
}

static int namespace_metas(const struct pw_facts *facts, struct pw_arena *arena, const struct pw_meta ***ret, size_t *ret_n)
{
	size_t n;
	const struct pw_namespace *const *namespaces = pw_facts_namespaces(facts, &n);
	const struct pw_meta **metas = pw_arena_array(arena, n + 1, sizeof(*metas));

	if (!metas)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		metas[i] = &namespaces[i]->meta;
	*ret = metas;
	*ret_n = n;
	return PW_OK;
}

/* A namespace that could not be looked up is taken at its word if it is a legal name. */
int pw_namespace_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
			 struct pw_val **ret, struct pw_err *err)
{
	const struct pw_namespace *namespace = pw_facts_namespace(facts, text);
	const struct pw_meta **metas;
	struct pw_val *map;
	size_t n;

	(void)default_ns;
	if (!pw_is_dns_label(text))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a namespace name (lower case letters, digits and '-')", text);
	if (!namespace && pw_facts_known(facts, PW_FACT_NAMESPACES) == PW_KNOWN_YES) {
		if (namespace_metas(facts, arena, &metas, &n) != PW_OK)
			return pw_err_set(err, PW_NOMEM, "out of memory while looking for namespace %s", text);
		return pw_absent(facts, PW_FACT_NAMESPACES, "namespace", "", text, metas, n, arena, err);
	}
	map = pw_val_map(arena);
	pw_map_set_str(map, "", text);
	pw_map_set_str(map, "name", text);
	if (namespace)
		pw_map_set_labels(map, "labels", &namespace->meta.labels);
	else
		(void)pw_map_set_map(map, "labels");
	if (!map || pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "out of memory while describing namespace %s", text);
	*ret = map;
	return PW_OK;
}

int pw_namespace_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret)
{
	const struct pw_meta **metas;
	size_t n;

	if (namespace_metas(facts, arena, &metas, &n) != PW_OK)
		return PW_NOMEM;
	return pw_list_candidates(metas, n, default_ns, arena, ret);
}
