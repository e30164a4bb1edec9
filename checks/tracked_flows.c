/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tracked_flows: connections of a sender that its node has pinned to an address
 * that is no endpoint any more. New sockets work, the old one stays dead.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "from", PW_TYPE_POD, 1, NULL, NULL, "Sending pod" },
	{ "src", PW_TYPE_ADDRESS, 1, NULL, NULL, "Its address" },
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service called" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Its port" },
	{ "protocol", PW_TYPE_CHOICE, 0, "UDP", "TCP|UDP|SCTP", "Protocol" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "No tracked connection of the sender leads to an address that is no endpoint.", NULL, NULL },
	{ "stale", PW_CLASS_FAIL, "A tracked UDP flow leads to an address that is no endpoint and gets no answer.", "the backend was replaced while the sender kept its socket", "delete the entry; update kube-proxy" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "entries", PW_TYPE_INT, NULL, "Tracked connections from the sender to the Service" },
	{ "stale", PW_TYPE_STR, NULL, "The first stale one, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	return pw_read_conntrack(ctx, pw_ctx_str(ctx, "src"), observation, err);
}

static bool is_endpoint(const struct pw_backend *backends, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(backends[i].endpoint->address, address))
			return true;
	return false;
}

static bool concerns(const struct pw_val *entry, const struct pw_service *svc, const char *src, long long port, const char *protocol)
{
	return !strcmp(pw_map_str(entry, "src", ""), src) && !strcmp(pw_map_str(entry, "dst", ""), svc->cluster_ip) &&
	       pw_map_int(entry, "dport", 0) == port && !strcmp(pw_map_str(entry, "protocol", ""), !strcmp(protocol, "UDP") ? "udp" : "tcp");
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_SERVICES | PW_FACT_SLICES, result))
		return PW_OK;
	const char *protocol = pw_ctx_str(ctx, "protocol"), *src = pw_ctx_str(ctx, "src");
	const struct pw_service *svc = pw_facts_service_ref(facts, pw_ctx_str(ctx, "service"));
	if (!svc) {
		pw_result_unknown(result, "there is no Service %s", pw_ctx_str(ctx, "service"));
		return PW_OK;
	}
	bool other;
	const struct pw_backend *backends;
	size_t n = pw_facts_backends(facts, svc, pw_service_find_port(svc, (unsigned)pw_ctx_int(ctx, "port"), protocol, &other), pw_ctx_arena(ctx), &backends);
	const struct pw_val *entries = pw_map_get(observation, "entries"), *stale = NULL;
	size_t count = 0;
	for (size_t i = 0; i < pw_val_count(entries); i++) {
		const struct pw_val *e = pw_val_at(entries, i);
		if (!concerns(e, svc, src, pw_ctx_int(ctx, "port"), protocol))
			continue;
		count++;
		bool dead = !is_endpoint(backends, n, pw_map_str(e, "reply_src", "")) && pw_map_bool(e, "unreplied", false);
		/* An untranslated entry (reply from the ClusterIP itself) never met a Service rule. */
		if (dead && strcmp(pw_map_str(e, "reply_src", ""), svc->cluster_ip))
			stale = stale ? stale : e;
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "entries", (long long)count);
	pw_map_set_str(ev, "stale", "");
	if (stale) {
		pw_map_set_strf(ev, "stale", "%s:%lld to %s:%lld, sent to %s", src, pw_map_int(stale, "sport", 0), svc->cluster_ip, pw_map_int(stale, "dport", 0),
				pw_map_str(stale, "reply_src", ""));
		pw_result_set(result, "stale", "The node keeps sending %s, which is no endpoint any more.", pw_map_str(ev, "stale", ""));
	} else {
		pw_result_set(result, "ok", "%zu tracked connections to %s, none to a dead address.", count, pw_ctx_str(ctx, "service"));
	}
	return PW_OK;
}

const struct pw_check pw_check_tracked_flows = {
	PW_CHECK_HEAD("tracked_flows"),
	.summary = "Find a sender's tracked flows that lead to an address that is no endpoint any more",
	.details = "UDP entries live as long as the sender sends; TCP ones are reset by whoever owns the address next.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.needs = PW_NEEDS_NET_ADMIN,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES,
	.timeout_ms = 3000,
	.example = "check tracked_flows from=shop/web src=10.244.1.4 service=shop/echo port=7 --at node:n1",
	.probe = probe,
	.judge = judge,
};
