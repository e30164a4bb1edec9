/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_PROMPT_H
#define CMD_MAIN_PROMPT_H

#include "cmd.h"

/* Questions to a person: one line of input with editing, completion and history, or one of a few keys. */

struct pw_prompt {
	const char *question;   /* one line, printed above */
	const char *type;       /* "pod"; NULL: not shown */
	const char *otherwise;  /* what Enter takes; NULL: an empty line asks again */
	const char *from;       /* where the default came from; NULL: not shown */
	const char *help;       /* for `?`, NULL: none */
	const char *keys;       /* letters that are commands here, out of "bsrweqc" */
	const char *const *candidates; size_t n_candidates; /* for Tab */
	bool remember;          /* goes into the history */
};

enum pw_prompted {
	PW_PROMPT_TEXT, PW_PROMPT_KEY,
	PW_PROMPT_QUIT, /* Ctrl-D */
	PW_PROMPT_INT,  /* Ctrl-C twice */
	PW_PROMPT_TERM, /* SIGTERM */
};

/* Asks until there is an answer; `?` is answered here. *ret_text (in the arena) or *ret_key is set. */
enum pw_prompted pw_prompt_ask(struct pw_app *app, const struct pw_prompt *prompt, const char **ret_text, char *ret_key);

#endif
