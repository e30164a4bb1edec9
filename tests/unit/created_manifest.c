/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Manifests of the pods a run makes, where none is made, and what a pod's object says of its start. */
#include "cluster_util.h"

#include <doc/json.h>
#include <vantage/created/made.h>

static const char objects[] =
	"- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u-web, labels: {app: web, pod-template-hash: 5d9, controller-revision-hash: x, sidecar.istio.io/inject: 'true', istio.io/rev: canary,"
	" app.kubernetes.io/managed-by: Helm, 'odd\"key': \"a\\n'b: {c}\"}, ownerReferences: [{kind: ReplicaSet, name: web-5d9, controller: true}]},"
	" spec: {nodeName: n1, dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.9], searches: [a.test], options: [{name: ndots, value: '2'}, {name: edns0}]},"
	" hostAliases: [{ip: 10.1.1.1, hostnames: [a, b]}], tolerations: [{key: gpu, operator: Equal, value: 'yes', effect: NoExecute, tolerationSeconds: 30},"
	" {operator: Exists}], containers: [{name: c}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: meshed, namespace: shop, uid: u2}, spec: {nodeName: n1, containers: [{name: c}, {name: istio-proxy}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: host, namespace: shop, uid: u3}, spec: {nodeName: n1, hostNetwork: true}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: pending, namespace: shop, uid: u4}, spec: {}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: member, namespace: shop, uid: u5, labels: {set: db}}, spec: {nodeName: n1}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: going, namespace: shop, uid: u6, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {nodeName: n1}}\n"
	"- {apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {publishNotReadyAddresses: true, selector: {set: db}}}\n"
	"- {apiVersion: v1, kind: Service, metadata: {name: db, namespace: bank}, spec: {publishNotReadyAddresses: true, selector: {app: web}}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: n1, uid: u-n1}}\n";

static struct pw_facts *shop(struct pw_arena *arena)
{
	char yaml[8192];
	(void)snprintf(yaml, sizeof yaml, "apiVersion: v1\nkind: List\nitems:\n%s", objects);
	return model(arena, yaml);
}

static const struct pw_val *read_back(const char *text, struct pw_arena *arena, bool json)
{
	static const struct pw_json_limits limits = { 1 << 20, 64 };
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *documents = NULL;
	struct pw_val *val = NULL;
	int rc = json ? pw_json_parse(text, strlen(text), NULL, &limits, arena, &val, &err)
		      : pw_yaml_parse_all(text, strlen(text), "pod", &pw_yaml_bundle_limits, arena, NULL, &documents, &err);
	if (!ok(rc == PW_OK, "the manifest parses"))
		printf("# %s\n%s\n", err.text, text);
	return json ? val : pw_val_at(documents, 0);
}

static const char *str(const struct pw_val *val, const char *path)
{
	const char *text = pw_val_text(pw_val_get(val, path));
	return text ? text : "(none)";
}

static bool yes(const struct pw_val *val, const char *path)
{
	bool value = false;
	return pw_val_to_bool(pw_val_get(val, path), &value) && value;
}

