/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_FETCH_H
#define ENGINE_CLUSTER_SOURCE_FETCH_H

#include <cluster/source/credential.h>

/* The child that talks to an API server. What it finds goes over a pipe as wire documents:
 *   {"object": {...}}                                a reduced object, with kind and apiVersion
 *   {"done": BIT, "known": enum pw_known, "gap": ""} how a kind went
 *   {"version": "v1.31.0"}   {"credential": {...}}   {"fatal": enum pw_code, "text": "..."}
 */
struct pw_fetch_job {
	const struct pw_kubeconfig *config;
	const struct pw_credential *credential; /* from an earlier run, or NULL */
	unsigned kinds;             /* enum pw_fact bits */
	const char *ns;             /* only this namespace; NULL: all */
	const char *fallback_ns;    /* tried when all are not permitted */
	bool want_version;
	unsigned timeout_ms;        /* of one request */
};

#define PW_FETCH_FRAME_MAX ((size_t)16 << 20) /* one reduced object; etcd keeps none above 1.5 MiB by default */

/* A pw_child_spec run function; arg is a struct pw_fetch_job. */
int pw_fetch_main(void *arg, int out_fd);

#endif
