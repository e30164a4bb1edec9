/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From API objects to the model: which kinds are read, and the readers all
 * decoders share. Decoding is lenient, as the server that sent an object has
 * already judged it; what a server would reject is valid_*.c's to say.
 */
#include <cluster/model.h>

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <cluster/front.h>

#define MAX_KEPT_TEXT 65536     /* bytes of one string; longer ones are cut */
#define MAX_ANNOTATION 4096     /* annotations beyond are tools' state, not configuration */
#define MAX_LABELS 4096         /* keys of one map */
#define MAX_STRINGS 4096        /* items of one list of strings */
#define MAX_LIST_DEPTH 4        /* a List of Lists */
#define SHARED_TEXT 64          /* texts up to this length are looked up before they are copied */

bool pw_val_absent(const struct pw_val *val)
{
	return pw_val_is(val, PW_VAL_NULL);
}

const char *pw_keep_text(struct pw_facts *facts, const char *text)
{
	size_t len;
	const char **slot;
	const char *copy;

	if (!text || !text[0])
		return "";
	len = strlen(text);
	if (len > MAX_KEPT_TEXT)
		len = MAX_KEPT_TEXT;
	if (len > SHARED_TEXT) {
		copy = pw_arena_strndup(facts->arena, text, len);
		return copy ? copy : "";
	}
	slot = &facts->cache[pw_hash64(text, len) & (PW_TEXT_CACHE - 1)];
	if (*slot && strcmp(*slot, text) == 0)
		return *slot;
	copy = pw_arena_strndup(facts->arena, text, len);
	if (!copy)
		return "";
	*slot = copy;
	return copy;
}

const char *pw_keep(struct pw_facts *facts, const struct pw_val *val)
{
	return pw_val_absent(val) ? "" : pw_keep_text(facts, pw_val_text(val));
}

const char *pw_keep_key(struct pw_facts *facts, const struct pw_val *map, const char *key)
{
	return pw_keep(facts, pw_map_get(map, key));
}

void *pw_keep_array(struct pw_facts *facts, const struct pw_val *seq, size_t max, size_t size, size_t *ret_n)
{
	size_t n = pw_val_is(seq, PW_VAL_SEQ) ? pw_val_count(seq) : 0;
	void *array;

	*ret_n = 0;
	if (n == 0)
		return NULL;
	if (n > max)
		n = max;
	array = pw_arena_array(facts->arena, n, size);
	if (array)
		*ret_n = n;
	return array;
}

struct pw_strings pw_keep_strings(struct pw_facts *facts, const struct pw_val *seq)
{
	size_t n;
	const char **v = pw_keep_array(facts, seq, MAX_STRINGS, sizeof(*v), &n);

	for (size_t i = 0; i < n; i++)
		v[i] = pw_keep(facts, pw_val_at(seq, i));
	return (struct pw_strings){ v, n };
}

static struct pw_labels keep_pairs(struct pw_facts *facts, const struct pw_val *map, bool (*is_bulk)(const char *key, const struct pw_val *value))
{
	size_t n = pw_val_is(map, PW_VAL_MAP) ? pw_val_count(map) : 0, kept = 0;
	struct pw_label *v;

	if (n > MAX_LABELS)
		n = MAX_LABELS;
	v = n ? pw_arena_array(facts->arena, n, sizeof(*v)) : NULL;
	if (!v)
		return (struct pw_labels){ NULL, 0 };
	for (size_t i = 0; i < n; i++) {
		const char *key = pw_map_key(map, i);
		const struct pw_val *value = pw_val_at(map, i);

		if (is_bulk && is_bulk(key, value))
			continue;
		v[kept].key = pw_keep_text(facts, key);
		v[kept++].value = pw_keep(facts, value);
	}
	return (struct pw_labels){ v, kept };
}

struct pw_labels pw_keep_labels(struct pw_facts *facts, const struct pw_val *map)
{
	return keep_pairs(facts, map, NULL);
}

/* kubectl's copy of the whole object and other bulk say nothing about networking. */
static bool is_bulk(const char *key, const struct pw_val *value)
{
	return strcmp(key, "kubectl.kubernetes.io/last-applied-configuration") == 0 || pw_val_text_len(value) > MAX_ANNOTATION;
}

