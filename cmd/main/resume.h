/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_RESUME_H
#define CMD_MAIN_RESUME_H

#include "cmd.h"

/* Goes on with a saved session; `id` NULL: the last. The exit code. */
int pw_resume_main(struct pw_app *app, const char *id);

/* The inputs of a playbook as options; nothing if there is no such playbook or it is invalid. */
void pw_input_options(struct pw_app *app, const char *word, struct pw_opt_list *list);

#endif
