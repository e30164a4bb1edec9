/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two sets of manifests: what one allows and the other does not. */
#include "policy.h"

#include <stdio.h>
#include <string.h>

#include <packetwalk/arena.h>

#include <cluster/cluster.h>

#define ARENA_MAX ((size_t)4 << 30)

/* One of the two; a group or range that it does not have allows nothing. */
struct version {
	struct pw_cluster *cluster;
	struct pw_matrix *matrix;
	const struct pw_group *groups, *ranges; size_t n_groups, n_ranges;
	struct pw_reach *row;
};

struct diff { struct pw_policy_job *job; struct version old, new; struct pw_arena *arena; bool tsv, any; };

static const struct pw_reach nothing = { PW_PORTS_NONE, PW_PORTS_NONE };

static int open_version(struct diff *diff, const char *dir, struct version *ret, struct pw_err *err)
{
	struct pw_cluster_config config = { .source = pw_arena_printf(diff->arena, "manifests:%s", dir) };
	int rc;

	if (!config.source)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	if ((rc = pw_cluster_open(&config, &ret->cluster, err)) != PW_OK || (rc = pw_cluster_need(ret->cluster, PW_ALL_FACTS, NULL, err)) != PW_OK)
		return rc;
	pw_app_notes(diff->job->app, ret->cluster);
	ret->matrix = pw_matrix_new(pw_cluster_facts(ret->cluster), diff->arena, diff->job->ports);
	if (!ret->matrix)
		return pw_err_set(err, PW_NOMEM, "out of memory while preparing the matrix of %s", dir);
	ret->n_groups = pw_matrix_groups(ret->matrix, &ret->groups);
	ret->n_ranges = pw_matrix_outside(ret->matrix, &ret->ranges);
	ret->row = pw_arena_array(diff->arena, ret->n_groups + ret->n_ranges, sizeof(*ret->row));
	return ret->row ? PW_OK : pw_err_set(err, PW_NOMEM, "out of memory");
}

/* ---- lines ---- */

static void put_change(struct diff *diff, const char *change, const char *from, const char *to, uint32_t set)
{
	struct pw_buf *out = &diff->job->out;
	const char *between = "";

	if (set == PW_PORTS_NONE)
		return;
	diff->any = true;
	pw_buf_printf(out, diff->tsv ? "%s\t" : "%s: ", change);
	pw_buf_escaped(out, from, strlen(from));
	pw_buf_puts(out, diff->tsv ? "\t" : " -> ");
	pw_buf_escaped(out, to, strlen(to));
	pw_buf_puts(out, diff->tsv ? "\t" : ": ");
	for (int i = 0; set != PW_PORTS_ALL && i < PW_PROTOCOLS; i++) {
		if (pw_ports_empty(diff->job->ports, set, i))
			continue;
		pw_buf_printf(out, "%s%s ", between, pw_protocol_words[i]);
		pw_ports_print(diff->job->ports, set, i, out);
		between = ", ";
	}
	pw_buf_puts(out, set == PW_PORTS_ALL ? "all\n" : "\n");
	pw_policy_flush_full(diff->job);
}

static void compare(struct diff *diff, const char *from, const char *to, struct pw_reach old, struct pw_reach new)
{
	struct pw_ports_pool *ports = diff->job->ports;

	put_change(diff, "added", from, to, pw_ports_minus(ports, new.allowed, old.allowed));
	put_change(diff, "removed", from, to, pw_ports_minus(ports, old.allowed, pw_ports_or(ports, new.allowed, new.unknown)));
	put_change(diff, "unknown", from, to, pw_ports_minus(ports, new.unknown, old.unknown));
}

/* ---- along both versions ---- */

static bool same(struct pw_reach a, struct pw_reach b)
{
	return a.allowed == b.allowed && a.unknown == b.unknown;
}

/* A run of addresses that fare alike in both. */
struct run { struct pw_address first, last; struct pw_reach old, new; bool open; };

static void put_run(struct diff *diff, const struct run *run, const char *group, bool inwards)
{
	char a[46], b[46], name[96];

	if (!run->open)
		return;
	pw_address_print(&run->first, a);
	pw_address_print(&run->last, b);
	(void)snprintf(name, sizeof(name), "%s-%s", a, b);
	compare(diff, inwards ? name : group, inwards ? group : name, run->old, run->new);
}

static void outside_row(struct version *version, const struct pw_group *group, bool inwards)
{
	for (size_t i = 0; !group && i < version->n_ranges; i++)
		version->row[i] = nothing;
	if (group && inwards)
		pw_matrix_from_outside(version->matrix, group, version->row);
	else if (group)
		pw_matrix_to_outside(version->matrix, group, version->row);
}

