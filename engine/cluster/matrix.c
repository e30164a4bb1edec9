/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrix prepared: groups of pods, ranges of addresses, and the policies that select each pod. */
#include <cluster/matrix_inside.h>

#include <stdlib.h>
#include <string.h>

/* ---- members and groups ---- */

static int select_policies(struct pw_matrix *matrix, struct pw_member *member, enum pw_policy_direction direction)
{
	size_t n, kept = 0;
	const struct pw_policy *const *policies = pw_facts_policies(matrix->facts, &n);
	const struct pw_policy **v;

	for (size_t i = 0; i < n; i++)
		kept += pw_policy_selects(policies[i], direction, &member->pod);
	v = kept ? pw_arena_array(matrix->arena, kept, sizeof(*v)) : NULL;
	if (kept && !v)
		return PW_NOMEM;
	member->by[direction] = v;
	for (size_t i = 0; i < n; i++)
		if (pw_policy_selects(policies[i], direction, &member->pod))
			v[member->n[direction]++] = policies[i];
	return PW_OK;
}

static int select_cluster_policies(struct pw_matrix *matrix, struct pw_member *member)
{
	size_t n;
	const struct pw_cluster_policy *const *policies = pw_facts_cluster_policies(matrix->facts, &n);

	member->cluster = n ? pw_arena_array(matrix->arena, n, sizeof(*member->cluster)) : NULL;
	if (n && !member->cluster)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (pw_cluster_policy_selects(matrix->facts, policies[i], &member->pod) == PW_YES)
			member->cluster[member->n_cluster++] = policies[i];
	return PW_OK;
}

/* The owner one step up; static pods belong to a node and stand for themselves. */
static const char *group_name(struct pw_arena *arena, const struct pw_pod *pod)
{
	const struct pw_meta *meta = &pod->meta;

	if (!meta->owner_name[0] || strcmp(meta->owner_kind, "Node") == 0)
		return pw_arena_printf(arena, "%s/%s[Pod]", meta->ns, meta->name);
	return pw_arena_printf(arena, "%s/%s[%s]", meta->ns, meta->owner_name, meta->owner_kind[0] ? meta->owner_kind : "Pod");
}

struct named { const char *name; const struct pw_pod *pod; };

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int d = strcmp(x->name, y->name);

	return d ? d : strcmp(x->pod->meta.name, y->pod->meta.name);
}

static int make_groups(struct pw_matrix *matrix)
{
	struct named *named = pw_arena_array(matrix->arena, matrix->n_members + 1, sizeof(*named));
	const struct pw_pod **pods = pw_arena_array(matrix->arena, matrix->n_members + 1, sizeof(*pods));

	matrix->groups = pw_arena_array(matrix->arena, matrix->n_members + 1, sizeof(*matrix->groups));
	if (!named || !pods || !matrix->groups)
		return PW_NOMEM;
	for (size_t i = 0; i < matrix->n_members; i++) {
		named[i] = (struct named){ group_name(matrix->arena, &matrix->members[i].pod), &matrix->members[i].pod };
		if (!named[i].name)
			return PW_NOMEM;
	}
	qsort(named, matrix->n_members, sizeof(*named), compare_named);
	for (size_t i = 0; i < matrix->n_members; i++) {
		struct pw_group *last = matrix->n_groups ? &matrix->groups[matrix->n_groups - 1] : NULL;

		pods[i] = named[i].pod;
		if (last && strcmp(last->name, named[i].name) == 0)
			last->n_pods++;
		else
			matrix->groups[matrix->n_groups++] = (struct pw_group){ .name = named[i].name, .pods = &pods[i], .n_pods = 1 };
	}
	return PW_OK;
}

static int make_members(struct pw_matrix *matrix)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(matrix->facts, &n);

	matrix->members = pw_arena_array(matrix->arena, n + 1, sizeof(*matrix->members));
	if (!matrix->members)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct pw_member *member = &matrix->members[matrix->n_members++];

		member->pod = *pods[i];
		member->pod.host_network = false;
		if (select_policies(matrix, member, PW_INGRESS) != PW_OK || select_policies(matrix, member, PW_EGRESS) != PW_OK ||
		    select_cluster_policies(matrix, member) != PW_OK)
			return PW_NOMEM;
	}
	return make_groups(matrix);
}

