/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be opened between points: whole port sets, stage by stage. */
#include <cluster/matrix_inside.h>

#include <string.h>

#define MAX_ROWS ((size_t)48 << 20) /* bytes of answers kept from line to line */

/* ---- ports that depend on the receiver ---- */

static void add_container_ports(struct pw_matrix *matrix, const struct pw_mrule *rule, const struct pw_pod *to, struct pw_ports_sum *sum)
{
	for (size_t i = 0; to && i < to->n_containers; i++)
		for (size_t j = 0; j < to->containers[i].n_ports; j++) {
			const struct pw_container_port *port = &to->containers[i].ports[j];
			int protocol = pw_protocol_index(port->protocol);

			if (protocol >= 0 && (rule->rule ? pw_policy_rule_names(rule->rule, to, port) : pw_cluster_rule_names(rule->cluster_rule, port)))
				pw_ports_add(matrix->ports, sum, pw_ports_range(matrix->ports, protocol, port->port, port->port));
		}
}

static uint32_t ports_at(struct pw_matrix *matrix, const struct pw_mrule *rule, uint32_t shape)
{
	struct pw_named_ports *known;

	if (!rule->named)
		return rule->ports;
	known = &matrix->named[((uintptr_t)rule / sizeof(*rule) * 31 + shape) % PW_NAMED_PORTS];
	if (known->rule != rule || known->shape != shape) {
		struct pw_ports_sum sum = { .n = 0 };

		pw_ports_add(matrix->ports, &sum, rule->ports);
		add_container_ports(matrix, rule, matrix->shapes[shape], &sum);
		*known = (struct pw_named_ports){ rule, shape, pw_ports_total(matrix->ports, &sum) };
	}
	return known->ports;
}

/* ---- one side ---- */

/* What is not decided yet, and what may have been allowed or denied. A port that is in both depends on something not known. */
struct tally { uint32_t open, allowed, denied; };

struct question { enum pw_policy_direction direction; uint32_t point, shape; /* who is met, and whose ports are named */ };

/* A rule takes what earlier ones left; one that only may match leaves it too. */
static void count_rule(struct pw_matrix *matrix, const struct question *question, const struct pw_mrule *rule, bool sure, struct tally *tally,
		       uint32_t *live, uint32_t *passed)
{
	struct pw_ports_pool *pool = matrix->ports;
	uint32_t ports;

	if (!pw_bit(rule->sure, question->point)) {
		if (!rule->maybe || !pw_bit(rule->maybe, question->point))
			return;
		sure = false;
	}
	ports = pw_ports_and(pool, *live, ports_at(matrix, rule, question->shape));
	if (rule->action == PW_ACTION_ALLOW)
		tally->allowed = pw_ports_or(pool, tally->allowed, ports);
	else if (rule->action == PW_ACTION_DENY)
		tally->denied = pw_ports_or(pool, tally->denied, ports);
	else
		*passed = pw_ports_or(pool, *passed, ports);
	if (sure)
		*live = pw_ports_minus(pool, *live, ports);
}

/* The policies of one stage, from `at` on; returns where the next begins. */
static size_t count_stage(struct pw_matrix *matrix, const struct question *question, const struct pw_program *program, size_t at,
			  struct tally *tally)
{
	int stage = matrix->policies[program->v[at] / 2].stage;
	uint32_t live = tally->open, passed = PW_PORTS_NONE;
	bool isolated = false, perhaps = false;

	for (; at < program->n && matrix->policies[program->v[at] / 2].stage == stage; at++) {
		const struct pw_mpolicy *policy = &matrix->policies[program->v[at] / 2];
		bool sure = program->v[at] % 2 == 0;

		isolated = isolated || (policy->isolates[question->direction] && sure);
		perhaps = perhaps || policy->isolates[question->direction];
		for (size_t i = 0; live != PW_PORTS_NONE && i < policy->n_rules[question->direction]; i++)
			count_rule(matrix, question, &policy->rules[question->direction][i], sure, tally, &live, &passed);
	}
	if (perhaps)
		tally->denied = pw_ports_or(matrix->ports, tally->denied, live);
	tally->open = isolated ? passed : pw_ports_or(matrix->ports, passed, live);
	return at;
}

