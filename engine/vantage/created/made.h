/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_CREATED_MADE_H
#define ENGINE_VANTAGE_CREATED_MADE_H

#include <packetwalk/buf.h>
#include <packetwalk/facts.h>
#include <packetwalk/val.h>

/*
 * Pods that a run makes to look from: beside a pod (a pod like any other, in
 * its namespace, on its node) and on a node (privileged). What they are
 * called, what they hold, and how they tell that they are ours.
 */
#define PW_MADE_BY_LABEL "app.kubernetes.io/managed-by"
#define PW_MADE_BY "packetwalk"
#define PW_MADE_RUN_LABEL "packetwalk.io/run"

enum pw_made_kind { PW_MADE_PROBE, PW_MADE_NODE };

struct pw_made_spec {
	enum pw_made_kind kind;
	const char *ns, *name, *node, *run;
	const char *image, *pull_policy;
	unsigned ttl_s;              /* the kubelet ends it then, whatever becomes of us */
	const struct pw_pod *beside; /* PW_MADE_PROBE */
	const struct pw_node *on;    /* PW_MADE_NODE; its owner, so that it goes with it */
};

/* The manifest for kubectl create. PW_NOMEM. */
int pw_made_manifest(const struct pw_made_spec *spec, struct pw_buf *out, struct pw_err *err);

/* May a pod be made beside this one, and would it see what this one sees? PW_UNSUPPORTED with the reason. */
int pw_made_beside_check(const struct pw_facts *facts, const struct pw_pod *pod, struct pw_err *err);

/* Does this check, asked to look at `pod` with these parameters, see from beside it what it would see inside? */
bool pw_made_stands_in(const struct pw_check *check, const struct pw_val *params, const struct pw_pod *pod);

/* Does it go by the pod's own files (hosts, resolv.conf), which may have been edited since the pod was made? A lookup does that
 * names no server. */
bool pw_made_by_files(const struct pw_check *check, const struct pw_val *params);

/* The spec of a pod in which agents enter a node's pods: lines of YAML, each indented. `image` is one of pw_made_is_image. */
void pw_made_agent_spec(struct pw_buf *out, unsigned indent, const char *image, const char *pull_policy);

/* Can it be the name of an image? Nothing that YAML or JSON would have to quote. */
bool pw_made_is_image(const char *text);
bool pw_made_is_pull_policy(const char *text);

/* How far a pod has come, by its object: what it waits for, or why it will never run, in `say`. */
enum pw_made_state { PW_MADE_WAITS, PW_MADE_RUNS, PW_MADE_FAILED };
enum pw_made_state pw_made_state(const struct pw_val *pod, struct pw_buf *say);

/* May its run still use it at `now` (Unix seconds)? Not once it has ended, or is older than it may become; where its age is not
 * said, it may. */
bool pw_made_may_serve(const struct pw_val *pod, int64_t now);

#endif
