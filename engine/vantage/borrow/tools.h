/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_BORROW_TOOLS_H
#define ENGINE_VANTAGE_BORROW_TOOLS_H

#include <packetwalk/borrow.h>

#include "../executor.h"
#include "../transport/transport.h"

/* A container as one check's process sees it. */
struct pw_tools {
	struct pw_ctx *ctx;
	const struct pw_via *via;           /* the kubectl */
	const struct pw_vantage *vantage;   /* the pod */
	const struct pw_val *known;         /* what is there: {have: [names]}, or {error: {code, text}} */
};

/* For a check may have to start kubectl several times, and each may have a log-in to do. */
#define PW_BORROW_EXTRA_MS 10000u

/*
 * What is in a container is asked once in a run, by the first check that
 * borrows there, and kept by its parent. `known` may be NULL: then it is asked, and *ret_found is what the parent is to
 * keep, else NULL.
 */
int pw_tools_open(struct pw_tools *tools, struct pw_val **ret_found, struct pw_err *err);

/* What each executor knows of containers. */
struct pw_containers;
const struct pw_val *pw_containers_get(const struct pw_containers *containers, const struct pw_vantage *vantage); /* NULL: nothing */
/* Copies `found`; without memory it is asked again. */
void pw_containers_put(struct pw_containers **containers, const struct pw_vantage *vantage, const struct pw_val *found);
void pw_containers_free(struct pw_containers *containers);
bool pw_containers_same(const struct pw_vantage *a, const struct pw_vantage *b);

#endif
