/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Complaints about documents, collected in one pass and shown as a compiler shows them. */
#include <doc/yaml.h>

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <doc/lines.h>

enum { MOST = 1000, FIRST_CAP = 8 };

struct pw_diags {
	struct pw_arena *arena;
	struct pw_diag *v;
	size_t n, cap;
	const char *chain;
};

struct pw_diags *pw_diags_new(struct pw_arena *arena)
{
	struct pw_diags *diags = pw_arena_alloc(arena, sizeof *diags);
	if (diags)
		diags->arena = arena;
	return diags;
}

void pw_diags_chain(struct pw_diags *diags, const char *chain)
{
	diags->chain = pw_arena_strdup(diags->arena, chain);
}

/* The next free complaint, NULL when out of memory or at the ceiling. */
static struct pw_diag *next(struct pw_diags *diags)
{
	if (!diags || diags->n >= MOST)
		return NULL;
	if (diags->n == diags->cap) {
		size_t cap = diags->cap ? diags->cap * 2 : FIRST_CAP;
		struct pw_diag *v = pw_arena_array(diags->arena, cap, sizeof *v);
		if (!v)
			return NULL;
		if (diags->n > 0)
			memcpy(v, diags->v, diags->n * sizeof *v);
		diags->v = v;
		diags->cap = cap;
	}
	return &diags->v[diags->n];
}

PW_PRINTF(7, 0) static void add(struct pw_diags *diags, int severity, struct pw_place place, struct pw_place other,
				const char *id, const char *fix, const char *fmt, va_list ap)
{
	struct pw_diag *diag = next(diags);
	if (!diag)
		return;
	char text[1024]; /* a sentence; what is longer is cut */
	(void)vsnprintf(text, sizeof text, fmt, ap);
	/* The document may be gone when the complaint is shown. */
	place.file = pw_arena_strdup(diags->arena, place.file);
	other.file = pw_arena_strdup(diags->arena, other.file);
	*diag = (struct pw_diag){
		.place = place, .other = other, .severity = severity, .chain = diags->chain,
		.id = pw_arena_strdup(diags->arena, id), .fix = pw_arena_strdup(diags->arena, fix),
		.text = pw_arena_strdup(diags->arena, text),
	};
	if (diag->id && diag->text)
		diags->n++;
}

void pw_diags_add(struct pw_diags *diags, int severity, struct pw_place place, const char *id, const char *fix,
		  const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(diags, severity, place, (struct pw_place){ NULL, 0, 0 }, id, fix, fmt, ap);
	va_end(ap);
}

void pw_diags_add_two(struct pw_diags *diags, int severity, struct pw_place place, struct pw_place other,
		      const char *id, const char *fix, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(diags, severity, place, other, id, fix, fmt, ap);
	va_end(ap);
}

size_t pw_diags_count(const struct pw_diags *diags, int severity)
{
	size_t count = 0;
	for (size_t i = 0; diags && i < diags->n; i++)
		count += severity < 0 || diags->v[i].severity == severity;
	return count;
}

bool pw_diags_failed(const struct pw_diags *diags)
{
	return diags && pw_arena_failed(diags->arena);
}

const struct pw_diag *pw_diags_at(const struct pw_diags *diags, size_t i)
{
	return diags && i < diags->n ? &diags->v[i] : NULL;
}

static int by_place(const struct pw_place *a, const struct pw_place *b)
{
	int order = strcmp(a->file ? a->file : "", b->file ? b->file : "");
	if (order)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->col > b->col) - (a->col < b->col);
}

/* By insertion: stable, and there are at most MOST. */
void pw_diags_sort(struct pw_diags *diags)
{
	for (size_t i = 1; i < diags->n; i++) {
		struct pw_diag moving = diags->v[i];
		size_t to = i;
		for (; to > 0 && by_place(&moving.place, &diags->v[to - 1].place) < 0; to--)
			diags->v[to] = diags->v[to - 1];
		diags->v[to] = moving;
	}
}

enum {
	WIDTH = 100,  /* columns of source shown */
	BEFORE = 60,  /* of them left of the place, when the line is longer */
	CLIP = WIDTH * 4, /* bytes looked at on each side: four to a character */
};

static size_t columns(const struct pw_buf *buf)
{
	return pw_columns(pw_buf_str(buf), buf->len);
}

