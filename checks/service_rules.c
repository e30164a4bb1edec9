/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * service_rules: what the node's Service rules do with a packet for a
 * ClusterIP, against the EndpointSlices they should follow.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node whose rules are read: that of the sender" },
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Its ClusterIP, or an address of the node when the port is a node port" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Its port" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol" },
	{ "src", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the sender" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "The rules lead to exactly the ready endpoints.", NULL, NULL },
	{ "no-rules", PW_CLASS_FAIL, "The node has no Service rules at all.", "kube-proxy never ran here, or its rules were flushed", "start kube-proxy" },
	{ "service-missing", PW_CLASS_FAIL, "The node has Service rules, but none for this Service.", "kube-proxy is stopped or cannot reach the API server", "look at kube-proxy" },
	{ "stale", PW_CLASS_FAIL, "The rules lead to an address that is no ready endpoint.", "kube-proxy is stopped or cannot reach the API server", "look at kube-proxy" },
	{ "incomplete", PW_CLASS_FAIL, "The rules leave out ready endpoints.", "kube-proxy is stopped or lags", "look at kube-proxy" },
	{ "rejects", PW_CLASS_FAIL, "The rules reject the Service as having no endpoints, although it has.", "stale or left-over rules", "look at kube-proxy" },
	{ "local-ignored", PW_CLASS_FAIL, "A Service rule drops the packet for want of a local endpoint, and the node runs ready ones.", "kube-proxy knows its node by another name than the API (hostnameOverride)", "compare kube-proxy's node name with the Node object" },
	{ "drops", PW_CLASS_FAIL, "A Service rule drops the packet (no local endpoint).", "traffic policy Local", "use Cluster, or place a backend here" },
	{ "stopped", PW_CLASS_FAIL, "The translated packet is stopped by another rule of the node.", "a host firewall, policy enforcer or other back end", "look at the rule" },
	{ "shadowed", PW_CLASS_FAIL, "Another rule takes the packet before the Service's own.", "hostPort, left-over chains, externalIPs", "remove the rule" },
	{ "masquerades-pods", PW_CLASS_WARN, "The source of pods is rewritten because the rules take another range for the pods' than the nodes have.", "a wrong clusterCIDR in kube-proxy's configuration", "set the real pod CIDR" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "targets", PW_TYPE_STR, NULL, "Where the rules may send the packet" },
	{ "expected", PW_TYPE_STR, NULL, "Ready endpoints in the slices" },
	{ "stale", PW_TYPE_STR, NULL, "Targets that are no ready endpoint" },
	{ "missing", PW_TYPE_STR, NULL, "Ready endpoints that are no target" },
	{ "rule", PW_TYPE_STR, NULL, "The deciding rule" },
	{ "chain", PW_TYPE_STR, NULL, "Its table and chain" },
	{ "rules", PW_TYPE_INT, NULL, "Rules read" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = pw_rules_read(ctx, rules, err);
	if (rc)
		return rc;
	struct pw_packet packet = {
		.src = pw_ctx_str(ctx, "src"), .dst = pw_ctx_str(ctx, "address"), .protocol = pw_packet_protocol(pw_ctx_str(ctx, "protocol")),
		.dport = (unsigned)pw_ctx_int(ctx, "port"), .iif = "", .oif = "", .ctstate = "NEW",
	};
	bool iptables = pw_rules_has_chain(rules, "nat", "KUBE-SERVICES");
	const char *nft = strchr(packet.dst, ':') ? "ip6 kube-proxy" : "ip kube-proxy";
	pw_map_set_int(observation, "rules", (long long)pw_rules_count(rules));
	pw_map_set_bool(observation, "service_rules", iptables || pw_rules_has_chain(rules, nft, "services"));
	pw_rules_problems(rules, pw_map_set_seq(observation, "problems"));
	/* A chain of kube-proxy's IPVS mode alone (pkg/proxy/ipvs): the backends are then in the kernel's IPVS table. */
	pw_map_set_bool(observation, "ipvs", pw_rules_has_chain(rules, "nat", "KUBE-LOAD-BALANCER"));
	return pw_rules_walk(rules, &packet, arena, pw_map_set_map(observation, "walk"), err);
}

struct view {
	const struct pw_val *walk, *targets;
	const struct pw_backend *backends;
	size_t n_backends, ready;
	const struct pw_service *svc;
	const struct pw_node *node;  /* of the rules, NULL if not known */
	const char *node_name;
	bool six;                    /* the address asked about is IPv6 */
	bool local_only;             /* traffic policy Local of the way asked about, in or out */
	struct pw_buf stale, missing, expected, found;
};

static bool target_is(const struct pw_val *targets, const char *want)
{
	for (size_t i = 0; i < pw_val_count(targets); i++)
		if (pw_val_text(pw_val_at(targets, i)) && !strcmp(pw_val_text(pw_val_at(targets, i)), want))
			return true;
	return false;
}

static void name_backend(const struct pw_backend *b, char out[96])
{
	(void)snprintf(out, 96, strchr(b->endpoint->address, ':') ? "[%s]:%u" : "%s:%u", b->endpoint->address, b->port);
}

static void add(struct pw_buf *list, const char *text)
{
	pw_buf_printf(list, "%s%s", list->len ? ", " : "", text);
}

/* Does this node's kube-proxy send to the endpoint? An address leads to its own family only, and under traffic
 * policy Local to the node's own endpoints. */
static bool is_meant(const struct view *v, const struct pw_endpoint *endpoint)
{
	if ((strchr(endpoint->address, ':') != NULL) != v->six)
		return false;
	return !v->local_only || !strcmp(endpoint->node, v->node_name);
}

/* Topology-aware routing keeps to the node's zone where each zone has endpoints of its own (KEP-2433). */
static bool in_zone(const struct view *v, const struct pw_endpoint *endpoint)
{
	const char *zone = v->node ? pw_labels_get(&v->node->meta.labels, "topology.kubernetes.io/zone") : NULL;
	return !zone || !*endpoint->zone || !strcmp(endpoint->zone, zone);
}

/* All endpoints of the node's zone are targets, and no other is. */
static bool keeps_to_zone(const struct view *v)
{
	char name[96];
	size_t near = 0;
	for (size_t i = 0; i < v->n_backends; i++) {
		const struct pw_endpoint *endpoint = v->backends[i].endpoint;
		if (!endpoint->ready || !is_meant(v, endpoint))
			continue;
		name_backend(&v->backends[i], name);
		if (target_is(v->targets, name) != in_zone(v, endpoint))
			return false;
		near += in_zone(v, endpoint);
	}
	return near > 0;
}

/* Backends that do not serve any more may stay a target while nothing else is
 * ready (terminating endpoints, KEP-1669), so only "not listed at all" is stale then. */
static void compare(struct view *v)
{
	char name[96];
	bool zonal = keeps_to_zone(v);
	for (size_t i = 0; i < v->n_backends; i++) {
		const struct pw_endpoint *endpoint = v->backends[i].endpoint;
		if (!endpoint->ready || !is_meant(v, endpoint) || (zonal && !in_zone(v, endpoint)))
			continue;
		v->ready++;
		name_backend(&v->backends[i], name);
		add(&v->expected, name);
		if (!target_is(v->targets, name))
			add(&v->missing, name);
	}
	for (size_t t = 0; t < pw_val_count(v->targets); t++) {
		const char *target = pw_val_text(pw_val_at(v->targets, t));
		bool known = false;
		for (size_t i = 0; target && i < v->n_backends; i++) {
			name_backend(&v->backends[i], name);
			known |= !strcmp(name, target) && (v->backends[i].endpoint->ready || !v->ready);
		}
		if (!target)
			continue;
		add(&v->found, target);
		if (!known)
			add(&v->stale, target);
	}
}

/* "! -s 10.99.0.0/16 ... KUBE-MARK-MASQ": the range kube-proxy takes for pods. Its nftables mode says so in each Service's chain, or
 * once, before the Services, in a rule that sets the mark itself. */
static bool masquerade_is_by_range(const struct pw_val *walk)
{
	static const char *const words[][2] = { { "! -s ", "KUBE-MARK-MASQ" }, { "ip saddr != ", "mark-for-masquerade" }, { "ip saddr != ", "mark set " } };
	const struct pw_val *trail = pw_map_get(walk, "trail");
	for (size_t i = 0; i < pw_val_count(trail); i++) {
		const struct pw_val *step = pw_val_at(trail, i);
		const char *rule = pw_map_str(step, "rule", "");
		for (size_t w = 0; w < sizeof words / sizeof *words && pw_rule_is_kube_proxys(step); w++)
			if (strstr(rule, words[w][0]) && strstr(rule, words[w][1]))
				return true;
	}
	return false;
}

/* A network plugin that can take kube-proxy's place runs on the node, and no kube-proxy does: its name, else NULL. */
static const char *replacement(const struct pw_facts *facts, const char *node)
{
	static const struct { const char *key, *value, *name; } marks[] = {
		{ "k8s-app", "cilium", "Cilium" }, { "k8s-app", "calico-node", "Calico" }, { "app", "antrea", "Antrea" },
		{ "app", "ovnkube-node", "OVN-Kubernetes" }, { "k8s-app", "kube-router", "kube-router" },
	};
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	const char *found = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct pw_labels *labels = &pods[i]->meta.labels;
		const char *app = pw_labels_get(labels, "k8s-app"), *component = pw_labels_get(labels, "component");
		if (strcmp(pods[i]->node, node) != 0)
			continue;
		if ((app && !strcmp(app, "kube-proxy")) || (component && !strcmp(component, "kube-proxy")))
			return NULL;
		for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
			const char *value = pw_labels_get(labels, marks[m].key);
			if (value && !strcmp(value, marks[m].value))
				found = marks[m].name;
		}
	}
	return found;
}

