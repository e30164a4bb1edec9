/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_POLICY_H
#define CMD_MAIN_POLICY_H

#include <cluster/matrix.h>

#include "cmd.h"

/* The parts of `packetwalk policy`. */

#define PW_POLICY_CHUNK ((size_t)1 << 16)         /* output is written in pieces of about this size */
#define PW_POLICY_PIECE_MAX ((size_t)16 << 20)    /* what one pair can add; names are bounded, lists of ports have at most 32768 parts */

struct pw_policy_job;

/* One way to write pairs. `from` and `to` are escaped for a terminal. */
struct pw_policy_writer {
	const char *name;
	void (*begin)(struct pw_policy_job *job);
	void (*pair)(struct pw_policy_job *job, const char *from, const char *to, struct pw_reach reach);
	void (*end)(struct pw_policy_job *job);
};
extern const struct pw_policy_writer pw_policy_text, pw_policy_tsv, pw_policy_json, pw_policy_dot, pw_policy_html;

struct pw_policy_job {
	struct pw_app *app;
	const struct pw_facts *facts;
	struct pw_matrix *matrix;
	struct pw_ports_pool *ports;
	const struct pw_policy_writer *writer;
	struct pw_policy_tails *tails; /* of the writers for lines */
	struct pw_buf out;
	bool any;                      /* something was written already, for what stands between */
};

void pw_policy_flush(struct pw_policy_job *job);
void pw_policy_flush_full(struct pw_policy_job *job); /* when there is a chunk of it */

/* All ordered pairs: the outside to each group, the ingress controller, each group to the outside and to the others. */
int pw_policy_pairs(struct pw_policy_job *job);
/* Who can reach one pod or workload, and who that is not among the objects. */
int pw_policy_exposure(struct pw_policy_job *job, const char *to);
/* What two sets of manifests allow differently: exit 1 if anything. */
int pw_policy_diff(struct pw_policy_job *job, const char *old, const char *new);
/* The rows of a file of questions. */
int pw_policy_answer(struct pw_policy_job *job, const char *file);

#endif
