/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inputs: typed, resolved, defaulted; and places: from `at:` to where a check runs. */
#include "tap.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <cluster/cluster.h>
#include <doc/json.h>
#include <run/inputs.h>
#include <run/where.h>

static const char objects[] =
	"{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":["
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u1\"},"
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\"}},"
	"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"api\",\"namespace\":\"shop\"},"
	"\"spec\":{\"clusterIP\":\"10.96.0.9\",\"ports\":[{\"port\":80,\"protocol\":\"TCP\"}]}},"
	"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\",\"uid\":\"un1\"},\"spec\":{\"podCIDR\":\"10.0.0.0/24\"},\"status\":{}}]}";

static const char *const colors[] = { "red", "green" };
static const struct pw_play_input inputs_decl[] = {
	{ .name = "from", .type = PW_TYPE_POD, .ask = "Who?" },
	{ .name = "to", .type = PW_TYPE_SERVICE, .ask = "Whom?" },
	{ .name = "port", .type = PW_TYPE_PORT, .otherwise = "${to.port}" },
	{ .name = "color", .type = PW_TYPE_CHOICE, .choices = colors, .n_choices = 2, .otherwise = "red" },
	{ .name = "note", .type = PW_TYPE_STR, .optional = true },
};
enum { FROM, TO, PORT, COLOR, NOTE, N };

struct world {
	struct pw_arena *arena;
	struct pw_facts *facts;
	struct pw_play play;
	struct pw_scope *scope;
	struct pw_inputs inputs;
	struct pw_err err;
};

static void set_up(struct world *w)
{
	static const struct pw_json_limits limits = { 1 << 20, 32 };
	struct pw_val *list = NULL;
	memset(w, 0, sizeof *w);
	w->arena = pw_arena_new(1 << 24);
	w->facts = pw_facts_new(w->arena);
	is_int(pw_json_parse(objects, sizeof objects - 1, NULL, &limits, w->arena, &list, NULL), PW_OK, "objects parse");
	is_int(pw_facts_add(w->facts, list, &w->err), PW_OK, w->err.text);
	pw_facts_finish(w->facts);
	w->play = (struct pw_play){ .name = "p", .inputs = inputs_decl, .n_inputs = N };
	w->scope = pw_scope_new(w->arena);
	is_int(pw_inputs_init(&w->inputs, &w->play, w->scope, w->arena, &w->err), PW_OK, "inputs are made");
	w->inputs.facts = w->facts;
	w->inputs.default_ns = "shop";
}

static const char *filled(struct world *w, const char *text)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	if (pw_scope_expand_text(w->scope, text, &out, NULL))
		return NULL;
	return pw_arena_strdup(w->arena, pw_buf_str(&out));
}

static void test_set(void)
{
	struct world w;
	set_up(&w);
	is_int(pw_inputs_set(&w.inputs, FROM, "web", "test", &w.err), PW_OK, "a pod of the default namespace");
	is_str(filled(&w, "${from} ${from.node} ${from.ip}"), "shop/web n1 10.0.0.1", "with its fields");
	is_int(pw_inputs_set(&w.inputs, FROM, "shop/wbe", "test", &w.err), PW_ABSENT, "a pod that is not there");
	is_str(w.err.text, "from: there is no pod shop/wbe; did you mean shop/web?", "is named, with the nearest");
	is_int(pw_inputs_set(&w.inputs, PORT, "99999", "test", &w.err), PW_USAGE, "a port out of range");
	is_int(pw_inputs_set(&w.inputs, COLOR, "gren", "test", &w.err), PW_USAGE, "a choice that is none");
	is_str(w.err.text, "color: 'gren' is not one of its choices; did you mean 'green'?", "with the nearest");
	is_int(pw_inputs_set(&w.inputs, COLOR, "yellowish", "test", &w.err), PW_USAGE, "one that is like none");
	is_str(w.err.text, "color: 'yellowish' is not one of red, green", "with all of them");
	w.inputs.facts = NULL;
	is_int(pw_inputs_set(&w.inputs, FROM, "shop/web", "test", &w.err), PW_UNSUPPORTED, "no cluster, no pods");
	pw_arena_free(w.arena);
}

static const char *lookup(void *arg, const char *name, const char **ret_from)
{
	(void)arg;
	*ret_from = "test";
	return strcmp(name, "to") == 0 ? "shop/api" : NULL;
}

