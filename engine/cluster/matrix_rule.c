/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policies as sets of points: whom each selects, whom each rule matches, and which policies each class has. */
#include <cluster/matrix_inside.h>

#include <stdlib.h>
#include <string.h>

#include <base/intern.h>

/* Points that match for sure, and points that may. */
struct marks { struct pw_matrix *matrix; uint64_t *sure, *maybe; bool any_maybe; };

static int begin(struct pw_matrix *matrix, struct marks *ret)
{
	*ret = (struct marks){ .matrix = matrix };
	ret->sure = pw_arena_array(matrix->arena, matrix->n_words, sizeof(*ret->sure));
	return ret->sure ? PW_OK : PW_NOMEM;
}

/* Few have points that may match: the second set is made when it is needed. */
static void mark(struct marks *marks, uint32_t point, enum pw_truth truth)
{
	if (truth == PW_YES)
		pw_bit_set(marks->sure, point);
	if (truth != PW_MAYBE)
		return;
	if (!marks->maybe)
		marks->maybe = pw_arena_array(marks->matrix->arena, marks->matrix->n_words, sizeof(*marks->maybe));
	if (marks->maybe)
		pw_bit_set(marks->maybe, point);
}

static void mark_run(struct marks *marks, const struct pw_run *run, const struct pw_selector *pods, enum pw_truth truth)
{
	if (truth == PW_NO)
		return;
	for (uint32_t i = run->first; i < run->first + run->n; i++)
		if (!pods->present || pw_selector_match(pods, &marks->matrix->classes[i].pod->meta.labels))
			mark(marks, i, truth);
}

/* Pods of the namespaces; those that `pods` selects, if it is given. */
static void mark_namespaces(struct marks *marks, const struct pw_selector *namespaces, const struct pw_selector *pods)
{
	const struct pw_matrix *matrix = marks->matrix;

	for (size_t i = 0; i < matrix->n_runs; i++)
		mark_run(marks, &matrix->runs[i], pods, pw_policy_namespace(matrix->facts, namespaces, matrix->runs[i].ns));
	/* Of some pod of some namespace only a selector of all of them can be sure. */
	if (namespaces->present && namespaces->n == 0 && !namespaces->expr && pods->n == 0 && !pods->expr)
		mark(marks, pw_point_ingress(matrix), PW_YES);
}

static int by_namespace(const void *ns, const void *run)
{
	return strcmp(ns, ((const struct pw_run *)run)->ns);
}

static const struct pw_run *find_run(const struct pw_matrix *matrix, const char *ns)
{
	return matrix->n_runs ? bsearch(ns, matrix->runs, matrix->n_runs, sizeof *matrix->runs, by_namespace) : NULL;
}

static void mark_own(struct marks *marks, const char *ns, const struct pw_selector *pods)
{
	const struct pw_run *run = find_run(marks->matrix, ns);

	if (run)
		mark_run(marks, run, pods, PW_YES);
}

/* A set of ranges, as a run with holes, marks them and the classes that have an address there. */
struct block { size_t from, to; const bool *holes; };

static bool block_of(const struct pw_matrix *matrix, const char *text, struct block *ret)
{
	struct pw_cidr cidr;
	struct pw_address first, last;

	*ret = (struct block){ 0, 0, NULL };
	if (!pw_cidr_parse(text, &cidr))
		return false;
	pw_cidr_ends(&cidr, &first, &last);
	pw_matrix_ranges(matrix, &first, &last, &ret->from, &ret->to);
	return true;
}

static bool in_block(const struct block *block, size_t range)
{
	return range >= block->from && range < block->to && !(block->holes && block->holes[range - block->from]);
}

