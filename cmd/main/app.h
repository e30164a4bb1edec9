/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_APP_H
#define CMD_MAIN_APP_H

#include "cmd.h"

/* What main sets up around a command, and takes down after it. */

#define PW_APP_ARENA_MAX ((size_t)1 << 30) /* everything one run keeps */

int pw_app_init(struct pw_app *app, const struct pw_cmd *cmd);
/* Parses the words after the command's name. The exit code to end with, -1 to go on. */
int pw_app_parse(struct pw_app *app, int argc, char **argv);
/* Ends all checks and agents, and what was made for them. */
void pw_app_close_probes(struct pw_app *app);
void pw_app_release(struct pw_app *app);
/* The exit code after the streams are closed: `code`, or PW_EXIT_ENVIRONMENT when the result could not be written. */
int pw_app_finish(struct pw_app *app, int code);

#endif
