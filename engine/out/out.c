/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats by name. */
#include <out/out.h>

#include <string.h>

const struct pw_out *pw_out_find(const char *name)
{
	for (size_t i = 0; pw_out_registry[i]; i++)
		if (strcmp(pw_out_registry[i]->name, name) == 0)
			return pw_out_registry[i];
	return NULL;
}
