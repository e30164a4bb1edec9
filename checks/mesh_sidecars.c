/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mesh_sidecars: which end of a call has a service mesh's proxy in its pod. */
#include <stdio.h>
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "from", PW_TYPE_POD, 1, NULL, NULL, "Sending pod" },
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service called" },
	{ "port", PW_TYPE_PORT, 0, NULL, NULL, "Its port" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "none", PW_CLASS_OK, "Neither end has a proxy.", NULL, NULL },
	{ "both", PW_CLASS_OK, "Both ends have a proxy.", NULL, NULL },
	{ "client-only", PW_CLASS_WARN, "Only the sender has a proxy.", NULL, NULL },
	{ "server-only", PW_CLASS_WARN, "Only the servers have a proxy: if it wants mesh mTLS, plain clients are reset.", "a client outside the mesh and a STRICT policy", "bring the client into the mesh, or allow plain traffic" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "client_proxy", PW_TYPE_STR, NULL, "Proxy container of the sender, empty if none" },
	{ "server_proxy", PW_TYPE_STR, NULL, "Proxy container of the first backend that has one, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_PODS | PW_FACT_SERVICES | PW_FACT_SLICES, result))
		return PW_OK;
	const struct pw_pod *from = pw_facts_pod_ref(facts, pw_ctx_str(ctx, "from"));
	const struct pw_service *svc = pw_facts_service_ref(facts, pw_ctx_str(ctx, "service"));
	if (!from || !svc) {
		pw_result_unknown(result, "the sender or the Service is not known");
		return PW_OK;
	}
	bool other;
	const struct pw_backend *backends;
	const char *server = "", *client = pw_pod_mesh_proxy(from);
	size_t n = pw_facts_backends(facts, svc, pw_service_find_port(svc, (unsigned)pw_ctx_int(ctx, "port"), pw_ctx_str(ctx, "protocol"), &other),
				     pw_ctx_arena(ctx), &backends);
	for (size_t i = 0; i < n && !*server; i++)
		server = pw_pod_mesh_proxy(pw_facts_pod_by_ip(facts, backends[i].endpoint->address));
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "client_proxy", client);
	pw_map_set_str(ev, "server_proxy", server);
	if (*client && *server)
		pw_result_set(result, "both", "Sender (%s) and servers (%s) are in a mesh.", client, server);
	else if (*client)
		pw_result_set(result, "client-only", "Only the sender has a mesh proxy (%s).", client);
	else if (*server)
		pw_result_set(result, "server-only", "Only the servers have a mesh proxy (%s).", server);
	else
		pw_result_set(result, "none", "Neither end has a mesh proxy.");
	return PW_OK;
}

const struct pw_check pw_check_mesh_sidecars = {
	PW_CHECK_HEAD("mesh_sidecars"),
	.summary = "See which end of a call has a service mesh's proxy",
	.details = "By the names injectors give their containers.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_SERVICES | PW_FACT_SLICES,
	.timeout_ms = 1000,
	.example = "check mesh_sidecars from=shop/web service=shop/api",
	.judge = judge,
};
