/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrix of policies, and the drawing of a path. */
#include "oom.h"

#include <stdint.h>
#include <string.h>

#include <cluster/advice.h>
#include <cluster/matrix.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>
#include <path/path.h>

static const char objects[] =
	"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}}, spec: {nodeName: n1}, status: {podIP: 10.0.0.1}}\n---\n"
	"{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: x}, spec: {template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c, ports: [{name: p, containerPort: 80}]}]}}}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: s, namespace: x}, spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}}\n---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: p}]}]}}\n---\n"
	"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: a}, spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [10.2.0.0/16]}]}]}}\n---\n"
	"{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: c, namespace: x}, spec: {selector: app == 'a' && has(app), egress: [{action: Allow, protocol: TCP, destination: {nets: [10.0.0.0/8], ports: [80]}}]}}\n---\n"
	"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c, namespace: x}, spec: {endpointSelector: {matchLabels: {app: d}}, ingress: [{fromEntities: [cluster], toPorts: [{ports: [{port: p}]}]}], egress: [{toFQDNs: [{matchName: e.test}]}]}}\n";

static int judge(struct pw_matrix *matrix, struct pw_buf *out, struct pw_err *err)
{
	struct pw_group a, b;
	struct pw_reach row[8];
	int rc;

	if ((rc = pw_matrix_find(matrix, "x/d[Deployment]", &a, err)) != PW_OK || (rc = pw_matrix_find(matrix, "10.1.0.0-10.3.0.0", &b, err)) != PW_OK)
		return rc;
	pw_ports_print(pw_matrix_ports(matrix), pw_matrix_allowed(matrix, &b, &a).allowed, PW_TCP, out);
	return pw_matrix_to_groups(matrix, &a, row) == PW_OK ? PW_OK : pw_err_set(err, PW_NOMEM, "no line");
}

static int use(struct pw_facts *facts, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_matrix *matrix = pw_matrix_new(facts, arena, NULL);
	struct pw_flow flow = { .from = pw_facts_pod(facts, "x", "a"), .service = pw_facts_service(facts, "x", "s"), .port = 80 };
	struct pw_peer from = { flow.from, NULL }, to = { pw_facts_pod(facts, "x", "d"), NULL };
	PW_CLEAN_BUF struct pw_buf out;
	const struct pw_hop *hops;
	int rc;

	pw_buf_init(&out, 65536);
	if (!matrix)
		return pw_err_set(err, PW_NOMEM, "no matrix");
	rc = judge(matrix, &out, err);
	pw_matrix_release(matrix);
	if (rc != PW_OK)
		return rc;
	pw_policy_advise(facts, &from, &to, "TCP", 80, &out);
	size_t n = pw_path_hops(facts, &flow, arena, &hops);
	if (n == 0)
		return pw_err_set(err, PW_NOMEM, "no hops");
	pw_path_draw(hops, n, NULL, PW_PATH_TEXT, true, &out);
	return pw_buf_ok(&out) ? PW_OK : pw_err_set(err, PW_NOMEM, "no drawing");
}

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	const struct pw_val *documents = NULL;
	int rc = pw_yaml_parse_all(objects, strlen(objects), "o.yaml", &pw_yaml_bundle_limits, arena, NULL, &documents, err);
	struct pw_facts *facts = rc == PW_OK ? pw_facts_new(arena) : NULL;

	if (!facts)
		return rc != PW_OK ? rc : PW_NOMEM;
	pw_facts_set_strict(facts, true);
	pw_facts_set_templates(facts, true);
	for (size_t i = 0; rc == PW_OK && i < pw_val_count(documents); i++)
		rc = pw_facts_add(facts, pw_val_at(documents, i), err);
	if (rc != PW_OK)
		return rc;
	pw_facts_finish(facts);
	return pw_facts_failed(facts) ? PW_NOMEM : use(facts, arena, err);
}

/* The drawing's scratch text is a buffer of its own, whose loss leaves a shorter drawing. */
const struct oom_scenario oom_scenario = { run, true };