static void mark_block(struct marks *marks, const struct block *block, bool pods)
{
	const struct pw_matrix *matrix = marks->matrix;

	for (size_t i = block->from; i < block->to; i++)
		if (in_block(block, i))
			mark(marks, pw_point_outside(matrix, i), PW_YES);
	for (uint32_t i = 0; pods && i < matrix->n_classes; i++)
		for (size_t j = 0; j < matrix->classes[i].n_ranges; j++)
			if (in_block(block, matrix->classes[i].ranges[j]))
				mark(marks, i, PW_YES);
}

static int mark_cidr(struct marks *marks, const char *cidr, const struct pw_strings *except, bool pods)
{
	struct block block, hole;
	bool *holes;

	if (!block_of(marks->matrix, cidr, &block))
		return PW_OK;
	if (except->n) {
		holes = pw_arena_array(marks->matrix->arena, block.to - block.from, sizeof(*holes));
		if (!holes)
			return PW_NOMEM;
		for (size_t i = 0; i < except->n; i++)
			if (block_of(marks->matrix, except->v[i], &hole))
				for (size_t j = hole.from; j < hole.to; j++)
					if (j >= block.from && j < block.to)
						holes[j - block.from] = true;
		block.holes = holes;
	}
	mark_block(marks, &block, pods);
	return PW_OK;
}

static void mark_all(struct marks *marks)
{
	for (uint32_t i = 0; i < marks->matrix->n_points; i++)
		mark(marks, i, PW_YES);
}

/* ---- NetworkPolicy ---- */

static int mark_peer(struct marks *marks, const char *ns, const struct pw_policy_peer *peer)
{
	if (peer->cidr[0])
		return mark_cidr(marks, peer->cidr, &peer->except, true);
	if (peer->namespaces.present)
		mark_namespaces(marks, &peer->namespaces, &peer->pods);
	else if (peer->pods.present)
		mark_own(marks, ns, &peer->pods);
	return PW_OK;
}

static void keep_marks(const struct marks *marks, struct pw_mrule *rule)
{
	rule->sure = marks->sure;
	rule->maybe = marks->maybe;
}

static uint32_t ports_of(struct pw_matrix *matrix, const struct pw_policy_rule *rule, bool *ret_named)
{
	struct pw_ports_sum sum = { .n = 0 };

	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct pw_policy_port *port = &rule->ports[i];
		int protocol = pw_protocol_index(port->protocol);

		*ret_named = *ret_named || port->name[0];
		if (protocol < 0 || port->name[0])
			continue;
		if (port->any_port)
			pw_ports_add(matrix->ports, &sum, pw_ports_range(matrix->ports, protocol, 1, UINT16_MAX));
		else
			pw_ports_add(matrix->ports, &sum, pw_ports_range(matrix->ports, protocol, port->port, port->end_port ? port->end_port : port->port));
	}
	return rule->n_ports ? pw_ports_total(matrix->ports, &sum) : (uint32_t)PW_PORTS_ALL;
}

static int make_rules(struct pw_matrix *matrix, const struct pw_policy *policy, enum pw_policy_direction direction, struct pw_mpolicy *ret)
{
	const struct pw_policy_rule *rules;
	size_t n = pw_policy_rules(policy, direction, &rules);
	struct pw_mrule *v = pw_arena_array(matrix->arena, n + 1, sizeof(*v));

	if (!v)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct marks marks;

		if (begin(matrix, &marks) != PW_OK)
			return PW_NOMEM;
		if (rules[i].n_peers == 0)
			mark_all(&marks);
		for (size_t j = 0; j < rules[i].n_peers; j++)
			if (mark_peer(&marks, policy->meta.ns, &rules[i].peers[j]) != PW_OK)
				return PW_NOMEM;
		v[i] = (struct pw_mrule){ .action = PW_ACTION_ALLOW, .rule = &rules[i] };
		v[i].ports = ports_of(matrix, &rules[i], &v[i].named);
		keep_marks(&marks, &v[i]);
	}
	ret->rules[direction] = v;
	ret->n_rules[direction] = n;
	return PW_OK;
}

