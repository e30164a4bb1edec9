/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetworkPolicy: what is asked of one connection. */
#include "cluster_util.h"

static const char world[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}\n---\n"
	"{apiVersion: v1, kind: Namespace, metadata: {name: bank, labels: {team: b}}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.244.1.2, hostIP: 192.168.0.1}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}}, spec: {nodeName: n2, containers: [{name: c, ports: [{name: http, containerPort: 8080}, {name: http, containerPort: 8081, protocol: UDP}]}]}, status: {podIP: 10.244.2.2, hostIP: 192.168.0.2}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: teller, namespace: bank, labels: {app: web}}, spec: {nodeName: n2}, status: {podIP: 10.244.2.3, hostIP: 192.168.0.2}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: shop, labels: {app: web}}, spec: {nodeName: n1, hostNetwork: true}, status: {podIP: 192.168.0.1, hostIP: 192.168.0.1}}\n";

struct ask {
	struct pw_arena *arena;
	struct pw_facts *facts;
	struct pw_policy_answer answer;
};

static void setup(struct ask *ask, const char *policies)
{
	struct pw_err err = PW_ERR_INIT;

	ask->arena = pw_arena_new(1 << 24);
	ask->facts = model(ask->arena, world);
	if (policies && model_add(ask->facts, ask->arena, policies, &err) != PW_OK)
		printf("# %s\n", err.text);
	pw_facts_set_known(ask->facts, PW_FACT_POLICIES, PW_KNOWN_YES, "");
	pw_facts_finish(ask->facts);
}

static struct pw_peer peer(const struct ask *ask, const char *text)
{
	struct pw_peer end = { NULL, text };
	char ns[32];
	const char *slash = strchr(text, '/');

	if (!slash)
		return end;
	(void)snprintf(ns, sizeof(ns), "%.*s", (int)(slash - text), text);
	end.pod = pw_facts_pod(ask->facts, ns, slash + 1);
	return end;
}

static bool allowed(struct ask *ask, const char *from, const char *to, const char *protocol, uint16_t port)
{
	struct pw_peer a = peer(ask, from), b = peer(ask, to);

	pw_policy_ask(ask->facts, &a, &b, protocol, port, &ask->answer);
	return ask->answer.allowed;
}

#define POLICY(name, ns, spec) "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " name ", namespace: " ns "}, spec: " spec "}\n"

static void test_open(void)
{
	struct ask ask;

	setup(&ask, NULL);
	ok(allowed(&ask, "shop/web", "shop/api", "TCP", 8080), "without policies all is open");
	ok(!ask.answer.ingress.isolated && !ask.answer.ingress.policy && !ask.answer.ingress.undecidable, "and nothing decided it");
	pw_arena_free(ask.arena);
}

static void test_ingress(void)
{
	struct ask ask;

	setup(&ask, POLICY("deny", "shop", "{podSelector: {}}") "---\n"
		    POLICY("from-web", "shop", "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}, {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}]}"));
	ok(allowed(&ask, "shop/web", "shop/api", "TCP", 8080), "a rule that matches allows");
	is_str(ask.answer.ingress.policy->meta.name, "from-web", "and is named");
	is_int(ask.answer.ingress.rule, 1, "with its rule");
	ok(!ask.answer.egress.isolated, "policies without policyTypes and egress rules do not isolate egress");
	ok(!allowed(&ask, "shop/web", "shop/api", "TCP", 9090), "another port is denied");
	is_str(ask.answer.ingress.policy->meta.name, "deny", "a denial names a policy that isolates");
	ok(!allowed(&ask, "shop/web", "shop/api", "UDP", 8081), "a named port goes by protocol too");
	ok(!allowed(&ask, "bank/teller", "shop/api", "TCP", 8080), "a pod selector alone is about the policy's namespace");
	ok(allowed(&ask, "203.0.113.9", "shop/api", "TCP", 1), "an address in a block, any port");
	is_str(ask.answer.egress.exempt, "outside the cluster", "the outside has no policies");
	ok(!allowed(&ask, "203.0.114.9", "shop/api", "TCP", 1), "an address outside it");
	ok(allowed(&ask, "shop/api", "shop/api", "TCP", 1), "a pod always reaches itself");
	pw_arena_free(ask.arena);
}

