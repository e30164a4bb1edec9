/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_PLUGIN_H
#define ENGINE_VANTAGE_PLUGIN_H

#include <stddef.h>

#include <packetwalk/check.h>

/*
 * Checks that are not built in, from folders nobody else can write to:
 *   NAME.so          C, a symbol pw_check_NAME as in checks/ (check.h);
 *   NAME.check.yaml  a program that is run, Nagios plugins among them (exec_check.h).
 * Loading reads declarations; the functions run in the executor's children
 * like those of any check.
 */
struct pw_plugins;

struct pw_plugins *pw_plugins_new(void); /* NULL on out of memory */
void pw_plugins_free(struct pw_plugins *plugins); /* and with it the checks */

/* One file, or all of a folder in the order of their names; other files there are left alone. Stops at the first that is
 * refused: PW_DENIED (others could have written it), PW_SYNTAX, PW_USAGE, PW_UNSUPPORTED (ABI), with the sentence why. */
int pw_plugins_load(struct pw_plugins *plugins, const char *path, struct pw_err *err);

size_t pw_plugins_count(const struct pw_plugins *plugins);
const struct pw_check *pw_plugins_at(const struct pw_plugins *plugins, size_t i);
const char *pw_plugins_file(const struct pw_plugins *plugins, size_t i); /* where it came from */
/* Built in or loaded; `plugins` may be NULL. Fits pw_executor_config.find_check. */
const struct pw_check *pw_plugins_find(const struct pw_plugins *plugins, const char *name);

/* Could anyone but root and this user have changed the file at `path`, or put another in its place? PW_DENIED says
 * which part of the path and why. `ret` (PATH_MAX bytes, or NULL): the path without links. */
int pw_path_trust(const char *path, char *ret, struct pw_err *err);

#endif
