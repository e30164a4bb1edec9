/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy. What a policy denies
 * goes before all that any allows, so each becomes two: its denials before the
 * NetworkPolicies, its permissions behind them. Fields that are not evaluated
 * leave a rule that only may match, with their name.
 */
#include <cluster/model.h>

#include <string.h>

#define MAX_RULES 4096
#define NAMESPACE_KEY "io.kubernetes.pod.namespace"
#define NAMESPACE_LABELS "io.cilium.k8s.namespace.labels."
#define NAME_LABEL "kubernetes.io/metadata.name"

/* Labels carry their source before a colon; without one they may be of any. */
static const char *bare(const char *key)
{
	static const char *const sources[] = { "k8s:", "any:" };

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strncmp(key, sources[i], strlen(sources[i])) == 0)
			return key + strlen(sources[i]);
	return key;
}

struct pair { struct pw_selector *namespaces, *pods; size_t n_namespaces, n_pods; struct pw_requirement *of_namespaces, *of_pods; const char *unclear; };

/* A requirement goes to the pods or, by its key, to their namespaces. */
static void sort_requirement(const struct pw_requirement *requirement, struct pair *pair)
{
	struct pw_requirement copy = *requirement;

	copy.key = bare(copy.key);
	if (strcmp(copy.key, NAMESPACE_KEY) == 0)
		copy.key = NAME_LABEL;
	else if (strncmp(copy.key, NAMESPACE_LABELS, strlen(NAMESPACE_LABELS)) == 0)
		copy.key += strlen(NAMESPACE_LABELS);
	else {
		if (strchr(copy.key, ':') || strncmp(copy.key, "io.cilium.k8s.", 14) == 0 || strncmp(copy.key, "io.kubernetes.pod.", 18) == 0)
			pair->unclear = copy.key;
		pair->of_pods[pair->n_pods++] = copy;
		return;
	}
	pair->of_namespaces[pair->n_namespaces++] = copy;
}

/* An endpoint selector. Returns the label that is not evaluated, "" if all are. `ns` "": of all namespaces. */
static const char *decode_selector(struct pw_facts *facts, const struct pw_val *val, const char *ns, struct pw_selector *namespaces, struct pw_selector *pods)
{
	struct pw_selector all = { .present = false };
	struct pair pair = { .namespaces = namespaces, .pods = pods, .unclear = "" };

	pw_keep_selector(facts, val, &all);
	pair.of_namespaces = pw_arena_array(facts->arena, all.n + 1, sizeof(*pair.of_namespaces));
	pair.of_pods = pw_arena_array(facts->arena, all.n + 1, sizeof(*pair.of_pods));
	if (!pair.of_namespaces || !pair.of_pods)
		return "";
	for (size_t i = 0; i < all.n; i++)
		sort_requirement(&all.v[i], &pair);
	*pods = (struct pw_selector){ .present = true, .v = pair.of_pods, .n = pair.n_pods };
	*namespaces = (struct pw_selector){ .present = !ns[0] || pair.n_namespaces, .v = pair.of_namespaces, .n = pair.n_namespaces };
	return pair.unclear;
}

/* ---- peers ---- */

struct reading { struct pw_facts *facts; const char *ns; struct pw_cluster_rule *rule; struct pw_cluster_peer *peers; size_t cap; };

static struct pw_cluster_peer *next_peer(struct reading *reading)
{
	return reading->rule->n_peers < reading->cap ? &reading->peers[reading->rule->n_peers++] : NULL;
}

static void unclear(struct reading *reading, const char *field)
{
	if (!reading->rule->unclear[0])
		reading->rule->unclear = field;
}

static void take_endpoints(struct reading *reading, const struct pw_val *list, const char *field)
{
	for (size_t i = 0; i < pw_val_count(list); i++) {
		struct pw_cluster_peer *peer = next_peer(reading);

		if (peer && decode_selector(reading->facts, pw_val_at(list, i), reading->ns, &peer->namespaces, &peer->pods)[0])
			unclear(reading, field);
	}
}

