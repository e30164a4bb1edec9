/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrix: its groups, and what is found by name. */
#include <cluster/matrix_inside.h>

#include <stdlib.h>
#include <string.h>

/* The owner one step up; static pods belong to a node and stand for themselves. */
static const char *group_name(struct pw_arena *arena, const struct pw_pod *pod)
{
	const struct pw_meta *meta = &pod->meta;

	if (!meta->owner_name[0] || strcmp(meta->owner_kind, "Node") == 0)
		return pw_arena_printf(arena, "%s/%s[Pod]", meta->ns, meta->name);
	return pw_arena_printf(arena, "%s/%s[%s]", meta->ns, meta->owner_name, meta->owner_kind[0] ? meta->owner_kind : "Pod");
}

struct named { const char *name; const struct pw_pod *pod; uint32_t class; };

/* The pods of a group by class, so that those of one stand together. */
static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int d = strcmp(x->name, y->name);

	if (d == 0 && x->class != y->class)
		d = x->class < y->class ? -1 : 1;
	return d ? d : strcmp(x->pod->meta.name, y->pod->meta.name);
}

/* Its pods are v[0..n): the points come before those that stand for several pods again. */
static void fill_group(const struct named *v, size_t n, const struct pw_pod **pods, uint32_t *points, struct pw_group *ret)
{
	*ret = (struct pw_group){ .name = v[0].name, .pods = pods, .n_pods = n, .points = points };
	for (size_t i = 0; i < n; i++) {
		pods[i] = v[i].pod;
		if (i == 0 || v[i].class != v[i - 1].class)
			points[ret->n_points++] = v[i].class;
	}
	for (size_t i = 1; i < n; i++)
		if (v[i].class == v[i - 1].class && (i == 1 || v[i].class != v[i - 2].class))
			points[ret->n_points + ret->n_again++] = v[i].class;
}

static int name_pods(struct pw_matrix *matrix, struct named **ret)
{
	size_t n;
	const struct pw_pod *const *all = pw_facts_pods(matrix->facts, &n);
	struct named *named = pw_arena_array(matrix->arena, n + 1, sizeof(*named));

	for (size_t i = 0; named && i < n; i++) {
		named[i] = (struct named){ group_name(matrix->arena, all[i]), all[i], matrix->class_of[i] };
		if (!named[i].name)
			return PW_NOMEM;
	}
	if (!named)
		return PW_NOMEM;
	qsort(named, n, sizeof(*named), compare_named);
	*ret = named;
	return PW_OK;
}

static int make_groups(struct pw_matrix *matrix)
{
	size_t n, end;
	const struct pw_pod **pods;
	uint32_t *points;
	struct named *named;

	(void)pw_facts_pods(matrix->facts, &n);
	pods = pw_arena_array(matrix->arena, n + 1, sizeof(*pods));
	points = pw_arena_array(matrix->arena, n + 1, sizeof(*points));
	matrix->groups = pw_arena_array(matrix->arena, n + 1, sizeof(*matrix->groups));
	if (!pods || !points || !matrix->groups || name_pods(matrix, &named) != PW_OK)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && strcmp(named[end].name, named[i].name) == 0;)
			end++;
		fill_group(named + i, end - i, pods + i, points + i, &matrix->groups[matrix->n_groups++]);
	}
	return PW_OK;
}

/* The points of ranges are numbers one after another. */
static int set_points(struct pw_matrix *matrix, size_t from, size_t to, struct pw_group *group)
{
	uint32_t *points = pw_arena_array(matrix->arena, to - from, sizeof(*points));

	if (!points)
		return PW_NOMEM;
	for (size_t i = from; i < to; i++)
		points[i - from] = pw_point_outside(matrix, i);
	group->points = points;
	group->n_points = to - from;
	return PW_OK;
}

static int number_outside(struct pw_matrix *matrix)
{
	for (size_t i = 0; i < matrix->n_outside; i++)
		if (set_points(matrix, i, i + 1, &matrix->outside[i]) != PW_OK)
			return PW_NOMEM;
	return PW_OK;
}

#define MAX_ROWS_ARENA ((size_t)1 << 30)

struct pw_matrix *pw_matrix_new(const struct pw_facts *facts, struct pw_arena *arena, struct pw_ports_pool *pool)
{
	struct pw_matrix *matrix = pw_arena_alloc(arena, sizeof(*matrix));

	if (!matrix || !(matrix->ports = pool ? pool : pw_ports_pool_new(arena)))
		return NULL;
	matrix->facts = facts;
	matrix->arena = arena;
	if (pw_matrix_make_outside(matrix) != PW_OK || pw_matrix_make_classes(matrix) != PW_OK || pw_matrix_make_policies(matrix) != PW_OK ||
	    pw_matrix_make_programs(matrix) != PW_OK || make_groups(matrix) != PW_OK || number_outside(matrix) != PW_OK)
		return NULL;
	matrix->rows = pw_arena_new(MAX_ROWS_ARENA);
	return matrix->rows ? matrix : NULL;
}

