/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A playbook as a drawing: an indented tree, Mermaid, DOT. What was walked is marked. */
#include <play/play.h>

#include <stdlib.h>
#include <string.h>

struct drawing {
	const struct pw_play *play;
	const char *const *path; size_t n_path;
	struct pw_buf *out;
	bool *drawn;               /* by step: its subtree was drawn (text) */
};

/* The position of a step on the walked path, SIZE_MAX: it is not on it. */
static size_t on_path(const struct drawing *d, size_t step)
{
	for (size_t i = 0; i < d->n_path; i++)
		if (!strcmp(d->path[i], d->play->steps[step].id))
			return i;
	return SIZE_MAX;
}

/* Was this edge walked: its step, and then the next step of the path? The last step's edge is not known. */
static bool edge_walked(const struct drawing *d, size_t step, const struct pw_play_edge *edge)
{
	size_t i = on_path(d, step);
	return i != SIZE_MAX && i + 1 < d->n_path && edge->go >= 0 && !strcmp(d->path[i + 1], d->play->steps[edge->go].id);
}

static void add_outcomes(struct pw_buf *out, const struct pw_play_edge *edge)
{
	if (edge->n_outcomes == 0)
		pw_buf_puts(out, "else");
	for (size_t i = 0; i < edge->n_outcomes; i++)
		pw_buf_printf(out, "%s%s", i ? ", " : "", edge->outcomes[i]);
}

static const char *title_of(const struct pw_play_step *step)
{
	return step->title ? step->title : step->kind == PW_STEP_ASK && step->ask ? step->ask : step->id;
}

static const char *does(const struct pw_play_step *step)
{
	const char *what = step->kind == PW_STEP_CHECK ? step->check : step->kind == PW_STEP_PLAYBOOK ? step->playbook : "asks";
	return what ? what : "?";
}

static void escaped(struct pw_buf *out, const char *text)
{
	pw_buf_escaped(out, text, strlen(text));
}

static const char callee_says[] = "the verdict of the called playbook";

static bool adopts(const struct pw_play *play)
{
	for (size_t s = 0; s < play->n_steps; s++)
		for (size_t e = 0; e < play->steps[s].n_edges; e++)
			if (play->steps[s].edges[e].verdict == PW_VERDICT_CALLEE)
				return true;
	return false;
}

static void add_verdict(struct pw_buf *out, const struct pw_play_verdict *verdict)
{
	pw_buf_printf(out, "%s (%s%s%s)", verdict->id, pw_layer_word(verdict->layer), verdict->component ? "/" : "",
		      verdict->component ? verdict->component : "");
}

/* ---- text ---- */

static void indent(struct pw_buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		pw_buf_puts(out, "  ");
}

/* A step and, the first time it is met, what follows from it. Depth: at most that of the tree. */
static void text_step(struct drawing *d, size_t index, unsigned depth)
{
	const struct pw_play_step *step = &d->play->steps[index];
	bool walked = on_path(d, index) != SIZE_MAX, again = d->drawn[index];
	pw_buf_printf(d->out, "%s%s", walked ? "* " : "", step->id);
	if (again) {
		pw_buf_puts(d->out, " (above)\n");
		return;
	}
	d->drawn[index] = true;
	pw_buf_puts(d->out, ": ");
	escaped(d->out, title_of(step));
	pw_buf_printf(d->out, " [%s%s]\n", does(step), step->for_each ? ", each" : "");
	for (size_t e = 0; e < step->n_edges; e++) {
		const struct pw_play_edge *edge = &step->edges[e];
		indent(d->out, depth + 1);
		pw_buf_puts(d->out, edge_walked(d, index, edge) ? "* " : "");
		add_outcomes(d->out, edge);
		pw_buf_puts(d->out, " -> ");
		if (edge->go >= 0) {
			text_step(d, (size_t)edge->go, depth + 1);
		} else if (edge->verdict >= 0) {
			add_verdict(d->out, &d->play->verdicts[edge->verdict]);
			pw_buf_putc(d->out, '\n');
		} else {
			pw_buf_printf(d->out, "%s\n", callee_says);
		}
	}
}

static void draw_text(struct drawing *d)
{
	pw_buf_printf(d->out, "%s: ", d->play->name);
	escaped(d->out, d->play->title);
	pw_buf_puts(d->out, "\n\n");
	text_step(d, (size_t)d->play->start, 0);
}

/* ---- Mermaid ---- */

/* Text within "..." of a Mermaid label: quotes and what its HTML would read as markup become entities. */
static void mermaid_text(struct pw_buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '<' || *p == '>' || *p == '&' || *p == '#' || *p == '`')
			pw_buf_printf(out, "#%d;", *p);
		else if ((unsigned char)*p < ' ')
			pw_buf_putc(out, ' ');
		else
			pw_buf_putc(out, *p);
	}
}

static void mermaid_edge(struct drawing *d, size_t index, const struct pw_play_edge *edge)
{
	pw_buf_printf(d->out, "  %s %s|\"", d->play->steps[index].id, edge_walked(d, index, edge) ? "==>" : "-->");
	add_outcomes(d->out, edge);
	if (edge->go >= 0)
		pw_buf_printf(d->out, "\"| %s\n", d->play->steps[edge->go].id);
	else if (edge->verdict >= 0)
		pw_buf_printf(d->out, "\"| verdict.%s\n", d->play->verdicts[edge->verdict].id);
	else
		pw_buf_puts(d->out, "\"| verdict.callee\n");
}

