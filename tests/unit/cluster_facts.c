/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model: decoding, order, lookups by name and address, backends. */
#include "cluster_util.h"

static const char pods[] =
	"apiVersion: v1\nkind: List\nitems:\n"
	"- apiVersion: v1\n  kind: Pod\n"
	"  metadata: {name: b, namespace: shop, uid: u1, labels: {app: x}, ownerReferences: [{kind: Job, name: j}, {kind: ReplicaSet, name: b-7, controller: true}]}\n"
	"  spec:\n    nodeName: n1\n    containers:\n"
	"    - {name: c, image: i, ports: [{name: http, containerPort: 8080}, {containerPort: 53, protocol: UDP}], readinessProbe: {httpGet: {path: /h, port: http}, periodSeconds: 5}}\n"
	"    initContainers: [{name: side, restartPolicy: Always}]\n"
	"    dnsConfig: {nameservers: [1.1.1.1], options: [{name: ndots, value: '2'}]}\n"
	"    hostAliases: [{ip: 10.1.1.1, hostnames: [a, b]}]\n"
	"  status:\n    phase: Running\n    podIP: 10.244.1.5\n    podIPs: [{ip: 10.244.1.5}, {ip: 'fd00::5'}]\n    hostIP: 192.168.0.1\n"
	"    conditions: [{type: Ready, status: 'False', reason: ContainersNotReady, message: m}, {type: PodScheduled, status: 'True'}]\n"
	"    containerStatuses: [{name: c, ready: false, restartCount: 7, state: {waiting: {reason: CrashLoopBackOff, message: back-off}}, lastState: {terminated: {reason: Error, exitCode: 137}}}]\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {hostNetwork: true, nodeName: n1}, status: {phase: Running, podIP: 192.168.0.1}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: done, namespace: shop}, status: {phase: Succeeded, podIP: 10.244.1.9}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: z, namespace: bank}, status: {phase: Running, podIP: 10.244.1.9}}\n";

static void test_pods(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	const struct pw_facts *facts = model(arena, pods);
	size_t n;
	const struct pw_pod *const *all = pw_facts_pods(facts, &n), *pod;

	is_int(n, 4, "all pods of the list");
	is_str(all[0]->meta.name, "z", "sorted by namespace");
	is_str(all[1]->meta.name, "a", "then by name");
	pod = pw_facts_pod(facts, "shop", "b");
	ok(pod != NULL, "found by name");
	is_str(pod->meta.owner_name, "b-7", "the controller is the owner");
	is_int(pod->n_containers, 2, "init containers count");
	ok(pod->containers[0].init && pod->containers[0].restart_always, "a sidecar stands first");
	is_str(pod->containers[1].ports[0].protocol, "TCP", "a port is TCP unless it says otherwise");
	is_str(pod->containers[1].readiness.port_name, "http", "a probe's named port");
	is_int(pod->containers[1].readiness.failure_threshold, 3, "a probe's default");
	is_str(pod->containers[1].reason, "CrashLoopBackOff", "why a container waits");
	is_int(pod->containers[1].last_exit_code, 137, "the last exit code");
	is_int(pod->containers[1].restarts, 7, "restarts");
	ok(!pod->ready && pod->scheduled, "conditions");
	is_str(pod->ready_reason, "ContainersNotReady", "the reason of Ready");
	is_str(pod->dns_policy, "ClusterFirst", "the default DNS policy");
	is_str(pw_labels_get(&pod->dns_options, "ndots"), "2", "DNS options");
	is_str(pod->host_aliases[0].names.v[1], "b", "host aliases");
	ok(pw_facts_pod_by_ip(facts, "10.244.1.5") == pod && pw_facts_pod_by_ip(facts, "fd00:0::5") == pod, "found by each address, however written");
	ok(pw_facts_pod_by_ip(facts, "192.168.0.1") == NULL, "a host-network pod does not own the node's address");
	is_str(pw_facts_pod_by_ip(facts, "10.244.1.9")->meta.name, "z", "a finished pod does not own its old address");
	ok(pw_facts_pod(facts, "shop", "zz") == NULL && pw_facts_pod_by_ip(facts, "10.9.9.9") == NULL, "what is not there is NULL");
	is_int(pw_facts_known(facts, PW_FACT_PODS), PW_KNOWN_YES, "pods are known");
	is_int(pw_facts_known(facts, PW_FACT_NODES), PW_KNOWN_NOT_ASKED, "nodes were not asked for");
	pw_arena_free(arena);
}