static void take_entity(struct reading *reading, const char *word, const char *field)
{
	static const struct pw_selector all = { .present = true };
	struct pw_cluster_peer *peer = next_peer(reading);

	if (!peer)
		return;
	if (strcmp(word, "all") == 0) {
		peer->everyone = true;
	} else if (strcmp(word, "world") == 0 || strcmp(word, "world-ipv4") == 0 || strcmp(word, "world-ipv6") == 0) {
		peer->outside = true;
		if (word[5])
			unclear(reading, field);
	} else if (strcmp(word, "cluster") == 0) {
		peer->namespaces = all;
		if ((peer = next_peer(reading)))
			peer->hosts = true;
	} else if (strcmp(word, "host") == 0 || strcmp(word, "remote-node") == 0) {
		peer->hosts = true;
	} else if (strcmp(word, "none") == 0) {
		reading->rule->n_peers--;
	} else {
		peer->everyone = true;
		unclear(reading, field);
	}
}

static void take_entities(struct reading *reading, const struct pw_val *list, const char *field)
{
	for (size_t i = 0; i < pw_val_count(list); i++)
		take_entity(reading, pw_keep(reading->facts, pw_val_at(list, i)), field);
}

/* Cilium's blocks are of what is no endpoint of its own: they hold no pods. */
static void take_blocks(struct reading *reading, const struct pw_val *list, const char *field)
{
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const struct pw_val *item = pw_val_at(list, i);
		struct pw_cluster_peer *peer = next_peer(reading);
		const char **cidr = pw_arena_alloc(reading->facts->arena, sizeof(*cidr));

		if (!peer || !cidr)
			return;
		*cidr = pw_val_is(item, PW_VAL_MAP) ? pw_keep_key(reading->facts, item, "cidr") : pw_keep(reading->facts, item);
		if (!(*cidr)[0]) { /* a group of blocks, by name or labels */
			peer->outside = true;
			unclear(reading, field);
			continue;
		}
		if (!strchr(*cidr, '/'))
			*cidr = pw_keep_text(reading->facts, pw_arena_printf(reading->facts->arena, "%s/%d", *cidr, strchr(*cidr, ':') ? 128 : 32));
		peer->networks = (struct pw_strings){ cidr, 1 };
		peer->networks_outside = true;
		peer->except = pw_keep_strings(reading->facts, pw_map_get(item, "except"));
	}
}

static void take_names(struct reading *reading, const struct pw_val *list, const char *field)
{
	struct pw_cluster_peer *peer = pw_val_count(list) ? next_peer(reading) : NULL;

	(void)field;
	if (peer)
		peer->domains = true;
}

/* Anybody may be meant. */
static void take_unclear(struct reading *reading, const struct pw_val *list, const char *field)
{
	struct pw_cluster_peer *peer = next_peer(reading);

	(void)list;
	if (peer)
		peer->everyone = true;
	unclear(reading, field);
}

/* ---- ports ---- */

/* A rule of DNS names that lets all through asks for nothing. */
static bool is_open_dns(const struct pw_val *rules)
{
	const struct pw_val *dns = pw_map_get(rules, "dns");

	for (size_t i = 0; pw_val_count(rules) == 1 && i < pw_val_count(dns); i++)
		if (strcmp(pw_map_str(pw_val_at(dns, i), "matchPattern", ""), "*") == 0)
			return true;
	return false;
}

static const char *any_protocol(const char *protocol)
{
	return strcmp(protocol, "ANY") == 0 ? "" : protocol;
}

static void add_port(struct pw_facts *facts, const struct pw_val *port, struct pw_cluster_rule *rule, struct pw_cluster_port *v, size_t cap)
{
	const char *protocol = any_protocol(pw_keep_key(facts, port, "protocol"));
	struct pw_cluster_port one = { .protocol = protocol, .name = "" };

	pw_keep_port(facts, pw_map_get(port, "port"), &one.port, &one.name);
	one.end_port = (uint16_t)pw_map_uint(port, "endPort", UINT16_MAX, one.port);
	if (one.end_port < one.port)
		one.end_port = one.port;
	one.any_port = !one.port && !one.name[0];
	for (int i = 0; i < 3 && rule->n_ports < cap; i++) { /* no protocol: one entry for each */
		static const char *const words[] = { "TCP", "UDP", "SCTP" };

		if (one.name[0] || protocol[0]) {
			v[rule->n_ports++] = one;
			return;
		}
		one.protocol = words[i];
		v[rule->n_ports++] = one;
	}
}