/* Backends that these rules do not show: said instead of a fault. */
static bool served_elsewhere(struct pw_ctx *ctx, const struct view *v, const struct pw_val *observation, struct pw_result *result)
{
	const char *other = replacement(pw_ctx_facts(ctx), v->node_name), *ref = pw_ctx_str(ctx, "service");
	size_t targets = pw_val_count(v->targets);
	const char *unread = pw_val_text(pw_val_at(pw_map_get(observation, "problems"), 0));
	bool stopped = !strcmp(pw_map_str(v->walk, "outcome", ""), "drop") || !strcmp(pw_map_str(v->walk, "outcome", ""), "reject");
	if (!targets && !stopped && pw_map_bool(observation, "ipvs", false))
		pw_result_unknown(result, "kube-proxy of %s is in IPVS mode, whose table is not read: where it sends %s cannot be told", v->node_name, ref);
	else if (other && (!targets || v->stale.len || v->missing.len) && !stopped)
		pw_result_unknown(result, "no kube-proxy runs on %s: %s may serve %s there by means that its netfilter rules do not show", v->node_name, other, ref);
	else if (!pw_map_bool(observation, "service_rules", false) && unread)
		pw_result_unknown(result, "no Service rules were seen on %s, and not all rules could be read: %s", v->node_name, unread);
	else
		return false;
	return true;
}

