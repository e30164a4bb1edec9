/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Manifests of the pods a run makes. A probe pod takes over from the pod it
 * stands beside what decides how its packets are treated, and nothing that
 * would make it part of an application; it is written as JSON, because what
 * it takes over may hold anything.
 */
#include "made.h"

#include <string.h>

#include <base/text.h>
#include <doc/json.h>
#include <packetwalk/cleanup.h>
#include <vantage/executor.h>

enum {
	TREE_MAX = 8 << 20,
	IMAGE_MAX = 512,
};

bool pw_made_is_image(const char *text)
{
	return *text && strlen(text) <= IMAGE_MAX &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:@_-") == strlen(text);
}

bool pw_made_is_pull_policy(const char *text)
{
	return !strcmp(text, "IfNotPresent") || !strcmp(text, "Always") || !strcmp(text, "Never");
}

/* ---- what both have ---- */

/* The sender has no proxy of a mesh (beside.c), or none would stand in for it: whatever its labels ask of the injector, here it is
 * kept away. Left out, the label would leave that to the namespace. */
static const char inject[] = "sidecar.istio.io/inject";

static bool asks_injector(const char *key) { return pw_glob("*istio.io/inject", key) || !strcmp(key, "istio.io/rev"); }

static void metadata(const struct pw_made_spec *spec, const struct pw_labels *labels, struct pw_val *pod)
{
	/* By these a controller knows its pods. Ours has another controller; this keeps it out of their lists, too. */
	static const char *const not_copied[] = { "pod-template-hash", "controller-revision-hash", "pod-template-generation" };
	pw_map_set_str(pod, "apiVersion", "v1");
	pw_map_set_str(pod, "kind", "Pod");
	struct pw_val *meta = pw_map_set_map(pod, "metadata"), *own = pw_map_set_map(meta, "labels");
	pw_map_set_str(meta, "namespace", spec->ns);
	pw_map_set_str(meta, "name", spec->name);
	for (size_t i = 0; labels && i < labels->n; i++) {
		bool skip = false;
		for (size_t k = 0; k < sizeof not_copied / sizeof *not_copied; k++)
			skip = skip || !strcmp(labels->v[i].key, not_copied[k]);
		if (!skip && !asks_injector(labels->v[i].key))
			pw_map_set_str(own, labels->v[i].key, labels->v[i].value);
		if (asks_injector(labels->v[i].key))
			pw_map_set_str(own, inject, "false");
	}
	pw_map_set_str(own, PW_MADE_BY_LABEL, PW_MADE_BY);
	pw_map_set_str(own, PW_MADE_RUN_LABEL, spec->run);
}

/* Whose end is its end: the garbage collector's part. A controller, so that no other takes the pod in. */
static void owner(struct pw_val *pod, const char *kind, const struct pw_meta *meta, bool controller)
{
	if (!*meta->uid)
		return;
	struct pw_val *refs = pw_map_set_seq((struct pw_val *)pw_map_get(pod, "metadata"), "ownerReferences"), *ref = pw_seq_add_map(refs);
	pw_map_set_str(ref, "apiVersion", "v1");
	pw_map_set_str(ref, "kind", kind);
	pw_map_set_str(ref, "name", meta->name);
	pw_map_set_str(ref, "uid", meta->uid);
	pw_map_set_bool(ref, "controller", controller);
	pw_map_set_bool(ref, "blockOwnerDeletion", false);
}

static struct pw_val *container(const struct pw_made_spec *spec, struct pw_val *pod_spec)
{
	struct pw_val *one = pw_seq_add_map(pw_map_set_seq(pod_spec, "containers"));
	pw_map_set_str(one, "name", PW_AGENT_CONTAINER);
	pw_map_set_str(one, "image", spec->image);
	pw_map_set_str(one, "imagePullPolicy", spec->pull_policy);
	struct pw_val *command = pw_map_set_seq(one, "command");
	pw_seq_add_str(command, "packetwalk");
	pw_seq_add_str(command, "agent");
	pw_seq_add_str(command, "--stay");
	return one;
}

/* ---- beside a pod ---- */

