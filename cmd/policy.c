/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `packetwalk policy`: what NetworkPolicies allow, for all pairs, for a list of questions, or for one connection. */
#include "main/policy.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <cluster/advice.h>

#define NOTE_MAX 4096 /* bytes of one note; names are bounded by the API */
#define KINDS (PW_FACT_PODS | PW_FACT_NODES | PW_FACT_NAMESPACES | PW_FACT_POLICIES | PW_FACT_SERVICES)

static const char *const formats[] = { "text", "tsv", "json", "dot", "html", NULL };
static const struct pw_policy_writer *const writers[] = { &pw_policy_text, &pw_policy_tsv, &pw_policy_json, &pw_policy_dot, &pw_policy_html };

/* ---- one connection ---- */

static int find_end(struct pw_policy_job *job, const char *name, const char *ns, struct pw_peer *ret, struct pw_err *err)
{
	const char *text = pw_map_str(job->app->pairs, name, "");
	struct pw_address address;
	struct pw_val *pod;
	int rc;

	*ret = (struct pw_peer){ NULL, text };
	if (pw_address_parse(text, &address) && !(ret->pod = pw_facts_pod_by_ip(job->facts, text)))
		return PW_OK;
	if (ret->pod)
		return PW_OK;
	rc = pw_input_type(PW_TYPE_POD)->resolve(job->facts, ns, text, job->app->arena, &pod, err);
	if (rc != PW_OK)
		return rc;
	ret->pod = pw_facts_pod(job->facts, pw_map_str(pod, "namespace", ""), pw_map_str(pod, "name", ""));
	return PW_OK;
}

/* All that are missing, at once. */
static bool say_missing(struct pw_policy_job *job)
{
	static const char *const names[] = { "from", "to", "port" };
	const char *before = "missing: ";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!pw_map_get(job->app->pairs, names[i])) {
			pw_buf_printf(&job->out, "%s%s=", before, names[i]);
			before = ", ";
		}
	return job->out.len > 0;
}

static int explain(struct pw_policy_job *job, const char *ns)
{
	const char *protocol = pw_map_str(job->app->pairs, "protocol", "TCP"), *text = pw_map_str(job->app->pairs, "port", "");
	struct pw_err err = PW_ERR_INIT;
	struct pw_peer from, to;
	unsigned long long port;

	if (say_missing(job))
		return pw_fail(job->app, PW_EXIT_USAGE, "%s (from and to are NAMESPACE/POD or an address outside the cluster)", pw_buf_str(&job->out));
	if (!pw_parse_uint(text, UINT16_MAX, &port) || port == 0)
		return pw_fail(job->app, PW_EXIT_USAGE, "port=%s is not a port (1 to 65535)", text);
	if (pw_protocol_index(protocol) < 0)
		return pw_fail(job->app, PW_EXIT_USAGE, "protocol= is one of TCP, UDP, SCTP");
	if (find_end(job, "from", ns, &from, &err) != PW_OK || find_end(job, "to", ns, &to, &err) != PW_OK)
		return pw_fail_err(job->app, PW_EXIT_USAGE, &err);
	pw_policy_advise(job->facts, &from, &to, protocol, (uint16_t)port, &job->out);
	pw_policy_flush(job);
	return PW_EXIT_HEALTHY;
}

/* ---- */

/* Every field that is not evaluated, once: what depends on it is unknown. */
static void say_unclear(struct pw_policy_job *job, const struct pw_cluster_policy *policy, const char *where, const char *field)
{
	PW_CLEAN_BUF struct pw_buf line;

	pw_buf_init(&line, NOTE_MAX);
	pw_buf_printf(&line, "%s %s%s%s: %s%s is not evaluated; what depends on it is unknown", policy->kind, policy->meta.ns,
		      policy->meta.ns[0] ? "/" : "", policy->meta.name, where, field);
	pw_buf_clear(&job->out);
	pw_buf_escaped(&job->out, pw_buf_str(&line), line.len);
	pw_note(job->app, "%s", pw_buf_str(&job->out));
	pw_buf_clear(&job->out);
}

static void say_unclear_rules(struct pw_policy_job *job, const struct pw_cluster_policy *policy, const char *direction, const struct pw_cluster_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *where = pw_arena_printf(job->app->arena, "%s%s[%zu].", direction, rules[i].action == PW_ACTION_DENY && !policy->tier[0] ? "Deny" : "", i);
		bool names = false;

		for (size_t k = 0; k < rules[i].n_peers; k++)
			names = names || rules[i].peers[k].domains;
		if (rules[i].unclear[0] || names)
			say_unclear(job, policy, where ? where : "", rules[i].unclear[0] ? rules[i].unclear : policy->stage == PW_STAGE_NETWORK ? "toFQDNs" : "domainNames");
	}
}

static void say_all_unclear(struct pw_policy_job *job)
{
	size_t n;
	const struct pw_cluster_policy *const *policies = pw_facts_cluster_policies(job->facts, &n);

	for (size_t i = 0; i < n; i++) {
		if (policies[i]->unclear[0] && (!policies[i]->after_network || policies[i]->tier[0])) /* Cilium's come as two halves */
			say_unclear(job, policies[i], "", policies[i]->unclear);
		say_unclear_rules(job, policies[i], "ingress", policies[i]->ingress, policies[i]->n_ingress);
		say_unclear_rules(job, policies[i], "egress", policies[i]->egress, policies[i]->n_egress);
	}
}

