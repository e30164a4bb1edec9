/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawings of a path: a vertical line for terminals, Mermaid, DOT. */
#include <path/path.h>

#include <string.h>

#define WIDTH 79u        /* columns of a terminal, one left free */
#define INDENT 18u       /* where the text of a hop begins */
#define MAX_TEXT 4096    /* bytes of one hop's text */

struct marks { const char *hop, *broken, *beyond, *line, *gap; };
static const struct marks ascii = { "o", "X", ".", "|", ":" };
static const struct marks unicode = { "\u25cf", "\u2716", "\u25cb", "\u2502", "\u250a" };

static bool is(const char *a, const char *b)
{
	return b && strcmp(a, b) == 0;
}

static bool found(const struct pw_hop *hops, size_t n, const char *broken)
{
	for (size_t i = 0; broken && i < n; i++)
		if (is(hops[i].id, broken))
			return true;
	return false;
}

/* ---- text ---- */

static void pad(struct pw_buf *out, size_t n)
{
	while (n--)
		pw_buf_putc(out, ' ');
}

/* Words folded at WIDTH, continued behind the line of the drawing. A longer word is cut where it must be. */
static void fold(struct pw_buf *out, const char *text, const char *line)
{
	size_t column = INDENT;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > INDENT && column + 1 + len > WIDTH) {
			pw_buf_printf(out, "\n  %s", line);
			pad(out, INDENT - 3);
			column = INDENT;
		} else if (column > INDENT) {
			pw_buf_putc(out, ' ');
			column++;
		}
		if (len > WIDTH - column)
			len = WIDTH - column;
		pw_buf_add(out, text, len);
		column += len;
		text += len;
		while (*text == ' ')
			text++;
	}
	pw_buf_putc(out, '\n');
}

static void fold_escaped(struct pw_buf *out, const char *text, const char *line)
{
	struct pw_buf safe;

	pw_buf_init(&safe, MAX_TEXT);
	pw_buf_escaped(&safe, text, strlen(text));
	fold(out, pw_buf_str(&safe), line);
	pw_buf_release(&safe);
}

static void draw_hop(struct pw_buf *out, const struct pw_hop *hop, const struct marks *marks, bool broken, bool beyond, bool last)
{
	const char *mark = broken ? marks->broken : beyond ? marks->beyond : marks->hop;
	const char *line = last ? " " : broken || beyond ? marks->gap : marks->line;
	struct pw_buf title;

	pw_buf_printf(out, "  %s  ", mark);
	pw_buf_printf(out, "%-*s", (int)(INDENT - 5), hop->id);
	pw_buf_init(&title, MAX_TEXT);
	pw_buf_puts(&title, hop->title);
	if (hop->where[0])
		pw_buf_printf(&title, ", %s", hop->where);
	if (broken)
		pw_buf_puts(&title, " <== BROKEN HERE");
	fold_escaped(out, pw_buf_str(&title), line);
	pw_buf_release(&title);
	if (hop->note[0]) {
		pw_buf_printf(out, "  %s", line);
		pad(out, INDENT - 3);
		fold_escaped(out, hop->note, line);
	}
	if (!last)
		pw_buf_printf(out, "  %s\n", line);
}

static void draw_text(const struct pw_hop *hops, size_t n, const char *broken, bool utf8, struct pw_buf *out)
{
	bool beyond = false;

	for (size_t i = 0; i < n; i++) {
		bool here = is(hops[i].id, broken);

		draw_hop(out, &hops[i], utf8 ? &unicode : &ascii, here, beyond, i + 1 == n);
		beyond = beyond || here;
	}
	if (!broken || found(hops, n, broken))
		return;
	pw_buf_puts(out, "  BROKEN AT ");
	pw_buf_escaped(out, broken, strlen(broken));
	pw_buf_puts(out, ", which is not on this drawing\n");
}

/* ---- Mermaid and DOT: labels in quotes, of escaped text ---- */

/* `quote`, `backslash`: what stands for them inside a label. */
static void put_label(struct pw_buf *out, const char *text, const char *quote, const char *backslash)
{
	struct pw_buf safe;

	pw_buf_init(&safe, MAX_TEXT);
	pw_buf_escaped(&safe, text, strlen(text));
	for (const char *at = pw_buf_str(&safe); *at; at++) {
		if (*at == '"')
			pw_buf_puts(out, quote);
		else if (*at == '\\')
			pw_buf_puts(out, backslash);
		else if (*at == '<' || *at == '>')
			pw_buf_puts(out, *at == '<' ? "&lt;" : "&gt;");
		else
			pw_buf_putc(out, *at);
	}
	pw_buf_release(&safe);
}

static void put_hop_label(struct pw_buf *out, const struct pw_hop *hop, bool broken, const char *quote, const char *backslash, const char *newline)
{
	put_label(out, hop->title, quote, backslash);
	if (hop->where[0]) {
		pw_buf_puts(out, newline);
		put_label(out, hop->where, quote, backslash);
	}
	if (hop->note[0]) {
		pw_buf_puts(out, newline);
		put_label(out, hop->note, quote, backslash);
	}
	if (broken)
		pw_buf_printf(out, "%sBROKEN HERE", newline);
}

static void draw_mermaid(const struct pw_hop *hops, size_t n, const char *broken, struct pw_buf *out)
{
	pw_buf_puts(out, "flowchart TD\n");
	for (size_t i = 0; i < n; i++) {
		pw_buf_printf(out, "  h%zu[\"", i);
		put_hop_label(out, &hops[i], is(hops[i].id, broken), "#quot;", "#92;", "<br/>");
		pw_buf_puts(out, "\"]\n");
	}
	for (size_t i = 1; i < n; i++)
		pw_buf_printf(out, "  h%zu --> h%zu\n", i - 1, i);
	for (size_t i = 0; i < n; i++)
		if (is(hops[i].id, broken))
			pw_buf_printf(out, "  style h%zu stroke:#c00,stroke-width:3px\n", i);
}

static void draw_dot(const struct pw_hop *hops, size_t n, const char *broken, struct pw_buf *out)
{
	pw_buf_puts(out, "digraph path {\n  node [shape=box];\n");
	for (size_t i = 0; i < n; i++) {
		bool here = is(hops[i].id, broken);

		pw_buf_printf(out, "  \"%s\" [label=\"", hops[i].id);
		put_hop_label(out, &hops[i], here, "\\\"", "\\\\", "\\n");
		pw_buf_printf(out, "\"%s];\n", here ? ", color=red, penwidth=3" : "");
	}
	for (size_t i = 1; i < n; i++)
		pw_buf_printf(out, "  \"%s\" -> \"%s\";\n", hops[i - 1].id, hops[i].id);
	pw_buf_puts(out, "}\n");
}

void pw_path_draw(const struct pw_hop *hops, size_t n, const char *broken, enum pw_path_format format, bool utf8, struct pw_buf *out)
{
	switch (format) {
	case PW_PATH_TEXT: draw_text(hops, n, broken, utf8, out); break;
	case PW_PATH_MERMAID: draw_mermaid(hops, n, broken, out); break;
	case PW_PATH_DOT: draw_dot(hops, n, broken, out); break;
	}
}
