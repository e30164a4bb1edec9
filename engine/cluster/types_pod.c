/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input type `pod`: which pod is meant, and which others are of use to compare it with. */
#include <cluster/types.h>

#include <string.h>

const char *const pw_pod_fields[] = {
	"name", "namespace", "node", "node_ip", "ip", "uid", "host_ip", "host_network", "labels", "phase", "ready", "ports",
	"dns_policy", "service_account", "peer", "peer_ip", "far", "far_ip", "far_node", "other_client", NULL,
};

/* ---- other pods to compare with ---- */

enum place { SAME_NODE, OTHER_NODE, ANY_NODE };

static bool can_serve(const struct pw_pod *pod, const struct pw_pod *other)
{
	return other != pod && !other->host_network && other->ready && !other->meta.terminating && other->ip[0];
}

static bool same_owner(const struct pw_pod *a, const struct pw_pod *b)
{
	return a->meta.owner_name[0] && strcmp(a->meta.owner_name, b->meta.owner_name) == 0 && strcmp(a->meta.ns, b->meta.ns) == 0;
}

static unsigned likeness(const struct pw_pod *pod, const struct pw_pod *other)
{
	if (strcmp(pod->meta.ns, other->meta.ns) != 0)
		return 1;
	return same_owner(pod, other) ? 3 : 2;
}

/* The ready pod most like `pod` at that place: of its owner, of its namespace, of any. */
static const struct pw_pod *companion(const struct pw_facts *facts, const struct pw_pod *pod, enum place place, bool own_ns)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n), *best = NULL;
	unsigned best_score = 0;

	for (size_t i = 0; i < n; i++) {
		bool same = strcmp(pods[i]->node, pod->node) == 0;
		unsigned score;

		if (!can_serve(pod, pods[i]) || !pods[i]->node[0] || (place == SAME_NODE && !same) || (place == OTHER_NODE && same))
			continue;
		score = likeness(pod, pods[i]);
		if (score > best_score && !(own_ns && score == 1)) {
			best = pods[i];
			best_score = score;
		}
	}
	return best;
}

static void set_pod(struct pw_val *map, const char *key, const struct pw_pod *pod)
{
	if (pod)
		pw_map_set_strf(map, key, "%s/%s", pod->meta.ns, pod->meta.name);
	else
		pw_map_set_str(map, key, "");
}

static void set_companions(const struct pw_facts *facts, const struct pw_pod *pod, struct pw_val *map)
{
	const struct pw_pod *peer = companion(facts, pod, SAME_NODE, false);
	const struct pw_pod *far = companion(facts, pod, OTHER_NODE, false);
	/* A substitute sender: policies treat it alike if it is of the same namespace. */
	const struct pw_pod *other = companion(facts, pod, SAME_NODE, true);

	if (!other)
		other = companion(facts, pod, ANY_NODE, true);
	set_pod(map, "peer", peer);
	pw_map_set_str(map, "peer_ip", peer ? peer->ip : "");
	set_pod(map, "far", far);
	pw_map_set_str(map, "far_ip", far ? far->ip : "");
	pw_map_set_str(map, "far_node", far ? far->node : "");
	set_pod(map, "other_client", other ? other : peer);
}

static void set_ports(const struct pw_pod *pod, struct pw_val *map)
{
	struct pw_val *ports = pw_map_set_seq(map, "ports");

	for (size_t i = 0; i < pod->n_containers; i++)
		for (size_t j = 0; j < pod->containers[i].n_ports; j++) {
			const struct pw_container_port *port = &pod->containers[i].ports[j];
			struct pw_val *item = pw_seq_add_map(ports);

			pw_map_set_strf(item, "", "%u", port->port);
			pw_map_set_int(item, "port", port->port);
			pw_map_set_str(item, "name", port->name);
			pw_map_set_str(item, "protocol", port->protocol);
		}
}

static struct pw_val *pod_val(const struct pw_facts *facts, const struct pw_pod *pod, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	const char *node_ip = pw_node_address(facts, pod->node);

	set_pod(map, "", pod);
	pw_map_set_str(map, "name", pod->meta.name);
	pw_map_set_str(map, "namespace", pod->meta.ns);
	pw_map_set_str(map, "node", pod->node);
	pw_map_set_str(map, "node_ip", node_ip[0] ? node_ip : pod->host_ip);
	pw_map_set_str(map, "ip", pod->ip);
	pw_map_set_str(map, "uid", pod->meta.uid);
	pw_map_set_str(map, "host_ip", pod->host_ip);
	pw_map_set_bool(map, "host_network", pod->host_network);
	pw_map_set_labels(map, "labels", &pod->meta.labels);
	pw_map_set_str(map, "phase", pod->phase);
	pw_map_set_bool(map, "ready", pod->ready);
	pw_map_set_str(map, "dns_policy", pod->dns_policy);
	pw_map_set_str(map, "service_account", pod->service_account);
	set_ports(pod, map);
	set_companions(facts, pod, map);
	return map;
}

/* ---- which pod is meant ---- */

struct wish { const char *ns, *kind, *name; };

