/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_NET_ARGS_H
#define TESTS_NET_ARGS_H

#include <stdlib.h>
#include <string.h>

/* key=value words of a command line. */

struct args { int n; char **v; };

static inline const char *str(const struct args *args, const char *key)
{
	size_t len = strlen(key);
	for (int i = 0; i < args->n; i++)
		if (!strncmp(args->v[i], key, len) && args->v[i][len] == '=')
			return args->v[i] + len + 1;
	return NULL;
}

static inline unsigned num(const struct args *args, const char *key, unsigned otherwise)
{
	const char *text = str(args, key);
	return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

#endif
