/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_PRIVS_H
#define ENGINE_VANTAGE_PRIVS_H

#include <stdbool.h>

#include <packetwalk/check.h>

/* Gives up, for this process and all it starts, every capability but those `needs` (enum pw_needs bits) names, and the
 * possibility to gain any. Programs it runs keep exactly those. What the process never had is no error. PW_INTERNAL
 * if the kernel refuses to take them: then nothing hostile may be parsed here. */
int pw_privs_keep(unsigned needs, struct pw_err *err);

/* Is the capability (CAP_* of linux/capability.h) in effect for this process? */
bool pw_privs_has(unsigned cap);

#endif
