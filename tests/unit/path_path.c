/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hops of a flow, and the drawings of them. */
#include <path/path.h>

#include "cluster_util.h"

static const char world[] =
	"{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}\n---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.244.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: n1}, status: {podIP: 10.244.1.2}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: near, namespace: shop}, spec: {nodeName: n1}, status: {podIP: 10.244.1.3}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}}, spec: {nodeName: n2, containers: [{name: main, ports: [{containerPort: 8080}]}]}, status: {podIP: 10.244.2.2}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, spec: {clusterIP: 10.96.0.10}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {clusterIP: 10.96.1.1, ports: [{port: 80}]}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: empty, namespace: shop}, spec: {clusterIP: 10.96.1.2, ports: [{port: 80}]}}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a, namespace: shop, labels: {kubernetes.io/service-name: api}}, ports: [{port: 8080}], "
	"endpoints: [{addresses: [10.244.1.3], nodeName: n1, targetRef: {kind: Pod, namespace: shop, name: near}}, {addresses: [10.244.2.2], nodeName: n2, targetRef: {kind: Pod, namespace: shop, name: api}}]}\n---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}]}]}}\n";

static struct pw_arena *arena;
static const struct pw_facts *facts;
static const struct pw_hop *hops;

static const char *ids(const struct pw_flow *flow)
{
	static struct pw_buf text;
	size_t n = pw_path_hops(facts, flow, arena, &hops);

	if (!text.max)
		pw_buf_init(&text, 4096);
	pw_buf_clear(&text);
	for (size_t i = 0; i < n; i++)
		pw_buf_printf(&text, "%s%s", i ? " " : "", hops[i].id);
	return pw_buf_str(&text);
}

static void test_hops(void)
{
	struct pw_flow flow = { .from = pw_facts_pod(facts, "shop", "web"), .service = pw_facts_service(facts, "shop", "api"), .protocol = "TCP", .port = 80 };

	is_str(ids(&flow), "resolver pod-out kube-proxy node-out overlay underlay node-in policy-in pod-in application", "to a Service, across nodes");
	is_str(hops[0].note, "asks 10.96.0.10 for api.shop.svc.cluster.local", "the lookup");
	is_str(hops[2].note, "10.96.1.1:80 becomes 10.244.2.2:8080 (one of 2 ready)", "the translation");
	is_str(hops[3].note, "routes 10.244.2.0/24 towards n2", "the route");
	is_str(hops[5].note, "192.168.0.1 to 192.168.0.2", "the machines");
	is_str(hops[7].note, "allowed by shop/p, rule 1", "the policy that has a say");
	is_str(hops[9].note, "container main listens on 8080/TCP", "the application");
	flow.to = pw_facts_pod(facts, "shop", "near");
	is_str(ids(&flow), "resolver pod-out kube-proxy node-out pod-in application", "to the endpoint on the same node");
	flow.to = NULL;
	flow.service = pw_facts_service(facts, "shop", "empty");
	is_str(ids(&flow), "resolver pod-out kube-proxy", "a Service without endpoints ends there");
	is_str(hops[2].note, "10.96.1.2:80 has no ready endpoint (0 not ready)", "and says so");
	flow.service = NULL;
	flow.to_address = "203.0.113.7";
	flow.port = 443;
	is_str(ids(&flow), "pod-out node-out underlay application", "to the outside");
	flow = (struct pw_flow){ .from_address = "203.0.113.7", .to = pw_facts_pod(facts, "shop", "api"), .port = 8080 };
	is_str(ids(&flow), "pod-out underlay node-in policy-in pod-in application", "from the outside");
	is_str(hops[3].note, "DENIED: shop/p isolates the pod and no rule allows this", "a policy that denies");
}

static const char *draw(const struct pw_hop *v, size_t n, const char *broken, enum pw_path_format format, bool utf8)
{
	static struct pw_buf text;

	if (!text.max)
		pw_buf_init(&text, 65536);
	pw_buf_clear(&text);
	pw_path_draw(v, n, broken, format, utf8, &text);
	return pw_buf_str(&text);
}

static void test_drawings(void)
{
	static const struct pw_hop few[] = {
		{ "pod-out", "Pod a/b", "node n1", "10.0.0.1" },
		{ "overlay", "Pod network", "CNI", "a note that is rather longer than one line of a terminal would have room for, so it is folded" },
		{ "application", "Evil \"\x1b[31m<b>", "", "" },
	};
	struct pw_flow flow = { .from = pw_facts_pod(facts, "shop", "web"), .service = pw_facts_service(facts, "shop", "api"), .port = 80 };
	size_t n = pw_path_hops(facts, &flow, arena, &hops), longest = 0;

	is_str(draw(few, 3, "overlay", PW_PATH_TEXT, false),
	       "  o  pod-out      Pod a/b, node n1\n"
	       "  |               10.0.0.1\n"
	       "  |\n"
	       "  X  overlay      Pod network, CNI <== BROKEN HERE\n"
	       "  :               a note that is rather longer than one line of a terminal\n"
	       "  :               would have room for, so it is folded\n"
	       "  :\n"
	       "  .  application  Evil \"\\x1b[31m<b>\n", "ASCII, with the broken hop marked");
	ok(strstr(draw(few, 3, NULL, PW_PATH_TEXT, true), "\u25cf  pod-out") != NULL, "UTF-8");
	ok(strstr(draw(few, 3, "conntrack", PW_PATH_TEXT, false), "BROKEN AT conntrack, which is not on this drawing\n") != NULL, "a hop that is not drawn is named");
	for (const char *line = draw(hops, n, NULL, PW_PATH_TEXT, false); *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > longest)
			longest = strcspn(line, "\n");
	ok(longest < 80, "fits 80 columns (%zu)", longest);
	is_str(draw(few, 3, "overlay", PW_PATH_MERMAID, false),
	       "flowchart TD\n  h0[\"Pod a/b<br/>node n1<br/>10.0.0.1\"]\n"
	       "  h1[\"Pod network<br/>CNI<br/>a note that is rather longer than one line of a terminal would have room for, so it is folded<br/>BROKEN HERE\"]\n"
	       "  h2[\"Evil #quot;#92;x1b[31m&lt;b&gt;\"]\n  h0 --> h1\n  h1 --> h2\n  style h1 stroke:#c00,stroke-width:3px\n", "Mermaid");
	ok(strstr(draw(few, 3, "overlay", PW_PATH_DOT, false), "\"pod-out\" -> \"overlay\";\n") != NULL, "DOT");
	ok(strstr(draw(few, 3, "overlay", PW_PATH_DOT, false), "label=\"Evil \\\"\\\\x1b[31m&lt;b&gt;\"") != NULL, "DOT labels are quoted");
}

int main(void)
{
	arena = pw_arena_new(1 << 24);
	facts = model(arena, world);
	test_hops();
	test_drawings();
	pw_arena_free(arena);
	return tap_done();
}