static void test_host_network(void)
{
	struct ask ask;

	setup(&ask, POLICY("deny", "shop", "{podSelector: {}, policyTypes: [Ingress, Egress]}") "---\n"
		    POLICY("web", "shop", "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"));
	ok(!allowed(&ask, "shop/agent", "shop/api", "TCP", 1), "no selector sees a host-network pod");
	is_str(ask.answer.egress.exempt, "host network", "no policy isolates it");
	ok(allowed(&ask, "bank/teller", "shop/agent", "TCP", 1), "it takes what comes");
	ok(allowed(&ask, "shop/agent", "shop/web", "TCP", 1), "pods take what comes from their own node");
	is_str(ask.answer.ingress.exempt, "own node", "and the answer says so");
	ok(allowed(&ask, "192.168.0.1", "shop/web", "TCP", 1), "the node by its address");
	ok(!allowed(&ask, "192.168.0.2", "shop/web", "TCP", 1), "but not another node");
	pw_arena_free(ask.arena);
}

static void test_egress(void)
{
	struct ask ask;

	setup(&ask, POLICY("out", "shop", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: ["
			   "{to: [{namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [b, c]}]}, podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: old, operator: DoesNotExist}, {key: app, operator: NotIn, values: [db]}]}}], ports: [{port: 100, endPort: 200}, {protocol: UDP}]},"
			   "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 198.51.100.0/24]}}]}]}"));
	ok(allowed(&ask, "shop/web", "bank/teller", "TCP", 100) && allowed(&ask, "shop/web", "bank/teller", "TCP", 200), "both ends of a port range");
	ok(!allowed(&ask, "shop/web", "bank/teller", "TCP", 99) && !allowed(&ask, "shop/web", "bank/teller", "TCP", 201), "and beyond them");
	ok(allowed(&ask, "shop/web", "bank/teller", "UDP", 7), "a protocol without a port is any port");
	ok(!allowed(&ask, "shop/web", "bank/teller", "SCTP", 100), "a protocol that is not listed");
	ok(!allowed(&ask, "shop/web", "shop/api", "TCP", 100), "a namespace that does not match");
	ok(allowed(&ask, "shop/web", "192.0.2.1", "TCP", 443) && !allowed(&ask, "shop/web", "198.51.100.1", "TCP", 443), "a block and its holes");
	ok(allowed(&ask, "shop/api", "shop/web", "TCP", 1), "the egress of one pod is not the ingress of another");
	pw_arena_free(ask.arena);
}

static void test_defaults(void)
{
	struct ask ask;

	setup(&ask, POLICY("p", "shop", "{podSelector: {matchLabels: {app: web}}, egress: [{}]}"));
	ok(allowed(&ask, "shop/web", "shop/api", "TCP", 1) && ask.answer.egress.isolated, "egress rules without policyTypes isolate egress");
	ok(!allowed(&ask, "shop/api", "shop/web", "TCP", 1), "and ingress");
	pw_arena_free(ask.arena);
	setup(&ask, POLICY("p", "shop", "{podSelector: {}, ingress: [{from: [], ports: []}]}"));
	ok(allowed(&ask, "bank/teller", "shop/web", "TCP", 1), "empty lists of peers and ports mean any");
	pw_arena_free(ask.arena);
}

static void test_unknown(void)
{
	struct ask ask;

	setup(&ask, POLICY("p", "shop", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}]}, {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ghost}}}]}]}") "---\n"
		    "{apiVersion: v1, kind: Pod, metadata: {name: g, namespace: ghost}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: h, namespace: phantom}}");
	pw_facts_set_known(ask.facts, PW_FACT_NAMESPACES, PW_KNOWN_DENIED, "not permitted");
	ok(!allowed(&ask, "phantom/h", "shop/web", "TCP", 1) && ask.answer.ingress.undecidable, "a namespace whose labels are not known may match");
	ok(allowed(&ask, "ghost/g", "shop/web", "TCP", 1) && !ask.answer.ingress.undecidable, "its name is known");
	pw_facts_set_known(ask.facts, PW_FACT_NAMESPACES, PW_KNOWN_YES, "");
	ok(!allowed(&ask, "phantom/h", "shop/web", "TCP", 1) && !ask.answer.ingress.undecidable, "if all were read it has no labels");
	pw_facts_set_known(ask.facts, PW_FACT_POLICIES, PW_KNOWN_DENIED, "not permitted");
	ok(allowed(&ask, "shop/web", "bank/teller", "TCP", 1) && ask.answer.ingress.undecidable, "policies that were not read could close");
	ok(allowed(&ask, "ghost/g", "shop/web", "TCP", 1) && !ask.answer.ingress.undecidable, "what one policy allows no other takes away");
	pw_arena_free(ask.arena);
}

