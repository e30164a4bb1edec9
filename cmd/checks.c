/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk checks [NAME]: what there is, or everything one check declares. */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/check.h>
#include <packetwalk/cleanup.h>

#include <doc/json.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)4 << 20)

static const char *const formats[] = { "text", "json", NULL };

static const struct { unsigned bit; const char *word; } fact_words[] = {
	{ PW_FACT_NAMESPACES, "namespaces" }, { PW_FACT_NODES, "nodes" }, { PW_FACT_PODS, "pods" },
	{ PW_FACT_SERVICES, "services" }, { PW_FACT_SLICES, "endpointslices" }, { PW_FACT_POLICIES, "networkpolicies" },
	{ PW_FACT_WORKLOADS, "workloads" }, { PW_FACT_CONFIGMAPS, "configmaps" }, { PW_FACT_EVENTS, "events" },
	{ PW_FACT_INGRESSES, "ingresses" },
};

static const struct { unsigned bit; const char *word; } need_words[] = {
	{ PW_NEEDS_NET_RAW, "net-raw" }, { PW_NEEDS_NET_ADMIN, "net-admin" }, { PW_NEEDS_ROOT_FILES, "root-files" },
	{ PW_NEEDS_QUIET, "quiet" },
};

/* ---- as a document ---- */

static void add_params(struct pw_val *map, const struct pw_check *check)
{
	struct pw_val *seq = pw_map_set_seq(map, "params");
	for (const struct pw_param *p = check->params; p && p->name; p++) {
		struct pw_val *one = pw_seq_add_map(seq);
		pw_map_set_str(one, "name", p->name);
		pw_map_set_str(one, "type", pw_type_word(p->type));
		pw_map_set_bool(one, "required", p->required != 0);
		pw_map_set_str(one, "default", p->otherwise);
		pw_map_set_str(one, "range", p->range);
		pw_map_set_str(one, "help", p->help);
	}
}

static void add_outcomes(struct pw_val *map, const struct pw_check *check)
{
	struct pw_val *seq = pw_map_set_seq(map, "outcomes");
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++) {
		struct pw_val *one = pw_seq_add_map(seq);
		pw_map_set_str(one, "outcome", o->word);
		pw_map_set_str(one, "class", pw_class_word(o->klass));
		pw_map_set_str(one, "meaning", o->meaning);
		pw_map_set_str(one, "cause", o->cause);
		pw_map_set_str(one, "next", o->next);
	}
}

static void add_evidence(struct pw_val *map, const struct pw_check *check)
{
	struct pw_val *seq = pw_map_set_seq(map, "evidence");
	for (const struct pw_evidence *e = check->evidence; e && e->name; e++) {
		struct pw_val *one = pw_seq_add_map(seq);
		pw_map_set_str(one, "name", e->name);
		pw_map_set_str(one, "type", pw_type_word(e->type));
		pw_map_set_str(one, "unit", e->unit);
		pw_map_set_str(one, "help", e->help);
	}
}

static struct pw_val *declaration(struct pw_app *app, const struct pw_check *check)
{
	struct pw_val *map = pw_val_map(app->arena);
	pw_map_set_str(map, "name", check->name);
	pw_map_set_str(map, "summary", check->summary);
	pw_map_set_str(map, "details", check->details);
	pw_map_set_str(map, "origin", pw_library_check_origin(app->library, check->name));
	pw_map_set_str(map, "effect", pw_effect_word(check->effect));
	pw_map_set_int(map, "timeout_ms", check->timeout_ms);
	struct pw_val *needs = pw_map_set_seq(map, "needs"), *facts = pw_map_set_seq(map, "facts");
	for (size_t i = 0; i < sizeof need_words / sizeof *need_words; i++)
		if (check->needs & need_words[i].bit)
			pw_seq_add_str(needs, need_words[i].word);
	for (size_t i = 0; i < sizeof fact_words / sizeof *fact_words; i++)
		if (check->facts & fact_words[i].bit)
			pw_seq_add_str(facts, fact_words[i].word);
	add_params(map, check);
	add_outcomes(map, check);
	add_evidence(map, check);
	pw_map_set_str(map, "example", check->example);
	return map;
}

static void write_json(struct pw_app *app, const struct pw_val *val)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	pw_json_write(&text, val, 2);
	pw_buf_putc(&text, '\n');
	pw_out_buf(app, &text);
}

/* ---- for people ---- */

static void heading(struct pw_app *app, struct pw_buf *out, const char *text)
{
	pw_buf_printf(out, "\n%s%s%s\n", pw_paint(&app->out, "bold"), text, pw_paint(&app->out, "off"));
}

static void say(struct pw_app *app, struct pw_buf *out, const char *lead, const char *text)
{
	if (!text)
		return;
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, TEXT_MAX);
	pw_buf_printf(&line, "%s%s", lead, text);
	pw_wrap(out, pw_buf_str(&line), 6, app->out.width);
}