static void decode_ports(struct reading *reading, const struct pw_val *groups)
{
	static const char *const known[] = { "ports", "rules" };
	size_t cap = 0;
	struct pw_cluster_port *v;

	for (size_t i = 0; i < pw_val_count(groups); i++)
		cap += 3 * pw_val_count(pw_map_get(pw_val_at(groups, i), "ports"));
	if (cap > MAX_RULES)
		cap = MAX_RULES;
	v = pw_arena_array(reading->facts->arena, cap + 1, sizeof(*v));
	for (size_t i = 0; v && i < pw_val_count(groups); i++) {
		const struct pw_val *group = pw_val_at(groups, i), *ports = pw_map_get(group, "ports"), *rules = pw_map_get(group, "rules");
		size_t others = 0;

		for (size_t k = 0; k < pw_val_count(group); k++)
			others += strcmp(pw_map_key(group, k), known[0]) != 0 && strcmp(pw_map_key(group, k), known[1]) != 0;
		if (others || (!pw_val_absent(rules) && !is_open_dns(rules)))
			unclear(reading, others ? "toPorts" : "toPorts.rules");
		for (size_t k = 0; k < pw_val_count(ports); k++)
			add_port(reading->facts, pw_val_at(ports, k), reading->rule, v, cap);
	}
	reading->rule->ports = v;
}

/* ---- rules ---- */

static const struct field { const char *key; void (*take)(struct reading *, const struct pw_val *, const char *); } fields[] = {
	{ "fromEndpoints", take_endpoints }, { "toEndpoints", take_endpoints }, { "fromEntities", take_entities }, { "toEntities", take_entities },
	{ "fromCIDR", take_blocks }, { "toCIDR", take_blocks }, { "fromCIDRSet", take_blocks }, { "toCIDRSet", take_blocks },
	{ "toFQDNs", take_names }, { "fromRequires", take_unclear }, { "toRequires", take_unclear }, { "fromNodes", take_unclear },
	{ "toNodes", take_unclear }, { "fromGroups", take_unclear }, { "toGroups", take_unclear }, { "toServices", take_unclear },
	{ "authentication", take_unclear },
};

static size_t count_peers(const struct pw_val *rule)
{
	size_t n = 1;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		n += 1 + 2 * pw_val_count(pw_map_get(rule, fields[i].key));
	return n < MAX_RULES ? n : MAX_RULES;
}

/* An empty rule matches nobody; one with ports alone, everybody. */
static void decode_rule(struct pw_facts *facts, const struct pw_val *rule, const char *ns, enum pw_action action, struct pw_cluster_rule *ret)
{
	struct reading reading = { facts, ns, ret, NULL, count_peers(rule) };
	const struct pw_val *ports = pw_map_get(rule, "toPorts");
	bool named = false;

	*ret = (struct pw_cluster_rule){ .name = "", .action = action, .unclear = "" };
	reading.peers = pw_arena_array(facts->arena, reading.cap, sizeof(*reading.peers));
	if (!reading.peers || !pw_val_absent(pw_map_get(rule, "icmps"))) /* rules for ICMP let no connection through */
		return;
	ret->peers = reading.peers;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct pw_val *val = pw_map_get(rule, fields[i].key);

		if (pw_val_absent(val))
			continue;
		named = true;
		fields[i].take(&reading, val, fields[i].key);
	}
	for (size_t i = 0; pw_val_is(rule, PW_VAL_MAP) && i < pw_val_count(rule); i++) {
		const char *key = pw_map_key(rule, i);
		bool known = strcmp(key, "toPorts") == 0;

		for (size_t k = 0; !known && k < sizeof(fields) / sizeof(fields[0]); k++)
			known = strcmp(key, fields[k].key) == 0;
		if (!known)
			take_unclear(&reading, NULL, pw_keep_text(facts, key));
		named = named || !known;
	}
	if (!named && pw_val_count(ports)) {
		struct pw_cluster_peer *peer = next_peer(&reading);

		if (peer)
			peer->everyone = true;
	}
	decode_ports(&reading, ports);
}

