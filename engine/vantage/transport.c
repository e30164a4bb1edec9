/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks a transport up by the name in front of the colon. */
#include "transport/transport.h"

#include <string.h>

#include <base/text.h>

enum { NAME_SPACE = 32, NAMES_MAX = 32, PLAIN_MAX = 253 /* the longest name Kubernetes gives: a DNS subdomain */ };

bool pw_transport_plain(const char *text)
{
	size_t len = strlen(text);
	return len > 0 && len <= PLAIN_MAX && text[0] != '.' && text[0] != '-' &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

int pw_transport_find(const char *via, const struct pw_transport **ret, const char **ret_rest, struct pw_err *err)
{
	const char *names[NAMES_MAX];
	char name[NAME_SPACE];
	size_t len = strcspn(via, ":"), n = 0;
	for (const struct pw_transport *const *t = pw_transport_registry; *t; t++) {
		if (strlen((*t)->name) == len && !strncmp((*t)->name, via, len)) {
			const char *rest = via + len + (via[len] == ':');
			int rc = (*t)->check(rest, err);
			if (rc < 0)
				return rc;
			*ret = *t;
			*ret_rest = rest;
			return PW_OK;
		}
		if (n < NAMES_MAX)
			names[n++] = (*t)->name;
	}
	if (len >= sizeof name)
		len = sizeof name - 1;
	memcpy(name, via, len);
	name[len] = '\0';
	const char *nearest = pw_nearest(name, names, n);
	if (nearest)
		return pw_err_set(err, PW_USAGE, "there is no transport \"%s\"; did you mean \"%s\"?", name, nearest);
	return pw_err_set(err, PW_USAGE, "there is no transport \"%s\" (see packetwalk help run)", name);
}
