/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What policies can tell apart: ranges of addresses outside, and classes of pods. */
#include <cluster/matrix_inside.h>

#include <stdlib.h>
#include <string.h>

#include <base/intern.h>
#include <cluster/expr.h>
#include <cluster/front.h>

#define MAX_KEY ((size_t)64 << 20) /* what tells one pod from others, as text; an object has at most 4096 labels of 64 KiB */

/* ---- the outside ---- */

/* The texts of all blocks are gone through twice, to count and to cut, by one walk: the two cannot differ. */
typedef void (*block_fn)(struct pw_matrix *matrix, const char *text);

static void cut_at(struct pw_matrix *matrix, const char *text)
{
	struct pw_cidr cidr;
	struct pw_address first, last, after;

	if (pw_cidr_parse(text, &cidr)) {
		pw_cidr_ends(&cidr, &first, &last);
	} else if (pw_address_parse(text, &first)) {
		last = first;
	} else {
		return;
	}
	matrix->cuts[matrix->n_cuts++] = first;
	if (pw_address_next(&last, &after))
		matrix->cuts[matrix->n_cuts++] = after;
}

static void count_cut(struct pw_matrix *matrix, const char *text)
{
	(void)text;
	matrix->n_cuts += 2; /* its first address, and the one after its last */
}

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

/* Returns whether a rule speaks of nodes. */
static bool each_network(struct pw_matrix *matrix, const struct pw_cluster_rule *rules, size_t n, block_fn fn)
{
	bool nodes = false;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rules[i].n_peers; j++) {
			const struct pw_cluster_peer *peer = &rules[i].peers[j];

			for (size_t k = 0; k < peer->networks.n; k++)
				fn(matrix, peer->networks.v[k]);
			for (size_t k = 0; k < peer->except.n; k++)
				fn(matrix, peer->except.v[k]);
			nodes = nodes || peer->nodes.present || peer->hosts || peer->outside;
		}
	return nodes;
}

static void each_node(struct pw_matrix *matrix, block_fn fn)
{
	size_t n;
	const struct pw_node *const *nodes = pw_facts_nodes(matrix->facts, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < nodes[i]->addresses.n; j++)
			fn(matrix, nodes[i]->addresses.v[j]);
}

