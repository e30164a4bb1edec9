/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Port sets, the matrix of groups, and advice about one connection. */
#include <cluster/advice.h>
#include <cluster/matrix.h>

#include "cluster_util.h"

static const char world[] =
	"{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, labels: {app: web, pod-template-hash: x}, ownerReferences: [{kind: ReplicaSet, name: web}]}, spec: {hostNetwork: true}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web-2, namespace: shop, labels: {app: web}, ownerReferences: [{kind: ReplicaSet, name: web}]}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: lone, namespace: bank, labels: {app: lone}}}\n---\n"
	"{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}, spec: {template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}}}\n---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: api}}, ingress: ["
	"{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}, {port: 100, endPort: 200}]}, {from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{protocol: UDP, port: 53}]}]}}\n";

static struct pw_arena *arena;
static struct pw_facts *facts;
static struct pw_matrix *matrix;

static const char *ports(const struct pw_ports_pool *pool, uint32_t set, int protocol)
{
	static char text[256];
	struct pw_buf out;

	pw_buf_init(&out, 65536);
	pw_ports_print(pool, set, protocol, &out);
	(void)snprintf(text, sizeof(text), "%s", pw_buf_str(&out));
	pw_buf_release(&out);
	return text;
}

static void test_sets(void)
{
	struct pw_ports_pool *pool = pw_ports_pool_new(arena);
	struct pw_ports_sum sum = { .n = 0 };
	uint32_t a, b, c;

	ok(pw_ports_parse(pool, "1-79,81-65535", PW_TCP, &a), "a list with ranges");
	is_str(ports(pool, a, PW_TCP), "1-79,81-65535", "is printed as it was");
	ok(pw_ports_empty(pool, a, PW_UDP) && !pw_ports_empty(pool, a, PW_TCP), "in its protocol only");
	b = pw_ports_range(pool, PW_TCP, 80, 80);
	c = pw_ports_or(pool, a, b);
	is_str(ports(pool, c, PW_TCP), "all", "with the missing one it is all");
	is_int(c, pw_ports_range(pool, PW_TCP, 0, 70000), "and the same as all made otherwise; no port is outside 1..65535");
	is_int(pw_ports_minus(pool, c, b), a, "without it, the same as before");
	is_int(pw_ports_and(pool, a, b), PW_PORTS_NONE, "nothing in common");
	ok(pw_ports_parse(pool, "all", PW_ANY_PROTOCOL, &a) && a == PW_PORTS_ALL, "all of all");
	b = pw_ports_minus(pool, PW_PORTS_ALL, pw_ports_range(pool, PW_UDP, 1, 65534));
	is_str(ports(pool, b, PW_UDP), "65535", "the last port of one protocol stays");
	is_str(ports(pool, b, PW_SCTP), "all", "beside the first of the next");
	for (unsigned port = 1; port <= 999; port += 2)
		pw_ports_add(pool, &sum, pw_ports_range(pool, PW_SCTP, port, port));
	for (unsigned port = 2; port <= 999; port += 2)
		pw_ports_add(pool, &sum, pw_ports_range(pool, PW_SCTP, port, port));
	is_str(ports(pool, pw_ports_total(pool, &sum), PW_SCTP), "1-999", "the sum of many");
	ok(!pw_ports_parse(pool, "0", PW_TCP, &b) && !pw_ports_parse(pool, "5-4", PW_TCP, &b) && !pw_ports_parse(pool, "1,", PW_TCP, &b) &&
	   !pw_ports_parse(pool, "", PW_TCP, &b) && !pw_ports_parse(pool, "65536", PW_TCP, &b) && !pw_ports_parse(pool, "a", PW_TCP, &b), "no lists of ports");
}

static const char *allowed(const char *from, const char *to, int protocol)
{
	struct pw_group a, b;
	struct pw_err err = PW_ERR_INIT;

	if (pw_matrix_find(matrix, from, &a, &err) != PW_OK || pw_matrix_find(matrix, to, &b, &err) != PW_OK) {
		printf("# %s\n", err.text);
		return "(not found)";
	}
	return ports(pw_matrix_ports(matrix), pw_matrix_allowed(matrix, &a, &b).allowed, protocol);
}