/* Leaves at most `most` columns: the last ones, or the first ones. */
static const char *last_columns(const struct pw_buf *buf, size_t most)
{
	const char *p = pw_buf_str(buf);
	for (size_t have = columns(buf); have > most; have--)
		p += pw_char_len(p, strlen(p));
	return p;
}

static size_t first_columns(const struct pw_buf *buf, size_t most)
{
	const char *p = pw_buf_str(buf), *end = p + buf->len;
	for (; p < end && most > 0; most--)
		p += pw_char_len(p, (size_t)(end - p));
	return (size_t)(p - pw_buf_str(buf));
}

/* The line around its byte `at` as one line of at most WIDTH columns, and a caret under it. */
static void show_line(const char *line, size_t len, size_t at, unsigned number, bool caret, struct pw_buf *out)
{
	struct pw_buf before, after;
	pw_buf_init(&before, (size_t)CLIP * 8);
	pw_buf_init(&after, (size_t)CLIP * 8);
	size_t from = at > CLIP ? at - CLIP : 0, to = len - at > CLIP ? at + CLIP : len;
	while (from > 0 && ((unsigned char)line[from] & 0xc0) == 0x80)
		from--;
	while (to < len && ((unsigned char)line[to] & 0xc0) == 0x80)
		to--;
	pw_buf_escaped(&before, line + from, at - from);
	pw_buf_escaped(&after, line + at, to - at);
	size_t left = columns(&before), right = columns(&after);
	size_t most_left = left + right <= WIDTH ? WIDTH : right < WIDTH - BEFORE ? WIDTH - right : BEFORE;
	const char *shown = last_columns(&before, most_left);
	if (left > most_left)
		left = most_left;
	pw_buf_printf(out, "%6u | %s", number, shown);
	pw_buf_add(out, pw_buf_str(&after), first_columns(&after, WIDTH - left));
	pw_buf_putc(out, '\n');
	if (caret)
		pw_buf_printf(out, "       | %*s^\n", (int)left, "");
	if (!pw_buf_ok(&before) || !pw_buf_ok(&after))
		out->failed = PW_NOMEM;
	pw_buf_release(&before);
	pw_buf_release(&after);
}

static void show_source(const struct pw_place *place, const char *source, size_t len, struct pw_buf *out)
{
	size_t line_len;
	const char *line = source ? pw_line_find(source, len, place->line, &line_len) : NULL;
	if (!line)
		return;
	size_t at = 0;
	for (unsigned col = 1; col < place->col && at < line_len; col++)
		at += pw_char_len(line + at, line_len - at);
	show_line(line, line_len, at, place->line, place->col > 0, out);
}

static void show_place(const struct pw_place *place, struct pw_buf *out)
{
	if (place->file) {
		pw_buf_escaped(out, place->file, strlen(place->file));
		pw_buf_putc(out, ':');
	}
	if (place->line > 0)
		pw_buf_printf(out, "%u:", place->line);
	if (place->line > 0 && place->col > 0)
		pw_buf_printf(out, "%u:", place->col);
	if (place->file || place->line > 0)
		pw_buf_putc(out, ' ');
}

static bool same_file(const struct pw_place *a, const struct pw_place *b)
{
	return a->file && b->file ? !strcmp(a->file, b->file) : a->file == b->file;
}

static void show_text(const char *prefix, const char *text, struct pw_buf *out)
{
	if (!text)
		return;
	pw_buf_puts(out, prefix);
	pw_buf_escaped(out, text, strlen(text));
	pw_buf_putc(out, '\n');
}

void pw_diag_format(const struct pw_diag *diag, const char *source, size_t len, struct pw_buf *out)
{
	show_place(&diag->place, out);
	pw_buf_printf(out, "%s[%s]: ", diag->severity ? "warning" : "error", diag->id);
	show_text("", diag->text, out);
	show_source(&diag->place, source, len, out);
	if (diag->other.line > 0) {
		show_place(&diag->other, out);
		pw_buf_puts(out, "note: the other place\n");
		if (same_file(&diag->place, &diag->other))
			show_source(&diag->other, source, len, out);
	}
	show_text("  ", diag->chain, out);
	show_text("  fix: ", diag->fix, out);
}
