/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be opened between two groups: whole port sets, tier by tier. */
#include <cluster/matrix_inside.h>

#include <string.h>

#include <cluster/front.h>

/* Groups hold pointers to pods that are the first field of their member. */
static const struct pw_member *member_of(const struct pw_pod *pod)
{
	return (const struct pw_member *)(const void *)pod;
}

static void add_named(const struct pw_policy_port *port, const struct pw_pod *to, struct pw_portset *set)
{
	for (size_t i = 0; to && i < to->n_containers; i++)
		for (size_t j = 0; j < to->containers[i].n_ports; j++) {
			const struct pw_container_port *named = &to->containers[i].ports[j];

			if (pw_policy_port_match(port, to, named->protocol, named->port))
				pw_portset_add(set, named->port, named->port);
		}
}

static void add_rule_ports(const struct pw_policy_rule *rule, const struct pw_pod *to, struct pw_portsets *sets)
{
	for (int i = 0; rule->n_ports == 0 && i < PW_PROTOCOLS; i++)
		pw_portset_fill(&sets->of[i]);
	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct pw_policy_port *port = &rule->ports[i];
		int protocol = pw_protocol_index(port->protocol);

		if (protocol < 0)
			continue;
		if (port->any_port)
			pw_portset_fill(&sets->of[protocol]);
		else if (port->name[0])
			add_named(port, to, &sets->of[protocol]);
		else
			pw_portset_add(&sets->of[protocol], port->port, port->end_port ? port->end_port : port->port);
	}
}

static void fill(struct pw_portsets *sets)
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		pw_portset_fill(&sets->of[i]);
}

static void clear(struct pw_portsets *sets)
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		pw_portset_clear(&sets->of[i]);
}

static void intersect(struct pw_portsets *sets, const struct pw_portsets *other)
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		pw_portset_and(&sets->of[i], &other->of[i]);
}

/* The union of what the NetworkPolicies of one side allow. */
static void add_policies(const struct pw_matrix *matrix, enum pw_policy_direction direction, const struct pw_member *member,
			 const struct pw_peer *other, const struct pw_pod *to, struct pw_portsets *ret)
{
	for (size_t i = 0; i < member->n[direction]; i++) {
		const struct pw_policy *policy = member->by[direction][i];
		const struct pw_policy_rule *rules;
		size_t n = pw_policy_rules(policy, direction, &rules);

		for (size_t j = 0; j < n; j++)
			if (pw_policy_peers_match(matrix->facts, policy->meta.ns, &rules[j], other) == PW_YES)
				add_rule_ports(&rules[j], to, ret);
	}
}

static void add_cluster_named(const char *name, const struct pw_pod *to, struct pw_portsets *sets)
{
	for (size_t i = 0; to && i < to->n_containers; i++)
		for (size_t j = 0; j < to->containers[i].n_ports; j++) {
			const struct pw_container_port *named = &to->containers[i].ports[j];
			int protocol = pw_protocol_index(named->protocol);

			if (protocol >= 0 && strcmp(named->name, name) == 0)
				pw_portset_add(&sets->of[protocol], named->port, named->port);
		}
}

static void cluster_rule_ports(const struct pw_cluster_rule *rule, const struct pw_pod *to, struct pw_portsets *ret)
{
	if (rule->n_ports == 0) {
		fill(ret);
		return;
	}
	clear(ret);
	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct pw_cluster_port *port = &rule->ports[i];
		int protocol = pw_protocol_index(port->protocol);

		if (port->name[0])
			add_cluster_named(port->name, to, ret);
		else if (protocol >= 0 && port->any_port)
			pw_portset_fill(&ret->of[protocol]);
		else if (protocol >= 0)
			pw_portset_add(&ret->of[protocol], port->port, port->end_port);
	}
}

/* What is not decided yet, and what is allowed. */
struct tally { struct pw_portsets open, allowed; };

/* One tier over all ports at once: a rule takes what earlier ones left. What it passes stays open for the next tier. */
static void count_tier(const struct pw_matrix *matrix, enum pw_tier tier, enum pw_policy_direction direction, const struct pw_member *member,
		       const struct pw_peer *other, const struct pw_pod *to, struct tally *tally)
{
	struct pw_portsets live = tally->open, ports;

	for (size_t i = 0; i < member->n_cluster; i++) {
		const struct pw_cluster_rule *rules;
		size_t n = pw_cluster_policy_rules(member->cluster[i], direction, &rules);

		for (size_t j = 0; member->cluster[i]->tier == tier && j < n; j++) {
			if (pw_cluster_peers_match(matrix->facts, &rules[j], other) != PW_YES)
				continue;
			cluster_rule_ports(&rules[j], to, &ports);
			intersect(&ports, &live);
			for (int k = 0; k < PW_PROTOCOLS; k++) {
				pw_portset_minus(&live.of[k], &ports.of[k]);
				if (rules[j].action != PW_ACTION_PASS)
					pw_portset_minus(&tally->open.of[k], &ports.of[k]);
				if (rules[j].action == PW_ACTION_ALLOW)
					pw_portset_or(&tally->allowed.of[k], &ports.of[k]);
			}
		}
	}
}

