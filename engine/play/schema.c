/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of the playbook language, version 1. */
#include <play/schema.h>

#include <string.h>

#include <play/play.h>

#define FIELD(type, member) .at = offsetof(struct type, member)
#define LIST(type, member) .at = offsetof(struct type, member), .at_n = offsetof(struct type, n_##member)

/* ---- input ---- */

static const struct pw_schema_key input_keys[] = {
	{ .name = "type", .form = PW_FORM_TYPE, .flags = PW_KEY_REQUIRED, FIELD(pw_play_input, type),
	  .help = "What kind of value it is; the type knows how to read it, complete it and which fields it offers." },
	{ .name = "ask", .form = PW_FORM_TEXT, FIELD(pw_play_input, ask), .help = "The question a person is asked." },
	{ .name = "help", .form = PW_FORM_TEXT, FIELD(pw_play_input, help), .help = "What `?` explains at the prompt." },
	{ .name = "default", .form = PW_FORM_TEMPLATE, FIELD(pw_play_input, otherwise),
	  .help = "What it is unless said; may use the inputs above it." },
	{ .name = "optional", .form = PW_FORM_BOOL, FIELD(pw_play_input, optional), .help = "true: it may be left out, and is empty then." },
	{ .name = "choices", .form = PW_FORM_TEXTS, LIST(pw_play_input, choices), .help = "The possible values of an input of type choice." },
	{ .name = NULL },
};

const struct pw_schema pw_schema_input = {
	.name = "input", .help = "A typed value the playbook needs: answered, passed or discovered.",
	.size = sizeof(struct pw_play_input), .at_id = offsetof(struct pw_play_input, name),
	.at_place = offsetof(struct pw_play_input, place), .keys = input_keys,
};

/* ---- edge ---- */

static const struct pw_schema_key edge_keys[] = {
	{ .name = "go", .form = PW_FORM_STEP, FIELD(pw_play_edge, go), .help = "The step that comes next." },
	{ .name = "verdict", .form = PW_FORM_VERDICT, FIELD(pw_play_edge, verdict), .help = "The verdict the walk ends in; callee: that of the playbook the step called." },
	{ .name = "clears", .form = PW_FORM_CLAIMS, LIST(pw_play_edge, clears), .help = "Layers, or components of them, that this outcome rules out." },
	{ .name = "suspects", .form = PW_FORM_CLAIMS, LIST(pw_play_edge, suspects), .help = "Layers, or components of them, that this outcome points to." },
	{ .name = "says", .form = PW_FORM_TEMPLATE, FIELD(pw_play_edge, says), .help = "Why the walk goes this way." },
	{ .name = NULL },
};

static const char *const edge_one_of[] = { "go", "verdict", NULL };

const struct pw_schema pw_schema_edge = {
	.name = "edge", .help = "Where the walk goes on an outcome, and what that clears or suspects.",
	.size = sizeof(struct pw_play_edge), .keys = edge_keys, .one_of = edge_one_of,
};

/* ---- step ---- */

static const struct pw_schema_key step_keys[] = {
	{ .name = "title", .form = PW_FORM_TEXT, FIELD(pw_play_step, title), .help = "What the step does, in a few words." },
	{ .name = "why", .form = PW_FORM_TEXT, FIELD(pw_play_step, why), .help = "Why it is done here: what its answer separates." },
	{ .name = "hop", .form = PW_FORM_TEXT, FIELD(pw_play_step, hop), .help = "The component on the packet's path that it looks at." },
	{ .name = "check", .form = PW_FORM_CHECK, FIELD(pw_play_step, check), .help = "The check that makes the observation (`packetwalk checks`)." },
	{ .name = "at", .form = PW_FORM_TEMPLATE, FIELD(pw_play_step, at), .needs = "check",
	  .help = "Where the check runs: ${a pod}, ${a node}, here, node:NAME, netns:PATH, pid:N, uid:POD-UID. Without it: here." },
	{ .name = "with", .form = PW_FORM_VALUES, FIELD(pw_play_step, with), .needs = "check", .help = "The parameters of the check." },
	{ .name = "for", .form = PW_FORM_TEMPLATE, FIELD(pw_play_step, for_each), .needs = "check",
	  .help = "A list: the check runs once per item. The step ends in every-OUTCOME, mixed, unknown, skipped or empty." },
	{ .name = "as", .form = PW_FORM_NAME, FIELD(pw_play_step, as), .needs = "for", .help = "What the item is called in ${...}; item unless said." },
	{ .name = "timeout", .form = PW_FORM_DURATION, FIELD(pw_play_step, timeout_ms), .needs = "check", .help = "The deadline, if not the check's own." },
	{ .name = "ask", .form = PW_FORM_TEMPLATE, FIELD(pw_play_step, ask), .help = "A question that a person answers." },
	{ .name = "answers", .form = PW_FORM_NAMES, LIST(pw_play_step, answers), .needs = "ask", .help = "The possible answers. not-sure is always one." },
	{ .name = "playbook", .form = PW_FORM_NAME, FIELD(pw_play_step, playbook),
	  .help = "Another playbook to walk here. The step ends in fault, healthy or inconclusive." },
	{ .name = "given", .form = PW_FORM_VALUES, FIELD(pw_play_step, with), .needs = "playbook",
	  .help = "The inputs of that playbook; those of the same name are passed on without." },
	{ .name = "asks", .form = PW_FORM_NAMES, LIST(pw_play_step, asks), .needs = "playbook",
	  .help = "Inputs of that playbook that a person is asked for when they are not given. Without a person the step ends inconclusive." },
	{ .name = "on", .form = PW_FORM_EDGES, .flags = PW_KEY_REQUIRED, LIST(pw_play_step, edges), .of = &pw_schema_edge,
	  .help = "What follows: an outcome, a list of outcomes [a, b], or else." },
	{ .name = NULL },
};