/* ---- the outside ---- */

static void cut_at(struct pw_matrix *matrix, const char *text)
{
	struct pw_cidr cidr;
	struct pw_address first, last, after;

	if (!pw_cidr_parse(text, &cidr))
		return;
	pw_cidr_ends(&cidr, &first, &last);
	matrix->cuts[matrix->n_cuts++] = first;
	if (pw_address_next(&last, &after))
		matrix->cuts[matrix->n_cuts++] = after;
}

/* The texts of all blocks are gone through twice, to count and to cut, by one walk: the two cannot differ. */
typedef void (*block_fn)(struct pw_matrix *matrix, const char *text);

static void each_block(struct pw_matrix *matrix, const struct pw_policy_rule *rules, size_t n, block_fn fn)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rules[i].n_peers; j++) {
			const struct pw_policy_peer *peer = &rules[i].peers[j];

			if (!peer->cidr[0])
				continue;
			fn(matrix, peer->cidr);
			for (size_t k = 0; k < peer->except.n; k++)
				fn(matrix, peer->except.v[k]);
		}
}

static void each_network(struct pw_matrix *matrix, const struct pw_cluster_rule *rules, size_t n, block_fn fn)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rules[i].n_peers; j++)
			for (size_t k = 0; k < rules[i].peers[j].networks.n; k++)
				fn(matrix, rules[i].peers[j].networks.v[k]);
}

static void each_text(struct pw_matrix *matrix, block_fn fn)
{
	size_t n;
	const struct pw_policy *const *policies = pw_facts_policies(matrix->facts, &n);
	const struct pw_cluster_policy *const *clusters;

	for (size_t i = 0; i < n; i++) {
		each_block(matrix, policies[i]->ingress, policies[i]->n_ingress, fn);
		each_block(matrix, policies[i]->egress, policies[i]->n_egress, fn);
	}
	clusters = pw_facts_cluster_policies(matrix->facts, &n);
	for (size_t i = 0; i < n; i++) {
		each_network(matrix, clusters[i]->ingress, clusters[i]->n_ingress, fn);
		each_network(matrix, clusters[i]->egress, clusters[i]->n_egress, fn);
	}
}

static void count_cut(struct pw_matrix *matrix, const char *text)
{
	(void)text;
	matrix->n_cuts += 2; /* its first address, and the one after its last */
}

static int compare_cuts(const void *a, const void *b)
{
	return pw_address_compare(a, b);
}

static int make_cuts(struct pw_matrix *matrix)
{
	size_t kept = 0;

	each_text(matrix, count_cut);
	matrix->cuts = pw_arena_array(matrix->arena, matrix->n_cuts + 1, sizeof(*matrix->cuts));
	if (!matrix->cuts)
		return PW_NOMEM;
	matrix->n_cuts = 0;
	each_text(matrix, cut_at);
	qsort(matrix->cuts, matrix->n_cuts, sizeof(*matrix->cuts), compare_cuts);
	for (size_t i = 0; i < matrix->n_cuts; i++)
		if (kept == 0 || pw_address_compare(&matrix->cuts[kept - 1], &matrix->cuts[i]) != 0)
			matrix->cuts[kept++] = matrix->cuts[i];
	matrix->n_cuts = kept;
	return PW_OK;
}

static int add_outside(struct pw_matrix *matrix, const struct pw_address *first, const struct pw_address *last)
{
	char a[46], b[46];
	const char *name;

	pw_address_print(first, a);
	pw_address_print(last, b);
	name = pw_arena_printf(matrix->arena, "%s-%s", a, b);
	if (!name)
		return PW_NOMEM;
	matrix->outside[matrix->n_outside++] = (struct pw_group){ .name = name, .first = *first, .last = *last };
	return PW_OK;
}