static const struct pw_cluster_rule *decode_rules(struct pw_facts *facts, const struct pw_val *rules, const char *ns, enum pw_action action, size_t *ret_n)
{
	struct pw_cluster_rule *v = pw_keep_array(facts, rules, MAX_RULES, sizeof(*v), ret_n);

	for (size_t i = 0; i < *ret_n; i++)
		decode_rule(facts, pw_val_at(rules, i), ns, action, &v[i]);
	return v;
}

static bool isolates(const struct pw_val *spec, const char *allow, const char *deny, const char *word)
{
	return pw_map_bool(pw_map_get(spec, "enableDefaultDeny"), word,
			   pw_val_count(pw_map_get(spec, allow)) > 0 || pw_val_count(pw_map_get(spec, deny)) > 0);
}

/* One half of a rule set: its denials or its permissions. */
static int decode_half(struct pw_facts *facts, const struct pw_val *spec, const struct pw_cluster_policy *base, bool deny, size_t number)
{
	struct pw_cluster_policy *policy = pw_arena_alloc(facts->arena, sizeof(*policy));
	enum pw_action action = deny ? PW_ACTION_DENY : PW_ACTION_ALLOW;
	const char *extra;

	if (!policy)
		return PW_NOMEM;
	*policy = *base;
	policy->after_network = !deny;
	policy->isolates[0] = isolates(spec, "ingress", "ingressDeny", "ingress");
	policy->isolates[1] = isolates(spec, "egress", "egressDeny", "egress");
	policy->ingress = decode_rules(facts, pw_map_get(spec, deny ? "ingressDeny" : "ingress"), policy->meta.ns, action, &policy->n_ingress);
	policy->egress = decode_rules(facts, pw_map_get(spec, deny ? "egressDeny" : "egress"), policy->meta.ns, action, &policy->n_egress);
	extra = pw_arena_printf(facts->arena, "%s %zu %d", policy->kind, number, deny);
	return extra ? pw_table_store(facts, &facts->tables[PW_CLUSTER_POLICIES], policy->meta.ns, policy->meta.name, extra, policy) : PW_NOMEM;
}

static int decode_spec(struct pw_facts *facts, const struct pw_val *spec, struct pw_cluster_policy *base, size_t number)
{
	const char *label;
	int rc;

	if (pw_val_absent(pw_map_get(spec, "endpointSelector"))) /* nodeSelector: a policy of nodes, not of pods */
		return PW_OK;
	base->pods = base->namespaces = (struct pw_selector){ .present = false };
	label = decode_selector(facts, pw_map_get(spec, "endpointSelector"), base->meta.ns, &base->namespaces, &base->pods);
	base->unclear = label[0] ? "endpointSelector" : "";
	rc = decode_half(facts, spec, base, true, number);
	return rc == PW_OK ? decode_half(facts, spec, base, false, number) : rc;
}

int pw_decode_cilium(struct pw_facts *facts, const struct pw_val *object, const char *kind)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *specs = pw_map_get(object, "specs");
	struct pw_cluster_policy base = { .kind = kind, .tier = "", .unclear = "", .stage = PW_STAGE_NETWORK };
	int rc = PW_OK;

	if (strcmp(kind, "CiliumNetworkPolicy") == 0)
		pw_keep_namespaced_meta(facts, object, &base.meta);
	else
		pw_keep_meta(facts, object, &base.meta);
	if (!pw_val_absent(spec))
		rc = decode_spec(facts, spec, &base, 0);
	for (size_t i = 0; rc == PW_OK && i < pw_val_count(specs) && i < MAX_RULES; i++)
		rc = decode_spec(facts, pw_val_at(specs, i), &base, i + 1);
	return rc;
}
