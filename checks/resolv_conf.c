/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resolv_conf: the resolver configuration a pod really has, against the one
 * its dnsPolicy and the cluster's DNS Service call for.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/borrow.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod whose configuration is read" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "The name server is the cluster's, and the search list fits the namespace.", NULL, NULL },
	{ "node-local", PW_CLASS_OK, "The name server is a node-local DNS cache.", NULL, NULL },
	{ "host-network-default", PW_CLASS_FAIL, "A hostNetwork pod with dnsPolicy ClusterFirst, which falls back to the node's DNS.", "dnsPolicy left at its default", "set dnsPolicy: ClusterFirstWithHostNet" },
	{ "policy-excludes-cluster", PW_CLASS_WARN, "The pod's own dnsPolicy (Default or None) leaves the cluster DNS out.", "set in the pod spec", "use ClusterFirst, or add the cluster DNS to dnsConfig" },
	{ "wrong-server", PW_CLASS_FAIL, "The name server is not the address of the cluster's DNS Service, though dnsPolicy asks for it.", "the kubelet's clusterDNS differs from the Service", "correct clusterDNS and recreate the pod" },
	{ "wrong-search", PW_CLASS_WARN, "The search list lacks the pod's own namespace.", "the kubelet's clusterDomain, or dnsConfig", "use full names, or correct it" },
	{ "other-domain", PW_CLASS_FAIL, "The search list has the pod's namespace under another cluster domain than the Corefile serves.", "the Corefile or the kubelet's clusterDomain was changed alone", "align both" },
	{ "no-server", PW_CLASS_FAIL, "No name server is configured.", NULL, NULL },
	{ "search-too-long", PW_CLASS_FAIL, "The search line is 255 bytes or longer and the libc is musl, which then ignores it.", "many search domains", "shorten the list" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "nameservers", PW_TYPE_STR, NULL, "Name servers configured" },
	{ "expected", PW_TYPE_STR, NULL, "ClusterIP of the cluster's DNS Service, empty if unknown" },
	{ "searches", PW_TYPE_STR, NULL, "Search list" },
	{ "domain", PW_TYPE_STR, NULL, "Cluster domain of the search list, empty if none" },
	{ "ndots", PW_TYPE_INT, NULL, "ndots option" },
	{ "dns_policy", PW_TYPE_STR, NULL, "spec.dnsPolicy" },
	{ "libc", PW_TYPE_STR, NULL, "glibc, musl or unknown" },
	{ "written_by", PW_TYPE_STR, NULL, "Who names servers besides the cluster's: pod (dnsConfig) or kubelet" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* node-local-dns binds a link-local address: 169.254.20.10 by default (cluster/addons/dns/nodelocaldns), installers choose others. */
#define LINK_LOCAL "169.254."
/* musl reads a line with its newline into 256 bytes and passes over longer ones (src/network/resolvconf.c). */
#define MUSL_SEARCH_MAX 255

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	return pw_probe_resolv_conf(ctx, observation, err);
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err)
{
	return pw_borrow_resolv_conf(ctx, tools, observation, err);
}

static void join(struct pw_buf *out, const struct pw_val *list)
{
	for (size_t i = 0; i < pw_val_count(list); i++)
		pw_buf_printf(out, "%s%s", i ? ", " : "", pw_val_text(pw_val_at(list, i)) ? pw_val_text(pw_val_at(list, i)) : "");
}

static bool contains(const struct pw_val *list, const char *text)
{
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const char *item = pw_val_text(pw_val_at(list, i));
		if (item && !strcmp(item, text))
			return true;
	}
	return false;
}

/* The link-local address among the servers, NULL if there is none. */
static const char *node_local(const struct pw_val *servers)
{
	for (size_t i = 0; i < pw_val_count(servers); i++) {
		const char *item = pw_val_text(pw_val_at(servers, i));
		if (item && !strncmp(item, LINK_LOCAL, strlen(LINK_LOCAL)))
			return item;
	}
	return NULL;
}

/* "shop.svc.cluster.local" -> "cluster.local", NULL if the namespace is not searched. */
static const char *searched_domain(const struct pw_val *searches, const char *ns)
{
	size_t len = strlen(ns);
	for (size_t i = 0; i < pw_val_count(searches); i++) {
		const char *item = pw_val_text(pw_val_at(searches, i));
		if (item && !strncmp(item, ns, len) && !strncmp(item + len, ".svc.", 5))
			return item + len + 5;
	}
	return NULL;
}

