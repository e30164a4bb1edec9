/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api_server: where the cluster's own clients find the API server, by Service default/kubernetes. */
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "found", PW_CLASS_OK, "The Service has an address and an endpoint.", NULL, NULL },
	{ "absent", PW_CLASS_FAIL, "There is no Service default/kubernetes, or it has no endpoint.", "no API server has registered itself", "look at the API servers" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "address", PW_TYPE_ADDRESS, NULL, "Address of the first API server" },
	{ "port", PW_TYPE_PORT, NULL, "Port of it" },
	{ "cluster_ip", PW_TYPE_ADDRESS, NULL, "ClusterIP by which pods find it" },
	{ "service_port", PW_TYPE_PORT, NULL, "Port of the Service" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_SERVICES | PW_FACT_SLICES, result))
		return PW_OK;
	const struct pw_service *svc = pw_facts_service(facts, "default", "kubernetes");
	const struct pw_backend *backends = NULL;
	size_t n = svc && svc->n_ports ? pw_facts_backends(facts, svc, NULL, pw_ctx_arena(ctx), &backends) : 0;
	if (!n) {
		pw_result_set(result, "absent", svc ? "Service default/kubernetes has no endpoint." : "There is no Service default/kubernetes.");
		return PW_OK;
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "address", backends[0].endpoint->address);
	pw_map_set_int(ev, "port", backends[0].port);
	pw_map_set_str(ev, "cluster_ip", svc->cluster_ip);
	pw_map_set_int(ev, "service_port", svc->ports[0].port);
	pw_result_set(result, "found", "The API server is at %s port %u, for pods at %s port %u.", backends[0].endpoint->address, backends[0].port,
		      svc->cluster_ip, svc->ports[0].port);
	return PW_OK;
}

const struct pw_check pw_check_api_server = {
	PW_CHECK_HEAD("api_server"),
	.summary = "Find where the cluster's own clients reach the API server",
	.details = "Service default/kubernetes and its endpoints, which the API servers write themselves.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES,
	.timeout_ms = 1000,
	.example = "check api_server",
	.judge = judge,
};