static int work(struct pw_policy_job *job, const char *ns)
{
	const char *ask = pw_app_opt(job->app, "ask");
	const char *gap = pw_facts_gap(job->facts, PW_FACT_POLICIES);

	if (gap[0])
		pw_note(job->app, "Not all policies are known: %s", gap);
	say_all_unclear(job);
	if (!job->app->n_words && pw_val_count(job->app->pairs))
		return explain(job, ns);
	job->matrix = pw_matrix_new(job->facts, job->app->arena, NULL);
	if (!job->matrix)
		return pw_fail(job->app, PW_EXIT_ENVIRONMENT, "out of memory while preparing the matrix");
	job->ports = pw_matrix_ports(job->matrix);
	if (job->app->n_words)
		return pw_policy_exposure(job, pw_map_str(job->app->pairs, "to", ""));
	return ask ? pw_policy_answer(job, ask) : pw_policy_pairs(job);
}

/* The words that are no pairs: nothing, "diff OLD NEW", "exposure". */
static int check_words(struct pw_app *app)
{
	if (app->n_words == 0)
		return 0;
	if (strcmp(app->words[0], "diff") == 0)
		return app->n_words == 3 ? 0 : pw_fail(app, PW_EXIT_USAGE, "policy diff takes two folders of manifests: the old one and the new one");
	if (strcmp(app->words[0], "exposure") != 0 || app->n_words > 1)
		return pw_fail(app, PW_EXIT_USAGE, "policy takes NAME=VALUE, \"exposure\" or \"diff\", not '%s'", app->words[app->n_words > 1 ? 1 : 0]);
	return pw_map_get(app->pairs, "to") ? 0 : pw_fail(app, PW_EXIT_USAGE, "missing: to= (NAMESPACE/POD, or NAMESPACE/NAME[KIND])");
}

static int set_writer(struct pw_policy_job *job, const char *format)
{
	for (size_t i = 0; formats[i]; i++)
		if (strcmp(format, formats[i]) == 0)
			job->writer = writers[i];
	if ((pw_app_opt(job->app, "ask") || pw_map_get(job->app->pairs, "from") || (job->app->n_words && strcmp(job->app->words[0], "diff") == 0)) &&
	    job->writer != &pw_policy_text && job->writer != &pw_policy_tsv)
		return pw_fail(job->app, PW_EXIT_USAGE, "-o %s is for pairs; this is written as text or tsv", format);
	return 0;
}

static int run_cluster(struct pw_policy_job *job)
{
	struct pw_app *app = job->app;
	struct pw_err err = PW_ERR_INIT;
	struct pw_cluster *cluster = NULL;

	if (pw_app_manifests(app, &cluster, &err) != PW_OK)
		return pw_fail_err(app, 0, &err);
	if (pw_cluster_need(cluster, KINDS, NULL, &err) != PW_OK)
		return pw_fail_err(app, err.code == PW_SYNTAX || err.code == PW_ABSENT ? PW_EXIT_USAGE : 0, &err);
	pw_app_notes(app, cluster);
	job->facts = pw_cluster_facts(cluster);
	return work(job, pw_cluster_namespace(cluster));
}

static int run(struct pw_app *app)
{
	struct pw_policy_job job = { .app = app };
	struct pw_err err = PW_ERR_INIT;
	const char *format = NULL;
	int code;

	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if ((code = check_words(app)) != 0 || (code = set_writer(&job, format)) != 0)
		return code;
	pw_buf_init(&job.out, PW_POLICY_CHUNK + PW_POLICY_PIECE_MAX);
	if (app->n_words && strcmp(app->words[0], "diff") == 0)
		code = pw_policy_diff(&job, app->words[1], app->words[2]);
	else
		code = run_cluster(&job);
	pw_matrix_release(job.matrix);
	pw_buf_release(&job.out);
	return code;
}

static const struct pw_opt options[] = {
	{ "manifests", 0, "DIR", "judge the manifests below DIR instead of a cluster; what an API server would reject is an error", PW_OPT_LOCAL },
	{ "ask", 0, "FILE", "answer the rows of FILE (src, dst, protocol, ports, with tabs) instead of printing all pairs; - is stdin", PW_OPT_LOCAL },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = {
	"policy --manifests ./manifests",
	"policy --manifests ./manifests --ask questions.tsv -o tsv",
	"policy from=shop/web to=shop/api port=8080",
	"policy exposure to=shop/api",
	"policy diff ./before ./after",
	"policy --manifests ./manifests -o html > policy.html",
	NULL,
};

const struct pw_cmd pw_cmd_policy = {
	.name = "policy", .summary = "what NetworkPolicies allow, and which of them decides",
	.usage = "[--manifests DIR] [--ask FILE]\n[--manifests DIR] from=NS/POD to=NS/POD port=N [protocol=TCP]\n[--manifests DIR] exposure to=NS/POD\ndiff DIR DIR",
	.details = "Without from=, to= and port= it prints every ordered pair of workloads, pods without an owner, and ranges of addresses "
		   "outside the cluster. Ports are those of the receiving pod, never of a Service. "
		   "exposure: who can reach one pod, from outside the cluster, as a pod that is not there yet, and from other namespaces. "
		   "diff: what two sets of manifests allow differently; exit 1 if anything. "
		   "JSON has the schema packetwalk.policy/1: pairs of from, to, verdict (allow, partly, deny, unknown), and allowed and unknown ports by protocol.",
	.examples = examples, .options = options, .groups = PW_OPTS_CLUSTER | PW_OPTS_OUTPUT, .pairs = true, .run = run,
};
