/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is happening, on stderr: a status line on a terminal, one line per finished step elsewhere. */
#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <out/kit/kit.h>

#include "walk.h"

#define LINE_MAX_BYTES 65536

struct pw_out_style pw_stream_style(const struct pw_stream *stream)
{
	return (struct pw_out_style){ .color = stream->color, .utf8 = stream->utf8, .width = stream->width };
}

static bool can_move(const struct pw_stream *stream)
{
	const char *term = getenv("TERM");
	return stream->tty && term && *term && strcmp(term, "dumb") != 0;
}

void pw_progress_clear(struct pw_walk_run *run)
{
	static const char erase[] = "\r\033[K";
	if (run->status_line)
		pw_stream_write(&run->app->err, erase, sizeof erase - 1);
	run->status_line = false;
}

/* Cut to one line of the terminal: a line that folds can not be taken away again. */
static void status(struct pw_walk_run *run, const char *text)
{
	struct pw_stream *err = &run->app->err;
	struct pw_out_style style = pw_stream_style(err);
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, LINE_MAX_BYTES);
	pw_kit_clean(&line, text, &style);
	size_t end = line.len;
	if (end > err->width - 4) {
		end = err->width - 4;
		while (end > 0 && ((unsigned char)pw_buf_str(&line)[end] & 0xc0) == 0x80)
			end--;
	}
	pw_progress_clear(run);
	pw_stream_write(err, pw_buf_str(&line), end);
	pw_stream_write(err, "...", 3);
	run->status_line = true;
}

static void line(struct pw_walk_run *run, const char *text)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, LINE_MAX_BYTES);
	pw_buf_puts(&out, text);
	pw_progress_clear(run);
	pw_stream_write(&run->app->err, pw_buf_str(&out), out.len);
}

static const char *name_of(const struct pw_play_step *step) { return step->title && *step->title ? step->title : step->id; }

static void step_begins(struct pw_walk_run *run, const struct pw_driver_event *event)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, LINE_MAX_BYTES);
	if (run->guided && event->step->kind != PW_STEP_ASK) {
		struct pw_out_style style = pw_stream_style(&run->app->err);
		pw_buf_printf(&text, "\n%s", pw_kit_paint(&style, "bold"));
		pw_kit_fold(&text, name_of(event->step), 0, 0, &style);
		pw_buf_puts(&text, pw_kit_paint(&style, "off"));
		if (event->step->why) {
			pw_buf_puts(&text, "  Why: ");
			pw_kit_fold(&text, event->step->why, 7, 7, &style);
		}
		if (event->step->hop) {
			pw_buf_puts(&text, "  Hop: ");
			pw_kit_fold(&text, event->step->hop, 7, 7, &style);
		}
		line(run, pw_buf_str(&text));
	} else if (event->step->kind == PW_STEP_CHECK && can_move(&run->app->err)) {
		pw_buf_puts(&text, name_of(event->step));
		if (event->left_worst > 1)
			pw_buf_printf(&text, " (%u to %u steps left)", event->left_best, event->left_worst);
		status(run, pw_buf_str(&text));
	}
}

static void waiting(struct pw_walk_run *run, const struct pw_driver_event *event)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, LINE_MAX_BYTES);
	pw_buf_printf(&text, "waiting for %s, %u s of at most %u s", event->text, event->elapsed_ms / 1000, (event->limit_ms + 999) / 1000);
	if (can_move(&run->app->err)) {
		status(run, pw_buf_str(&text));
		return;
	}
	pw_buf_putc(&text, '\n');
	line(run, pw_buf_str(&text));
}

static void step_ended(struct pw_walk_run *run, const struct pw_driver_event *event)
{
	struct pw_out_style style = pw_stream_style(&run->app->err);
	const struct pw_step_result *result = event->result;
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, LINE_MAX_BYTES);
	if (run->app->err.tty) {
		pw_kit_step_lines(result, &style, &text);
	} else { /* one line, however long: a log is searched, not read */
		pw_buf_printf(&text, "%-7s ", pw_kit_class_word(result->klass));
		pw_kit_clean(&text, result->id, &style);
		pw_buf_puts(&text, ": ");
		pw_kit_clean(&text, result->says, &style);
		pw_buf_putc(&text, '\n');
	}
	line(run, pw_buf_str(&text));
}

/* The layers by state, the gravest first: how the circle narrows. */
static void narrowed(struct pw_walk_run *run, const struct pw_driver_event *event)
{
	static const struct { enum pw_ledger_state state; const char *word; } states[] = {
		{ PW_LEDGER_AT_FAULT, "at fault" }, { PW_LEDGER_SUSPECTED, "suspected" }, { PW_LEDGER_UNTESTED, "open" },
		{ PW_LEDGER_CLEARED, "cleared" },
	};
	struct pw_out_style style = pw_stream_style(&run->app->err);
	PW_CLEAN_BUF struct pw_buf text, out;
	pw_buf_init(&text, LINE_MAX_BYTES);
	pw_buf_init(&out, LINE_MAX_BYTES);
	for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
		bool any = false;
		for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
			if (event->ledger->rows[layer].state != states[s].state)
				continue;
			pw_buf_printf(&text, "%s%s%s%s", any || !text.len ? "" : "; ", any ? ", " : states[s].word, any ? "" : ": ",
				      pw_layer_word((enum pw_layer)layer));
			any = true;
		}
	}
	pw_buf_puts(&out, "  Layers:  ");
	pw_kit_fold(&out, pw_buf_str(&text), 11, 11, &style);
	line(run, pw_buf_str(&out));
}

void pw_progress_event(struct pw_walk_run *run, const struct pw_driver_event *event)
{
	if (pw_app_quiet(run->app))
		return;
	switch (event->kind) {
	case PW_EV_STEP:
		step_begins(run, event);
		break;
	case PW_EV_WAIT:
		waiting(run, event);
		break;
	case PW_EV_RESULT:
		step_ended(run, event);
		break;
	case PW_EV_EDGE:
		if (run->guided)
			narrowed(run, event);
		break;
	case PW_EV_ENTER:
		pw_progress_clear(run);
		pw_note(run->app, "-> playbook %s: %s", event->play->name, event->play->title ? event->play->title : "");
		break;
	case PW_EV_LEAVE:
		pw_progress_clear(run);
		break;
	}
}
