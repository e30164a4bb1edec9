/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All ordered pairs of groups, line by line. */
#include "policy.h"

#include <string.h>

#include <packetwalk/arena.h>

#define N_TAILS 1024u          /* a power of two: distinct answers are few */
#define MAX_LINES (2 * PW_PROTOCOLS)

void pw_policy_flush(struct pw_policy_job *job)
{
	pw_out_buf(job->app, &job->out);
	pw_buf_clear(&job->out);
}

void pw_policy_flush_full(struct pw_policy_job *job)
{
	if (job->out.len > PW_POLICY_CHUNK)
		pw_policy_flush(job);
}

/* ---- lines ---- */

/* What stands behind the names of a pair, a piece per line; for one answer always the same. */
struct tail { const char *text; size_t len; };
struct tails { struct pw_reach reach; unsigned n; struct tail line[MAX_LINES]; };
struct pw_policy_tails { struct tails v[N_TAILS]; };

static void keep_tail(struct pw_policy_job *job, struct tails *tails, struct pw_buf *text)
{
	const char *copy = pw_arena_strndup(job->app->arena, pw_buf_str(text), text->len);

	tails->line[tails->n++] = (struct tail){ copy ? copy : "", copy ? text->len : 0 };
	pw_buf_clear(text);
}

static void tsv_lines(struct pw_policy_job *job, struct tails *tails, uint32_t set, const char *verdict, struct pw_buf *text)
{
	for (int i = 0; i < PW_PROTOCOLS; i++) {
		if (pw_ports_empty(job->ports, set, i))
			continue;
		pw_buf_printf(text, "\t%s\t", pw_protocol_words[i]);
		pw_ports_print(job->ports, set, i, text);
		pw_buf_printf(text, "\t%s\n", verdict);
		keep_tail(job, tails, text);
	}
}

/* What no row of the pair names is denied; a pair of which nothing is allowed has one row that says so. */
static void make_tsv(struct pw_policy_job *job, struct tails *tails, struct pw_buf *text)
{
	struct pw_reach reach = tails->reach;
	const char *whole = reach.allowed == PW_PORTS_ALL ? "allow" : reach.unknown == PW_PORTS_ALL ? "unknown" : "deny";

	if (whole[0] == 'd' && (reach.allowed != PW_PORTS_NONE || reach.unknown != PW_PORTS_NONE)) {
		tsv_lines(job, tails, reach.allowed, "allow", text);
		tsv_lines(job, tails, reach.unknown, "unknown", text);
		return;
	}
	pw_buf_printf(text, "\tANY\tall\t%s\n", whole);
	keep_tail(job, tails, text);
}

static void text_ports(struct pw_policy_job *job, uint32_t set, const char *verdict, struct pw_buf *text)
{
	const char *between = "";

	for (int i = 0; i < PW_PROTOCOLS; i++) {
		if (pw_ports_empty(job->ports, set, i))
			continue;
		pw_buf_printf(text, "%s%s ", between, pw_protocol_words[i]);
		pw_ports_print(job->ports, set, i, text);
		between = ", ";
	}
	pw_buf_printf(text, " %s", verdict);
}

static void make_text(struct pw_policy_job *job, struct tails *tails, struct pw_buf *text)
{
	struct pw_reach reach = tails->reach;

	pw_buf_puts(text, ": ");
	if (reach.allowed == PW_PORTS_ALL)
		pw_buf_puts(text, "all allowed");
	else if (reach.unknown == PW_PORTS_ALL)
		pw_buf_puts(text, "all unknown");
	else if (reach.allowed == PW_PORTS_NONE && reach.unknown == PW_PORTS_NONE)
		pw_buf_puts(text, "all denied");
	else if (reach.allowed != PW_PORTS_NONE)
		text_ports(job, reach.allowed, "allowed", text);
	if (reach.unknown != PW_PORTS_NONE && reach.unknown != PW_PORTS_ALL) {
		pw_buf_puts(text, reach.allowed == PW_PORTS_NONE ? "" : "; ");
		text_ports(job, reach.unknown, "unknown", text);
	}
	pw_buf_putc(text, '\n');
	keep_tail(job, tails, text);
}

static const struct tails *tails_of(struct pw_policy_job *job, struct pw_reach reach, void (*make)(struct pw_policy_job *, struct tails *, struct pw_buf *))
{
	struct tails *tails = &job->tails->v[(reach.allowed * 31 + reach.unknown) & (N_TAILS - 1)];
	struct pw_buf text;

	if (tails->n && tails->reach.allowed == reach.allowed && tails->reach.unknown == reach.unknown)
		return tails;
	*tails = (struct tails){ .reach = reach };
	pw_buf_init(&text, PW_POLICY_PIECE_MAX);
	make(job, tails, &text);
	pw_buf_release(&text);
	return tails;
}

