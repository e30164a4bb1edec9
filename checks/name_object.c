/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * name_object: what the objects alone say of a name that a pod looks up. Is
 * there a Service of that name, and would the pod, as it is written, ask the
 * cluster's DNS at all?
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod that looks it up" },
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "The name, as the application has it" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "known", PW_CLASS_OK, "A Service gives the name its address.", NULL, NULL },
	{ "outside", PW_CLASS_OK, "The name is not one of the cluster's own.", NULL, NULL },
	{ "not-there", PW_CLASS_FAIL, "The name is one of the cluster's own, and there is no such Service.", "a typing error, or the wrong namespace", "use the name of a Service that exists" },
	{ "host-alias", PW_CLASS_FAIL, "hostAliases of the pod give the name another address than its Service has.", "an entry that was right once", "remove the entry" },
	{ "host-network-default", PW_CLASS_FAIL, "A hostNetwork pod with dnsPolicy ClusterFirst, which falls back to the node's DNS.", "dnsPolicy left at its default", "set dnsPolicy: ClusterFirstWithHostNet" },
	{ "policy-excludes-cluster", PW_CLASS_FAIL, "dnsPolicy Default: the pod asks the node's DNS for a name of the cluster.", "set in the pod spec", "use ClusterFirst" },
	{ "own-servers", PW_CLASS_WARN, "dnsPolicy None, and dnsConfig names other servers than the cluster's.", "set in the pod spec", "add the cluster DNS to dnsConfig" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "full", PW_TYPE_STR, NULL, "The full name of the Service, empty if there is none" },
	{ "service", PW_TYPE_SERVICE, NULL, "The Service, as namespace/name, empty if there is none" },
	{ "address", PW_TYPE_STR, NULL, "Its ClusterIP, empty if it has none" },
	{ "dns", PW_TYPE_SERVICE, NULL, "The cluster's DNS Service, as namespace/name, empty if unknown" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

enum { LABEL_MAX = 64, NAME_MAX_LEN = 254 };

struct question {
	const struct pw_facts *facts;
	const struct pw_pod *pod;
	const struct pw_service *service; /* the one that is asked for, NULL if none */
	bool own;                         /* a Service's name in the cluster's domain, whether or not there is one */
	char name[NAME_MAX_LEN];          /* in small letters, without a dot at its end */
};

/* One label off the front; false when there is none or it is too long for one. */
static bool take_label(const char **at, char out[LABEL_MAX])
{
	size_t len = strcspn(*at, ".");
	if (!len || len >= LABEL_MAX)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + ((*at)[len] == '.');
	return true;
}

/* NAME.NAMESPACE.svc.DOMAIN, completed with what the search list of a pod adds: nothing, the domain, svc and the
 * domain, or the pod's namespace as well. Sets `own` if the name is whole by itself. */
static const struct pw_service *find(struct question *q, const char *domain)
{
	char name[LABEL_MAX], ns[LABEL_MAX], svc[LABEL_MAX];
	const char *rest = q->name;
	if (!take_label(&rest, name))
		return NULL;
	if (!*rest)
		return pw_facts_service(q->facts, q->pod->meta.ns, name);
	if (!take_label(&rest, ns))
		return NULL;
	if (*rest && (!take_label(&rest, svc) || strcasecmp(svc, "svc") != 0))
		return NULL;
	if (*rest && strcasecmp(rest, domain) != 0)
		return NULL;
	q->own = *rest;
	return pw_facts_service(q->facts, ns, name);
}

/* An address that hostAliases give the name and that is not its Service's; NULL if there is none, or if one of them is.
 * The kubelet writes them for pods with a network of their own. */
static const char *other_alias(const struct question *q)
{
	const char *wrong = NULL, *right = q->service ? q->service->cluster_ip : "";
	for (size_t i = 0; !q->pod->host_network && i < q->pod->n_host_aliases; i++) {
		const struct pw_host_alias *alias = &q->pod->host_aliases[i];
		for (size_t j = 0; j < alias->names.n; j++) {
			if (strcasecmp(alias->names.v[j], q->name) != 0)
				continue;
			if (!strcmp(alias->ip, right))
				return NULL;
			wrong = alias->ip;
		}
	}
	return wrong;
}

static bool asks_cluster(const struct pw_pod *pod, const struct pw_service *dns)
{
	for (size_t i = 0; dns && i < pod->dns_nameservers.n; i++)
		if (!strcmp(pod->dns_nameservers.v[i], dns->cluster_ip))
			return true;
	return false;
}

/* A name of the cluster: would the pod's own specification keep it from being found? */
static bool judge_pod(const struct question *q, const struct pw_service *dns, const char *ref, struct pw_result *result)
{
	const struct pw_pod *pod = q->pod;
	/* A headless Service's addresses are its pods', of which an entry may well name one. */
	bool one_address = q->service && *q->service->cluster_ip && strcmp(q->service->cluster_ip, "None") != 0;
	const char *alias = one_address ? other_alias(q) : NULL;
	bool by_default = !*pod->dns_policy || !strcmp(pod->dns_policy, "ClusterFirst");
	if (alias)
		pw_result_set(result, "host-alias", "hostAliases of %s give %s the address %s, and its Service has %s.", ref, q->name, alias, q->service->cluster_ip);
	else if (asks_cluster(pod, dns))
		return false;
	else if (pod->host_network && by_default)
		pw_result_set(result, "host-network-default", "%s is on the host network with dnsPolicy ClusterFirst, so it asks the node's servers for %s.", ref, q->name);
	else if (!strcmp(pod->dns_policy, "Default"))
		pw_result_set(result, "policy-excludes-cluster", "%s has dnsPolicy Default, so it asks the node's servers for %s.", ref, q->name);
	else if (!strcmp(pod->dns_policy, "None"))
		pw_result_set(result, "own-servers", "%s has dnsPolicy None, and dnsConfig does not name the cluster's DNS.", ref);
	else
		return false;
	return true;
}

static void put_evidence(const struct question *q, const struct pw_service *dns, const char *domain, struct pw_val *ev)
{
	const struct pw_service *svc = q->service;
	const char *ip = svc && strcmp(svc->cluster_ip, "None") ? svc->cluster_ip : "";
	pw_map_set_str(ev, "full", "");
	pw_map_set_str(ev, "service", "");
	if (svc) {
		pw_map_set_strf(ev, "full", "%s.%s.svc.%s", svc->meta.name, svc->meta.ns, domain);
		pw_map_set_strf(ev, "service", "%s/%s", svc->meta.ns, svc->meta.name);
	}
	pw_map_set_str(ev, "address", ip);
	pw_map_set_str(ev, "dns", "");
	if (dns)
		pw_map_set_strf(ev, "dns", "%s/%s", dns->meta.ns, dns->meta.name);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const char *ref = pw_ctx_str(ctx, "pod"), *name = pw_ctx_str(ctx, "name");
	struct question q = { .facts = pw_ctx_facts(ctx) };
	if (!pw_facts_need(q.facts, PW_FACT_PODS | PW_FACT_SERVICES, result))
		return PW_OK;
	size_t len = strlen(name);
	len -= len && name[len - 1] == '.';
	q.pod = pw_facts_pod_ref(q.facts, ref);
	if (!q.pod || !len || len >= sizeof q.name) {
		pw_result_unknown(result, q.pod ? "%s is no name" : "there is no pod %s", q.pod ? name : ref);
		return PW_OK;
	}
	for (size_t i = 0; i < len; i++)
		q.name[i] = (char)tolower((unsigned char)name[i]);
	const struct pw_service *dns = pw_facts_dns_service(q.facts);
	const char *domain = pw_facts_cluster_domain(q.facts);
	q.service = find(&q, domain);
	put_evidence(&q, dns, domain, pw_result_evidence(result));
	if (!q.service && (!q.own || other_alias(&q)))
		pw_result_set(result, "outside", "%s is %s.", q.name, q.own ? "given by hostAliases" : "no name of a Service");
	else if (!q.service && pw_facts_known(q.facts, PW_FACT_SERVICES) != PW_KNOWN_YES)
		pw_result_unknown(result, "not every namespace's Services could be read, so %s may exist", q.name);
	else if (judge_pod(&q, dns, ref, result))
		return PW_OK;
	else if (!q.service)
		pw_result_set(result, "not-there", "%s would be a Service of the cluster, and there is none of that name.", q.name);
	else
		pw_result_set(result, "known", "%s is the Service %s/%s.", q.name, q.service->meta.ns, q.service->meta.name);
	return PW_OK;
}

const struct pw_check pw_check_name_object = {
	PW_CHECK_HEAD("name_object"),
	.summary = "See which Service a name belongs to, and whether the pod would ask the cluster's DNS for it",
	.details = "Reads objects only: the Service, hostAliases, dnsPolicy and dnsConfig of the pod. What the DNS answers is dns_resolve's to find out.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS | PW_FACT_SERVICES | PW_FACT_CONFIGMAPS,
	.timeout_ms = 1000,
	.example = "check name_object pod=shop/web name=api.shop.svc.cluster.local",
	.judge = judge,
};
