/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input types: what text resolves to, and what is said when it does not. */
#include "cluster_util.h"

#define POD(name, ns, node, ip, more) \
	"{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: " ns ", labels: {app: " name "}" more "}, " \
	"spec: {nodeName: " node "}, status: {phase: Running, podIP: " ip ", hostIP: 192.168.0.1, conditions: [{type: Ready, status: 'True'}]}}\n---\n"

static const char world[] =
	"{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.244.1.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}], conditions: [{type: Ready, status: 'True'}]}}\n---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}\n---\n"
	POD("web", "shop", "n1", "10.244.1.2", "")
	POD("api-7d-x", "shop", "n1", "10.244.1.3", ", ownerReferences: [{kind: ReplicaSet, name: api-7d, controller: true}]")
	POD("teller", "bank", "n2", "10.244.2.2", "")
	POD("lonely", "bank", "n3", "10.244.3.2", "")
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, spec: {clusterIP: 10.96.0.10, ports: [{port: 53, protocol: UDP}]}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {clusterIP: 10.96.1.1, ports: [{name: http, port: 80, targetPort: http}, {name: m, port: 9090}]}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: head, namespace: shop}, spec: {clusterIP: None}}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a, namespace: shop, labels: {kubernetes.io/service-name: api}}, addressType: IPv4, ports: [{name: http, port: 8080}], "
	"endpoints: [{addresses: [10.244.2.9], nodeName: n2, conditions: {ready: false}}, {addresses: [10.244.1.3], nodeName: n1, targetRef: {kind: Pod, namespace: shop, name: api-7d-x}}]}\n";

static struct pw_arena *arena;
static const struct pw_facts *facts;
static char said[512];

static const struct pw_val *resolve(enum pw_type type, const char *text)
{
	struct pw_val *val = NULL;
	struct pw_err err = PW_ERR_INIT;

	(void)pw_input_type(type)->resolve(facts, "shop", text, arena, &val, &err);
	(void)snprintf(said, sizeof(said), "%s", err.text);
	return val;
}

static void is_field(const struct pw_val *val, const char *field, const char *want)
{
	is_str(pw_map_str(val, field, NULL), want, field[0] ? field : "canonical text");
}

static void all_fields(enum pw_type type, const struct pw_val *val)
{
	for (const char *const *field = pw_input_type(type)->fields; *field; field++)
		ok(pw_map_get(val, *field) != NULL, "%s of %s is there", *field, pw_type_word(type));
}

static void test_pod(void)
{
	const struct pw_val *web = resolve(PW_TYPE_POD, "web");

	all_fields(PW_TYPE_POD, web);
	is_field(web, "", "shop/web");
	is_field(web, "node_ip", "192.168.0.1");
	is_field(web, "peer", "shop/api-7d-x");
	is_field(web, "peer_ip", "10.244.1.3");
	is_field(web, "far", "bank/lonely");
	is_field(web, "far_node", "n3");
	is_field(web, "other_client", "shop/api-7d-x");
	is_field(resolve(PW_TYPE_POD, "bank/lonely"), "peer", "");
	is_field(resolve(PW_TYPE_POD, "10.244.2.2"), "", "bank/teller");
	is_field(resolve(PW_TYPE_POD, "deployment/api"), "", "shop/api-7d-x");
	is_field(resolve(PW_TYPE_POD, "shop/replicaset/api-7d"), "", "shop/api-7d-x");
	is_field(resolve(PW_TYPE_POD, "app=web"), "", "shop/web");
	is_field(resolve(PW_TYPE_POD, "bank/app=teller"), "", "bank/teller");
	ok(!resolve(PW_TYPE_POD, "shop/wbe"), "a slip");
	is_str(said, "there is no pod shop/wbe; did you mean shop/web?", "the nearest name");
	ok(!resolve(PW_TYPE_POD, "teller"), "a pod of another namespace");
	is_str(said, "there is no pod shop/teller; did you mean bank/teller?", "the same name elsewhere");
	ok(!resolve(PW_TYPE_POD, "shop/nothing-like-it"), "nothing near");
	is_str(said, "there is no pod shop/nothing-like-it", "says just that");
	ok(!resolve(PW_TYPE_POD, "a/b/c/d"), "no name at all");
	ok(!resolve(PW_TYPE_POD, "deployment/none"), "a workload without pods");
	is_str(said, "there is no pod of deployment/none in namespace shop", "names it");
}

