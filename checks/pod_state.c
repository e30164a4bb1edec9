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
	{ "port-taken", PW_CLASS_FAIL, "A container ends because its port is in use: it shares the node's network, and another has the port.", "two pods of the host network on one node want one port", "give one of them another port or node" },
	{ "image", PW_CLASS_FAIL, "The image of a container cannot be had.", NULL, "look at image name and registry" },
	{ "bad-spec", PW_CLASS_FAIL, "A container cannot be made from the pod's specification: a ConfigMap, Secret or volume is missing.", NULL, "read the events of the pod" },
	{ "no-config", PW_CLASS_FAIL, "No sandbox can be made on the node: the runtime finds no CNI configuration.", "the CNI is not installed there, or its configuration was removed", "look at /etc/cni/net.d of the node" },
	{ "no-network", PW_CLASS_FAIL, "The sandbox is not made: the CNI plugin fails, for a reason not known here.", NULL, "read the events of the pod" },
	{ "no-address", PW_CLASS_FAIL, "The sandbox is not made: the node has no address left for the pod.", "more pods than addresses, or leases of pods that are gone", "free the stale leases, or widen the range" },
	{ "no-agent", PW_CLASS_FAIL, "The sandbox is not made: the plugin waits for the CNI agent of the node.", "the agent does not run, or has not written its files", "look at the agent's pod on that node" },
	{ "no-api", PW_CLASS_FAIL, "The sandbox is not made: the plugin cannot reach the API server from the node.", "a firewall, or Service rules that are missing on the node", "connect to the API server from the node" },
	{ "no-plugin", PW_CLASS_FAIL, "The sandbox is not made: a CNI program is missing on the node.", "the binaries were not installed", "install them" },
	{ "bridge-taken", PW_CLASS_FAIL, "The sandbox is not made: the pod bridge has an address of another subnet.", "left from an older subnet", "delete the bridge so that the plugin makes it again" },
	{ "no-sandbox", PW_CLASS_FAIL, "The sandbox is not made, and the network has no part in it.", "the container runtime", "read the events of the pod" },
	{ "not-scheduled", PW_CLASS_FAIL, "No node takes the pod.", NULL, "read the events of the pod" },
	{ "starting", PW_CLASS_WARN, "Containers are being made.", NULL, "wait" },
	{ "terminating", PW_CLASS_WARN, "The pod is being deleted.", NULL, NULL },
	{ "finished", PW_CLASS_FAIL, "The pod has ended.", NULL, NULL },
	{ "node-lost", PW_CLASS_FAIL, "The pod's node is not ready.", "the node is down, or its kubelet does not report", "look at the node" },
	{ "node-no-network", PW_CLASS_FAIL, "It has its sandbox, and its node is not ready because the runtime no longer finds a CNI configuration.", "the configuration was removed", "look at /etc/cni/net.d of the node" },
	{ "absent", PW_CLASS_FAIL, "There is no such pod.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "phase", PW_TYPE_STR, NULL, "status.phase" },
	{ "node", PW_TYPE_NODE, NULL, "Node, empty if not scheduled" },
	{ "node_ready", PW_TYPE_STR, NULL, "Ready condition of the node: True, False, Unknown" },
	{ "reason", PW_TYPE_STR, NULL, "Reason, of container, condition or event" },
	{ "message", PW_TYPE_STR, NULL, "Message that belongs to it" },
	{ "restarts", PW_TYPE_INT, NULL, "Restarts of all containers" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

struct view {
	const struct pw_pod *pod;
	const struct pw_container *bad;
	const struct pw_event *event, *sandbox, *volume; /* newest warnings: of any kind, of the sandbox, of a volume */
	const struct pw_node *node;
	const struct pw_pod *rival;                      /* has the port that this pod wants of their node */
	unsigned restarts;
};

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

#define IS_ONE_OF(word, ...) is_one_of((word), (const char *const []){ __VA_ARGS__ }, sizeof((const char *const []){ __VA_ARGS__ }) / sizeof(char *))

static void look_at_containers(struct view *v)
{
	for (size_t i = 0; i < v->pod->n_containers; i++) {
		const struct pw_container *c = &v->pod->containers[i];
		v->restarts += c->restarts;
		if (!v->bad && *c->reason && strcmp(c->reason, "Completed") && strcmp(c->reason, "PodInitializing") && strcmp(c->state, "running"))
			v->bad = c;
	}
}

/* A StatefulSet's pod has the name, but not the identity, of the one before it. */
static bool is_about(const struct pw_event *event, const struct pw_meta *meta)
{
	if (strcmp(event->kind, "Pod") || strcmp(event->ns, meta->ns) || strcmp(event->name, meta->name))
		return false;
	return *event->uid && *meta->uid ? !strcmp(event->uid, meta->uid) : !event->last || event->last >= meta->created;
}

static const struct pw_event *newer(const struct pw_event *known, const struct pw_event *event)
{
	return !known || event->last > known->last ? event : known;
}

/* What a kubelet does only in a sandbox that stands: an older failure to make one, or to mount what comes before it, has healed. */
static bool has_sandbox_since(const struct pw_event *const *all, size_t n, const struct view *v, int64_t since)
{
	for (size_t i = 0; i < n; i++)
		if (is_about(all[i], &v->pod->meta) && all[i]->last >= since && IS_ONE_OF(all[i]->reason, "Pulling", "Pulled", "Created", "Started"))
			return true;
	return false;
}

/* A kubelet that has just started, or waits for the API, does not know yet whether a ConfigMap or Secret is there. */
static bool waits_for_cache(const struct pw_event *event)
{
	return strstr(event->message, "failed to sync configmap cache") || strstr(event->message, "failed to sync secret cache");
}

/* Volumes are mounted before the sandbox is made: whatever came of the sandbox since shows that they are. */
static void forget_what_is_over(const struct pw_event *const *all, size_t n, struct view *v)
{
	bool stands = *v->pod->ip || v->pod->sandbox > 0;
	if (v->volume && (stands || (v->sandbox && v->sandbox->last >= v->volume->last) || has_sandbox_since(all, n, v, v->volume->last)))
		v->volume = NULL;
	if (v->sandbox && (stands || has_sandbox_since(all, n, v, v->sandbox->last)))
		v->sandbox = NULL;
}

static bool is_of_sandbox(const struct pw_event *event)
{
	return IS_ONE_OF(event->reason, "FailedCreatePodSandBox", "NetworkNotReady");
}

static bool is_of_volume(const struct pw_event *event)
{
	return IS_ONE_OF(event->reason, "FailedMount", "FailedAttachVolume");
}

static bool is_warning(const struct pw_event *event, const struct view *v)
{
	return is_about(event, &v->pod->meta) && !strcmp(event->type, "Warning");
}

static void look_at_events(const struct pw_facts *facts, struct view *v)
{
	size_t n;
	const struct pw_event *const *all = pw_facts_events(facts, &n);
	for (size_t i = 0; i < n; i++) {
		if (is_warning(all[i], v) && is_of_sandbox(all[i]))
			v->sandbox = newer(v->sandbox, all[i]);
		else if (is_warning(all[i], v) && is_of_volume(all[i]))
			v->volume = newer(v->volume, all[i]);
	}
	forget_what_is_over(all, n, v);
	for (size_t i = 0; i < n; i++)
		if (is_warning(all[i], v) && (v->sandbox || !is_of_sandbox(all[i])) && (v->volume || !is_of_volume(all[i])))
			v->event = newer(v->event, all[i]);
}

/* Pods of the host network share its ports; the second to listen on one ends with EADDRINUSE. */
static bool wants_port_of(const struct pw_pod *pod, const struct pw_pod *other)
{
	for (size_t i = 0; i < pod->n_containers; i++)
		for (size_t p = 0; p < pod->containers[i].n_ports; p++)
			for (size_t j = 0; j < other->n_containers; j++)
				for (size_t q = 0; q < other->containers[j].n_ports; q++)
					if (pod->containers[i].ports[p].port == other->containers[j].ports[q].port && pod->containers[i].ports[p].port &&
					    !strcmp(pod->containers[i].ports[p].protocol, other->containers[j].ports[q].protocol))
						return true;
	return false;
}

static void look_for_rival(const struct pw_facts *facts, struct view *v)
{
	size_t n;
	const struct pw_pod *const *all = pw_facts_pods(facts, &n);
	for (size_t i = 0; v->pod->host_network && i < n && !v->rival; i++)
		if (all[i] != v->pod && all[i]->host_network && all[i]->ready && !strcmp(all[i]->node, v->pod->node) && wants_port_of(v->pod, all[i]))
			v->rival = all[i];
}

static bool has_any(const char *message, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(message, words[i]))
			return true;
	return false;
}

#define HAS_ANY(message, ...) has_any((message), (const char *const []){ __VA_ARGS__ }, sizeof((const char *const []){ __VA_ARGS__ }) / sizeof(char *))

/*
 * What runtimes and plugins write when they fail; the most telling words first. An address that has run out, by
 * host-local, AWS, Azure (azure-vnet-ipam, CNS), Calico and Cilium; a configuration that is not there, by containerd,
 * dockershim and CRI-O; an agent that does not serve, by flannel, Calico, Cilium, Multus, and what AWS and Azure ask on
 * the loopback; then whatever else could not reach the API.
 */
static const char *sandbox_word(const char *m)
{
	if (strstr(m, "already has an IP address different"))
		return "bridge-taken";
	if (HAS_ANY(m, "failed to find plugin"))
		return "no-plugin";
	if (HAS_ANY(m, "no IP addresses available", "failed to allocate for range", "failed to assign an IP address", "No available address", "not enough IPs available",
		    "No more free affine blocks", "no more free addresses", "No IPs available", "No more IPs available", "range is full", "IP pool exhausted"))
		return "no-address";
	if (HAS_ANY(m, "cni config uninitialized", "cni plugin not initialized", "no networks found in", "No CNI configuration file", "no valid networks found", "no network config found"))
		return "no-config";
	if (HAS_ANY(m, "subnet.env", ".sock", "nodename: no such file", "Unauthorized", "unable to connect to Cilium", "eadinessindicatorfile", "dial tcp 127.0.0.1:", "dial tcp [::1]:"))
		return "no-agent";
	if (HAS_ANY(m, "dial tcp", "Get \"https://", "Post \"https://", "TLS handshake timeout"))
		return "no-api";
	return HAS_ANY(m, "failed to setup network", "failed to set up pod", "network for pod", "plugin type=", "cni", "CNI", "NetworkPlugin") ? "no-network" : "no-sandbox";
}

static bool lacks_sandbox(const struct view *v)
{
	return !strcmp(v->pod->phase, "Pending") && *v->pod->node && v->sandbox;
}

/* A node whose runtime has no network says so in its Ready condition; its kubelet is well. */
static bool lacks_network(const struct pw_node *node)
{
	return node && node->ready == 0 && HAS_ANY(node->ready_message, "NetworkPluginNotReady", "cni plugin not initialized", "cni config uninitialized");
}

static const char *ready_word(const struct pw_node *node)
{
	return !node ? "" : node->ready > 0 ? "True" : node->ready == 0 ? "False" : "Unknown";
}

/* Where no node takes the pod because the nodes wait for their network, the first of these. */
static const struct pw_node *node_without_network(const struct pw_facts *facts, const struct pw_pod *pod)
{
	size_t n;
	const struct pw_node *const *all = pw_facts_nodes(facts, &n);
	if (*pod->node || !HAS_ANY(pod->scheduled_message, "node.kubernetes.io/not-ready", "node.kubernetes.io/network-unavailable"))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (lacks_network(all[i]))
			return all[i];
	return NULL;
}

static bool is_crash(const struct view *v)
{
	return v->bad && (!strcmp(v->bad->reason, "CrashLoopBackOff") || (v->restarts > 0 && !strcmp(v->bad->state, "terminated")));
}

static void conclude_crash(const struct view *v, const char *ref, struct pw_result *result)
{
	const char *last = *v->bad->last_reason ? v->bad->last_reason : v->bad->reason;
	if (v->rival)
		pw_result_set(result, "port-taken", "%s shares the network of %s and ends again and again (%s); %s/%s has its port there.", ref, v->pod->node,
			      last, v->rival->meta.ns, v->rival->meta.name);
	else if (HAS_ANY(v->bad->last_message, "ddress already in use", "EADDRINUSE") || HAS_ANY(v->bad->message, "ddress already in use", "EADDRINUSE"))
		pw_result_set(result, "port-taken", "%s: a container ends again and again: %s", ref, *v->bad->last_message ? v->bad->last_message : v->bad->message);
	else
		pw_result_set(result, "crashing", "%s: a container ended %u times (%s).", ref, v->restarts, last);
}

/* A pod that is on a node and not ready, by its containers. False if these have nothing to say. */
static bool conclude_containers(const struct view *v, const char *ref, struct pw_result *result)
{
	const char *reason = v->bad ? v->bad->reason : "";
	if (strstr(reason, "ImagePull") || strstr(reason, "ErrImage") || !strcmp(reason, "InvalidImageName"))
		pw_result_set(result, "image", "%s: %s, %s", ref, reason, v->bad->message);
	else if (IS_ONE_OF(reason, "CreateContainerConfigError", "CreateContainerError", "RunContainerError"))
		pw_result_set(result, "bad-spec", "%s: %s, %s", ref, reason, v->bad->message);
	else if (is_crash(v))
		conclude_crash(v, ref, result);
	else
		return false;
	return true;
}

static void conclude_waiting(const struct view *v, const char *ref, struct pw_result *result)
{
	if (lacks_sandbox(v))
		pw_result_set(result, sandbox_word(v->sandbox->message), "%s has no sandbox: %s", ref, v->sandbox->message);
	else if (!strcmp(v->pod->phase, "Pending") && v->volume && !waits_for_cache(v->volume))
		pw_result_set(result, "bad-spec", "%s: %s", ref, v->volume->message);
	else if (!strcmp(v->pod->phase, "Pending"))
		pw_result_set(result, "starting", "%s: %s.", ref, v->bad ? v->bad->reason : "pending");
	else
		pw_result_set(result, "not-ready", "%s runs on %s and is not ready: %s", ref, v->pod->node,
			      v->event ? v->event->message : *v->pod->ready_message ? v->pod->ready_message : "no reason is given.");
}

static void conclude(const struct view *v, const char *ref, struct pw_result *result)
{
	const struct pw_pod *pod = v->pod;
	bool over = !strcmp(pod->phase, "Succeeded") || !strcmp(pod->phase, "Failed");
	if (pod->meta.terminating)
		pw_result_set(result, "terminating", "%s is being deleted.", ref);
	else if (over && IS_ONE_OF(pod->status_reason, "NodePorts", "HostPortConflict", "PodFitsHostPorts"))
		pw_result_set(result, "not-scheduled", "The kubelet of %s did not admit %s: %s", pod->node, ref, *pod->status_message ? pod->status_message : pod->status_reason);
	else if (over)
		pw_result_set(result, "finished", "%s has ended: %s.", ref, *pod->status_reason ? pod->status_reason : pod->phase);
	else if (lacks_network(v->node))
		pw_result_set(result, *pod->ip ? "node-no-network" : "no-config", "%s has no network for %s: %s", v->node->meta.name,
			      *pod->ip ? "new pods, and counts as not ready" : ref, v->node->ready_message);
	else if (v->node && v->node->ready <= 0 && *pod->node)
		pw_result_set(result, "node-lost", "%s is on %s, whose Ready condition is %s.", ref, pod->node, ready_word(v->node));
	else if (pod->ready)
		pw_result_set(result, "ready", "%s runs on %s and is ready.", ref, pod->node);
	else if (!*pod->node)
		pw_result_set(result, "not-scheduled", "%s is on no node: %s", ref, *pod->scheduled_message ? pod->scheduled_message : "not scheduled yet.");
	else if (!conclude_containers(v, ref, result))
		conclude_waiting(v, ref, result);
}

/* A container that waits for its sandbox has nothing to say of its own, nor has one of a node without a network. */
static void put_reason(const struct view *v, struct pw_val *ev)
{
	const struct pw_container *bad = lacks_sandbox(v) ? NULL : v->bad;
	const struct pw_event *event = lacks_sandbox(v) ? v->sandbox : v->event;
	if (lacks_network(v->node)) {
		pw_map_set_str(ev, "reason", v->node->ready_reason);
		pw_map_set_str(ev, "message", v->node->ready_message);
	} else if (!*v->pod->node) {
		pw_map_set_str(ev, "reason", v->pod->scheduled_reason);
		pw_map_set_str(ev, "message", v->pod->scheduled_message);
	} else {
		pw_map_set_str(ev, "reason", bad ? bad->reason : event ? event->reason : v->pod->ready_reason);
		pw_map_set_str(ev, "message", bad ? bad->message : event ? event->message : v->pod->ready_message);
	}
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
	v.node = *v.pod->node ? pw_facts_node(facts, v.pod->node) : node_without_network(facts, v.pod);
	look_at_containers(&v);
	look_at_events(facts, &v);
	look_for_rival(facts, &v);
	pw_map_set_str(ev, "phase", v.pod->phase);
	pw_map_set_str(ev, "node", v.pod->node);
	pw_map_set_str(ev, "node_ready", ready_word(v.node));
	put_reason(&v, ev);
	pw_map_set_int(ev, "restarts", v.restarts);
	conclude(&v, ref, result);
	return PW_OK;
}

const struct pw_check pw_check_pod_state = {
	PW_CHECK_HEAD("pod_state"),
	.summary = "See whether a pod runs, by its object, its node and its events",
	.details = "Readiness, crashes, images, ports, sandbox and scheduling failures.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_NODES | PW_FACT_EVENTS,
	.timeout_ms = 2000,
	.example = "check pod_state pod=shop/api-1",
	.judge = judge,
};
