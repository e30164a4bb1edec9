/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_LIBRARY_H
#define CMD_MAIN_LIBRARY_H

#include <packetwalk/check.h>

#include <play/play.h>

#include "cmd.h"

struct pw_diags;

/* The checks and playbooks there are: built in, in the plugin folders, on the search path. */
struct pw_library;

/* Made at first use. Plugins that do not load are reported then, once, and left out. NULL: out of memory. */
struct pw_library *pw_app_library(struct pw_app *app);
void pw_library_free(struct pw_library *library);

/* Checks, by name. */
const struct pw_check *pw_library_find_check(void *library, const char *name); /* NULL: not there */
size_t pw_library_checks(const struct pw_library *library, const struct pw_check *const **ret);
size_t pw_library_check_names(void *library, const char *const **ret);
/* Where it came from: "built in" or the file of the plugin. */
const char *pw_library_check_origin(const struct pw_library *library, const char *name);
size_t pw_library_bad_plugins(const struct pw_library *library);

/* Playbooks on the search path, by name, each once: the first wins. */
struct pw_playbook_ref { const char *name, *path; /* NULL: built in */ };
size_t pw_library_playbooks(struct pw_library *library, const struct pw_playbook_ref **ret);
const struct pw_play_env *pw_library_env(const struct pw_library *library);

/* Text of a playbook by name, or of a file ("-" is stdin, anything with a slash or ending in .yaml). Caller frees both. */
int pw_library_text(struct pw_library *library, const char *word, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err);

/*
 * Finds, loads and reports every problem on stderr. PW_EXIT_HEALTHY, or the exit code to end with: usage if there is
 * no such playbook, PW_EXIT_PLAYBOOK if it is invalid. Freed with the library.
 */
int pw_library_load(struct pw_app *app, const char *word, const struct pw_play **ret);

/* The diagnostics with source lines and carets; `file` and `text` are those of the main document. */
void pw_diags_print(struct pw_app *app, struct pw_stream *stream, struct pw_diags *diags, const char *file, const char *text, size_t len);

#endif
