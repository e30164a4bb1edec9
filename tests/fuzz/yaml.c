/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML of any kind: a tree within its limits, or a complaint that can be shown. */
#include "fuzz.h"

#include <doc/json.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

static const struct pw_yaml_limits limits = { 1 << 16, 16, 2000 };

/* Recurses as deep as the limit says, over aliases as if they were written out. */
static size_t walk(const struct pw_val *val, unsigned depth)
{
	MUST(depth <= limits.depth);
	size_t nodes = 1;
	for (size_t i = 0; i < pw_val_count(val); i++)
		nodes += walk(pw_val_at(val, i), depth + 1);
	return nodes;
}

static void check_tree(const struct pw_val *val, struct pw_arena *arena)
{
	MUST(walk(val, 0) <= limits.nodes);
	struct pw_buf out;
	pw_buf_init(&out, 64 << 20);
	pw_json_write(&out, val, 1);
	const struct pw_json_limits json = { 64 << 20, 64 };
	struct pw_val *back = NULL;
	MUST(pw_buf_ok(&out) && pw_json_parse(pw_buf_str(&out), out.len, NULL, &json, arena, &back, NULL) == PW_OK);
	MUST(pw_val_equal(val, back));
	pw_buf_release(&out);
}

static void check_diags(struct pw_diags *diags, const char *text, size_t size)
{
	pw_diags_sort(diags);
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++) {
		struct pw_buf out;
		pw_buf_init(&out, 1 << 20);
		pw_diag_format(pw_diags_at(diags, i), text, size, &out);
		MUST(pw_buf_ok(&out));
		for (size_t at = 0; at < out.len; at++)
			MUST(out.data[at] == '\n' || (unsigned char)out.data[at] >= ' ');
		pw_buf_release(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(256 << 20);
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *val = NULL, *all = NULL;
	int r = pw_yaml_parse(text, size, "x.yaml", &limits, arena, diags, &val, &err);
	MUST(r == PW_OK || (r == PW_SYNTAX && err.text[0] && pw_diags_count(diags, 0) > 0));
	if (r == PW_OK)
		check_tree(val, arena);
	check_diags(diags, text, size);
	r = pw_yaml_parse_all(text, size, NULL, &limits, arena, NULL, &all, &err);
	MUST(r == PW_OK || r == PW_SYNTAX);
	return 0;
}
