/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calico's and Cilium's policies: one connection at a time, and over whole port sets, which have to agree. */
#include <cluster/expr.h>
#include <cluster/matrix.h>
#include <cluster/policy.h>

#include "cluster_util.h"

#include <stdlib.h>

#define POD(ns, name, ip) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: " ns ", labels: {app: " name "}}, " \
	"spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}, status: {podIP: " ip "}}\n---\n"
static const char world[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: bank}}\n---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}\n---\n"
	POD("shop", "web", "10.0.0.1") POD("shop", "api", "10.0.0.2") POD("bank", "teller", "10.0.1.1");

static struct pw_facts *facts;

static const char *ask(const char *from, const char *to, const char *protocol, unsigned port)
{
	static char text[128];
	struct pw_peer ends[2] = { { NULL, from }, { NULL, to } };
	struct pw_policy_answer answer;
	const struct pw_ruling *ruling;
	enum pw_truth verdict;

	for (int i = 0; i < 2; i++) {
		const char *slash = strchr(ends[i].address, '/');

		if (slash)
			ends[i].pod = pw_facts_pod(facts, strncmp(ends[i].address, "shop", 4) == 0 ? "shop" : "bank", slash + 1);
	}
	pw_policy_ask(facts, &ends[0], &ends[1], protocol, (uint16_t)port, &answer);
	verdict = pw_policy_verdict(&answer);
	ruling = answer.egress.undecidable ? &answer.egress : &answer.ingress;
	if (verdict != PW_MAYBE)
		return verdict == PW_YES ? "allow" : "deny";
	(void)snprintf(text, sizeof(text), "unknown: %s %s", ruling->unclear ? ruling->unclear->meta.name : "", ruling->unclear ? ruling->unclear_field : "");
	return text;
}

/* The matrix has no reasons; what it says of each pair is what the question says. */
static unsigned disagreements(struct pw_arena *arena)
{
	static const char *const ends[] = { "shop/web", "shop/api", "bank/teller", "203.0.113.9", "10.9.9.9", "192.168.0.1" };
	static const unsigned ports[] = { 22, 53, 80, 150, 443, 8080, 9090 };
	struct pw_matrix *matrix = pw_matrix_new(facts, arena, NULL);
	struct pw_ports_pool *pool = pw_matrix_ports(matrix);
	struct pw_err err = PW_ERR_INIT;
	unsigned wrong = 0;

	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++) {
			struct pw_group a, b;
			struct pw_reach reach;

			if (pw_matrix_find(matrix, ends[i], &a, &err) != PW_OK || pw_matrix_find(matrix, ends[j], &b, &err) != PW_OK)
				return 9999;
			reach = pw_matrix_allowed(matrix, &a, &b);
			for (size_t k = 0; k < 7 * PW_PROTOCOLS; k++) {
				uint32_t one = pw_ports_range(pool, (int)(k % PW_PROTOCOLS), ports[k / PW_PROTOCOLS], ports[k / PW_PROTOCOLS]);
				const char *want = ask(ends[i], ends[j], pw_protocol_words[k % PW_PROTOCOLS], ports[k / PW_PROTOCOLS]);
				char got = pw_ports_and(pool, reach.allowed, one) != PW_PORTS_NONE ? 'a' : pw_ports_and(pool, reach.unknown, one) != PW_PORTS_NONE ? 'u' : 'd';

				if (got == want[0])
					continue;
				wrong++;
				printf("# %s to %s, %s %u: %s, but the matrix says %c\n", ends[i], ends[j], pw_protocol_words[k % PW_PROTOCOLS], ports[k / PW_PROTOCOLS], want, got);
			}
		}
	pw_matrix_release(matrix);
	return wrong;
}