static struct pw_reach judge(struct pw_matrix *matrix, const struct question *question, uint32_t program)
{
	struct tally tally = { PW_PORTS_ALL, PW_PORTS_NONE, PW_PORTS_NONE };

	for (size_t at = 0; tally.open != PW_PORTS_NONE && at < matrix->programs[program].n;)
		at = count_stage(matrix, question, &matrix->programs[program], at, &tally);
	tally.allowed = pw_ports_or(matrix->ports, tally.allowed, tally.open);
	return (struct pw_reach){ pw_ports_minus(matrix->ports, tally.allowed, tally.denied), pw_ports_and(matrix->ports, tally.allowed, tally.denied) };
}

static const struct pw_kin *class_at(const struct pw_matrix *matrix, uint32_t point)
{
	return point < matrix->n_classes ? &matrix->classes[point] : NULL;
}

static struct pw_reach egress(struct pw_matrix *matrix, uint32_t program, uint32_t to)
{
	const struct pw_kin *class = class_at(matrix, to);
	struct question question = { PW_EGRESS, to, class ? class->shape : 0 };

	return judge(matrix, &question, program);
}

static struct pw_reach take_in(struct pw_matrix *matrix, uint32_t from, const struct pw_kin *class)
{
	struct question question = { PW_INGRESS, from, class ? class->shape : 0 };

	return class ? judge(matrix, &question, class->program[PW_INGRESS]) : (struct pw_reach){ PW_PORTS_ALL, PW_PORTS_NONE };
}

/* What class `to` takes in; of the ingress controller only what Ingresses lead to. */
static struct pw_reach ingress(struct pw_matrix *matrix, uint32_t from, uint32_t to)
{
	const struct pw_kin *class = class_at(matrix, to);
	struct pw_reach reach = take_in(matrix, from, class);

	if (from != pw_point_ingress(matrix))
		return reach;
	reach.allowed = pw_ports_and(matrix->ports, reach.allowed, class ? class->fronts : (uint32_t)PW_PORTS_NONE);
	reach.unknown = pw_ports_and(matrix->ports, reach.unknown, class ? class->fronts : (uint32_t)PW_PORTS_NONE);
	return reach;
}

/* Both have to allow; what either denies for sure is denied. */
static struct pw_reach both(struct pw_ports_pool *pool, struct pw_reach a, struct pw_reach b)
{
	struct pw_reach ret = { pw_ports_and(pool, a.allowed, b.allowed), PW_PORTS_NONE };

	if (a.unknown != PW_PORTS_NONE || b.unknown != PW_PORTS_NONE) {
		uint32_t possible = pw_ports_and(pool, pw_ports_or(pool, a.allowed, a.unknown), pw_ports_or(pool, b.allowed, b.unknown));

		ret.unknown = pw_ports_minus(pool, possible, ret.allowed);
	}
	return ret;
}

/* ---- groups ---- */

static uint32_t egress_program(const struct pw_matrix *matrix, uint32_t point)
{
	const struct pw_kin *class = class_at(matrix, point);

	return class ? class->program[PW_EGRESS] : 0;
}

/* A pod always reaches itself; the pods of one group reach each other as the policies say. */
static bool is_same_pod(const struct pw_group *from, const struct pw_group *to, size_t i, size_t j)
{
	if (from->n_pods == 1 && to->n_pods == 1)
		return from->pods[0] == to->pods[0];
	return from->n_pods && from->points == to->points && i == j;
}

struct pw_reach pw_matrix_allowed(struct pw_matrix *matrix, const struct pw_group *from, const struct pw_group *to)
{
	struct pw_reach ret = { PW_PORTS_ALL, PW_PORTS_NONE };

