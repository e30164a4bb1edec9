/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -o nagios: one line for a monitoring server, by nagios-plugins.org/doc/guidelines.html. */
#include <string.h>

#include <out/kit/kit.h>

/* A line may hold neither a newline nor a bar, which starts the performance data. */
static void line_text(struct pw_buf *out, const char *text)
{
	struct pw_buf clean;
	pw_buf_init(&clean, 65536);
	pw_buf_escaped(&clean, text ? text : "", text ? strlen(text) : 0);
	for (const char *c = pw_buf_str(&clean); *c; c++)
		pw_buf_putc(out, *c == '|' ? '/' : *c);
	pw_buf_release(&clean);
}

static void write(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	struct pw_kit_counts counts = pw_kit_count(record);
	const char *state = record->status == PW_STATUS_FAULT ? "CRITICAL" : record->status == PW_STATUS_INCONCLUSIVE ? "UNKNOWN" : "OK";
	if (record->status == PW_STATUS_HEALTHY && style->warn_fails && counts.by_class[PW_CLASS_WARN])
		state = "WARNING";
	pw_buf_printf(out, "PACKETWALK %s - ", state);
	pw_kit_headline(record, out);
	pw_buf_puts(out, ": ");
	line_text(out, record->verdict.says);
	pw_buf_printf(out, " | 'duration'=%ums;;;0 'steps'=%u;;;0", record->duration_ms, counts.all);
	for (int k = PW_CLASS_OK; k <= PW_CLASS_ERROR; k++)
		pw_buf_printf(out, " '%s'=%u;;;0", pw_class_word((enum pw_class)k), counts.by_class[k]);
	pw_buf_putc(out, '\n');
}

const struct pw_out pw_out_nagios = { .name = "nagios", .summary = "one line with performance data; exit codes 0 to 3", .extension = ".txt", .write = write };
