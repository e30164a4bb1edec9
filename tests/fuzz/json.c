/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON of any kind, whole and in pieces; what is read can be written and read again. */
#include "fuzz.h"

#include <doc/json.h>
#include <packetwalk/cleanup.h>

#include <string.h>

static const struct pw_json_limits limits = { 1 << 20, 64 };

/* Not the trees are compared: yajl lets a lone low surrogate through, which the writer repairs. */
static void check_tree(const struct pw_val *val, struct pw_arena *arena)
{
	struct pw_buf out, again;
	pw_buf_init(&out, 64 << 20);
	pw_buf_init(&again, 64 << 20);
	pw_json_write(&out, val, 0);
	struct pw_val *back = NULL;
	MUST(pw_buf_ok(&out) && pw_json_parse(pw_buf_str(&out), out.len, NULL, &limits, arena, &back, NULL) == PW_OK);
	pw_json_write(&again, back, 0);
	MUST(pw_buf_ok(&again) && !strcmp(pw_buf_str(&out), pw_buf_str(&again)));
	pw_buf_release(&out);
	pw_buf_release(&again);
}

static int on_item(void *arg, const struct pw_val *item, struct pw_err *err)
{
	(void)err;
	*(size_t *)arg += 1 + pw_val_count(item); /* tells items apart a little */
	return PW_OK;
}

static int stream(const char *text, size_t size, size_t piece, size_t *ret_sum)
{
	struct pw_json_stream *s = pw_json_stream_new(&limits, on_item, ret_sum);
	MUST(s);
	int r = PW_OK;
	for (size_t i = 0; i < size && r == PW_OK; i += piece)
		r = pw_json_stream_feed(s, text + i, size - i < piece ? size - i : piece, NULL);
	if (r == PW_OK)
		r = pw_json_stream_end(s, NULL);
	MUST(r != PW_OK || pw_val_is(pw_json_stream_rest(s), PW_VAL_MAP));
	pw_json_stream_free(s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(256 << 20);
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *val = NULL;
	int r = pw_json_parse(text, size, "x.json", &limits, arena, &val, &err);
	MUST(r == PW_OK || (r == PW_SYNTAX && err.text[0]));
	if (r == PW_OK)
		check_tree(val, arena);
	size_t whole = 0, cut = 0; /* what the items add up to */
	int once = stream(text, size, size + 1, &whole);
	int pieces = stream(text, size, 5, &cut);
	MUST(once == pieces && (once != PW_OK || whole == cut));
	MUST(r == PW_OK || once != PW_OK);
	return 0;
}
