/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_CONFIG_H
#define CMD_MAIN_CONFIG_H

#include "cmd.h"

/*
 * Configuration files, nearest first: ./.packetwalk/config.yaml (project),
 * $XDG_CONFIG_HOME/packetwalk/config.yaml (user), /etc/packetwalk/config.yaml
 * (system). A map of option names; `inputs:` is a map of input names.
 */

/* Reads them, complaining about what is wrong in them. PW_OK or PW_USAGE. */
int pw_config_load(struct pw_app *app, struct pw_err *err);
/* The nearest value of a key and the file it is in; NULL. */
const struct pw_val *pw_config_get(struct pw_app *app, const char *name, const char **ret_file);

/* $VARIABLE/packetwalk/TAIL, or $HOME/HOME_TAIL/packetwalk/TAIL; NULL when neither is an absolute path. */
const char *pw_xdg_path(struct pw_app *app, const char *variable, const char *home_tail, const char *tail);

#endif
