/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * readiness_probe: what the kubelet asks an unready pod, read from its object,
 * so that a later step can ask the same.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod that is not ready" },
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service that lacks it" },
	{ "port", PW_TYPE_PORT, 0, NULL, NULL, "Port of the Service" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol of the port" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "askable", PW_CLASS_OK, "The probe is an HTTP or TCP one and can be asked again.", NULL, NULL },
	{ "exec", PW_CLASS_UNKNOWN, "The probe runs a command in the container.", NULL, "run it in the container" },
	{ "none", PW_CLASS_WARN, "The container has no readiness probe: it is unready because it does not run.", NULL, "look at the container" },
	{ "not-running", PW_CLASS_FAIL, "The container does not run.", NULL, "look at the container" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "url", PW_TYPE_URL, NULL, "What the probe asks" },
	{ "address", PW_TYPE_ADDRESS, NULL, "Address of the pod" },
	{ "node", PW_TYPE_NODE, NULL, "Node of the pod" },
	{ "node_address", PW_TYPE_ADDRESS, NULL, "Address of that node, from which the kubelet asks" },
	{ "target", PW_TYPE_PORT, NULL, "Port of the pod that the Service sends to" },
	{ "timeout_s", PW_TYPE_INT, "s", "The probe's timeout" },
	{ "reason", PW_TYPE_STR, NULL, "Why the container does not run, empty if it does" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* As the kubelet does: an address in brackets if it has colons, a path always with a slash. */
static void put_url(struct pw_val *ev, const char *scheme, const char *host, unsigned port, const char *path)
{
	bool six = strchr(host, ':') != NULL;
	pw_map_set_strf(ev, "url", "%s://%s%s%s:%u%s%s", scheme, six ? "[" : "", host, six ? "]" : "", port, *path && *path != '/' ? "/" : "", path);
}

static unsigned probe_port(const struct pw_pod *pod, const struct pw_handler_spec *h)
{
	struct pw_service_port named = { .name = "", .protocol = "TCP", .app_protocol = "", .target_name = h->port_name };
	return h->port ? h->port : pw_pod_target_port(pod, &named);
}

/* The container that keeps the pod from being ready. */
static const struct pw_container *culprit(const struct pw_pod *pod)
{
	for (size_t i = 0; i < pod->n_containers; i++)
		if (!pod->containers[i].init && !pod->containers[i].ready)
			return &pod->containers[i];
	return pod->n_containers ? &pod->containers[pod->n_containers - 1] : NULL;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_PODS | PW_FACT_SERVICES, result))
		return PW_OK;
	const char *ref = pw_ctx_str(ctx, "pod");
	const struct pw_pod *pod = pw_facts_pod_ref(facts, ref);
	const struct pw_service *svc = pw_facts_service_ref(facts, pw_ctx_str(ctx, "service"));
	const struct pw_container *c = pod ? culprit(pod) : NULL;
	bool other;
	const struct pw_service_port *port = svc ? pw_service_find_port(svc, (unsigned)pw_ctx_int(ctx, "port"), pw_ctx_str(ctx, "protocol"), &other) : NULL;
	if (!c || !port) {
		pw_result_unknown(result, "the pod %s or the port of the Service is not known", ref);
		return PW_OK;
	}
	const struct pw_handler_spec *h = &c->readiness;
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "address", pod->ip);
	pw_map_set_str(ev, "node", pod->node);
	pw_map_set_str(ev, "node_address", pod->host_ip);
	pw_map_set_int(ev, "target", pw_pod_target_port(pod, port));
	pw_map_set_int(ev, "timeout_s", h->timeout_s);
	pw_map_set_str(ev, "reason", strcmp(c->state, "running") ? c->reason : "");
	pw_map_set_str(ev, "url", "");
	if (strcmp(c->state, "running"))
		pw_result_set(result, "not-running", "Container %s of %s does not run: %s.", c->name, ref, *c->reason ? c->reason : *c->state ? c->state : "no state is reported");
	else if (h->kind == PW_HANDLER_HTTP) {
		put_url(ev, strcmp(h->scheme, "HTTPS") ? "http" : "https", *h->host ? h->host : pod->ip, probe_port(pod, h), *h->path ? h->path : "/");
		pw_result_set(result, "askable", "The kubelet asks %s.", pw_map_str(ev, "url", ""));
	} else if (h->kind == PW_HANDLER_TCP) {
		put_url(ev, "tcp", pod->ip, probe_port(pod, h), "");
		pw_result_set(result, "askable", "The kubelet connects to port %u.", probe_port(pod, h));
	} else if (h->kind == PW_HANDLER_NONE)
		pw_result_set(result, "none", "Container %s of %s has no readiness probe.", c->name, ref);
	else
		pw_result_set(result, "exec", "The readiness probe of %s runs inside the container.", ref);
	return PW_OK;
}

const struct pw_check pw_check_readiness_probe = {
	PW_CHECK_HEAD("readiness_probe"),
	.summary = "Read what the kubelet asks an unready pod",
	.details = "Gives probe_target what it needs.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_SERVICES,
	.timeout_ms = 1000,
	.example = "check readiness_probe pod=shop/api-1 service=shop/api",
	.judge = judge,
};
