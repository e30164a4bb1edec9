/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tracked_flows: connections of a sender that lead to an address of long ago,
 * because its node has pinned them there, or because the sender never asked
 * for the name again. New sockets, and new lookups, work.
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
	{ "old-address", PW_CLASS_FAIL, "The sender itself keeps dialling an address of the cluster that no pod and no Service has any more.", "a client that keeps an answer of the DNS for ever", "restart the sender; make it look names up anew" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "entries", PW_TYPE_INT, NULL, "Tracked connections from the sender to the Service" },
	{ "stale", PW_TYPE_STR, NULL, "The first stale one, empty if none" },
	{ "old", PW_TYPE_STR, NULL, "Address and port of long ago that the sender dials, empty if none" },
	{ "tries", PW_TYPE_INT, NULL, "Connections to it that got no answer" },
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

/* One attempt may have met a pod as it went; a client that goes on does not. */
enum { TRIES_ENOUGH = 2 };

/* Of the cluster, as far as it can be told: in a node's pod range, or near the ClusterIP. */
static bool of_the_cluster(const struct pw_facts *facts, const struct pw_service *svc, const char *address)
{
	char near[64];
	unsigned a, b;
	if (sscanf(svc->cluster_ip, "%3u.%3u.", &a, &b) != 2) /* NOLINT(cert-err34-c): an address the API server has checked */
		return pw_facts_in_pod_cidr(facts, address) > 0;
	(void)snprintf(near, sizeof near, "%u.%u.0.0/16", a, b);
	return pw_facts_in_pod_cidr(facts, address) > 0 || pw_address_in_cidr(address, near) > 0;
}

static bool port_served(const struct pw_backend *backends, size_t n, long long dialled, long long port)
{
	for (size_t i = 0; i < n; i++)
		if (backends[i].port == dialled)
			return true;
	return dialled == port;
}

struct sender { const struct pw_facts *facts; const struct pw_service *svc; const struct pw_backend *backends; size_t n; const char *src, *protocol; long long port; };

static bool leads_nowhere(const struct sender *s, const struct pw_val *entry)
{
	const char *dst = pw_map_str(entry, "dst", "");
	if (strcmp(pw_map_str(entry, "src", ""), s->src) || !pw_map_bool(entry, "unreplied", false) || strcmp(pw_map_str(entry, "protocol", ""), !strcmp(s->protocol, "UDP") ? "udp" : "tcp"))
		return false;
	if (!port_served(s->backends, s->n, pw_map_int(entry, "dport", 0), s->port) || is_endpoint(s->backends, s->n, dst))
		return false;
	return of_the_cluster(s->facts, s->svc, dst) && !pw_facts_pod_by_ip(s->facts, dst) && !pw_facts_service_by_ip(s->facts, dst) && !pw_facts_node_by_ip(s->facts, dst);
}

/* The address of long ago that is dialled most. */
static size_t old_address(const struct sender *s, const struct pw_val *entries, const char **ret)
{
	size_t best = 0;
	for (size_t i = 0; i < pw_val_count(entries); i++) {
		const struct pw_val *e = pw_val_at(entries, i);
		size_t tries = 0;
		for (size_t k = 0; leads_nowhere(s, e) && k < pw_val_count(entries); k++)
			tries += leads_nowhere(s, pw_val_at(entries, k)) && !strcmp(pw_map_str(pw_val_at(entries, k), "dst", ""), pw_map_str(e, "dst", ""));
		if (tries > best) {
			best = tries;
			*ret = pw_map_str(e, "dst", "");
		}
	}
	return best;
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
	const char *old = "";
	const struct sender sender = { .facts = facts, .svc = svc, .backends = backends, .n = n, .src = src, .protocol = protocol, .port = pw_ctx_int(ctx, "port") };
	size_t tries = pw_facts_known(facts, PW_FACT_PODS) == PW_KNOWN_YES ? old_address(&sender, entries, &old) : 0;
	pw_map_set_str(ev, "old", old);
	pw_map_set_int(ev, "tries", (long long)tries);
	if (stale) {
		pw_map_set_strf(ev, "stale", "%s:%lld to %s:%lld, sent to %s", src, pw_map_int(stale, "sport", 0), svc->cluster_ip, pw_map_int(stale, "dport", 0),
				pw_map_str(stale, "reply_src", ""));
		pw_result_set(result, "stale", "The node keeps sending %s, which is no endpoint any more.", pw_map_str(ev, "stale", ""));
	} else if (tries >= TRIES_ENOUGH) {
		pw_result_set(result, "old-address", "%s dials %s, which no pod and no Service has, and got no answer %zu times.", pw_ctx_str(ctx, "from"), old, tries);
	} else {
		pw_result_set(result, "ok", "%zu tracked connections to %s, none to a dead address.", count, pw_ctx_str(ctx, "service"));
	}
	return PW_OK;
}

const struct pw_check pw_check_tracked_flows = {
	PW_CHECK_HEAD("tracked_flows"),
	.summary = "Find a sender's tracked flows that lead to an address of long ago",
	.details = "UDP entries live as long as the sender sends; TCP ones are reset by whoever owns the address next.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.needs = PW_NEEDS_NET_ADMIN,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_PODS | PW_FACT_NODES,
	.timeout_ms = 3000,
	.example = "check tracked_flows from=shop/web src=10.244.1.4 service=shop/echo port=7 --at node:n1",
	.probe = probe,
	.judge = judge,
};