static const char *const step_one_of[] = { "check", "ask", "playbook", NULL };

const struct pw_schema pw_schema_step = {
	.name = "step", .help = "A node of the tree: a check, a question to a person, or another playbook.",
	.size = sizeof(struct pw_play_step), .at_id = offsetof(struct pw_play_step, id),
	.at_place = offsetof(struct pw_play_step, place), .keys = step_keys, .one_of = step_one_of,
};

/* ---- verdict ---- */

static const struct pw_schema_key verdict_keys[] = {
	{ .name = "layer", .form = PW_FORM_LAYER, .flags = PW_KEY_REQUIRED, FIELD(pw_play_verdict, layer),
	  .help = "The layer where the change that heals the fault has to be made; none: healthy; unknown: not decided." },
	{ .name = "component", .form = PW_FORM_COMPONENT, FIELD(pw_play_verdict, component), .help = "The component of that layer." },
	{ .name = "hop", .form = PW_FORM_TEXT, FIELD(pw_play_verdict, hop), .help = "The hop that breaks; that of the deciding step unless said." },
	{ .name = "says", .form = PW_FORM_TEMPLATE, .flags = PW_KEY_REQUIRED, FIELD(pw_play_verdict, says), .help = "What was found, in plain words." },
	{ .name = "do", .form = PW_FORM_TEMPLATES, LIST(pw_play_verdict, actions), .help = "What to do about it, first things first." },
	{ .name = "settle", .form = PW_FORM_TEMPLATE, FIELD(pw_play_verdict, settle), .help = "Layer unknown: the observation that would decide." },
	{ .name = "could-be", .form = PW_FORM_CLAIMS, LIST(pw_play_verdict, could_be), .help = "Layer unknown: the causes that were not told apart." },
	{ .name = NULL },
};

const struct pw_schema pw_schema_verdict = {
	.name = "verdict", .help = "An end of the walk: which layer and component, what it means and what to do.",
	.size = sizeof(struct pw_play_verdict), .at_id = offsetof(struct pw_play_verdict, id),
	.at_place = offsetof(struct pw_play_verdict, place), .keys = verdict_keys,
};

/* ---- test ---- */

static const struct pw_schema_key expect_keys[] = {
	{ .name = "verdict", .form = PW_FORM_VERDICT_ID, .flags = PW_KEY_REQUIRED, FIELD(pw_play_test, verdict), .help = "The verdict the walk must end in." },
	{ .name = "path", .form = PW_FORM_STEP_IDS, LIST(pw_play_test, path), .help = "The steps it must take, all of them, in order." },
	{ .name = NULL },
};

const struct pw_schema pw_schema_expect = { .name = "expect", .help = "What must come out.", .keys = expect_keys };

static const struct pw_schema_key test_keys[] = {
	{ .name = "given", .form = PW_FORM_GIVEN, .flags = PW_KEY_REQUIRED, FIELD(pw_play_test, given),
	  .help = "Inputs by name, `outcomes` (step: outcome) for every step the walk reaches, and `evidence` (step: {key: value}) if it matters." },
	{ .name = "expect", .form = PW_FORM_RECORD, .flags = PW_KEY_REQUIRED, .of = &pw_schema_expect, .help = "What must come out." },
	{ .name = NULL },
};

