/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -o json: the promised fields, schema packetwalk.result/1. */
#include <out/out.h>

#include <doc/json.h>

#define ARENA_MAX ((size_t)256 << 20)

static void write(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out)
{
	(void)style;
	struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_val *val = arena ? pw_record_to_val(record, false, arena) : NULL;
	if (val) {
		pw_json_write(out, val, 2);
		pw_buf_putc(out, '\n');
	} else {
		out->failed = PW_NOMEM;
	}
	pw_arena_free(arena);
}

const struct pw_out pw_out_json = { .name = "json", .summary = "one JSON document, packetwalk.result/1", .extension = ".json", .write = write };
