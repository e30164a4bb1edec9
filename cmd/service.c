/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `packetwalk service`: what kube-proxy of a node has to make of a packet, by Services and EndpointSlices alone. */
#include "main/cmd.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/arena.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <cluster/proxy.h>
#include <doc/yaml.h>

#define ASK_MAX ((size_t)64 << 20)  /* bytes of a file of questions */
#define OUT_MAX ((size_t)256 << 20) /* its answers: a Service has at most some thousand endpoints */
#define KINDS (PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_NODES)

static const char *const formats[] = { "text", "tsv", NULL };

enum { SRC, PROTOCOL, DST, PORT, COLUMNS };

struct job {
	struct pw_app *app;
	const struct pw_facts *facts;
	struct pw_proxy_node node;
	bool tsv;
	struct pw_buf out;
};

static void put(struct pw_buf *out, const char *text)
{
	pw_buf_escaped(out, text, strlen(text));
}

/* ---- the node ---- */

/* A list in one word: commas or blanks between. */
static struct pw_strings split(struct pw_app *app, const char *name)
{
	char *text = pw_arena_strdup(app->arena, pw_map_str(app->pairs, name, "")), *save = NULL;
	const char **v = text ? pw_arena_array(app->arena, strlen(text) / 2 + 1, sizeof(*v)) : NULL;
	size_t n = 0;

	for (char *word = v ? strtok_r(text, ", ", &save) : NULL; word; word = strtok_r(NULL, ", ", &save))
		v[n++] = word;
	return (struct pw_strings){ v, n };
}

/* Of the cluster's nodes: senders in any of their blocks are pods. */
static struct pw_strings all_pod_cidrs(struct job *job)
{
	size_t n, cap = 0, kept = 0;
	const struct pw_node *const *nodes = pw_facts_nodes(job->facts, &n);
	const char **v;

	for (size_t i = 0; i < n; i++)
		cap += nodes[i]->pod_cidrs.n;
	v = pw_arena_array(job->app->arena, cap + 1, sizeof(*v));
	for (size_t i = 0; v && i < n; i++)
		for (size_t j = 0; j < nodes[i]->pod_cidrs.n; j++)
			v[kept++] = nodes[i]->pod_cidrs.v[j];
	return (struct pw_strings){ v, kept };
}

static int set_node(struct job *job)
{
	struct pw_app *app = job->app;
	const char *name = pw_map_str(app->pairs, "node", ""), *mode = pw_map_str(app->pairs, "mode", "iptables");
	const struct pw_node *node = pw_facts_node(job->facts, name);

	if (strcmp(mode, "iptables") != 0 && strcmp(mode, "nftables") != 0)
		return pw_fail(app, PW_EXIT_USAGE, "mode= is one of iptables, nftables");
	job->node = (struct pw_proxy_node){
		.name = name, .ips = split(app, "node_ips"), .pod_cidrs = split(app, "pod_cidr"), .service_cidrs = split(app, "service_cidr"),
		.nodeport_addresses = split(app, "nodeport_addresses"), .nftables = strcmp(mode, "nftables") == 0,
	};
	if (!job->node.ips.n && node)
		job->node.ips = node->addresses;
	if (!job->node.pod_cidrs.n)
		job->node.pod_cidrs = all_pod_cidrs(job);
	if (name[0] && !job->node.ips.n)
		return pw_fail(app, PW_EXIT_USAGE, "there is no node %s; give its addresses with node_ips=", name);
	return 0;
}

/* ---- answers ---- */

static void put_backends(struct job *job, const struct pw_proxy_answer *answer)
{
	for (size_t i = 0; i < answer->n_backends; i++) {
		const char *address = answer->backends[i].endpoint->address;
		bool v6 = strchr(address, ':') != NULL;

		pw_buf_puts(&job->out, i ? "," : "");
		pw_buf_puts(&job->out, v6 ? "[" : "");
		put(&job->out, address);
		pw_buf_printf(&job->out, "%s:%u", v6 ? "]" : "", answer->backends[i].port);
	}
}

static void put_row(struct job *job, char *const cell[COLUMNS], const struct pw_proxy_answer *answer)
{
	for (int i = 0; i < COLUMNS; i++) {
		put(&job->out, cell[i]);
		pw_buf_putc(&job->out, '\t');
	}
	pw_buf_printf(&job->out, "%s\t", pw_proxy_words[answer->outcome]);
	put_backends(job, answer);
	pw_buf_printf(&job->out, "%s\t%s\n", answer->n_backends ? "" : "-",
		      answer->outcome != PW_PROXY_DNAT ? "-" : answer->masquerade ? "yes" : "no");
}

static void put_text(struct job *job, char *const cell[COLUMNS], const struct pw_proxy_answer *answer)
{
	static const char *const says[] = { "is left alone", "goes to ", "is rejected", "is dropped" };

	put(&job->out, cell[SRC]);
	pw_buf_puts(&job->out, " to ");
	put(&job->out, cell[DST]);
	pw_buf_puts(&job->out, " ");
	put(&job->out, cell[PROTOCOL]);
	pw_buf_puts(&job->out, " ");
	put(&job->out, cell[PORT]);
	pw_buf_printf(&job->out, " %s", says[answer->outcome]);
	put_backends(job, answer);
	if (answer->outcome == PW_PROXY_DNAT)
		pw_buf_puts(&job->out, answer->masquerade ? ", its source rewritten" : ", its source kept");
	pw_buf_printf(&job->out, ": %s", answer->why);
	if (answer->service) {
		pw_buf_puts(&job->out, " (Service ");
		put(&job->out, answer->service->meta.ns);
		pw_buf_putc(&job->out, '/');
		put(&job->out, answer->service->meta.name);
		pw_buf_putc(&job->out, ')');
	}
	pw_buf_putc(&job->out, '\n');
}