/* Small, and both stated: a quota may ask for either. */
static void resources(struct pw_val *one)
{
	struct pw_val *map = pw_map_set_map(one, "resources"), *requests = pw_map_set_map(map, "requests"), *limits = pw_map_set_map(map, "limits");
	pw_map_set_str(requests, "cpu", "5m");
	pw_map_set_str(requests, "memory", "16Mi");
	pw_map_set_str(limits, "cpu", "500m");
	pw_map_set_str(limits, "memory", "128Mi");
}

/* The profile "restricted" of the Pod Security Standards, and no more than that asks: a user would be refused where UIDs are assigned. */
static void confine(struct pw_val *pod_spec, struct pw_val *one)
{
	struct pw_val *all = pw_map_set_map(pod_spec, "securityContext");
	pw_map_set_bool(all, "runAsNonRoot", true);
	pw_map_set_str(pw_map_set_map(all, "seccompProfile"), "type", "RuntimeDefault");
	struct pw_val *own = pw_map_set_map(one, "securityContext");
	pw_map_set_bool(own, "allowPrivilegeEscalation", false);
	pw_map_set_bool(own, "readOnlyRootFilesystem", true);
	pw_seq_add_str(pw_map_set_seq(pw_map_set_map(own, "capabilities"), "drop"), "ALL");
}

static void strings(struct pw_val *map, const char *key, const struct pw_strings *v)
{
	struct pw_val *seq = v->n ? pw_map_set_seq(map, key) : NULL;
	for (size_t i = 0; i < v->n; i++)
		pw_seq_add_str(seq, v->v[i]);
}

/* So that its resolver is the sender's. */
static void names(const struct pw_pod *beside, struct pw_val *pod_spec)
{
	pw_map_set_str(pod_spec, "dnsPolicy", beside->dns_policy);
	bool configured = beside->dns_nameservers.n || beside->dns_searches.n || beside->dns_options.n;
	struct pw_val *config = configured ? pw_map_set_map(pod_spec, "dnsConfig") : NULL;
	strings(config, "nameservers", &beside->dns_nameservers);
	strings(config, "searches", &beside->dns_searches);
	struct pw_val *options = beside->dns_options.n ? pw_map_set_seq(config, "options") : NULL;
	for (size_t i = 0; i < beside->dns_options.n; i++) {
		struct pw_val *option = pw_seq_add_map(options);
		pw_map_set_str(option, "name", beside->dns_options.v[i].key);
		if (*beside->dns_options.v[i].value)
			pw_map_set_str(option, "value", beside->dns_options.v[i].value);
	}
	struct pw_val *aliases = beside->n_host_aliases ? pw_map_set_seq(pod_spec, "hostAliases") : NULL;
	for (size_t i = 0; i < beside->n_host_aliases; i++) {
		struct pw_val *alias = pw_seq_add_map(aliases);
		pw_map_set_str(alias, "ip", beside->host_aliases[i].ip);
		strings(alias, "hostnames", &beside->host_aliases[i].names);
	}
}

static void tolerations(const struct pw_pod *beside, struct pw_val *pod_spec)
{
	struct pw_val *list = beside->n_tolerations ? pw_map_set_seq(pod_spec, "tolerations") : NULL;
	for (size_t i = 0; i < beside->n_tolerations; i++) {
		const struct pw_toleration *t = &beside->tolerations[i];
		const struct { const char *key, *value; } texts[] = { { "key", t->key }, { "operator", t->op }, { "value", t->value }, { "effect", t->effect } };
		struct pw_val *one = pw_seq_add_map(list);
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			if (*texts[k].value)
				pw_map_set_str(one, texts[k].key, texts[k].value);
		if (t->seconds >= 0)
			pw_map_set_int(one, "tolerationSeconds", t->seconds);
	}
}

