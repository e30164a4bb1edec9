/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_KUBECONFIG_H
#define ENGINE_CLUSTER_SOURCE_KUBECONFIG_H

#include <cluster/cluster.h>

/* PEM text: given inline (decoded from base64), or a file; both empty when absent. */
struct pw_pem { const char *data; size_t len; const char *file; };

/* A credential plugin: client.authentication.k8s.io/v1 or v1beta1. */
struct pw_kube_exec {
	bool present;
	const char *api_version, *command, *install_hint, *interactive_mode;
	struct pw_strings args;
	struct pw_labels env;
	bool provide_cluster_info;
	const struct pw_val *cluster_config; /* extension client.authentication.k8s.io/exec, or NULL */
};

/* What one context comes to. Strings are never NULL. */
struct pw_kubeconfig {
	const char *context, *ns;
	const char *server;           /* without a trailing slash; may have a path */
	const char *tls_server_name, *proxy_url;
	bool insecure, disable_compression;
	struct pw_pem ca, cert, key;
	const char *token, *token_file, *username, *password;
	const char *as, *as_uid;
	struct pw_strings as_groups;
	const struct pw_val *as_extra; /* map of lists, or NULL */
	struct pw_kube_exec exec;
};

/* As kubectl finds and merges: config->kubeconfig, or $KUBECONFIG, or ~/.kube/config. PW_ABSENT when there is none. */
int pw_kubeconfig_load(const struct pw_cluster_config *config, struct pw_arena *arena, struct pw_kubeconfig *ret, struct pw_err *err);
/* The service account of the pod this runs in. PW_ABSENT outside a pod. */
int pw_kubeconfig_in_cluster(const struct pw_cluster_config *config, struct pw_arena *arena, struct pw_kubeconfig *ret, struct pw_err *err);
/* Is there any file kubectl would read? */
bool pw_kubeconfig_exists(const struct pw_cluster_config *config);

/* Standard base64, blanks ignored. NULL when it is not, or out of memory. */
char *pw_base64_decode(struct pw_arena *arena, const char *text, size_t *ret_len);

#endif
