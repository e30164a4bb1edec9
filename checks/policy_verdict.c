/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * policy_verdict: what the NetworkPolicy objects say of a connection, on both
 * sides. Enforcers see the pod's address and port after DNAT, so the question
 * is asked of every backend with the pod port, never of the ClusterIP.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "from", PW_TYPE_POD, 1, NULL, NULL, "Sending pod" },
	{ "to", PW_TYPE_POD, 0, NULL, NULL, "Receiving pod" },
	{ "service", PW_TYPE_SERVICE, 0, NULL, NULL, "Or a Service: every ready backend is asked about" },
	{ "address", PW_TYPE_ADDRESS, 0, NULL, NULL, "Or an address outside the cluster" },
	{ "port", PW_TYPE_PORT, 0, NULL, NULL, "Port of the pod, or of the Service" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "allowed", PW_CLASS_OK, "Policies on both sides allow the connection, or none applies.", NULL, NULL },
	{ "denied-egress", PW_CLASS_FAIL, "A policy isolates the sender and no rule allows this destination.", "an egress policy without a rule for it", "add an egress rule" },
	{ "denied-ingress", PW_CLASS_FAIL, "A policy isolates the receiver and no rule allows this sender.", "an ingress policy without a rule for it", "add an ingress rule" },
	{ "partly-denied", PW_CLASS_FAIL, "Some backends are allowed, others are denied.", "backends with different labels", "make the policy cover all backends" },
	{ "not-decidable", PW_CLASS_UNKNOWN, "The objects needed to decide are not all known.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "policy", PW_TYPE_STR, NULL, "The deciding NetworkPolicy, as namespace/name, empty if none applies" },
	{ "direction", PW_TYPE_CHOICE, NULL, "egress or ingress, the side that decided" },
	{ "denied", PW_TYPE_STR, NULL, "What is denied, as pod or address and port, empty if nothing" },
	{ "isolated", PW_TYPE_STR, NULL, "Which sides some policy selects: none, egress, ingress, both" },
	{ "asked", PW_TYPE_INT, NULL, "Destinations asked about" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

struct tally {
	size_t asked, denied;
	bool undecidable, isolated_out, isolated_in;
	const struct pw_policy *policy;
	bool egress;
	char what[400];
};

static void ask(const struct pw_facts *facts, const struct pw_pod *from, const struct pw_pod *to, const char *address,
		const char *protocol, unsigned port, struct tally *t)
{
	struct pw_peer a = { .pod = from, .address = from->ip }, b = { .pod = to, .address = address };
	struct pw_policy_answer answer;
	pw_policy_ask(facts, &a, &b, protocol, (uint16_t)port, &answer);
	t->asked++;
	t->undecidable |= answer.egress.undecidable || answer.ingress.undecidable;
	t->isolated_out |= answer.egress.isolated;
	t->isolated_in |= answer.ingress.isolated;
	if (answer.allowed)
		return;
	if (!t->denied++) {
		t->egress = !answer.egress.allowed;
		t->policy = t->egress ? answer.egress.policy : answer.ingress.policy;
		(void)snprintf(t->what, sizeof t->what, "%s%s%s port %u/%s", to ? to->meta.ns : "", to ? "/" : "", to ? to->meta.name : address, port, protocol);
	}
}

static bool ask_service(struct pw_ctx *ctx, const struct pw_pod *from, const char *ref, struct tally *t)
{
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const struct pw_service *svc = pw_facts_service_ref(facts, ref);
	const char *protocol = pw_ctx_str(ctx, "protocol");
	bool other;
	const struct pw_service_port *port = svc ? pw_service_find_port(svc, (unsigned)pw_ctx_int(ctx, "port"), protocol, &other) : NULL;
	if (!port)
		return false;
	const struct pw_backend *backends;
	size_t n = pw_facts_backends(facts, svc, port, pw_ctx_arena(ctx), &backends);
	for (size_t i = 0; i < n; i++)
		if (backends[i].endpoint->ready)
			ask(facts, from, pw_facts_pod_by_ip(facts, backends[i].endpoint->address), backends[i].endpoint->address,
			    protocol, backends[i].port, t);
	return true;
}

static bool ask_all(struct pw_ctx *ctx, const struct pw_pod *from, struct tally *t)
{
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *service = pw_ctx_str(ctx, "service"), *to = pw_ctx_str(ctx, "to"), *address = pw_ctx_str(ctx, "address");
	unsigned port = (unsigned)pw_ctx_int(ctx, "port");
	if (service)
		return ask_service(ctx, from, service, t);
	const struct pw_pod *pod = to ? pw_facts_pod_ref(facts, to) : NULL;
	if (to && !pod)
		return false;
	ask(facts, from, pod, pod ? pod->ip : address ? address : "", pw_ctx_str(ctx, "protocol"), port, t);
	return true;
}

static void conclude(const struct tally *t, const char *from, struct pw_result *result)
{
	struct pw_val *ev = pw_result_evidence(result);
	if (t->policy)
		pw_map_set_strf(ev, "policy", "%s/%s", t->policy->meta.ns, t->policy->meta.name);
	else
		pw_map_set_str(ev, "policy", "");
	pw_map_set_str(ev, "direction", t->egress ? "egress" : "ingress");
	pw_map_set_str(ev, "denied", t->what);
	pw_map_set_str(ev, "isolated", t->isolated_out ? t->isolated_in ? "both" : "egress" : t->isolated_in ? "ingress" : "none");
	pw_map_set_int(ev, "asked", (long long)t->asked);
	const char *name = t->policy ? pw_map_str(ev, "policy", "") : "a policy";
	if (t->undecidable)
		pw_result_set(result, "not-decidable", "Not every policy, label or address that decides is known.");
	else if (!t->denied)
		pw_result_set(result, "allowed", t->isolated_out || t->isolated_in ? "NetworkPolicies apply and allow it." : "No NetworkPolicy applies to either side.");
	else if (t->denied < t->asked)
		pw_result_set(result, "partly-denied", "NetworkPolicy %s denies %s, but not the other backends.", name, t->what);
	else if (t->egress)
		pw_result_set(result, "denied-egress", "NetworkPolicy %s isolates %s for egress, and no rule allows %s.", name, from, t->what);
	else
		pw_result_set(result, "denied-ingress", "NetworkPolicy %s isolates the receiver, and no rule lets %s reach %s.", name, from, t->what);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_POLICIES | PW_FACT_PODS | PW_FACT_NAMESPACES, result))
		return PW_OK;
	if (pw_ctx_has(ctx, "service") && !pw_facts_need(facts, PW_FACT_SERVICES | PW_FACT_SLICES, result))
		return PW_OK;
	const char *ref = pw_ctx_str(ctx, "from");
	const struct pw_pod *from = pw_facts_pod_ref(facts, ref);
	struct tally t = { 0 };
	if (!from || !ask_all(ctx, from, &t) || !t.asked) {
		pw_result_unknown(result, "there is nothing to ask about from %s: the sender, the receiver or its port is not known", ref);
		return PW_OK;
	}
	conclude(&t, ref, result);
	return PW_OK;
}

const struct pw_check pw_check_policy_verdict = {
	PW_CHECK_HEAD("policy_verdict"),
	.summary = "Evaluate the NetworkPolicies for one connection, on both sides",
	.details = "networking.k8s.io/v1, additive; asks with the pod's address and port, as enforcers see them after DNAT. Says what the objects mean, not what is enforced.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_POLICIES | PW_FACT_PODS | PW_FACT_NAMESPACES | PW_FACT_SERVICES | PW_FACT_SLICES,
	.timeout_ms = 2000,
	.example = "check policy_verdict from=shop/web service=shop/api port=80",
	.judge = judge,
};
