/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and writing JSON; yajl itself would not survive this. */
#include "oom.h"

#include <doc/json.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <string.h>

static int run(struct pw_err *err)
{
	/* Escapes go through yajl's second buffer, nesting through its stack, length through growth. */
	static const struct pw_json_limits limits = { 1 << 20, 300 };
	PW_CLEAN_BUF struct pw_buf text, out;
	pw_buf_init(&text, 1 << 20);
	pw_buf_init(&out, 1 << 20);
	pw_buf_puts(&text, "{\"a\\n\": \"");
	for (int i = 0; i < 1000; i++)
		pw_buf_puts(&text, "\\u00e9\\n");
	pw_buf_puts(&text, "\", \"b\": ");
	for (int i = 0; i < 200; i++)
		pw_buf_putc(&text, '[');
	for (int i = 0; i < 200; i++)
		pw_buf_putc(&text, ']');
	pw_buf_puts(&text, "}");
	if (!pw_buf_ok(&text))
		return PW_NOMEM;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_val *val = NULL;
	int r = pw_json_parse(pw_buf_str(&text), text.len, "x.json", &limits, arena, &val, err);
	if (r < 0)
		return r;
	pw_json_write(&out, val, 2);
	return pw_buf_ok(&out) ? PW_OK : PW_NOMEM;
}

const struct oom_scenario oom_scenario = { run, false };
