/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the `at:` of a step to a place where a child process can be. */
#include <run/where.h>

#include <string.h>

#define MAX_PLACE_TEXT 4096 /* a path or a name; PATH_MAX of Linux */

/* A mesh's proxy in the pod has ways of its own around the redirect that the others go through. */
static bool is_mesh_proxy(const struct pw_container *container)
{
	return !strcmp(container->name, "istio-proxy") || !strcmp(container->name, "linkerd-proxy");
}

/* The container that stands for the pod, as kubectl has it: the first that runs beside the init ones. */
static const char *container_of(const struct pw_pod *pod)
{
	for (size_t i = 0; i < pod->n_containers; i++)
		if (!pod->containers[i].init && !is_mesh_proxy(&pod->containers[i]))
			return pod->containers[i].name;
	return "";
}

static int pod_at(const struct pw_facts *facts, const char *text, const char *slash, struct pw_arena *arena,
		  struct pw_vantage *ret, struct pw_err *err)
{
	const char *ns = pw_arena_strndup(arena, text, (size_t)(slash - text)), *name = pw_arena_strdup(arena, slash + 1);
	if (!ns || !name)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	const struct pw_pod *pod = facts ? pw_facts_pod(facts, ns, name) : NULL;
	if (!pod && facts && pw_facts_known(facts, PW_FACT_PODS) == PW_KNOWN_YES)
		return pw_err_set(err, PW_ABSENT, "there is no pod %s", text);
	*ret = (struct pw_vantage){ .kind = PW_AT_POD, .ns = ns, .pod = name, .node = "", .uid = "" };
	if (pod) {
		ret->node = pod->node;
		ret->uid = pod->meta.uid;
		ret->container = container_of(pod);
		ret->host_network = pod->host_network;
	}
	return PW_OK;
}

bool pw_is_agent(const struct pw_pod *pod)
{
	const char *app = pw_labels_get(&pod->meta.labels, "app.kubernetes.io/name");
	return pod->ready && pod->host_network && !strcmp(pod->meta.ns, PW_AGENT_NAMESPACE) && !strcmp(pod->meta.owner_kind, "DaemonSet") &&
	       app && !strcmp(app, PW_AGENT_APP);
}

/* The pod on that node in which an agent can be started; "" where none is ready. */
static const char *agent_on(const struct pw_facts *facts, const char *node)
{
	size_t n = 0;
	const struct pw_pod *const *pods = facts ? pw_facts_pods(facts, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (pw_is_agent(pods[i]) && strcmp(pods[i]->node, node) == 0)
			return pods[i]->meta.name;
	return "";
}

static int named_place(const struct pw_facts *facts, const char *text, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err)
{
	const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	if (strcmp(text, "here") == 0 || (colon && (!slash || colon < slash))) {
		if (colon && !colon[1])
			return pw_err_set(err, PW_ABSENT, "'%s' names no place", text);
		return pw_vantage_parse(text, arena, ret, err);
	}
	if (slash)
		return pod_at(facts, text, slash, arena, ret, err);
	const struct pw_node *node = facts ? pw_facts_node(facts, text) : NULL;
	if (!node)
		return pw_err_set(err, PW_ABSENT, "'%s' is no place: neither here, a node, nor a pod as namespace/name", text);
	*ret = (struct pw_vantage){ .kind = PW_AT_NODE, .node = node->meta.name };
	return PW_OK;
}

int pw_where_text(const struct pw_facts *facts, const char *text, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err)
{
	int rc = named_place(facts, text, arena, ret, err);
	if (rc == PW_OK && (ret->kind == PW_AT_NODE || ret->kind == PW_AT_POD))
		ret->agent = agent_on(facts, ret->node);
	return rc;
}

/* "${name}" and nothing else: the reference inside, into `ref`. */
static bool whole_reference(const char *at, char *ref, size_t size)
{
	size_t len = strlen(at);
	if (len < 4 || len - 3 >= size || at[0] != '$' || at[1] != '{' || strchr(at, '}') != at + len - 1)
		return false;
	memcpy(ref, at + 2, len - 3);
	ref[len - 3] = '\0';
	return true;
}

/* Endpoints and loop items name their pod or node; nodes have a pod CIDR and pods do not. */
static const char *place_of(const struct pw_val *val, struct pw_arena *arena)
{
	const char *pod = pw_map_str(val, "pod", NULL), *text = pw_map_str(val, "", NULL);
	if (pw_map_get(val, "pod_cidr"))
		return pw_arena_printf(arena, "node:%s", pw_map_str(val, "name", ""));
	if (pw_map_get(val, "host_network"))
		return pw_arena_printf(arena, "%s/%s", pw_map_str(val, "namespace", ""), pw_map_str(val, "name", ""));
	return pod && *pod ? pod : text;
}

int pw_where(const struct pw_scope *scope, const struct pw_facts *facts, const char *at, const char *here,
	     struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err)
{
	char ref[256];
	const char *text = NULL;
	struct pw_buf expanded;
	if (!at || !*at)
		return pw_where_text(facts, here ? here : "here", arena, ret, err);
	if (whole_reference(at, ref, sizeof ref)) {
		const struct pw_val *val = pw_scope_get(scope, ref);
		text = pw_val_is(val, PW_VAL_MAP) ? place_of(val, arena) : NULL;
	}
	pw_buf_init(&expanded, MAX_PLACE_TEXT);
	int rc = text ? PW_OK : pw_scope_expand_text(scope, at, &expanded, err);
	if (!rc && !text && !pw_buf_ok(&expanded))
		rc = pw_err_set(err, PW_NOMEM, "at: %s is too long", at);
	if (!rc && !text)
		text = pw_arena_strdup(arena, pw_buf_str(&expanded));
	pw_buf_release(&expanded);
	if (rc)
		return rc;
	if (!text)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	if (!*text || strcmp(text, "/") == 0)
		return pw_err_set(err, PW_ABSENT, "there is no place %s here: it is empty", at);
	return pw_where_text(facts, text, arena, ret, err);
}
