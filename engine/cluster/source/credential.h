/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_CREDENTIAL_H
#define ENGINE_CLUSTER_SOURCE_CREDENTIAL_H

#include <cluster/source/kubeconfig.h>

/* What is sent to prove who we are. Strings are never NULL. */
struct pw_credential {
	const char *token, *username, *password;
	struct pw_pem cert, key;
	int64_t expires;      /* Unix seconds; 0: not known */
	bool renewable;       /* asking again may help against a 401 */
	bool from_plugin;
};

/*
 * The credential of a kubeconfig: reads the token file, or runs the credential
 * plugin (for at most timeout_ms). To be called in the child that fetches.
 * Errors never quote what a file or plugin gave.
 */
int pw_credential_get(const struct pw_kubeconfig *config, unsigned timeout_ms, struct pw_arena *arena,
		      struct pw_credential *ret, struct pw_err *err);

/* Between processes: the child hands what a plugin gave to its parent, for the next child. */
struct pw_val *pw_credential_to_val(const struct pw_credential *credential, struct pw_arena *arena);
bool pw_credential_from_val(const struct pw_val *val, struct pw_arena *arena, struct pw_credential *ret);

#endif