static void probe_pod(const struct pw_made_spec *spec, struct pw_val *pod)
{
	metadata(spec, &spec->beside->meta.labels, pod);
	owner(pod, "Pod", &spec->beside->meta, true);
	struct pw_val *of = pw_map_set_map(pod, "spec");
	pw_map_set_str(of, "nodeName", spec->node);
	pw_map_set_str(of, "restartPolicy", "Never");
	pw_map_set_int(of, "activeDeadlineSeconds", spec->ttl_s);
	pw_map_set_int(of, "terminationGracePeriodSeconds", 1);
	pw_map_set_bool(of, "automountServiceAccountToken", false);
	pw_map_set_bool(of, "enableServiceLinks", false);
	/* Nobody ever sets it: what selects the labels it took over never gets it as an endpoint. */
	pw_map_set_str(pw_seq_add_map(pw_map_set_seq(of, "readinessGates")), "conditionType", "packetwalk.io/never-ready");
	names(spec->beside, of);
	tolerations(spec->beside, of);
	struct pw_val *one = container(spec, of);
	confine(of, one);
	resources(one);
}

static int write_probe_pod(const struct pw_made_spec *spec, struct pw_buf *out, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
	struct pw_val *pod = pw_val_map(arena);
	probe_pod(spec, pod);
	pw_json_write(out, pod, 1);
	if (pw_arena_failed(arena) || !pw_buf_ok(out))
		return pw_err_set(err, PW_NOMEM, "no memory for the manifest of a pod");
	return PW_OK;
}

/* ---- on a node ---- */

void pw_made_agent_spec(struct pw_buf *out, unsigned indent, const char *image, const char *pull_policy)
{
	int n = (int)indent;
	const char *const lines[] = {
		"hostNetwork: true # the node's addresses, routes and rules",
		"hostPID: true # which process belongs to which pod",
		"dnsPolicy: Default",
		"automountServiceAccountToken: false # it never talks to the API",
		"enableServiceLinks: false",
		"terminationGracePeriodSeconds: 5",
		"nodeSelector: {kubernetes.io/os: linux}",
		"tolerations: [{operator: Exists}] # a sick node is where it is needed",
		"containers:",
		("  - name: " PW_AGENT_CONTAINER), /* in parentheses: two strings are meant to be one */
	};
	const char *const rest[] = {
		"    command: [packetwalk, agent, --stay]",
		"    securityContext: {privileged: true, runAsUser: 0, readOnlyRootFilesystem: true}",
		"    resources:",
		"      requests: {cpu: 1m, memory: 8Mi}",
		"      limits: {memory: 512Mi}",
		"    volumeMounts:",
		"      - {name: cni-results, mountPath: /var/lib/cni, readOnly: true}",
		"      - {name: tmp, mountPath: /tmp}",
		"volumes:",
		"  - name: cni-results # which network namespace belongs to which pod, where no process tells",
		"    hostPath: {path: /var/lib/cni, type: \"\"}",
		"  - name: tmp",
		"    emptyDir: {}",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		pw_buf_printf(out, "%*s%s\n", n, "", lines[i]);
	pw_buf_printf(out, "%*s    image: \"%s\"\n%*s    imagePullPolicy: %s\n", n, "", image, n, "", pull_policy);
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		pw_buf_printf(out, "%*s%s\n", n, "", rest[i]);
}

/* The metadata is JSON, which YAML takes; nothing in the rest is from the cluster but the node's name, and that is plain. */
static int write_node_pod(const struct pw_made_spec *spec, struct pw_buf *out, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
	struct pw_val *pod = pw_val_map(arena);
	metadata(spec, NULL, pod);
	if (spec->on)
		owner(pod, "Node", &spec->on->meta, false);
	pw_buf_puts(out, "apiVersion: v1\nkind: Pod\nmetadata: ");
	pw_json_write(out, pw_map_get(pod, "metadata"), 0);
	pw_buf_printf(out, "\nspec:\n  nodeName: \"%s\"\n  restartPolicy: Never\n  activeDeadlineSeconds: %u\n", spec->node, spec->ttl_s);
	pw_made_agent_spec(out, 2, spec->image, spec->pull_policy);
	if (pw_arena_failed(arena) || !pw_buf_ok(out))
		return pw_err_set(err, PW_NOMEM, "no memory for the manifest of a pod");
	return PW_OK;
}

int pw_made_manifest(const struct pw_made_spec *spec, struct pw_buf *out, struct pw_err *err)
{
	return spec->kind == PW_MADE_PROBE ? write_probe_pod(spec, out, err) : write_node_pod(spec, out, err);
}