static void test_probe_pod(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	const struct pw_facts *facts = shop(arena);
	struct pw_made_spec spec = { .kind = PW_MADE_PROBE, .ns = "shop", .name = "packetwalk-probe-x-1", .node = "n1", .run = "x", .image = "packetwalk:1",
		.pull_policy = "Never", .ttl_s = 900, .beside = pw_facts_pod(facts, "shop", "web") };
	struct pw_err err = PW_ERR_INIT;
	struct pw_buf text;
	pw_buf_init(&text, 1 << 20);
	is_int(pw_made_manifest(&spec, &text, &err), PW_OK, "a probe pod is written");
	const struct pw_val *pod = read_back(pw_buf_str(&text), arena, true);
	const struct pw_val *labels = pw_val_get(pod, "metadata.labels"), *of = pw_map_get(pod, "spec");
	is_str(pw_map_str(labels, "app", ""), "web", "labels that policies may name are taken over");
	is_str(pw_map_str(labels, "odd\"key", ""), "a\n'b: {c}", "whatever they hold stays a value");
	ok(!pw_map_get(labels, "pod-template-hash") && !pw_map_get(labels, "controller-revision-hash"), "a controller's mark is not");
	is_str(pw_map_str(labels, "sidecar.istio.io/inject", ""), "false", "an injector is kept away");
	ok(!pw_map_get(labels, "istio.io/rev"), "of whatever revision");
	is_str(pw_map_str(labels, PW_MADE_BY_LABEL, ""), PW_MADE_BY, "who made it");
	is_str(pw_map_str(labels, PW_MADE_RUN_LABEL, ""), "x", "for which run");
	is_str(str(pod, "metadata.ownerReferences.0.kind"), "Pod", "the pod it stands beside owns it");
	is_str(str(pod, "metadata.ownerReferences.0.uid"), "u-web", "by its UID");
	ok(yes(pod, "metadata.ownerReferences.0.controller"), "as its controller");
	is_str(str(of, "nodeName"), "n1", "on the same node");
	is_str(str(of, "readinessGates.0.conditionType"), "packetwalk.io/never-ready", "it is never ready");
	is_str(str(of, "dnsPolicy"), "None", "its resolver is the sender's");
	is_str(str(of, "dnsConfig.nameservers.0"), "10.0.0.9", "with its servers");
	is_str(str(of, "dnsConfig.options.0.value"), "2", "and options");
	ok(!pw_val_get(of, "dnsConfig.options.1.value"), "an option without a value has none");
	is_str(str(of, "hostAliases.0.hostnames.1"), "b", "and aliases");
	is_str(str(of, "tolerations.0.effect"), "NoExecute", "tolerations are taken over");
	is_int(pw_map_int(pw_val_get(of, "tolerations.0"), "tolerationSeconds", 0), 30, "with their time");
	ok(!pw_val_get(of, "tolerations.1.tolerationSeconds") && !pw_val_get(of, "tolerations.1.key"), "and without one");
	is_int(pw_map_int(of, "activeDeadlineSeconds", 0), 900, "the cluster ends it");
	ok(!yes(of, "automountServiceAccountToken") && pw_map_get(of, "automountServiceAccountToken"), "no token");
	ok(yes(of, "securityContext.runAsNonRoot") && !yes(of, "containers.0.securityContext.allowPrivilegeEscalation") &&
	   yes(of, "containers.0.securityContext.readOnlyRootFilesystem"), "no root, no escalation, nothing to write to");
	is_str(str(of, "securityContext.seccompProfile.type"), "RuntimeDefault", "system calls are filtered");
	is_str(str(of, "containers.0.securityContext.capabilities.drop.0"), "ALL", "no capabilities");
	is_str(str(of, "containers.0.imagePullPolicy"), "Never", "the pull policy");
	ok(pw_val_get(of, "containers.0.resources.limits.memory") && pw_val_get(of, "containers.0.resources.requests.cpu"), "requests and limits");
	ok(!pw_map_get(of, "hostNetwork") && !pw_map_get(of, "volumes") && !pw_map_get(of, "serviceAccountName"), "and nothing of the node");
	pw_buf_release(&text);
	pw_buf_init(&text, 64);
	is_int(pw_made_manifest(&spec, &text, &err), PW_NOMEM, "a manifest that does not fit is none");
	pw_buf_release(&text);
	pw_arena_free(arena);
}

static void test_node_pod(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	const struct pw_facts *facts = shop(arena);
	struct pw_made_spec spec = { .kind = PW_MADE_NODE, .ns = "packetwalk", .name = "packetwalk-node-x-1", .node = "n1", .run = "x", .image = "packetwalk:1",
		.pull_policy = "IfNotPresent", .ttl_s = 900, .on = pw_facts_node(facts, "n1") };
	struct pw_buf text;
	pw_buf_init(&text, 1 << 20);
	is_int(pw_made_manifest(&spec, &text, NULL), PW_OK, "a pod on a node is written");
	const struct pw_val *pod = read_back(pw_buf_str(&text), arena, false), *of = pw_map_get(pod, "spec");
	is_str(str(of, "nodeName"), "n1", "on that node");
	ok(yes(of, "hostNetwork") && yes(of, "hostPID") && yes(of, "containers.0.securityContext.privileged"), "in it, privileged");
	is_str(str(of, "activeDeadlineSeconds"), "900", "the cluster ends it");
	is_str(str(pod, "metadata.ownerReferences.0.kind"), "Node", "it goes with the node");
	ok(!yes(pod, "metadata.ownerReferences.0.controller"), "which is no controller");
	is_str(pw_map_str(pw_val_get(pod, "metadata.labels"), PW_MADE_RUN_LABEL, ""), "x", "its run");
	ok(!pw_map_get(pw_val_get(pod, "metadata.labels"), "app.kubernetes.io/name"), "no DaemonSet takes it for one of its own");
	pw_buf_release(&text);
	pw_arena_free(arena);
}