static int make_policy(struct pw_matrix *matrix, const struct pw_policy *policy)
{
	struct pw_mpolicy *ret = &matrix->policies[matrix->n_policies++];
	struct marks marks;

	*ret = (struct pw_mpolicy){ .stage = PW_STAGE_NETWORK, .isolates = { policy->ingress_applies, policy->egress_applies } };
	if (begin(matrix, &marks) != PW_OK)
		return PW_NOMEM;
	mark_own(&marks, policy->meta.ns, &policy->pods);
	ret->subjects = marks.sure;
	if (policy->ingress_applies && make_rules(matrix, policy, PW_INGRESS, ret) != PW_OK)
		return PW_NOMEM;
	return policy->egress_applies ? make_rules(matrix, policy, PW_EGRESS, ret) : PW_OK;
}

/* ---- policies over namespaces ---- */

/* The ranges that are addresses of nodes; of those the selector matches, if one is given. */
static void find_hosts(const struct pw_matrix *matrix, const struct pw_selector *selector, bool *ret)
{
	size_t n, from, to;
	const struct pw_node *const *all = pw_facts_nodes(matrix->facts, &n);
	struct pw_address address;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; (!selector || pw_selector_match(selector, &all[i]->meta.labels)) && j < all[i]->addresses.n; j++)
			if (pw_address_parse(all[i]->addresses.v[j], &address)) {
				pw_matrix_ranges(matrix, &address, &address, &from, &to);
				ret[from] = true;
			}
}

static int mark_nodes(struct marks *marks, const struct pw_selector *nodes)
{
	bool *hosts = pw_arena_array(marks->matrix->arena, marks->matrix->n_outside, sizeof(*hosts));

	if (!hosts)
		return PW_NOMEM;
	find_hosts(marks->matrix, nodes, hosts);
	for (size_t i = 0; i < marks->matrix->n_outside; i++)
		if (hosts[i])
			mark(marks, pw_point_outside(marks->matrix, i), PW_YES);
	return PW_OK;
}

/* What is no node; a range holds a node's address alone, or none, as the ranges are cut there. */
static int mark_outside(struct marks *marks)
{
	bool *hosts = pw_arena_array(marks->matrix->arena, marks->matrix->n_outside, sizeof(*hosts));

	if (!hosts)
		return PW_NOMEM;
	find_hosts(marks->matrix, NULL, hosts);
	for (size_t i = 0; i < marks->matrix->n_outside; i++)
		if (!hosts[i])
			mark(marks, pw_point_outside(marks->matrix, i), PW_YES);
	return PW_OK;
}

static int mark_networks(struct marks *marks, const struct pw_cluster_peer *peer)
{
	for (size_t i = 0; i < peer->networks.n; i++)
		if (mark_cidr(marks, peer->networks.v[i], &peer->except, !peer->networks_outside) != PW_OK)
			return PW_NOMEM;
	return PW_OK;
}

static int mark_cluster_peer(struct marks *marks, const char *ns, const struct pw_cluster_peer *peer)
{
	static const struct pw_selector any = { .present = true };

	if (peer->everyone)
		mark_all(marks);
	for (size_t i = 0; (peer->domains || peer->sets) && i < marks->matrix->n_outside; i++)
		mark(marks, pw_point_outside(marks->matrix, i), PW_MAYBE);
	if (peer->outside && mark_outside(marks) != PW_OK)
		return PW_NOMEM;
	if (peer->nodes.present || peer->hosts)
		if (mark_nodes(marks, peer->hosts ? &any : &peer->nodes) != PW_OK)
			return PW_NOMEM;
	if (peer->namespaces.present)
		mark_namespaces(marks, &peer->namespaces, &peer->pods);
	else if (peer->pods.present && ns[0])
		mark_own(marks, ns, &peer->pods);
	return mark_networks(marks, peer);
}

