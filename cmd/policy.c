/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `packetwalk policy`: what NetworkPolicies allow, for all pairs, for a list of questions, or for one connection. */
#include "main/cmd.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <cluster/advice.h>
#include <cluster/matrix.h>
#include <doc/yaml.h>

#define ASK_MAX ((size_t)256 << 20) /* bytes of a file of questions */
#define CHUNK ((size_t)1 << 16)     /* output is written in pieces of about this size */
#define LINE_MAX_BYTES ((size_t)8 << 20) /* one row; names are bounded, lists of ports have at most 32768 parts */

static const char *const formats[] = { "text", "tsv", NULL };

#define KINDS (PW_FACT_PODS | PW_FACT_NAMESPACES | PW_FACT_POLICIES | PW_FACT_SERVICES)

struct job {
	struct pw_app *app;
	const struct pw_facts *facts;
	struct pw_matrix *matrix;
	bool tsv;
	struct pw_buf out;
};

static void flush(struct job *job)
{
	pw_out_buf(job->app, &job->out);
	pw_buf_clear(&job->out);
}

static void put(struct pw_buf *out, const char *text)
{
	pw_buf_escaped(out, text, strlen(text));
}

/* ---- all pairs ---- */

static bool all_are(const struct pw_portsets *sets, bool (*is)(const struct pw_portset *set))
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		if (!is(&sets->of[i]))
			return false;
	return true;
}

static bool equal(const struct pw_portsets *a, const struct pw_portsets *b)
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		if (!pw_portset_equal(&a->of[i], &b->of[i]))
			return false;
	return true;
}

static void put_tsv(struct job *job, const char *from, const char *to, const char *protocol, const struct pw_portset *ports, const char *verdict)
{
	put(&job->out, from);
	pw_buf_putc(&job->out, '\t');
	put(&job->out, to);
	pw_buf_printf(&job->out, "\t%s\t", protocol);
	if (ports)
		pw_portset_print(ports, &job->out);
	else
		pw_buf_puts(&job->out, "all");
	pw_buf_printf(&job->out, "\t%s\n", verdict);
}

/* What is not allowed by a row of the pair is denied; a pair with nothing allowed has one row that says so. */
static void put_pair_tsv(struct job *job, const char *from, const char *to, const struct pw_portsets *allowed)
{
	if (all_are(allowed, pw_portset_full)) {
		put_tsv(job, from, to, "ANY", NULL, "allow");
		return;
	}
	if (all_are(allowed, pw_portset_empty)) {
		put_tsv(job, from, to, "ANY", NULL, "deny");
		return;
	}
	for (int i = 0; i < PW_PROTOCOLS; i++)
		if (!pw_portset_empty(&allowed->of[i]))
			put_tsv(job, from, to, pw_protocol_words[i], &allowed->of[i], "allow");
}

static void put_pair_text(struct job *job, const char *from, const char *to, const struct pw_portsets *allowed)
{
	const char *between = "";

	put(&job->out, from);
	pw_buf_puts(&job->out, " -> ");
	put(&job->out, to);
	pw_buf_puts(&job->out, ": ");
	if (all_are(allowed, pw_portset_full)) {
		pw_buf_puts(&job->out, "all allowed\n");
		return;
	}
	if (all_are(allowed, pw_portset_empty)) {
		pw_buf_puts(&job->out, "all denied\n");
		return;
	}
	for (int i = 0; i < PW_PROTOCOLS; i++) {
		if (pw_portset_empty(&allowed->of[i]))
			continue;
		pw_buf_printf(&job->out, "%s%s ", between, pw_protocol_words[i]);
		pw_portset_print(&allowed->of[i], &job->out);
		between = ", ";
	}
	pw_buf_puts(&job->out, " allowed\n");
}

static void put_pair(struct job *job, const char *from, const char *to, const struct pw_portsets *allowed)
{
	if (job->tsv)
		put_pair_tsv(job, from, to, allowed);
	else
		put_pair_text(job, from, to, allowed);
	if (job->out.len > CHUNK)
		flush(job);
}

static const char *range_name(struct job *job, const struct pw_group *first, const struct pw_group *last)
{
	char a[46], b[46];
	const char *name;

	if (first == last)
		return first->name;
	pw_address_print(&first->first, a);
	pw_address_print(&last->last, b);
	name = pw_arena_printf(job->app->arena, "%s-%s", a, b);
	return name ? name : first->name;
}

