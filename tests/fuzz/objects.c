/* SPDX-License-Identifier: GPL-3.0-or-later */
/* API objects of any shape: a model that answers, or a refusal that names the object. */
#include "fuzz.h"

#include <string.h>

#include <cluster/advice.h>
#include <cluster/matrix.h>
#include <cluster/source/reduce.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>
#include <path/path.h>

static const struct pw_yaml_limits limits = { 1 << 16, 24, 20000 };

static void ask_pairs(const struct pw_facts *facts, struct pw_arena *arena)
{
	size_t n, n_hops;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	struct pw_buf out;
	const struct pw_hop *hops;

	pw_buf_init(&out, 1 << 20);
	for (size_t i = 0; i < n && i < 4; i++) {
		struct pw_peer from = { pods[i], NULL }, to = { pods[n - 1 - i], NULL }, outside = { NULL, "203.0.113.9" };
		struct pw_flow flow = { .from = pods[i], .to = pods[n - 1 - i], .port = 80 };

		pw_buf_clear(&out);
		pw_policy_advise(facts, &from, &to, "TCP", 80, &out);
		pw_policy_advise(facts, &outside, &from, "UDP", 53, &out);
		n_hops = pw_path_hops(facts, &flow, arena, &hops);
		pw_path_draw(hops, n_hops, "overlay", PW_PATH_TEXT, true, &out);
		for (size_t at = 0; at < out.len; at++)
			MUST(out.data[at] == '\n' || (unsigned char)out.data[at] >= ' ');
	}
	pw_buf_release(&out);
}

static void ask_types(const struct pw_facts *facts, struct pw_arena *arena)
{
	static const enum pw_type types[] = { PW_TYPE_POD, PW_TYPE_SERVICE, PW_TYPE_NODE, PW_TYPE_NAMESPACE };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct pw_input_type *type = pw_input_type(types[i]);
		struct pw_val *list = NULL, *val = NULL;

		MUST(type->candidates(facts, "default", arena, &list) == PW_OK);
		for (size_t j = 0; j < pw_val_count(list) && j < 4; j++)
			(void)type->resolve(facts, "default", pw_val_text(pw_val_at(list, j)), arena, &val, NULL);
		(void)type->resolve(facts, "default", "no-such-thing", arena, &val, NULL);
	}
}

/* The matrix and the one-port question are two ways to one answer. Pods on the host's network apart. */
static void compare(const struct pw_facts *facts, struct pw_arena *arena)
{
	struct pw_matrix *matrix = pw_matrix_new(facts, arena, NULL);
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	const struct pw_group *groups;
	size_t n_groups = matrix ? pw_matrix_groups(matrix, &groups) : 0;
	struct pw_ports_pool *pool = matrix ? pw_matrix_ports(matrix) : NULL;

	for (size_t i = 0; i < n_groups && i < 4; i++)
		for (size_t j = 0; j < n_groups && j < 4; j++) {
			struct pw_peer from = { groups[i].pods[0], NULL }, to = { groups[j].pods[0], NULL };
			struct pw_policy_answer answer;
			if (groups[i].n_pods != 1 || groups[j].n_pods != 1)
				continue;
			struct pw_reach reach = pw_matrix_allowed(matrix, &groups[i], &groups[j]);
			uint32_t web = pw_ports_range(pool, PW_TCP, 80, 80);
			pw_policy_ask(facts, &from, &to, "TCP", 80, &answer);
			if (!answer.egress.exempt[0] && !answer.ingress.exempt[0] && !answer.egress.undecidable && !answer.ingress.undecidable)
				MUST(answer.allowed == !pw_ports_empty(pool, pw_ports_and(pool, reach.allowed, web), PW_TCP));
		}
	MUST(n >= n_groups && (n == 0 || pods));
	pw_matrix_release(matrix);
}

static void build(const struct pw_val *documents, bool strict, struct pw_arena *arena)
{
	struct pw_facts *facts = pw_facts_new(arena);
	struct pw_err err = PW_ERR_INIT;
	int rc = PW_OK;

	pw_facts_set_strict(facts, strict);
	pw_facts_set_templates(facts, strict);
	for (size_t i = 0; i < pw_val_count(documents) && rc == PW_OK; i++)
		rc = pw_facts_add(facts, pw_val_at(documents, i), &err);
	MUST(rc == PW_OK || (strict && rc == PW_SYNTAX && strstr(err.text, "Policy ")));
	pw_facts_finish(facts);
	pw_facts_set_known(facts, PW_FACT_POLICIES, PW_KNOWN_YES, "");
	ask_pairs(facts, arena);
	ask_types(facts, arena);
	compare(facts, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 30);
	const struct pw_val *documents = NULL;

	if (pw_yaml_parse_all((const char *)data, size, "x.yaml", &limits, arena, NULL, &documents, NULL) != PW_OK)
		return 0;
	build(documents, false, arena);
	build(documents, true, arena);
	for (size_t i = 0; i < pw_val_count(documents); i++)
		MUST(pw_object_reduce(PW_FACT_PODS, pw_val_at(documents, i), arena));
	return 0;
}