const struct pw_schema pw_schema_test = {
	.name = "test", .help = "A case of the playbook's own: outcomes in, path and verdict out.",
	.size = sizeof(struct pw_play_test), .at_place = offsetof(struct pw_play_test, place), .keys = test_keys,
};

/* ---- playbook ---- */

static const char *const directions[] = { "east-west", "north-south", "any", NULL };

static const struct pw_schema_key playbook_keys[] = {
	{ .name = "packetwalk", .form = PW_FORM_VERSION, .flags = PW_KEY_REQUIRED, .help = "The version of the language: 1." },
	{ .name = "name", .form = PW_FORM_NAME, .flags = PW_KEY_REQUIRED, FIELD(pw_play, name), .help = "The playbook's name, that of its file." },
	{ .name = "title", .form = PW_FORM_TEXT, .flags = PW_KEY_REQUIRED, FIELD(pw_play, title), .help = "The problem, in the words of who has it." },
	{ .name = "about", .form = PW_FORM_TEXT, FIELD(pw_play, about), .help = "A longer description." },
	{ .name = "symptoms", .form = PW_FORM_TEXTS, LIST(pw_play, symptoms), .help = "What is seen; the wizard picks the playbook by these." },
	{ .name = "direction", .form = PW_FORM_WORD, FIELD(pw_play, direction), .words = directions, .help = "Which way the traffic goes." },
	{ .name = "inputs", .form = PW_FORM_TABLE, LIST(pw_play, inputs), .of = &pw_schema_input, .help = "The values the playbook needs, in the order they are asked for." },
	{ .name = "start", .form = PW_FORM_STEP, .flags = PW_KEY_REQUIRED, FIELD(pw_play, start), .help = "The first step." },
	{ .name = "steps", .form = PW_FORM_TABLE, .flags = PW_KEY_REQUIRED, LIST(pw_play, steps), .of = &pw_schema_step, .help = "The steps, by name." },
	{ .name = "verdicts", .form = PW_FORM_TABLE, LIST(pw_play, verdicts), .of = &pw_schema_verdict, .help = "The verdicts, by name." },
	{ .name = "tests", .form = PW_FORM_RECORDS, LIST(pw_play, tests), .of = &pw_schema_test, .help = "The playbook's own cases, run by `packetwalk test`." },
	{ .name = NULL },
};

const struct pw_schema pw_schema_playbook = { .name = "playbook", .help = "A decision tree of packetwalk.", .keys = playbook_keys };

/* ---- words ---- */

const struct pw_schema_key *pw_schema_find(const struct pw_schema *schema, const char *name)
{
	for (const struct pw_schema_key *key = schema->keys; key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}

const char *pw_form_says(enum pw_form form)
{
	switch (form) {
	case PW_FORM_VERSION: return "the number of a language version";
	case PW_FORM_NAME: return "a name";
	case PW_FORM_TEXT: return "text";
	case PW_FORM_TEMPLATE: return "text, with ${...}";
	case PW_FORM_BOOL: return "true or false";
	case PW_FORM_DURATION: return "a duration such as 500ms, 2s or 1m30s";
	case PW_FORM_WORD: return "a word";
	case PW_FORM_TYPE: return "an input type";
	case PW_FORM_LAYER: return "a layer, none or unknown";
	case PW_FORM_COMPONENT: return "a component";
	case PW_FORM_CHECK: return "the name of a check";
	case PW_FORM_STEP: return "the name of a step";
	case PW_FORM_VERDICT: case PW_FORM_VERDICT_ID: return "the name of a verdict";
	case PW_FORM_TEXTS: return "text or a list of texts";
	case PW_FORM_TEMPLATES: return "text or a list of texts, with ${...}";
	case PW_FORM_NAMES: return "a name or a list of names";
	case PW_FORM_STEP_IDS: return "a list of steps";
	case PW_FORM_CLAIMS: return "layer or layer/component, or a list of them";
	case PW_FORM_VALUES: return "a map of values, with ${...}";
	case PW_FORM_GIVEN: return "a map of inputs, outcomes and evidence";
	case PW_FORM_RECORD: return "a map";
	case PW_FORM_TABLE: return "a map of names";
	case PW_FORM_RECORDS: return "a list of maps";
	case PW_FORM_EDGES: return "a map of outcomes";
	}
	return "a value";
}

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool pw_is_name(const char *text)
{
	if (text[0] < 'a' || text[0] > 'z' || strlen(text) > PW_NAME_MAX)
		return false;
	for (const char *p = text; *p; p++)
		if (!plain(*p) && ((*p != '-' && *p != '_') || !plain(p[1])))
			return false;
	return true;
}