static int answer(struct job *job, char *const cell[COLUMNS], struct pw_err *err)
{
	struct pw_proxy_packet packet = { cell[SRC], cell[PROTOCOL], cell[DST], 0 };
	struct pw_proxy_answer got = { .why = "" };
	unsigned long long port;

	if (!pw_parse_uint(cell[PORT], UINT16_MAX, &port) || port == 0)
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a port (1 to 65535)", cell[PORT]);
	packet.port = (uint16_t)port;
	if (!pw_proxy_ask(job->facts, &job->node, &packet, job->app->arena, &got))
		return pw_err_set(err, PW_NOMEM, "out of memory");
	if (job->tsv)
		put_row(job, cell, &got);
	else
		put_text(job, cell, &got);
	return PW_OK;
}

static int answer_pairs(struct job *job)
{
	static const char *const names[COLUMNS] = { "from", "protocol", "to", "port" };
	struct pw_err err = PW_ERR_INIT;
	char *cell[COLUMNS];

	for (int i = 0; i < COLUMNS; i++) {
		cell[i] = pw_arena_strdup(job->app->arena, pw_map_str(job->app->pairs, names[i], i == PROTOCOL ? "TCP" : NULL));
		if (!cell[i])
			return pw_fail(job->app, PW_EXIT_USAGE, "missing: %s= (from and to are addresses)", names[i]);
	}
	return answer(job, cell, &err) == PW_OK ? PW_EXIT_HEALTHY : pw_fail_err(job->app, PW_EXIT_USAGE, &err);
}

static int answer_lines(struct job *job, const char *file, char *text)
{
	struct pw_err err = PW_ERR_INIT;
	char *save = NULL, *cell[COLUMNS];
	unsigned number = 0;

	if (job->tsv)
		pw_buf_puts(&job->out, "src\tprotocol\tdst\tport\toutcome\tbackends\tmasquerade\n");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		number++;
		for (int i = 0; i < COLUMNS; i++) {
			cell[i] = line;
			line += strcspn(line, "\t\r");
			if (*line)
				*line++ = '\0';
		}
		if (number == 1 && strcmp(cell[SRC], "src") == 0)
			continue;
		if (answer(job, cell, &err) != PW_OK)
			return pw_fail(job->app, PW_EXIT_USAGE, "%s: row %u: %s", file, number, err.text);
	}
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

static int run(struct pw_app *app)
{
	struct job job = { .app = app };
	struct pw_err err = PW_ERR_INIT;
	struct pw_cluster *cluster = NULL;
	const char *format = NULL, *ask = pw_app_opt(app, "ask");
	int code;

	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if (pw_app_manifests(app, &cluster, &err) != PW_OK || pw_cluster_need(cluster, KINDS, NULL, &err) != PW_OK)
		return pw_fail_err(app, err.code == PW_ABSENT ? PW_EXIT_USAGE : 0, &err);
	pw_app_notes(app, cluster);
	job.facts = pw_cluster_facts(cluster);
	job.tsv = strcmp(format, "tsv") == 0;
	if ((code = set_node(&job)) != 0)
		return code;
	pw_buf_init(&job.out, OUT_MAX);
	code = ask ? answer_file(&job, ask) : answer_pairs(&job);
	pw_out_buf(app, &job.out);
	pw_buf_release(&job.out);
	return code;
}

static const struct pw_opt options[] = {
	{ "manifests", 0, "DIR", "judge the manifests below DIR instead of a cluster", PW_OPT_LOCAL },
	{ "ask", 0, "FILE", "answer the rows of FILE (src, protocol, dst, port, with tabs); - is stdin", PW_OPT_LOCAL },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = {
	"service from=10.244.1.4 to=10.96.20.1 port=80 node=n1",
	"service from=198.51.100.7 to=192.168.50.11 port=30080 node=n1 mode=nftables",
	NULL,
};

const struct pw_cmd pw_cmd_service = {
	.name = "service", .summary = "what kube-proxy of a node has to make of a packet",
	.usage = "[--manifests DIR] from=ADDRESS to=ADDRESS port=N [protocol=TCP] [node=NAME] [mode=iptables|nftables]\n[--manifests DIR] --ask FILE [node=NAME] ...",
	.details = "By Services and EndpointSlices alone: the backends that may be chosen, whether the sender's address is rewritten, and what becomes "
		   "of a packet that finds none. What the rules on the node really do is for the check service_rules to say. "
		   "node_ips=, pod_cidr=, service_cidr= and nodeport_addresses= (lists with commas) say what no object does.",
	.examples = examples, .options = options, .groups = PW_OPTS_CLUSTER | PW_OPTS_OUTPUT, .pairs = true, .run = run,
};
