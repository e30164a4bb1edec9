/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * service_endpoints: EndpointSlices against the pods they should list. Says who
 * emptied them, or which address in them is no longer anybody's.
 */
#include <string.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "Service, as namespace/name" },
	{ "port", PW_TYPE_PORT, 0, NULL, NULL, "Port of the Service; the first if left out" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol of the port" },
	{ "node", PW_TYPE_NODE, 0, NULL, NULL, "Node where the call is translated: the sender's, or the one that a call from outside enters by" },
	{ "traffic", PW_TYPE_CHOICE, 0, "internal", "internal|external", "Whose traffic policy counts: that for calls of pods, or that for calls from outside" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Ready endpoints exist and each belongs to a running pod that the selector matches.", NULL, NULL },
	{ "selector-mismatch", PW_CLASS_FAIL, "No pod carries the labels of the selector, though pods with nearly those labels exist.", "a typo in the selector or in the pod labels", "align selector and labels" },
	{ "no-pods", PW_CLASS_FAIL, "No pod carries the labels of the selector, and none comes near.", "the workload is not deployed, or in another namespace", "deploy it, or correct the selector" },
	{ "scaled-to-zero", PW_CLASS_FAIL, "The selector matches a workload that runs no replica.", "scaled down, by a person or an autoscaler", "scale it up" },
	{ "unready", PW_CLASS_FAIL, "Pods match, but none is ready.", "a readiness probe fails, or the containers do not run", "ask the probe target directly" },
	{ "named-port-missing", PW_CLASS_FAIL, "Pods are ready, but none has a container port of the name the Service targets.", "targetPort misspelt, or the port has another name or protocol", "name the port in the pod, or use its number" },
	{ "not-published", PW_CLASS_FAIL, "A ready pod that the selector matches is missing from the slices.", "the EndpointSlice controller does not run or lags", "look at the kube-controller-manager" },
	{ "stale-address", PW_CLASS_FAIL, "A slice lists a ready address that no running pod has.", "the EndpointSlice controller does not run or lags", "look at the kube-controller-manager" },
	{ "manual-stale", PW_CLASS_FAIL, "A hand-made slice lists an address of the pods' range that no pod has (or, where nodes have no such range, of no pod and no node).", "the address moved", "update the slice" },
	{ "manual-empty", PW_CLASS_FAIL, "The Service has no selector and no slice lists an address for it.", "slices never made, or their service-name label is wrong", "make the slice" },
	{ "published-unready", PW_CLASS_WARN, "publishNotReadyAddresses sends traffic to pods that are not ready.", NULL, "turn it off for client traffic" },
	{ "no-local", PW_CLASS_FAIL, "The traffic policy is Local, and the node where the call is translated runs no endpoint.", "policy and placement do not fit", "use Cluster, or run a backend on every node" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "ready", PW_TYPE_INT, NULL, "Ready endpoints in the slices" },
	{ "not_ready", PW_TYPE_INT, NULL, "Endpoints in the slices that are not ready" },
	{ "matching", PW_TYPE_INT, NULL, "Pods that the selector matches" },
	{ "selector", PW_TYPE_STR, NULL, "The selector" },
	{ "near_miss", PW_TYPE_STR, NULL, "Nearest pod or workload and its labels, empty if none" },
	{ "pod", PW_TYPE_POD, NULL, "The pod concerned, as namespace/name, empty if none" },
	{ "address", PW_TYPE_ADDRESS, NULL, "The address concerned, empty if none" },
	{ "node", PW_TYPE_NODE, NULL, "Node of the pod concerned, empty if none" },
	{ "reason", PW_TYPE_STR, NULL, "Why the pod is not ready, empty if it is" },
	{ "odd", PW_TYPE_STR, NULL, "Endpoint pods whose owner differs from that of most, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

struct view {
	const struct pw_facts *facts;
	const struct pw_service *svc;
	const struct pw_service_port *port;
	const struct pw_backend *backends;
	size_t n_backends, n_ready;
	size_t matching, ready_pods;
	const struct pw_pod *unready, *unpublished, *unnamed;
};

static void put_labels(struct pw_buf *out, const struct pw_labels *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		pw_buf_printf(out, "%s%s=%s", i ? "," : "", labels->v[i].key, labels->v[i].value);
}

static bool finished(const struct pw_pod *pod)
{
	return !strcmp(pod->phase, "Succeeded") || !strcmp(pod->phase, "Failed");
}

static bool has_address(const struct pw_pod *pod, const char *address)
{
	for (size_t i = 0; i < pod->ips.n; i++)
		if (!strcmp(pod->ips.v[i], address))
			return true;
	return !strcmp(pod->ip, address);
}

/* Slices are of one address family each, so a pod with two stands in them by either. */
static bool listed(const struct view *v, const struct pw_pod *pod)
{
	for (size_t i = 0; i < v->n_backends; i++)
		if (has_address(pod, v->backends[i].endpoint->address))
			return true;
	return false;
}

static void look_at_pods(struct view *v)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(v->facts, &n);
	for (size_t i = 0; i < n; i++) {
		const struct pw_pod *pod = pods[i];
		if (strcmp(pod->meta.ns, v->svc->meta.ns) || !v->svc->selector.n || finished(pod) || pod->meta.terminating ||
		    !pw_labels_match(&v->svc->selector, &pod->meta.labels))
			continue;
		v->matching++;
		if (!pod->ready) {
			v->unready = v->unready ? v->unready : pod;
			continue;
		}
		v->ready_pods++;
		if (v->port && !pw_pod_target_port(pod, v->port))
			v->unnamed = pod;
		else if (*pod->ip && !listed(v, pod))
			v->unpublished = pod;
	}
}

/* Labels in common by key, near in value: enough to say "did you mean". */
static unsigned nearness(const struct pw_labels *selector, const struct pw_labels *labels)
{
	unsigned score = 0;
	for (size_t i = 0; i < selector->n; i++) {
		const char *value = pw_labels_get(labels, selector->v[i].key);
		if (value)
			score += !strcmp(value, selector->v[i].value) ? 4 : 2;
		for (size_t j = 0; !value && j < labels->n; j++)
			score += !strcmp(labels->v[j].value, selector->v[i].value);
	}
	return score;
}

static bool near_pod(const struct view *v, struct pw_buf *out)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(v->facts, &n), *best = NULL;
	unsigned best_score = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned score = strcmp(pods[i]->meta.ns, v->svc->meta.ns) ? 0 : nearness(&v->svc->selector, &pods[i]->meta.labels);
		if (score > best_score) {
			best_score = score;
			best = pods[i];
		}
	}
	if (!best)
		return false;
	pw_buf_printf(out, "pod %s/%s has ", best->meta.ns, best->meta.name);
	put_labels(out, &best->meta.labels);
	return true;
}