int64_t pw_keep_time(struct pw_facts *facts, const struct pw_val *map, const char *key)
{
	const char *text = pw_map_str(map, key, NULL);
	int64_t seconds = text ? pw_parse_rfc3339(text) : 0;

	if (seconds > facts->newest)
		facts->newest = seconds;
	return seconds;
}

static void keep_owner(struct pw_facts *facts, const struct pw_val *owners, struct pw_meta *ret)
{
	const struct pw_val *owner = pw_val_at(pw_val_is(owners, PW_VAL_SEQ) ? owners : NULL, 0);

	for (size_t i = 0; i < pw_val_count(owners); i++)
		if (pw_map_bool(pw_val_at(owners, i), "controller", false)) {
			owner = pw_val_at(owners, i);
			break;
		}
	ret->owner_kind = pw_keep_key(facts, owner, "kind");
	ret->owner_name = pw_keep_key(facts, owner, "name");
}

void pw_keep_meta(struct pw_facts *facts, const struct pw_val *object, struct pw_meta *ret)
{
	const struct pw_val *meta = pw_map_get(object, "metadata");

	ret->ns = pw_keep_key(facts, meta, "namespace");
	ret->name = pw_keep_key(facts, meta, "name");
	if (!ret->name[0])
		ret->name = pw_keep_key(facts, meta, "generateName");
	ret->uid = pw_keep_key(facts, meta, "uid");
	ret->labels = pw_keep_labels(facts, pw_map_get(meta, "labels"));
	ret->annotations = keep_pairs(facts, pw_map_get(meta, "annotations"), is_bulk);
	ret->created = pw_keep_time(facts, meta, "creationTimestamp");
	ret->terminating = !pw_val_absent(pw_map_get(meta, "deletionTimestamp"));
	keep_owner(facts, pw_map_get(meta, "ownerReferences"), ret);
}

void pw_keep_namespaced_meta(struct pw_facts *facts, const struct pw_val *object, struct pw_meta *ret)
{
	pw_keep_meta(facts, object, ret);
	if (!ret->ns[0])
		ret->ns = "default";
}

static bool parse_op(const char *word, enum pw_op *ret)
{
	static const struct { const char *word; enum pw_op op; } ops[] = {
		{ "In", PW_OP_IN }, { "NotIn", PW_OP_NOT_IN }, { "Exists", PW_OP_EXISTS }, { "DoesNotExist", PW_OP_NOT_EXISTS },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(word, ops[i].word) == 0) {
			*ret = ops[i].op;
			return true;
		}
	return false;
}

void pw_keep_selector(struct pw_facts *facts, const struct pw_val *selector, struct pw_selector *ret)
{
	const struct pw_val *labels = pw_map_get(selector, "matchLabels");
	const struct pw_val *expressions = pw_map_get(selector, "matchExpressions");
	size_t n_labels = pw_val_is(labels, PW_VAL_MAP) ? pw_val_count(labels) : 0;
	size_t n_expressions = pw_val_is(expressions, PW_VAL_SEQ) ? pw_val_count(expressions) : 0;
	struct pw_requirement *v;

	ret->present = true;
	ret->n = 0;
	ret->expr = NULL;
	if (n_labels > MAX_LABELS)
		n_labels = MAX_LABELS;
	if (n_expressions > MAX_LABELS)
		n_expressions = MAX_LABELS;
	v = n_labels + n_expressions ? pw_arena_array(facts->arena, n_labels + n_expressions, sizeof(*v)) : NULL;
	ret->v = v;
	if (!v)
		return;
	for (size_t i = 0; i < n_labels; i++) {
		const char **value = pw_arena_array(facts->arena, 1, sizeof(*value));

		if (!value)
			return;
		*value = pw_keep(facts, pw_val_at(labels, i));
		v[ret->n++] = (struct pw_requirement){ pw_keep_text(facts, pw_map_key(labels, i)), PW_OP_IN, { value, 1 } };
	}
	for (size_t i = 0; i < n_expressions; i++) {
		const struct pw_val *expression = pw_val_at(expressions, i);
		struct pw_requirement requirement = { "", PW_OP_IN, { NULL, 0 } };

		requirement.key = pw_keep_key(facts, expression, "key");
		/* An operator not known matches nothing: In without values. */
		if (parse_op(pw_map_str(expression, "operator", ""), &requirement.op))
			requirement.values = pw_keep_strings(facts, pw_map_get(expression, "values"));
		v[ret->n++] = requirement;
	}
}

