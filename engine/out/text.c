/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -o text: for people. What was found comes after how it was found, where the eye is when it ends. */
#include <string.h>

#include <out/kit/kit.h>

static void heading(const struct pw_out_style *style, struct pw_buf *out, const char *text)
{
	pw_buf_printf(out, "\n%s%s%s\n", pw_kit_paint(style, "bold"), text, pw_kit_paint(style, "off"));
}

static void write_inputs(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	struct pw_buf line;
	pw_buf_init(&line, 65536);
	pw_buf_printf(&line, "%s", record->playbook);
	for (size_t i = 0; i < pw_val_count(record->inputs); i++)
		pw_buf_printf(&line, " %s=%s", pw_map_key(record->inputs, i), pw_val_text(pw_val_at(record->inputs, i)) ?
			      pw_val_text(pw_val_at(record->inputs, i)) : "");
	pw_kit_fold(out, pw_buf_str(&line), 0, 2, style);
	pw_buf_release(&line);
	pw_buf_putc(out, '\n');
}

static void write_steps(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	for (size_t i = 0; i < record->n_steps; i++)
		pw_kit_step_lines(record->steps[i], style, out);
}

static void write_because(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	bool any = false;
	for (size_t i = 0; i < pw_val_count(record->verdict.because); i++) {
		const char *id = pw_val_text(pw_val_at(record->verdict.because, i));
		const struct pw_step_result *step = pw_kit_step(record, id);
		if (!step || !step->says || !*step->says)
			continue;
		if (!any)
			heading(style, out, "Because");
		any = true;
		struct pw_buf line;
		pw_buf_init(&line, 65536);
		pw_buf_printf(&line, "%s [%s]", step->says, id);
		pw_buf_puts(out, "  - ");
		pw_kit_fold(out, pw_buf_str(&line), 4, 4, style);
		pw_buf_release(&line);
	}
}

static void write_list(const char *title, const struct pw_val *seq, const struct pw_out_style *style, struct pw_buf *out, bool numbered)
{
	if (!pw_val_count(seq))
		return;
	heading(style, out, title);
	for (size_t i = 0; i < pw_val_count(seq); i++) {
		if (numbered)
			pw_buf_printf(out, "  %zu. ", i + 1);
		else
			pw_buf_puts(out, "  - ");
		pw_kit_fold(out, pw_val_text(pw_val_at(seq, i)), numbered ? 5 : 4, numbered ? 5 : 4, style);
	}
}

static void write_verdict(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	static const enum pw_class classes[] = { [PW_STATUS_HEALTHY] = PW_CLASS_OK, [PW_STATUS_FAULT] = PW_CLASS_FAIL,
						 [PW_STATUS_INCONCLUSIVE] = PW_CLASS_UNKNOWN };
	pw_buf_printf(out, "%s%s", pw_kit_paint(style, "bold"), pw_kit_class_paint(style, classes[record->status]));
	pw_kit_headline(record, out);
	pw_buf_printf(out, "%s\n", pw_kit_paint(style, "off"));
	if (record->verdict.hop && record->status != PW_STATUS_HEALTHY) {
		pw_buf_puts(out, "  at the hop: ");
		pw_kit_fold(out, record->verdict.hop, 14, 14, style);
	}
	pw_buf_puts(out, "  ");
	pw_kit_fold(out, record->verdict.says, 2, 2, style);
	write_because(record, style, out);
	write_list("It could be", record->verdict.could_be, style, out, false);
	if (record->verdict.settle) {
		heading(style, out, "What would settle it");
		pw_buf_puts(out, "  ");
		pw_kit_fold(out, record->verdict.settle, 2, 2, style);
	}
	write_list("What to do", record->verdict.actions, style, out, true);
}

static void write_drawing(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	if (!record->path_drawing || !*record->path_drawing || record->status == PW_STATUS_HEALTHY)
		return;
	heading(style, out, "Path");
	pw_kit_drawing(out, record->path_drawing, "  ", style);
}

static void write(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	if (!style->shown) {
		write_inputs(record, style, out);
		write_steps(record, style, out);
		pw_buf_putc(out, '\n');
	}
	write_verdict(record, style, out);
	heading(style, out, "Layers");
	pw_kit_layer_lines(&record->ledger, style, out);
	write_drawing(record, style, out);
}

const struct pw_out pw_out_text = { .name = "text", .summary = "for people (the default)", .extension = ".txt", .write = write };