static const struct pw_workload *idle_workload(const struct view *v)
{
	size_t n;
	const struct pw_workload *const *all = pw_facts_workloads(v->facts, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->meta.ns, v->svc->meta.ns) && !*all[i]->meta.owner_name && !all[i]->replicas &&
		    pw_labels_match(&v->svc->selector, &all[i]->template_labels))
			return all[i];
	return NULL;
}

static const char *why_unready(const struct pw_pod *pod)
{
	for (size_t i = 0; i < pod->n_containers; i++)
		if (*pod->containers[i].reason && strcmp(pod->containers[i].reason, "Completed"))
			return pod->containers[i].reason;
	if (!pod->scheduled && *pod->scheduled_reason)
		return pod->scheduled_reason;
	return *pod->ready_reason ? pod->ready_reason : pod->phase;
}

/* Workload names differ by a hash per rollout: compare owners by kind and name. */
static const char *owner(const struct pw_pod *pod)
{
	return *pod->meta.owner_name ? pod->meta.owner_name : "";
}

static void odd_owners(const struct view *v, struct pw_buf *out)
{
	size_t votes_best = 0;
	const char *common = "";
	for (size_t i = 0; i < v->n_backends; i++) {
		const struct pw_pod *pod = pw_facts_pod_by_ip(v->facts, v->backends[i].endpoint->address);
		size_t votes = 0;
		for (size_t j = 0; pod && j < v->n_backends; j++) {
			const struct pw_pod *other = pw_facts_pod_by_ip(v->facts, v->backends[j].endpoint->address);
			votes += other && !strcmp(owner(pod), owner(other));
		}
		if (votes > votes_best) {
			votes_best = votes;
			common = owner(pod);
		}
	}
	for (size_t i = 0; votes_best > 1 && i < v->n_backends; i++) {
		const struct pw_pod *pod = pw_facts_pod_by_ip(v->facts, v->backends[i].endpoint->address);
		if (pod && strcmp(owner(pod), common))
			pw_buf_printf(out, "%s%s/%s", out->len ? ", " : "", pod->meta.ns, pod->meta.name);
	}
}

