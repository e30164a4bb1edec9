/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes and namespaces. */
#include <cluster/model.h>

#include <string.h>

#define MAX_ADDRESSES 256
#define MAX_TAINTS 256

static void decode_addresses(struct pw_facts *facts, const struct pw_val *addresses, struct pw_node *node)
{
	size_t n, kept = 0;
	const char **v = pw_keep_array(facts, addresses, MAX_ADDRESSES, sizeof(*v), &n);
	struct pw_address parsed;

	node->internal_ip = node->external_ip = "";
	for (size_t i = 0; i < n; i++) {
		const struct pw_val *address = pw_val_at(addresses, i);
		const char *type = pw_map_str(address, "type", ""), *text = pw_keep_key(facts, address, "address");

		if (!pw_address_parse(text, &parsed))
			continue; /* Hostname, InternalDNS */
		v[kept++] = text;
		if (strcmp(type, "InternalIP") == 0 && !node->internal_ip[0])
			node->internal_ip = text;
		if (strcmp(type, "ExternalIP") == 0 && !node->external_ip[0])
			node->external_ip = text;
	}
	node->addresses = (struct pw_strings){ v, kept };
}

static void decode_conditions(struct pw_facts *facts, const struct pw_val *conditions, struct pw_node *node)
{
	size_t n = pw_val_is(conditions, PW_VAL_SEQ) ? pw_val_count(conditions) : 0;

	node->ready = -1;
	node->ready_reason = node->ready_message = "";
	for (size_t i = 0; i < n; i++) {
		const struct pw_val *condition = pw_val_at(conditions, i);
		const char *type = pw_map_str(condition, "type", ""), *status = pw_map_str(condition, "status", "");

		if (strcmp(type, "NetworkUnavailable") == 0)
			node->network_unavailable = strcmp(status, "True") == 0;
		if (strcmp(type, "Ready") != 0)
			continue;
		node->ready = strcmp(status, "True") == 0 ? 1 : strcmp(status, "False") == 0 ? 0 : -1;
		node->ready_reason = pw_keep_key(facts, condition, "reason");
		node->ready_message = pw_keep_key(facts, condition, "message");
		node->heartbeat = pw_keep_time(facts, condition, "lastHeartbeatTime");
	}
}

static void decode_taints(struct pw_facts *facts, const struct pw_val *taints, struct pw_node *node)
{
	struct pw_taint *v = pw_keep_array(facts, taints, MAX_TAINTS, sizeof(*v), &node->n_taints);

	for (size_t i = 0; i < node->n_taints; i++) {
		v[i].key = pw_keep_key(facts, pw_val_at(taints, i), "key");
		v[i].value = pw_keep_key(facts, pw_val_at(taints, i), "value");
		v[i].effect = pw_keep_key(facts, pw_val_at(taints, i), "effect");
	}
	node->taints = v;
}

static void decode_cidrs(struct pw_facts *facts, const struct pw_val *spec, struct pw_node *node)
{
	const char *first = pw_keep_key(facts, spec, "podCIDR"), **v;

	node->pod_cidrs = pw_keep_strings(facts, pw_map_get(spec, "podCIDRs"));
	if (node->pod_cidrs.n || !first[0])
		return;
	v = pw_arena_array(facts->arena, 1, sizeof(*v));
	if (!v)
		return;
	*v = first;
	node->pod_cidrs = (struct pw_strings){ v, 1 };
}

int pw_decode_node(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *status = pw_map_get(object, "status");
	const struct pw_val *info = pw_map_get(status, "nodeInfo");
	struct pw_node *node = pw_arena_alloc(facts->arena, sizeof(*node));

	if (!node)
		return PW_NOMEM;
	pw_keep_meta(facts, object, &node->meta);
	node->meta.ns = "";
	decode_addresses(facts, pw_map_get(status, "addresses"), node);
	decode_conditions(facts, pw_map_get(status, "conditions"), node);
	decode_taints(facts, pw_map_get(spec, "taints"), node);
	decode_cidrs(facts, spec, node);
	node->unschedulable = pw_map_bool(spec, "unschedulable", false);
	node->provider_id = pw_keep_key(facts, spec, "providerID");
	node->kubelet_version = pw_keep_key(facts, info, "kubeletVersion");
	node->kernel_version = pw_keep_key(facts, info, "kernelVersion");
	node->os_image = pw_keep_key(facts, info, "osImage");
	node->runtime_version = pw_keep_key(facts, info, "containerRuntimeVersion");
	return pw_facts_store(facts, PW_FACT_NODES, "", node->meta.name, "", node);
}

/* Every namespace carries its name as a label since Kubernetes 1.22, whatever the manifest says. */
static void add_name_label(struct pw_facts *facts, struct pw_meta *meta)
{
	struct pw_label *v;

	if (pw_labels_get(&meta->labels, "kubernetes.io/metadata.name"))
		return;
	v = pw_arena_array(facts->arena, meta->labels.n + 1, sizeof(*v));
	if (!v)
		return;
	if (meta->labels.n)
		memcpy(v, meta->labels.v, meta->labels.n * sizeof(*v));
	v[meta->labels.n] = (struct pw_label){ "kubernetes.io/metadata.name", meta->name };
	meta->labels = (struct pw_labels){ v, meta->labels.n + 1 };
}

int pw_decode_namespace(struct pw_facts *facts, const struct pw_val *object)
{
	struct pw_namespace *namespace = pw_arena_alloc(facts->arena, sizeof(*namespace));

	if (!namespace)
		return PW_NOMEM;
	pw_keep_meta(facts, object, &namespace->meta);
	namespace->meta.ns = "";
	add_name_label(facts, &namespace->meta);
	return pw_facts_store(facts, PW_FACT_NAMESPACES, "", namespace->meta.name, "", namespace);
}
