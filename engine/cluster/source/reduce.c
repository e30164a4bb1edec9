/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which fields of API objects are kept, as one table; and the copy by it. */
#include <cluster/source/reduce.h>

#include <string.h>

#define MAX_ANNOTATION 4096 /* longer ones are tools' state, not configuration */

/* A field to keep, whole (`of` NULL) or some fields of it; of a list, of each item. Ends with a NULL key. */
struct keep { const char *key; const struct keep *of; };

#define WHOLE(key) { key, NULL }
#define END { NULL, NULL }

/* Not a table: annotations are kept but for bulk (see reduce_annotations). */
static const struct keep annotations[] = { END };

static const struct keep owner[] = { WHOLE("kind"), WHOLE("name"), WHOLE("controller"), END };
static const struct keep metadata[] = {
	WHOLE("name"), WHOLE("namespace"), WHOLE("uid"), WHOLE("labels"), { "annotations", annotations }, WHOLE("creationTimestamp"),
	WHOLE("deletionTimestamp"), { "ownerReferences", owner }, END,
};

static const struct keep http_get[] = { WHOLE("path"), WHOLE("port"), WHOLE("scheme"), WHOLE("host"), END };
static const struct keep exec_action[] = { END };
static const struct keep probe[] = {
	{ "httpGet", http_get }, { "tcpSocket", http_get }, { "exec", exec_action }, { "grpc", http_get }, WHOLE("timeoutSeconds"),
	WHOLE("periodSeconds"), WHOLE("failureThreshold"), END,
};
static const struct keep container_port[] = { WHOLE("name"), WHOLE("protocol"), WHOLE("containerPort"), WHOLE("hostPort"), END };
static const struct keep container[] = {
	WHOLE("name"), WHOLE("image"), WHOLE("restartPolicy"), { "ports", container_port }, { "readinessProbe", probe },
	{ "livenessProbe", probe }, END,
};
static const struct keep pod_spec[] = {
	WHOLE("nodeName"), WHOLE("hostNetwork"), WHOLE("hostname"), WHOLE("subdomain"), WHOLE("serviceAccountName"),
	WHOLE("dnsPolicy"), WHOLE("dnsConfig"), WHOLE("hostAliases"), WHOLE("tolerations"), { "containers", container }, { "initContainers", container }, END,
};
static const struct keep state_detail[] = { WHOLE("reason"), WHOLE("message"), WHOLE("startedAt"), WHOLE("exitCode"), END };
static const struct keep state[] = { { "running", state_detail }, { "waiting", state_detail }, { "terminated", state_detail }, END };
static const struct keep container_status[] = {
	WHOLE("name"), WHOLE("ready"), WHOLE("started"), WHOLE("restartCount"), { "state", state }, { "lastState", state }, END,
};
static const struct keep condition[] = {
	WHOLE("type"), WHOLE("status"), WHOLE("reason"), WHOLE("message"), WHOLE("lastHeartbeatTime"), END,
};
static const struct keep pod_status[] = {
	WHOLE("phase"), WHOLE("podIP"), WHOLE("podIPs"), WHOLE("hostIP"), WHOLE("reason"), WHOLE("message"),
	{ "conditions", condition }, { "containerStatuses", container_status }, { "initContainerStatuses", container_status }, END,
};
static const struct keep pod[] = { { "metadata", metadata }, { "spec", pod_spec }, { "status", pod_status }, END };

static const struct keep node_spec[] = { WHOLE("podCIDR"), WHOLE("podCIDRs"), WHOLE("taints"), WHOLE("unschedulable"), WHOLE("providerID"), END };
static const struct keep node_info[] = {
	WHOLE("kubeletVersion"), WHOLE("kernelVersion"), WHOLE("osImage"), WHOLE("containerRuntimeVersion"), END,
};
static const struct keep node_status[] = { WHOLE("addresses"), { "conditions", condition }, { "nodeInfo", node_info }, END };
static const struct keep node[] = { { "metadata", metadata }, { "spec", node_spec }, { "status", node_status }, END };

static const struct keep load_balancer[] = { WHOLE("loadBalancer"), END };
static const struct keep service[] = { { "metadata", metadata }, WHOLE("spec"), { "status", load_balancer }, END };