static const char services[] =
	"{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {clusterIP: 10.96.1.1, selector: {app: api}, ports: ["
	"{name: http, port: 80, targetPort: web}, {name: dns, port: 53, protocol: UDP, targetPort: 5353}]}}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: api-1, namespace: shop, labels: {kubernetes.io/service-name: api}}, addressType: IPv4,"
	" ports: [{name: http, port: 8080}, {name: dns, port: 5353, protocol: UDP}], endpoints: ["
	"{addresses: [10.244.2.1], nodeName: n2, conditions: {ready: false, serving: true, terminating: true}},"
	"{addresses: [10.244.1.1], nodeName: n1, targetRef: {kind: Pod, namespace: shop, name: api-1}}]}\n---\n"
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: api-2, namespace: shop, labels: {kubernetes.io/service-name: api}}, addressType: IPv4,"
	" ports: [{name: http, port: 8080}], endpoints: [{addresses: [10.244.2.1], conditions: {ready: true}}, {addresses: []}]}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: coredns, namespace: dns}, spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}}\n---\n"
	"{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: other, namespace: shop}}\n";

static void test_services(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	const struct pw_facts *facts = model(arena, services);
	const struct pw_service *api = pw_facts_service(facts, "shop", "api");
	const struct pw_backend *backends;
	size_t n;

	is_str(api->type, "ClusterIP", "the default type");
	is_str(api->ports[0].target_name, "web", "a named target port");
	is_int(api->ports[1].target_port, 5353, "a numbered one");
	ok(pw_facts_service_by_ip(facts, "10.96.1.1") == api, "found by ClusterIP");
	ok(pw_facts_service(facts, "shop", "other") == NULL, "a Service of another API group is none");
	n = pw_facts_backends(facts, api, NULL, arena, &backends);
	is_int(n, 2, "backends of two slices, merged");
	is_str(backends[0].endpoint->address, "10.244.1.1", "in order of address");
	ok(backends[0].endpoint->ready && backends[0].endpoint->serving && !backends[0].endpoint->terminating, "conditions not given");
	ok(backends[1].endpoint->ready, "of two entries for one address the ready one counts");
	is_int(backends[1].port, 8080, "the slice's port of that name");
	is_int(pw_facts_backends(facts, api, &api->ports[1], arena, &backends), 2, "only slices that have the port");
	ok(!backends[1].endpoint->ready, "and their conditions");
	is_str(pw_facts_dns_service(facts)->meta.name, "coredns", "the DNS service by its selector");
	pw_arena_free(arena);
}

static void test_growth(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_facts *facts = model(arena, pods);
	struct pw_err err = PW_ERR_INIT;
	size_t n;

	is_int(model_add(facts, arena, "{apiVersion: v1, kind: PodList, items: [{metadata: {name: b, namespace: shop}, spec: {nodeName: n9}}, {metadata: {name: c}}]}", &err),
	       PW_OK, "a typed list, whose items name no kind");
	is_str(pw_facts_pod(facts, "shop", "b")->node, "n1", "not seen before finish");
	pw_facts_finish(facts);
	is_str(pw_facts_pod(facts, "shop", "b")->node, "n9", "the last one read stays");
	(void)pw_facts_pods(facts, &n);
	is_int(n, 5, "no object twice");
	ok(pw_facts_pod(facts, "default", "c") != NULL, "no namespace is the default one");
	is_int(model_add(facts, arena, "{apiVersion: v1, kind: ServiceList, items: []}", &err), PW_OK, "an empty list");
	is_int(pw_facts_known(facts, PW_FACT_SERVICES), PW_KNOWN_YES, "says that there are none");
	pw_arena_free(arena);
}

