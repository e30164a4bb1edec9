/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Case files of judges: read, made into facts, parameters and an observation, and judged. */
#include "case.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cluster/cluster.h>
#include <cluster/source/source.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>
#include <vantage/executor.h>

#define FOLDER "tests/checks"

enum { FILE_MAX = 4 << 20, ALL_FACTS = (PW_FACT_INGRESSES << 1) - 1 };

static int bad(struct pw_err *err, struct pw_place place, const char *text, const char *word)
{
	return pw_err_at(err, PW_SYNTAX, place.file, place.line, place.col, "%s%s%s", text, *word ? " " : "", word);
}

/* ---- YAML read as JSON would be ---- */

static bool looks_whole(const char *text)
{
	const char *digits = text + (*text == '-');
	size_t n = strspn(digits, "0123456789");
	return n && !digits[n] && (n == 1 || *digits != '0');
}

static bool looks_real(const char *text)
{
	char *end;
	(void)strtod(text, &end);
	return strchr(text, '.') && !text[strspn(text, "-0123456789.")] && isdigit((unsigned char)*(end - 1)) && !*end;
}

static struct pw_val *typed_scalar(struct pw_arena *arena, const struct pw_val *val)
{
	const char *text = pw_val_text(val);
	if (!pw_val_quoted(val) && (!strcmp(text, "true") || !strcmp(text, "false")))
		return pw_val_bool(arena, *text == 't');
	if (!pw_val_quoted(val) && looks_whole(text))
		return pw_val_int(arena, strtoll(text, NULL, 10));
	if (!pw_val_quoted(val) && looks_real(text))
		return pw_val_real(arena, strtod(text, NULL));
	return pw_val_str(arena, text);
}

static struct pw_val *typed(struct pw_arena *arena, const struct pw_val *val)
{
	struct pw_val *ret;
	switch (pw_val_kind(val)) {
	case PW_VAL_STR:
		return typed_scalar(arena, val);
	case PW_VAL_SEQ:
		ret = pw_val_seq(arena);
		for (size_t i = 0; i < pw_val_count(val); i++)
			pw_seq_add(ret, typed(arena, pw_val_at(val, i)));
		return ret;
	case PW_VAL_MAP:
		ret = pw_val_map(arena);
		for (size_t i = 0; i < pw_val_count(val); i++)
			pw_map_set(ret, pw_map_key(val, i), typed(arena, pw_val_at(val, i)));
		return ret;
	default:
		return pw_val_copy(arena, val);
	}
}

static int load_yaml(struct pw_arena *arena, const char *path, const struct pw_val **ret, struct pw_err *err)
{
	PW_CLEAN_FREE char *text = NULL;
	size_t len;
	struct pw_diags *diags = pw_diags_new(arena);
	int rc = pw_file_read(path, FILE_MAX, &text, &len, err);
	if (rc == PW_OK)
		rc = pw_yaml_parse(text, len, pw_arena_strdup(arena, path), &pw_yaml_bundle_limits, arena, diags, ret, err);
	if (rc == PW_OK && pw_diags_count(diags, -1))
		return bad(err, pw_diags_at(diags, 0)->place, pw_diags_at(diags, 0)->text, "");
	return rc;
}

/* ---- a case ---- */

static int add_fixture(struct pw_arena *arena, const struct pw_val *name, struct pw_val *objects, struct pw_err *err)
{
	const struct pw_val *list = NULL;
	const char *path = pw_arena_printf(arena, FOLDER "/cluster/%s.yaml", pw_val_text(name));
	int rc = load_yaml(arena, path, &list, err);
	if (rc < 0)
		return rc;
	if (!pw_val_is(list, PW_VAL_SEQ))
		return bad(err, pw_val_place(list), "a fixture is a list of objects", "");
	for (size_t i = 0; i < pw_val_count(list); i++)
		pw_seq_add(objects, typed(arena, pw_val_at(list, i)));
	return PW_OK;
}

