/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run makes: plans, the ledger before the deed, and the end of it all. */
#include "creation.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>
#include <vantage/transport/transport.h>

#include "ledger.h"

enum {
	ARENA_MAX = 64 << 20,
	MANIFEST_MAX = 4 << 20,
	SAY_MAX = 2048,
};

struct pw_creation {
	struct pw_arena *arena;
	struct pw_creation_config config;
	struct pw_kube kube;
	struct pw_made_ledger ledger;
	struct pw_made *all;
	unsigned n;
};

struct pw_creation *pw_creation_new(const struct pw_creation_config *config, struct pw_err *err)
{
	struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_creation *creation = pw_arena_alloc(arena, sizeof *creation);
	struct pw_made_ledger ledger;
	int rc = creation ? pw_made_ledger_new(config->dir, arena, &ledger, err) : pw_err_set(err, PW_NOMEM, "no memory for the pods of a run");
	if (rc == PW_OK)
		rc = pw_made_ledger_reach(&ledger, config->kubectl, config->kubeconfig, arena, err);
	if (rc < 0) {
		pw_arena_free(arena);
		return NULL;
	}
	ledger.cluster = config->cluster ? config->cluster : "";
	ledger.cluster_uid = config->cluster_uid ? config->cluster_uid : "";
	*creation = (struct pw_creation){ .arena = arena, .config = *config, .ledger = ledger, .kube = { .argv = config->kubectl } };
	if (!config->ttl_s)
		creation->config.ttl_s = PW_MADE_TTL_S;
	if (!config->start_ms)
		creation->config.start_ms = PW_MADE_START_MS;
	return creation;
}

void pw_creation_free(struct pw_creation *creation)
{
	if (creation)
		pw_arena_free(creation->arena);
}

/* ---- plans ---- */

/* The latest for it; NULL also when that is gone and another may take its place: *ret_again. */
static struct pw_made *find(const struct pw_creation *creation, enum pw_made_kind kind, const char *key, bool *ret_again)
{
	struct pw_made *made = creation->all;
	while (made && (made->kind != kind || strcmp(kind == PW_MADE_PROBE ? made->beside : made->node, key) != 0))
		made = made->next;
	*ret_again = made && made->stage == PW_MADE_GONE;
	return *ret_again ? NULL : made;
}

static struct pw_made *add(struct pw_creation *creation, enum pw_made_kind kind, const char *ns, const char *node)
{
	static const char *const words[] = { [PW_MADE_PROBE] = "probe", [PW_MADE_NODE] = "node" };
	struct pw_made *made = pw_arena_alloc(creation->arena, sizeof *made);
	if (!made)
		return NULL;
	*made = (struct pw_made){ .next = creation->all, .creation = creation, .kind = kind, .kube = &creation->kube, .image = creation->config.image,
		.ttl_s = creation->config.ttl_s, .start_ms = creation->config.start_ms, .why = "", .beside = "",
		.ns = pw_arena_strdup(creation->arena, ns), .node = pw_arena_strdup(creation->arena, node),
		.name = pw_arena_printf(creation->arena, "packetwalk-%s-%s-%u", words[kind], creation->ledger.run, ++creation->n) };
	if (!made->ns || !made->node || !made->name)
		return NULL;
	creation->all = made;
	return made;
}

static bool is_plain(const char *text) { return pw_transport_plain(text); }

/* Any rules at all, or rules nobody could read: what enforces the sender's sees a new pod a moment after it runs, and so does what
 * enforces the receivers', which must learn its address first. */
static bool has_policies(const struct pw_facts *facts)
{
	size_t n = 0, n_cluster = 0;
	(void)pw_facts_policies(facts, &n);
	(void)pw_facts_cluster_policies(facts, &n_cluster);
	return n || n_cluster || pw_facts_known(facts, PW_FACT_POLICIES) != PW_KNOWN_YES;
}

struct pw_made *pw_creation_beside(struct pw_creation *creation, const struct pw_facts *facts, const struct pw_pod *pod)
{
	char key[512];
	struct pw_err err = PW_ERR_INIT;
	(void)snprintf(key, sizeof key, "%s/%s", pod->meta.ns, pod->meta.name);
	bool again;
	struct pw_made *made = find(creation, PW_MADE_PROBE, key, &again);
	if (made)
		return made;
	made = add(creation, PW_MADE_PROBE, pod->meta.ns, pod->node);
	if (!made)
		return NULL;
	made->again = again;
	made->beside = pw_arena_strdup(creation->arena, key);
	made->settle_ms = has_policies(facts) ? PW_MADE_SETTLE_MS : 0;
	if (!made->beside)
		return NULL;
	int rc = pw_made_beside_check(facts, pod, &err);
	if (rc == PW_OK && (!is_plain(pod->meta.ns) || !is_plain(pod->node)))
		rc = pw_err_set(&err, PW_UNSUPPORTED, "namespace or node of pod %s is not a name Kubernetes gives", key);
	if (rc < 0)
		pw_made_refuse(made, rc, err.text);
	made->pod = pod;
	return made;
}

static const struct pw_namespace *namespace_of(const struct pw_facts *facts, const char *name)
{
	size_t n = 0;
	const struct pw_namespace *const *all = pw_facts_namespaces(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->meta.name, name))
			return all[i];
	return NULL;
}