/* What one side lets through. False when it has no policies: all. */
static bool side(const struct pw_matrix *matrix, enum pw_policy_direction direction, const struct pw_pod *pod,
		 const struct pw_peer *other, const struct pw_pod *to, struct pw_portsets *ret)
{
	const struct pw_member *member = pod ? member_of(pod) : NULL;
	struct tally tally;

	if (!member || (member->n[direction] == 0 && member->n_cluster == 0))
		return false;
	clear(ret);
	if (member->n_cluster == 0) {
		add_policies(matrix, direction, member, other, to, ret);
		return true;
	}
	fill(&tally.open);
	clear(&tally.allowed);
	count_tier(matrix, PW_TIER_ADMIN, direction, member, other, to, &tally);
	count_tier(matrix, PW_TIER_CLUSTER_ADMIN, direction, member, other, to, &tally);
	if (member->n[direction]) {
		add_policies(matrix, direction, member, other, to, ret);
		intersect(&tally.open, ret);
	} else {
		count_tier(matrix, PW_TIER_BASELINE_ADMIN, direction, member, other, to, &tally);
		count_tier(matrix, PW_TIER_CLUSTER_BASELINE, direction, member, other, to, &tally);
	}
	for (int i = 0; i < PW_PROTOCOLS; i++) {
		pw_portset_or(&tally.allowed.of[i], &tally.open.of[i]);
		ret->of[i] = tally.allowed.of[i];
	}
	return true;
}

static void restrict_pair(const struct pw_matrix *matrix, const struct pw_peer *from, const struct pw_peer *to, struct pw_portsets *sets)
{
	struct pw_portsets one;

	if (from->pod && from->pod == to->pod)
		return; /* a pod always reaches itself */
	if (side(matrix, PW_EGRESS, from->pod, to, to->pod, &one))
		intersect(sets, &one);
	if (side(matrix, PW_INGRESS, to->pod, from, to->pod, &one))
		intersect(sets, &one);
}

/* The addresses of a range that stand for all of it: its first, and each cut inside. */
struct points { const struct pw_matrix *matrix; const struct pw_group *group; size_t next; bool started; char text[46]; };

static bool next_point(struct points *points)
{
	const struct pw_matrix *matrix = points->matrix;

	if (!points->started) {
		points->started = true;
		pw_address_print(&points->group->first, points->text);
		return true;
	}
	while (points->next < matrix->n_cuts) {
		const struct pw_address *cut = &matrix->cuts[points->next++];

		if (pw_address_compare(cut, &points->group->first) > 0 && pw_address_compare(cut, &points->group->last) <= 0) {
			pw_address_print(cut, points->text);
			return true;
		}
	}
	return false;
}

/* One member of `group` (by number, or by point) as an end of a connection. */
static bool next_end(const struct pw_group *group, size_t *at, struct points *points, struct pw_peer *ret)
{
	if (group->n_pods) {
		if (*at == group->n_pods)
			return false;
		*ret = (struct pw_peer){ group->pods[(*at)++], NULL };
		return true;
	}
	if (group->ingress) { /* some pod of some namespace */
		*ret = (struct pw_peer){ NULL, NULL };
		return (*at)++ == 0;
	}
	if (!next_point(points))
		return false;
	*ret = (struct pw_peer){ NULL, points->text };
	return true;
}

/* The ingress controller opens only what an Ingress or Route leads to. */
static void restrict_to_fronts(const struct pw_matrix *matrix, const struct pw_pod *pod, struct pw_portsets *sets)
{
	struct pw_portsets ports;

	clear(&ports);
	pw_front_ports(matrix->facts, pod, &ports);
	intersect(sets, &ports);
}

void pw_matrix_allowed(const struct pw_matrix *matrix, const struct pw_group *from, const struct pw_group *to, struct pw_portsets *ret)
{
	struct points from_points = { .matrix = matrix, .group = from };
	struct pw_peer a, b;
	size_t i = 0;

	fill(ret);
	for (size_t k = 0; from->ingress && k < to->n_pods; k++)
		restrict_to_fronts(matrix, to->pods[k], ret);
	if (from->ingress && !to->n_pods)
		clear(ret);
	while (next_end(from, &i, &from_points, &a)) {
		struct points to_points = { .matrix = matrix, .group = to };
		size_t j = 0;

		while (next_end(to, &j, &to_points, &b))
			restrict_pair(matrix, &a, &b, ret);
	}
}