static void test_service(void)
{
	const struct pw_val *api = resolve(PW_TYPE_SERVICE, "api"), *first;

	all_fields(PW_TYPE_SERVICE, api);
	is_field(api, "", "shop/api");
	is_field(api, "fqdn", "api.shop.svc.cluster.local");
	is_field(api, "dns_ip", "10.96.0.10");
	is_field(api, "target_port", "http");
	is_int(pw_map_int(api, "port", 0), 80, "the first port");
	is_int(pw_val_count(pw_map_get(api, "endpoints")), 1, "ready endpoints");
	is_int(pw_val_count(pw_map_get(api, "all_endpoints")), 2, "all endpoints");
	first = pw_val_get(api, "endpoints.0");
	is_field(first, "", "10.244.1.3:8080");
	is_field(first, "pod", "shop/api-7d-x");
	is_field(first, "node_ip", "192.168.0.1");
	is_field(api, "first_endpoint", "10.244.1.3:8080");
	is_int(pw_val_count(pw_map_get(api, "nodes")), 1, "nodes with ready endpoints");
	is_int(pw_map_int(resolve(PW_TYPE_SERVICE, "shop/api:m"), "port", 0), 9090, "a port by name");
	is_int(pw_val_count(pw_map_get(resolve(PW_TYPE_SERVICE, "api:9090"), "all_endpoints")), 0, "whose endpoints are its own");
	is_field(resolve(PW_TYPE_SERVICE, "api.shop.svc.cluster.local"), "", "shop/api");
	is_field(resolve(PW_TYPE_SERVICE, "api.shop"), "", "shop/api");
	is_field(resolve(PW_TYPE_SERVICE, "10.96.1.1:80"), "", "shop/api");
	is_field(resolve(PW_TYPE_SERVICE, "svc/api"), "", "shop/api");
	ok(pw_map_bool(resolve(PW_TYPE_SERVICE, "head"), "headless", false), "a headless one");
	ok(!resolve(PW_TYPE_SERVICE, "api:81"), "a port it has not");
	is_str(said, "service shop/api has no port 81; it has 80/TCP, 9090/TCP", "lists those it has");
	ok(!resolve(PW_TYPE_SERVICE, "apu"), "a slip");
	is_str(said, "there is no Service shop/apu; did you mean shop/api?", "the nearest name");
}

static void test_others(void)
{
	struct pw_val *list = NULL;

	all_fields(PW_TYPE_NODE, resolve(PW_TYPE_NODE, "n1"));
	is_field(resolve(PW_TYPE_NODE, "192.168.0.2"), "", "n2");
	is_field(resolve(PW_TYPE_NODE, "n1"), "peer", "n2");
	ok(!resolve(PW_TYPE_NODE, "nn1"), "no such node");
	is_str(said, "there is no node nn1; did you mean n1?", "the nearest node");
	is_field(resolve(PW_TYPE_NAMESPACE, "shop"), "", "shop");
	ok(!resolve(PW_TYPE_NAMESPACE, "Shop"), "an illegal namespace");
	ok(!resolve(PW_TYPE_NAMESPACE, "shap"), "a slip");
	is_str(said, "there is no namespace shap; did you mean shop?", "the nearest namespace");
	is_int(pw_input_type(PW_TYPE_POD)->candidates(facts, "bank", arena, &list), PW_OK, "candidates");
	is_int(pw_val_count(list), 4, "are all pods");
	is_str(pw_val_text(pw_val_at(list, 0)), "bank/lonely", "those of the default namespace first");
}

static void test_scalars(void)
{
	is_field(resolve(PW_TYPE_PORT, "0080"), "", "80");
	ok(!resolve(PW_TYPE_PORT, "0") && !resolve(PW_TYPE_PORT, "65536") && !resolve(PW_TYPE_PORT, "http"), "no ports");
	is_field(resolve(PW_TYPE_BOOL, "yes"), "", "true");
	ok(!resolve(PW_TYPE_BOOL, "maybe"), "no truth value");
	ok(resolve(PW_TYPE_INT, "-3") && !resolve(PW_TYPE_INT, "3.0") && !resolve(PW_TYPE_INT, ""), "whole numbers");
	ok(resolve(PW_TYPE_ADDRESS, "fe80::1") && !resolve(PW_TYPE_ADDRESS, "1.2.3"), "addresses");
	ok(resolve(PW_TYPE_CIDR, "10.0.0.0/8") && !resolve(PW_TYPE_CIDR, "10.0.0.0"), "address blocks");
	ok(resolve(PW_TYPE_HOST, "a_b.c-d.") && !resolve(PW_TYPE_HOST, "a..b") && !resolve(PW_TYPE_HOST, "a b"), "host names");
	is_int(pw_map_int(resolve(PW_TYPE_DURATION, "1m30s"), "ms", 0), 90000, "a duration's milliseconds");
	is_field(resolve(PW_TYPE_URL, "https://a.b/c?d"), "host", "a.b");
	is_field(resolve(PW_TYPE_URL, "https://a.b/c?d"), "path", "/c?d");
	is_int(pw_map_int(resolve(PW_TYPE_URL, "https://a.b"), "port", 0), 443, "a URL's default port");
	is_field(resolve(PW_TYPE_URL, "http://[::1]:8080/"), "host", "::1");
	is_int(pw_map_int(resolve(PW_TYPE_URL, "http://[::1]:8080/"), "port", 0), 8080, "a URL's port");
	ok(!resolve(PW_TYPE_URL, "ftp://a") && !resolve(PW_TYPE_URL, "http://a:0/") && !resolve(PW_TYPE_URL, "http:///"), "no URLs");
	ok(!resolve(PW_TYPE_URL, "http://user:secret@a/"), "no passwords");
	ok(!strstr(said, "secret"), "nor are they repeated");
}

int main(void)
{
	arena = pw_arena_new(1 << 26);
	facts = model(arena, world);
	test_pod();
	test_service();
	test_others();
	test_scalars();
	pw_arena_free(arena);
	return tap_done();
}