static void load(struct pw_arena *arena, const char *policies)
{
	struct pw_err err = PW_ERR_INIT;

	facts = pw_facts_new(arena);
	if (model_add(facts, arena, world, &err) != PW_OK || model_add(facts, arena, policies, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_set_known(facts, PW_FACT_POLICIES, PW_KNOWN_YES, "");
	pw_facts_finish(facts);
}

#define CNP(name, spec) "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: " name ", namespace: shop}, spec: " spec "}\n---\n"
#define API "endpointSelector: {matchLabels: {'k8s:app': api}}, "
#define WEB "endpointSelector: {matchLabels: {app: web}}, "

static void test_cilium(struct pw_arena *arena)
{
	load(arena, CNP("api", "{" API "ingress: [{fromEndpoints: [{matchLabels: {app: web}}], toPorts: [{ports: [{port: http, protocol: TCP}, {port: '100', endPort: 200}]}]},"
			" {fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': bank}}]}, {fromCIDRSet: [{cidr: 203.0.0.0/8, except: [203.0.113.128/25]}, {cidr: 10.0.0.0/8}], toPorts: [{ports: [{port: '80'}]}]}]}")
		    CNP("shut", "{" API "ingressDeny: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '150', protocol: TCP}]}]}]}"));
	is_str(ask("shop/web", "shop/api", "TCP", 8080), "allow", "a named port");
	is_str(ask("shop/web", "shop/api", "SCTP", 120), "allow", "a range, of any protocol");
	is_str(ask("shop/web", "shop/api", "TCP", 150), "deny", "what a policy denies none allows");
	is_str(ask("bank/teller", "shop/api", "TCP", 22), "allow", "another namespace, by its label");
	is_str(ask("203.0.113.9", "shop/api", "UDP", 80), "allow", "a block");
	is_str(ask("203.0.113.129", "shop/api", "UDP", 80), "deny", "and its hole");
	is_str(ask("shop/web", "shop/api", "UDP", 80), "deny", "no block holds pods");
	is_str(ask("shop/api", "shop/web", "TCP", 1), "allow", "the other direction is nobody's");
	is_int(disagreements(arena), 0, "the matrix agrees");

	load(arena, CNP("out", "{" WEB "egress: [{toEntities: [cluster]}, {toFQDNs: [{matchName: www.example.test}], toPorts: [{ports: [{port: '443', protocol: TCP}]}]},"
			" {toEntities: [world], toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]},"
			" {toEntities: [world], toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]}]}"));
	is_str(ask("shop/web", "bank/teller", "TCP", 9090), "allow", "cluster: every pod");
	is_str(ask("shop/web", "192.168.0.1", "TCP", 22), "allow", "and every node");
	is_str(ask("shop/web", "203.0.113.9", "TCP", 443), "unknown: out toFQDNs", "names are not evaluated");
	is_str(ask("shop/web", "203.0.113.9", "TCP", 80), "unknown: out toPorts.rules", "nor are rules of HTTP");
	is_str(ask("shop/web", "203.0.113.9", "UDP", 53), "allow", "names that are all let through ask for nothing");
	is_str(ask("shop/web", "203.0.113.9", "TCP", 22), "deny", "nothing speaks of it");
	is_int(disagreements(arena), 0, "the matrix agrees");

	load(arena, CNP("empty", "{" API "ingress: [{}]}") CNP("open", "{" WEB "enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEntities: [world]}]}")
		    CNP("odd", "{" WEB "egress: [{toWhatever: [x], toPorts: [{ports: [{port: '22'}]}]}]}")
		    "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: nodes}, spec: {nodeSelector: {}, ingress: [{}]}}\n---\n"
		    "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: wide}, specs: [{endpointSelector: {matchLabels: {io.cilium.k8s.namespace.labels.env: prod}}, egressDeny: [{toCIDR: [203.0.113.9]}]}]}\n");
	is_str(ask("bank/teller", "shop/api", "TCP", 1), "deny", "an empty rule allows nothing");
	is_str(ask("bank/teller", "shop/web", "TCP", 1), "allow", "denials alone need not isolate");
	is_str(ask("203.0.113.9", "shop/web", "TCP", 1), "deny", "but they deny");
	is_str(ask("shop/web", "bank/teller", "TCP", 22), "unknown: odd toWhatever", "a field that is not known is named");
	is_str(ask("shop/web", "bank/teller", "TCP", 23), "deny", "as far as it goes");
	is_str(ask("shop/api", "203.0.113.9", "TCP", 1), "deny", "a policy of the cluster, by its namespace's label and the second form");
	is_int(disagreements(arena), 0, "the matrix agrees");
}

#define GNP(name, spec) "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " name "}, spec: " spec "}\n---\n"
#define NP(name, spec) "{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy, metadata: {name: " name ", namespace: shop}, spec: " spec "}\n---\n"
#define KNP(spec) "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k, namespace: shop}, spec: " spec "}\n---\n"

static void test_calico(struct pw_arena *arena)
{
	load(arena, NP("early", "{order: 10, selector: app == 'api', ingress: [{action: Deny, protocol: TCP, source: {selector: app == 'web'}, destination: {ports: [22, '100:160']}}, {action: Log}]}")
		    NP("late", "{selector: has(app) && app != 'web', ingress: [{action: Allow, protocol: TCP, source: {namespaceSelector: projectcalico.org/name == 'bank'}, destination: {ports: [http]}},"
			       " {action: Deny, source: {selector: app == 'web'}}]}")
		    KNP("{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 22}, {port: 80}]}]}"));
	is_str(ask("shop/web", "shop/api", "TCP", 22), "deny", "one that comes first decides before NetworkPolicies");
	is_str(ask("shop/web", "shop/api", "TCP", 80), "allow", "which decide before one without an order");
	is_str(ask("bank/teller", "shop/api", "TCP", 8080), "allow", "which may allow what they did not");
	is_str(ask("bank/teller", "shop/api", "TCP", 8081), "deny", "what none of the tier allows is denied");
	is_int(disagreements(arena), 0, "the matrix agrees");

	load(arena, "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: first}, spec: {order: 100}}\n---\n{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: soft}, spec: {order: 200, defaultAction: Pass}}\n---\n"
		    GNP("first.a", "{tier: first, selector: app == 'api', types: [Ingress], ingress: [{action: Pass, protocol: TCP, destination: {ports: [80]}}, {action: Allow, protocol: 17, source: {nets: [203.0.113.0/24]}}]}")
		    GNP("soft.b", "{tier: soft, namespaceSelector: env == 'prod', egress: [{action: Deny, destination: {notNets: [10.0.0.0/8, '::/0']}}]}")
		    GNP("c", "{order: 5, selector: app == 'api', ingress: [{action: Allow, source: {selector: \"app in {'web', 'teller'}\"}}]}"));
	is_str(ask("shop/web", "shop/api", "TCP", 80), "allow", "passed to the next tier");
	is_str(ask("bank/teller", "shop/api", "TCP", 80), "allow", "whoever is selected there");
	is_str(ask("203.0.113.9", "shop/api", "TCP", 80), "unknown: c selector: network sets are not read", "an address may be one of a set that is selected");
	is_str(ask("203.0.113.9", "shop/api", "UDP", 9), "allow", "allowed by the first tier, its protocol by number");
	is_str(ask("shop/web", "shop/api", "TCP", 81), "deny", "what none of a tier matches is denied there");
	is_str(ask("shop/web", "203.0.113.9", "TCP", 443), "deny", "whatever is not in a block");
	is_str(ask("shop/web", "10.9.9.9", "TCP", 443), "allow", "a tier may pass what it does not match");
	is_int(disagreements(arena), 0, "the matrix agrees");

	load(arena, GNP("odd", "{selector: app == 'web', egress: [{action: Allow, protocol: TCP, destination: {services: {name: x}, ports: [80]}}, {action: Allow, protocol: TCP, destination: {nets: [10.0.0.0/8], selector: all()}}]}")
		    GNP("strange", "{selector: app ~ 'x', types: [Ingress], ingress: []}") GNP("lost", "{tier: nowhere, selector: app == 'teller', types: [Egress]}"));
	is_str(ask("shop/web", "203.0.113.9", "TCP", 80), "unknown: odd destination.services", "a field that is not evaluated is named");
	is_str(ask("shop/web", "203.0.113.9", "UDP", 80), "deny", "as far as it goes");
	is_str(ask("shop/api", "shop/web", "TCP", 1), "unknown: strange spec.selector", "so is a selector that is not understood");
	is_str(ask("shop/web", "10.9.9.9", "TCP", 1), "unknown: odd destination.nets beside a selector", "a block of a set");
	is_str(ask("bank/teller", "203.0.113.9", "TCP", 1), "unknown: lost spec.tier: the Tier is not among the objects", "and a tier that is not there");
	is_int(disagreements(arena), 0, "the matrix agrees");

	load(arena, NP("sets", "{selector: app == 'api', types: [Ingress, Egress], ingress: [{action: Deny, protocol: TCP, source: {selector: bad == 'yes'}, destination: {ports: [22]}}, {action: Allow, protocol: TCP}],"
			       " egress: [{action: Allow, protocol: TCP, destination: {selector: role == 'db', ports: [443]}}, {action: Allow, protocol: UDP, destination: {namespaceSelector: all()}}]}"));
	is_str(ask("shop/api", "203.0.113.9", "TCP", 443), "unknown: sets selector: network sets are not read", "a set of addresses has labels too");
	is_str(ask("shop/api", "192.168.0.1", "TCP", 443), "unknown: sets selector: network sets are not read", "a node's may be among them");
	is_str(ask("shop/api", "203.0.113.9", "UDP", 53), "unknown: sets selector: network sets are not read", "and is of a namespace");
	is_str(ask("shop/api", "203.0.113.9", "TCP", 80), "deny", "nothing speaks of that port");
	is_str(ask("shop/api", "shop/web", "TCP", 443), "deny", "a pod has its own labels");
	is_str(ask("203.0.113.9", "shop/api", "TCP", 22), "unknown: sets selector: network sets are not read", "nor is it known to be denied");
	is_str(ask("203.0.113.9", "shop/api", "TCP", 80), "allow", "what names nobody holds for all");
	is_int(disagreements(arena), 0, "the matrix agrees");
}

static bool matches(const char *text, const char *key, const char *value, struct pw_arena *arena)
{
	struct pw_label label = { key, value };
	struct pw_labels labels = { &label, 1 };
	const struct pw_expr *expr = pw_expr_parse(text, arena);

	return expr && pw_expr_match(expr, &labels);
}

static void test_expr(struct pw_arena *arena)
{
	static char deep[4096], wide[40000];
	size_t n = 0;

	ok(matches("", "a", "b", arena) && matches(" all() ", "a", "b", arena), "no selector, and all");
	ok(matches("a == 'b' && !has(c) || x == \"y\"", "a", "b", arena), "and before or");
	ok(!matches("(a == 'z' || a == 'b') && has(c)", "a", "b", arena), "parentheses");
	ok(matches("a != 'z'", "c", "", arena) && matches("a not in {'z'}", "c", "", arena), "a label that is not there is unequal");
	ok(matches("a in {'z', 'b'}", "a", "b", arena) && !matches("a in {}", "a", "b", arena), "sets");
	ok(matches("a contains 'x'", "a", "oxo", arena) && matches("a starts with 'ox'", "a", "oxo", arena) && matches("a ends with 'xo'", "a", "oxo", arena), "parts");
	ok(!matches("a ends with 'long'", "a", "ng", arena), "an end longer than the value");
	ok(!pw_expr_parse("a == b", arena) && !pw_expr_parse("a ==", arena) && !pw_expr_parse("a == 'b", arena) && !pw_expr_parse("(all()", arena) &&
	   !pw_expr_parse("all() all()", arena) && !pw_expr_parse("a in {'b' 'c'}", arena) && !pw_expr_parse("global()", arena) &&
	   !pw_expr_parse("projectcalico.org/serviceaccount == 'x'", arena), "what is not understood is no selector");
	memset(deep, '(', sizeof(deep) - 1);
	ok(!pw_expr_parse(deep, arena), "depth is bounded");
	for (unsigned i = 0; i < 3000; i++)
		n += (size_t)snprintf(wide + n, sizeof(wide) - n, "%sa != 'z'", i ? " && " : "");
	ok(n >= sizeof(wide) || matches(wide, "a", "b", arena), "length is not");
}

int main(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 26);

	test_expr(arena);
	test_cilium(arena);
	test_calico(arena);
	pw_arena_free(arena);
	return tap_done();
}