unsigned pw_map_uint(const struct pw_val *map, const char *key, unsigned max, unsigned otherwise)
{
	long long number;

	if (!pw_val_to_int(pw_map_get(map, key), &number))
		return otherwise;
	if (number < 0)
		return 0;
	return number > (long long)max ? max : (unsigned)number;
}

void pw_keep_port(struct pw_facts *facts, const struct pw_val *val, uint16_t *ret_number, const char **ret_name)
{
	long long number;

	*ret_number = 0;
	*ret_name = "";
	if (pw_val_to_int(val, &number)) {
		if (number > 0 && number <= UINT16_MAX)
			*ret_number = (uint16_t)number;
	} else {
		*ret_name = pw_keep(facts, val);
	}
}

/* ---- dispatch ---- */

static const struct kind {
	const char *kind;
	const char *group;    /* apiVersion is this, or starts with it when it ends in '/' */
	enum pw_fact fact;
	pw_decode_fn decode;
	int (*valid)(const struct pw_val *object, struct pw_err *err); /* NULL: not validated */
	int (*decode_kind)(struct pw_facts *facts, const struct pw_val *object, const char *kind); /* instead of decode */
} kinds[] = {
	{ "Pod", "v1", PW_FACT_PODS, pw_decode_pod, NULL, NULL },
	{ "Service", "v1", PW_FACT_SERVICES, pw_decode_service, NULL, NULL },
	{ "EndpointSlice", "discovery.k8s.io/", PW_FACT_SLICES, pw_decode_slice, NULL, NULL },
	{ "Node", "v1", PW_FACT_NODES, pw_decode_node, NULL, NULL },
	{ "Namespace", "v1", PW_FACT_NAMESPACES, pw_decode_namespace, NULL, NULL },
	{ "NetworkPolicy", "networking.k8s.io/", PW_FACT_POLICIES, pw_decode_policy, pw_valid_policy, NULL },
	{ "NetworkPolicy", "extensions/", PW_FACT_POLICIES, pw_decode_policy, pw_valid_policy, NULL },
	{ "AdminNetworkPolicy", "policy.networking.k8s.io/", PW_FACT_POLICIES, NULL, pw_valid_admin_policy, pw_decode_cluster_policy },
	{ "BaselineAdminNetworkPolicy", "policy.networking.k8s.io/", PW_FACT_POLICIES, NULL, pw_valid_baseline_policy, pw_decode_cluster_policy },
	{ "ClusterNetworkPolicy", "policy.networking.k8s.io/", PW_FACT_POLICIES, NULL, pw_valid_cluster_policy, pw_decode_cluster_policy },
	{ "NetworkPolicy", "projectcalico.org/", PW_FACT_POLICIES, NULL, NULL, pw_decode_calico },
	{ "NetworkPolicy", "crd.projectcalico.org/", PW_FACT_POLICIES, NULL, NULL, pw_decode_calico },
	{ "GlobalNetworkPolicy", "projectcalico.org/", PW_FACT_POLICIES, NULL, NULL, pw_decode_calico },
	{ "GlobalNetworkPolicy", "crd.projectcalico.org/", PW_FACT_POLICIES, NULL, NULL, pw_decode_calico },
	{ "Tier", "projectcalico.org/", PW_FACT_POLICIES, NULL, NULL, pw_decode_tier },
	{ "Tier", "crd.projectcalico.org/", PW_FACT_POLICIES, NULL, NULL, pw_decode_tier },
	{ "CiliumNetworkPolicy", "cilium.io/", PW_FACT_POLICIES, NULL, NULL, pw_decode_cilium },
	{ "CiliumClusterwideNetworkPolicy", "cilium.io/", PW_FACT_POLICIES, NULL, NULL, pw_decode_cilium },
	{ "Deployment", "apps/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "Deployment", "extensions/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "ReplicaSet", "apps/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "StatefulSet", "apps/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "DaemonSet", "apps/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "ReplicationController", "v1", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "Job", "batch/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "CronJob", "batch/", PW_FACT_WORKLOADS, NULL, NULL, pw_decode_workload },
	{ "ConfigMap", "v1", PW_FACT_CONFIGMAPS, pw_decode_configmap, NULL, NULL },
	{ "Ingress", "networking.k8s.io/", PW_FACT_INGRESSES, pw_decode_ingress, NULL, NULL },
	{ "IngressClass", "networking.k8s.io/", PW_FACT_INGRESSES, pw_decode_ingress_class, NULL, NULL },
	{ "Ingress", "extensions/", PW_FACT_INGRESSES, pw_decode_ingress, NULL, NULL },
	{ "Route", "route.openshift.io/", PW_FACT_NONE, pw_decode_route, NULL, NULL },
	{ "Event", "v1", PW_FACT_EVENTS, pw_decode_event, NULL, NULL },
	{ "Event", "events.k8s.io/", PW_FACT_EVENTS, pw_decode_event, NULL, NULL },
};

