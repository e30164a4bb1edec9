/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_DRAWING_H
#define ENGINE_RUN_DRAWING_H

#include <packetwalk/facts.h>

#include <run/run.h>

/* The path of the walk's connection with the broken hop marked, from its inputs `from`, `to`, `port` and `protocol`;
 * NULL when they do not name a flow. In the arena. */
const char *pw_record_drawing(const struct pw_record *record, const struct pw_facts *facts, const struct pw_scope *scope,
			      bool utf8, struct pw_arena *arena);

#endif
