/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workloads, ConfigMaps and Events. */
#include <cluster/model.h>

#include <limits.h>
#include <string.h>

static int number(const struct pw_val *map, const char *key, unsigned otherwise)
{
	return (int)pw_map_uint(map, key, INT_MAX, otherwise);
}

static const struct pw_val *template_of(const char *kind, const struct pw_val *spec)
{
	if (strcmp(kind, "CronJob") == 0)
		return pw_val_get(spec, "jobTemplate.spec.template");
	return pw_map_get(spec, "template");
}

static void decode_counts(const struct pw_val *object, struct pw_workload *workload)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *status = pw_map_get(object, "status");

	if (strcmp(workload->kind, "DaemonSet") == 0) {
		workload->replicas = number(status, "desiredNumberScheduled", 0);
		workload->ready = number(status, "numberReady", 0);
		workload->available = number(status, "numberAvailable", 0);
		workload->updated = number(status, "updatedNumberScheduled", 0);
		return;
	}
	workload->replicas = number(spec, "replicas", 1); /* apps/v1: not given means 1 */
	workload->ready = number(status, "readyReplicas", 0);
	workload->available = number(status, "availableReplicas", 0);
	workload->updated = number(status, "updatedReplicas", 0);
}

/* A ReplicationController's selector is a plain map, all others have a LabelSelector. */
static void decode_workload_selector(struct pw_facts *facts, const struct pw_val *selector, struct pw_workload *workload)
{
	struct pw_val *wrapped;

	if (strcmp(workload->kind, "ReplicationController") != 0) {
		if (!pw_val_absent(selector))
			pw_keep_selector(facts, selector, &workload->selector);
		return;
	}
	wrapped = pw_val_map(facts->arena);
	pw_map_set(wrapped, "matchLabels", pw_val_copy(facts->arena, selector));
	pw_keep_selector(facts, wrapped, &workload->selector);
}

int pw_decode_workload(struct pw_facts *facts, const struct pw_val *object, const char *kind)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *template;
	struct pw_workload *workload = pw_arena_alloc(facts->arena, sizeof(*workload));
	int rc;

	if (!workload)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &workload->meta);
	workload->kind = kind;
	template = template_of(workload->kind, spec);
	decode_counts(object, workload);
	decode_workload_selector(facts, pw_map_get(spec, "selector"), workload);
	workload->template_labels = pw_keep_labels(facts, pw_val_get(template, "metadata.labels"));
	rc = pw_facts_store(facts, PW_FACT_WORKLOADS, workload->meta.ns, workload->meta.name, workload->kind, workload);
	if (rc == PW_OK && facts->templates && pw_val_is(template, PW_VAL_MAP))
		rc = pw_decode_template(facts, object, workload->kind, template);
	return rc;
}

int pw_decode_configmap(struct pw_facts *facts, const struct pw_val *object)
{
	struct pw_configmap *map = pw_arena_alloc(facts->arena, sizeof(*map));

	if (!map)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &map->meta);
	map->data = pw_keep_labels(facts, pw_map_get(object, "data"));
	return pw_facts_store(facts, PW_FACT_CONFIGMAPS, map->meta.ns, map->meta.name, "", map);
}

/* core/v1 and events.k8s.io/v1 name the same things differently. */
int pw_decode_event(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *about = pw_map_get(object, "involvedObject"), *series = pw_map_get(object, "series");
	struct pw_event *event = pw_arena_alloc(facts->arena, sizeof(*event));
	static const char *const counts[] = { "count", "deprecatedCount" };
	static const char *const times[] = { "lastTimestamp", "deprecatedLastTimestamp", "eventTime", "firstTimestamp" };

	if (!event)
		return PW_NOMEM;
	if (!about)
		about = pw_map_get(object, "regarding");
	event->kind = pw_keep_key(facts, about, "kind");
	event->ns = pw_keep_key(facts, about, "namespace");
	event->name = pw_keep_key(facts, about, "name");
	event->uid = pw_keep_key(facts, about, "uid");
	event->reason = pw_keep_key(facts, object, "reason");
	event->type = pw_keep_key(facts, object, "type");
	event->message = pw_keep_key(facts, object, "message");
	if (!event->message[0])
		event->message = pw_keep_key(facts, object, "note");
	event->last = pw_keep_time(facts, series, "lastObservedTime");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]) && !event->last; i++)
		event->last = pw_keep_time(facts, object, times[i]);
	event->count = pw_map_uint(series, "count", INT_MAX, 0);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && !event->count; i++)
		event->count = pw_map_uint(object, counts[i], INT_MAX, 0);
	if (!event->count)
		event->count = 1;
	return pw_facts_store(facts, PW_FACT_EVENTS, event->ns, event->name,
			      pw_keep(facts, pw_val_get(object, "metadata.name")), event);
}

