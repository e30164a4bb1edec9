/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_BUILTIN_H
#define ENGINE_PLAY_BUILTIN_H

#include <stddef.h>

/* Playbooks compiled into the binary, from playbooks/NAME.yaml. Ends with a NULL name. */
struct pw_builtin { const char *name; const char *text; size_t len; };
extern const struct pw_builtin pw_builtin_playbooks[];

#endif
