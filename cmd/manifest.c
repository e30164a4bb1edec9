/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk manifest agent|rbac: what a cluster's owner installs, printed for kubectl apply and changed nowhere. */
#include "main/cmd.h"

#include <ctype.h>
#include <string.h>

#include <cluster/cluster.h>
#include <run/driver.h>
#include <vantage/created/made.h>
#include <vantage/executor.h>

#include "main/creation.h"
#include "main/library.h"

#define TEXT_MAX ((size_t)1 << 18)
#define RESOURCES_MAX 64

/* RFC 1123 label, as namespaces and ServiceAccounts here are. */
static bool is_label(const char *text)
{
	size_t len = strlen(text);
	return len > 0 && len <= 63 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && text[0] != '-' && text[len - 1] != '-';
}

static int refuse(struct pw_app *app, const char *option, const char *value)
{
	return pw_fail(app, PW_EXIT_USAGE, "--%s '%s' cannot be that", option, value);
}

static const char *opt(struct pw_app *app, const char *name, const char *otherwise)
{
	const char *value = pw_app_opt(app, name);
	return value ? value : otherwise;
}

/* ---- the agent ---- */

static int agent(struct pw_app *app, struct pw_buf *out)
{
	const char *ns = PW_AGENT_NAMESPACE, *image, *pull;
	struct pw_err err = PW_ERR_INIT;
	if (pw_app_image(app, &image, &pull, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	pw_buf_printf(out,
		"# One idle pod on each node; `packetwalk run ... --via kubectl` starts an agent in those it needs, for as long as it runs.\n"
		"# It is privileged and in the node's network, to enter pods' namespaces, read rules and capture. Remove it by deleting the namespace.\n"
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels:\n    pod-security.kubernetes.io/enforce: privileged\n"
		"---\n"
		"apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: " PW_AGENT_APP "\n  namespace: %s\n  labels: {app.kubernetes.io/name: " PW_AGENT_APP "}\n"
		"spec:\n  selector:\n    matchLabels: {app.kubernetes.io/name: " PW_AGENT_APP "}\n"
		"  updateStrategy:\n    rollingUpdate: {maxUnavailable: 100%%}\n"
		"  template:\n    metadata:\n      labels: {app.kubernetes.io/name: " PW_AGENT_APP "}\n"
		"    spec:\n",
		ns, ns);
	pw_made_agent_spec(out, 6, image, pull);
	return 0;
}

/* ---- rights ---- */

/* Who gets them: the lines of a subject. Names of users and groups may hold anything, so they are quoted. */
static int subject(struct pw_app *app, struct pw_buf *out)
{
	const char *user = pw_app_opt(app, "user"), *group = pw_app_opt(app, "group"), *account = opt(app, "serviceaccount", PW_AGENT_NAMESPACE "/packetwalk");
	const char *name = user ? user : group, *slash = strchr(account, '/');
	if (name) {
		pw_buf_printf(out, "  - kind: %s\n    apiGroup: rbac.authorization.k8s.io\n    name: '", user ? "User" : "Group");
		for (const char *c = name; *c; c++) {
			if (iscntrl((unsigned char)*c))
				return refuse(app, user ? "user" : "group", name);
			pw_buf_printf(out, *c == '\'' ? "''" : "%c", *c);
		}
		pw_buf_puts(out, "'\n");
		return 0;
	}
	char ns[64] = "";
	if (slash && (size_t)(slash - account) < sizeof ns)
		memcpy(ns, account, (size_t)(slash - account));
	if (!is_label(ns) || !is_label(slash + 1))
		return pw_fail(app, PW_EXIT_USAGE, "--serviceaccount is NAMESPACE/NAME, not '%s'", account);
	pw_buf_printf(out, "  - kind: ServiceAccount\n    namespace: %s\n    name: %s\n", ns, slash + 1);
	return 0;
}

static void binding(struct pw_buf *out, const char *kind, const char *name, const char *ns, const char *subject_text)
{
	pw_buf_printf(out, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %sBinding\nmetadata:\n  name: %s\n", kind, name);
	if (ns)
		pw_buf_printf(out, "  namespace: %s\n", ns);
	pw_buf_printf(out, "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\nsubjects:\n%s", kind, name, subject_text);
}

static void role_head(struct pw_buf *out, const char *kind, const char *name, const char *ns)
{
	pw_buf_printf(out, "%sapiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n", out->len ? "---\n" : "", kind, name);
	if (ns)
		pw_buf_printf(out, "  namespace: %s\n", ns);
	pw_buf_puts(out, "rules:\n");
}

/* Letters of "discovery.k8s.io/v1" that name the group; the core group's is empty. */
static int group_len(const char *version)
{
	const char *slash = strrchr(version, '/');
	return slash ? (int)(slash - version) : 0;
}

static bool same_group(const struct pw_cluster_resource *a, const struct pw_cluster_resource *b)
{
	int len = group_len(a->version);
	return len == group_len(b->version) && !strncmp(a->version, b->version, (size_t)len);
}

/* One rule for each API group, in the order the kinds come. */
static void rules_everywhere(struct pw_buf *out, const struct pw_cluster_resource *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool first = true, there = false;
		for (size_t k = 0; k < i; k++)
			there = there || (!all[k].ns && same_group(&all[k], &all[i]));
		if (all[i].ns || there)
			continue;
		pw_buf_printf(out, "  - apiGroups: [\"%.*s\"]\n    resources: [", group_len(all[i].version), all[i].version);
		for (size_t k = i; k < n; k++)
			if (!all[k].ns && same_group(&all[k], &all[i])) {
				pw_buf_printf(out, "%s%s", first ? "" : ", ", all[k].resource);
				first = false;
			}
		pw_buf_puts(out, "]\n    verbs: [get, list]\n");
	}
}

/* Resources read in one namespace only, each with a Role there. The namespace may not exist in this cluster, so it is asked for. */
static void roles_in(struct pw_buf *out, const struct pw_cluster_resource *all, size_t n, const char *ns, const char *subject_text)
{
	for (size_t i = 0; i < n; i++) {
		if (!all[i].ns || strcmp(all[i].ns, ns) != 0)
			continue;
		role_head(out, "Role", "packetwalk-reads", ns);
		pw_buf_printf(out, "  - apiGroups: [\"%.*s\"]\n    resources: [%s]\n    verbs: [get, list]\n", group_len(all[i].version), all[i].version, all[i].resource);
		binding(out, "Role", "packetwalk-reads", ns, subject_text);
	}
}

/* One that was asked for: no role for a namespace in which nothing is read. */
static int config_role(struct pw_app *app, struct pw_buf *out, const struct pw_cluster_resource *all, size_t n, const char *ns, const char *subject_text)
{
	const char *names[RESOURCES_MAX];
	size_t n_names = 0;
	for (size_t i = 0; i < n; i++) {
		if (!all[i].ns)
			continue;
		names[n_names++] = all[i].ns;
		if (strcmp(all[i].ns, ns) != 0)
			continue;
		if (strcmp(ns, "kube-system") != 0) /* that one has its role already */
			roles_in(out, all, n, ns, subject_text);
		return 0;
	}
	return n_names ? pw_fail_unknown(app, "namespace of configuration", ns, names, n_names) : 0;
}

static int kinds_of(struct pw_app *app, unsigned *ret)
{
	const char *const *names = NULL;
	const struct pw_playbook_ref *refs = NULL;
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	size_t n_names = pw_app_opt_all(app, "playbook", &names), n_refs = n_names ? 0 : pw_library_playbooks(library, &refs);
	for (size_t i = 0; i < n_names + n_refs; i++) {
		const struct pw_play *play = NULL;
		int code = pw_library_load(app, n_names ? names[i] : refs[i].name, &play);
		if (code)
			return code;
		*ret |= pw_driver_kinds(play);
	}
	return 0;
}

/* Into the pods of one namespace: to start agents there. kubectl opens the stream with GET over WebSocket, with POST over SPDY. */
#define EXEC_RULE "  - apiGroups: [\"\"]\n    resources: [pods/exec]\n    verbs: [create, get]\n"

/* In one namespace: to run programs in its pods; from creates on, also to make a pod, look at it, and remove it. */
static int role_in(struct pw_app *app, struct pw_buf *out, enum pw_effect effect, const char *ns, const char *subject_text)
{
	const char *name = effect > PW_EFFECT_EXECS ? "packetwalk-creates" : "packetwalk-execs";
	if (!is_label(ns))
		return refuse(app, "in", ns);
	role_head(out, "Role", name, ns);
	if (effect > PW_EFFECT_EXECS)
		pw_buf_puts(out, "  - apiGroups: [\"\"]\n    resources: [pods]\n    verbs: [create, delete, get]\n");
	pw_buf_puts(out, EXEC_RULE);
	binding(out, "Role", name, ns, subject_text);
	return 0;
}

static int effect_of(struct pw_app *app, enum pw_effect *ret)
{
	const char *names[PW_EFFECT_PRIVILEGED + 1], *word = opt(app, "max-effect", "sends");
	for (int e = PW_EFFECT_NONE; e <= PW_EFFECT_PRIVILEGED; e++) {
		names[e] = pw_effect_word((enum pw_effect)e);
		if (!strcmp(names[e], word)) {
			*ret = (enum pw_effect)e;
			return 0;
		}
	}
	return pw_fail_unknown(app, "effect class for --max-effect", word, names, PW_EFFECT_PRIVILEGED + 1);
}

/* In the namespaces of the senders; pods on nodes are made in the agents' own. */
static int roles_of_effect(struct pw_app *app, struct pw_buf *out, const char *subject_text)
{
	const char *node_ns = opt(app, "node-namespace", PW_AGENT_NAMESPACE), *const *senders = NULL;
	size_t n = pw_app_opt_all(app, "in", &senders);
	enum pw_effect effect = PW_EFFECT_SENDS;
	int code = effect_of(app, &effect);
	bool nodes = effect == PW_EFFECT_PRIVILEGED;
	if (!code && n && effect < PW_EFFECT_EXECS)
		return pw_fail(app, PW_EXIT_USAGE, "--in goes with --max-effect execs, creates or privileged");
	if (!code && !n && effect >= PW_EFFECT_EXECS && !nodes)
		return pw_fail(app, PW_EXIT_USAGE, "--max-effect %s needs --in NS, the namespace of the pods that send; may be repeated", pw_effect_word(effect));
	for (size_t i = 0; i < n && !code; i++) {
		code = role_in(app, out, effect, senders[i], subject_text);
		nodes = nodes && strcmp(senders[i], node_ns) != 0; /* that one has its role already */
	}
	return code || !nodes ? code : role_in(app, out, effect, node_ns, subject_text);
}

static int rbac(struct pw_app *app, struct pw_buf *out)
{
	struct pw_cluster_resource all[RESOURCES_MAX];
	const char *const *more = NULL;
	unsigned kinds = 0;
	struct pw_buf who;
	pw_buf_init(&who, TEXT_MAX);
	int code = kinds_of(app, &kinds);
	if (!code)
		code = subject(app, &who);
	if (!code) {
		size_t n = pw_cluster_resources(kinds, all, RESOURCES_MAX), n_more = pw_app_opt_all(app, "config-namespace", &more);
		role_head(out, "ClusterRole", "packetwalk-reads", NULL);
		rules_everywhere(out, all, n);
		binding(out, "ClusterRole", "packetwalk-reads", NULL, pw_buf_str(&who));
		roles_in(out, all, n, "kube-system", pw_buf_str(&who));
		for (size_t i = 0; i < n_more && !code; i++)
			code = config_role(app, out, all, n, more[i], pw_buf_str(&who));
		if (pw_app_flag(app, "with-agent")) {
			role_head(out, "Role", "packetwalk-agents", PW_AGENT_NAMESPACE);
			pw_buf_puts(out, EXEC_RULE);
			binding(out, "Role", "packetwalk-agents", PW_AGENT_NAMESPACE, pw_buf_str(&who));
		}
		if (!code)
			code = roles_of_effect(app, out, pw_buf_str(&who));
	}
	pw_buf_release(&who);
	return code;
}

/* ---- the command ---- */

static int run(struct pw_app *app)
{
	static const struct { const char *word; int (*make)(struct pw_app *app, struct pw_buf *out); } kinds[] = { { "agent", agent }, { "rbac", rbac } };
	static const char *const words[] = { "agent", "rbac" };
	if (app->n_words != 1)
		return pw_fail(app, PW_EXIT_USAGE, "one of agent and rbac is needed: packetwalk manifest agent | kubectl apply -f -");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(app->words[0], kinds[i].word) != 0)
			continue;
		struct pw_buf out;
		pw_buf_init(&out, TEXT_MAX);
		int code = kinds[i].make(app, &out);
		if (!code)
			pw_out_buf(app, &out);
		pw_buf_release(&out);
		return code;
	}
	return pw_fail_unknown(app, "manifest", app->words[0], words, sizeof words / sizeof *words);
}

