/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_SOURCE_H
#define ENGINE_CLUSTER_SOURCE_SOURCE_H

#include <cluster/model.h>

/* Where API objects come from. One `const struct pw_source` per scheme, listed in cluster.c. */

struct pw_source_state;  /* the source's own */

struct pw_source {
	const char *scheme;   /* "bundle:" */
	/* Finds and parses the configuration; no network. `rest` is what follows the scheme. State and strings live in `arena`. */
	int (*open)(const struct pw_cluster_config *config, const char *rest, struct pw_arena *arena,
		    struct pw_source_state **ret, struct pw_err *err);
	void (*close)(struct pw_source_state *state);
	const char *(*describe)(const struct pw_source_state *state);
	const char *(*context)(const struct pw_source_state *state);    /* of a kubeconfig; NULL: there are none here */
	const char *(*namespace_)(const struct pw_source_state *state); /* "" when it has no opinion */
	const char *(*notes)(const struct pw_source_state *state);      /* what was passed over, a line each; "" */
	/* Adds objects of these kinds and says with pw_facts_set_known how each went; does not finish the model.
	 * Ends by deadline_ms (pw_mono_ms) unless that is 0. */
	int (*need)(struct pw_source_state *state, struct pw_facts *facts, unsigned kinds, const char *ns, int64_t deadline_ms,
		    struct pw_err *err);
};

extern const struct pw_source pw_source_bundle, pw_source_manifests, pw_source_kube, pw_source_in_cluster;

#endif