static void conclude(struct pw_ctx *ctx, const struct view *v, bool service_rules, struct pw_result *result)
{
	const char *node = pw_ctx_str(ctx, "node"), *ref = pw_ctx_str(ctx, "service"), *outcome = pw_map_str(v->walk, "outcome", "");
	const struct pw_val *decided = pw_map_get(v->walk, "decided_by");
	bool kube = pw_rule_is_kube_proxys(decided);
	if (!service_rules)
		pw_result_set(result, "no-rules", "%s has no Service rules at all.", node);
	else if (pw_rule_is_of_no_service(decided))
		pw_result_set(result, "service-missing", "%s has Service rules, but none for %s port %lld: it stops there what no Service of its own is for (%s).", node, ref,
			      pw_ctx_int(ctx, "port"), pw_map_str(decided, "rule", ""));
	else if (!strcmp(outcome, "reject") && kube && v->ready)
		pw_result_set(result, "rejects", "%s rejects %s as having no endpoints, although %zu are ready.", node, ref, v->ready);
	else if (!strcmp(outcome, "reject") && kube)
		pw_result_set(result, "ok", "%s rejects %s, which has no ready endpoint.", node, ref);
	else if (!strcmp(outcome, "drop") && kube && !pw_val_count(v->targets) && v->local_only && v->ready)
		pw_result_set(result, "local-ignored", "%s drops packets for %s as if no endpoint were its own, and %s is: %s", node, ref, pw_buf_str(&v->expected),
			      pw_map_str(decided, "rule", ""));
	else if (!strcmp(outcome, "drop") && kube && !pw_val_count(v->targets))
		pw_result_set(result, "drops", "%s drops packets for %s: %s", node, ref, pw_map_str(decided, "rule", ""));
	else if (!pw_val_count(v->targets) && (!strcmp(outcome, "drop") || !strcmp(outcome, "reject")))
		pw_result_set(result, "stopped", "%s stops packets for %s: %s", node, ref, pw_map_str(decided, "rule", ""));
	else if (!pw_val_count(v->targets))
		pw_result_set(result, "service-missing", "%s has Service rules, but none for %s port %lld.", node, ref, pw_ctx_int(ctx, "port"));
	else if (v->stale.len && !strstr(pw_map_str(decided, "chain", "KUBE-"), "KUBE-") && !strstr(pw_map_str(decided, "table", ""), "kube-proxy"))
		pw_result_set(result, "shadowed", "%s sends %s to %s by a rule that is not kube-proxy's: %s", node, ref, pw_buf_str(&v->stale), pw_map_str(decided, "rule", ""));
	else if (v->stale.len)
		pw_result_set(result, "stale", "%s sends %s to %s, which is no ready endpoint (%s).", node, ref, pw_buf_str(&v->stale), v->ready ? pw_buf_str(&v->expected) : "there is none");
	else if (v->missing.len)
		pw_result_set(result, "incomplete", "%s leaves out the ready endpoints %s of %s.", node, pw_buf_str(&v->missing), ref);
	else if (!strcmp(outcome, "drop") || !strcmp(outcome, "reject"))
		pw_result_set(result, "stopped", "%s translates %s, then stops it: %s", node, ref, pw_map_str(decided, "rule", "chain policy"));
	else if (pw_map_bool(v->walk, "masquerade", false) && masquerade_is_by_range(v->walk) &&
		 pw_facts_in_pod_cidr(pw_ctx_facts(ctx), pw_ctx_str(ctx, "src")) != 0) /* a node's own address is rewritten rightly */
		pw_result_set(result, "masquerades-pods", "%s rewrites the source %s, because kube-proxy takes another range for the pods.", node, pw_ctx_str(ctx, "src"));
	else
		pw_result_set(result, "ok", "%s sends %s to exactly its ready endpoints: %s.", node, ref, pw_buf_str(&v->found));
}

