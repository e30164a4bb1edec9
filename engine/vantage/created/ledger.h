/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_CREATED_LEDGER_H
#define ENGINE_VANTAGE_CREATED_LEDGER_H

#include <packetwalk/val.h>

#include "kube.h"

/*
 * What a run makes in a cluster, on this machine's disk before it is made:
 * one file a run, owner-only, replaced whole, gone with its last object. So
 * what a killed run left can be found, and no run touches another's.
 */
struct pw_made_object {
	const char *ns, *name;
	bool done;
	bool may_come;               /* its creation was under way when it was given up: it may appear yet */
};

struct pw_made_ledger {
	const char *path;            /* of its file; it is there while an object is */
	const char *run;             /* id of the run: a label of all it makes */
	const char *host, *boot;     /* the machine, and since when it runs (boot_id) */
	const char *pid_ns;          /* "pid:[4026531836]": in which the number below means something */
	long pid;
	unsigned long long started;  /* of that process, in ticks since the boot: a number is given again, the two are not */
	const char *cluster, *cluster_uid; /* for people; to know it again */
	const char *const *kubectl;  /* argv of it, NULL-terminated */
	const char *kubeconfig;      /* $KUBECONFIG, NULL */
	struct pw_made_object *objects; size_t n;
};

#define PW_MADE_MAX 64u              /* objects of one run */
#define PW_RUN_ID_SPACE 16u

/* A new one for this process in the folder `dir`, empty and not yet on disk. The id is random. */
int pw_made_ledger_new(const char *dir, struct pw_arena *arena, struct pw_made_ledger *ret, struct pw_err *err);
/* How its cluster is reached, in words that mean the same from any other folder. `argv` and `kubeconfig` (NULL: none) as they were given. */
int pw_made_ledger_reach(struct pw_made_ledger *ledger, const char *const *argv, const char *kubeconfig, struct pw_arena *arena, struct pw_err *err);
/* Adds an object and writes: when this is PW_OK, and only then, it may be made. */
int pw_made_ledger_add(struct pw_made_ledger *ledger, const char *ns, const char *name, struct pw_arena *arena, struct pw_err *err);
/* It is gone: forgets it, and writes; the file goes with the last. */
int pw_made_ledger_done(struct pw_made_ledger *ledger, struct pw_made_object *object, struct pw_err *err);

/* Every ledger in `dir`; one that cannot be read is skipped, with a line in `notes`. */
int pw_made_ledgers(const char *dir, struct pw_arena *arena, struct pw_made_ledger **ret, size_t *ret_n, struct pw_buf *notes, struct pw_err *err);

/* Is its process still there? PW_MADE_ELSEWHERE: it was of another machine, so nobody here can tell. */
enum pw_made_life { PW_MADE_DEAD, PW_MADE_LIVES, PW_MADE_ELSEWHERE };
enum pw_made_life pw_made_ledger_life(const struct pw_made_ledger *ledger);

#endif
