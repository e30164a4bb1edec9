/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help, made from the same declarations as dispatch and parsing. */
#include "cmd.h"

#include <string.h>

#include <out/out.h>

#define MAX_TABLES 16
#define NAME_COLUMN 30 /* options and their values; longer ones get a line of their own */

void pw_wrap(struct pw_buf *out, const char *text, unsigned indent, unsigned width)
{
	unsigned room = width > indent + 20 ? width - indent : 20;
	while (*text) {
		size_t line = strcspn(text, "\n"), cut = line;
		if (cut > room) {
			cut = room;
			while (cut > 0 && text[cut] != ' ')
				cut--;
			if (!cut) /* one long word */
				cut = strcspn(text, " \n");
		}
		if (cut)
			pw_buf_printf(out, "%*s", (int)indent, "");
		pw_buf_add(out, text, cut);
		pw_buf_putc(out, '\n');
		text += cut;
		if (*text == '\n' || *text == ' ')
			text++;
	}
}

/* A name in the left column, its text folded in the right one. */
static void item(struct pw_buf *out, const char *name, size_t shown, const char *text, unsigned column, unsigned width)
{
	pw_buf_printf(out, "  %s", name);
	if (shown + 4 > column)
		pw_buf_putc(out, '\n');
	else
		pw_buf_printf(out, "%*s", (int)(column - shown - 2), "");
	struct pw_buf right;
	pw_buf_init(&right, 8192);
	pw_wrap(&right, text, column, width);
	const char *body = pw_buf_str(&right);
	size_t skip = shown + 4 > column || right.len < column ? 0 : column;
	pw_buf_puts(out, body + skip);
	pw_buf_release(&right);
}

static void option(struct pw_buf *out, const struct pw_opt *opt, unsigned width)
{
	struct pw_buf name;
	pw_buf_init(&name, 256);
	if (opt->letter)
		pw_buf_printf(&name, "-%c, ", opt->letter);
	else
		pw_buf_puts(&name, "    ");
	pw_buf_printf(&name, "--%s", opt->name);
	if (opt->value && (opt->flags & PW_OPT_MAYBE))
		pw_buf_printf(&name, " [%s]", opt->value);
	else if (opt->value)
		pw_buf_printf(&name, " %s", opt->value);
	item(out, pw_buf_str(&name), name.len, opt->help, NAME_COLUMN, width);
	pw_buf_release(&name);
}

static void title(struct pw_app *app, struct pw_buf *out, const char *text)
{
	pw_buf_printf(out, "\n%s%s:%s\n", pw_paint(&app->out, "bold"), text, pw_paint(&app->out, "off"));
}

static void overview(struct pw_app *app, struct pw_buf *out)
{
	pw_buf_puts(out, "packetwalk walks one connection through a Kubernetes cluster, hop by hop,\n"
		    "and names the layer and the component that breaks it.\n");
	title(app, out, "Usage");
	pw_buf_puts(out, "  packetwalk                 the wizard: asks who sends, who receives, what is seen\n"
		    "  packetwalk COMMAND ...     'packetwalk help COMMAND' tells more\n");
	title(app, out, "Commands");
	for (size_t i = 0; pw_cmd_registry[i]; i++) {
		const struct pw_cmd *cmd = pw_cmd_registry[i];
		if (!cmd->hidden)
			item(out, cmd->name, strlen(cmd->name), cmd->summary, 14, app->out.width);
	}
	title(app, out, "Exit codes");
	pw_buf_puts(out, "  0 healthy   1 fault found   2 usage or missing input   3 invalid playbook or plugin\n"
		    "  4 inconclusive   5 environment or internal   124 deadline   130, 143 interrupted\n");
}

static void usage(const struct pw_cmd *cmd, struct pw_buf *out)
{
	const char *form = cmd->usage ? cmd->usage : "";
	do {
		size_t len = strcspn(form, "\n");
		pw_buf_printf(out, "  packetwalk %s%s%.*s\n", cmd->name, len ? " " : "", (int)len, form);
		form += len + (form[len] == '\n');
	} while (*form);
}

static void more_options(struct pw_app *app, const struct pw_cmd *cmd, struct pw_buf *out)
{
	struct pw_opt_list list = { app->arena, NULL, 0, 0 };
	if (cmd->more && cmd == app->cmd) {
		const char *word = NULL;
		for (size_t i = 0; i < app->args.n_words && !word; i++)
			word = pw_pair_name(app->args.words[i]) ? NULL : app->args.words[i];
		cmd->more(app, word, &list);
	}
	if (list.n)
		title(app, out, "Inputs (also as NAME=VALUE, PACKETWALK_INPUT_NAME, or a key of the answers file)");
	for (size_t i = 0; i < list.n; i++)
		option(out, &list.opts[i], app->out.width);
}

static void formats(struct pw_app *app, struct pw_buf *out)
{
	title(app, out, "Output formats (-o)");
	for (size_t i = 0; pw_out_registry[i]; i++)
		item(out, pw_out_registry[i]->name, strlen(pw_out_registry[i]->name), pw_out_registry[i]->summary, 14, app->out.width);
}

void pw_help_write(struct pw_app *app, const struct pw_cmd *cmd, struct pw_buf *out)
{
	if (!cmd) {
		overview(app, out);
		return;
	}
	pw_buf_printf(out, "packetwalk %s: %s\n", cmd->name, cmd->summary);
	title(app, out, "Usage");
	usage(cmd, out);
	if (cmd->details) {
		pw_buf_putc(out, '\n');
		pw_wrap(out, cmd->details, 0, app->out.width);
	}
	more_options(app, cmd, out);
	const struct pw_opt *tables[MAX_TABLES];
	const char *titles[MAX_TABLES];
	size_t n = pw_cmd_tables(cmd, tables, titles, MAX_TABLES);
	for (size_t i = 0; i < n; i++) {
		title(app, out, titles[i]);
		for (const struct pw_opt *o = tables[i]; o->name; o++)
			option(out, o, app->out.width);
	}
	if (cmd->groups & PW_OPTS_RUN)
		formats(app, out);
	if (cmd->examples)
		title(app, out, "Examples");
	for (const char *const *e = cmd->examples; e && *e; e++)
		pw_buf_printf(out, "  packetwalk %s\n", *e);
}