static void test_beside(void)
{
	static const struct { const char *pod, *why; } refused[] = {
		{ "meshed", "istio-proxy" }, { "host", "node's network" }, { "pending", "runs on no node" }, { "member", "Service db lists pods that are not ready" },
		{ "going", "being deleted" },
	};
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_facts *facts = shop(arena);
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_made_beside_check(facts, pw_facts_pod(facts, "shop", "web"), &err), PW_OK, "beside an ordinary pod, whatever Services of other namespaces select");
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		pw_err_clear(&err);
		is_int(pw_made_beside_check(facts, pw_facts_pod(facts, "shop", refused[i].pod), &err), PW_UNSUPPORTED, refused[i].pod);
		ok(strstr(err.text, refused[i].why) != NULL, "%s: %s", refused[i].pod, err.text);
	}
	pw_facts_set_known(facts, PW_FACT_SERVICES, PW_KNOWN_DENIED, "403");
	is_int(pw_made_beside_check(facts, pw_facts_pod(facts, "shop", "web"), &err), PW_UNSUPPORTED, "not while Services are unknown");
	pw_arena_free(arena);
}

static void test_state(void)
{
	static const struct { const char *pod, *say; enum pw_made_state state; } cases[] = {
		{ "{status: {phase: Pending}}", "the kubelet of its node has not taken it up", PW_MADE_WAITS },
		{ "{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ContainerCreating}}}]}}", "ContainerCreating", PW_MADE_WAITS },
		{ "{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ImagePullBackOff, message: back-off}}}]}}", "ImagePullBackOff: back-off", PW_MADE_WAITS },
		{ "{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ErrImageNeverPull, message: \"not present\\e[2J\"}}}]}}",
		  "ErrImageNeverPull: not present\\x1b[2J", PW_MADE_FAILED },
		{ "{status: {phase: Running, containerStatuses: [{state: {running: {startedAt: x}}}]}}", "", PW_MADE_RUNS },
		{ "{status: {phase: Failed, reason: OutOfcpu, message: no room}}", "OutOfcpu: no room", PW_MADE_FAILED },
		{ "{status: {phase: Failed, containerStatuses: [{state: {terminated: {exitCode: 127, reason: Error}}}]}}", "its container ended with status 127, Error", PW_MADE_FAILED },
		{ "{metadata: {deletionTimestamp: x}, status: {phase: Running, containerStatuses: [{state: {running: {}}}]}}", "somebody deletes it", PW_MADE_FAILED },
		{ "{}", "the kubelet of its node has not taken it up", PW_MADE_WAITS },
		{ "[]", "the kubelet of its node has not taken it up", PW_MADE_WAITS },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pw_arena *arena = pw_arena_new(1 << 20);
		struct pw_buf say;
		pw_buf_init(&say, 1024);
		is_int(pw_made_state(read_back(cases[i].pod, arena, false), &say), cases[i].state, cases[i].pod);
		is_str(pw_buf_str(&say), cases[i].say, cases[i].pod);
		pw_buf_release(&say);
		pw_arena_free(arena);
	}
}

static void test_may_serve(void)
{
	static const struct { const char *pod; bool may; } cases[] = {
		{ "{spec: {activeDeadlineSeconds: 60}, metadata: {creationTimestamp: '1970-01-01T00:10:00Z'}, status: {phase: Pending}}", true },
		{ "{spec: {activeDeadlineSeconds: 20}, metadata: {creationTimestamp: '1970-01-01T00:10:00Z'}, status: {phase: Pending}}", false },
		{ "{spec: {activeDeadlineSeconds: 20}, metadata: {creationTimestamp: '1970-01-01T00:10:00Z'}, status: {phase: Running, startTime: '1970-01-01T00:10:30Z'}}", true },
		{ "{spec: {activeDeadlineSeconds: 60}, metadata: {creationTimestamp: '1970-01-01T00:10:00Z'}, status: {phase: Failed}}", false },
		{ "{spec: {activeDeadlineSeconds: 60}, status: {phase: Running}}", true },
		{ "{metadata: {creationTimestamp: '1970-01-01T00:10:00Z'}, status: {phase: Running}}", true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pw_arena *arena = pw_arena_new(1 << 20);
		ok(pw_made_may_serve(read_back(cases[i].pod, arena, false), 640) == cases[i].may, "%s", cases[i].pod);
		pw_arena_free(arena);
	}
}

static void test_names(void)
{
	ok(pw_made_is_image("registry.example:5000/a/b@sha256:00") && !pw_made_is_image("a\nb") && !pw_made_is_image("") && !pw_made_is_image("a\"b"),
	   "the names images may have");
	ok(pw_made_is_pull_policy("Never") && !pw_made_is_pull_policy("never"), "pull policies");
}

int main(void)
{
	test_probe_pod();
	test_node_pod();
	test_beside();
	test_state();
	test_may_serve();
	test_names();
	return tap_done();
}