static void test_matrix(void)
{
	const struct pw_group *groups;
	struct pw_group one;
	struct pw_err err = PW_ERR_INIT;

	is_int(pw_matrix_groups(matrix, &groups), 3, "owners and lone pods");
	is_str(groups[0].name, "bank/lone[Pod]", "a pod without an owner");
	is_str(groups[1].name, "shop/api[Deployment]", "a template");
	is_str(groups[2].name, "shop/web[ReplicaSet]", "pods of one owner");
	is_int(groups[2].n_pods, 2, "all of them");
	is_int(groups[2].n_points, 1, "which no policy tells apart");
	is_str(allowed("shop/web[ReplicaSet]", "shop/web[ReplicaSet]", PW_TCP), "all", "and which reach each other");
	is_str(allowed("shop/web[ReplicaSet]", "shop/api[Deployment]", PW_TCP), "100-200,8080", "ports by name and range");
	is_str(allowed("shop/web-1", "shop/api", PW_TCP), "100-200,8080", "one pod, on the host's network or not");
	is_str(allowed("bank/lone", "shop/api", PW_TCP), "", "nobody else");
	is_str(allowed("shop/api", "bank/lone", PW_SCTP), "all", "the other way all is open");
	is_str(allowed("10.2.0.0/16", "shop/api", PW_UDP), "53", "a range inside the block");
	is_str(allowed("10.0.0.0-10.0.255.255", "shop/api", PW_UDP), "53", "up to the hole");
	is_str(allowed("10.0.0.0-10.1.0.0", "shop/api", PW_UDP), "", "a range that touches the hole");
	is_int(pw_matrix_outside(matrix, &groups), 5, "the outside is cut at the block and its hole");
	is_str(groups[1].name, "10.0.0.0-10.0.255.255", "between them");
	is_int(pw_matrix_find(matrix, "shop/none", &one, &err), PW_ABSENT, "no such peer");
	is_str(err.text, "there is no pod or workload shop/none", "is said");
}

static const char *advise(const char *from_ns, const char *from, const char *to_ns, const char *to, uint16_t port)
{
	static char text[2048];
	struct pw_peer a = { from_ns ? pw_facts_pod(facts, from_ns, from) : NULL, from }, b = { pw_facts_pod(facts, to_ns, to), NULL };
	struct pw_buf out;

	pw_buf_init(&out, sizeof(text));
	pw_policy_advise(facts, &a, &b, "TCP", port, &out);
	(void)snprintf(text, sizeof(text), "%s", pw_buf_str(&out));
	pw_buf_release(&out);
	return text;
}

static void test_advice(void)
{
	is_str(advise("shop", "web-2", "shop", "api", 8080),
	       "ALLOW: shop/web-2 to shop/api, TCP port 8080\n"
	       "  egress of shop/web-2: allowed, no policy selects it for egress\n"
	       "  ingress of shop/api: allowed, rule ingress[0] of NetworkPolicy shop/p\n"
	       "  It would be denied without rule ingress[0] of NetworkPolicy shop/p, unless another rule allows it too.\n", "allowed by a rule");
	is_str(advise("bank", "lone", "shop", "api", 8080),
	       "DENY: bank/lone to shop/api, TCP port 8080\n"
	       "  egress of bank/lone: allowed, no policy selects it for egress\n"
	       "  ingress of shop/api: denied, NetworkPolicy shop/p isolates it, and no rule of any policy allows this\n"
	       "  The smallest rule that would allow it, in NetworkPolicy shop/p:\n"
	       "    ingress:\n"
	       "    - from:\n"
	       "      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: bank}}\n"
	       "        podSelector: {matchLabels: {app: \"lone\"}}\n"
	       "      ports:\n"
	       "      - {protocol: TCP, port: 8080}\n", "denied, from another namespace");
	ok(strstr(advise(NULL, "203.0.113.9", "shop", "api", 1), "      - ipBlock: {cidr: 203.0.113.9/32}\n") != NULL, "denied, from outside");
	ok(strstr(advise("shop", "web-2", "bank", "lone", 1), "  It would be denied by any policy that selects bank/lone with policyTypes: [Ingress] and has no rule for it.\n") != NULL,
	   "allowed for want of policies");
}

