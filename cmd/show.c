/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk show PLAYBOOK: its inputs, steps and verdicts, as the walker sees them. */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/json.h>
#include <out/kit/kit.h>
#include <play/play.h>

#include "main/library.h"
#include "main/walk.h"

#define TEXT_MAX ((size_t)16 << 20)

static const char *const formats[] = { "text", "yaml", NULL };

struct page { struct pw_app *app; const struct pw_play *play; struct pw_out_style style; struct pw_buf *out; };

static void heading(const struct page *page, const char *text)
{
	pw_buf_printf(page->out, "\n%s%s%s\n", pw_kit_paint(&page->style, "bold"), text, pw_kit_paint(&page->style, "off"));
}

static void field(const struct page *page, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	pw_buf_printf(page->out, "      %-8s", label);
	pw_kit_fold(page->out, text, 14, 14, &page->style);
}

static void inputs(const struct page *page)
{
	if (page->play->n_inputs)
		heading(page, "Inputs");
	for (size_t i = 0; i < page->play->n_inputs; i++) {
		const struct pw_play_input *input = &page->play->inputs[i];
		pw_buf_printf(page->out, "  %s (%s%s)\n", input->name, pw_type_word(input->type), input->optional ? ", optional" : "");
		field(page, "asks", input->ask);
		field(page, "default", input->otherwise);
		field(page, "help", input->help);
	}
}

static void claims(struct pw_buf *out, const char *lead, const struct pw_play_claim *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pw_buf_printf(out, "%s%s%s%s", i ? ", " : lead, pw_layer_word(list[i].layer), list[i].component ? "/" : "",
			      list[i].component ? list[i].component : "");
}

static void edges(const struct page *page, const struct pw_play_step *step)
{
	for (size_t i = 0; i < step->n_edges; i++) {
		const struct pw_play_edge *edge = &step->edges[i];
		PW_CLEAN_BUF struct pw_buf line;
		pw_buf_init(&line, 65536);
		for (size_t k = 0; k < edge->n_outcomes; k++)
			pw_buf_printf(&line, "%s%s", k ? ", " : "", edge->outcomes[k]);
		if (!edge->n_outcomes)
			pw_buf_puts(&line, "else");
		if (edge->go >= 0)
			pw_buf_printf(&line, " -> %s", page->play->steps[edge->go].id);
		else if (edge->verdict >= 0)
			pw_buf_printf(&line, " -> verdict %s", page->play->verdicts[edge->verdict].id);
		else
			pw_buf_printf(&line, " -> verdict of %s", step->playbook ? step->playbook : "the called playbook");
		claims(&line, "; clears ", edge->clears, edge->n_clears);
		claims(&line, "; suspects ", edge->suspects, edge->n_suspects);
		field(page, i ? "" : "on", pw_buf_str(&line));
	}
}

static void step(const struct page *page, const struct pw_play_step *s)
{
	pw_buf_printf(page->out, "  %s%s%s: ", pw_kit_paint(&page->style, "bold"), s->id, pw_kit_paint(&page->style, "off"));
	pw_kit_fold(page->out, s->title ? s->title : "", (unsigned)strlen(s->id) + 4, 6, &page->style);
	field(page, "why", s->why);
	field(page, "hop", s->hop);
	if (s->kind == PW_STEP_CHECK) {
		PW_CLEAN_BUF struct pw_buf line;
		pw_buf_init(&line, 65536);
		pw_buf_printf(&line, "%s%s%s%s", s->check, s->decl ? " (" : "", s->decl ? pw_effect_word(s->decl->effect) : "", s->decl ? ")" : "");
		field(page, "check", pw_buf_str(&line));
	}
	field(page, "asks", s->ask);
	field(page, "calls", s->playbook);
	field(page, "at", s->at);
	field(page, "for", s->for_each);
	if (s->with) {
		PW_CLEAN_BUF struct pw_buf line;
		pw_buf_init(&line, 65536);
		pw_json_write(&line, s->with, 0);
		field(page, "with", pw_buf_str(&line));
	}
	edges(page, s);
}

static void verdict(const struct page *page, const struct pw_play_verdict *v)
{
	pw_buf_printf(page->out, "  %s (%s%s%s)\n", v->id, pw_layer_word(v->layer), v->component ? ", " : "", v->component ? v->component : "");
	field(page, "says", v->says);
	for (size_t i = 0; i < v->n_actions; i++)
		field(page, i ? "" : "do", v->actions[i]);
	field(page, "settle", v->settle);
}

static void write_text(const struct page *page)
{
	const struct pw_play *play = page->play;
	pw_buf_printf(page->out, "%s%s%s: ", pw_kit_paint(&page->style, "bold"), play->name, pw_kit_paint(&page->style, "off"));
	pw_kit_fold(page->out, play->title ? play->title : "", (unsigned)strlen(play->name) + 2, 2, &page->style);
	if (play->about)
		pw_kit_fold(page->out, play->about, 0, 0, &page->style);
	pw_buf_printf(page->out, "From %s. %zu steps, %zu verdicts, %zu tests.\n", play->file, play->n_steps, play->n_verdicts, play->n_tests);
	inputs(page);
	heading(page, "Steps");
	for (size_t i = 0; i < play->n_steps; i++)
		step(page, &play->steps[((size_t)play->start + i) % play->n_steps]);
	heading(page, "Verdicts");
	for (size_t i = 0; i < play->n_verdicts; i++)
		verdict(page, &play->verdicts[i]);
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	const char *format = NULL;
	const struct pw_play *play = NULL;
	if (app->n_words != 1)
		return pw_fail(app, PW_EXIT_USAGE, "show takes one playbook; 'packetwalk playbooks' lists them");
	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	int code = pw_library_load(app, app->words[0], &play);
	if (code)
		return code;
	if (strcmp(format, "yaml") == 0) {
		pw_stream_write(&app->out, play->source, play->source_len);
		return PW_EXIT_HEALTHY;
	}
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	struct page page = { app, play, pw_stream_style(&app->out), &out };
	write_text(&page);
	pw_out_buf(app, &out);
	return PW_EXIT_HEALTHY;
}

static const char *const examples[] = { "show pod-to-service", "show pod-to-service -o yaml > mine.yaml", NULL };

const struct pw_cmd pw_cmd_show = {
	.name = "show", .summary = "show a playbook: inputs, steps, edges, verdicts", .usage = "PLAYBOOK",
	.details = "-o yaml writes its source, to start one's own from.",
	.examples = examples, .run = run, .groups = PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE,
};