static const struct keep target[] = { WHOLE("kind"), WHOLE("namespace"), WHOLE("name"), WHOLE("uid"), END };
static const struct keep endpoint[] = {
	WHOLE("addresses"), WHOLE("conditions"), WHOLE("nodeName"), WHOLE("hostname"), WHOLE("zone"), { "targetRef", target }, END,
};
static const struct keep slice[] = { { "metadata", metadata }, WHOLE("addressType"), { "endpoints", endpoint }, WHOLE("ports"), END };

static const struct keep namespace[] = { { "metadata", metadata }, END };
static const struct keep policy[] = { { "metadata", metadata }, WHOLE("spec"), WHOLE("specs"), END };

static const struct keep template_metadata[] = { WHOLE("labels"), END };
static const struct keep template[] = { { "metadata", template_metadata }, END };
static const struct keep workload_spec[] = { WHOLE("replicas"), WHOLE("selector"), { "template", template }, END };
static const struct keep workload_status[] = {
	WHOLE("readyReplicas"), WHOLE("availableReplicas"), WHOLE("updatedReplicas"), WHOLE("desiredNumberScheduled"),
	WHOLE("numberReady"), WHOLE("numberAvailable"), WHOLE("updatedNumberScheduled"), END,
};
static const struct keep workload[] = { { "metadata", metadata }, { "spec", workload_spec }, { "status", workload_status }, END };

static const struct keep configmap[] = { { "metadata", metadata }, WHOLE("data"), END };

static const struct keep series[] = { WHOLE("count"), WHOLE("lastObservedTime"), END };
static const struct keep event[] = {
	{ "metadata", target }, { "involvedObject", target }, { "regarding", target }, WHOLE("reason"), WHOLE("message"), WHOLE("note"),
	WHOLE("type"), WHOLE("count"), WHOLE("deprecatedCount"), WHOLE("lastTimestamp"), WHOLE("deprecatedLastTimestamp"),
	WHOLE("eventTime"), WHOLE("firstTimestamp"), { "series", series }, END,
};

static const struct keep ingress[] = { { "metadata", metadata }, WHOLE("spec"), { "status", load_balancer }, END };

static const struct { enum pw_fact kind; const struct keep *keep; } tables[] = {
	{ PW_FACT_NAMESPACES, namespace }, { PW_FACT_NODES, node }, { PW_FACT_PODS, pod }, { PW_FACT_SERVICES, service },
	{ PW_FACT_SLICES, slice }, { PW_FACT_POLICIES, policy }, { PW_FACT_WORKLOADS, workload }, { PW_FACT_CONFIGMAPS, configmap },
	{ PW_FACT_EVENTS, event }, { PW_FACT_INGRESSES, ingress },
};

/* kubectl's copy of the whole object would bring back all that was left out. */
static struct pw_val *reduce_annotations(const struct pw_val *val, struct pw_arena *arena)
{
	struct pw_val *copy = pw_val_map(arena);

	for (size_t i = 0; pw_val_is(val, PW_VAL_MAP) && i < pw_val_count(val); i++) {
		const char *key = pw_map_key(val, i);

		if (strcmp(key, "kubectl.kubernetes.io/last-applied-configuration") != 0 &&
		    pw_val_text_len(pw_val_at(val, i)) <= MAX_ANNOTATION)
			pw_map_set(copy, key, pw_val_copy(arena, pw_val_at(val, i)));
	}
	return copy;
}

static struct pw_val *reduce(const struct keep *keep, const struct pw_val *val, struct pw_arena *arena)
{
	struct pw_val *copy;

	if (!keep)
		return pw_val_copy(arena, val);
	if (keep == annotations)
		return reduce_annotations(val, arena);
	if (pw_val_is(val, PW_VAL_SEQ)) {
		copy = pw_val_seq(arena);
		for (size_t i = 0; i < pw_val_count(val); i++)
			pw_seq_add(copy, reduce(keep, pw_val_at(val, i), arena));
		return copy;
	}
	copy = pw_val_map(arena);
	for (; pw_val_is(val, PW_VAL_MAP) && keep->key; keep++) {
		const struct pw_val *field = pw_map_get(val, keep->key);

		if (field && !pw_val_is(field, PW_VAL_NULL))
			pw_map_set(copy, keep->key, reduce(keep->of, field, arena));
	}
	return copy;
}

struct pw_val *pw_object_reduce(enum pw_fact kind, const struct pw_val *object, struct pw_arena *arena)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].kind == kind)
			return reduce(tables[i].keep, object, arena);
	return NULL;
}
