/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pod_state: does the pod run at all, by its own object and events? */
#include <stdio.h>
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ready", PW_CLASS_OK, "Running, and ready.", NULL, NULL },
	{ "not-ready", PW_CLASS_FAIL, "Running, and not ready: a readiness probe fails.", "the probe or the application", "ask the probe target directly" },
	{ "crashing", PW_CLASS_FAIL, "A container ends again and again.", "see the reason and the log of its last run", "read the log of the previous container" },
	{ "image", PW_CLASS_FAIL, "The image of a container cannot be had.", NULL, "look at image name and registry" },
	{ "no-network", PW_CLASS_FAIL, "The sandbox is not made: the CNI plugin fails.", "no CNI configuration", "read the events of the pod" },
	{ "no-address", PW_CLASS_FAIL, "The sandbox is not made: the node has no address left for the pod.", "more pods than addresses, or leases of pods that are gone", "free the stale leases, or widen the range" },
	{ "no-agent", PW_CLASS_FAIL, "The sandbox is not made: the plugin waits for the CNI agent of the node.", "the agent does not run, or has not written its files", "look at the agent's pod on that node" },
	{ "no-plugin", PW_CLASS_FAIL, "The sandbox is not made: a CNI program is missing on the node.", "the binaries were not installed", "install them" },
	{ "bridge-taken", PW_CLASS_FAIL, "The sandbox is not made: the pod bridge has an address of another subnet.", "left from an older subnet", "delete the bridge so that the plugin makes it again" },
	{ "not-scheduled", PW_CLASS_FAIL, "No node takes the pod.", NULL, "read the events of the pod" },
	{ "starting", PW_CLASS_WARN, "Containers are being made.", NULL, "wait" },
	{ "terminating", PW_CLASS_WARN, "The pod is being deleted.", NULL, NULL },
	{ "finished", PW_CLASS_FAIL, "The pod has ended.", NULL, NULL },
	{ "node-lost", PW_CLASS_FAIL, "The pod's node is not ready.", "the node is down, or its kubelet does not report", "look at the node" },
	{ "absent", PW_CLASS_FAIL, "There is no such pod.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "phase", PW_TYPE_STR, NULL, "status.phase" },
	{ "node", PW_TYPE_STR, NULL, "Node, empty if not scheduled" },
	{ "node_ready", PW_TYPE_STR, NULL, "Ready condition of the node: True, False, Unknown" },
	{ "reason", PW_TYPE_STR, NULL, "Reason, of container, condition or event" },
	{ "message", PW_TYPE_STR, NULL, "Message that belongs to it" },
	{ "restarts", PW_TYPE_INT, NULL, "Restarts of all containers" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

struct view { const struct pw_pod *pod; const struct pw_container *bad; const struct pw_event *event; const struct pw_node *node; unsigned restarts; };

static void look_at_containers(struct view *v)
{
	for (size_t i = 0; i < v->pod->n_containers; i++) {
		const struct pw_container *c = &v->pod->containers[i];
		v->restarts += c->restarts;
		if (!v->bad && *c->reason && strcmp(c->reason, "Completed") && strcmp(c->state, "running"))
			v->bad = c;
	}
}

static void look_at_events(const struct pw_facts *facts, struct view *v)
{
	size_t n;
	const struct pw_event *const *all = pw_facts_events(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->kind, "Pod") && !strcmp(all[i]->ns, v->pod->meta.ns) && !strcmp(all[i]->name, v->pod->meta.name) &&
		    !strcmp(all[i]->type, "Warning") && (!v->event || all[i]->last > v->event->last))
			v->event = all[i];
}

static bool mentions_sandbox(const struct pw_event *event)
{
	return event && (!strcmp(event->reason, "FailedCreatePodSandBox") || strstr(event->message, "cni") || strstr(event->message, "CNI"));
}

/* What the plugins write when they fail; the first word that is found decides. */
static const char *sandbox_word(const char *message)
{
	static const char *const words[][2] = {
		{ "already has an IP address different", "bridge-taken" }, { "no IP addresses available", "no-address" }, { "failed to allocate", "no-address" },
		{ "failed to assign an IP address", "no-address" }, { "failed to find plugin", "no-plugin" }, { "subnet.env", "no-agent" },
		{ "connection refused", "no-agent" }, { ".sock", "no-agent" }, { "Unauthorized", "no-agent" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(message, words[i][0]))
			return words[i][1];
	return "no-network";
}

static bool lacks_sandbox(const struct view *v)
{
	return !strcmp(v->pod->phase, "Pending") && *v->pod->node && mentions_sandbox(v->event);
}

static const char *ready_word(const struct pw_node *node)
{
	return !node ? "" : node->ready > 0 ? "True" : node->ready == 0 ? "False" : "Unknown";
}

static void conclude(const struct view *v, const char *ref, struct pw_result *result)
{
	const struct pw_pod *pod = v->pod;
	const char *reason = v->bad ? v->bad->reason : "";
	if (pod->meta.terminating)
		pw_result_set(result, "terminating", "%s is being deleted.", ref);
	else if (!strcmp(pod->phase, "Succeeded") || !strcmp(pod->phase, "Failed"))
		pw_result_set(result, "finished", "%s has ended: %s.", ref, *pod->status_reason ? pod->status_reason : pod->phase);
	else if (v->node && v->node->ready <= 0)
		pw_result_set(result, "node-lost", "%s is on %s, whose Ready condition is %s.", ref, pod->node, ready_word(v->node));
	else if (pod->ready)
		pw_result_set(result, "ready", "%s runs on %s and is ready.", ref, pod->node);
	else if (!*pod->node)
		pw_result_set(result, "not-scheduled", "%s is on no node: %s", ref, *pod->scheduled_message ? pod->scheduled_message : "not scheduled yet.");
	else if (strstr(reason, "ImagePull") || strstr(reason, "ErrImage"))
		pw_result_set(result, "image", "%s: %s, %s", ref, reason, v->bad->message);
	else if (!strcmp(reason, "CrashLoopBackOff") || (v->restarts > 0 && !strcmp(v->bad ? v->bad->state : "", "terminated")))
		pw_result_set(result, "crashing", "%s: a container ended %u times (%s).", ref, v->restarts, *v->bad->last_reason ? v->bad->last_reason : reason);
	else if (lacks_sandbox(v))
		pw_result_set(result, sandbox_word(v->event->message), "%s has no sandbox: %s", ref, v->event->message);
	else if (!strcmp(pod->phase, "Pending"))
		pw_result_set(result, "starting", "%s: %s.", ref, *reason ? reason : "pending");
	else
		pw_result_set(result, "not-ready", "%s runs on %s and is not ready: %s", ref, pod->node,
			      v->event ? v->event->message : *pod->ready_message ? pod->ready_message : "no reason is given.");
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *ref = pw_ctx_str(ctx, "pod");
	if (!pw_facts_need(facts, PW_FACT_PODS, result))
		return PW_OK;
	struct view v = { .pod = pw_facts_pod_ref(facts, ref) };
	struct pw_val *ev = pw_result_evidence(result);
	if (!v.pod) {
		pw_result_set(result, "absent", "There is no pod %s.", ref);
		return PW_OK;
	}
	v.node = pw_facts_node(facts, v.pod->node);
	look_at_containers(&v);
	look_at_events(facts, &v);
	pw_map_set_str(ev, "phase", v.pod->phase);
	pw_map_set_str(ev, "node", v.pod->node);
	pw_map_set_str(ev, "node_ready", ready_word(v.node));
	/* A container that waits for its sandbox has nothing to say of its own. */
	const struct pw_container *bad = lacks_sandbox(&v) ? NULL : v.bad;
	pw_map_set_str(ev, "reason", bad ? bad->reason : v.event ? v.event->reason : v.pod->ready_reason);
	pw_map_set_str(ev, "message", bad ? bad->message : v.event ? v.event->message : v.pod->ready_message);
	pw_map_set_int(ev, "restarts", v.restarts);
	conclude(&v, ref, result);
	return PW_OK;
}

const struct pw_check pw_check_pod_state = {
	PW_CHECK_HEAD("pod_state"),
	.summary = "See whether a pod runs, by its object, its node and its events",
	.details = "Readiness, crashes, images, sandbox and scheduling failures.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_NODES | PW_FACT_EVENTS,
	.timeout_ms = 2000,
	.example = "check pod_state pod=shop/api-1",
	.judge = judge,
};
