/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_CREATED_CREATION_H
#define ENGINE_VANTAGE_CREATED_CREATION_H

#include <stdint.h>

#include <packetwalk/facts.h>

#include "kube.h"
#include "made.h"
#include "remove.h"

/*
 * The pods of one run: planned when a vantage could be reached by one, made
 * when a check is sent there, removed at the end whatever happened. Planning
 * changes nothing. What is going to be made is in the ledger first.
 */
struct pw_creation_config {
	const char *dir;             /* of the ledgers; it exists */
	const char *const *kubectl;  /* argv of it and its options, NULL-terminated; borrowed */
	const char *kubeconfig;      /* $KUBECONFIG, NULL: none; for the ledger */
	const char *cluster, *cluster_uid; /* for the ledger */
	const char *image, *pull_policy;
	const char *node_ns;         /* of pods on nodes; NULL: chosen */
	unsigned ttl_s;              /* 0: PW_MADE_TTL_S */
	unsigned start_ms;           /* how long a pod may take to run, 0: PW_MADE_START_MS */
	void (*say)(void *arg, const char *line); void *say_arg; /* what is going to be made, when it is; NULL */
};

#define PW_MADE_TTL_S 1800u
#define PW_MADE_START_MS 60000u
#define PW_MADE_SETTLE_MS 3000u      /* from a pod's start until what enforces policies has surely seen it */
#define PW_MADE_CREATE_MS 15000u     /* one kubectl create, admission included */

enum pw_made_stage { PW_MADE_PLANNED, PW_MADE_WRITTEN, PW_MADE_RUNNING, PW_MADE_REFUSED, PW_MADE_GONE };

/* A pod, planned or made. Lives as long as the creation. */
struct pw_made {
	struct pw_made *next;
	enum pw_made_kind kind;
	enum pw_made_stage stage;
	const char *ns, *name, *node;
	const char *beside;          /* "shop/web", PW_MADE_PROBE */
	const char *image, *manifest;
	unsigned ttl_s, start_ms, settle_ms;
	const struct pw_kube *kube;
	struct pw_creation *creation;
	const struct pw_pod *pod;    /* PW_MADE_PROBE: beside it */
	const struct pw_node *on;    /* PW_MADE_NODE; NULL: its object is not known */
	const char *why;             /* PW_MADE_REFUSED, PW_MADE_GONE: a sentence */
	int code;                    /* and its code */
	bool again;                  /* made for one that is PW_MADE_GONE: no third follows */
	bool asked;                  /* the server was asked to make it, and may have */
	bool sure;                   /* and said that it did, or that it will not */
};

struct pw_creation;
struct pw_creation *pw_creation_new(const struct pw_creation_config *config, struct pw_err *err);
void pw_creation_free(struct pw_creation *creation); /* removes nothing: pw_creation_end does */

/* The pod through which this pod or node would be reached; the same one each time. NULL: out of memory. It may be
 * PW_MADE_REFUSED, with the reason. */
struct pw_made *pw_creation_beside(struct pw_creation *creation, const struct pw_facts *facts, const struct pw_pod *pod);
struct pw_made *pw_creation_on_node(struct pw_creation *creation, const struct pw_facts *facts, const char *node, const char *for_ns);

/* "pod shop/packetwalk-probe-x on n1 (image packetwalk:0.1.0, at most 30 min)" */
void pw_made_say(const struct pw_made *made, struct pw_buf *out);

/* Writes it down, with its manifest; when this is PW_OK a child may be told to make it. */
int pw_creation_write(struct pw_made *made, struct pw_err *err);
/* It was not made, or ended: never tried again in this run. */
void pw_made_refuse(struct pw_made *made, int code, const char *why);
/* It ended after it had served. Another may be made in its place, once, as if there had been none: with consent. */
void pw_made_gone(struct pw_made *made, int code, const char *why);
/* Nothing comes of it, or no more. */
static inline bool pw_made_is_over(const struct pw_made *made) { return made->stage == PW_MADE_REFUSED || made->stage == PW_MADE_GONE; }

/* A child's part: makes the pod, waits until it runs, tells of it in documents on out_fd, and becomes `argv`. */
struct pw_made_job { const struct pw_made *made; const char *const *argv; };
int pw_made_child(void *arg, int out_fd);

/* Removes everything that was made. PW_OK: nothing is left; else the ledger holds what is. */
int pw_creation_end(struct pw_creation *creation, struct pw_made_end *end, struct pw_err *err);

#endif