static void begin_lines(struct pw_policy_job *job)
{
	job->tails = pw_arena_alloc(job->app->arena, sizeof(*job->tails));
}

static void begin_tsv(struct pw_policy_job *job)
{
	begin_lines(job);
	pw_buf_puts(&job->out, "src\tdst\tprotocol\tports\tverdict\n");
}

static void put_lines(struct pw_policy_job *job, const char *from, const char *between, const char *to, const struct tails *tails)
{
	size_t from_len = strlen(from), to_len = strlen(to);

	for (unsigned i = 0; i < tails->n; i++) {
		pw_buf_add(&job->out, from, from_len);
		pw_buf_puts(&job->out, between);
		pw_buf_add(&job->out, to, to_len);
		pw_buf_add(&job->out, tails->line[i].text, tails->line[i].len);
	}
	pw_policy_flush_full(job);
}

static void pair_tsv(struct pw_policy_job *job, const char *from, const char *to, struct pw_reach reach)
{
	if (job->tails)
		put_lines(job, from, "\t", to, tails_of(job, reach, make_tsv));
}

static void pair_text(struct pw_policy_job *job, const char *from, const char *to, struct pw_reach reach)
{
	if (job->tails)
		put_lines(job, from, " -> ", to, tails_of(job, reach, make_text));
}

static void end_lines(struct pw_policy_job *job)
{
	pw_policy_flush(job);
}

const struct pw_policy_writer pw_policy_text = { "text", begin_lines, pair_text, end_lines };
const struct pw_policy_writer pw_policy_tsv = { "tsv", begin_tsv, pair_tsv, end_lines };

/* ---- all pairs ---- */

/* Groups, ranges and their names, and room for a line of answers. */
struct sheet {
	struct pw_policy_job *job;
	const struct pw_group *groups, *ranges; size_t n_groups, n_ranges;
	const char **names;
	struct pw_reach *row;
};

static const char *range_name(struct pw_policy_job *job, const struct pw_group *first, const struct pw_group *last)
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

static bool same(struct pw_reach a, struct pw_reach b)
{
	return a.allowed == b.allowed && a.unknown == b.unknown;
}

/* A group and the outside: neighbouring ranges that fare alike are one line. */
static void put_outside(const struct sheet *sheet, size_t group, bool inwards)
{
	struct pw_policy_job *job = sheet->job;
	size_t from = 0;

	if (inwards)
		pw_matrix_from_outside(job->matrix, &sheet->groups[group], sheet->row);
	else
		pw_matrix_to_outside(job->matrix, &sheet->groups[group], sheet->row);
	for (size_t i = 0; i < sheet->n_ranges; i++) {
		const char *name;

		if (i + 1 < sheet->n_ranges && sheet->ranges[i + 1].first.family == sheet->ranges[from].first.family &&
		    same(sheet->row[i + 1], sheet->row[from]))
			continue;
		name = range_name(job, &sheet->ranges[from], &sheet->ranges[i]);
		job->writer->pair(job, inwards ? name : sheet->names[group], inwards ? sheet->names[group] : name, sheet->row[from]);
		from = i + 1;
	}
}

/* Only where an Ingress or Route leads to the group. */
static void put_ingress(const struct sheet *sheet, const struct pw_group *controller)
{
	for (size_t i = 0; i < sheet->n_groups; i++) {
		struct pw_reach reach = pw_matrix_allowed(sheet->job->matrix, controller, &sheet->groups[i]);

		if (reach.allowed != PW_PORTS_NONE || reach.unknown != PW_PORTS_NONE)
			sheet->job->writer->pair(sheet->job, controller->name, sheet->names[i], reach);
	}
}

static int put_groups(const struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->n_groups; i++) {
		put_outside(sheet, i, false);
		if (pw_matrix_to_groups(sheet->job->matrix, &sheet->groups[i], sheet->row) != PW_OK)
			return PW_NOMEM;
		for (size_t j = 0; j < sheet->n_groups; j++)
			if (i != j)
				sheet->job->writer->pair(sheet->job, sheet->names[i], sheet->names[j], sheet->row[j]);
	}
	return PW_OK;
}