static bool group_matches(const char *group, const char *version)
{
	size_t len = strlen(group);

	if (!version)
		return true; /* an item of a typed list carries none */
	return group[len - 1] == '/' ? strncmp(version, group, len) == 0 : strcmp(version, group) == 0;
}

static const struct kind *find_kind(const char *name, size_t len, const char *version)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].kind) == len && strncmp(kinds[i].kind, name, len) == 0 &&
		    group_matches(kinds[i].group, version))
			return &kinds[i];
	return NULL;
}

static int add_object(struct pw_facts *facts, const struct kind *kind, const struct pw_val *object, struct pw_err *err)
{
	int rc;

	if (facts->strict && kind->valid && (rc = kind->valid(object, err)) != PW_OK)
		return rc;
	rc = kind->decode ? kind->decode(facts, object) : kind->decode_kind(facts, object, kind->kind);
	if (rc != PW_OK || pw_arena_failed(facts->arena))
		return pw_err_set(err, PW_NOMEM, "the cluster model does not fit into memory (at a %s)", kind->kind);
	return PW_OK;
}

static bool ends_with_list(const char *kind, size_t len)
{
	return len >= 4 && strcmp(kind + len - 4, "List") == 0;
}

/* `version` and `kind` of an item come from its typed list if it has none. */
static int add_any(struct pw_facts *facts, const struct pw_val *object, const char *list_kind, size_t list_kind_len,
		   const char *list_version, unsigned depth, struct pw_err *err)
{
	const char *kind = pw_map_str(object, "kind", NULL);
	const char *version = pw_map_str(object, "apiVersion", NULL);
	const struct pw_val *items = pw_map_get(object, "items");
	size_t len;
	const struct kind *found;
	int rc = PW_OK;

	if (!pw_val_is(object, PW_VAL_MAP))
		return PW_OK;
	if (!kind) {
		kind = list_kind;
		len = list_kind_len;
		version = version ? version : list_version;
	} else {
		len = strlen(kind);
	}
	if (!kind)
		return PW_OK;
	if (ends_with_list(kind, len) && !pw_val_absent(items)) {
		bool typed = len > 4;

		if (depth >= MAX_LIST_DEPTH || !pw_val_is(items, PW_VAL_SEQ))
			return PW_OK;
		for (size_t i = 0; i < pw_val_count(items) && rc == PW_OK; i++)
			rc = add_any(facts, pw_val_at(items, i), typed ? kind : NULL, len - 4, version, depth + 1, err);
		if (rc == PW_OK && typed && (found = find_kind(kind, len - 4, version)) != NULL &&
		    pw_facts_known(facts, found->fact) == PW_KNOWN_NOT_ASKED)
			pw_facts_set_known(facts, found->fact, PW_KNOWN_YES, "");
		return rc;
	}
	found = find_kind(kind, len, version);
	return found ? add_object(facts, found, object, err) : PW_OK;
}

int pw_facts_add(struct pw_facts *facts, const struct pw_val *object, struct pw_err *err)
{
	return add_any(facts, object, NULL, 0, NULL, 0, err);
}

enum pw_fact pw_fact_of_kind(const char *kind, const char *version)
{
	const struct kind *found = kind ? find_kind(kind, strlen(kind), version) : NULL;

	return found ? found->fact : PW_FACT_NONE;
}
