/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * address_owner: whose an address is, by the objects: a pod's, a node's, a
 * Service's, nobody's in a range that pods are given, or the outside's.
 */
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "host", PW_TYPE_HOST, 1, NULL, NULL, "The address; a name has no owner" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "outside", PW_CLASS_OK, "No object has the address, and no node gives it to pods.", NULL, NULL },
	{ "pod", PW_CLASS_OK, "A pod has the address.", NULL, NULL },
	{ "node", PW_CLASS_OK, "A node has the address.", NULL, NULL },
	{ "service", PW_CLASS_OK, "A Service has the address.", NULL, NULL },
	{ "pod-range", PW_CLASS_FAIL, "No pod has the address, and a node gives its pods addresses of that range: every node routes it there.", "a pod that is gone, or a pod range that overlaps a real network", "look the pod up again, or give one of the networks another range" },
	{ "name", PW_CLASS_OK, "It is a name, not an address.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "address", PW_TYPE_ADDRESS, NULL, "The address, empty if it is a name" },
	{ "owner", PW_TYPE_STR, NULL, "The object, as namespace/name or a node's name, empty if there is none" },
	{ "node", PW_TYPE_NODE, NULL, "The node whose pods are given addresses of its range, empty if there is none" },
	{ "range", PW_TYPE_STR, NULL, "That range, empty if there is none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Many CNIs leave spec.podCIDRs alone and hand out ranges of their own: only one that a pod there has an address of counts. */
static bool is_in_use(const struct pw_facts *facts, const struct pw_node *node, const char *range)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (!pods[i]->host_network && !strcmp(pods[i]->node, node->meta.name) && pw_address_in_cidr(pods[i]->ip, range) == 1)
			return true;
	return false;
}

static const struct pw_node *giver(const struct pw_facts *facts, const char *address, const char **ret_range)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < nodes[i]->pod_cidrs.n; c++)
			if (pw_address_in_cidr(address, nodes[i]->pod_cidrs.v[c]) == 1 && is_in_use(facts, nodes[i], nodes[i]->pod_cidrs.v[c])) {
				*ret_range = nodes[i]->pod_cidrs.v[c];
				return nodes[i];
			}
	return NULL;
}

static void judge_address(const struct pw_facts *facts, const char *address, struct pw_result *result)
{
	const struct pw_pod *pod = pw_facts_pod_by_ip(facts, address);
	const struct pw_node *node = pw_facts_node_by_ip(facts, address);
	const struct pw_service *service = pw_facts_service_by_ip(facts, address);
	const char *range = "";
	const struct pw_node *by = pod || node || service ? NULL : giver(facts, address, &range);
	struct pw_val *ev = pw_result_evidence(result);
	if (pod)
		pw_map_set_strf(ev, "owner", "%s/%s", pod->meta.ns, pod->meta.name);
	else if (service)
		pw_map_set_strf(ev, "owner", "%s/%s", service->meta.ns, service->meta.name);
	else
		pw_map_set_str(ev, "owner", node ? node->meta.name : "");
	pw_map_set_str(ev, "node", by ? by->meta.name : "");
	pw_map_set_str(ev, "range", range);
	if (pod)
		pw_result_set(result, "pod", "%s is pod %s/%s.", address, pod->meta.ns, pod->meta.name);
	else if (service)
		pw_result_set(result, "service", "%s is Service %s/%s.", address, service->meta.ns, service->meta.name);
	else if (node)
		pw_result_set(result, "node", "%s is node %s.", address, node->meta.name);
	else if (by)
		pw_result_set(result, "pod-range", "%s lies in %s, which node %s gives its pods, and no pod has it.", address, range, by->meta.name);
	else
		pw_result_set(result, "outside", "%s belongs to no object of the cluster.", address);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *host = pw_ctx_str(ctx, "host");
	struct pw_val *ev = pw_result_evidence(result);
	if (!pw_facts_need(facts, PW_FACT_PODS | PW_FACT_NODES | PW_FACT_SERVICES, result))
		return PW_OK;
	bool is_address = pw_address_in_cidr(host, strchr(host, ':') ? "::/0" : "0.0.0.0/0") == 1;
	pw_map_set_str(ev, "address", is_address ? host : "");
	if (is_address) {
		judge_address(facts, host, result);
		return PW_OK;
	}
	pw_map_set_str(ev, "owner", "");
	pw_map_set_str(ev, "node", "");
	pw_map_set_str(ev, "range", "");
	pw_result_set(result, "name", "%s is a name.", host);
	return PW_OK;
}

const struct pw_check pw_check_address_owner = {
	PW_CHECK_HEAD("address_owner"),
	.summary = "Say whose an address is: a pod's, a node's, a Service's, or the outside's",
	.details = "Reads objects only. An address in the range of a node's pods that no pod has is routed to that node all the same.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_NODES | PW_FACT_SERVICES,
	.timeout_ms = 1000,
	.example = "check address_owner host=10.244.1.222",
	.judge = judge,
};