static const struct pw_opt options[] = {
	{ "playbook", 0, "NAME", "rbac: only what this playbook reads; may be repeated; all of them unless said", PW_OPT_MANY },
	{ "user", 0, "NAME", "rbac: who gets the rights, a user", 0 },
	{ "group", 0, "NAME", "rbac: or a group", 0 },
	{ "serviceaccount", 0, "NS/NAME", "rbac: or a ServiceAccount (packetwalk/packetwalk, unless said)", 0 },
	{ "config-namespace", 0, "NS", "rbac: read ConfigMaps in this namespace besides kube-system: kube-flannel, calico-system, kube-public; may be repeated", PW_OPT_MANY },
	{ "max-effect", 0, "CLASS", "rbac: also run programs in senders (execs), make pods beside them (creates), and on nodes (privileged)", 0 },
	{ "in", 0, "NS", "rbac: a namespace of pods that send, for --max-effect; may be repeated", PW_OPT_MANY },
	{ "with-agent", 0, NULL, "rbac: also start agents, by exec into their pods and no others", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = {
	"manifest agent --image registry.example/packetwalk:1 | kubectl apply -f -",
	"manifest rbac --playbook pod-to-service --user alice --with-agent | kubectl apply -f -",
	"manifest rbac --user alice --max-effect creates --in shop | kubectl apply -f -",
	NULL,
};

const struct pw_cmd pw_cmd_manifest = {
	.name = "manifest", .summary = "print what is installed in a cluster: the agent, or the rights a run needs",
	.usage = "agent [--image IMAGE]\nrbac [--playbook NAME] [--user NAME]",
	.details = "agent prints a DaemonSet of idle pods in which --via kubectl starts agents. rbac prints the smallest roles with which the "
		   "playbooks see all they look at: get and list, and nothing else unless --max-effect or --with-agent asks for it. Nothing is applied: that is kubectl's part, and yours.",
	.examples = examples, .options = options, .run = run, .groups = PW_OPTS_PLAY | PW_OPTS_PROBE,
};