static void draw_mermaid(struct drawing *d)
{
	const struct pw_play *play = d->play;
	bool any = false;
	pw_buf_puts(d->out, "flowchart TD\n");
	for (size_t i = 0; i < play->n_steps; i++) {
		const struct pw_play_step *step = &play->steps[i];
		bool ask = step->kind == PW_STEP_ASK;
		pw_buf_printf(d->out, "  %s%s\"", step->id, ask ? "{{" : "[");
		mermaid_text(d->out, title_of(step));
		pw_buf_puts(d->out, "<br/>");
		mermaid_text(d->out, does(step));
		pw_buf_printf(d->out, "\"%s\n", ask ? "}}" : "]");
	}
	for (size_t i = 0; i < play->n_verdicts; i++) {
		pw_buf_printf(d->out, "  verdict.%s([\"", play->verdicts[i].id);
		add_verdict(d->out, &play->verdicts[i]);
		pw_buf_puts(d->out, "\"])\n");
	}
	if (adopts(play))
		pw_buf_printf(d->out, "  verdict.callee([\"%s\"])\n", callee_says);
	for (size_t i = 0; i < play->n_steps; i++)
		for (size_t e = 0; e < play->steps[i].n_edges; e++)
			mermaid_edge(d, i, &play->steps[i].edges[e]);
	for (size_t i = 0; i < play->n_steps; i++) {
		if (on_path(d, i) == SIZE_MAX)
			continue;
		pw_buf_printf(d->out, "%s%s", any ? "," : "  class ", play->steps[i].id);
		any = true;
	}
	if (any)
		pw_buf_puts(d->out, " walked\n  classDef walked stroke-width:4px\n");
}

/* ---- DOT ---- */

static void dot_text(struct pw_buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			pw_buf_putc(out, '\\');
		pw_buf_putc(out, (unsigned char)*p < ' ' ? ' ' : *p);
	}
}

static void dot_edge(struct drawing *d, size_t index, const struct pw_play_edge *edge)
{
	pw_buf_printf(d->out, "  \"%s\" -> ", d->play->steps[index].id);
	if (edge->go >= 0)
		pw_buf_printf(d->out, "\"%s\"", d->play->steps[edge->go].id);
	else if (edge->verdict >= 0)
		pw_buf_printf(d->out, "\"verdict.%s\"", d->play->verdicts[edge->verdict].id);
	else
		pw_buf_puts(d->out, "\"verdict.callee\"");
	pw_buf_puts(d->out, " [label=\"");
	add_outcomes(d->out, edge);
	pw_buf_printf(d->out, "\"%s];\n", edge_walked(d, index, edge) ? ", penwidth=3" : "");
}

static void draw_dot(struct drawing *d)
{
	const struct pw_play *play = d->play;
	pw_buf_puts(d->out, "digraph \"");
	dot_text(d->out, play->name);
	pw_buf_puts(d->out, "\" {\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n");
	for (size_t i = 0; i < play->n_steps; i++) {
		pw_buf_printf(d->out, "  \"%s\" [label=\"", play->steps[i].id);
		dot_text(d->out, title_of(&play->steps[i]));
		pw_buf_puts(d->out, "\\n");
		dot_text(d->out, does(&play->steps[i]));
		pw_buf_printf(d->out, "\"%s%s];\n", play->steps[i].kind == PW_STEP_ASK ? ", shape=hexagon" : "",
			      on_path(d, i) != SIZE_MAX ? ", penwidth=3" : "");
	}
	for (size_t i = 0; i < play->n_verdicts; i++) {
		pw_buf_printf(d->out, "  \"verdict.%s\" [shape=ellipse, label=\"", play->verdicts[i].id);
		add_verdict(d->out, &play->verdicts[i]);
		pw_buf_puts(d->out, "\"];\n");
	}
	if (adopts(play))
		pw_buf_printf(d->out, "  \"verdict.callee\" [shape=ellipse, label=\"%s\"];\n", callee_says);
	for (size_t i = 0; i < play->n_steps; i++)
		for (size_t e = 0; e < play->steps[i].n_edges; e++)
			dot_edge(d, i, &play->steps[i].edges[e]);
	pw_buf_puts(d->out, "}\n");
}

void pw_play_graph(const struct pw_play *play, enum pw_graph format, const char *const *path, size_t n_path, struct pw_buf *out)
{
	struct drawing d = { .play = play, .path = path, .n_path = n_path, .out = out };
	switch (format) {
	case PW_GRAPH_TEXT:
		d.drawn = calloc(play->n_steps + 1, sizeof *d.drawn);
		if (d.drawn)
			draw_text(&d);
		else
			out->failed = PW_NOMEM;
		free(d.drawn);
		break;
	case PW_GRAPH_MERMAID: draw_mermaid(&d); break;
	case PW_GRAPH_DOT: draw_dot(&d); break;
	}
}
