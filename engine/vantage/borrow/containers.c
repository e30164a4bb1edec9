/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was found in containers, for the run: children that ask come and go, this stays. */
#include "tools.h"

#include <stdlib.h>
#include <string.h>

#include "../enter.h"

enum { FOUND_MAX = 65536 };

struct pw_containers {
	struct pw_containers *next;
	struct pw_arena *arena;
	struct pw_vantage vantage;
	const struct pw_val *found;
};

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

bool pw_containers_same(const struct pw_vantage *a, const struct pw_vantage *b)
{
	return same_text(a->ns, b->ns) && same_text(a->pod, b->pod) && same_text(a->container, b->container);
}

const struct pw_val *pw_containers_get(const struct pw_containers *containers, const struct pw_vantage *vantage)
{
	for (; containers; containers = containers->next)
		if (pw_containers_same(&containers->vantage, vantage))
			return containers->found;
	return NULL;
}

void pw_containers_put(struct pw_containers **containers, const struct pw_vantage *vantage, const struct pw_val *found)
{
	struct pw_containers *one = calloc(1, sizeof *one);
	if (!one)
		return;
	one->arena = pw_arena_new(FOUND_MAX);
	one->found = one->arena ? pw_val_copy(one->arena, found) : NULL;
	if (!one->found || !pw_vantage_copy(vantage, one->arena, &one->vantage)) {
		pw_containers_free(one);
		return;
	}
	one->next = *containers;
	*containers = one;
}

void pw_containers_free(struct pw_containers *containers)
{
	for (struct pw_containers *next; containers; containers = next) {
		next = containers->next;
		pw_arena_free(containers->arena);
		free(containers);
	}
}