/* A pod in the node's network has the node's address, which says nothing about which pod it is. */
static bool host_pod_has(const struct view *v, const char *address)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(v->facts, &n);
	for (size_t i = 0; i < n; i++)
		if (pods[i]->host_network && !finished(pods[i]) && (has_address(pods[i], address) || !strcmp(pods[i]->host_ip, address)))
			return true;
	return false;
}

/* A slice made by hand may well list what is outside the cluster: only an address of the pods' own ranges that no pod
 * has is gone for sure. */
static bool address_is_known(const struct view *v, const char *address)
{
	if (pw_facts_pod_by_ip(v->facts, address) || pw_facts_node_by_ip(v->facts, address) || host_pod_has(v, address))
		return true;
	return !v->svc->selector.n && !pw_facts_in_pod_cidr(v->facts, address);
}

static const struct pw_endpoint *stale(const struct view *v)
{
	for (size_t i = 0; i < v->n_backends; i++)
		if (v->backends[i].endpoint->ready && !address_is_known(v, v->backends[i].endpoint->address))
			return v->backends[i].endpoint;
	return NULL;
}

static bool is_local(const struct view *v, const char *node)
{
	for (size_t i = 0; i < v->n_backends; i++)
		if (v->backends[i].endpoint->ready && !strcmp(v->backends[i].endpoint->node, node))
			return true;
	return false;
}

static const struct pw_pod *published_unready(const struct view *v)
{
	for (size_t i = 0; v->svc->publish_not_ready && i < v->n_backends; i++) {
		const struct pw_pod *pod = pw_facts_pod_by_ip(v->facts, v->backends[i].endpoint->address);
		if (pod && !pod->ready)
			return pod;
	}
	return NULL;
}

static void name_pod(struct pw_val *ev, const struct pw_pod *pod, const char *reason)
{
	pw_map_set_strf(ev, "pod", "%s/%s", pod->meta.ns, pod->meta.name);
	pw_map_set_str(ev, "address", pod->ip);
	pw_map_set_str(ev, "node", pod->node);
	pw_map_set_str(ev, "reason", reason);
}

/* Nothing to send to: say who emptied it. */
static void judge_empty(const struct view *v, const char *ref, const char *selector, struct pw_result *result)
{
	struct pw_val *ev = pw_result_evidence(result);
	PW_CLEAN_BUF struct pw_buf near;
	pw_buf_init(&near, 8192);
	const struct pw_workload *idle = idle_workload(v);
	if (!v->svc->selector.n) {
		pw_result_set(result, "manual-empty", "%s has no selector, and no EndpointSlice lists an address for it.", ref);
	} else if (v->matching && v->unnamed) {
		name_pod(ev, v->unnamed, "");
		pw_result_set(result, "named-port-missing", "%s targets the port named %s, and pod %s/%s has no such container port.", ref,
			      v->port->target_name, v->unnamed->meta.ns, v->unnamed->meta.name);
	} else if (v->unpublished) {
		name_pod(ev, v->unpublished, "");
		pw_result_set(result, "not-published", "Pod %s/%s is ready and matches %s, but no EndpointSlice lists %s.", v->unpublished->meta.ns,
			      v->unpublished->meta.name, selector, v->unpublished->ip);
	} else if (v->matching) {
		name_pod(ev, v->unready, why_unready(v->unready));
		pw_result_set(result, "unready", "%zu pods match %s, none is ready; %s/%s: %s.", v->matching, selector, v->unready->meta.ns,
			      v->unready->meta.name, why_unready(v->unready));
	} else if (idle) {
		pw_map_set_strf(ev, "near_miss", "%s %s/%s", idle->kind, idle->meta.ns, idle->meta.name);
		pw_result_set(result, "scaled-to-zero", "%s %s/%s, which %s selects, has 0 replicas.", idle->kind, idle->meta.ns, idle->meta.name, ref);
	} else if (near_pod(v, &near)) {
		pw_map_set_str(ev, "near_miss", pw_buf_str(&near));
		pw_result_set(result, "selector-mismatch", "No pod matches %s; %s.", selector, pw_buf_str(&near));
	} else {
		pw_result_set(result, "no-pods", "No pod in %s matches %s.", v->svc->meta.ns, selector);
	}
}