/* A fixture stands first, so that the objects of the case itself replace its. */
static int take_cluster(struct pw_arena *arena, const struct pw_val *cluster, struct judge_case *c, struct pw_err *err)
{
	struct pw_val *objects = pw_val_seq(arena);
	const struct pw_val *fixture = pw_val_is(cluster, PW_VAL_SEQ) ? pw_val_at(cluster, 0) : cluster;
	bool has_fixture = pw_val_is(fixture, PW_VAL_STR);
	int rc = has_fixture ? add_fixture(arena, fixture, objects, err) : PW_OK;
	c->n_shared = pw_val_count(objects);
	for (size_t i = has_fixture; rc == PW_OK && pw_val_is(cluster, PW_VAL_SEQ) && i < pw_val_count(cluster); i++) {
		if (!pw_val_is(pw_val_at(cluster, i), PW_VAL_MAP))
			return bad(err, pw_val_place(pw_val_at(cluster, i)), "an object is a map, and a fixture stands first", "");
		pw_seq_add(objects, typed(arena, pw_val_at(cluster, i)));
	}
	c->objects = objects;
	return rc;
}

static int check_keys(const struct pw_val *map, const char *const *keys, struct pw_err *err)
{
	for (size_t i = 0; i < pw_val_count(map); i++) {
		const char *const *k = keys;
		while (*k && strcmp(*k, pw_map_key(map, i)) != 0)
			k++;
		if (!*k)
			return bad(err, pw_map_key_place(map, i), "unknown key", pw_map_key(map, i));
	}
	return PW_OK;
}

static int take_case(const struct pw_check *check, struct pw_arena *arena, const struct pw_val *map, struct judge_case *c, struct pw_err *err)
{
	static const char *const keys[] = { "title", "params", "cluster", "unknown", "partly", "observation", "expect", NULL };
	static const char *const expect_keys[] = { "outcome", "says", "evidence", NULL };
	const struct pw_val *expect = pw_map_get(map, "expect");
	const char *outcome = pw_map_str(expect, "outcome", "");
	int rc = check_keys(map, keys, err);
	if (rc == PW_OK)
		rc = check_keys(expect, expect_keys, err);
	if (rc < 0)
		return rc;
	*c = (struct judge_case){ .title = pw_map_str(map, "title", NULL), .line = pw_val_place(map).line };
	if (!c->title)
		return bad(err, pw_val_place(map), "a case has a title", "");
	if (strcmp(outcome, PW_OUTCOME_UNKNOWN) && !pw_outcome_find(check, outcome))
		return bad(err, pw_val_place(map), "the expected outcome is not declared:", outcome);
	if (!pw_val_is(pw_map_get(map, "observation"), check->probe ? PW_VAL_MAP : PW_VAL_NULL))
		return bad(err, pw_val_place(map), check->probe ? "this check has a probe, so a case has an observation" :
			   "this check has no probe, so a case has no observation", "");
	c->params = typed(arena, pw_map_get(map, "params"));
	c->observation = check->probe ? typed(arena, pw_map_get(map, "observation")) : pw_val_map(arena);
	c->unknown = pw_map_get(map, "unknown");
	c->partly = pw_map_get(map, "partly");
	c->expect = typed(arena, expect);
	return take_cluster(arena, pw_map_get(map, "cluster"), c, err);
}