static const char *workload_kind(const char *word, size_t len)
{
	static const struct { const char *word, *kind; } words[] = {
		{ "deployment", "Deployment" }, { "deploy", "Deployment" }, { "statefulset", "StatefulSet" },
		{ "sts", "StatefulSet" }, { "daemonset", "DaemonSet" }, { "ds", "DaemonSet" }, { "replicaset", "ReplicaSet" },
		{ "rs", "ReplicaSet" }, { "job", "Job" }, { "pod", "Pod" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == len && strncmp(words[i].word, word, len) == 0)
			return words[i].kind;
	return NULL;
}

/* A Deployment's pods belong to a ReplicaSet named DEPLOYMENT-HASH, the hash without '-'. */
static bool of_deployment(const struct pw_pod *pod, const char *name)
{
	size_t len = strlen(name);
	const char *owner = pod->meta.owner_name;

	return strcmp(pod->meta.owner_kind, "ReplicaSet") == 0 && strncmp(owner, name, len) == 0 && owner[len] == '-' &&
	       owner[len + 1] && !strchr(owner + len + 1, '-');
}

static bool is_of(const struct pw_pod *pod, const struct wish *wish)
{
	if (strcmp(wish->kind, "Pod") == 0)
		return strcmp(pod->meta.name, wish->name) == 0;
	if (strcmp(wish->kind, "Deployment") == 0 && of_deployment(pod, wish->name))
		return true;
	return strcmp(pod->meta.owner_kind, wish->kind) == 0 && strcmp(pod->meta.owner_name, wish->name) == 0;
}

/* One "key=value". */
static bool has_label(const struct pw_pod *pod, const char *expression)
{
	const char *equals = strchr(expression, '=');

	for (size_t i = 0; i < pod->meta.labels.n; i++) {
		const struct pw_label *label = &pod->meta.labels.v[i];

		if (strlen(label->key) == (size_t)(equals - expression) &&
		    strncmp(label->key, expression, strlen(label->key)) == 0 && strcmp(label->value, equals + 1) == 0)
			return true;
	}
	return false;
}

/* The first ready pod of the wish, else the first. */
static const struct pw_pod *first_of(const struct pw_facts *facts, const struct wish *wish)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n), *found = NULL;

	for (size_t i = 0; i < n; i++) {
		bool match = strcmp(pods[i]->meta.ns, wish->ns) == 0 &&
			     (wish->kind ? is_of(pods[i], wish) : has_label(pods[i], wish->name));

		if (match && (!found || (!found->ready && pods[i]->ready)))
			found = pods[i];
	}
	return found;
}

/* KIND/NAME, NS/KIND/NAME, key=value or NS/key=value. */
static bool parse_wish(const char *text, const char *default_ns, struct pw_arena *arena, struct wish *ret)
{
	const char *slash = strchr(text, '/'), *second = slash ? strchr(slash + 1, '/') : NULL, *equals = strchr(text, '=');
	const char *kind;

	ret->ns = default_ns && default_ns[0] ? default_ns : "default";
	ret->kind = NULL;
	if (equals) { /* the key of a label may have a prefix with a dot, a namespace has none */
		ret->name = text;
		if (slash && slash < equals && !memchr(text, '.', (size_t)(slash - text))) {
			ret->ns = pw_arena_strndup(arena, text, (size_t)(slash - text));
			ret->name = slash + 1;
		}
		return ret->ns != NULL;
	}
	if (!slash)
		return false;
	if (second) {
		ret->ns = pw_arena_strndup(arena, text, (size_t)(slash - text));
		kind = workload_kind(slash + 1, (size_t)(second - slash - 1));
		ret->name = second + 1;
	} else {
		kind = workload_kind(text, (size_t)(slash - text));
		ret->name = slash + 1;
	}
	ret->kind = kind;
	return kind && ret->ns && ret->name[0] && !strchr(ret->name, '/');
}

static int pod_metas(const struct pw_facts *facts, struct pw_arena *arena, const struct pw_meta ***ret, size_t *ret_n)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	const struct pw_meta **metas = pw_arena_array(arena, n + 1, sizeof(*metas));

	if (!metas)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		metas[i] = &pods[i]->meta;
	*ret = metas;
	*ret_n = n;
	return PW_OK;
}

int pw_pod_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
		   struct pw_val **ret, struct pw_err *err)
{
	const struct pw_meta **metas;
	const struct pw_pod *pod = NULL;
	struct wish wish = { NULL, NULL, NULL };
	const char *ns, *name;
	bool plain = pw_split_name(text, default_ns, arena, &ns, &name);
	size_t n;

	if (plain)
		pod = pw_facts_pod(facts, ns, name);
	if (!pod)
		pod = pw_facts_pod_by_ip(facts, text);
	if (!pod && parse_wish(text, default_ns, arena, &wish)) {
		pod = first_of(facts, &wish);
		if (!pod)
			return pw_err_set(err, PW_ABSENT, "there is no pod of %s in namespace %s", text, wish.ns);
	}
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "out of memory while looking for pod %s", text);
	if (!pod && !plain)
		return pw_err_set(err, PW_USAGE, "\"%s\" does not name a pod: write NAMESPACE/NAME, NAME, deployment/NAME or label=value",
				  text);
	if (!pod) {
		if (pod_metas(facts, arena, &metas, &n) != PW_OK)
			return pw_err_set(err, PW_NOMEM, "out of memory while looking for pod %s", text);
		return pw_absent(facts, PW_FACT_PODS, "pod", ns, name, metas, n, arena, err);
	}
	*ret = pod_val(facts, pod, arena);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "out of memory while describing pod %s", text) : PW_OK;
}

int pw_pod_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret)
{
	const struct pw_meta **metas;
	size_t n;

	if (pod_metas(facts, arena, &metas, &n) != PW_OK)
		return PW_NOMEM;
	return pw_list_candidates(metas, n, default_ns, arena, ret);
}