/* The ranges of the two are cut at other places: goes along both at once. IPv6 that only one tells apart is left out. */
static void compare_outside(struct diff *diff, const char *name, const struct pw_group *old, const struct pw_group *new, bool inwards)
{
	struct run run = { .open = false };
	size_t i = 0, j = 0;

	outside_row(&diff->old, old, inwards);
	outside_row(&diff->new, new, inwards);
	while (i < diff->old.n_ranges && j < diff->new.n_ranges) {
		const struct pw_group *a = &diff->old.ranges[i], *b = &diff->new.ranges[j];
		const struct pw_address *first = pw_address_compare(&a->first, &b->first) > 0 ? &a->first : &b->first;
		int order = pw_address_compare(&a->last, &b->last);
		const struct pw_address *last = order < 0 ? &a->last : &b->last;

		if (!run.open || run.first.family != first->family || !same(run.old, diff->old.row[i]) || !same(run.new, diff->new.row[j])) {
			put_run(diff, &run, name, inwards);
			run = (struct run){ *first, *last, diff->old.row[i], diff->new.row[j], true };
		}
		run.last = *last;
		i += order <= 0;
		j += order >= 0;
	}
	put_run(diff, &run, name, inwards);
}

static int row_of(struct version *version, const struct pw_group *from)
{
	for (size_t i = 0; !from && i < version->n_groups; i++)
		version->row[i] = nothing;
	return from ? pw_matrix_to_groups(version->matrix, from, version->row) : PW_OK;
}

/* The groups of both stand by name. Returns the next name, NULL at the end, and the group of it that each has, or NULL. */
static const char *next_groups(const struct diff *diff, size_t *i, size_t *j, const struct pw_group **ret_old, const struct pw_group **ret_new)
{
	const struct pw_group *a = *i < diff->old.n_groups ? &diff->old.groups[*i] : NULL, *b = *j < diff->new.n_groups ? &diff->new.groups[*j] : NULL;
	int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

	*ret_old = order <= 0 ? a : NULL;
	*ret_new = order >= 0 ? b : NULL;
	*i += order <= 0;
	*j += order >= 0;
	return order <= 0 && a ? a->name : b ? b->name : NULL;
}

static int compare_from(struct diff *diff, const char *from, const struct pw_group *old_from, const struct pw_group *new_from)
{
	const char *to;
	const struct pw_group *old, *new;
	size_t i = 0, j = 0;

	if (row_of(&diff->old, old_from) != PW_OK || row_of(&diff->new, new_from) != PW_OK)
		return PW_NOMEM;
	while ((to = next_groups(diff, &i, &j, &old, &new)) != NULL)
		if (strcmp(from, to) != 0)
			compare(diff, from, to, old ? diff->old.row[i - 1] : nothing, new ? diff->new.row[j - 1] : nothing);
	return PW_OK;
}

static int compare_all(struct diff *diff)
{
	const char *name;
	const struct pw_group *old, *new;
	size_t i = 0, j = 0;

	while ((name = next_groups(diff, &i, &j, &old, &new)) != NULL) {
		compare_outside(diff, name, old, new, true);
		if (compare_from(diff, name, old, new) != PW_OK)
			return PW_NOMEM;
		compare_outside(diff, name, old, new, false);
	}
	return pw_arena_failed(diff->arena) ? PW_NOMEM : PW_OK;
}

static void close_version(struct version *version)
{
	pw_matrix_release(version->matrix);
	pw_cluster_close(version->cluster);
}

static int run_diff(struct diff *diff, const char *old, const char *new)
{
	struct pw_err err = PW_ERR_INIT;

	diff->job->ports = pw_ports_pool_new(diff->arena);
	if (!diff->job->ports)
		return pw_fail(diff->job->app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (open_version(diff, old, &diff->old, &err) != PW_OK || open_version(diff, new, &diff->new, &err) != PW_OK)
		return pw_fail_err(diff->job->app, err.code == PW_SYNTAX || err.code == PW_ABSENT ? PW_EXIT_USAGE : 0, &err);
	if (diff->tsv)
		pw_buf_puts(&diff->job->out, "change\tsrc\tdst\tports\n");
	if (compare_all(diff) != PW_OK)
		return pw_fail(diff->job->app, PW_EXIT_ENVIRONMENT, "out of memory while comparing: what was printed is not all");
	if (!diff->any && !diff->tsv)
		pw_buf_puts(&diff->job->out, "both allow the same\n");
	pw_policy_flush(diff->job);
	return diff->any ? PW_EXIT_FAULT : PW_EXIT_HEALTHY;
}

int pw_policy_diff(struct pw_policy_job *job, const char *old, const char *new)
{
	struct diff diff = { .job = job, .arena = pw_arena_new(ARENA_MAX), .tsv = job->writer == &pw_policy_tsv };
	int code;

	if (!diff.arena)
		return pw_fail(job->app, PW_EXIT_ENVIRONMENT, "out of memory");
	code = run_diff(&diff, old, new);
	close_version(&diff.old);
	close_version(&diff.new);
	pw_arena_free(diff.arena);
	return code;
}
