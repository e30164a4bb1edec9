/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk doctor: what this user on this machine can and cannot find out here, and what would change that. */
#include "main/cmd.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/libcurl.h>
#include <cluster/cluster.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>
#include <run/where.h>
#include <vantage/executor.h>
#include <vantage/privs.h>

#define ASK_MS 10000     /* one question to kubectl */
#define ANSWER_MAX 4096

extern char **environ;

struct exam {
	struct pw_app *app;
	struct pw_buf out;
	unsigned bad;            /* lines that leave questions open */
};

/* good: [✓]; else [!] with what stays open and what would settle it. */
static void line(struct exam *exam, bool good, const char *what, const char *open_question)
{
	bool utf8 = exam->app->out.utf8;
	pw_buf_printf(&exam->out, "%s%s%s ", pw_paint(&exam->app->out, good ? "green" : "yellow"),
		      good ? utf8 ? "[✓] OK  " : "[+] OK  " : "[!] WARN", pw_paint(&exam->app->out, "off"));
	pw_buf_escaped(&exam->out, what, strlen(what));
	pw_buf_putc(&exam->out, '\n');
	if (good)
		return;
	exam->bad++;
	pw_wrap(&exam->out, open_question, 13, exam->app->out.width ? exam->app->out.width : 80);
}

static void title(struct exam *exam, const char *text)
{
	pw_buf_printf(&exam->out, "%s%s%s%s\n", exam->out.len ? "\n" : "", pw_paint(&exam->app->out, "bold"), text, pw_paint(&exam->app->out, "off"));
}

/* ---- this machine ---- */

static void capability(struct exam *exam, unsigned cap, const char *name, const char *open_question)
{
	char what[128];
	bool there = pw_privs_has(cap);
	(void)snprintf(what, sizeof what, "%s %s", there ? "has" : "lacks", name);
	line(exam, there, what, open_question);
}

static bool program(struct exam *exam, const char *name, const char *open_question)
{
	char path[4096], what[4200];
	bool there = pw_program_find(name, getenv("PATH"), path, sizeof path, NULL) == PW_OK;
	(void)snprintf(what, sizeof what, there ? "%s is %s" : "%s is not installed", name, path);
	line(exam, there, what, open_question);
	return there;
}

static void machine(struct exam *exam)
{
	struct pw_err err = PW_ERR_INIT;
	title(exam, "This machine");
	bool curl = pw_libcurl_load(&err) == PW_OK;
	line(exam, curl, curl ? "libcurl loads" : err.text, "Without it no API server is read and no HTTP request made. Install libcurl4.");
	capability(exam, CAP_SYS_ADMIN, "CAP_SYS_ADMIN: enters network namespaces of this machine",
		   "--at netns:, pid: and uid: do not work from here. Nodes reached through --via are not concerned.");
	capability(exam, CAP_NET_RAW, "CAP_NET_RAW: captures and pings on this machine", "Captures and pings from here end as unknown; those of agents do not.");
}

/* ---- the cluster ---- */

static const char *open_without(enum pw_fact kind)
{
	switch (kind) {
	case PW_FACT_NAMESPACES: return "Policies that choose by namespace labels cannot be evaluated.";
	case PW_FACT_NODES: return "Sick nodes, and the way between nodes, stay unknown.";
	case PW_FACT_PODS: return "Who sends and who receives cannot be found.";
	case PW_FACT_SERVICES: return "Service addresses and ports stay unknown.";
	case PW_FACT_SLICES: return "Which pods a Service leads to stays unknown.";
	case PW_FACT_POLICIES: return "Whether a policy denies the connection stays unknown.";
	case PW_FACT_WORKLOADS: return "Why a Service has no pods, and whether the CNI's and proxy's pods are all there, stays unknown.";
	case PW_FACT_CONFIGMAPS: return "The configuration of CoreDNS, kube-proxy and the CNI is not looked at.";
	case PW_FACT_EVENTS: return "Failed probes and failed pod starts are not seen.";
	case PW_FACT_INGRESSES: return "Which Ingress leads to a Service, and by which controller, stays unknown.";
	default: return "";
	}
}

static void kind_line(struct exam *exam, const struct pw_facts *facts, enum pw_fact kind)
{
	PW_CLEAN_BUF struct pw_buf what;
	bool whole = pw_facts_known(facts, kind) == PW_KNOWN_YES;
	const char *gap = pw_facts_gap(facts, kind);
	pw_buf_init(&what, ANSWER_MAX);
	pw_buf_printf(&what, "%s %s%s%s", whole ? "reads" : "does not read all", pw_fact_word(kind), *gap ? ": " : "", gap);
	line(exam, whole, pw_buf_str(&what), open_without(kind));
}

static const struct pw_facts *cluster(struct exam *exam)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_cluster *found = NULL;
	title(exam, "The cluster");
	int rc = pw_app_cluster(exam->app, &found, &err);
	if (!rc) {
		pw_note(exam->app, "Reading %s", pw_cluster_describe(found));
		rc = pw_cluster_need(found, PW_ALL_FACTS, NULL, &err);
	}
	if (rc) {
		line(exam, false, err.text, "Without the objects every name is unknown. --kubeconfig and --context choose a cluster, as in kubectl.");
		return NULL;
	}
	const struct pw_facts *facts = pw_cluster_facts(found);
	PW_CLEAN_BUF struct pw_buf what;
	pw_buf_init(&what, ANSWER_MAX);
	pw_buf_printf(&what, "%s %s", pw_cluster_describe(found), pw_facts_version(facts));
	line(exam, true, pw_buf_str(&what), "");
	for (unsigned bit = 1; bit <= PW_ALL_FACTS; bit <<= 1)
		kind_line(exam, facts, (enum pw_fact)bit);
	return facts;
}