/* The same tiers over whole port sets, and the advice that names them. */
static void test_tiers(void)
{
	static const char policies[] =
		"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: a}, spec: {priority: 1, subject: {namespaces: {}}, ingress: ["
		"{name: no-ssh, action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 22}}]}, {action: Pass, from: [{namespaces: {}}], ports: [{portRange: {start: 20, end: 30}}]},"
		"{action: Allow, from: [{namespaces: {}}], ports: [{portRange: {start: 20, end: 40}}, {namedPort: http}]}]}}\n---\n"
		"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {namespaces: {}}, ingress: ["
		"{action: Deny, from: [{namespaces: {}}], ports: [{portRange: {start: 25, end: 100}}]}], egress: [{action: Deny, to: [{networks: [10.128.0.0/9]}]}]}}\n";
	struct pw_err err = PW_ERR_INIT;
	const struct pw_group *ranges;

	if (model_add(facts, arena, policies, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_finish(facts);
	pw_matrix_release(matrix);
	matrix = pw_matrix_new(facts, arena, NULL);
	is_str(allowed("bank/lone", "shop/api", PW_TCP), "31-40,8080", "admin rules before a NetworkPolicy that denies the rest");
	is_str(allowed("shop/web-2", "shop/api", PW_TCP), "31-40,100-200,8080", "or allows some of it");
	is_str(allowed("shop/web-2", "bank/lone", PW_TCP), "1-21,23-24,31-40,101-65535", "without one, the baseline behind them");
	is_str(allowed("shop/web-2", "10.200.0.0/16", PW_SCTP), "", "networks outside");
	is_int(pw_matrix_outside(matrix, &ranges), 6, "cut at the networks of cluster policies too");
	ok(strstr(advise("shop", "web-2", "bank", "lone", 22), "denied, rule ingress[0] (no-ssh) of AdminNetworkPolicy a\n") != NULL, "which the advice names");
	ok(strstr(advise("shop", "web-2", "bank", "lone", 22), "were not there; a NetworkPolicy cannot open it.\n") != NULL, "and says what cannot help");
}

/* Lines and columns are what each pair of them is. */
static void test_lines(void)
{
	const struct pw_group *groups, *ranges;
	size_t n = pw_matrix_groups(matrix, &groups), n_ranges = pw_matrix_outside(matrix, &ranges), wrong = 0;
	struct pw_reach row[16], one;

	for (size_t i = 0; i < n; i++) {
		wrong += pw_matrix_to_groups(matrix, &groups[i], row) != PW_OK;
		for (size_t j = 0; j < n; j++) {
			one = pw_matrix_allowed(matrix, &groups[i], &groups[j]);
			wrong += i != j && (row[j].allowed != one.allowed || row[j].unknown != one.unknown);
		}
		pw_matrix_to_outside(matrix, &groups[i], row);
		for (size_t j = 0; j < n_ranges; j++)
			wrong += row[j].allowed != pw_matrix_allowed(matrix, &groups[i], &ranges[j]).allowed;
		pw_matrix_from_outside(matrix, &groups[i], row);
		for (size_t j = 0; j < n_ranges; j++)
			wrong += row[j].allowed != pw_matrix_allowed(matrix, &ranges[j], &groups[i]).allowed;
	}
	is_int(wrong, 0, "lines and columns say what pairs say");
}

/* What depends on something not known is neither allowed nor denied. */
static void test_unknown(void)
{
	static const char policy[] =
		"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: names}, spec: {priority: 0, subject: {namespaces: {}}, egress: ["
		"{action: Allow, to: [{networks: [198.51.100.0/24]}], ports: [{portNumber: {port: 443}}]},"
		"{action: Allow, to: [{domainNames: [example.test]}], ports: [{portNumber: {port: 443}}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]}}\n";
	struct pw_err err = PW_ERR_INIT;
	struct pw_group from, to;
	struct pw_reach reach;

	if (model_add(facts, arena, policy, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_finish(facts);
	pw_matrix_release(matrix);
	matrix = pw_matrix_new(facts, arena, NULL);
	is_str(allowed("shop/web-2", "198.51.100.7", PW_TCP), "443", "an earlier rule that is understood decides");
	is_str(allowed("shop/web-2", "203.0.113.7", PW_TCP), "", "a name may or may not be this address");
	ok(pw_matrix_find(matrix, "shop/web-2", &from, &err) == PW_OK && pw_matrix_find(matrix, "203.0.113.7", &to, &err) == PW_OK, "both are found");
	reach = pw_matrix_allowed(matrix, &from, &to);
	is_str(ports(pw_matrix_ports(matrix), reach.unknown, PW_TCP), "443", "so that this port is unknown");
	is_str(ports(pw_matrix_ports(matrix), reach.unknown, PW_UDP), "", "and no other");
}

static void test_forgotten_dns(void)
{
	static const char objects[] =
		"{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}}\n---\n"
		"{apiVersion: v1, kind: Pod, metadata: {name: shut, namespace: quiet, labels: {app: shut}}}\n---\n"
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: quiet}, spec: {podSelector: {}, egress: [{to: [{podSelector: {}}]}]}}\n";
	struct pw_err err = PW_ERR_INIT;
	const char *text;

	if (model_add(facts, arena, objects, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_finish(facts);
	text = advise("quiet", "shut", "bank", "lone", 1);
	ok(strstr(text, "What isolates quiet/shut for egress forgot DNS") && strstr(text, "k8s-app: kube-dns"), "an egress policy without DNS");
	ok(!strstr(advise("quiet", "shut", "kube-system", "dns", 53), "forgot DNS"), "not said when DNS itself is asked for");
	ok(!strstr(advise("bank", "lone", "quiet", "shut", 1), "forgot DNS"), "nor of a sender that nothing isolates");
}

static void test_ingress(void)
{
	static const char objects[] =
		"{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api}, ports: [{name: web, port: 80, targetPort: http}, {name: admin, port: 81, targetPort: 150}]}}\n---\n"
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {rules: [{http: {paths: [{backend: {service: {name: api, port: {name: web}}}}]}}]}}\n";
	static const char more[] =
		"{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: r, namespace: shop}, spec: {to: {kind: Service, name: api}, port: {targetPort: 150}}}\n---\n"
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: any, namespace: shop}, spec: {podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {}}]}]}}\n";
	struct pw_arena *other = pw_arena_new(1 << 24), *before = arena;
	struct pw_err err = PW_ERR_INIT;

	arena = other;
	facts = pw_facts_new(arena);
	pw_facts_set_templates(facts, true);
	if (model_add(facts, arena, world, &err) != PW_OK || model_add(facts, arena, objects, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_finish(facts);
	pw_matrix_release(matrix);
	matrix = pw_matrix_new(facts, arena, NULL);
	is_str(allowed("{ingress-controller}", "shop/api", PW_TCP), "", "a policy for certain pods does not admit an ingress controller");
	if (model_add(facts, arena, more, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_finish(facts);
	pw_matrix_release(matrix);
	matrix = pw_matrix_new(facts, arena, NULL);
	is_str(allowed("{ingress-controller}", "shop/api", PW_TCP), "150,8080", "one for all pods does, to the ports of Ingress and Route");
	is_str(allowed("{ingress-controller}", "bank/lone", PW_TCP), "", "nothing leads anywhere else");
	pw_matrix_release(matrix);
	matrix = NULL;
	pw_arena_free(other);
	arena = before;
}

int main(void)
{
	struct pw_err err = PW_ERR_INIT;

	arena = pw_arena_new(1 << 24);
	facts = pw_facts_new(arena);
	pw_facts_set_templates(facts, true);
	if (model_add(facts, arena, world, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_set_known(facts, PW_FACT_NAMESPACES, PW_KNOWN_YES, "");
	pw_facts_finish(facts);
	matrix = pw_matrix_new(facts, arena, NULL);
	test_sets();
	test_matrix();
	test_advice();
	test_lines();
	test_tiers();
	test_lines();
	test_unknown();
	test_forgotten_dns();
	test_ingress();
	pw_matrix_release(matrix);
	pw_arena_free(arena);
	return tap_done();
}