/* Without the Corefile (some distributions name its ConfigMap otherwise), what it serves is only a guess. */
static bool is_other_domain(const struct pw_facts *facts, const char *domain)
{
	return domain && pw_facts_configmap(facts, "kube-system", "coredns") && strcasecmp(domain, pw_facts_cluster_domain(facts)) != 0;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	const char *ref = pw_ctx_str(ctx, "pod");
	if (!pw_facts_need(facts, PW_FACT_PODS, result))
		return PW_OK;
	const struct pw_pod *pod = pw_facts_pod_ref(facts, ref);
	if (!pod) {
		pw_result_unknown(result, "there is no pod %s", ref);
		return PW_OK;
	}
	const struct pw_service *dns = pw_facts_dns_service(facts);
	const char *expected = dns ? dns->cluster_ip : "";
	const struct pw_val *servers = pw_map_get(observation, "nameservers"), *searches = pw_map_get(observation, "searches");
	PW_CLEAN_BUF struct pw_buf names;
	PW_CLEAN_BUF struct pw_buf list;
	pw_buf_init(&names, 4096);
	pw_buf_init(&list, 8192);
	join(&names, servers);
	join(&list, searches);
	const char *configured = pw_buf_str(&names), *libc = pw_map_str(observation, "libc", "unknown");
	const char *domain = searched_domain(searches, pod->meta.ns);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "nameservers", configured);
	pw_map_set_str(ev, "expected", expected);
	pw_map_set_str(ev, "searches", pw_buf_str(&list));
	pw_map_set_str(ev, "domain", domain ? domain : "");
	pw_map_set_int(ev, "ndots", pw_map_int(observation, "ndots", 1));
	pw_map_set_str(ev, "dns_policy", pod->dns_policy);
	pw_map_set_str(ev, "libc", libc);
	pw_map_set_str(ev, "written_by", pod->dns_nameservers.n ? "pod" : "kubelet");
	const char *cache = node_local(servers);
	bool own_choice = !strcmp(pod->dns_policy, "None") || !strcmp(pod->dns_policy, "Default");
	if (!pw_val_count(servers))
		pw_result_set(result, "no-server", "%s has no name server configured.", ref);
	else if (*expected && contains(servers, expected) && !strcmp(libc, "musl") && pw_map_int(observation, "search_bytes", 0) >= MUSL_SEARCH_MAX)
		pw_result_set(result, "search-too-long", "%s uses musl, and its search line is too long for it to be read at all.", ref);
	else if (*expected && contains(servers, expected) && !own_choice && is_other_domain(facts, domain))
		pw_result_set(result, "other-domain", "%s searches names under %s, and the Corefile serves %s.", ref, domain, pw_facts_cluster_domain(facts));
	else if (cache && (!own_choice || pod->dns_nameservers.n))
		pw_result_set(result, "node-local", "%s asks the node-local cache %s.", ref, cache);
	else if (*expected && contains(servers, expected))
		pw_result_set(result, own_choice || domain ? "ok" : "wrong-search",
			      "%s asks %s, search list: %s.", ref, configured, pw_buf_str(&list));
	else if (pod->host_network && !strcmp(pod->dns_policy, "ClusterFirst"))
		pw_result_set(result, "host-network-default", "%s is on the host network with dnsPolicy ClusterFirst, so it asks the node's servers: %s.", ref, configured);
	else if (own_choice)
		pw_result_set(result, "policy-excludes-cluster", "%s has dnsPolicy %s and asks %s, not the cluster DNS.", ref, pod->dns_policy, configured);
	else if (!*expected)
		pw_result_unknown(result, "the cluster's DNS Service is not known, so %s cannot be compared with it", configured);
	else
		pw_result_set(result, "wrong-server", "%s asks %s, but the cluster's DNS Service is %s.", ref, configured, expected);
	return PW_OK;
}

const struct pw_check pw_check_resolv_conf = {
	PW_CHECK_HEAD("resolv_conf"),
	.summary = "Compare a pod's resolv.conf with its dnsPolicy and the cluster's DNS Service",
	.details = "Reads the file as the pod sees it.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_SERVICES | PW_FACT_CONFIGMAPS,
	.timeout_ms = 3000,
	.example = "check resolv_conf pod=shop/web --at shop/web",
	.probe = probe,
	.judge = judge,
	.borrow = borrow,
};