/* Does its Pod Security label leave room for a privileged pod? Without one the server's default decides, which is mostly yes. */
static bool takes_privileged(const struct pw_namespace *ns)
{
	const char *enforce = ns ? pw_labels_get(&ns->meta.labels, "pod-security.kubernetes.io/enforce") : NULL;
	return !enforce || !strcmp(enforce, "privileged");
}

/* The agents' own namespace; else the sender's, if it takes such pods; else "default". NULL: none takes them. */
static const char *node_namespace(const struct pw_creation *creation, const struct pw_facts *facts, const char *for_ns)
{
	const char *const others[] = { for_ns, "default" };
	if (creation->config.node_ns)
		return creation->config.node_ns;
	if (namespace_of(facts, PW_AGENT_NAMESPACE))
		return PW_AGENT_NAMESPACE;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i] && is_plain(others[i]) && takes_privileged(namespace_of(facts, others[i])))
			return others[i];
	return NULL;
}

struct pw_made *pw_creation_on_node(struct pw_creation *creation, const struct pw_facts *facts, const char *node, const char *for_ns)
{
	bool again;
	struct pw_made *made = find(creation, PW_MADE_NODE, node, &again);
	if (made)
		return made;
	const char *ns = node_namespace(creation, facts, for_ns);
	made = add(creation, PW_MADE_NODE, ns ? ns : "", node);
	if (!made)
		return NULL;
	made->again = again;
	if (!ns)
		pw_made_refuse(made, PW_DENIED, "no namespace here takes a privileged pod (pod-security.kubernetes.io/enforce): "
				   "name one that does with --node-namespace");
	else if (!is_plain(node))
		pw_made_refuse(made, PW_UNSUPPORTED, "the node's name is not one Kubernetes gives");
	made->on = pw_facts_node(facts, node);
	return made;
}

void pw_made_say(const struct pw_made *made, struct pw_buf *out)
{
	pw_buf_printf(out, "%spod %s/%s on ", made->kind == PW_MADE_NODE ? "privileged " : "", made->ns, made->name);
	pw_buf_escaped(out, made->node, strlen(made->node));
	pw_buf_printf(out, " (image %s, removed at the end, ended by the cluster after %u min)", made->image, (made->ttl_s + 59) / 60);
}

/* ---- deeds ---- */

static int write_manifest(struct pw_made *made, struct pw_err *err)
{
	struct pw_creation *creation = made->creation;
	const struct pw_made_spec spec = { .kind = made->kind, .ns = made->ns, .name = made->name, .node = made->node, .run = creation->ledger.run,
		.image = made->image, .pull_policy = creation->config.pull_policy, .ttl_s = made->ttl_s, .beside = made->pod, .on = made->on };
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, MANIFEST_MAX);
	int rc = pw_made_manifest(&spec, &text, err);
	if (rc < 0)
		return rc;
	made->manifest = pw_arena_strdup(creation->arena, pw_buf_str(&text));
	return made->manifest ? PW_OK : pw_err_set(err, PW_NOMEM, "no memory for the manifest of a pod");
}

static void announce(const struct pw_made *made)
{
	const struct pw_creation_config *config = &made->creation->config;
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, SAY_MAX);
	pw_buf_puts(&line, "Creating ");
	pw_made_say(made, &line);
	if (config->say)
		config->say(config->say_arg, pw_buf_str(&line));
}

int pw_creation_write(struct pw_made *made, struct pw_err *err)
{
	if (pw_made_is_over(made))
		return pw_err_set(err, made->code, "%s", made->why);
	if (made->stage != PW_MADE_PLANNED)
		return PW_OK;
	int rc = write_manifest(made, err);
	if (rc == PW_OK)
		rc = pw_made_ledger_add(&made->creation->ledger, made->ns, made->name, made->creation->arena, err);
	if (rc < 0)
		return rc;
	made->stage = PW_MADE_WRITTEN;
	announce(made);
	return PW_OK;
}

static void end_as(struct pw_made *made, enum pw_made_stage stage, int code, const char *why)
{
	if (made->stage == PW_MADE_GONE)
		return;
	made->stage = stage;
	made->code = code;
	made->why = pw_arena_strdup(made->creation->arena, why);
	if (!made->why)
		made->why = "it was not made, and there was no memory left to say why";
}

void pw_made_refuse(struct pw_made *made, int code, const char *why) { end_as(made, PW_MADE_REFUSED, code, why); }

void pw_made_gone(struct pw_made *made, int code, const char *why)
{
	end_as(made, made->again ? PW_MADE_REFUSED : PW_MADE_GONE, code, why);
}

/* ---- the end ---- */

int pw_creation_end(struct pw_creation *creation, struct pw_made_end *end, struct pw_err *err)
{
	struct pw_kube kube = creation->kube;
	kube.own_group = true; /* a second Ctrl-C ends the waiting, not a deletion half done */
	for (size_t i = 0; i < creation->ledger.n; i++)
		for (const struct pw_made *made = creation->all; made; made = made->next)
			if (!strcmp(made->name, creation->ledger.objects[i].name))
				creation->ledger.objects[i].may_come = made->asked && !made->sure;
	return pw_made_remove(&creation->ledger, &kube, end, err);
}
