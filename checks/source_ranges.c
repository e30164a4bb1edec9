/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source_ranges: may this client call the Service's load balancer, by its own list of source ranges? */
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service" },
	{ "client_ip", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the client, as the nodes see it" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "open", PW_CLASS_OK, "The Service names no source ranges.", NULL, NULL },
	{ "admitted", PW_CLASS_OK, "The client lies in one of the ranges.", NULL, NULL },
	{ "excluded", PW_CLASS_FAIL, "The client lies in none of the ranges.", "loadBalancerSourceRanges without its network, or an address that was rewritten on the way", "extend the ranges" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "ranges", PW_TYPE_STR, NULL, "loadBalancerSourceRanges of the Service" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *ref = pw_ctx_str(ctx, "service"), *client = pw_ctx_str(ctx, "client_ip");
	if (!pw_facts_need(facts, PW_FACT_SERVICES, result))
		return PW_OK;
	const struct pw_service *svc = pw_facts_service_ref(facts, ref);
	if (!svc) {
		pw_result_unknown(result, "there is no Service %s", ref);
		return PW_OK;
	}
	bool admitted = false;
	const char *list = "";
	for (size_t i = 0; list && i < svc->lb_source_ranges.n; i++) {
		const char *range = svc->lb_source_ranges.v[i];
		admitted |= pw_address_in_cidr(client, range) > 0;
		list = pw_arena_printf(pw_ctx_arena(ctx), "%s%s%s", list, *list ? ", " : "", range);
	}
	pw_map_set_str(pw_result_evidence(result), "ranges", list ? list : "");
	if (!svc->lb_source_ranges.n)
		pw_result_set(result, "open", "%s names no source ranges.", ref);
	else if (admitted)
		pw_result_set(result, "admitted", "%s admits %s.", ref, client);
	else
		pw_result_set(result, "excluded", "%s admits callers from %s only, and the client is %s.", ref, list ? list : "", client);
	return PW_OK;
}

const struct pw_check pw_check_source_ranges = {
	PW_CHECK_HEAD("source_ranges"),
	.summary = "See whether a Service's load balancer admits a client by its address",
	.details = "loadBalancerSourceRanges; kube-proxy and cloud load balancers drop everybody else.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_SERVICES,
	.timeout_ms = 1000,
	.example = "check source_ranges service=shop/api-lb client_ip=203.0.113.10",
	.judge = judge,
};
