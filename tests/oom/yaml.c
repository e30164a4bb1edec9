/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading YAML, with aliases, list keys, complaints and their display. */
#include "oom.h"

#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <string.h>

static int run(struct pw_err *err)
{
	static const char text[] = "a: &x {b: [1, 2, 3], c: \"d\"}\ne: *x\n[f, g]: |\n  block\n  text\na: 2\nh: !t i\n? {}\n: j\n";
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_diags *diags = pw_diags_new(arena);
	const struct pw_val *val = NULL;
	int r = pw_yaml_parse(text, sizeof text - 1, "x.yaml", &pw_yaml_playbook_limits, arena, diags, &val, err);
	if (r < 0)
		return r;
	if (pw_diags_count(diags, -1) != 3 || pw_val_count(val) != 4)
		return pw_err_set(err, PW_INTERNAL, "the tree or a complaint is not whole");
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 1 << 20);
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++)
		pw_diag_format(pw_diags_at(diags, i), text, sizeof text - 1, &out);
	return pw_buf_ok(&out) ? PW_OK : PW_NOMEM;
}

const struct oom_scenario oom_scenario = { run, false };
