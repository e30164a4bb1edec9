/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -o markdown: to paste into an issue, a chat or a job summary. */
#include <string.h>

#include <base/text.h>
#include <out/kit/kit.h>

static void item(struct pw_buf *out, const char *lead, const char *text)
{
	pw_buf_puts(out, lead);
	pw_kit_markdown(out, text);
	pw_buf_putc(out, '\n');
}

static void list(struct pw_buf *out, const char *title, const struct pw_val *seq, const char *lead)
{
	if (!pw_val_count(seq))
		return;
	pw_buf_printf(out, "\n### %s\n\n", title);
	for (size_t i = 0; i < pw_val_count(seq); i++)
		item(out, lead, pw_val_text(pw_val_at(seq, i)));
}

static void because(const struct pw_record *record, struct pw_buf *out)
{
	if (pw_val_count(record->verdict.because))
		pw_buf_puts(out, "\n### Because\n\n");
	for (size_t i = 0; i < pw_val_count(record->verdict.because); i++) {
		const char *id = pw_val_text(pw_val_at(record->verdict.because, i));
		const struct pw_step_result *step = pw_kit_step(record, id);
		pw_buf_puts(out, "- **");
		pw_kit_markdown(out, id);
		pw_buf_puts(out, "**: ");
		pw_kit_markdown(out, step ? step->says : "");
		pw_buf_putc(out, '\n');
	}
}

static void steps(const struct pw_record *record, struct pw_buf *out)
{
	pw_buf_puts(out, "\n### Steps\n\n| state | step | outcome | what was seen | where | ms |\n|---|---|---|---|---|---:|\n");
	for (size_t i = 0; i < record->n_steps; i++) {
		const struct pw_step_result *s = record->steps[i];
		const char *cells[] = { pw_kit_class_word(s->klass), s->id, s->outcome, s->says, s->vantage };
		for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
			pw_buf_puts(out, k ? " | " : "| ");
			pw_kit_markdown(out, cells[k]);
		}
		pw_buf_printf(out, " | %u |\n", s->duration_ms);
	}
}

static void layers(const struct pw_record *record, struct pw_buf *out)
{
	pw_buf_puts(out, "\n### Layers\n\n| layer | state | because |\n|---|---|---|\n");
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
		const struct pw_ledger_row *row = &record->ledger.rows[layer];
		pw_buf_printf(out, "| %s | %s | ", pw_layer_word((enum pw_layer)layer),
			      row->state == PW_LEDGER_UNTESTED ? "not tested" : pw_ledger_word(row->state));
		for (size_t i = 0; i < row->n_because; i++) {
			pw_buf_puts(out, i ? ", " : "");
			pw_kit_markdown(out, row->because[i]);
		}
		pw_buf_puts(out, " |\n");
	}
}

static void write(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	char started[32];
	(void)style;
	pw_format_rfc3339(record->started_ms, started);
	pw_buf_puts(out, "## ");
	pw_kit_headline(record, out);
	pw_buf_puts(out, "\n\n");
	item(out, "", record->verdict.says);
	if (record->verdict.hop && record->status != PW_STATUS_HEALTHY)
		item(out, "\nHop: ", record->verdict.hop);
	because(record, out);
	list(out, "It could be", record->verdict.could_be, "- ");
	if (record->verdict.settle)
		item(out, "\n### What would settle it\n\n", record->verdict.settle);
	list(out, "What to do", record->verdict.actions, "1. ");
	layers(record, out);
	steps(record, out);
	if (record->path_drawing) {
		struct pw_out_style plain = { .utf8 = true, .width = 80 };
		pw_buf_puts(out, "\n### Path\n\n");
		pw_kit_drawing(out, record->path_drawing, "    ", &plain); /* an indented block: nothing in it can end it */
	}
	pw_buf_puts(out, "\n<sub>packetwalk ");
	pw_kit_markdown(out, record->version);
	pw_buf_puts(out, ", playbook ");
	pw_kit_markdown(out, record->playbook);
	for (size_t i = 0; i < pw_val_count(record->inputs); i++) {
		pw_buf_puts(out, i ? " " : ", ");
		pw_kit_markdown(out, pw_map_key(record->inputs, i));
		pw_buf_putc(out, '=');
		pw_kit_markdown(out, pw_val_text(pw_val_at(record->inputs, i)));
	}
	pw_buf_printf(out, ", started %s, %u ms</sub>\n", started, record->duration_ms);
}

const struct pw_out pw_out_markdown = { .name = "markdown", .summary = "Markdown, to paste into an issue", .extension = ".md", .write = write };