static const char rest[] =
	"{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.244.1.0/24, taints: [{key: k, effect: NoSchedule}]}, status: {addresses: ["
	"{type: Hostname, address: n1}, {type: InternalIP, address: 192.168.0.1}, {type: ExternalIP, address: 203.0.113.1}], conditions: ["
	"{type: Ready, status: Unknown, reason: NodeStatusUnknown, lastHeartbeatTime: '2026-01-02T03:04:05Z'}, {type: NetworkUnavailable, status: 'True'}]}}\n---\n"
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}\n---\n"
	"{apiVersion: v1, kind: ConfigMap, metadata: {name: coredns, namespace: kube-system}, data: {Corefile: \".:53 {\\n  kubernetes k8s.test in-addr.arpa {\\n}\\n}\"}}\n---\n"
	"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cni, namespace: kube-system}, status: {desiredNumberScheduled: 3, numberReady: 2}}\n---\n"
	"{apiVersion: v1, kind: Event, metadata: {name: e1}, involvedObject: {kind: Pod, namespace: shop, name: b}, reason: Unhealthy, type: Warning, count: 4, lastTimestamp: '2026-01-02T03:04:09Z'}\n---\n"
	"{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e2}, regarding: {kind: Pod, namespace: shop, name: b}, reason: Killing, note: n, deprecatedCount: 2, eventTime: '2026-01-02T03:04:06Z'}\n";

static void test_rest(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	const struct pw_facts *facts = model(arena, rest);
	const struct pw_node *node = pw_facts_node_by_ip(facts, "203.0.113.1");
	size_t n;
	const struct pw_event *const *events = pw_facts_events(facts, &n);
	const struct pw_workload *const *workloads;

	is_str(node->internal_ip, "192.168.0.1", "a node's address");
	is_int(node->addresses.n, 2, "host names are no addresses");
	is_int(node->ready, -1, "Ready unknown");
	ok(node->network_unavailable, "NetworkUnavailable");
	is_str(node->pod_cidrs.v[0], "10.244.1.0/24", "podCIDR stands in for podCIDRs");
	is_str(pw_labels_get(&pw_facts_namespace(facts, "shop")->meta.labels, "kubernetes.io/metadata.name"), "shop", "each namespace has its name as a label");
	is_str(pw_facts_cluster_domain(facts), "k8s.test", "the cluster's domain, from CoreDNS");
	is_int(n, 2, "events of both APIs about one pod");
	is_int(events[0]->count, 4, "count of core/v1");
	is_str(events[1]->message, "n", "note of events.k8s.io");
	is_int(pw_facts_newest(facts), events[0]->last, "the newest time of all");
	workloads = pw_facts_workloads(facts, &n);
	is_int(workloads[0]->replicas, 3, "a DaemonSet's wish");
	pw_arena_free(arena);
}

static void test_hostile(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_facts *facts = pw_facts_new(arena);
	struct pw_err err = PW_ERR_INIT;

	is_int(model_add(facts, arena,
		"[1, 2]\n---\nkind: Pod\n---\n{kind: Pod, metadata: [], spec: text, status: [1]}\n---\n{kind: PodList, items: {a: 1}}\n---\n"
		"{kind: Service, spec: {ports: [1, {port: 70000}, {port: -1}]}}\n---\n{kind: EndpointSlice, endpoints: [[], 1, {addresses: x}]}\n---\n"
		"{kind: List, items: [{kind: List, items: [{kind: List, items: [{kind: List, items: [{kind: List, items: []}]}]}]}]}\n---\n"
		"{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, spec: {podSelector: 3, ingress: [1, {from: 2}, {from: [3], ports: [4]}]}}", &err),
	       PW_OK, "objects of the wrong shape are read leniently");
	pw_facts_finish(facts);
	ok(!pw_facts_failed(facts), "and leave a sound model");
	ok(pw_facts_pod(facts, "default", "") != NULL, "an object without a name is one");
	pw_arena_free(arena);

	arena = pw_arena_new(40000); /* the model itself fits, three pods do not */
	facts = pw_facts_new(arena);
	if (facts) {
		struct pw_arena *other = pw_arena_new(1 << 22);
		int rc = PW_OK;

		for (int i = 0; i < 200 && rc == PW_OK; i++)
			rc = model_add(facts, other, pods, &err);
		is_int(rc, PW_NOMEM, "a model over its ceiling says so");
		pw_arena_free(other);
	}
	pw_arena_free(arena);
}

int main(void)
{
	test_pods();
	test_services();
	test_growth();
	test_rest();
	test_hostile();
	return tap_done();
}
