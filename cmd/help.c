/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk help [COMMAND] */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/cleanup.h>

static int run(struct pw_app *app)
{
	const struct pw_cmd *cmd = app->n_words ? pw_cmd_find(app->words[0]) : NULL;
	if (app->n_words && !cmd) {
		const char *names[128];
		size_t n = 0;
		for (; pw_cmd_registry[n] && n < sizeof names / sizeof *names; n++)
			names[n] = pw_cmd_registry[n]->name;
		return pw_fail_unknown(app, "command", app->words[0], names, n);
	}
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, (size_t)1 << 20);
	pw_help_write(app, cmd, &text);
	pw_out_buf(app, &text);
	return PW_EXIT_HEALTHY;
}

const struct pw_cmd pw_cmd_help = {
	.name = "help", .summary = "show the commands, or one command's options", .usage = "[COMMAND]", .run = run,
};