/* ---- ways into nodes ---- */

/* `kubectl auth can-i` asks the API server itself (a SelfSubjectAccessReview), as this user. */
static bool may(struct exam *exam, const char *verb, const char *resource, const char *ns)
{
	enum { ARGS = 16 };
	const char *argv[ARGS] = { "kubectl" };
	size_t n = 1;
	int status = 0;
	PW_CLEAN_BUF struct pw_buf out, log;
	const char *const words[] = { "auth", "can-i", verb, resource, "-n", ns };
	for (const char *const *o = pw_app_kubectl(exam->app); o && *o && n < ARGS - sizeof words / sizeof *words - 1; o++)
		argv[n++] = *o;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		argv[n++] = words[i];
	pw_buf_init(&out, ANSWER_MAX);
	pw_buf_init(&log, ANSWER_MAX);
	int rc = pw_child_collect(argv, (const char *const *)environ, getenv("PATH"), ASK_MS, &out, &log, &status, NULL);
	return rc == PW_OK && strncmp(pw_buf_str(&out), "yes", 3) == 0;
}

/* Ready pods of the agent: one a node. */
static size_t agents(const struct pw_facts *facts)
{
	size_t n = 0, ready = 0;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	for (size_t i = 0; i < n; i++)
		ready += pw_is_agent(pods[i]) ? 1 : 0;
	return ready;
}

/* The ways that need nothing installed. */
static void ways_by_consent(struct exam *exam)
{
	static const struct { const char *resource, *ns, *yes, *no; } rungs[] = { /* ns NULL: the current one */
		{ "pods/exec", NULL, "with --max-effect execs, what its containers have is borrowed",
		  "Nothing can be borrowed in its containers. packetwalk manifest rbac --max-effect execs --in NS prints the role." },
		{ "pods", NULL, "with --max-effect creates, a pod is made beside a sender",
		  "No pod can be made beside a sender there. packetwalk manifest rbac --max-effect creates --in NS prints the role." },
		{ "pods", PW_AGENT_NAMESPACE, "with --max-effect privileged, pods are made on nodes",
		  "No pod can be made on a node. packetwalk manifest rbac --max-effect privileged --in NS prints the role." },
	};
	for (size_t i = 0; i < sizeof rungs / sizeof *rungs; i++) {
		char what[256];
		const char *ns = rungs[i].ns ? rungs[i].ns : pw_cluster_namespace(exam->app->cluster);
		/* a pod that may be made but not removed would be left behind */
		bool yes = may(exam, "create", rungs[i].resource, ns) && (strcmp(rungs[i].resource, "pods") || may(exam, "delete", "pods", ns));
		(void)snprintf(what, sizeof what, "%s create %s in namespace %s%s%s", yes ? "may" : "may not", rungs[i].resource, ns, yes ? ": " : "", yes ? rungs[i].yes : "");
		line(exam, yes, what, rungs[i].no);
	}
}

static void ways(struct exam *exam, const struct pw_facts *facts)
{
	size_t n_nodes = 0;
	char what[256];
	title(exam, "Ways into pods and nodes");
	bool kubectl = program(exam, "kubectl", "--via kubectl does not work. --via ssh and --via exec:... may.");
	(void)program(exam, "ssh", "--via ssh does not work.");
	if (!facts)
		return;
	size_t n = agents(facts);
	(void)pw_facts_nodes(facts, &n_nodes);
	(void)snprintf(what, sizeof what, "agents ready on %zu of %zu nodes", n, n_nodes);
	line(exam, n > 0 && n >= n_nodes, what,
	     "Without them (or ssh, or --max-effect privileged) the rules, routes and tunnels of nodes are not seen: an infrastructure and a CNI "
	     "fault cannot be told apart. packetwalk manifest agent | kubectl apply -f -");
	if (kubectl && n < n_nodes)
		ways_by_consent(exam);
	if (!kubectl || !n)
		return;
	bool yes = may(exam, "create", "pods/exec", PW_AGENT_NAMESPACE);
	(void)snprintf(what, sizeof what, "%s create pods/exec in namespace %s", yes ? "may" : "may not", PW_AGENT_NAMESPACE);
	line(exam, yes, what, "--via kubectl cannot start agents. packetwalk manifest rbac --with-agent prints the role.");
}

/* ---- the command ---- */

static int run(struct pw_app *app)
{
	struct exam exam = { .app = app };
	if (app->n_words)
		return pw_fail(app, PW_EXIT_USAGE, "doctor takes no words, only options");
	pw_buf_init(&exam.out, (size_t)1 << 20);
	machine(&exam);
	ways(&exam, cluster(&exam));
	if (exam.bad)
		pw_buf_printf(&exam.out, "\n%u of these leave a question open. The smallest rights that close those of the API: packetwalk manifest rbac\n", exam.bad);
	else
		pw_buf_puts(&exam.out, "\nNothing is missing.\n");
	pw_out_buf(app, &exam.out);
	pw_buf_release(&exam.out);
	return exam.bad ? PW_EXIT_INCONCLUSIVE : PW_EXIT_HEALTHY;
}

static const char *const examples[] = { "doctor", "doctor --context prod --as system:serviceaccount:packetwalk:packetwalk", NULL };

const struct pw_cmd pw_cmd_doctor = {
	.name = "doctor", .summary = "say what can and cannot be found out from here, and what would change that",
	.details = "Tries each thing it speaks of: it lists what a walk lists, and asks whether agents may be started. Exit 0 when nothing is missing, "
		   "4 when something stays open.",
	.examples = examples, .run = run, .groups = PW_OPTS_CLUSTER,
};
