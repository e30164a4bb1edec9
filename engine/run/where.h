/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_WHERE_H
#define ENGINE_RUN_WHERE_H

#include <packetwalk/facts.h>

#include <run/scope.h>
#include <vantage/executor.h>

/*
 * Where a step runs: its `at:` template against scope and cluster model. It
 * may come to "here", "netns:PATH", "pid:N", "uid:UID", "node:NAME", a node's
 * name, a pod as "ns/name", or a value that is a pod, node or endpoint.
 * NULL or "" `at`: `here`, the vantage of the run (NULL: "here").
 * PW_ABSENT: there is no such place, or a reference is empty or not known.
 */
int pw_where(const struct pw_scope *scope, const struct pw_facts *facts, const char *at, const char *here,
	     struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err);

/* The same for a text already filled in. */
int pw_where_text(const struct pw_facts *facts, const char *text, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err);

/* Is this pod one in which agents are started? Only who may create pods in the agents' namespace can make one that is: a label
 * alone, which any tenant can set, makes none. */
bool pw_is_agent(const struct pw_pod *pod);

#endif