/* A group and the outside: neighbouring ranges that fare alike are one line. */
static void put_outside(struct job *job, const struct pw_group *group, bool inwards)
{
	const struct pw_group *ranges;
	size_t n = pw_matrix_outside(job->matrix, &ranges), from = 0;
	struct pw_portsets allowed, next;

	for (size_t i = 0; i < n; i++) {
		const char *name;

		if (i == from)
			pw_matrix_allowed(job->matrix, inwards ? &ranges[i] : group, inwards ? group : &ranges[i], &allowed);
		if (i + 1 < n && ranges[i + 1].first.family == ranges[from].first.family) {
			pw_matrix_allowed(job->matrix, inwards ? &ranges[i + 1] : group, inwards ? group : &ranges[i + 1], &next);
			if (equal(&allowed, &next))
				continue;
		}
		name = range_name(job, &ranges[from], &ranges[i]);
		put_pair(job, inwards ? name : group->name, inwards ? group->name : name, &allowed);
		from = i + 1;
	}
}

/* Only where an Ingress or Route leads to the group. */
static void put_ingress(struct job *job, const struct pw_group *group)
{
	struct pw_portsets allowed;

	pw_matrix_allowed(job->matrix, &pw_ingress_group, group, &allowed);
	if (!all_are(&allowed, pw_portset_empty))
		put_pair(job, pw_ingress_group.name, group->name, &allowed);
}

static int print_matrix(struct job *job)
{
	const struct pw_group *groups;
	size_t n = pw_matrix_groups(job->matrix, &groups);
	struct pw_portsets allowed;

	if (job->tsv)
		pw_buf_puts(&job->out, "src\tdst\tprotocol\tports\tverdict\n");
	for (size_t i = 0; i < n; i++)
		put_outside(job, &groups[i], true);
	for (size_t i = 0; i < n; i++)
		put_ingress(job, &groups[i]);
	for (size_t i = 0; i < n; i++) {
		put_outside(job, &groups[i], false);
		for (size_t j = 0; j < n; j++) {
			if (i == j)
				continue;
			pw_matrix_allowed(job->matrix, &groups[i], &groups[j], &allowed);
			put_pair(job, groups[i].name, groups[j].name, &allowed);
		}
	}
	flush(job);
	return PW_EXIT_HEALTHY;
}

/* ---- a file of questions ---- */

enum { SRC, DST, PROTOCOL, PORTS, COLUMNS };

struct row { char *cell[COLUMNS]; };

/* Splits in place at tabs; false when there are fewer columns. More are passed over. */
static bool split_row(char *line, struct row *ret)
{
	for (int i = 0; i < COLUMNS; i++) {
		char *tab = line ? strchr(line, '\t') : NULL;

		if (!line)
			return false;
		ret->cell[i] = line;
		if (tab)
			*tab = '\0';
		line = tab ? tab + 1 : NULL;
	}
	return true;
}

static int judge(struct job *job, const struct row *row, bool *ret_allowed, struct pw_err *err)
{
	struct pw_group from, to;
	struct pw_portsets allowed;
	struct pw_portset asked;
	int protocol = pw_protocol_index(row->cell[PROTOCOL]), rc;

	if (protocol < 0 && strcmp(row->cell[PROTOCOL], "ANY") != 0)
		return pw_err_set(err, PW_SYNTAX, "\"%s\" is not one of TCP, UDP, SCTP, ANY", row->cell[PROTOCOL]);
	if (!pw_portset_parse(row->cell[PORTS], &asked))
		return pw_err_set(err, PW_SYNTAX, "\"%s\" is neither \"all\" nor a list of ports", row->cell[PORTS]);
	if ((rc = pw_matrix_find(job->matrix, row->cell[SRC], &from, err)) != PW_OK ||
	    (rc = pw_matrix_find(job->matrix, row->cell[DST], &to, err)) != PW_OK)
		return rc;
	pw_matrix_allowed(job->matrix, &from, &to, &allowed);
	*ret_allowed = true;
	for (int i = 0; i < PW_PROTOCOLS; i++)
		if (protocol < 0 || protocol == i)
			*ret_allowed = *ret_allowed && pw_portset_holds(&allowed.of[i], &asked);
	return PW_OK;
}

static void put_answer(struct job *job, const struct row *row, bool allowed)
{
	const char *verdict = allowed ? "allow" : "deny";

	for (int i = 0; i < COLUMNS; i++) {
		put(&job->out, row->cell[i]);
		pw_buf_puts(&job->out, job->tsv ? "\t" : " ");
	}
	pw_buf_printf(&job->out, "%s\n", verdict);
	if (job->out.len > CHUNK)
		flush(job);
}

static int bad_row(struct job *job, const char *file, unsigned line, const char *why)
{
	flush(job);
	return pw_fail(job->app, PW_EXIT_USAGE, "%s:%u: %s", file, line, why);
}