static void each_text(struct pw_matrix *matrix, block_fn fn)
{
	size_t n;
	const struct pw_policy *const *policies = pw_facts_policies(matrix->facts, &n);
	const struct pw_cluster_policy *const *clusters;
	bool nodes = false;

	for (size_t i = 0; i < n; i++) {
		each_block(matrix, policies[i]->ingress, policies[i]->n_ingress, fn);
		each_block(matrix, policies[i]->egress, policies[i]->n_egress, fn);
	}
	clusters = pw_facts_cluster_policies(matrix->facts, &n);
	for (size_t i = 0; i < n; i++) {
		nodes = each_network(matrix, clusters[i]->ingress, clusters[i]->n_ingress, fn) || nodes;
		nodes = each_network(matrix, clusters[i]->egress, clusters[i]->n_egress, fn) || nodes;
	}
	if (nodes)
		each_node(matrix, fn);
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

int pw_matrix_make_outside(struct pw_matrix *matrix)
{
	if (make_cuts(matrix) != PW_OK)
		return PW_NOMEM;
	matrix->outside = pw_arena_array(matrix->arena, matrix->n_cuts + 2, sizeof(*matrix->outside));
	if (!matrix->outside || cut_family(matrix, "0.0.0.0/0") != PW_OK)
		return PW_NOMEM;
	matrix->n_shown = matrix->n_outside;
	if (cut_family(matrix, "::/0") != PW_OK)
		return PW_NOMEM;
	if (matrix->n_cuts && matrix->cuts[matrix->n_cuts - 1].family == 6)
		matrix->n_shown = matrix->n_outside;
	return PW_OK;
}

/* Of the ranges, which lie in order and leave nothing out, the first that ends at or after the address. */
static size_t range_at(const struct pw_matrix *matrix, const struct pw_address *address)
{
	size_t low = 0, high = matrix->n_outside;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pw_address_compare(&matrix->outside[middle].last, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void pw_matrix_ranges(const struct pw_matrix *matrix, const struct pw_address *first, const struct pw_address *last,
		      size_t *ret_from, size_t *ret_to)
{
	*ret_from = range_at(matrix, first);
	*ret_to = range_at(matrix, last) + 1;
}

/* ---- classes ---- */

struct maker {
	struct pw_matrix *matrix;
	struct pw_intern classes, shapes, keys; /* keys: of labels that some selector asks for */
	struct pw_buf text;
};

static void add_key(void *arg, const char *key)
{
	struct maker *maker = arg;

	(void)pw_intern(&maker->keys, key, strlen(key)); /* a failure shows in the arena */
}

static void add_keys(struct maker *maker, const struct pw_selector *selector)
{
	for (size_t i = 0; i < selector->n; i++)
		add_key(maker, selector->v[i].key);
	pw_expr_keys(selector->expr, add_key, maker);
}

static void add_rule_keys(struct maker *maker, const struct pw_policy_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rules[i].n_peers; j++)
			add_keys(maker, &rules[i].peers[j].pods);
}

static void add_cluster_keys(struct maker *maker, const struct pw_cluster_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rules[i].n_peers; j++)
			add_keys(maker, &rules[i].peers[j].pods);
}

/* The labels that any policy asks pods for; the rest tell nothing apart. */
static void collect_keys(struct maker *maker)
{
	size_t n;
	const struct pw_policy *const *policies = pw_facts_policies(maker->matrix->facts, &n);
	const struct pw_cluster_policy *const *clusters;

	for (size_t i = 0; i < n; i++) {
		add_keys(maker, &policies[i]->pods);
		add_rule_keys(maker, policies[i]->ingress, policies[i]->n_ingress);
		add_rule_keys(maker, policies[i]->egress, policies[i]->n_egress);
	}
	clusters = pw_facts_cluster_policies(maker->matrix->facts, &n);
	for (size_t i = 0; i < n; i++) {
		add_keys(maker, &clusters[i]->pods);
		add_cluster_keys(maker, clusters[i]->ingress, clusters[i]->n_ingress);
		add_cluster_keys(maker, clusters[i]->egress, clusters[i]->n_egress);
	}
}

static bool is_asked(const struct maker *maker, const char *key)
{
	return pw_intern_find(&maker->keys, key, strlen(key)) != PW_INTERN_FAILED;
}

/* Equal keys, equal bytes: the terminating zero is part of each word. */
static void put_word(struct pw_buf *out, const char *word)
{
	pw_buf_add(out, word, strlen(word) + 1);
}

static void put_number(struct pw_buf *out, uint32_t number)
{
	pw_buf_add(out, &number, sizeof(number));
}

static int compare_labels(const void *pa, const void *pb)
{
	const struct pw_label *a = pa, *b = pb;
	int d = strcmp(a->key, b->key);

	return d ? d : strcmp(a->value, b->value);
}

/* In the order of their keys: objects write them in any. */
static int put_labels(struct maker *maker, const struct pw_labels *labels)
{
	struct pw_label few[16], *v = few;
	size_t kept = 0;

	if (labels->n > sizeof(few) / sizeof(few[0]) && !(v = pw_arena_array(maker->matrix->arena, labels->n, sizeof(*v))))
		return PW_NOMEM;
	for (size_t i = 0; i < labels->n; i++)
		if (is_asked(maker, labels->v[i].key))
			v[kept++] = labels->v[i];
	qsort(v, kept, sizeof(*v), compare_labels);
	for (size_t i = 0; i < kept; i++) {
		put_word(&maker->text, v[i].key);
		put_word(&maker->text, v[i].value);
	}
	put_word(&maker->text, "");
	return PW_OK;
}

static uint32_t shape_of(struct maker *maker, const struct pw_pod *pod)
{
	pw_buf_clear(&maker->text);
	for (size_t i = 0; i < pod->n_containers; i++)
		for (size_t j = 0; j < pod->containers[i].n_ports; j++) {
			const struct pw_container_port *port = &pod->containers[i].ports[j];

			if (!port->name[0])
				continue;
			put_word(&maker->text, port->name);
			put_word(&maker->text, port->protocol);
			put_number(&maker->text, port->port);
		}
	return pw_intern(&maker->shapes, maker->text.data, maker->text.len);
}

static void put_range(struct maker *maker, struct pw_kin *class, const char *ip)
{
	struct pw_address address;
	uint32_t *ranges;
	size_t from, to;

	if (!pw_address_parse(ip, &address))
		return;
	pw_matrix_ranges(maker->matrix, &address, &address, &from, &to);
	for (size_t i = 0; i < class->n_ranges; i++)
		if (class->ranges[i] == from)
			return;
	ranges = pw_arena_array(maker->matrix->arena, class->n_ranges + 1, sizeof(*ranges));
	if (!ranges)
		return;
	if (class->n_ranges)
		memcpy(ranges, class->ranges, class->n_ranges * sizeof(*ranges));
	ranges[class->n_ranges++] = (uint32_t)from;
	class->ranges = ranges;
	put_number(&maker->text, (uint32_t)from);
}

/* Finds the class of a pod, or makes it. */
static int classify(struct maker *maker, const struct pw_pod *pod, uint32_t *ret)
{
	struct pw_matrix *matrix = maker->matrix;
	struct pw_kin class = { .shape = shape_of(maker, pod) };
	struct pw_pod *copy;
	uint32_t number;

	class.fronts = pw_front_ports(matrix->facts, pod, matrix->ports);
	if (class.shape == PW_INTERN_FAILED)
		return PW_NOMEM;
	if (class.shape == matrix->n_shapes)
		matrix->shapes[matrix->n_shapes++] = pod;
	pw_buf_clear(&maker->text);
	put_word(&maker->text, pod->meta.ns);
	put_number(&maker->text, class.shape);
	put_number(&maker->text, class.fronts);
	if (put_labels(maker, &pod->meta.labels) != PW_OK)
		return PW_NOMEM;
	put_range(maker, &class, pod->ip);
	for (size_t i = 0; i < pod->ips.n; i++)
		put_range(maker, &class, pod->ips.v[i]);
	number = pw_buf_ok(&maker->text) ? pw_intern(&maker->classes, maker->text.data, maker->text.len) : PW_INTERN_FAILED;
	if (number == PW_INTERN_FAILED)
		return PW_NOMEM;
	*ret = number;
	if (number < matrix->n_classes)
		return PW_OK;
	if (!(copy = pw_arena_alloc(matrix->arena, sizeof(*copy))))
		return PW_NOMEM;
	*copy = *pod;
	copy->host_network = false;
	class.pod = copy;
	matrix->classes[matrix->n_classes++] = class;
	return PW_OK;
}

/* Pods come by namespace, and so do their classes. */
static int make_runs(struct pw_matrix *matrix)
{
	matrix->runs = pw_arena_array(matrix->arena, (size_t)matrix->n_classes + 1, sizeof(*matrix->runs));
	if (!matrix->runs)
		return PW_NOMEM;
	for (uint32_t i = 0; i < matrix->n_classes; i++) {
		const char *ns = matrix->classes[i].pod->meta.ns;
		struct pw_run *last = matrix->n_runs ? &matrix->runs[matrix->n_runs - 1] : NULL;

		if (last && strcmp(last->ns, ns) == 0)
			last->n++;
		else
			matrix->runs[matrix->n_runs++] = (struct pw_run){ ns, i, 1 };
	}
	return PW_OK;
}

static int classify_all(struct maker *maker)
{
	struct pw_matrix *matrix = maker->matrix;
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(matrix->facts, &n);
	static const char no_ports[1];

	matrix->classes = pw_arena_array(matrix->arena, n + 1, sizeof(*matrix->classes));
	matrix->shapes = pw_arena_array(matrix->arena, n + 1, sizeof(*matrix->shapes));
	matrix->class_of = pw_arena_array(matrix->arena, n + 1, sizeof(*matrix->class_of));
	if (!matrix->classes || !matrix->shapes || !matrix->class_of || pw_intern(&maker->shapes, no_ports, 0) != 0)
		return PW_NOMEM;
	matrix->n_shapes = 1;
	collect_keys(maker);
	for (size_t i = 0; i < n; i++)
		if (classify(maker, pods[i], &matrix->class_of[i]) != PW_OK)
			return PW_NOMEM;
	matrix->n_points = matrix->n_classes + (uint32_t)matrix->n_outside + 1;
	matrix->n_words = matrix->n_points / 64 + 1;
	return make_runs(matrix);
}

int pw_matrix_make_classes(struct pw_matrix *matrix)
{
	struct maker maker = { .matrix = matrix, .classes.arena = matrix->arena, .shapes.arena = matrix->arena, .keys.arena = matrix->arena };
	int rc;

	pw_buf_init(&maker.text, MAX_KEY);
	rc = classify_all(&maker);
	pw_buf_release(&maker.text);
	return rc == PW_OK && pw_arena_failed(matrix->arena) ? PW_NOMEM : rc;
}
