/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_CREATED_KUBE_H
#define ENGINE_VANTAGE_CREATED_KUBE_H

#include <packetwalk/buf.h>
#include <packetwalk/val.h>

/*
 * The few words of kubectl with which pods are made and removed. It is the
 * user's own program, run by argv: contexts, logins and proxies are its
 * business. PW_DENIED: the server refused; PW_ABSENT: there is none.
 */
struct pw_kube {
	const char *const *argv;     /* the program and the options that tell it the cluster, NULL-terminated; borrowed */
	const char *kubeconfig;      /* $KUBECONFIG for it, "": none; NULL: as it is here */
	bool own_group;              /* a Ctrl-C at the terminal does not end it */
};

#define PW_KUBE_ARGS 32u             /* the program and its options, at most */

/* Makes what the manifest says. */
int pw_kube_create(const struct pw_kube *kube, const char *manifest, unsigned timeout_ms, struct pw_err *err);
/* The pod as the API has it. PW_ABSENT when there is none. */
int pw_kube_get(const struct pw_kube *kube, const char *ns, const char *name, unsigned timeout_ms, struct pw_arena *arena,
		struct pw_val **ret, struct pw_err *err);
/* All pods that carry the labels of ours: a list's items. */
int pw_kube_list(const struct pw_kube *kube, unsigned timeout_ms, struct pw_arena *arena, const struct pw_val **ret, struct pw_err *err);
/* Deletes the pod of that UID and no other of its name: PW_ABSENT when it is gone, or is another. */
int pw_kube_delete(const struct pw_kube *kube, const char *ns, const char *name, const char *uid, unsigned timeout_ms, struct pw_err *err);
/* The UID of the namespace kube-system, by which a cluster is known; "" when it may not be read. */
const char *pw_kube_cluster_uid(const struct pw_kube *kube, unsigned timeout_ms, struct pw_arena *arena);

#endif