static int answer_lines(struct job *job, const char *file, char *text)
{
	struct pw_err err = PW_ERR_INIT;
	unsigned number = 0;

	for (char *line = text, *next; line; line = next) {
		struct row row;
		bool allowed;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		number++;
		if (!line[0])
			continue;
		if (!split_row(line, &row))
			return bad_row(job, file, number, "a row has the columns src, dst, protocol and ports, with tabs between them");
		if (number == 1 && strcmp(row.cell[SRC], "src") == 0) {
			if (job->tsv)
				pw_buf_puts(&job->out, "src\tdst\tprotocol\tports\tverdict\n");
			continue;
		}
		if (judge(job, &row, &allowed, &err) != PW_OK)
			return bad_row(job, file, number, err.text);
		put_answer(job, &row, allowed);
	}
	flush(job);
	return PW_EXIT_HEALTHY;
}

static int answer_file(struct job *job, const char *file)
{
	struct pw_err err = PW_ERR_INIT;
	char *text;
	size_t len;
	int code;

	if (pw_file_read(file, ASK_MAX, &text, &len, &err) != PW_OK)
		return pw_fail_err(job->app, PW_EXIT_USAGE, &err);
	code = answer_lines(job, file, text);
	free(text);
	return code;
}

/* ---- one connection ---- */

static int find_end(struct job *job, const char *name, const char *ns, struct pw_peer *ret, struct pw_err *err)
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
static bool say_missing(struct job *job)
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

static int explain(struct job *job, const char *ns)
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
	flush(job);
	return PW_EXIT_HEALTHY;
}

/* ---- */

static int open_cluster(struct pw_app *app, struct pw_cluster **ret, struct pw_err *err)
{
	const char *dir = pw_app_opt(app, "manifests");
	struct pw_cluster_config config = { .namespace_ = pw_app_opt(app, "namespace") };

	if (!dir)
		return pw_app_cluster(app, ret, err);
	if (!app->cluster) {
		config.source = pw_arena_printf(app->arena, "manifests:%s", dir);
		if (!config.source)
			return pw_err_set(err, PW_NOMEM, "out of memory");
		if (pw_cluster_open(&config, &app->cluster, err) != PW_OK)
			return err->code;
	}
	*ret = app->cluster;
	return PW_OK;
}

static void say_notes(struct pw_app *app, const char *notes)
{
	PW_CLEAN_BUF struct pw_buf line;

	pw_buf_init(&line, LINE_MAX_BYTES);
	while (*notes) {
		size_t len = strcspn(notes, "\n");

		pw_buf_clear(&line);
		pw_buf_escaped(&line, notes, len);
		pw_note(app, "%s", pw_buf_str(&line));
		notes += len;
		if (*notes)
			notes++;
	}
}

static int work(struct job *job, const char *ns)
{
	const char *ask = pw_app_opt(job->app, "ask");
	const char *gap = pw_facts_gap(job->facts, PW_FACT_POLICIES);

	if (gap[0])
		pw_note(job->app, "Not all policies are known: %s", gap);
	if (pw_val_count(job->app->pairs))
		return explain(job, ns);
	job->matrix = pw_matrix_new(job->facts, job->app->arena);
	if (!job->matrix)
		return pw_fail(job->app, PW_EXIT_ENVIRONMENT, "out of memory while preparing the matrix");
	return ask ? answer_file(job, ask) : print_matrix(job);
}

static int run(struct pw_app *app)
{
	struct job job = { .app = app };
	struct pw_err err = PW_ERR_INIT;
	struct pw_cluster *cluster = NULL;
	const char *format = NULL;
	int code;

	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if (open_cluster(app, &cluster, &err) != PW_OK)
		return pw_fail_err(app, 0, &err);
	if (pw_cluster_need(cluster, KINDS, NULL, &err) != PW_OK)
		return pw_fail_err(app, err.code == PW_SYNTAX || err.code == PW_ABSENT ? PW_EXIT_USAGE : 0, &err);
	say_notes(app, pw_cluster_notes(cluster));
	job.facts = pw_cluster_facts(cluster);
	job.tsv = format && strcmp(format, "tsv") == 0;
	pw_buf_init(&job.out, CHUNK + LINE_MAX_BYTES);
	code = work(&job, pw_cluster_namespace(cluster));
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
	NULL,
};

const struct pw_cmd pw_cmd_policy = {
	.name = "policy", .summary = "what NetworkPolicies allow, and which of them decides",
	.usage = "[--manifests DIR] [--ask FILE]\n[--manifests DIR] from=NS/POD to=NS/POD port=N [protocol=TCP]",
	.details = "Without from=, to= and port= it prints every ordered pair of workloads, pods without an owner, and ranges of addresses "
		   "outside the cluster. Ports are those of the receiving pod, never of a Service.",
	.examples = examples, .options = options, .groups = PW_OPTS_CLUSTER | PW_OPTS_OUTPUT, .pairs = true, .run = run,
};