static void judge_filled(struct pw_ctx *ctx, const struct view *v, const char *ref, struct pw_result *result)
{
	struct pw_val *ev = pw_result_evidence(result);
	const struct pw_endpoint *gone = stale(v);
	const struct pw_pod *early = published_unready(v);
	const char *node = pw_ctx_str(ctx, "node");
	bool outside = !strcmp(pw_ctx_str(ctx, "traffic"), "external");
	if (!strcmp(outside ? v->svc->external_policy : v->svc->internal_policy, "Local") && node && *node && !is_local(v, node)) {
		pw_result_set(result, "no-local", "%s uses only backends on %s node (%sTrafficPolicy Local), and %s has none.", ref,
			      outside ? "the entry" : "the sender's", outside ? "external" : "internal", node);
	} else if (gone && !v->svc->selector.n) {
		pw_map_set_str(ev, "address", gone->address);
		pw_result_set(result, "manual-stale", "The hand-made slice of %s lists %s, which is no pod and no node.", ref, gone->address);
	} else if (gone) {
		pw_map_set_str(ev, "address", gone->address);
		pw_result_set(result, "stale-address", "A slice of %s lists %s, and no running pod has that address.", ref, gone->address);
	} else if (v->unpublished && v->svc->selector.n) {
		name_pod(ev, v->unpublished, "");
		pw_result_set(result, "not-published", "Pod %s/%s is ready, but no slice of %s lists it.", v->unpublished->meta.ns, v->unpublished->meta.name, ref);
	} else if (early) {
		name_pod(ev, early, why_unready(early));
		pw_result_set(result, "published-unready", "%s publishes pod %s/%s, which is not ready.", ref, early->meta.ns, early->meta.name);
	} else {
		pw_result_set(result, "ok", "%s has %zu ready endpoints, each a running pod.", ref, v->n_ready);
	}
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	struct view v = { .facts = pw_ctx_facts(ctx) };
	const char *ref = pw_ctx_str(ctx, "service");
	if (!pw_facts_need(v.facts, PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_PODS, result))
		return PW_OK;
	v.svc = pw_facts_service_ref(v.facts, ref);
	if (!v.svc) {
		pw_result_unknown(result, "there is no Service %s", ref);
		return PW_OK;
	}
	bool other;
	v.port = pw_service_find_port(v.svc, (unsigned)pw_ctx_int(ctx, "port"), pw_ctx_str(ctx, "protocol"), &other);
	v.n_backends = pw_facts_backends(v.facts, v.svc, v.port, pw_ctx_arena(ctx), &v.backends);
	for (size_t i = 0; i < v.n_backends; i++)
		v.n_ready += v.backends[i].endpoint->ready;
	look_at_pods(&v);

	PW_CLEAN_BUF struct pw_buf selector;
	PW_CLEAN_BUF struct pw_buf odd;
	pw_buf_init(&selector, 8192);
	pw_buf_init(&odd, 4096);
	put_labels(&selector, &v.svc->selector);
	odd_owners(&v, &odd);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "ready", (long long)v.n_ready);
	pw_map_set_int(ev, "not_ready", (long long)(v.n_backends - v.n_ready));
	pw_map_set_int(ev, "matching", (long long)v.matching);
	pw_map_set_str(ev, "selector", pw_buf_str(&selector));
	pw_map_set_str(ev, "odd", pw_buf_str(&odd));
	pw_map_set_str(ev, "near_miss", "");
	pw_map_set_str(ev, "pod", "");
	pw_map_set_str(ev, "address", "");
	pw_map_set_str(ev, "node", "");
	pw_map_set_str(ev, "reason", "");
	if (!v.n_ready)
		judge_empty(&v, ref, pw_buf_str(&selector), result);
	else
		judge_filled(ctx, &v, ref, result);
	return PW_OK;
}

const struct pw_check pw_check_service_endpoints = {
	PW_CHECK_HEAD("service_endpoints"),
	.summary = "Compare the EndpointSlices of a Service with the pods they should list",
	.details = "Says why they are empty (selector with the nearest miss, zero replicas, unready, named port), and which address in them is stale.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_PODS | PW_FACT_NODES | PW_FACT_WORKLOADS,
	.timeout_ms = 2000,
	.example = "check service_endpoints service=shop/api",
	.judge = judge,
};
