/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_REDUCE_H
#define ENGINE_CLUSTER_SOURCE_REDUCE_H

#include <packetwalk/check.h>
#include <packetwalk/val.h>

/*
 * The part of an API object that the model reads, and no more: environment
 * variables, arguments, managed fields and the like never leave the process
 * that fetched them. NULL when out of memory.
 */
struct pw_val *pw_object_reduce(enum pw_fact kind, const struct pw_val *object, struct pw_arena *arena);

#endif
