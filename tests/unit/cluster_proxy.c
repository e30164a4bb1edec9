/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kube-proxy has to make of a packet. */
#include <cluster/proxy.h>

#include "cluster_util.h"

static const char world[] =
	"{apiVersion: v1, kind: Service, metadata: {name: all, namespace: a}, spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1'], type: NodePort, ports: [{name: x, port: 80, nodePort: 30080}]}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: near, namespace: a}, spec: {clusterIP: 10.96.0.2, type: LoadBalancer, externalTrafficPolicy: Local, internalTrafficPolicy: Local, externalIPs: [203.0.113.80],"
	" loadBalancerSourceRanges: [' 198.51.100.0/24 '], ports: [{name: x, port: 80, nodePort: 30081}]}, status: {loadBalancer: {ingress: [{ip: 203.0.113.81}]}}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: none, namespace: a}, spec: {clusterIP: 10.96.0.3, ports: [{port: 80}]}}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: all-4, namespace: a, labels: {kubernetes.io/service-name: all}}, addressType: IPv4, ports: [{name: x, port: 8080}],"
	" endpoints: [{addresses: [10.1.0.1], nodeName: n1}, {addresses: [10.2.0.1], nodeName: n2}, {addresses: [10.2.0.2], nodeName: n2, conditions: {ready: false}}]}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: all-6, namespace: a, labels: {kubernetes.io/service-name: all}}, addressType: IPv6, ports: [{name: x, port: 8080}],"
	" endpoints: [{addresses: ['fd01::1'], nodeName: n1}]}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: near-1, namespace: a, labels: {kubernetes.io/service-name: near}}, addressType: IPv4, ports: [{name: x, port: 8080}],"
	" endpoints: [{addresses: [10.1.0.9], nodeName: n1, conditions: {ready: false, serving: true, terminating: true}}, {addresses: [10.2.0.9], nodeName: n2}]}\n";

static const char *const ips[] = { "192.168.0.1" }, *const pods[] = { "10.0.0.0/8" }, *const services[] = { "10.96.0.0/16" };
static struct pw_facts *facts;
static struct pw_arena *arena;

static const char *ask(const char *node, bool nftables, const char *src, const char *dst, uint16_t port)
{
	static char text[256];
	struct pw_proxy_node at = { .name = node, .ips = { ips, 1 }, .pod_cidrs = { pods, 1 }, .service_cidrs = { services, 1 }, .nftables = nftables };
	struct pw_proxy_packet packet = { src, "TCP", dst, port };
	struct pw_proxy_answer got = { .why = "" };
	int n;

	if (!pw_proxy_ask(facts, &at, &packet, arena, &got))
		return "(no memory)";
	n = snprintf(text, sizeof(text), "%s%s", pw_proxy_words[got.outcome], got.masquerade ? " masqueraded" : "");
	for (size_t i = 0; i < got.n_backends; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s:%u", got.backends[i].endpoint->address, got.backends[i].port);
	return text;
}

int main(void)
{
	arena = pw_arena_new(1 << 22);
	facts = model(arena, world);
	is_str(ask("n1", false, "10.2.0.5", "10.96.0.1", 80), "dnat 10.1.0.1:8080 10.2.0.1:8080", "ready endpoints, a pod's address kept");
	is_str(ask("n1", false, "fd05::5", "fd00::1", 80), "dnat masqueraded fd01::1:8080", "of the family asked for; an IPv4 block holds no IPv6 sender");
	is_str(ask("n1", false, "198.51.100.7", "10.96.0.1", 80), "dnat masqueraded 10.1.0.1:8080 10.2.0.1:8080", "who is no pod is masqueraded at a ClusterIP");
	is_str(ask("n1", false, "198.51.100.7", "192.168.0.1", 30080), "dnat masqueraded 10.1.0.1:8080 10.2.0.1:8080", "at a node port");
	is_str(ask("n1", false, "10.2.0.5", "10.96.0.2", 80), "dnat 10.1.0.9:8080", "Local: one of this node that ends but serves, rather than none");
	is_str(ask("n2", false, "10.2.0.9", "10.96.0.2", 80), "dnat masqueraded 10.2.0.9:8080", "a pod that is led to itself");
	is_str(ask("n3", false, "10.2.0.5", "10.96.0.2", 80), "drop", "Local, and none here");
	is_str(ask("n3", false, "198.51.100.7", "203.0.113.80", 80), "drop", "from outside too");
	is_str(ask("n3", false, "10.2.0.5", "203.0.113.80", 80), "dnat 10.2.0.9:8080", "but pods of the cluster may go to any node");
	is_str(ask("n3", false, "192.168.0.1", "203.0.113.80", 80), "dnat masqueraded 10.2.0.9:8080", "and so may the node, masqueraded");
	is_str(ask("n2", false, "198.51.100.7", "203.0.113.81", 80), "dnat 10.2.0.9:8080", "a sender in the load balancer's ranges");
	is_str(ask("n2", false, "198.51.101.7", "203.0.113.81", 80), "drop", "and one that is not");
	is_str(ask("n2", false, "198.51.101.7", "203.0.113.80", 80), "dnat 10.2.0.9:8080", "the ranges are the load balancer's only");
	is_str(ask("n1", false, "10.2.0.5", "10.96.0.3", 80), "reject", "no endpoints");
	is_str(ask("n1", false, "10.2.0.5", "10.96.0.1", 81), "none", "a closed port: iptables leaves it alone");
	is_str(ask("n1", true, "10.2.0.5", "10.96.0.1", 81), "reject", "nftables answers");
	is_str(ask("n1", true, "10.2.0.5", "10.96.0.77", 80), "drop", "an address of no Service, in the range");
	is_str(ask("n1", true, "10.2.0.5", "192.168.0.1", 80), "none", "an address of the node");
	pw_arena_free(arena);
	return tap_done();
}
