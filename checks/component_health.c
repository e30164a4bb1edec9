/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * component_health: do the pods of a cluster component run where they should?
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "component", PW_TYPE_CHOICE, 1, NULL, "dns|kube-proxy|cni|policy|controller-manager|nodes", "What is looked at" },
	{ "node", PW_TYPE_NODE, 0, NULL, NULL, "Only on this node" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "healthy", PW_CLASS_OK, "Every pod of the component is ready.", NULL, NULL },
	{ "degraded", PW_CLASS_WARN, "Some of its pods are not ready.", NULL, "look at those" },
	{ "down", PW_CLASS_FAIL, "None of its pods is ready.", NULL, "look at their state and logs" },
	{ "crashing", PW_CLASS_FAIL, "Its pods end again and again.", "bad configuration, or a dependency that is missing", "read the log of the previous container" },
	{ "scaled-to-zero", PW_CLASS_FAIL, "Its workload asks for no pod.", NULL, "scale it up" },
	{ "absent", PW_CLASS_UNKNOWN, "No pod of the component is visible: it may run as a host process, or be managed out of sight.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "ready", PW_TYPE_INT, NULL, "Pods, or nodes, that are ready" },
	{ "total", PW_TYPE_INT, NULL, "Pods, or nodes, in all" },
	{ "bad", PW_TYPE_STR, NULL, "The first that is not ready, empty if none" },
	{ "reason", PW_TYPE_STR, NULL, "Why, as far as its object says" },
	{ "workload", PW_TYPE_STR, NULL, "Workload that owns them, empty if unknown" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Labels by which deployments of these components mark their pods (kubeadm
 * addons; CNI manifests as listed by their projects). */
static const struct { const char *component, *key, *value; } marks[] = {
	{ "dns", "k8s-app", "kube-dns" }, { "dns", "dns.operator.openshift.io/daemonset-dns", "default" },
	{ "kube-proxy", "k8s-app", "kube-proxy" }, { "kube-proxy", "component", "kube-proxy" },
	{ "cni", "app", "flannel" }, { "cni", "k8s-app", "flannel" }, { "cni", "k8s-app", "calico-node" }, { "cni", "k8s-app", "canal" },
	{ "cni", "k8s-app", "cilium" }, { "cni", "app", "antrea" }, { "cni", "k8s-app", "aws-node" }, { "cni", "k8s-app", "kube-router" },
	{ "cni", "app", "ovnkube-node" }, { "cni", "app", "kindnet" }, { "cni", "k8s-app", "kindnet" },
	{ "policy", "k8s-app", "kube-network-policies" }, { "policy", "app", "kube-network-policies" }, { "policy", "k8s-app", "calico-node" },
	{ "policy", "k8s-app", "cilium" }, { "policy", "k8s-app", "kube-router" }, { "policy", "app", "antrea" },
	{ "policy", "k8s-app", "canal" }, { "policy", "app", "ovnkube-node" },
	{ "controller-manager", "component", "kube-controller-manager" },
};

static bool marked(const struct pw_labels *labels, const char *component)
{
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		const char *value = strcmp(marks[i].component, component) ? NULL : pw_labels_get(labels, marks[i].key);
		if (value && !strcmp(value, marks[i].value))
			return true;
	}
	return false;
}

struct tally { size_t ready, total, crashing; char bad[400]; const char *reason; };

static const char *trouble(const struct pw_pod *pod, bool *ret_crashing)
{
	for (size_t i = 0; i < pod->n_containers; i++) {
		const struct pw_container *c = &pod->containers[i];
		if (!strcmp(c->reason, "CrashLoopBackOff") || (!c->ready && c->restarts > 2)) {
			*ret_crashing = true;
			return *c->last_message ? c->last_message : *c->last_reason ? c->last_reason : c->reason;
		}
		if (*c->reason && strcmp(c->state, "running"))
			return c->reason;
	}
	return *pod->ready_reason ? pod->ready_reason : pod->phase;
}

static void count_pods(const struct pw_facts *facts, const char *component, const char *node, struct tally *t)
{
	size_t n;
	const struct pw_pod *const *all = pw_facts_pods(facts, &n);
	for (size_t i = 0; i < n; i++) {
		const struct pw_pod *pod = all[i];
		if (!marked(&pod->meta.labels, component) || (*node && strcmp(pod->node, node)) || pod->meta.terminating ||
		    !strcmp(pod->phase, "Succeeded"))
			continue;
		t->total++;
		if (pod->ready) {
			t->ready++;
			continue;
		}
		bool crashing = false;
		const char *why = trouble(pod, &crashing);
		t->crashing += crashing;
		if (!*t->bad) {
			(void)snprintf(t->bad, sizeof t->bad, "%s/%s", pod->meta.ns, pod->meta.name);
			t->reason = why;
		}
	}
}

static void count_nodes(const struct pw_facts *facts, const char *name, struct tally *t)
{
	size_t n;
	const struct pw_node *const *all = pw_facts_nodes(facts, &n);
	for (size_t i = 0; i < n; i++) {
		if (*name && strcmp(all[i]->meta.name, name))
			continue;
		t->total++;
		if (all[i]->ready > 0) {
			t->ready++;
		} else if (!*t->bad) {
			(void)snprintf(t->bad, sizeof t->bad, "%s", all[i]->meta.name);
			t->reason = *all[i]->ready_message ? all[i]->ready_message : all[i]->ready_reason;
		}
	}
}

static const struct pw_workload *owner(const struct pw_facts *facts, const char *component)
{
	size_t n;
	const struct pw_workload *const *all = pw_facts_workloads(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (!*all[i]->meta.owner_name && marked(&all[i]->template_labels, component))
			return all[i];
	return NULL;
}

static void conclude(const struct tally *t, const char *component, const struct pw_workload *workload, struct pw_result *result)
{
	if (!t->total && workload && !workload->replicas)
		pw_result_set(result, "scaled-to-zero", "%s %s/%s has 0 replicas.", workload->kind, workload->meta.ns, workload->meta.name);
	else if (!t->total && workload)
		pw_result_set(result, "down", "%s %s/%s has no pod.", workload->kind, workload->meta.ns, workload->meta.name);
	else if (!t->total)
		pw_result_set(result, "absent", "No pod of %s is visible.", component);
	else if (t->ready == t->total)
		pw_result_set(result, "healthy", "%s: all %zu ready.", component, t->total);
	else if (t->ready)
		pw_result_set(result, "degraded", "%s: %zu of %zu ready; %s: %s", component, t->ready, t->total, t->bad, t->reason);
	else if (t->crashing)
		pw_result_set(result, "crashing", "%s: %s ends again and again: %s", component, t->bad, t->reason);
	else
		pw_result_set(result, "down", "%s: none of %zu ready; %s: %s", component, t->total, t->bad, t->reason);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *component = pw_ctx_str(ctx, "component"), *node = pw_ctx_str(ctx, "node");
	bool nodes = !strcmp(component, "nodes");
	if (!pw_facts_need(facts, nodes ? PW_FACT_NODES : PW_FACT_PODS, result))
		return PW_OK;
	struct tally t = { .reason = "" };
	if (nodes)
		count_nodes(facts, node ? node : "", &t);
	else
		count_pods(facts, component, node ? node : "", &t);
	if (nodes && !t.total) {
		pw_result_unknown(result, "there is no node%s%s", node ? " " : "", node ? node : "");
		return PW_OK;
	}
	const struct pw_workload *workload = nodes ? NULL : owner(facts, component);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "ready", (long long)t.ready);
	pw_map_set_int(ev, "total", (long long)t.total);
	pw_map_set_str(ev, "bad", t.bad);
	pw_map_set_str(ev, "reason", t.reason);
	if (workload)
		pw_map_set_strf(ev, "workload", "%s %s/%s", workload->kind, workload->meta.ns, workload->meta.name);
	else
		pw_map_set_str(ev, "workload", "");
	conclude(&t, component, workload, result);
	return PW_OK;
}

const struct pw_check pw_check_component_health = {
	PW_CHECK_HEAD("component_health"),
	.summary = "See whether the pods of a cluster component, or the nodes, are ready",
	.details = "CoreDNS, kube-proxy, the CNI agent, the policy enforcer, the controller manager, the nodes.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_NODES | PW_FACT_WORKLOADS,
	.timeout_ms = 2000,
	.example = "check component_health component=dns",
	.judge = judge,
};
