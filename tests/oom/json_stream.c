/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A JSON list that arrives in pieces, and one that breaks off in an error. */
#include "oom.h"

#include <doc/json.h>

#include <string.h>

static int on_item(void *arg, const struct pw_val *item, struct pw_err *err)
{
	*(size_t *)arg += pw_map_get(item, "name") != NULL;
	(void)err;
	return PW_OK;
}

static int feed(struct pw_json_stream *stream, const char *text, struct pw_err *err)
{
	size_t len = strlen(text), piece = 3;
	for (size_t i = 0; i < len; i += piece) {
		int r = pw_json_stream_feed(stream, text + i, len - i < piece ? len - i : piece, err);
		if (r < 0)
			return r;
	}
	return pw_json_stream_end(stream, err);
}

static int read_list(const char *text, size_t want, struct pw_err *err)
{
	static const struct pw_json_limits limits = { 1 << 20, 16 };
	size_t count = 0;
	struct pw_json_stream *stream = pw_json_stream_new(&limits, on_item, &count);
	if (!stream)
		return PW_NOMEM;
	int r = feed(stream, text, err);
	pw_json_stream_free(stream);
	return r == PW_OK && count != want ? pw_err_set(err, PW_INTERNAL, "%zu items instead of %zu", count, want) : r;
}

static int run(struct pw_err *err)
{
	int r = read_list("{\"kind\":\"List\",\"items\":[{\"name\":\"a\"},{\"name\":\"\\u0062\",\"x\":[1,2,3,4,5]}],\"metadata\":{}}", 2, err);
	if (r < 0)
		return r;
	r = read_list("{\"items\":[{\"name\":\"a\"},{\"name\" 1}]}", 1, err);
	return r == PW_SYNTAX ? PW_OK : r == PW_OK ? PW_INTERNAL : r;
}

const struct oom_scenario oom_scenario = { run, false };
