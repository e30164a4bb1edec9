/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -o junit: a test case per step, and one for the verdict. What CI systems show of it differs; see docs. */
#include <string.h>

#include <base/text.h>
#include <out/kit/kit.h>

enum kind { PASS, FAILURE, ERROR, SKIPPED };

static enum kind kind_of(enum pw_class klass, const struct pw_out_style *style)
{
	switch (klass) {
	case PW_CLASS_OK: return PASS;
	case PW_CLASS_WARN: return style->warn_fails ? FAILURE : PASS;
	case PW_CLASS_FAIL: return FAILURE;
	case PW_CLASS_SKIPPED: return SKIPPED;
	case PW_CLASS_UNKNOWN:
	case PW_CLASS_ERROR: break;
	}
	return ERROR;
}

static enum pw_class class_of(enum pw_status status)
{
	return status == PW_STATUS_HEALTHY ? PW_CLASS_OK : status == PW_STATUS_FAULT ? PW_CLASS_FAIL : PW_CLASS_UNKNOWN;
}

static void attribute(struct pw_buf *out, const char *name, const char *text)
{
	pw_buf_printf(out, " %s=\"", name);
	pw_kit_xml(out, text);
	pw_buf_putc(out, '"');
}

static void element(struct pw_buf *out, const char *tag, const char *type, const char *text)
{
	pw_buf_printf(out, "      <%s", tag);
	attribute(out, "message", text);
	if (type)
		attribute(out, "type", type);
	pw_buf_puts(out, "/>\n");
}

static void testcase(const struct pw_record *record, const struct pw_out_style *style, const char *id, const char *title,
		     enum pw_class klass, const char *outcome, const char *says, unsigned ms, struct pw_buf *out)
{
	enum kind kind = kind_of(klass, style);
	pw_buf_puts(out, "    <testcase classname=\"packetwalk.");
	pw_kit_xml(out, record->playbook);
	pw_buf_puts(out, "\" name=\"");
	pw_kit_xml(out, id);
	if (title && *title) {
		pw_buf_puts(out, ": ");
		pw_kit_xml(out, title);
	}
	pw_buf_puts(out, "\" file=\"");
	pw_kit_xml(out, record->playbook);
	pw_buf_printf(out, ".yaml\" time=\"%u.%03u\">\n", ms / 1000, ms % 1000);
	if (kind == FAILURE)
		element(out, "failure", outcome, says);
	else if (kind == ERROR)
		element(out, "error", outcome, says);
	else if (kind == SKIPPED)
		element(out, "skipped", NULL, says);
	if (kind != SKIPPED && says && *says) {
		pw_buf_puts(out, "      <system-out>");
		pw_kit_xml(out, pw_kit_class_word(klass));
		pw_buf_puts(out, ": ");
		pw_kit_xml(out, says);
		pw_buf_puts(out, "</system-out>\n");
	}
	pw_buf_puts(out, "    </testcase>\n");
}

static void totals(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	unsigned n[SKIPPED + 1] = { 0 };
	for (size_t i = 0; i < record->n_steps; i++)
		n[kind_of(record->steps[i]->klass, style)]++;
	n[kind_of(class_of(record->status), style)]++;
	pw_buf_printf(out, " tests=\"%zu\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%u.%03u\"", record->n_steps + 1, n[FAILURE],
		      n[ERROR], n[SKIPPED], record->duration_ms / 1000, record->duration_ms % 1000);
}

static void write(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	char started[32];
	pw_format_rfc3339(record->started_ms, started);
	started[19] = '\0'; /* the schema's ISO8601_DATETIME_PATTERN has no fraction and no zone */
	pw_buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
	attribute(out, "name", record->playbook);
	totals(record, style, out);
	attribute(out, "timestamp", started);
	attribute(out, "hostname", "localhost");
	pw_buf_puts(out, ">\n");
	for (size_t i = 0; i < record->n_steps; i++) {
		const struct pw_step_result *s = record->steps[i];
		testcase(record, style, s->id, s->title, s->klass, s->outcome, s->says, s->duration_ms, out);
	}
	struct pw_buf says;
	pw_buf_init(&says, 65536);
	pw_kit_headline(record, &says);
	pw_buf_printf(&says, ". %s", record->verdict.says ? record->verdict.says : "");
	testcase(record, style, "verdict", record->verdict.id, class_of(record->status), pw_status_word(record->status),
		 pw_buf_str(&says), 0, out);
	pw_buf_release(&says);
	pw_buf_puts(out, "  </testsuite>\n</testsuites>\n");
}

const struct pw_out pw_out_junit = { .name = "junit", .summary = "JUnit XML, a test case per step", .extension = ".xml", .write = write };