/* A rule that is not wholly evaluated may match whom it would match. */
static int blur(struct marks *marks)
{
	if (!marks->maybe && !(marks->maybe = pw_arena_array(marks->matrix->arena, marks->matrix->n_words, sizeof(*marks->maybe))))
		return PW_NOMEM;
	for (size_t i = 0; i < marks->matrix->n_words; i++) {
		marks->maybe[i] |= marks->sure[i];
		marks->sure[i] = 0;
	}
	return PW_OK;
}

static uint32_t cluster_ports_of(struct pw_matrix *matrix, const struct pw_cluster_rule *rule, bool *ret_named)
{
	struct pw_ports_sum sum = { .n = 0 };

	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct pw_cluster_port *port = &rule->ports[i];
		int protocol = pw_protocol_index(port->protocol);

		*ret_named = *ret_named || port->name[0];
		if (port->name[0] || protocol < 0)
			continue;
		pw_ports_add(matrix->ports, &sum, pw_ports_range(matrix->ports, protocol, port->any_port ? 1 : port->port, port->any_port ? UINT16_MAX : port->end_port));
	}
	return rule->n_ports ? pw_ports_total(matrix->ports, &sum) : (uint32_t)PW_PORTS_ALL;
}

static int make_cluster_rules(struct pw_matrix *matrix, const struct pw_cluster_policy *policy, enum pw_policy_direction direction,
			      struct pw_mpolicy *ret)
{
	const struct pw_cluster_rule *rules;
	size_t n = pw_cluster_policy_rules(policy, direction, &rules), kept = 0;
	struct pw_mrule *v = pw_arena_array(matrix->arena, n + 1, sizeof(*v));

	if (!v)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct marks marks;

		if (rules[i].action == PW_ACTION_NONE)
			continue;
		if (begin(matrix, &marks) != PW_OK)
			return PW_NOMEM;
		for (size_t j = 0; j < rules[i].n_peers; j++)
			if (mark_cluster_peer(&marks, policy->meta.ns, &rules[i].peers[j]) != PW_OK)
				return PW_NOMEM;
		if (rules[i].unclear[0] && blur(&marks) != PW_OK)
			return PW_NOMEM;
		v[kept] = (struct pw_mrule){ .action = rules[i].action, .cluster_rule = &rules[i] };
		v[kept].ports = cluster_ports_of(matrix, &rules[i], &v[kept].named);
		keep_marks(&marks, &v[kept++]);
	}
	ret->rules[direction] = v;
	ret->n_rules[direction] = kept;
	return PW_OK;
}

static int make_cluster_policy(struct pw_matrix *matrix, const struct pw_cluster_policy *policy)
{
	struct pw_mpolicy *ret = &matrix->policies[matrix->n_policies++];
	struct marks marks;

	*ret = (struct pw_mpolicy){ .stage = policy->stage, .isolates = { policy->isolates[PW_INGRESS], policy->isolates[PW_EGRESS] } };
	if (begin(matrix, &marks) != PW_OK)
		return PW_NOMEM;
	for (uint32_t i = 0; i < matrix->n_classes; i++)
		mark(&marks, i, pw_cluster_policy_selects(matrix->facts, policy, matrix->classes[i].pod));
	ret->subjects = marks.sure;
	ret->maybe = marks.maybe;
	return make_cluster_rules(matrix, policy, PW_INGRESS, ret) == PW_OK ? make_cluster_rules(matrix, policy, PW_EGRESS, ret) : PW_NOMEM;
}

