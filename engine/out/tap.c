/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -o tap: TAP 14 (testanything.org/tap-version-14-specification.html). Called playbooks are subtests. */
#include <string.h>

#include <doc/json.h>
#include <out/kit/kit.h>

struct level { const struct pw_record *record; const struct pw_out_style *style; struct pw_buf *out; };

static void description(struct pw_buf *out, const char *text)
{
	struct pw_buf clean;
	pw_buf_init(&clean, 65536);
	pw_buf_escaped(&clean, text ? text : "", text ? strlen(text) : 0);
	for (const char *c = pw_buf_str(&clean); *c; c++) {
		if (*c == '#' || *c == '\\')
			pw_buf_putc(out, '\\');
		pw_buf_putc(out, *c);
	}
	pw_buf_release(&clean);
}

static bool passes(enum pw_class klass, const struct pw_out_style *style)
{
	return klass == PW_CLASS_OK || klass == PW_CLASS_SKIPPED || (klass == PW_CLASS_WARN && !style->warn_fails);
}

/* JSON strings are YAML strings. */
static void yaml_line(struct pw_buf *out, unsigned indent, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	pw_buf_printf(out, "%*s  %s: ", (int)indent, "", key);
	pw_json_write_str(out, text, strlen(text));
	pw_buf_putc(out, '\n');
}

static void point(const struct level *l, unsigned indent, unsigned number, const char *name, const char *title,
		  const struct pw_step_result *step)
{
	pw_buf_printf(l->out, "%*s%s %u - ", (int)indent, "", passes(step->klass, l->style) ? "ok" : "not ok", number);
	description(l->out, name);
	if (title && *title) {
		pw_buf_puts(l->out, ": ");
		description(l->out, title);
	}
	if (step->klass == PW_CLASS_SKIPPED) {
		pw_buf_puts(l->out, " # SKIP ");
		description(l->out, step->says);
	}
	pw_buf_printf(l->out, "\n%*s  ---\n", (int)indent, "");
	yaml_line(l->out, indent, "class", pw_class_word(step->klass));
	yaml_line(l->out, indent, "outcome", step->outcome);
	yaml_line(l->out, indent, "says", step->says);
	yaml_line(l->out, indent, "at", step->vantage);
	pw_buf_printf(l->out, "%*s  duration_ms: %u\n%*s  ...\n", (int)indent, "", step->duration_ms, (int)indent, "");
}

/* How many results from `from` on stand under the same called step, and the length of its name. 0: it is a step itself. */
static size_t group(const struct pw_record *record, size_t from, size_t prefix, size_t *ret_name)
{
	const char *id = record->steps[from]->id;
	const char *slash = strchr(id + prefix, '/');
	size_t n = 0;
	if (!slash)
		return 0;
	*ret_name = (size_t)(slash - id);
	while (from + n < record->n_steps && strncmp(record->steps[from + n]->id, id, *ret_name + 1) == 0)
		n++;
	return n;
}

static void level(const struct level *l, size_t from, size_t to, size_t prefix, unsigned indent, const struct pw_step_result *last);

static unsigned items(const struct level *l, size_t from, size_t to, size_t prefix, unsigned indent)
{
	unsigned number = 0;
	while (from < to) {
		size_t name = 0, n = group(l->record, from, prefix, &name);
		if (!n) {
			number++;
			point(l, indent, number, l->record->steps[from]->id + prefix, l->record->steps[from]->title, l->record->steps[from]);
			from++;
			continue;
		}
		const char *id = l->record->steps[from]->id;
		pw_buf_printf(l->out, "%*s# Subtest: %.*s\n", (int)indent, "", (int)(name - prefix), id + prefix);
		level(l, from, from + n, name + 1, indent + 4, NULL);
		from += n;
		/* The call's own result follows, unless the run ended inside. */
		if (from >= to || strncmp(l->record->steps[from]->id, id, name) != 0 || l->record->steps[from]->id[name])
			pw_buf_printf(l->out, "%*snot ok %u - %.*s: ended early\n", (int)indent, "", ++number, (int)(name - prefix), id + prefix);
	}
	return number;
}

static void level(const struct level *l, size_t from, size_t to, size_t prefix, unsigned indent, const struct pw_step_result *last)
{
	unsigned number = items(l, from, to, prefix, indent);
	if (last)
		point(l, indent, ++number, "verdict", last->title, last);
	pw_buf_printf(l->out, "%*s1..%u\n", (int)indent, "", number);
}

static void write(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	const struct level l = { record, style, out };
	struct pw_buf says;
	pw_buf_init(&says, 65536);
	pw_kit_headline(record, &says);
	pw_buf_printf(&says, ". %s", record->verdict.says ? record->verdict.says : "");
	struct pw_step_result verdict = { .title = record->verdict.id, .outcome = pw_status_word(record->status),
		.klass = record->status == PW_STATUS_HEALTHY ? PW_CLASS_OK : record->status == PW_STATUS_FAULT ? PW_CLASS_FAIL : PW_CLASS_UNKNOWN,
		.says = pw_buf_str(&says), .duration_ms = record->duration_ms };
	pw_buf_puts(out, "TAP version 14\n");
	level(&l, 0, record->n_steps, 0, 0, &verdict);
	pw_buf_release(&says);
}

const struct pw_out pw_out_tap = { .name = "tap", .summary = "TAP 14, a test point per step", .extension = ".tap", .write = write };