void pw_matrix_release(struct pw_matrix *matrix)
{
	if (matrix)
		pw_arena_free(matrix->rows);
}

struct pw_ports_pool *pw_matrix_ports(const struct pw_matrix *matrix)
{
	return matrix->ports;
}

size_t pw_matrix_groups(const struct pw_matrix *matrix, const struct pw_group **ret)
{
	*ret = matrix->groups;
	return matrix->n_groups;
}

size_t pw_matrix_outside(const struct pw_matrix *matrix, const struct pw_group **ret)
{
	*ret = matrix->outside;
	return matrix->n_shown;
}

/* ---- by name ---- */

static bool parse_outside(struct pw_matrix *matrix, const char *text, struct pw_group *ret)
{
	struct pw_cidr cidr;
	struct pw_group group = { .name = text };
	const char *dash = strchr(text, '-'), *first;

	if (pw_cidr_parse(text, &cidr)) {
		pw_cidr_ends(&cidr, &group.first, &group.last);
	} else if (pw_address_parse(text, &group.first)) {
		group.last = group.first;
	} else {
		first = dash ? pw_arena_strndup(matrix->arena, text, (size_t)(dash - text)) : NULL;
		if (!first || !pw_address_parse(first, &group.first) || !pw_address_parse(dash + 1, &group.last) ||
		    group.first.family != group.last.family || pw_address_compare(&group.first, &group.last) > 0)
			return false;
	}
	*ret = group;
	return true;
}

static int by_name(const void *name, const void *group)
{
	return strcmp(name, ((const struct pw_group *)group)->name);
}

static const struct pw_group *find_group(const struct pw_matrix *matrix, const char *name)
{
	return matrix->n_groups ? bsearch(name, matrix->groups, matrix->n_groups, sizeof *matrix->groups, by_name) : NULL;
}

struct pod_key { const char *ns, *name; };

static int by_place(const void *key, const void *pod)
{
	const struct pod_key *k = key;
	const struct pw_meta *meta = &(*(const struct pw_pod *const *)pod)->meta;
	int d = strcmp(k->ns, meta->ns);

	return d ? d : strcmp(k->name, meta->name);
}

/* The facts' pods stand by namespace, then name. Their number, or SIZE_MAX. */
static size_t find_pod(const struct pw_matrix *matrix, const char *ns, const char *name)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(matrix->facts, &n), *const *at;
	const struct pod_key key = { ns, name };

	at = n ? bsearch(&key, pods, n, sizeof(*pods), by_place) : NULL;
	return at ? (size_t)(at - pods) : SIZE_MAX;
}

static int find_one(struct pw_matrix *matrix, const char *text, struct pw_group *ret, struct pw_err *err)
{
	const char *slash = strchr(text, '/'), *ns;
	const struct pw_pod *const *pods;
	size_t at, n;

	if (!slash)
		return pw_err_set(err, PW_ABSENT, "\"%s\" is neither NAMESPACE/POD, NAMESPACE/NAME[KIND], nor an address", text);
	ns = pw_arena_strndup(matrix->arena, text, (size_t)(slash - text));
	if (!ns)
		return pw_err_set(err, PW_NOMEM, "out of memory while looking for %s", text);
	at = find_pod(matrix, ns, slash + 1);
	if (at == SIZE_MAX)
		return pw_err_set(err, PW_ABSENT, "there is no pod or workload %s", text);
	pods = pw_facts_pods(matrix->facts, &n);
	*ret = (struct pw_group){ .name = text, .pods = &pods[at], .n_pods = 1, .points = &matrix->class_of[at], .n_points = 1 };
	return PW_OK;
}

static int find_ingress(struct pw_matrix *matrix, struct pw_group *ret)
{
	uint32_t *point = pw_arena_alloc(matrix->arena, sizeof(*point));

	if (!point)
		return PW_NOMEM;
	*point = pw_point_ingress(matrix);
	*ret = (struct pw_group){ .name = PW_INGRESS_CONTROLLER, .points = point, .n_points = 1 };
	return PW_OK;
}

int pw_matrix_find(struct pw_matrix *matrix, const char *text, struct pw_group *ret, struct pw_err *err)
{
	const struct pw_group *group = find_group(matrix, text);
	size_t from, to;
	int rc = PW_OK;

	if (group) {
		*ret = *group;
		return PW_OK;
	}
	if (strcmp(text, PW_INGRESS_CONTROLLER) == 0) {
		rc = find_ingress(matrix, ret);
	} else if (parse_outside(matrix, text, ret)) {
		pw_matrix_ranges(matrix, &ret->first, &ret->last, &from, &to);
		rc = set_points(matrix, from, to, ret);
	} else if (!pw_arena_failed(matrix->arena)) {
		return find_one(matrix, text, ret, err);
	}
	return rc == PW_OK && !pw_arena_failed(matrix->arena) ? PW_OK : pw_err_set(err, PW_NOMEM, "out of memory while looking for %s", text);
}