static void text_params(struct pw_app *app, struct pw_buf *out, const struct pw_check *check)
{
	if (check->params && check->params->name)
		heading(app, out, "Parameters");
	for (const struct pw_param *p = check->params; p && p->name; p++) {
		pw_buf_printf(out, "  %s (%s%s%s)", p->name, pw_type_word(p->type), p->range ? ", " : "", p->range ? p->range : "");
		if (p->required)
			pw_buf_puts(out, ", required");
		else if (p->otherwise)
			pw_buf_printf(out, ", default %s", p->otherwise[0] ? p->otherwise : "empty");
		pw_buf_putc(out, '\n');
		say(app, out, "", p->help);
	}
}

static void text_outcomes(struct pw_app *app, struct pw_buf *out, const struct pw_check *check)
{
	heading(app, out, "Outcomes");
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++) {
		pw_buf_printf(out, "  %s (%s)\n", o->word, pw_class_word(o->klass));
		say(app, out, "", o->meaning);
		say(app, out, "Likely cause: ", o->cause);
		say(app, out, "Next: ", o->next);
	}
	pw_buf_puts(out, "  unknown (unknown)\n");
	say(app, out, "", "It could not be determined: no way to the place, not permitted, a deadline, a missing tool.");
}

static void text_evidence(struct pw_app *app, struct pw_buf *out, const struct pw_check *check)
{
	if (check->evidence && check->evidence->name)
		heading(app, out, "Evidence");
	for (const struct pw_evidence *e = check->evidence; e && e->name; e++) {
		pw_buf_printf(out, "  %s (%s%s%s)\n", e->name, pw_type_word(e->type), e->unit ? ", " : "", e->unit ? e->unit : "");
		say(app, out, "", e->help);
	}
}

static void text_one(struct pw_app *app, struct pw_buf *out, const struct pw_check *check)
{
	pw_buf_printf(out, "%s%s%s: %s\n", pw_paint(&app->out, "bold"), check->name, pw_paint(&app->out, "off"), check->summary);
	if (check->details) {
		pw_buf_putc(out, '\n');
		pw_wrap(out, check->details, 0, app->out.width);
	}
	pw_buf_printf(out, "\nEffect: %s. Deadline: %u ms. Origin: %s.\n", pw_effect_word(check->effect), check->timeout_ms,
		      pw_library_check_origin(app->library, check->name));
	const char *lead = "Needs: ";
	for (size_t i = 0; i < sizeof need_words / sizeof *need_words; i++)
		if (check->needs & need_words[i].bit) {
			pw_buf_printf(out, "%s%s", lead, need_words[i].word);
			lead = ", ";
		}
	if (lead[0] == ',')
		pw_buf_puts(out, ".\n");
	lead = "Reads: ";
	for (size_t i = 0; i < sizeof fact_words / sizeof *fact_words; i++)
		if (check->facts & fact_words[i].bit) {
			pw_buf_printf(out, "%s%s", lead, fact_words[i].word);
			lead = ", ";
		}
	if (lead[0] == ',')
		pw_buf_puts(out, ".\n");
	text_params(app, out, check);
	text_outcomes(app, out, check);
	text_evidence(app, out, check);
	if (check->example) {
		heading(app, out, "Example");
		pw_buf_printf(out, "  packetwalk %s\n", check->example);
	}
}

static void text_list(struct pw_app *app, struct pw_buf *out, const struct pw_check *const *checks, size_t n)
{
	size_t widest = 0;
	for (size_t i = 0; i < n; i++)
		widest = strlen(checks[i]->name) > widest ? strlen(checks[i]->name) : widest;
	for (size_t i = 0; i < n; i++)
		pw_buf_printf(out, "%-*s  %-10s  %s\n", (int)widest, checks[i]->name, pw_effect_word(checks[i]->effect), checks[i]->summary);
	if (!n)
		pw_note(app, "There are no checks: none built in, none in the plugin folders.");
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	const char *format = NULL;
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	const struct pw_check *const *checks;
	size_t n = pw_library_checks(library, &checks);
	const struct pw_check *one = app->n_words ? pw_library_find_check(library, app->words[0]) : NULL;
	if (app->n_words && !one) {
		const char *const *names;
		size_t n_names = pw_library_check_names(library, &names);
		return pw_fail_unknown(app, "check", app->words[0], names, n_names);
	}
	if (strcmp(format, "json") == 0) {
		struct pw_val *all = one ? declaration(app, one) : pw_val_seq(app->arena);
		for (size_t i = 0; !one && i < n; i++)
			pw_seq_add(all, declaration(app, checks[i]));
		write_json(app, all);
		return PW_EXIT_HEALTHY;
	}
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	if (one)
		text_one(app, &out, one);
	else
		text_list(app, &out, checks, n);
	pw_out_buf(app, &out);
	return pw_library_bad_plugins(library) ? PW_EXIT_PLAYBOOK : PW_EXIT_HEALTHY;
}

static const char *const examples[] = { "checks", "checks tcp_connect", "checks -o json", NULL };

const struct pw_cmd pw_cmd_checks = {
	.name = "checks", .summary = "list the checks, or show all that one declares", .usage = "[NAME]",
	.examples = examples, .groups = PW_OPTS_OUTPUT | PW_OPTS_PROBE, .run = run,
};
