/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_CREATION_H
#define CMD_MAIN_CREATION_H

#include "cmd.h"

/* Pods made to look from: the options that say how, and their end. */

#define PW_IMAGE "packetwalk:" PW_VERSION /* unless --image says another */

/* --image and --pull-policy. PW_USAGE when they cannot be that. */
int pw_app_image(struct pw_app *app, const char **ret_image, const char **ret_pull_policy, struct pw_err *err);
/* Object kinds that must be known before a pod is made (enum pw_fact bits); 0: none can be made. */
unsigned pw_app_creation_facts(struct pw_app *app);
/* Without --via: kubectl as it is installed, where the cluster that is looked at is the one it would talk to. */
bool pw_app_finds_kubectl(struct pw_app *app);
/* For the executor; NULL where kubectl does not lead to the cluster that is looked at, or nothing could be written down.
 * Nothing is made by asking. */
int pw_app_creation(struct pw_app *app, struct pw_creation **ret, struct pw_err *err);
/* Removes what was made; says what it removes, and what is left. After the executor, whose agents live in it. */
void pw_app_creation_end(struct pw_app *app);

#endif
