/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words, counts, escaping and folding: the same in every format. */
#include <out/kit/kit.h>

#include <string.h>

#include <base/text.h>

#define WORD_COLUMN 9    /* "  UNKNOWN" */
#define TEXT_COLUMN 11
#define LAYER_COLUMN 16  /* "infrastructure" and a gap */
#define STATE_COLUMN 12  /* "not tested" and a gap */

const char *pw_kit_class_word(enum pw_class klass)
{
	static const char *const words[] = { [PW_CLASS_OK] = "OK", [PW_CLASS_WARN] = "WARN", [PW_CLASS_FAIL] = "FAIL",
		[PW_CLASS_UNKNOWN] = "UNKNOWN", [PW_CLASS_SKIPPED] = "SKIP", [PW_CLASS_ERROR] = "ERROR" };
	return words[klass];
}

void pw_kit_headline(const struct pw_record *record, struct pw_buf *out)
{
	switch (record->status) {
	case PW_STATUS_HEALTHY:
		pw_buf_puts(out, "HEALTHY: no fault found");
		return;
	case PW_STATUS_INCONCLUSIVE:
		pw_buf_puts(out, record->partial ? "INCONCLUSIVE: ended early" : "INCONCLUSIVE: nothing proves one layer");
		return;
	case PW_STATUS_FAULT:
		break;
	}
	pw_buf_printf(out, "FAULT in layer %s", pw_layer_word(record->verdict.layer));
	if (record->verdict.component)
		pw_buf_printf(out, ", component %s", record->verdict.component);
}

struct pw_kit_counts pw_kit_count(const struct pw_record *record)
{
	struct pw_kit_counts counts = { { 0 }, 0 };
	for (size_t i = 0; i < record->n_steps; i++) {
		counts.by_class[record->steps[i]->klass]++;
		counts.all++;
	}
	return counts;
}

const struct pw_step_result *pw_kit_step(const struct pw_record *record, const char *id)
{
	for (size_t i = 0; id && i < record->n_steps; i++)
		if (strcmp(record->steps[i]->id, id) == 0)
			return record->steps[i];
	return NULL;
}

/* ---- paint ---- */

const char *pw_kit_paint(const struct pw_out_style *style, const char *what)
{
	static const struct { const char *word, *code; } codes[] = {
		{ "off", "\033[0m" }, { "bold", "\033[1m" }, { "dim", "\033[2m" }, { "red", "\033[31m" },
		{ "green", "\033[32m" }, { "yellow", "\033[33m" }, { "cyan", "\033[36m" },
	};
	for (size_t i = 0; style->color && i < sizeof codes / sizeof *codes; i++)
		if (strcmp(codes[i].word, what) == 0)
			return codes[i].code;
	return "";
}

const char *pw_kit_class_paint(const struct pw_out_style *style, enum pw_class klass)
{
	static const char *const colors[] = { [PW_CLASS_OK] = "green", [PW_CLASS_WARN] = "yellow", [PW_CLASS_FAIL] = "red",
		[PW_CLASS_UNKNOWN] = "yellow", [PW_CLASS_SKIPPED] = "dim", [PW_CLASS_ERROR] = "red" };
	return pw_kit_paint(style, colors[klass]);
}

const char *pw_kit_layer_paint(const struct pw_out_style *style, enum pw_ledger_state state)
{
	static const char *const colors[] = { [PW_LEDGER_UNTESTED] = "dim", [PW_LEDGER_CLEARED] = "green",
		[PW_LEDGER_SUSPECTED] = "yellow", [PW_LEDGER_AT_FAULT] = "red" };
	return pw_kit_paint(style, colors[state]);
}

/* ---- text ---- */

void pw_kit_clean(struct pw_buf *out, const char *text, const struct pw_out_style *style)
{
	size_t len = text ? strlen(text) : 0;
	if (style->utf8) {
		pw_buf_escaped(out, text ? text : "", len);
		return;
	}
	for (size_t at = 0; at < len;) {
		uint32_t ch = 0;
		size_t n = pw_utf8_next(text + at, len - at, &ch);
		if (n <= 1)
			pw_buf_escaped(out, text + at, 1);
		else
			pw_buf_printf(out, "\\u{%04X}", (unsigned)ch);
		at += n ? n : 1;
	}
}

void pw_kit_drawing(struct pw_buf *out, const char *drawing, const char *indent, const struct pw_out_style *style)
{
	for (const char *at = drawing; *at;) {
		size_t len = strcspn(at, "\n");
		char line[1024];
		size_t n = len < sizeof line ? len : sizeof line - 1;
		memcpy(line, at, n);
		line[n] = '\0';
		pw_buf_puts(out, n ? indent : "");
		pw_kit_clean(out, line, style);
		pw_buf_putc(out, '\n');
		at += len + (at[len] == '\n');
	}
}