static const struct pw_service_port *find_node_port(const struct pw_service *svc, unsigned number, const char *protocol)
{
	for (size_t i = 0; i < svc->n_ports; i++)
		if (svc->ports[i].node_port == number && !strcmp(svc->ports[i].protocol, protocol))
			return &svc->ports[i];
	return NULL;
}

static bool lists(const struct pw_strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->v[i], text))
			return true;
	return false;
}

/* Which of the two traffic policies rules: a node port, an address of a load balancer and an external one are for callers outside. */
static bool is_local_only(const struct pw_service *svc, const char *address, bool node_port)
{
	bool outside = node_port || lists(&svc->lb_ips, address) || lists(&svc->external_ips, address);
	return !strcmp(outside ? svc->external_policy : svc->internal_policy, "Local");
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_SERVICES | PW_FACT_SLICES, result))
		return PW_OK;
	const struct pw_service *svc = pw_facts_service_ref(facts, pw_ctx_str(ctx, "service"));
	bool other;
	const struct pw_service_port *port = svc ? pw_service_find_port(svc, (unsigned)pw_ctx_int(ctx, "port"), pw_ctx_str(ctx, "protocol"), &other) : NULL;
	const struct pw_service_port *outside = svc && !port ? find_node_port(svc, (unsigned)pw_ctx_int(ctx, "port"), pw_ctx_str(ctx, "protocol")) : NULL;
	if (!port)
		port = outside;
	if (!port) {
		pw_result_unknown(result, "%s has no port %lld", pw_ctx_str(ctx, "service"), pw_ctx_int(ctx, "port"));
		return PW_OK;
	}
	struct view v = { .walk = pw_map_get(observation, "walk"), .svc = svc, .node_name = pw_ctx_str(ctx, "node"),
		.local_only = is_local_only(svc, pw_ctx_str(ctx, "address"), outside != NULL),
		.node = pw_facts_node(facts, pw_ctx_str(ctx, "node")), .six = strchr(pw_ctx_str(ctx, "address"), ':') != NULL };
	if (!*pw_map_str(v.walk, "outcome", "")) {
		pw_result_unknown(result, "the rules of %s could not be walked", pw_ctx_str(ctx, "node"));
		return PW_OK;
	}
	v.targets = pw_map_get(v.walk, "targets");
	v.n_backends = pw_facts_backends(facts, svc, port, pw_ctx_arena(ctx), &v.backends);
	pw_buf_init(&v.stale, 16384);
	pw_buf_init(&v.missing, 16384);
	pw_buf_init(&v.expected, 16384);
	pw_buf_init(&v.found, 16384);
	compare(&v);
	const struct pw_val *decided = pw_map_get(v.walk, "decided_by");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "targets", pw_buf_str(&v.found));
	pw_map_set_str(ev, "expected", pw_buf_str(&v.expected));
	pw_map_set_str(ev, "stale", pw_buf_str(&v.stale));
	pw_map_set_str(ev, "missing", pw_buf_str(&v.missing));
	pw_map_set_str(ev, "rule", pw_map_str(decided, "rule", ""));
	pw_map_set_strf(ev, "chain", "%s %s", pw_map_str(decided, "table", ""), pw_map_str(decided, "chain", ""));
	pw_map_set_int(ev, "rules", pw_map_int(observation, "rules", 0));
	if (!served_elsewhere(ctx, &v, observation, result))
		conclude(ctx, &v, pw_map_bool(observation, "service_rules", false), result);
	pw_buf_release(&v.stale);
	pw_buf_release(&v.missing);
	pw_buf_release(&v.expected);
	pw_buf_release(&v.found);
	return PW_OK;
}

const struct pw_check pw_check_service_rules = {
	PW_CHECK_HEAD("service_rules"),
	.summary = "Walk a node's Service rules from ClusterIP to backends and compare with the EndpointSlices",
	.details = "Finds missing, stale, incomplete and shadowed rules, and rules of others that stop the translated packet.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.needs = PW_NEEDS_NET_ADMIN | PW_NEEDS_NET_RAW,
	.facts = PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_NODES | PW_FACT_PODS,
	.timeout_ms = 5000,
	.example = "check service_rules node=n1 service=shop/api address=10.96.0.20 port=80 src=10.244.1.5 --at node:n1",
	.probe = probe,
	.judge = judge,
};