static int lay_out(struct pw_policy_job *job, struct sheet *ret)
{
	struct pw_buf name;

	*ret = (struct sheet){ .job = job };
	ret->n_groups = pw_matrix_groups(job->matrix, &ret->groups);
	ret->n_ranges = pw_matrix_outside(job->matrix, &ret->ranges);
	ret->names = pw_arena_array(job->app->arena, ret->n_groups + 1, sizeof(*ret->names));
	ret->row = pw_arena_array(job->app->arena, ret->n_groups + ret->n_ranges, sizeof(*ret->row));
	if (!ret->names || !ret->row)
		return PW_NOMEM;
	pw_buf_init(&name, PW_POLICY_PIECE_MAX);
	for (size_t i = 0; i < ret->n_groups; i++) {
		pw_buf_clear(&name);
		pw_buf_escaped(&name, ret->groups[i].name, strlen(ret->groups[i].name));
		ret->names[i] = pw_arena_strdup(job->app->arena, pw_buf_str(&name));
	}
	pw_buf_release(&name);
	return pw_arena_failed(job->app->arena) ? PW_NOMEM : PW_OK;
}

static bool is_reached(struct pw_reach reach)
{
	return reach.allowed != PW_PORTS_NONE || reach.unknown != PW_PORTS_NONE;
}

static void put_senders(const struct sheet *sheet, const struct pw_group *to, const char *name, const char *ns, bool own)
{
	for (size_t i = 0; i < sheet->n_groups; i++) {
		const struct pw_group *from = &sheet->groups[i];
		struct pw_reach reach;

		if ((strcmp(from->pods[0]->meta.ns, ns) == 0) != own || (from->n_pods == to->n_pods && from->pods[0] == to->pods[0]))
			continue;
		reach = pw_matrix_allowed(sheet->job->matrix, from, to);
		if (is_reached(reach))
			sheet->job->writer->pair(sheet->job, sheet->names[i], name, reach);
	}
}

/* From far to near: outside the cluster, anybody inside, other namespaces, its own. What cannot reach it is left out. */
static void put_exposure(const struct sheet *sheet, const struct pw_group *to, const char *name, const struct pw_group *controller)
{
	struct pw_policy_job *job = sheet->job;
	struct pw_reach reach;
	size_t from = 0;

	pw_matrix_from_outside(job->matrix, to, sheet->row);
	for (size_t i = 0; i < sheet->n_ranges; i++) {
		if (i + 1 < sheet->n_ranges && sheet->ranges[i + 1].first.family == sheet->ranges[from].first.family && same(sheet->row[i + 1], sheet->row[from]))
			continue;
		if (is_reached(sheet->row[from]))
			job->writer->pair(job, range_name(job, &sheet->ranges[from], &sheet->ranges[i]), name, sheet->row[from]);
		from = i + 1;
	}
	reach = pw_matrix_allowed(job->matrix, controller, to);
	if (is_reached(reach))
		job->writer->pair(job, controller->name, name, reach);
	reach = pw_matrix_from_anybody(job->matrix, to);
	if (is_reached(reach))
		job->writer->pair(job, "{any pod of any namespace}", name, reach);
	put_senders(sheet, to, name, to->pods[0]->meta.ns, false);
	put_senders(sheet, to, name, to->pods[0]->meta.ns, true);
}

int pw_policy_exposure(struct pw_policy_job *job, const char *to)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_group group, controller;
	struct sheet sheet;
	struct pw_buf name;

	if (lay_out(job, &sheet) != PW_OK)
		return pw_fail(job->app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (pw_matrix_find(job->matrix, PW_INGRESS_CONTROLLER, &controller, &err) != PW_OK || pw_matrix_find(job->matrix, to, &group, &err) != PW_OK)
		return pw_fail_err(job->app, PW_EXIT_USAGE, &err);
	if (!group.n_pods)
		return pw_fail(job->app, PW_EXIT_USAGE, "to=%s is not a pod or workload", to);
	pw_buf_init(&name, PW_POLICY_PIECE_MAX);
	pw_buf_escaped(&name, group.name, strlen(group.name));
	job->writer->begin(job);
	put_exposure(&sheet, &group, pw_buf_str(&name), &controller);
	job->writer->end(job);
	pw_buf_release(&name);
	return PW_EXIT_HEALTHY;
}

int pw_policy_pairs(struct pw_policy_job *job)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_group controller;
	struct sheet sheet;
	int rc = lay_out(job, &sheet);

	if (rc == PW_OK)
		rc = pw_matrix_find(job->matrix, PW_INGRESS_CONTROLLER, &controller, &err);
	if (rc == PW_OK) {
		job->writer->begin(job);
		for (size_t i = 0; i < sheet.n_groups; i++)
			put_outside(&sheet, i, true);
		put_ingress(&sheet, &controller);
		rc = put_groups(&sheet);
		job->writer->end(job);
	}
	if (rc != PW_OK || pw_arena_failed(job->app->arena))
		return pw_fail(job->app, PW_EXIT_ENVIRONMENT, "out of memory while judging all pairs: what was printed is not all");
	return PW_EXIT_HEALTHY;
}
