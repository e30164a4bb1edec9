/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairs as JSON, as a graph for dot, and as a page that asks for nothing else. */
#include "policy.h"

#include <string.h>

#include <doc/json.h>

/* "TCP 80,443, UDP all"; "all" when it is every port of each. */
static void put_ports(struct pw_policy_job *job, uint32_t set)
{
	const char *between = "";

	if (set == PW_PORTS_ALL) {
		pw_buf_puts(&job->out, "all");
		return;
	}
	for (int i = 0; i < PW_PROTOCOLS; i++) {
		if (pw_ports_empty(job->ports, set, i))
			continue;
		pw_buf_printf(&job->out, "%s%s ", between, pw_protocol_words[i]);
		pw_ports_print(job->ports, set, i, &job->out);
		between = ", ";
	}
}

static const char *verdict_word(struct pw_reach reach)
{
	if (reach.allowed == PW_PORTS_ALL)
		return "allow";
	if (reach.allowed != PW_PORTS_NONE)
		return "partly";
	return reach.unknown == PW_PORTS_NONE ? "deny" : "unknown";
}

/* ---- JSON ---- */

static void put_json_str(struct pw_policy_job *job, const char *text)
{
	pw_json_write_str(&job->out, text, strlen(text));
}

static void put_json_ports(struct pw_policy_job *job, const char *key, uint32_t set)
{
	const char *between = "";

	pw_buf_printf(&job->out, ", \"%s\": {", key);
	for (int i = 0; i < PW_PROTOCOLS; i++) {
		if (pw_ports_empty(job->ports, set, i))
			continue;
		pw_buf_printf(&job->out, "%s\"%s\": \"", between, pw_protocol_words[i]);
		pw_ports_print(job->ports, set, i, &job->out);
		pw_buf_putc(&job->out, '"');
		between = ", ";
	}
	pw_buf_putc(&job->out, '}');
}

static void begin_json(struct pw_policy_job *job)
{
	pw_buf_puts(&job->out, "{\"schema\": \"packetwalk.policy/1\", \"pairs\": [");
}

static void pair_json(struct pw_policy_job *job, const char *from, const char *to, struct pw_reach reach)
{
	pw_buf_puts(&job->out, job->any ? ",\n{\"from\": " : "\n{\"from\": ");
	put_json_str(job, from);
	pw_buf_puts(&job->out, ", \"to\": ");
	put_json_str(job, to);
	pw_buf_printf(&job->out, ", \"verdict\": \"%s\"", verdict_word(reach));
	put_json_ports(job, "allowed", reach.allowed);
	if (reach.unknown != PW_PORTS_NONE)
		put_json_ports(job, "unknown", reach.unknown);
	pw_buf_putc(&job->out, '}');
	job->any = true;
	pw_policy_flush_full(job);
}

static void end_json(struct pw_policy_job *job)
{
	pw_buf_puts(&job->out, "\n]}\n");
	pw_policy_flush(job);
}

/* ---- dot ---- */

static void put_dot_str(struct pw_policy_job *job, const char *text)
{
	pw_buf_putc(&job->out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			pw_buf_putc(&job->out, '\\');
		pw_buf_putc(&job->out, *text);
	}
	pw_buf_putc(&job->out, '"');
}

static void begin_dot(struct pw_policy_job *job)
{
	pw_buf_puts(&job->out, "digraph policy {\n  rankdir=LR;\n  node [shape=box];\n");
}

/* What is denied has no edge. */
static void pair_dot(struct pw_policy_job *job, const char *from, const char *to, struct pw_reach reach)
{
	bool sure = reach.allowed != PW_PORTS_NONE;

	if (!sure && reach.unknown == PW_PORTS_NONE)
		return;
	pw_buf_puts(&job->out, "  ");
	put_dot_str(job, from);
	pw_buf_puts(&job->out, " -> ");
	put_dot_str(job, to);
	pw_buf_puts(&job->out, " [label=\"");
	put_ports(job, sure ? reach.allowed : reach.unknown);
	pw_buf_puts(&job->out, sure ? "\"];\n" : " ?\", style=dashed];\n");
	pw_policy_flush_full(job);
}

static void end_dot(struct pw_policy_job *job)
{
	pw_buf_puts(&job->out, "}\n");
	pw_policy_flush(job);
}

/* ---- HTML ---- */

static void put_html(struct pw_policy_job *job, const char *text)
{
	static const struct { char c; const char *entity; } entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };

	for (; *text; text++) {
		const char *entity = NULL;

		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (entities[i].c == *text)
				entity = entities[i].entity;
		if (entity)
			pw_buf_puts(&job->out, entity);
		else
			pw_buf_putc(&job->out, *text);
	}
}

static void begin_html(struct pw_policy_job *job)
{
	pw_buf_puts(&job->out,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		    "<title>What the NetworkPolicies allow</title>\n<style>\n"
		    "body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; background: #fff; }\n"
		    "table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem; border-bottom: 1px solid #ddd; }\n"
		    ".allow { background: #e3f4e3; } .partly { background: #f3f6d8; } .deny { background: #fae3e3; } .unknown { background: #e8e8f6; }\n"
		    "</style>\n</head>\n<body>\n<h1>What the NetworkPolicies allow</h1>\n"
		    "<table>\n<thead><tr><th>From</th><th>To</th><th>Verdict</th><th>Ports allowed</th><th>Ports not known</th></tr></thead>\n<tbody>\n");
}

static void pair_html(struct pw_policy_job *job, const char *from, const char *to, struct pw_reach reach)
{
	pw_buf_printf(&job->out, "<tr class=\"%s\"><td>", verdict_word(reach));
	put_html(job, from);
	pw_buf_puts(&job->out, "</td><td>");
	put_html(job, to);
	pw_buf_printf(&job->out, "</td><td>%s</td><td>", verdict_word(reach));
	put_ports(job, reach.allowed);
	pw_buf_puts(&job->out, "</td><td>");
	put_ports(job, reach.unknown);
	pw_buf_puts(&job->out, "</td></tr>\n");
	pw_policy_flush_full(job);
}

static void end_html(struct pw_policy_job *job)
{
	pw_buf_puts(&job->out, "</tbody>\n</table>\n</body>\n</html>\n");
	pw_policy_flush(job);
}

const struct pw_policy_writer pw_policy_json = { "json", begin_json, pair_json, end_json };
const struct pw_policy_writer pw_policy_dot = { "dot", begin_dot, pair_dot, end_dot };
const struct pw_policy_writer pw_policy_html = { "html", begin_html, pair_html, end_html };