/* Columns a piece of clean text takes: one a character. */
static unsigned columns(const char *text, size_t len)
{
	unsigned n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

void pw_kit_fold(struct pw_buf *out, const char *text, unsigned at, unsigned indent, const struct pw_out_style *style)
{
	struct pw_buf clean;
	pw_buf_init(&clean, (size_t)1 << 20);
	pw_kit_clean(&clean, text, style);
	const char *word = pw_buf_str(&clean);
	bool first = true;
	while (*word) {
		size_t len = strcspn(word, " ");
		unsigned wide = columns(word, len);
		if (!first && at + 1 + wide > style->width && at > indent) {
			pw_buf_printf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			pw_buf_putc(out, ' ');
			at++;
		}
		pw_buf_add(out, word, len);
		at += wide;
		word += len;
		word += *word == ' ';
		first = false;
	}
	pw_buf_putc(out, '\n');
	pw_buf_release(&clean);
}

void pw_kit_step_lines(const struct pw_step_result *step, const struct pw_out_style *style, struct pw_buf *out)
{
	const char *title = step->title && *step->title ? step->title : step->id;
	pw_buf_printf(out, "  %s%-*s%s", pw_kit_class_paint(style, step->klass), WORD_COLUMN, pw_kit_class_word(step->klass),
		      pw_kit_paint(style, "off"));
	pw_kit_fold(out, title, TEXT_COLUMN, TEXT_COLUMN, style);
	if (!step->says || !*step->says)
		return;
	pw_buf_printf(out, "%*s%s", TEXT_COLUMN, "", pw_kit_paint(style, "dim"));
	struct pw_buf says;
	pw_buf_init(&says, 65536);
	pw_buf_puts(&says, step->says);
	if (step->vantage && *step->vantage && strcmp(step->vantage, "here") != 0)
		pw_buf_printf(&says, " (at %s)", step->vantage);
	pw_kit_fold(out, pw_buf_str(&says), TEXT_COLUMN, TEXT_COLUMN, style);
	pw_buf_release(&says);
	pw_buf_puts(out, pw_kit_paint(style, "off"));
}

void pw_kit_layer_lines(const struct pw_ledger *ledger, const struct pw_out_style *style, struct pw_buf *out)
{
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
		const struct pw_ledger_row *row = &ledger->rows[layer];
		struct pw_buf why;
		pw_buf_init(&why, 8192);
		for (size_t i = 0; i < row->n_because; i++)
			pw_buf_printf(&why, "%s%s", i ? ", " : "", row->because[i]);
		pw_buf_printf(out, "  %-*s%s%-*s%s", LAYER_COLUMN, pw_layer_word((enum pw_layer)layer), pw_kit_layer_paint(style, row->state),
			      why.len ? STATE_COLUMN : 0, row->state == PW_LEDGER_UNTESTED ? "not tested" : pw_ledger_word(row->state),
			      pw_kit_paint(style, "off"));
		pw_kit_fold(out, pw_buf_str(&why), LAYER_COLUMN + STATE_COLUMN + 2, LAYER_COLUMN + STATE_COLUMN + 2, style);
		pw_buf_release(&why);
	}
}

/* ---- markup ---- */

/* Characters XML 1.0 allows: https://www.w3.org/TR/xml/#charsets */
static bool xml_allows(uint32_t ch)
{
	return ch == 0x9 || ch == 0xa || ch == 0xd || (ch >= 0x20 && ch <= 0xd7ff) || (ch >= 0xe000 && ch <= 0xfffd) || ch >= 0x10000;
}

static const char *xml_entity(uint32_t ch)
{
	switch (ch) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&apos;";
	case '\n': return "&#10;";
	case '\r': return "&#13;";
	case '\t': return "&#9;";
	default: return NULL;
	}
}

void pw_kit_xml(struct pw_buf *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	for (size_t at = 0; at < len;) {
		uint32_t ch = 0;
		size_t n = pw_utf8_next(text + at, len - at, &ch);
		const char *entity = n ? xml_entity(ch) : NULL;
		if (!n || !xml_allows(ch))
			pw_buf_puts(out, "\xef\xbf\xbd");
		else if (entity)
			pw_buf_puts(out, entity);
		else
			pw_buf_add(out, text + at, n);
		at += n ? n : 1;
	}
}

void pw_kit_markdown(struct pw_buf *out, const char *text)
{
	struct pw_buf clean;
	pw_buf_init(&clean, (size_t)1 << 20);
	pw_buf_escaped(&clean, text ? text : "", text ? strlen(text) : 0);
	for (const char *c = pw_buf_str(&clean); *c; c++) {
		if (*c == '<')
			pw_buf_puts(out, "&lt;");
		else if (*c == '&')
			pw_buf_puts(out, "&amp;");
		else if (strchr("\\`*_[]|#~", *c))
			pw_buf_printf(out, "\\%c", *c);
		else
			pw_buf_putc(out, *c);
	}
	pw_buf_release(&clean);
}
