/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_TREE_H
#define ENGINE_CLUSTER_SOURCE_TREE_H

#include <packetwalk/err.h>

/*
 * Calls fn for every regular file below `root` (or for `root` itself if it is
 * one), in a stable order. Symbolic links and special files are passed over,
 * depth and number of files are bounded.
 */
int pw_tree_walk(const char *root, int (*fn)(void *arg, const char *path, struct pw_err *err), void *arg, struct pw_err *err);

#endif
