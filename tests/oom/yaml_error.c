/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML that is wrong: short memory must not pass for a syntax error or hide one. */
#include "oom.h"

#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <string.h>

static int run(struct pw_err *err)
{
	static const char text[] = "a: 1\nb: [x, y\nc: 2\n";
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_diags *diags = pw_diags_new(arena);
	const struct pw_val *val = NULL;
	int r = pw_yaml_parse_all(text, sizeof text - 1, "x.yaml", &pw_yaml_bundle_limits, arena, diags, &val, err);
	if (r == PW_SYNTAX && pw_diags_count(diags, 0) == 1)
		return PW_OK;
	return r == PW_OK ? pw_err_set(err, PW_INTERNAL, "a syntax error was not seen") : r;
}

const struct oom_scenario oom_scenario = { run, false };
