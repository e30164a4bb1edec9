/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow_points: where one flow between two pods can be watched: in the sender,
 * at both nodes, in the receiver. A loop over the points then watches them all
 * at once while the sender sends.
 */
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "from", PW_TYPE_POD, 1, NULL, NULL, "Sending pod" },
	{ "to", PW_TYPE_POD, 0, NULL, NULL, "Receiving pod; without one, only the sender's side can be watched" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "same-node", PW_CLASS_OK, "Both pods are on one node.", NULL, NULL },
	{ "cross-node", PW_CLASS_OK, "The pods are on two nodes.", NULL, NULL },
	{ "outward", PW_CLASS_OK, "The flow leaves the pods: it can be watched in the sender and at its node.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "points", PW_TYPE_LIST, NULL, "Points, each with role (send, sender-node, receiver-node, receiver) and at" },
	{ "from_node", PW_TYPE_NODE, NULL, "Node of the sender" },
	{ "to_node", PW_TYPE_NODE, NULL, "Node of the receiver" },
	{ "from_ip", PW_TYPE_ADDRESS, NULL, "Address of the sender" },
	{ "to_ip", PW_TYPE_ADDRESS, NULL, "Address of the receiver" },
	{ "from_node_ip", PW_TYPE_STR, NULL, "Address of the sender's node" },
	{ "to_node_ip", PW_TYPE_STR, NULL, "Address of the receiver's node" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static void add_point(struct pw_val *points, const char *role, const char *at, const char *prefix)
{
	struct pw_val *point = pw_seq_add_map(points);
	pw_map_set_strf(point, "", "%s %s", role, at);
	pw_map_set_str(point, "role", role);
	pw_map_set_strf(point, "at", "%s%s", prefix, at);
}

static const char *node_ip(const struct pw_facts *facts, const char *name)
{
	const struct pw_node *node = pw_facts_node(facts, name);
	return node ? node->internal_ip : "";
}

static void say_points(const struct pw_facts *facts, const char *a, const struct pw_pod *from, const char *b, const struct pw_pod *to, struct pw_val *ev)
{
	struct pw_val *points = pw_map_set_seq(ev, "points");
	add_point(points, "send", a, "");
	add_point(points, "sender-node", from->node, "node:");
	if (to && strcmp(from->node, to->node) != 0)
		add_point(points, "receiver-node", to->node, "node:");
	if (to)
		add_point(points, "receiver", b, "");
	pw_map_set_str(ev, "from_node", from->node);
	pw_map_set_str(ev, "to_node", to ? to->node : "");
	pw_map_set_str(ev, "from_ip", from->ip);
	pw_map_set_str(ev, "to_ip", to ? to->ip : "");
	pw_map_set_str(ev, "from_node_ip", node_ip(facts, from->node));
	pw_map_set_str(ev, "to_node_ip", to ? node_ip(facts, to->node) : "");
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_PODS, result))
		return PW_OK;
	const char *a = pw_ctx_str(ctx, "from"), *b = pw_ctx_str(ctx, "to");
	bool outward = !b || !*b;
	const struct pw_pod *from = pw_facts_pod_ref(facts, a), *to = outward ? NULL : pw_facts_pod_ref(facts, b);
	if (!from || (!to && !outward)) {
		pw_result_unknown(result, "there is no pod %s", from ? b : a);
		return PW_OK;
	}
	if (!*from->node || (to && !*to->node)) {
		pw_result_unknown(result, "%s is on no node", *from->node ? b : a);
		return PW_OK;
	}
	say_points(facts, a, from, b, to, pw_result_evidence(result));
	if (outward)
		pw_result_set(result, "outward", "%s is on %s; what it sends there leaves the pods.", a, from->node);
	else if (!strcmp(from->node, to->node))
		pw_result_set(result, "same-node", "%s and %s are both on %s.", a, b, from->node);
	else
		pw_result_set(result, "cross-node", "%s is on %s, %s on %s.", a, from->node, b, to->node);
	return PW_OK;
}

const struct pw_check pw_check_flow_points = {
	PW_CHECK_HEAD("flow_points"),
	.summary = "List the points where a flow between two pods can be watched",
	.details = "For a loop of counter_deltas or capture_flow over its points.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_NODES,
	.timeout_ms = 1000,
	.example = "check flow_points from=shop/web to=shop/api-2",
	.judge = judge,
};