int pw_matrix_make_policies(struct pw_matrix *matrix)
{
	size_t n, n_clusters, next = 0;
	const struct pw_policy *const *policies = pw_facts_policies(matrix->facts, &n);
	const struct pw_cluster_policy *const *clusters = pw_facts_cluster_policies(matrix->facts, &n_clusters);

	matrix->policies = pw_arena_array(matrix->arena, n + n_clusters + 1, sizeof(*matrix->policies));
	if (!matrix->policies)
		return PW_NOMEM;
	for (; next < n_clusters && (clusters[next]->stage < PW_STAGE_NETWORK || (clusters[next]->stage == PW_STAGE_NETWORK && !clusters[next]->after_network)); next++)
		if (make_cluster_policy(matrix, clusters[next]) != PW_OK)
			return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (make_policy(matrix, policies[i]) != PW_OK)
			return PW_NOMEM;
	for (; next < n_clusters; next++)
		if (make_cluster_policy(matrix, clusters[next]) != PW_OK)
			return PW_NOMEM;
	return pw_arena_failed(matrix->arena) ? PW_NOMEM : PW_OK;
}

/* ---- programs ---- */

/* The policies of a class in one direction, in order. */
static size_t list_policies(const struct pw_matrix *matrix, uint32_t class, enum pw_policy_direction direction, uint32_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < matrix->n_policies; i++) {
		const struct pw_mpolicy *policy = &matrix->policies[i];

		if (!policy->isolates[direction] && policy->n_rules[direction] == 0)
			continue;
		if (pw_bit(policy->subjects, class))
			ret[n++] = (uint32_t)i * 2;
		else if (policy->maybe && pw_bit(policy->maybe, class))
			ret[n++] = (uint32_t)i * 2 + 1;
	}
	return n;
}

static int make_doors(struct pw_matrix *matrix)
{
	struct pw_intern doors = { .arena = matrix->arena };

	matrix->doors = pw_arena_array(matrix->arena, (size_t)matrix->n_classes + 1, sizeof(*matrix->doors));
	matrix->column = pw_arena_array(matrix->arena, (size_t)matrix->n_classes + 1, sizeof(*matrix->column));
	if (!matrix->doors || !matrix->column)
		return PW_NOMEM;
	for (uint32_t i = 0; i < matrix->n_classes; i++) {
		struct pw_kin *class = &matrix->classes[i];
		uint32_t key[2] = { class->program[PW_INGRESS], class->shape };

		class->door = pw_intern(&doors, key, sizeof(key));
		if (class->door == PW_INTERN_FAILED)
			return PW_NOMEM;
		if (class->door == matrix->n_doors)
			matrix->doors[matrix->n_doors++] = class;
	}
	return PW_OK;
}

int pw_matrix_make_programs(struct pw_matrix *matrix)
{
	struct pw_intern programs = { .arena = matrix->arena };
	uint32_t *list = pw_arena_array(matrix->arena, matrix->n_policies + 1, sizeof(*list));

	if (!list || pw_intern(&programs, list, 0) != 0) /* the first has no policies: all is open */
		return PW_NOMEM;
	for (uint32_t i = 0; i < matrix->n_classes; i++)
		for (unsigned direction = PW_INGRESS; direction <= PW_EGRESS; direction++) {
			size_t n = list_policies(matrix, i, (enum pw_policy_direction)direction, list);
			uint32_t number = pw_intern(&programs, list, n * sizeof(*list));

			if (number == PW_INTERN_FAILED)
				return PW_NOMEM;
			matrix->classes[i].program[direction] = number;
		}
	matrix->n_programs = programs.n;
	matrix->programs = pw_arena_array(matrix->arena, programs.n, sizeof(*matrix->programs));
	matrix->egress_rows = pw_arena_array(matrix->arena, programs.n, sizeof(*matrix->egress_rows));
	matrix->named = pw_arena_array(matrix->arena, PW_NAMED_PORTS, sizeof(*matrix->named));
	if (!matrix->programs || !matrix->egress_rows || !matrix->named)
		return PW_NOMEM;
	for (uint32_t i = 0; i < programs.n; i++)
		matrix->programs[i] = (struct pw_program){ programs.v[i].bytes, programs.v[i].len / sizeof(*list) };
	return make_doors(matrix);
}