	for (size_t i = 0; i < from->n_points + from->n_again; i++)
		for (size_t j = 0; j < to->n_points + to->n_again; j++) {
			uint32_t a = from->points[i], b = to->points[j];

			if (is_same_pod(from, to, i, j))
				continue;
			ret = both(matrix->ports, ret, egress(matrix, egress_program(matrix, a), b));
			ret = both(matrix->ports, ret, ingress(matrix, a, b));
		}
	return ret;
}

/* ---- lines and columns ---- */

/* What a program lets out, to every point: classes of one program share it, and lines of one namespace mostly do. */
static const struct pw_reach *egress_row(struct pw_matrix *matrix, uint32_t program)
{
	struct pw_reach *row = matrix->egress_rows[program];

	if (row)
		return row;
	if (pw_arena_used(matrix->rows) > MAX_ROWS) {
		pw_arena_clear(matrix->rows);
		memset(matrix->egress_rows, 0, matrix->n_programs * sizeof(*matrix->egress_rows));
	}
	row = pw_arena_array(matrix->rows, matrix->n_points, sizeof(*row));
	for (uint32_t i = 0; row && i < matrix->n_points; i++)
		row[i] = egress(matrix, program, i);
	return matrix->egress_rows[program] = row;
}

/* What a point sends to, by the door it comes to. */
static void fill_column(struct pw_matrix *matrix, uint32_t from)
{
	for (size_t i = 0; i < matrix->n_doors; i++)
		matrix->column[i] = ingress(matrix, from, (uint32_t)(matrix->doors[i] - matrix->classes));
}

int pw_matrix_to_groups(struct pw_matrix *matrix, const struct pw_group *from, struct pw_reach *ret)
{
	for (size_t g = 0; g < matrix->n_groups; g++)
		ret[g] = (struct pw_reach){ PW_PORTS_ALL, PW_PORTS_NONE };
	for (size_t i = 0; i < from->n_points; i++) {
		const struct pw_reach *row = egress_row(matrix, egress_program(matrix, from->points[i]));

		if (!row)
			return PW_NOMEM;
		fill_column(matrix, from->points[i]);
		for (size_t g = 0; g < matrix->n_groups; g++)
			for (size_t j = 0; j < matrix->groups[g].n_points; j++) {
				uint32_t to = matrix->groups[g].points[j];

				ret[g] = both(matrix->ports, ret[g], both(matrix->ports, row[to], matrix->column[matrix->classes[to].door]));
			}
	}
	return PW_OK;
}

void pw_matrix_to_outside(struct pw_matrix *matrix, const struct pw_group *from, struct pw_reach *ret)
{
	for (size_t r = 0; r < matrix->n_shown; r++) {
		ret[r] = (struct pw_reach){ PW_PORTS_ALL, PW_PORTS_NONE };
		for (size_t i = 0; i < from->n_points; i++)
			ret[r] = both(matrix->ports, ret[r], egress(matrix, egress_program(matrix, from->points[i]), pw_point_outside(matrix, r)));
	}
}

void pw_matrix_from_outside(struct pw_matrix *matrix, const struct pw_group *to, struct pw_reach *ret)
{
	for (size_t r = 0; r < matrix->n_shown; r++) {
		ret[r] = (struct pw_reach){ PW_PORTS_ALL, PW_PORTS_NONE };
		for (size_t i = 0; i < to->n_points; i++)
			ret[r] = both(matrix->ports, ret[r], ingress(matrix, pw_point_outside(matrix, r), to->points[i]));
	}
}

struct pw_reach pw_matrix_from_anybody(struct pw_matrix *matrix, const struct pw_group *to)
{
	struct pw_reach ret = { PW_PORTS_ALL, PW_PORTS_NONE };

	for (size_t i = 0; i < to->n_points; i++)
		ret = both(matrix->ports, ret, take_in(matrix, pw_point_ingress(matrix), class_at(matrix, to->points[i])));
	return ret;
}