#define CLUSTER(kind, version, name, spec) "{apiVersion: policy.networking.k8s.io/" version ", kind: " kind ", metadata: {name: " name "}, spec: " spec "}\n"
#define ADMIN(name, spec) CLUSTER("AdminNetworkPolicy", "v1alpha1", name, spec)
#define ALL_PODS "subject: {namespaces: {}}"

static void test_tiers(void)
{
	struct ask ask;

	setup(&ask, ADMIN("late", "{priority: 20, " ALL_PODS ", ingress: [{action: Deny, from: [{namespaces: {}}]}]}") "---\n"
		    ADMIN("early", "{priority: 10, subject: {pods: {namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: api}}}}, ingress: ["
			  "{name: open, action: Allow, from: [{namespaces: {matchLabels: {team: b}}}], ports: [{portNumber: {port: 80}}, {portRange: {protocol: UDP, start: 10, end: 20}}]},"
			  "{action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}], ports: [{namedPort: http}]}]}"));
	ok(allowed(&ask, "bank/teller", "shop/api", "TCP", 80), "the lower priority number decides");
	is_str(ask.answer.ingress.cluster_policy->meta.name, "early", "and is named");
	ok(allowed(&ask, "bank/teller", "shop/api", "UDP", 20) && !allowed(&ask, "bank/teller", "shop/api", "UDP", 21), "a port range");
	is_str(ask.answer.ingress.cluster_policy->meta.name, "late", "what no rule of the first matches, the next decides");
	ok(allowed(&ask, "shop/web", "shop/api", "TCP", 8080), "Pass leaves the tier");
	ok(!ask.answer.ingress.cluster_policy && !ask.answer.ingress.isolated, "and nothing behind it decides");
	ok(!allowed(&ask, "shop/web", "shop/api", "TCP", 80), "a named port is no other port");
	ok(allowed(&ask, "203.0.113.9", "shop/api", "TCP", 80), "an address outside is in no namespace");
	ok(allowed(&ask, "shop/api", "shop/agent", "TCP", 80), "host-network pods are no subjects");
	pw_arena_free(ask.arena);

	setup(&ask, CLUSTER("ClusterNetworkPolicy", "v1alpha2", "base", "{tier: Baseline, priority: 1, " ALL_PODS ", egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}], protocols: [{tcp: {}}]}]}") "---\n"
		    CLUSTER("ClusterNetworkPolicy", "v1alpha2", "admin", "{tier: Admin, priority: 1, " ALL_PODS ", egress: [{action: Accept, to: [{networks: [198.51.100.0/24]}], protocols: [{tcp: {destinationPort: {range: {start: 1, end: 99}}}}]}]}") "---\n"
		    POLICY("web", "shop", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}"));
	ok(allowed(&ask, "shop/web", "198.51.100.1", "TCP", 99), "Accept of the admin tier comes before NetworkPolicies");
	ok(!allowed(&ask, "shop/web", "198.51.100.1", "TCP", 100) && ask.answer.egress.policy, "which decide what it leaves");
	ok(allowed(&ask, "shop/web", "192.0.2.1", "TCP", 5), "the baseline is not asked for a pod that a NetworkPolicy selects");
	ok(!allowed(&ask, "shop/api", "192.0.2.1", "TCP", 5), "but for all others");
	is_str(ask.answer.egress.cluster_policy->meta.name, "base", "by name");
	ok(allowed(&ask, "shop/api", "192.0.2.1", "UDP", 5), "for its protocols");
	pw_arena_free(ask.arena);

	setup(&ask, ADMIN("nodes", "{priority: 1, " ALL_PODS ", egress: [{action: Deny, to: [{nodes: {matchLabels: {role: db}}}]}]}") "---\n"
		    "{apiVersion: v1, kind: Node, metadata: {name: n9, labels: {role: db}}, status: {addresses: [{type: InternalIP, address: 192.168.0.9}]}}");
	ok(!allowed(&ask, "shop/web", "192.168.0.9", "TCP", 5) && allowed(&ask, "shop/web", "192.168.0.8", "TCP", 5), "nodes by their labels");
	pw_arena_free(ask.arena);
}

static void refused(const char *text, const char *want)
{
	struct pw_arena *arena = pw_arena_new(1 << 22);
	struct pw_facts *facts = pw_facts_new(arena);
	struct pw_err err = PW_ERR_INIT;

	pw_facts_set_strict(facts, true);
	(void)model_add(facts, arena, text, &err);
	is_str(err.text, want, want);
	pw_arena_free(arena);
}

#define BASELINE(name, spec) CLUSTER("BaselineAdminNetworkPolicy", "v1alpha1", name, spec)
#define CNP(spec) CLUSTER("ClusterNetworkPolicy", "v1alpha2", "c", spec)
#define RULE(rule) "{priority: 1, " ALL_PODS ", ingress: [" rule "]}"

static void test_refused_cluster(void)
{
	refused(ADMIN("a", "{priority: 1001, " ALL_PODS "}"), "AdminNetworkPolicy a: spec.priority: must be a number from 0 to 1000");
	refused(ADMIN("a", "{priority: 1, subject: }"), "AdminNetworkPolicy a: spec.subject: exactly one of namespaces, pods must be given");
	refused(ADMIN("a", "{priority: 1, subject: {namespaces: {}, pods: {}}}"), "AdminNetworkPolicy a: spec.subject: exactly one of namespaces, pods must be given");
	refused(ADMIN("a", RULE("{action: Ok, from: [{namespaces: {}}]}")), "AdminNetworkPolicy a: spec.ingress[0].action: \"Ok\" is not one of Allow, Deny, Pass");
	refused(ADMIN("a", RULE("{action: Deny}")), "AdminNetworkPolicy a: spec.ingress[0].from: must be given and hold at least one peer");
	refused(ADMIN("a", RULE("{action: Deny, from: [{networks: [10.0.0.0/8]}]}")), "AdminNetworkPolicy a: spec.ingress[0].from[0]: exactly one of namespaces, pods must be given");
	refused(ADMIN("a", RULE("{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 1}, namedPort: a}]}")),
		"AdminNetworkPolicy a: spec.ingress[0].ports[0]: exactly one of portNumber, portRange, namedPort must be given");
	refused(ADMIN("a", RULE("{action: Deny, from: [{namespaces: {}}], ports: [{portRange: {start: 10, end: 1}}]}")),
		"AdminNetworkPolicy a: spec.ingress[0].ports[0].portRange: end (1) must not be less than start (10)");
	refused(BASELINE("other", "{" ALL_PODS "}"), "BaselineAdminNetworkPolicy other: metadata.name: must be \"default\": there is only one in a cluster");
	refused(BASELINE("default", "{" ALL_PODS ", egress: [{action: Pass, to: [{namespaces: {}}]}]}"),
		"BaselineAdminNetworkPolicy default: spec.egress[0].action: \"Pass\" is not one of Allow, Deny");
	refused(BASELINE("default", "{" ALL_PODS ", egress: [{action: Deny, to: [{networks: ['zc00::/8']}]}]}"),
		"BaselineAdminNetworkPolicy default: spec.egress[0].to[0].networks[0]: \"zc00::/8\" is not an address block (such as 10.9.8.0/24 or 2001:db8::/64)");
	refused(CNP("{priority: 1, tier: admin, " ALL_PODS "}"), "ClusterNetworkPolicy c: spec.tier: \"admin\" is not one of Admin, Baseline");
	refused(CNP("{priority: 1, tier: Admin, " ALL_PODS ", ingress: [{action: Accept, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 0}}}]}]}"),
		"ClusterNetworkPolicy c: spec.ingress[0].protocols[0].tcp.destinationPort.number: must be a port number (1 to 65535)");
	refused(CNP("{priority: 0, tier: Baseline, " ALL_PODS ", egress: [{action: Pass, to: [{domainNames: [a.b]}], protocols: [{destinationNamedPort: a}, {udp: {}}]}]}"), "");
}

static void test_strict(const char *spec, const char *want)
{
	struct pw_arena *arena = pw_arena_new(1 << 22);
	struct pw_facts *facts = pw_facts_new(arena);
	struct pw_err err = PW_ERR_INIT;
	char text[1024];
	int rc;

	(void)snprintf(text, sizeof(text), POLICY("p", "shop", "%s"), spec);
	pw_facts_set_strict(facts, true);
	rc = model_add(facts, arena, text, &err);
	is_int(rc, want[0] ? PW_SYNTAX : PW_OK, spec);
	is_str(err.text, want, spec);
	pw_arena_free(arena);
}

static void test_refused(void)
{
	test_strict("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0/8}}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].from[0].ipBlock.cidr: \"10.0.0/8\" is not an address block (such as 10.9.8.0/24 or 2001:db8::/64)");
	test_strict("{podSelector: {}, ingress: [{from: [{ipBlock: {}}]}]}", "NetworkPolicy shop/p: spec.ingress[0].from[0].ipBlock.cidr: must be given");
	test_strict("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
		    "NetworkPolicy shop/p: spec.egress[0].to[0].ipBlock.except[0]: \"10.0.0.0/8\" must be a strict subset of cidr");
	test_strict("{podSelector: {}, ingress: [{from: [{}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].from[0]: must give a peer: podSelector, namespaceSelector or ipBlock");
	test_strict("{podSelector: {}, ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].from[0]: may not give both ipBlock and a selector");
	test_strict("{podSelector: {}, ingress: [{ports: [{protocol: tcp}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].ports[0].protocol: \"tcp\" is not one of TCP, UDP, SCTP");
	test_strict("{podSelector: {}, ingress: [{ports: [{port: 0}]}]}", "NetworkPolicy shop/p: spec.ingress[0].ports[0].port: 0 is not a port number (1 to 65535)");
	test_strict("{podSelector: {}, ingress: [{ports: [{port: '80'}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].ports[0].port: \"80\" is neither a port number nor a port name (at most 15 lower case letters, digits and '-', with a letter)");
	test_strict("{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 79}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].ports[0].endPort: must not be less than port (79 is less than 80)");
	test_strict("{podSelector: {}, ingress: [{ports: [{port: http, endPort: 90}]}]}",
		    "NetworkPolicy shop/p: spec.ingress[0].ports[0].endPort: may not be given when port is a name (\"http\")");
	test_strict("{podSelector: {}, ingress: [{ports: [{endPort: 90}]}]}", "NetworkPolicy shop/p: spec.ingress[0].ports[0].endPort: may not be given when port is not");
	test_strict("{podSelector: {}, policyTypes: [ingress]}", "NetworkPolicy shop/p: spec.policyTypes[0]: \"ingress\" is not one of Ingress, Egress");
	test_strict("{podSelector: {matchExpressions: [{key: a, operator: Is}]}}",
		    "NetworkPolicy shop/p: spec.podSelector.matchExpressions[0].operator: \"Is\" is not one of In, NotIn, Exists, DoesNotExist");
	test_strict("{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
		    "NetworkPolicy shop/p: spec.podSelector.matchExpressions[0].values: must be given with operator In");
	test_strict("{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
		    "NetworkPolicy shop/p: spec.podSelector.matchExpressions[0].values: must not be given with operator Exists");
	test_strict("{podSelector: {matchLabels: {a: true}}}", "NetworkPolicy shop/p: spec.podSelector.matchLabels.a: must be a string: put quotes around it");
	test_strict("{podSelector: {matchLabels: {'a b': c}}}", "NetworkPolicy shop/p: spec.podSelector.matchLabels: \"a b\" is not a valid label key ([PREFIX/]NAME)");
	test_strict("{podSelector: {}, ingress: {}}", "NetworkPolicy shop/p: spec.ingress: must be a list");
	test_strict("{podSelector: {matchLabels: {a: 'true', b: ''}}, ingress: [{}, {from: [], ports: [{port: 80, endPort: 80}, {port: a-1}, {protocol: SCTP}]}], egress: []}", "");
}

int main(void)
{
	test_open();
	test_ingress();
	test_host_network();
	test_egress();
	test_defaults();
	test_unknown();
	test_tiers();
	test_refused();
	test_refused_cluster();
	return tap_done();
}