static void test_fill(void)
{
	struct world w;
	size_t missing = 0;
	const char *text = NULL, *from = NULL;
	set_up(&w);
	is_int(pw_inputs_default(&w.inputs, PORT, &text, &from, NULL), PW_ABSENT, "a default that needs what is not set yet");
	is_int(pw_inputs_fill(&w.inputs, lookup, NULL, &missing, &w.err), PW_OK, "all that can be known is set");
	is_int(missing, 1, "one is missing");
	ok(!w.inputs.values[FROM].text, "it is the pod");
	is_str(w.inputs.values[PORT].text, "80", "the default is filled in");
	is_str(w.inputs.values[PORT].from, "from service shop/api", "and says where it came from");
	is_str(w.inputs.values[COLOR].from, "playbook default", "a plain default too");
	is_str(filled(&w, "<${note}>"), "<>", "an optional one left out is known and empty");
	is_int(pw_inputs_discover(&w.inputs, FROM, &text, &from, NULL), PW_OK, "the only pod is found");
	is_str(text, "shop/web", "by name");
	is_str(from, "the only pod there is", "and so it is called");
	is_int(pw_val_count(pw_inputs_val(&w.inputs)), 3, "the record gets what is set");
	pw_arena_free(w.arena);
}

static void test_absent(void)
{
	static const struct pw_outcome outcomes[] = { { "absent", PW_CLASS_FAIL, "m", NULL, NULL }, { NULL, PW_CLASS_OK, NULL, NULL, NULL } };
	static const struct pw_check check = { PW_CHECK_HEAD("c"), .outcomes = outcomes, .facts = PW_FACT_SERVICES };
	static struct pw_play_step step = { .id = "s", .kind = PW_STEP_CHECK };
	struct world w;
	set_up(&w);
	w.play.steps = &step;
	w.play.n_steps = 1;
	ok(!pw_inputs_may_be_absent(&w.inputs, TO), "a Service has to be there when no check tells");
	step.decl = &check;
	ok(pw_inputs_may_be_absent(&w.inputs, TO), "and may be absent when one does");
	ok(!pw_inputs_may_be_absent(&w.inputs, FROM), "a pod has to be there");
	is_int(pw_inputs_set_absent(&w.inputs, TO, "bank/api", "test", &w.err), PW_OK, "it is set");
	is_str(filled(&w, "${to} ${to.fqdn} <${to.cluster_ip}>"), "bank/api api.bank.svc.cluster.local <>", "with its name and nothing else");
	pw_arena_free(w.arena);
}

static void test_where(void)
{
	struct world w;
	struct pw_vantage v;
	set_up(&w);
	is_int(pw_inputs_set(&w.inputs, FROM, "shop/web", "test", &w.err), PW_OK, "a pod");
	is_int(pw_where(w.scope, w.facts, NULL, NULL, w.arena, &v, &w.err), PW_OK, "no place is here");
	is_int(v.kind, PW_AT_HERE, "here");
	is_int(pw_where(w.scope, w.facts, NULL, "node:n1", w.arena, &v, &w.err), PW_OK, "unless the run says where");
	is_int(v.kind, PW_AT_NODE, "a node");
	is_int(pw_where(w.scope, w.facts, "${from}", NULL, w.arena, &v, &w.err), PW_OK, "a pod by its input");
	is_int(v.kind, PW_AT_POD, "a pod");
	is_str(v.uid, "u1", "its uid comes from the cluster");
	is_str(v.node, "n1", "its node too");
	is_int(pw_where(w.scope, w.facts, "node:${from.node}", NULL, w.arena, &v, &w.err), PW_OK, "a node by a field");
	is_str(v.node, "n1", "which");
	is_int(pw_where(w.scope, w.facts, "${from.node}", NULL, w.arena, &v, &w.err), PW_OK, "a node by its name");
	is_int(v.kind, PW_AT_NODE, "is a node");
	is_int(pw_where(w.scope, w.facts, "${from.peer}", NULL, w.arena, &v, &w.err), PW_ABSENT, "an empty field is no place");
	is_str(w.err.text, "there is no place ${from.peer} here: it is empty", "and says so");
	is_int(pw_where(w.scope, w.facts, "node:${from.peer}", NULL, w.arena, &v, &w.err), PW_ABSENT, "nor is a node without a name");
	is_int(pw_where(w.scope, w.facts, "shop/nobody", NULL, w.arena, &v, &w.err), PW_ABSENT, "a pod that is not there");
	is_int(pw_where(w.scope, w.facts, "n9", NULL, w.arena, &v, &w.err), PW_ABSENT, "a node that is not there");
	struct pw_val *endpoint = pw_val_map(w.arena);
	pw_map_set_str(endpoint, "", "10.0.0.1:80");
	pw_map_set_str(endpoint, "pod", "shop/web");
	pw_scope_set(w.scope, "item", endpoint);
	is_int(pw_where(w.scope, w.facts, "${item}", NULL, w.arena, &v, &w.err), PW_OK, "an endpoint");
	is_int(v.kind, PW_AT_POD, "is its pod");
	pw_arena_free(w.arena);
}

int main(void)
{
	test_set();
	test_fill();
	test_absent();
	test_where();
	return tap_done();
}
