/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_CALLEES_H
#define ENGINE_PLAY_CALLEES_H

#include <play/play.h>

/* Playbooks that a playbook calls, at any depth: each is loaded once, and they all belong to the one asked for. */
#define PW_CALLEES_MAX 64      /* different playbooks reached from one */
#define PW_CALL_DEPTH 8        /* of calls within calls */

struct pw_callees {
	struct { const char *name; struct pw_play *play; /* NULL: it has errors */ } all[PW_CALLEES_MAX];
	size_t n;
	struct pw_arena *arena;    /* of the one asked for */
	bool no_memory;            /* one could not be read for want of memory: the result is not to be trusted */
};

/* Hands them to the playbook that was asked for; pw_play_free frees them with it. */
void pw_callees_give(struct pw_callees *callees, struct pw_play *play);

/* An empty playbook with its source and hash. NULL: out of memory. */
struct pw_play *pw_play_new(const char *text, size_t len, const char *file);

#endif
