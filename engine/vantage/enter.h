/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_ENTER_H
#define ENGINE_VANTAGE_ENTER_H

#include "ctx_priv.h"
#include "executor.h"

/* Moves this process (a child of the executor) to a vantage of this machine: its network namespace, and in `ctx` the
 * root folder its files are read from. That there is none of the latter is no error here. PW_ABSENT: no such
 * namespace, process or pod; PW_DENIED: not permitted, with what would be needed. */
int pw_vantage_enter(const struct pw_vantage *vantage, struct pw_ctx *ctx, struct pw_err *err);

/* Deep copy; false on out of memory. */
bool pw_vantage_copy(const struct pw_vantage *from, struct pw_arena *arena, struct pw_vantage *ret);

#endif
