/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `packetwalk path`: the hops of one connection as a drawing, from objects alone. */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <cluster/address.h>
#include <cluster/cluster.h>
#include <path/path.h>

#define DRAWING_MAX ((size_t)1 << 20) /* a dozen hops of a few lines */

#define KINDS (PW_FACT_PODS | PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_NODES | PW_FACT_POLICIES | PW_FACT_NAMESPACES | PW_FACT_CONFIGMAPS)

static const char *const formats[] = { "text", "mermaid", "dot", NULL };

struct ends { const struct pw_facts *facts; const char *ns; struct pw_arena *arena; };

static const struct pw_pod *find_pod(const struct ends *ends, const char *text, struct pw_err *err)
{
	struct pw_val *val;

	if (pw_input_type(PW_TYPE_POD)->resolve(ends->facts, ends->ns, text, ends->arena, &val, err) != PW_OK)
		return NULL;
	return pw_facts_pod(ends->facts, pw_map_str(val, "namespace", ""), pw_map_str(val, "name", ""));
}

static int set_from(const struct ends *ends, const char *text, struct pw_flow *flow, struct pw_err *err)
{
	struct pw_address address;

	flow->from = pw_address_parse(text, &address) ? pw_facts_pod_by_ip(ends->facts, text) : find_pod(ends, text, err);
	if (flow->from)
		return PW_OK;
	flow->from_address = text;
	return pw_address_parse(text, &address) ? PW_OK : err->code;
}

/* A Service, else a pod, else an address. */
static int set_to(const struct ends *ends, const char *text, struct pw_flow *flow, struct pw_err *err)
{
	struct pw_err no_pod = PW_ERR_INIT;
	struct pw_address address;
	struct pw_val *val;
	int rc;

	rc = pw_input_type(PW_TYPE_SERVICE)->resolve(ends->facts, ends->ns, text, ends->arena, &val, err);
	if (rc == PW_OK) {
		flow->service = pw_facts_service(ends->facts, pw_map_str(val, "namespace", ""), pw_map_str(val, "name", ""));
		flow->port = (unsigned)pw_map_int(val, "port", 0);
		flow->protocol = pw_map_str(val, "protocol", "TCP");
		return PW_OK;
	}
	flow->to = find_pod(ends, text, &no_pod);
	if (flow->to || pw_address_parse(text, &address)) {
		pw_err_clear(err);
		flow->to_address = flow->to ? flow->to->ip : text;
		return PW_OK;
	}
	return rc;
}

static int set_port(struct pw_app *app, struct pw_flow *flow, struct pw_err *err)
{
	const char *text = pw_map_str(app->pairs, "port", NULL);
	unsigned long long port;

	flow->protocol = pw_map_str(app->pairs, "protocol", flow->protocol);
	if (!text)
		return PW_OK;
	if (!pw_parse_uint(text, UINT16_MAX, &port) || port == 0)
		return pw_err_set(err, PW_USAGE, "port=%s is not a port (1 to 65535)", text);
	flow->port = (unsigned)port;
	return PW_OK;
}

static int draw(struct pw_app *app, const struct pw_facts *facts, const struct pw_flow *flow, const char *format)
{
	PW_CLEAN_BUF struct pw_buf out;
	const struct pw_hop *hops = NULL;
	size_t n = pw_path_hops(facts, flow, app->arena, &hops);
	enum pw_path_format kind = strcmp(format, "mermaid") == 0 ? PW_PATH_MERMAID : strcmp(format, "dot") == 0 ? PW_PATH_DOT : PW_PATH_TEXT;

	pw_buf_init(&out, DRAWING_MAX);
	if (n == 0)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory while drawing");
	pw_path_draw(hops, n, NULL, kind, app->out.utf8, &out);
	pw_out_buf(app, &out);
	return PW_EXIT_HEALTHY;
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_cluster *cluster = NULL;
	struct pw_flow flow = { .protocol = NULL };
	struct ends ends = { .arena = app->arena };
	const char *format = NULL, *from = pw_map_str(app->pairs, "from", NULL), *to = pw_map_str(app->pairs, "to", NULL);

	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if (!from || !to)
		return pw_fail(app, PW_EXIT_USAGE, "missing: %s (a pod as NAMESPACE/NAME, or an address; to= may be a Service)",
			       from ? "to=" : to ? "from=" : "from=, to=");
	if (pw_app_cluster(app, &cluster, &err) || pw_cluster_need(cluster, KINDS, NULL, &err))
		return pw_fail_err(app, 0, &err);
	ends.facts = pw_cluster_facts(cluster);
	ends.ns = pw_cluster_namespace(cluster);
	if (set_from(&ends, from, &flow, &err) || set_to(&ends, to, &flow, &err) || set_port(app, &flow, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	return draw(app, ends.facts, &flow, format ? format : "text");
}

static const char *const examples[] = {
	"path from=shop/web to=shop/api",
	"path from=shop/web to=203.0.113.7 port=443 -o mermaid",
	"path --cluster bundle:./bundle from=web to=api:http -o dot",
	NULL,
};

const struct pw_cmd pw_cmd_path = {
	.name = "path", .summary = "draw the hops a connection will meet",
	.usage = "from=NS/POD to=NS/SERVICE|NS/POD|ADDRESS [port=N] [protocol=TCP]",
	.details = "The drawing is made from the cluster's objects; nothing is sent. It names the node, the policies that have a say, "
		   "and which endpoint the Service's address may become.",
	.examples = examples, .groups = PW_OPTS_CLUSTER | PW_OPTS_OUTPUT, .pairs = true, .run = run,
};
