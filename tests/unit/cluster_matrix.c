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

static const char *ports(const struct pw_portset *set)
{
	static char text[256];
	struct pw_buf out;

	pw_buf_init(&out, 65536);
	pw_portset_print(set, &out);
	(void)snprintf(text, sizeof(text), "%s", pw_buf_str(&out));
	pw_buf_release(&out);
	return text;
}

static void test_sets(void)
{
	struct pw_portset a, b;

	ok(pw_portset_parse("1-79,81-65535", &a), "a list with ranges");
	is_str(ports(&a), "1-79,81-65535", "is printed as it was");
	pw_portset_clear(&b);
	pw_portset_add(&b, 80, 80);
	pw_portset_or(&a, &b);
	ok(pw_portset_full(&a), "with the missing one it is full");
	is_str(ports(&a), "all", "and printed as all");
	pw_portset_minus(&a, &b);
	ok(!pw_portset_holds(&a, &b) && !pw_portset_full(&a), "without it it is not");
	pw_portset_and(&b, &a);
	ok(pw_portset_empty(&b), "nothing in common");
	pw_portset_clear(&b);
	pw_portset_add(&b, 63, 129);
	is_str(ports(&b), "63-129", "a range over word borders");
	pw_portset_add(&b, 65535, 65535);
	is_str(ports(&b), "63-129,65535", "the last port");
	ok(!pw_portset_parse("0", &b) && !pw_portset_parse("5-4", &b) && !pw_portset_parse("1,", &b) && !pw_portset_parse("", &b) &&
	   !pw_portset_parse("65536", &b) && !pw_portset_parse("a", &b), "no lists of ports");
}

static const char *allowed(const char *from, const char *to, int protocol)
{
	struct pw_group a, b;
	struct pw_portsets sets;
	struct pw_err err = PW_ERR_INIT;

	if (pw_matrix_find(matrix, from, &a, &err) != PW_OK || pw_matrix_find(matrix, to, &b, &err) != PW_OK) {
		printf("# %s\n", err.text);
		return "(not found)";
	}
	pw_matrix_allowed(matrix, &a, &b, &sets);
	return ports(&sets.of[protocol]);
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
	matrix = pw_matrix_new(facts, arena);
	is_str(allowed("bank/lone", "shop/api", PW_TCP), "31-40,8080", "admin rules before a NetworkPolicy that denies the rest");
	is_str(allowed("shop/web-2", "shop/api", PW_TCP), "31-40,100-200,8080", "or allows some of it");
	is_str(allowed("shop/web-2", "bank/lone", PW_TCP), "1-21,23-24,31-40,101-65535", "without one, the baseline behind them");
	is_str(allowed("shop/web-2", "10.200.0.0/16", PW_SCTP), "", "networks outside");
	is_int(pw_matrix_outside(matrix, &ranges), 6, "cut at the networks of cluster policies too");
	ok(strstr(advise("shop", "web-2", "bank", "lone", 22), "denied, rule ingress[0] (no-ssh) of AdminNetworkPolicy a\n") != NULL, "which the advice names");
	ok(strstr(advise("shop", "web-2", "bank", "lone", 22), "were not there; a NetworkPolicy cannot open it.\n") != NULL, "and says what cannot help");
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
	matrix = pw_matrix_new(facts, arena);
	is_str(allowed("{ingress-controller}", "shop/api", PW_TCP), "", "a policy for certain pods does not admit an ingress controller");
	if (model_add(facts, arena, more, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_finish(facts);
	matrix = pw_matrix_new(facts, arena);
	is_str(allowed("{ingress-controller}", "shop/api", PW_TCP), "150,8080", "one for all pods does, to the ports of Ingress and Route");
	is_str(allowed("{ingress-controller}", "bank/lone", PW_TCP), "", "nothing leads anywhere else");
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
	matrix = pw_matrix_new(facts, arena);
	test_sets();
	test_matrix();
	test_advice();
	test_tiers();
	test_ingress();
	pw_arena_free(arena);
	return tap_done();
}