int judge_load(const struct pw_check *check, struct pw_arena *arena, struct judge_case **ret, size_t *ret_count, struct pw_err *err)
{
	const struct pw_val *list = NULL;
	const char *path = pw_arena_printf(arena, FOLDER "/%s.yaml", check->name);
	int rc = load_yaml(arena, path, &list, err);
	if (rc < 0)
		return rc;
	size_t n = pw_val_count(list);
	if (!pw_val_is(list, PW_VAL_SEQ) || !n)
		return pw_err_at(err, PW_SYNTAX, path, 1, 1, "no cases: a list of them is wanted");
	struct judge_case *cases = pw_arena_array(arena, n, sizeof *cases);
	for (size_t i = 0; cases && rc == PW_OK && i < n; i++)
		rc = take_case(check, arena, pw_val_at(list, i), &cases[i], err);
	if (rc == PW_OK && pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for the cases of %s", check->name);
	*ret = cases;
	*ret_count = n;
	return rc;
}

/* ---- facts ---- */

static bool listed(const struct pw_val *words, const char *word)
{
	for (size_t i = 0; i < pw_val_count(words); i++)
		if (!strcmp(pw_val_text(pw_val_at(words, i)) ? pw_val_text(pw_val_at(words, i)) : "", word))
			return true;
	return false;
}

struct pw_facts *judge_facts(const struct pw_check *check, const struct judge_case *c, const struct pw_val *objects,
			     struct pw_arena *arena, struct pw_err *err)
{
	struct pw_facts *facts = pw_facts_new(arena);
	int rc = facts ? PW_OK : pw_err_set(err, PW_NOMEM, "no memory for the facts");
	for (size_t i = 0; rc == PW_OK && i < pw_val_count(objects); i++) {
		const struct pw_val *object = pw_val_at(objects, i);
		enum pw_fact kind = pw_fact_of_kind(pw_map_str(object, "kind", NULL), NULL);
		if (!kind || !listed(c->unknown, pw_fact_word(kind)))
			rc = pw_facts_add(facts, object, err);
	}
	if (rc < 0)
		return NULL;
	pw_facts_finish(facts);
	for (unsigned kind = 1; kind & ALL_FACTS; kind <<= 1) {
		const char *word = pw_fact_word((enum pw_fact)kind);
		if (listed(c->unknown, word))
			pw_facts_set_known(facts, (enum pw_fact)kind, PW_KNOWN_DENIED, pw_arena_printf(arena, "%s may not be listed", word));
		else if (listed(c->partly, word))
			pw_facts_set_known(facts, (enum pw_fact)kind, PW_KNOWN_PART, pw_arena_printf(arena, "not all %s may be listed", word));
		else if (check->facts & kind)
			pw_facts_set_known(facts, (enum pw_fact)kind, PW_KNOWN_YES, "");
	}
	return facts;
}

/* ---- a run ---- */

void judge_run(const struct pw_check *check, const struct pw_val *params, const struct pw_facts *facts, const struct pw_val *observation,
	       struct pw_arena *arena, struct judge_run *ret)
{
	struct pw_val *complete = NULL;
	*ret = (struct judge_run){ .err = PW_ERR_INIT };
	ret->rc = pw_params_check(check, params, arena, &complete, &ret->err);
	if (ret->rc < 0)
		return;
	pw_ctx_init(&ret->ctx, check, complete, facts, arena, check->timeout_ms);
	pw_result_init(&ret->result, check, arena);
	ret->rc = pw_judge(&ret->ctx, observation, &ret->result, &ret->err);
}

const char *judge_outcome(const struct judge_run *run)
{
	if (run->rc < 0)
		return "";
	return run->result.outcome ? run->result.outcome->word : PW_OUTCOME_UNKNOWN;
}

static bool fits(enum pw_type type, const struct pw_val *val)
{
	switch (type) {
	case PW_TYPE_INT: case PW_TYPE_PORT: return pw_val_is(val, PW_VAL_INT);
	case PW_TYPE_REAL: return pw_val_is(val, PW_VAL_REAL);
	case PW_TYPE_BOOL: return pw_val_is(val, PW_VAL_BOOL);
	case PW_TYPE_LIST: return pw_val_is(val, PW_VAL_SEQ);
	case PW_TYPE_MAP: return pw_val_is(val, PW_VAL_MAP);
	default: return pw_val_is(val, PW_VAL_STR);
	}
}

int judge_evidence_types(const struct pw_check *check, const struct pw_val *evidence, struct pw_err *err)
{
	for (const struct pw_evidence *e = check->evidence; e && e->name; e++) {
		const struct pw_val *val = pw_map_get(evidence, e->name);
		if (val && !fits(e->type, val))
			return pw_err_set(err, PW_INTERNAL, "the evidence \"%s\" is declared as %s and is not", e->name, pw_type_word(e->type));
	}
	return PW_OK;
}