/* All addresses of a family, cut. */
static int cut_family(struct pw_matrix *matrix, const char *all)
{
	struct pw_cidr cidr;
	struct pw_address from, end, last;

	if (!pw_cidr_parse(all, &cidr))
		return PW_INTERNAL;
	pw_cidr_ends(&cidr, &from, &end);
	for (size_t i = 0; i < matrix->n_cuts; i++) {
		if (matrix->cuts[i].family != from.family || pw_address_compare(&matrix->cuts[i], &from) <= 0)
			continue;
		if (!pw_address_previous(&matrix->cuts[i], &last) || add_outside(matrix, &from, &last) != PW_OK)
			return PW_NOMEM;
		from = matrix->cuts[i];
	}
	return add_outside(matrix, &from, &end);
}

static int make_outside(struct pw_matrix *matrix)
{
	bool v6 = matrix->n_cuts && matrix->cuts[matrix->n_cuts - 1].family == 6;

	matrix->outside = pw_arena_array(matrix->arena, matrix->n_cuts + 2, sizeof(*matrix->outside));
	if (!matrix->outside || cut_family(matrix, "0.0.0.0/0") != PW_OK)
		return PW_NOMEM;
	return v6 ? cut_family(matrix, "::/0") : PW_OK;
}

const struct pw_group pw_ingress_group = { .name = "{ingress-controller}", .ingress = true };

struct pw_matrix *pw_matrix_new(const struct pw_facts *facts, struct pw_arena *arena)
{
	struct pw_matrix *matrix = pw_arena_alloc(arena, sizeof(*matrix));

	if (!matrix)
		return NULL;
	matrix->facts = facts;
	matrix->arena = arena;
	if (make_members(matrix) != PW_OK || make_cuts(matrix) != PW_OK || make_outside(matrix) != PW_OK)
		return NULL;
	return matrix;
}

size_t pw_matrix_groups(const struct pw_matrix *matrix, const struct pw_group **ret)
{
	*ret = matrix->groups;
	return matrix->n_groups;
}

size_t pw_matrix_outside(const struct pw_matrix *matrix, const struct pw_group **ret)
{
	*ret = matrix->outside;
	return matrix->n_outside;
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

static const struct pw_group *find_group(const struct pw_matrix *matrix, const char *name)
{
	size_t low = 0, high = matrix->n_groups;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(matrix->groups[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < matrix->n_groups && strcmp(matrix->groups[low].name, name) == 0 ? &matrix->groups[low] : NULL;
}

/* Members stand in the order of the facts' pods: by namespace, then name. */
static const struct pw_pod *find_pod(const struct pw_matrix *matrix, const char *ns, const char *name)
{
	size_t low = 0, high = matrix->n_members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pw_meta *meta = &matrix->members[middle].pod.meta;
		int d = strcmp(meta->ns, ns);

		if (d == 0)
			d = strcmp(meta->name, name);
		if (d < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == matrix->n_members || strcmp(matrix->members[low].pod.meta.ns, ns) != 0 ||
	    strcmp(matrix->members[low].pod.meta.name, name) != 0)
		return NULL;
	return &matrix->members[low].pod;
}

int pw_matrix_find(struct pw_matrix *matrix, const char *text, struct pw_group *ret, struct pw_err *err)
{
	const struct pw_group *group = find_group(matrix, text);
	const char *slash = strchr(text, '/'), *ns;
	const struct pw_pod **pod;

	if (group) {
		*ret = *group;
		return PW_OK;
	}
	if (strcmp(text, pw_ingress_group.name) == 0) {
		*ret = pw_ingress_group;
		return PW_OK;
	}
	if (parse_outside(matrix, text, ret))
		return PW_OK;
	if (pw_arena_failed(matrix->arena))
		return pw_err_set(err, PW_NOMEM, "out of memory while looking for %s", text);
	if (!slash)
		return pw_err_set(err, PW_ABSENT, "\"%s\" is neither NAMESPACE/POD, NAMESPACE/NAME[KIND], nor an address", text);
	ns = pw_arena_strndup(matrix->arena, text, (size_t)(slash - text));
	pod = pw_arena_array(matrix->arena, 1, sizeof(*pod));
	if (!ns || !pod)
		return pw_err_set(err, PW_NOMEM, "out of memory while looking for %s", text);
	*pod = find_pod(matrix, ns, slash + 1);
	if (!*pod)
		return pw_err_set(err, PW_ABSENT, "there is no pod or workload %s", text);
	*ret = (struct pw_group){ .name = text, .pods = pod, .n_pods = 1 };
	return PW_OK;
}
